"""The delivery ledger: who may deliver which digest now, and what became of it.

::

    planned, deferred --claim--> leased --mark_sending--> sending --settle--> sent | deferred | failed | in_doubt
    leased --settle--> deferred | failed | skipped          planned, deferred --expire--> expired
    leased --release--> deferred (untried)
    lease over:  leased -> planned (nothing was sent)       sending -> in_doubt (it may have been)
    in_doubt --by policy--> deferred (resend) | sent (assume_sent) | in_doubt (hold)

A claim raises the row's epoch, and every later change names it: whoever was paused beyond the lease
changes nothing any more. A settled row never leaves its state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Update, and_, func, literal_column, or_, select, update

from paperdigest.store.delivery_tables import deliveries, digests, subscribers
from paperdigest.store.engine import Database
from paperdigest.types import Delivery, DeliveryState

__all__ = ["Claim", "Ledger"]

LEASE = timedelta(minutes=5)
"""Longer than a message may take; whoever needs more is taken for dead."""

_WAITING = (DeliveryState.PLANNED, DeliveryState.DEFERRED)
_AFTER_DOUBT = {"resend": DeliveryState.DEFERRED, "assume_sent": DeliveryState.SENT, "hold": DeliveryState.IN_DOUBT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to deliver one digest until ``until``; ``epoch`` proves it."""

    delivery: Delivery
    epoch: int
    until: datetime


