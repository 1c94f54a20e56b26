"""The delivery ledger: who may deliver which digest now, and what became of it.

::

    planned, deferred --claim--> leased --intend--> sending --settle--> sent | deferred | failed | in_doubt
    leased --settle--> deferred | failed | skipped          planned, deferred --expire, take over--> expired
    leased --release--> planned (never tried) | deferred
    lease over:  leased -> planned (nothing was sent)       sending -> in_doubt (it may have been)
    in_doubt --when its wait is over, by policy--> deferred (resend) | sent (assume_sent) | in_doubt (hold)
    in_doubt --settle, by the claim that brought it there--> sent | deferred | failed

A claim raises the row's epoch, and every later change names it: whoever was paused beyond the lease starts
nothing any more. A settled row never leaves its state, unless an operator says so (`Outbox.retry`). The marks of a
delivery under way (intend, settle) are made by `marks.Marks`, and a later edition takes over in `taking_over`; here is
what comes before and after.

What clocks can do. Leases are moments of the wall clock, and each change checks state and epoch in one statement
under the write lock, so no jump makes two processes send the same row at once: a row is ``leased`` to one, and
leaves ``sending`` only by its holder's word or into doubt. A jump forward ends all leases: what was not yet being
sent is claimed anew and its former holder is refused; what was being sent comes into doubt, is left alone for one
wait more, and its holder's word still counts in that time. A jump backward makes leases run for too long; those that
would run for longer than any lease are taken for over.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Update,
    delete,
    func,
    literal_column,
    or_,
    select,
    update,
)

from paperdigest.store.claims import LEASE, Claim, Recovered
from paperdigest.store.delivery_tables import deliveries, digests, letters
from paperdigest.store.engine import Database
from paperdigest.store.marking import RECORD_ATTEMPT
from paperdigest.store.tables import from_stored, to_stored
from paperdigest.types import Delivery, DeliveryState, MailPhase

__all__ = ["LEASE", "Claim", "Ledger", "load_deliveries"]

_LOG = logging.getLogger(__name__)

MAX_DOUBTFUL = 3
"""A mail that may have been accepted this often is not sent again."""

LONGEST_LEASE = timedelta(hours=1)
"""No lease runs for longer: one that would was given before the clock was set back."""

_WAITING = (DeliveryState.PLANNED, DeliveryState.DEFERRED)

_COLUMNS = """
v.id, v.digest_id, d.subscriber_id, s.email, d.edition, v.state, v.attempts, v.message_id, v.next_attempt_at,
v.expires_at, v.sent_at, v.detail, v.code, v.status, v.phase, v.content_hash, v.lease_epoch
"""

_JOINED = "deliveries v JOIN digests d ON d.id = v.digest_id JOIN subscribers s ON s.id = d.subscriber_id"

# One index per state: each half is read in order, and no further than the limit, however many are waiting.
DUE = f"""
SELECT {_COLUMNS} FROM (
  SELECT id, next_attempt_at FROM (
    SELECT id, next_attempt_at FROM deliveries
    WHERE state = 'planned' AND next_attempt_at <= :now AND expires_at > :now
    ORDER BY next_attempt_at, id LIMIT :limit)
  UNION ALL
  SELECT id, next_attempt_at FROM (
    SELECT id, next_attempt_at FROM deliveries
    WHERE state = 'deferred' AND next_attempt_at <= :now AND expires_at > :now
    ORDER BY next_attempt_at, id LIMIT :limit)
  ORDER BY next_attempt_at, id LIMIT :limit
) due CROSS JOIN deliveries v ON v.id = due.id
JOIN digests d ON d.id = v.digest_id JOIN subscribers s ON s.id = d.subscriber_id
ORDER BY due.next_attempt_at, due.id
"""  # noqa: S608  constants alone

_CLAIM = """
UPDATE deliveries SET state = 'leased', lease_owner = ?, lease_until = ?,
  lease_epoch = lease_epoch + 1, attempts = attempts + 1
WHERE id IN (SELECT value FROM json_each(?))
"""

HEARTBEATS = (
    "UPDATE deliveries SET lease_until = :until WHERE state = 'leased' AND lease_until > :now AND lease_owner = :me",
    "UPDATE deliveries SET lease_until = :until WHERE state = 'sending' AND lease_until > :now AND lease_owner = :me",
)

_DAMAGED = "UPDATE deliveries SET state = 'failed', phase = NULL, detail = 'its row is damaged' WHERE id = ?"

_RELEASE = """
UPDATE deliveries SET state = iif(attempts > 1, 'deferred', 'planned'), attempts = attempts - 1,
  next_attempt_at = ?, lease_owner = NULL, lease_until = NULL
