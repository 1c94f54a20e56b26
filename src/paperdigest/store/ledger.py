"""The delivery ledger: who may deliver which digest now, and what became of it.

::

    planned, deferred --claim--> leased --mark_sending--> sending --settle--> sent | deferred | failed | in_doubt
    leased --settle--> deferred | failed | skipped          planned, deferred --expire--> expired
    leased --release--> deferred (untried)
    lease over:  leased -> planned (nothing was sent)       sending -> in_doubt (it may have been)
    in_doubt --by policy--> deferred (resend) | sent (assume_sent) | in_doubt (hold, or tried often enough)

A claim raises the row's epoch, and every later change names it: whoever was paused beyond the lease
changes nothing any more. A settled row never leaves its state.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Update,
    and_,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from paperdigest.store.delivery_tables import deliveries, digests, letters, subscribers
from paperdigest.store.engine import Database
from paperdigest.types import Delivery, DeliveryState

__all__ = ["Claim", "Ledger"]

LEASE = timedelta(minutes=5)
"""Longer than a message may take; whoever needs more is taken for dead."""

MAX_DOUBTFUL = 3
"""A mail that may have been accepted is not sent again after this many attempts."""

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

    def recover(self, now: datetime, *, on_in_doubt: str, wait: Callable[[int], timedelta]) -> int:
        """Take back what was left by whoever died, and return how many deliveries came into doubt.

        Args:
            now: leases that end by then are over.
            on_in_doubt: ``resend``, ``hold`` or ``assume_sent``.
            wait: how long to wait with the next attempt after so many.
        """
        over = deliveries.c.lease_until <= now
        after = _AFTER_DOUBT[on_in_doubt]
        sent_at = now if after is DeliveryState.SENT else None
        with self._database.writing() as connection:
            connection.execute(_set(DeliveryState.PLANNED, lease_until=None).where(_is(DeliveryState.LEASED), over))
            stopped = select(deliveries.c.id, deliveries.c.attempts, deliveries.c.lease_until)
            came = connection.execute(stopped.where(_is(DeliveryState.SENDING), over)).all()
            for row in came:
                values = {"next_attempt_at": row.lease_until + wait(row.attempts), "lease_until": None}
                doubtful = _set(DeliveryState.IN_DOUBT, detail="stopped after the final dot", **values)
                connection.execute(doubtful.where(deliveries.c.id == row.id))
            decided = _set(after, sent_at=sent_at).where(_is(DeliveryState.IN_DOUBT))
            if after is DeliveryState.DEFERRED:  # a server that drops the line after each mail floods nobody
                decided = decided.where(deliveries.c.attempts < MAX_DOUBTFUL)
            if after is not DeliveryState.IN_DOUBT:
                connection.execute(decided)
            return len(came)

    def expire(self, now: datetime) -> int:
        """Give up what could not be delivered in time, and return how many deliveries that were."""
        late = or_(*(_is(state) for state in _WAITING))
        given_up = _set(DeliveryState.EXPIRED).where(late, deliveries.c.expires_at <= now).returning(deliveries.c.id)
        with self._database.writing() as connection:
            numbers = connection.execute(given_up).scalars().all()
            connection.execute(delete(letters).where(letters.c.delivery_id.in_(numbers)))
            return len(numbers)

    def waiting(self, now: datetime) -> int:
        """Return how many deliveries are due: a run at this moment would try them."""
        waiting = or_(*(_is(state) for state in _WAITING))
        due = select(func.count()).where(waiting, deliveries.c.next_attempt_at <= now, deliveries.c.expires_at > now)
        with self._database.reading() as connection:
            return connection.execute(due).scalar_one()

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

    def mark_sending(self, claim: Claim, letter: tuple[str, bytes], *, now: datetime) -> bool:
        """Commit that the final dot is about to be sent; False when the claim is not ours any more.

        Committed before the dot, so that after a crash it is known which mails may have been accepted; it
        also proves that the database can be written. The lease starts anew: those sent before in the same
        batch may have used it up, and while nobody has taken the row it is still ours.

        Args:
            claim: what is about to be sent.
            letter: its sender and its bytes, kept for another attempt unless one was kept before.
            now: the moment.
        """
        sender, content = letter
        change = _set(DeliveryState.SENDING, lease_until=now + LEASE).where(_ours(claim), _is(DeliveryState.LEASED))
        number = claim.delivery.id
        with self._database.writing() as connection:
            if connection.execute(change).rowcount != 1:
                return False
            if connection.execute(select(letters.c.delivery_id).where(letters.c.delivery_id == number)).first() is None:
                row = {"delivery_id": number, "sender": sender, "content": zlib.compress(content)}
                connection.execute(insert(letters).values(row))
            return True

    def letter(self, delivery_id: int) -> tuple[str, bytes] | None:
        """Return the sender and the bytes that an earlier attempt sent; None when there was none."""
        kept = select(letters.c.sender, letters.c.content).where(letters.c.delivery_id == delivery_id)
        with self._database.reading() as connection:
            row = connection.execute(kept).first()
        return None if row is None else (row.sender, zlib.decompress(row.content))

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
        is_over = state in (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.SKIPPED)
        held = or_(_is(DeliveryState.LEASED), _is(DeliveryState.SENDING))
        with self._database.writing() as connection:
            if connection.execute(_set(state, **values).where(_ours(claim), held)).rowcount != 1:
                return False
            if is_over:
                connection.execute(delete(letters).where(letters.c.delivery_id == claim.delivery.id))
            return True

    def release(self, claims: Sequence[Claim], *, next_attempt_at: datetime) -> None:
        """Give claims back untried, to be claimed again from ``next_attempt_at`` on."""
        back = _set(DeliveryState.DEFERRED, lease_until=None, lease_owner=None, next_attempt_at=next_attempt_at)
        back = back.values(attempts=deliveries.c.attempts - 1).where(_is(DeliveryState.LEASED))
        with self._database.writing() as connection:
            for claim in claims:
                connection.execute(back.where(_ours(claim)))

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


def _ours(claim: Claim) -> ColumnElement[bool]:
    return and_(deliveries.c.id == claim.delivery.id, deliveries.c.lease_epoch == claim.epoch)


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