class Ledger:
    """The deliveries of one database. Every method may raise StoreError; ``now`` is aware UTC."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recover(self, now: datetime, *, on_in_doubt: str) -> int:
        """Take back what was left by whoever died, and return how many deliveries came into doubt.

        Args:
            now: leases that end by then are over.
            on_in_doubt: ``resend``, ``hold`` or ``assume_sent``.
        """
        over = deliveries.c.lease_until <= now
        after = _AFTER_DOUBT[on_in_doubt]
        sent_at = now if after is DeliveryState.SENT else None
        with self._database.writing() as connection:
            connection.execute(_set(DeliveryState.PLANNED, lease_until=None).where(_is(DeliveryState.LEASED), over))
            doubtful = _set(DeliveryState.IN_DOUBT, detail="stopped after the final dot", lease_until=None)
            came = connection.execute(doubtful.where(_is(DeliveryState.SENDING), over)).rowcount
            if after is not DeliveryState.IN_DOUBT:
                connection.execute(_set(after, next_attempt_at=now, sent_at=sent_at).where(_is(DeliveryState.IN_DOUBT)))
            return came

    def expire(self, now: datetime) -> int:
        """Give up what could not be delivered in time, and return how many deliveries that were."""
        late = or_(*(_is(state) for state in _WAITING))
        with self._database.writing() as connection:
            return connection.execute(_set(DeliveryState.EXPIRED).where(late, deliveries.c.expires_at <= now)).rowcount

    def claim(self, now: datetime, *, owner: str, limit: int = 50, lease: timedelta = LEASE) -> tuple[Claim, ...]:
        """Claim up to ``limit`` deliveries that are due, the longest waiting first; nobody else gets them."""
        waiting = or_(*(_is(state) for state in _WAITING))
        due = (
            select(deliveries.c.id)
            .where(waiting, deliveries.c.next_attempt_at <= now)
            .order_by(deliveries.c.next_attempt_at, deliveries.c.id)
            .limit(limit)
        )
        until = now + lease
        claimed = (
            _set(DeliveryState.LEASED, lease_owner=owner, lease_until=until)
            .values(lease_epoch=deliveries.c.lease_epoch + 1, attempts=deliveries.c.attempts + 1)
            .where(deliveries.c.id.in_(due))
            .returning(deliveries.c.id, deliveries.c.lease_epoch)
        )
        with self._database.writing() as connection:
            epochs = {row.id: row.lease_epoch for row in connection.execute(claimed)}
            found = _load(connection, list(epochs))
        return tuple(Claim(delivery=one, epoch=epochs[one.id], until=until) for one in found)

    def mark_sending(self, claim: Claim) -> bool:
        """Commit that the final dot is about to be sent; False when the claim is not ours any more.

        Committed before the dot, so that after a crash it is known which mails may have been accepted; it
        also proves that the database can be written.
        """
        return self._change(claim, (DeliveryState.LEASED,), _set(DeliveryState.SENDING))

    def settle(
        self,
        claim: Claim,
        state: DeliveryState,
        *,
        now: datetime,
        detail: str | None = None,
        code: int | None = None,
        next_attempt_at: datetime | None = None,
    ) -> bool:
        """Write down the outcome of an attempt; False when the claim is not ours any more."""
        values: dict[str, Any] = {"detail": detail, "code": code, "lease_until": None, "lease_owner": None}
        if state is DeliveryState.SENT:
            values["sent_at"] = now
        if next_attempt_at is not None:
            values["next_attempt_at"] = next_attempt_at
        return self._change(claim, (DeliveryState.LEASED, DeliveryState.SENDING), _set(state, **values))

    def release(self, claims: Sequence[Claim], *, next_attempt_at: datetime) -> None:
        """Give claims back untried, to be claimed again from ``next_attempt_at`` on."""
        for claim in claims:
            back = _set(DeliveryState.DEFERRED, lease_until=None, lease_owner=None, next_attempt_at=next_attempt_at)
            self._change(claim, (DeliveryState.LEASED,), back.values(attempts=deliveries.c.attempts - 1))

    def counts(self) -> dict[str, int]:
        """Return how many deliveries are in each state."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(deliveries.c.state, func.count().label("number")).group_by(deliveries.c.state)
            ).all()
        found = {row.state: row.number for row in rows}
        return {state.value: found.get(state.value, 0) for state in DeliveryState}

    def of(self, subscriber_id: int) -> Mapping[date, Delivery]:
        """Return a subscriber's deliveries by edition."""
        numbers = select(deliveries.c.id).join(digests).where(digests.c.subscriber_id == subscriber_id)
        with self._database.reading() as connection:
            return {one.edition: one for one in _load(connection, connection.execute(numbers).scalars().all())}

    def _change(self, claim: Claim, states: tuple[DeliveryState, ...], change: Update) -> bool:
        ours = and_(deliveries.c.id == claim.delivery.id, deliveries.c.lease_epoch == claim.epoch)
        with self._database.writing() as connection:
            return connection.execute(change.where(ours, or_(*(_is(state) for state in states)))).rowcount == 1


def _set(state: DeliveryState, **values: Any) -> Update:
    return update(deliveries).values(state=state.value, **values)


def _is(state: DeliveryState) -> ColumnElement[bool]:
    # A literal, not a parameter: only then can SQLite use the partial index of that state.
    return deliveries.c.state == literal_column(f"'{state.value}'")


def _load(connection: Connection, numbers: Sequence[int]) -> tuple[Delivery, ...]:
    wanted = (
        select(deliveries, digests.c.edition, digests.c.subscriber_id, subscribers.c.email)
        .join(digests, digests.c.id == deliveries.c.digest_id)
        .join(subscribers, subscribers.c.id == digests.c.subscriber_id)
        .where(deliveries.c.id.in_(numbers))
        .order_by(deliveries.c.next_attempt_at, deliveries.c.id)
    )
    return tuple(
        Delivery(
            id=row["id"],
            digest_id=row["digest_id"],
            subscriber_id=row["subscriber_id"],
            email=row["email"],
            edition=row["edition"],
            state=DeliveryState(row["state"]),
            attempts=row["attempts"],
            message_id=row["message_id"],
            next_attempt_at=row["next_attempt_at"],
            expires_at=row["expires_at"],
            sent_at=row["sent_at"],
            detail=row["detail"],
        )
        for row in connection.execute(wanted).mappings()
    )