WHERE id = ? AND lease_epoch = ? AND state = 'leased'
"""

_OVER = "(lease_until <= :now OR lease_until > :never)"

_BACK = f"""
UPDATE deliveries SET state = 'planned', lease_owner = NULL, lease_until = NULL WHERE state = 'leased' AND {_OVER}
"""  # noqa: S608  constants alone

_STOPPED = f"SELECT id, CAST(attempts AS INTEGER) FROM deliveries WHERE state = 'sending' AND {_OVER}"  # noqa: S608  constants alone

_DOUBT = """
UPDATE deliveries SET state = 'in_doubt', lease_owner = NULL, lease_until = NULL, next_attempt_at = ?,
  phase = 'dot', code = NULL, status = NULL, detail = ?
WHERE id = ?
"""

_RESEND = """
UPDATE deliveries SET state = 'deferred'
WHERE state = 'in_doubt' AND next_attempt_at <= :now AND expires_at > :now
  AND (SELECT count(*) FROM attempts a WHERE a.delivery_id = deliveries.id AND a.state = 'in_doubt') < :doubts
"""

_ASSUME = """
UPDATE deliveries SET state = 'sent', sent_at = :now WHERE state = 'in_doubt' AND next_attempt_at <= :now RETURNING id
"""

_PRUNE = """
DELETE FROM attempts WHERE ended_at < ?
  AND delivery_id IN (SELECT id FROM deliveries WHERE state IN ('sent', 'failed', 'expired', 'skipped'))
"""

_STOPPED_DETAIL = "the program stopped after the final dot, before the answer was written down"


class Ledger:
    """The deliveries of one database. Every method may raise StoreError; ``now`` is aware UTC."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recover(self, now: datetime, *, on_in_doubt: str, wait: Callable[[int], timedelta]) -> Recovered:
        """Take back what was left by whoever died, and decide about what is in doubt.

        A doubt is decided when its wait is over: until then whoever sent the mail may still say what became of it.

        Args:
            now: leases that end by then are over.
            on_in_doubt: ``resend`` (unless expired, or in doubt for the third time), ``hold`` or ``assume_sent``.
            wait: how long to wait with the next attempt after so many.
        """
        if on_in_doubt not in ("resend", "hold", "assume_sent"):
            raise ValueError(f"on_in_doubt is resend, hold or assume_sent, not {on_in_doubt!r}")
        moments = {"now": to_stored(now), "never": to_stored(now + LONGEST_LEASE)}
        with self._database.recording() as cursor:
            planned = cursor.execute(_BACK, moments).rowcount
            stopped = cursor.execute(_STOPPED, moments).fetchall()
            _into_doubt(cursor, stopped, now, wait)
            resending, assumed = _decide(cursor, on_in_doubt, moments["now"])
        return Recovered(planned=planned, in_doubt=len(stopped), resending=resending, assumed=assumed)

    def expire(self, now: datetime) -> int:
        """Give up what could not be delivered in time, and return how many deliveries that were.

        Their papers count as unseen from now on and may come again. That holds even for one that was once in doubt
        and then refused: a paper may be shown twice, never lost.
        """
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

    def claim(
        self,
        now: datetime,
        *,
        owner: str,
        limit: int = 50,
        lease: timedelta = LEASE,
        damaged: Callable[[int], object] = lambda _: None,
    ) -> tuple[Claim, ...]:
        """Claim up to ``limit`` deliveries that are due, the longest waiting first; nobody else gets them.

        Args:
            now: the moment.
            owner: names this run, and no other (`claims.new_owner`).
            limit: how many at most.
            lease: how long the claims hold without a heartbeat.
            damaged: told the number of each delivery that is failed, because its row cannot be read.
        """
        until = now + lease
        moment = to_stored(until)
        with self._database.recording() as cursor:
            rows = cursor.execute(DUE, {"now": to_stored(now), "limit": limit}).fetchall()
            claims = [claim for row in rows if (claim := _claim(row, until)) is not None]
            cursor.execute(_CLAIM, (owner, moment, json.dumps([claim.delivery.id for claim in claims])))
            spoilt = {row[0] for row in rows} - {claim.delivery.id for claim in claims}
            cursor.executemany(_DAMAGED, [(number,) for number in spoilt])
        for number in spoilt:
            damaged(number)
        return tuple(claims)

    def heartbeat(self, now: datetime, *, owner: str, lease: timedelta = LEASE) -> int:
        """Renew the leases of a run that are not over, and return how many that were. A lease that is over stays so."""
        values = {"now": to_stored(now), "until": to_stored(now + lease), "me": owner}
        with self._database.recording() as cursor:
            return sum(cursor.execute(statement, values).rowcount for statement in HEARTBEATS)

    def release(self, claims: Sequence[Claim], *, next_attempt_at: datetime) -> int:
        """Give claims back untried, to be claimed again from ``next_attempt_at`` on; return how many were ours yet."""
        moment = to_stored(next_attempt_at)
        with self._database.recording() as cursor:
            cursor.executemany(_RELEASE, [(moment, claim.delivery.id, claim.epoch) for claim in claims])
            return max(cursor.rowcount, 0)

    def letter(self, delivery_id: int) -> tuple[str, bytes] | None:
        """Return the sender and the bytes of the attempt that is in doubt; None when they were not kept."""
        kept = select(letters.c.sender, letters.c.content).where(letters.c.delivery_id == delivery_id)
        with self._database.reading() as connection:
            row = connection.execute(kept).first()
        try:
            return None if row is None else (row.sender, zlib.decompress(row.content))
        except (zlib.error, TypeError):
            _LOG.error("the kept message of delivery %d is damaged; see `paperdigest db check`", delivery_id)
            return None

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
            found = load_deliveries(connection, connection.execute(numbers).scalars().all())
        return {one.edition: one for one in found}

    def prune(self, before: datetime) -> int:
        """Forget the attempts that ended before a moment, of deliveries that are settled; return how many."""
        with self._database.recording() as cursor:
            return cursor.execute(_PRUNE, (to_stored(before),)).rowcount


