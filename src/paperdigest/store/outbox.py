"""What an operator asks the ledger, and may tell it: what waits, what is in doubt, what to try again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, literal_column, or_, select, update

from paperdigest.errors import NotFoundError
from paperdigest.store.delivery_tables import attempts, deliveries, digest_items, digests, letters
from paperdigest.store.engine import Database
from paperdigest.store.ledger import MAX_DOUBTFUL, Ledger, load_deliveries
from paperdigest.store.pauses import Pause, Pauses
from paperdigest.store.queued import Queued, queued
from paperdigest.store.tables import from_stored, to_stored
from paperdigest.types import Delivery, DeliveryState, MailPhase

__all__ = ["Arrived", "Attempt", "Doubt", "Item", "Outbox", "Overview", "Retried"]

_UNWANTED = """
SELECT v.id FROM deliveries v JOIN digests d ON d.id = v.digest_id JOIN subscribers s ON s.id = d.subscriber_id
WHERE v.id IN (SELECT value FROM json_each(?1)) AND (s.status <> 'active' OR EXISTS (
  SELECT 1 FROM suppressions x WHERE x.subscriber_id = s.id AND (x.until_at IS NULL OR x.until_at > ?2)))
"""

_OF_A_MAIL = tuple(one.value for one in (MailPhase.RCPT, MailPhase.DATA, MailPhase.BODY, MailPhase.DOT))

_UNDER_WAY = (DeliveryState.LEASED, DeliveryState.SENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What became of one attempt that did not simply succeed."""

    number: int
    ended_at: datetime
    state: DeliveryState
    phase: MailPhase | None = None
    code: int | None = None
    status: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A delivery in doubt: ``times`` it may have arrived, the last time at ``since_at``."""

    delivery: Delivery
    times: int
    since_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One paper of a digest, as it was planned."""

    position: int
    paper: str
    placement: str
    score: float | None
    topic: str | None
    version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """How many deliveries are in each state; of those that wait, how many are due, and when the oldest was composed.

    ``waiting`` says of those that were tried before or are due only after a while, for what they wait (`queued`).
    """

    counts: Mapping[str, int]
    due: int
    oldest_at: datetime | None
    pauses: tuple[Pause, ...]
    waiting: tuple[Queued, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """Which deliveries will be tried again, and which not, with the reason.

    ``left_out`` counts those of a whole state whose subscribers get no mail.
    """

    retried: tuple[int, ...] = ()
    refused: tuple[tuple[int, str], ...] = ()
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """Which deliveries in doubt count as sent now, and which others were named, with the reason why they do not."""

    arrived: tuple[int, ...] = ()
    refused: tuple[tuple[int, str], ...] = ()


class Outbox:
    """The operator's view of the ledger. Every method may raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database, self._ledger = database, Ledger(database)

    def overview(self, now: datetime) -> Overview:
        """Return how things stand."""
        waiting = [_is(state) for state in (DeliveryState.PLANNED, DeliveryState.DEFERRED)]
        oldest = select(func.min(digests.c.composed_at)).join(deliveries, deliveries.c.digest_id == digests.c.id)
        counts, due = self._ledger.counts(), self._ledger.waiting(now)
        with self._database.reading() as connection:
            oldest_at = connection.execute(oldest.where(or_(*waiting))).scalar()
        pauses = Pauses(self._database).open(now)
        waiting_for = queued(self._database, now, pauses)
        return Overview(counts=counts, due=due, oldest_at=oldest_at, pauses=pauses, waiting=waiting_for)

    def get(self, number: int) -> Delivery:
        """Return one delivery.

        Raises:
            NotFoundError: there is none of that number.
        """
        with self._database.reading() as connection:
            return _one(connection, number)

    def attempts(self, number: int) -> tuple[Attempt, ...]:
        """Return the attempts of a delivery that did not simply succeed, in order."""
        wanted = select(attempts).where(attempts.c.delivery_id == number).order_by(attempts.c.number)
        with self._database.reading() as connection:
            return tuple(_attempt(row) for row in connection.execute(wanted).mappings())

    def items(self, number: int) -> tuple[Item, ...]:
        """Return the papers of a delivery's digest, in their order."""
        wanted = (
            select(digest_items)
            .join(deliveries, deliveries.c.digest_id == digest_items.c.digest_id)
            .where(deliveries.c.id == number)
            .order_by(digest_items.c.position)
        )
        with self._database.reading() as connection:
            rows = connection.execute(wanted).mappings().all()
        columns = ("position", "placement", "score", "topic", "version")
        return tuple(Item(paper=row["paper_key"], **{name: row[name] for name in columns}) for row in rows)

    def doubtful(self) -> tuple[Doubt, ...]:
        """Return what is in doubt, the oldest doubt first."""
        doubt = and_(attempts.c.delivery_id == deliveries.c.id, attempts.c.state == DeliveryState.IN_DOUBT.value)
        wanted = (
            select(deliveries.c.id, func.count(attempts.c.number), func.max(attempts.c.ended_at))
            .outerjoin(attempts, doubt)
            .where(_is(DeliveryState.IN_DOUBT))
            .group_by(deliveries.c.id)
            .order_by(func.max(attempts.c.ended_at), deliveries.c.id)
        )
        with self._database.reading() as connection:
            rows = connection.execute(wanted).all()
            found = {one.id: one for one in load_deliveries(connection, [row[0] for row in rows])}
        return tuple(
            Doubt(delivery=found[number], times=times, since_at=_moment(since))
            for number, times, since in rows
            if number in found
        )

    def given_up(self, limit: int) -> tuple[Delivery, ...]:
        """Return what failed or expired, the newest edition first, so many at most."""
        wanted = (
            select(deliveries.c.id)
            .join(digests, digests.c.id == deliveries.c.digest_id)
            .where(or_(_is(DeliveryState.FAILED), _is(DeliveryState.EXPIRED)))
            .order_by(digests.c.edition.desc(), deliveries.c.id.desc())
            .limit(limit)
        )
        with self._database.reading() as connection:
            numbers = connection.execute(wanted).scalars().all()
            found = {one.id: one for one in load_deliveries(connection, numbers)}
        return tuple(found[number] for number in numbers if number in found)

    def arrived(self, numbers: Sequence[int], *, now: datetime) -> Arrived:
        """Take deliveries in doubt for sent, at the moment of their last doubt: somebody has asked, and they came.

        Raises:
            NotFoundError: there is none of one of the numbers; nothing is changed then.
        """
        last = select(func.max(attempts.c.ended_at)).where(attempts.c.delivery_id == deliveries.c.id).scalar_subquery()
        sent = update(deliveries).values(state=DeliveryState.SENT.value, sent_at=func.coalesce(last, now))
        arrived: list[int] = []
        refused: list[tuple[int, str]] = []
        with self._database.writing() as connection:
            for number in dict.fromkeys(numbers):
                found = _one(connection, number)
                if found.state is not DeliveryState.IN_DOUBT:
                    refused.append((number, f"is not in doubt, but {found.state.value}"))
                    continue
                connection.execute(sent.where(deliveries.c.id == number))
                connection.execute(delete(letters).where(letters.c.delivery_id == number))
                arrived.append(number)
        return Arrived(arrived=tuple(arrived), refused=tuple(refused))

    def hasten(self, *, now: datetime) -> int:
        """Let be tried at once what was put off because of us or our server, and return how many deliveries that are.

        What a recipient's server wants later (4xx about one mail) keeps its time.
        """
        put_off = or_(_is(DeliveryState.PLANNED), _is(DeliveryState.DEFERRED))
        theirs = and_(deliveries.c.code.between(400, 499), deliveries.c.phase.in_(_OF_A_MAIL))
        at_once = update(deliveries).values(next_attempt_at=now).returning(deliveries.c.id)
        later = deliveries.c.next_attempt_at > now
        with self._database.writing() as connection:
            hastened = connection.execute(
                at_once.where(put_off, later, func.coalesce(theirs, literal_column("0")) == 0)
            )
            return len(hastened.all())

    def is_to_be_resent(self, doubt: Doubt, now: datetime) -> bool:
        """Say whether a delivery in doubt will be sent again where doubts are (``on_in_doubt = resend``)."""
        expires_at = doubt.delivery.expires_at
        return doubt.times < MAX_DOUBTFUL and (expires_at is None or expires_at > now)

    def retry(self, numbers: Sequence[int], *, now: datetime, expires_at: datetime) -> Retried:
        """Let deliveries be tried at once, even those given up: ``deferred``, or ``planned`` if never tried.

        What was sent is refused, and so is what is being delivered at the moment, or would go to somebody who gets no
        mail. A digest that was given up may have been followed by one with the same papers.

        Args:
            numbers: which deliveries.
            now: the moment.
            expires_at: when to give up those whose time is over.

        Raises:
            NotFoundError: there is none of one of the numbers; nothing is changed then.
        """
        again = update(deliveries).values(
            state=literal_column("iif(attempts = 0, 'planned', 'deferred')"),
            next_attempt_at=now,
            expires_at=func.max(deliveries.c.expires_at, expires_at),
        )
        retried: list[int] = []
        refused: list[tuple[int, str]] = []
        with self._database.writing() as connection:
            unwanted = _unwanted(connection, numbers, now)
            for number in dict.fromkeys(numbers):
                if (reason := _refusal(_one(connection, number), is_unwanted=number in unwanted)) is not None:
                    refused.append((number, reason))
                    continue
                connection.execute(again.where(deliveries.c.id == number))
                retried.append(number)
        return Retried(retried=tuple(retried), refused=tuple(refused))

    def in_state(self, state: DeliveryState, now: datetime) -> tuple[tuple[int, ...], int]:
        """Return the deliveries in a state whose subscribers get mail, and how many others there are."""
        with self._database.reading() as connection:
            wanted = select(deliveries.c.id).where(_is(state)).order_by(deliveries.c.id)
            numbers = connection.execute(wanted).scalars().all()
            unwanted = _unwanted(connection, numbers, now)
        return tuple(number for number in numbers if number not in unwanted), len(unwanted)


def _unwanted(connection: Connection, numbers: Sequence[int], now: datetime) -> frozenset[int]:
    """Return which deliveries go to somebody who is not active, or whose address is suppressed."""
    parameters = (json.dumps(list(numbers)), to_stored(now))
    return frozenset(connection.exec_driver_sql(_UNWANTED, parameters).scalars())


def _refusal(delivery: Delivery, *, is_unwanted: bool) -> str | None:
    if delivery.state is DeliveryState.SENT:
        when = f" at {delivery.sent_at:%Y-%m-%d %H:%M:%SZ}" if delivery.sent_at else ""
        return f"was sent{when}; it is never sent twice"
    if delivery.state in _UNDER_WAY:
        return "is being delivered at the moment"
    if is_unwanted:
        return f"goes to nobody: {delivery.email} is not active, or suppressed (see `subscriber show`)"
    return None


def _one(connection: Connection, number: int) -> Delivery:
    found = load_deliveries(connection, [number])
    if not found:
        raise NotFoundError("delivery", str(number), "See `paperdigest outbox doubt`, or `paperdigest outbox failed`")
    return found[0]


def _attempt(row: Mapping[Any, Any]) -> Attempt:
    return Attempt(
        number=row["number"],
        ended_at=row["ended_at"],
        state=DeliveryState(row["state"]),
        phase=MailPhase(row["phase"]) if row["phase"] else None,
        code=row["code"],
        status=row["status"],
        detail=row["detail"],
    )


def _moment(value: datetime | str | None) -> datetime | None:
    return from_stored(value) if isinstance(value, str) else value


def _is(state: DeliveryState) -> Any:
    return deliveries.c.state == literal_column(f"'{state.value}'")
