"""Reports about deliveries in the database, and what follows from them: once per delivery and kind.

What names no delivery (a wish to be unsubscribed, some complaints) is known by the mark of its message: read again, it
counts for nothing, whatever an operator or the reader has decided since.

What is said of mail to an earlier address of a subscriber is written down and counts for a storm, but never against the
address they have now.

The score of a mailbox is not stored but counted: the days on which mail to it failed (`refusals.points`), since the
last mail that arrived. A mail has arrived when it was accepted and nothing came back for `refusals.BELIEVED_AFTER`; a
failure of a mail that was accepted afterwards (a greylisted one) counts for nothing, and so do those in a storm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Select, exists, false, func, select, update
from sqlalchemy.dialects.sqlite import insert

from paperdigest import refusals
from paperdigest.logs import masked
from paperdigest.refusals import Consequence
from paperdigest.store.addressees import REPORTED, about_present, went_to
from paperdigest.store.alarming import clear_alarm, raise_alarm
from paperdigest.store.delivery_tables import deliveries, digests, subscribers
from paperdigest.store.engine import Database
from paperdigest.store.operation_tables import bounces, suppressions
from paperdigest.store.storms import FAILED, Storms, blamed_on_storms
from paperdigest.store.suppressions import Suppression, Suppressions, harmless
from paperdigest.types import BounceKind, DeliveryState, SubscriberStatus, SuppressionReason

__all__ = ["REFUSED", "Bounces", "Filed"]

REFUSED = "mail refused"
"""The name of the alarm that mail servers do not want our mail."""

_CALM = timedelta(days=1)
_UNSUBSCRIBED = "unsubscribed"
"""What a row without a delivery says that was a wish to be unsubscribed, beside the members of `BounceKind`."""
_DELIVERED = deliveries.join(digests, digests.c.id == deliveries.c.digest_id).join(
    subscribers, subscribers.c.id == digests.c.subscriber_id
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """What became of a report; ``is_new`` is False when it had been read before, ``is_known`` when nobody has it."""

    consequence: Consequence = Consequence.NOTHING
    is_new: bool = True
    is_known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Report:
    """A report about a subscriber's delivery, on its way into the database."""

    subscriber_id: int
    delivery_id: int | None
    sent_at: datetime | None
    kind: BounceKind
    status: str | None
    detail: str | None
    now: datetime
    address: str = ""
    """Where the mail went, and below whether that is the subscriber's address still."""
    is_present: bool = True