def _into_doubt(
    cursor: sqlite3.Cursor, stopped: Iterable[tuple[int, int]], now: datetime, wait: Callable[[int], timedelta]
) -> None:
    moment = to_stored(now)
    for number, attempts in stopped:
        # Counted from now, not from the lease's end: it may be the clock that has jumped, and its sender alive.
        cursor.execute(_DOUBT, (to_stored(now + wait(attempts)), _STOPPED_DETAIL, number))
        cursor.execute(
            RECORD_ATTEMPT, (number, attempts, moment, "in_doubt", MailPhase.DOT.value, None, None, _STOPPED_DETAIL)
        )


def _decide(cursor: sqlite3.Cursor, on_in_doubt: str, moment: str) -> tuple[int, int]:
    if on_in_doubt == "resend":
        return cursor.execute(_RESEND, {"now": moment, "doubts": MAX_DOUBTFUL}).rowcount, 0
    if on_in_doubt == "assume_sent":
        assumed = cursor.execute(_ASSUME, {"now": moment}).fetchall()
        cursor.executemany("DELETE FROM letters WHERE delivery_id = ?", assumed)
        return 0, len(assumed)
    return 0, 0


def _set(state: DeliveryState, **values: Any) -> Update:
    return update(deliveries).values(state=state.value, **values)


def _is(state: DeliveryState) -> ColumnElement[bool]:
    # A literal, not a parameter: only then can SQLite use the partial index of that state.
    return deliveries.c.state == literal_column(f"'{state.value}'")


def load_deliveries(connection: Connection, numbers: Sequence[int]) -> tuple[Delivery, ...]:
    """Return the deliveries of those numbers, in order; what is not there, or is damaged, is left out."""
    wanted = f"SELECT {_COLUMNS} FROM {_JOINED} WHERE v.id IN (SELECT value FROM json_each(?)) ORDER BY v.id"  # noqa: S608  constants alone
    rows = connection.exec_driver_sql(wanted, (json.dumps(list(numbers)),)).all()
    return tuple(found for row in rows if (found := _read(row)) is not None)


def _claim(row: Sequence[Any], until: datetime) -> Claim | None:
    """Return the claim of a row; None when the row is damaged, which is no reason to deliver nothing to others."""
    delivery = _read(row, is_claimed=True)
    return None if delivery is None else Claim(delivery=delivery, epoch=row[16] + 1, until=until)


def _read(row: Sequence[Any], *, is_claimed: bool = False) -> Delivery | None:
    """Read a row (see `_delivery`); None when it is damaged."""
    try:
        return _delivery(row, is_claimed=is_claimed)
    except (ValueError, TypeError):
        _LOG.exception("delivery %s cannot be read: its row is damaged", row[0])
        return None


def _delivery(row: Sequence[Any], *, is_claimed: bool = False) -> Delivery:
    """Read a row of `_COLUMNS`: as it is, or as it is after the claim that read it."""
    if not (isinstance(row[3], str) and isinstance(row[7], str) and isinstance(row[16], int)):
        raise TypeError("the address or the Message-ID is no text, or the epoch no number")
    return Delivery(
        id=row[0],
        digest_id=row[1],
        subscriber_id=row[2],
        email=row[3],
        edition=date.fromisoformat(row[4]),
        state=DeliveryState.LEASED if is_claimed else DeliveryState(row[5]),
        attempts=row[6] + is_claimed,
        message_id=row[7],
        next_attempt_at=from_stored(row[8]),
        expires_at=from_stored(row[9]),
        sent_at=from_stored(row[10]) if row[10] else None,
        detail=row[11],
        code=row[12],
        status=row[13],
        phase=MailPhase(row[14]) if row[14] else None,
        content_hash=row[15],
    )
