"""Bounce storms: when so much comes back at once that something must be broken on the way.

In a storm (`refusals.storm_threshold`) nobody is suppressed but by their own word: a broken mail server must not end
everybody's subscription. What would have been suppressed, and what was while the storm rose, is held until the operator
accepts or dismisses it. If they do neither, it is forgotten when the storm is over: whose mailbox is really gone
will bounce again. Nor do the days count on which mailboxes failed in a storm, unless it was accepted: it was the
server's trouble, not theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, Select, delete, exists, func, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from paperdigest import refusals
from paperdigest.store.addressees import REPORTED, about_present
from paperdigest.store.alarming import clear_alarm, raise_alarm
from paperdigest.store.delivery_tables import deliveries
from paperdigest.store.engine import Database
from paperdigest.store.operation_tables import bounces, pauses, suppressions
from paperdigest.store.suppressions import Suppression, Suppressions
from paperdigest.types import BounceKind, SuppressionReason

__all__ = ["ALARM", "FAILED", "STORM", "Storm", "Storms", "blamed_on_storms"]

STORM = "suppressing"
"""The row of the table ``pauses`` that stands for the newest storm; one before it goes by this name and its end."""

ALARM = "bounce storm"
"""The name of the alarm."""

FAILED = (BounceKind.GONE.value, BounceKind.MAILBOX.value)
"""What counts towards a storm, and may suppress."""

_COUNT_AGAIN = timedelta(hours=1)
_LOOK = "paperdigest bounce --storm show"
_REASON = "too many mails come back at once for it to be the mailboxes' fault"
_ACCEPTED = "too many mails came back at once, and they were really gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """Since when too much comes back, until when it is taken to last, and for how many a suppression is held."""

    since_at: datetime
    until_at: datetime
    held: int


class Storms:
    """The storms of one database. Every method may raise StoreError; ``now`` is aware UTC."""

    def __init__(self, database: Database, suppressions_: Suppressions) -> None:
        self._database, self._suppressions = database, suppressions_
        self._mails: tuple[datetime, int] | None = None

    def at(self, now: datetime) -> Storm | None:
        """Return the storm that is on at that moment."""
        with self._database.reading() as connection:
            row = _row(connection)
            if row is None or row.until_at <= now:
                return None
            held = connection.execute(_held(row.since_at, now)).all()
            return Storm(since_at=row.since_at, until_at=row.until_at, held=len(held))

    def end(self, now: datetime, *, accept: bool) -> int:
        """End a storm; with ``accept`` whoever's mailbox was said to be gone in it is suppressed now.

        Returns:
            How many were suppressed.
        """
        with self._database.writing() as connection:
            row = _row(connection)
            if row is None or row.until_at <= now:
                return 0
            judged = {"until_at": now, "reason": _ACCEPTED if accept else _REASON}
            connection.execute(update(pauses).where(pauses.c.name == STORM).values(judged))
            clear_alarm(connection, ALARM)
            held = connection.execute(_held(row.since_at, now)).all() if accept else []
            for one in held:
                gone = Suppression(
                    reason=SuppressionReason.GONE, since_at=one.received_at, until_at=None, detail=one.status
                )
                self._suppressions.put(connection, one.subscriber_id, gone)
            return len(held)

    def rages(self, connection: Connection, now: datetime) -> bool:
        """Say whether there is a storm, in a transaction that has written the report that asks; begin one where due."""
        row = _row(connection)
        is_on = row is not None and row.until_at > now
        if row is not None and row.until_at > now + refusals.STORM_CALM - _COUNT_AGAIN:
            return True  # its measure was met within the hour: in a flood not every report is counted anew
        start = now - refusals.STORM_WINDOW
        if row is not None and not is_on:
            start = max(start, row.until_at)  # what the operator has looked at does not count again
        if not self._exceeds(connection, start, now):
            return is_on
        since = row.since_at if row is not None and is_on else start
        if not is_on:
            _keep(connection, row, now)
        values = {"since_at": since, "until_at": now + refusals.STORM_CALM, "reason": _REASON}
        statement = insert(pauses).values(name=STORM, **values)
        connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
        if not is_on:
            _take_back(connection, start)
            raise_alarm(connection, ALARM, f"{_REASON}; nobody is suppressed before you look: {_LOOK}", now)
        return True

    def tidy(self, connection: Connection, now: datetime) -> None:
        """Take the alarm back when the storm is over."""
        row = _row(connection)
        if row is None or row.until_at <= now:
            clear_alarm(connection, ALARM)

    def _exceeds(self, connection: Connection, start: datetime, now: datetime) -> bool:
        """Say whether more came back since ``start`` than from a list that is looked after."""
        recent = select(bounces.c.id).where(bounces.c.received_at > start, bounces.c.kind.in_(FAILED))
        least = refusals.storm_threshold(0)
        if _count(connection, recent, least) < least:
            return False
        threshold = refusals.storm_threshold(self._mails_of_the_day(connection, now))
        return _count(connection, recent, threshold) >= threshold

    def _mails_of_the_day(self, connection: Connection, now: datetime) -> int:
        if self._mails is None or now - self._mails[0] >= timedelta(minutes=1):  # a scan: once a minute is enough
            sent = select(func.count()).where(deliveries.c.sent_at > now - refusals.STORM_DAY)
            self._mails = (now, connection.execute(sent).scalar_one())
        return self._mails[1]


class _Row(NamedTuple):
    since_at: datetime
    until_at: datetime
    reason: str


def _row(connection: Connection) -> _Row | None:
    wanted = select(pauses.c.since_at, pauses.c.until_at, pauses.c.reason)
    row = connection.execute(wanted.where(pauses.c.name == STORM)).first()
    return _Row(*row) if row is not None else None


def _keep(connection: Connection, row: _Row | None, now: datetime) -> None:
    """Keep the storm before the one that begins for as long as days of failure count, and forget older ones."""
    is_old = pauses.c.until_at <= now - refusals.POINTS_STALE_AFTER
    connection.execute(delete(pauses).where(pauses.c.name.startswith(f"{STORM} "), is_old))
    if row is not None and row.until_at > now - refusals.POINTS_STALE_AFTER:
        before = {"name": f"{STORM} until {row.until_at.isoformat()}", **row._asdict()}
        connection.execute(insert(pauses).values(before).on_conflict_do_nothing())


def blamed_on_storms(connection: Connection, failed_at: Iterable[datetime], now: datetime) -> frozenset[datetime]:
    """Return those moments of failure that fall into a storm that is over and was not accepted."""
    is_storm = or_(pauses.c.name == STORM, pauses.c.name.startswith(f"{STORM} "))
    over = select(pauses.c.since_at, pauses.c.until_at).where(
        is_storm, pauses.c.until_at <= now, pauses.c.reason != _ACCEPTED
    )
    spans = connection.execute(over).all()
    return frozenset(one for one in failed_at if any(span.since_at < one <= span.until_at for span in spans))


def _take_back(connection: Connection, start: datetime) -> None:
    """Lift what was suppressed while the storm rose, but for what people said themselves."""
    of_mailboxes = (SuppressionReason.GONE.value, SuppressionReason.SUSPENDED.value)
    early = (suppressions.c.since_at >= start, suppressions.c.reason.in_(of_mailboxes))
    connection.execute(delete(suppressions).where(*early))


def _held(since: datetime, now: datetime) -> Select[tuple[int, datetime, str]]:
    """Select whose mailbox was said to be gone since then and is not suppressed, and when it was said last."""
    holds = or_(suppressions.c.until_at.is_(None), suppressions.c.until_at > now)
    suppressed = exists().where(suppressions.c.subscriber_id == bounces.c.subscriber_id, holds)
    newest = func.max(bounces.c.received_at, type_=bounces.c.received_at.type).label("received_at")
    return (
        select(bounces.c.subscriber_id, newest, func.max(bounces.c.status).label("status"))
        .select_from(REPORTED)
        .where(bounces.c.kind == BounceKind.GONE.value, bounces.c.received_at >= since, ~suppressed, about_present())
        .group_by(bounces.c.subscriber_id)
    )


def _count(connection: Connection, rows: Select[tuple[int]], limit: int) -> int:
    return connection.execute(select(func.count()).select_from(rows.limit(limit).subquery())).scalar_one()