class Bounces:
    """The reports of one database. Every method may raise StoreError; ``now`` is aware UTC.

    Args:
        database: where they are.
        secrets: for the hashes of suppressed addresses; the first makes them, all are known.
    """

    def __init__(self, database: Database, secrets: Sequence[bytes]) -> None:
        self._database = database
        self.suppressions = Suppressions(database, secrets)
        self.storms = Storms(database, self.suppressions)

    def record(
        self, delivery_id: int, kind: BounceKind, *, status: str | None = None, detail: str | None = None, now: datetime
    ) -> Filed:
        """Write a report about a delivery down, and what follows from it, in one transaction."""
        if kind is BounceKind.DELAYED:
            return Filed()
        wanted = (
            select(digests.c.subscriber_id, deliveries.c.sent_at, went_to().label("address"), subscribers.c.email)
            .select_from(_DELIVERED)
            .where(deliveries.c.id == delivery_id)
        )
        with self._database.writing() as connection:
            row = connection.execute(wanted).first()
            if row is None:
                return Filed(is_known=False)
            report = _Report(
                subscriber_id=row.subscriber_id,
                delivery_id=delivery_id,
                sent_at=row.sent_at,
                kind=kind,
                status=status,
                detail=harmless(detail),
                now=now,
                address=row.address,
                is_present=row.address.lower() == row.email.lower(),
            )
            if not _put(connection, report):
                return Filed(is_new=False)
            return Filed(consequence=self._follow(connection, report))

    def complained(self, subscriber_id: int, *, message: str, now: datetime) -> Filed:
        """Write down that a subscriber called our mail spam, when it is not known which one.

        Args:
            subscriber_id: who.
            message: the mark of the message that says so (`bounces.reading.Reading.mark`).
            now: the moment.
        """
        with self._database.writing() as connection:
            email = connection.execute(select(subscribers.c.email).where(subscribers.c.id == subscriber_id)).scalar()
            if email is None:
                return Filed(is_known=False)
            is_heard = _heard(connection, subscriber_id, BounceKind.COMPLAINT.value, message, now)
            before = self.suppressions.found(connection, email)
            if is_heard or (before is not None and before.reason is SuppressionReason.COMPLAINT):
                return Filed(is_new=False)
            report = _Report(
                subscriber_id=subscriber_id,
                delivery_id=None,
                sent_at=None,
                kind=BounceKind.COMPLAINT,
                status=None,
                detail=None,
                now=now,
            )
            return Filed(consequence=self._follow(connection, report))

    def address_of(self, delivery_id: int) -> str | None:
        """Return the address that a delivery went to; None when its subscriber was removed."""
        wanted = select(went_to()).select_from(_DELIVERED).where(deliveries.c.id == delivery_id)
        with self._database.reading() as connection:
            return connection.execute(wanted).scalar()

    def subscriber_of(self, delivery_id: int) -> int | None:
        """Return the number of the subscriber that a delivery goes to; None when they were removed."""
        wanted = select(digests.c.subscriber_id).join(deliveries, deliveries.c.digest_id == digests.c.id)
        with self._database.reading() as connection:
            return connection.execute(wanted.where(deliveries.c.id == delivery_id)).scalar()

    def unsubscribe(self, subscriber_id: int, *, message: str | None = None, now: datetime) -> Filed:
        """End a subscription at the subscriber's word.

        Args:
            subscriber_id: whose.
            message: the mark of the message that says so; one that was heard before ends no subscription again.
            now: the moment.
        """
        with self._database.writing() as connection:
            known = select(subscribers.c.id).where(subscribers.c.id == subscriber_id)
            if connection.execute(known).first() is None:
                return Filed(is_known=False)
            if message is not None and _heard(connection, subscriber_id, _UNSUBSCRIBED, message, now):
                return Filed(is_new=False)
            return Filed(consequence=Consequence.UNSUBSCRIBE, is_new=_unsubscribe(connection, subscriber_id))

    def tidy(self, now: datetime) -> None:
        """Take back the alarms whose trouble is over."""
        refused = select(bounces.c.id).where(
            bounces.c.received_at > now - _CALM, bounces.c.kind == BounceKind.SENDER.value
        )
        with self._database.writing() as connection:
            self.storms.tidy(connection, now)
            if connection.execute(refused.limit(1)).first() is None:
                clear_alarm(connection, REFUSED)

    def _follow(self, connection: Connection, report: _Report) -> Consequence:
        """Do what follows from a report."""
        storm = report.kind.value in FAILED and self.storms.rages(connection, report.now)
        if not report.is_present and report.kind is not BounceKind.SENDER:
            if report.kind is BounceKind.COMPLAINT:  # whoever reads mail there wants no more of it
                complaint = Suppression(
                    reason=SuppressionReason.COMPLAINT, since_at=report.now, until_at=None, detail=report.status
                )
                self.suppressions.put_address(connection, report.address, complaint)
            return Consequence.NOTHING
        days, probing = _standing(connection, report) if report.kind is BounceKind.MAILBOX else (0, False)
        done = refusals.consequence(report.kind, days=days, probing=probing, storm=storm)
        if done is Consequence.TELL:
            said = f"a mail server does not want our mail: {masked(report.detail or '') or report.status}"
            raise_alarm(connection, REFUSED, said, report.now)
        if done is Consequence.UNSUBSCRIBE:
            _unsubscribe(connection, report.subscriber_id)
        reason = {
            Consequence.SUPPRESS: SuppressionReason.GONE,
            Consequence.SUSPEND: SuppressionReason.SUSPENDED,
            Consequence.UNSUBSCRIBE: SuppressionReason.COMPLAINT,
        }.get(done)
        if reason is not None:
            until = report.now + refusals.PROBE_AFTER if reason is SuppressionReason.SUSPENDED else None
            self.suppressions.put(
                connection,
                report.subscriber_id,
                Suppression(reason=reason, since_at=report.now, until_at=until, detail=report.status),
            )
        return done


def _put(connection: Connection, report: _Report) -> bool:
    """Insert a report; False when it was there.

    One of before the mail was accepted (a server that wanted us to wait) gives way to one of after it.
    """
    values = {"received_at": report.now, "status": report.status, "detail": report.detail}
    statement = insert(bounces).values(
        subscriber_id=report.subscriber_id, delivery_id=report.delivery_id, kind=report.kind.value, **values
    )
    was_waiting = (
        bounces.c.received_at < report.sent_at
        if report.sent_at is not None and report.sent_at <= report.now
        else false()
    )
    changed = statement.on_conflict_do_update(index_elements=["delivery_id", "kind"], set_=values, where=was_waiting)
    return connection.execute(changed).rowcount == 1


def _heard(connection: Connection, subscriber_id: int, kind: str, message: str, now: datetime) -> bool:
    """Say whether a message was taken in before, and remember it."""
    row = {"subscriber_id": subscriber_id, "kind": kind, "detail": message}
    same = [bounces.c[name] == value for name, value in row.items()]
    if connection.execute(select(bounces.c.id).where(*same, bounces.c.delivery_id.is_(None))).first() is not None:
        return True
    connection.execute(insert(bounces).values(received_at=now, **row))
    return False


def _unsubscribe(connection: Connection, subscriber_id: int) -> bool:
    """End a subscription; False when it was over."""
    ended = SubscriberStatus.UNSUBSCRIBED.value
    is_theirs = subscribers.c.id == subscriber_id
    changed = update(subscribers).where(is_theirs, subscribers.c.status != ended).values(status=ended)
    return connection.execute(changed).rowcount == 1


def _standing(connection: Connection, report: _Report) -> tuple[int, bool]:
    """Return on how many days the reported mailbox has failed, and whether the mail tried a suspended one again."""
    arrived_at = connection.execute(_arrived(report)).scalar()
    of_old = bounces.c.received_at > report.now - refusals.POINTS_STALE_AFTER
    failures = (
        select(bounces.c.received_at, deliveries.c.sent_at)
        .select_from(REPORTED)
        .where(bounces.c.subscriber_id == report.subscriber_id, bounces.c.kind == BounceKind.MAILBOX.value)
        .where(of_old, about_present())
    )
    failed = [
        row.received_at
        for row in connection.execute(failures)
        if (row.sent_at is None or row.sent_at <= row.received_at)
        and (arrived_at is None or (row.sent_at or row.received_at) > arrived_at)
    ]
    rested = select(suppressions.c.until_at).where(
        suppressions.c.subscriber_id == report.subscriber_id,
        suppressions.c.reason == SuppressionReason.SUSPENDED.value,
        suppressions.c.until_at <= report.now,
    )
    until = connection.execute(rested).scalar()
    forgiven = blamed_on_storms(connection, failed, report.now)
    failed = [one for one in failed if one not in forgiven]
    return refusals.points(failed, report.now), until is not None and (arrived_at is None or arrived_at < until)


def _arrived(report: _Report) -> Select[tuple[datetime]]:
    """Select when the newest mail was sent that has arrived by all we know."""
    came_back = exists().where(
        bounces.c.delivery_id == deliveries.c.id,
        bounces.c.kind.in_(FAILED),
        bounces.c.received_at >= deliveries.c.sent_at,
    )
    return (
        select(func.max(deliveries.c.sent_at, type_=deliveries.c.sent_at.type))
        .join(digests, digests.c.id == deliveries.c.digest_id)
        .where(
            digests.c.subscriber_id == report.subscriber_id,
            deliveries.c.state == DeliveryState.SENT.value,
            deliveries.c.sent_at <= report.now - refusals.BELIEVED_AFTER,
            ~came_back,
        )
    )
