"""Marks of deliveries under way, by one writer for many senders: group commit, durable before anybody goes on.

While a commit is under way marks queue; the next one takes all that are waiting. So a commit's flush to the disk is
shared by all lanes, and `synchronous = FULL` (a mark survives a power cut) costs little. First in, first out: what a
lane settles is durable no later than its next intent.

A commit that fails (no space, read-only, locked for too long) fails every intent in it, so nobody sends a final dot
that is not written down. Outcomes are tried again for a while: they cannot be had twice. The writer lives on.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from paperdigest.errors import StoreError
from paperdigest.failpoints import failpoint
from paperdigest.store.claims import LEASE, Claim, Intent, Outcome
from paperdigest.store.engine import Database, connect_raw, translated
from paperdigest.store.ledger import RECORD_ATTEMPT
from paperdigest.store.tables import to_stored
from paperdigest.types import DeliveryState

__all__ = ["LEASE", "Claim", "Intent", "Marks", "Outcome"]

PATIENCE_S = 20.0
"""For how long an outcome is tried to be written down while the database refuses."""

RETRY_S = 0.5

_WANTED = """
SELECT EXISTS (SELECT 1 FROM subscribers WHERE id = ?1 AND status = 'active')
  AND NOT EXISTS (SELECT 1 FROM suppressions WHERE subscriber_id = ?1 AND (until_at IS NULL OR until_at > ?2))
"""

_INTEND = """
UPDATE deliveries SET state = 'sending', lease_until = :until, content_hash = :hash
WHERE id = :id AND lease_epoch = :epoch AND state = 'leased' AND lease_until > :now
  AND EXISTS (SELECT 1 FROM subscribers WHERE id = :subscriber AND status = 'active' AND email = :email)
  AND NOT EXISTS (
    SELECT 1 FROM suppressions WHERE subscriber_id = :subscriber AND (until_at IS NULL OR until_at > :now))
"""

_HELD = "SELECT 1 FROM deliveries WHERE id = ? AND lease_epoch = ? AND state = 'leased' AND lease_until > ?"

# From where an outcome may come. Out of doubt: its sender was slower than its lease, but nobody has tried since.
_FROM = {
    DeliveryState.SENT: "('sending', 'in_doubt')",
    DeliveryState.DEFERRED: "('leased', 'sending', 'in_doubt')",
    DeliveryState.FAILED: "('leased', 'sending', 'in_doubt')",
    DeliveryState.SKIPPED: "('leased')",
    DeliveryState.IN_DOUBT: "('sending')",
}

_SETTLE = {
    state: f"""
UPDATE deliveries SET state = '{state.value}', lease_owner = NULL, lease_until = NULL, detail = :detail, code = :code,
  status = :status, phase = :phase, sent_at = :sent_at, next_attempt_at = coalesce(:next, next_attempt_at)
WHERE id = :id AND lease_epoch = :epoch AND state IN {origins}
"""  # noqa: S608  constants alone
    for state, origins in _FROM.items()
}

_KEEP_LETTER = "INSERT INTO letters (delivery_id, sender, content) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"

_FORGET_HASH = """
UPDATE deliveries SET content_hash = NULL
WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM attempts WHERE delivery_id = ?1 AND state = 'in_doubt')
"""


@dataclass(slots=True, kw_only=True)
class _Intend:
    claim: Claim
    content_hash: bytes
    result: Future[Intent] = field(default_factory=Future)

    def write(self, cursor: sqlite3.Cursor, now: datetime, lease: timedelta) -> Intent:
        delivery, epoch, moment = self.claim.delivery, self.claim.epoch, to_stored(now)
        values = {
            "id": delivery.id,
            "epoch": epoch,
            "subscriber": delivery.subscriber_id,
            "email": delivery.email,
            "hash": self.content_hash,
            "now": moment,
            "until": to_stored(now + lease),
        }
        if cursor.execute(_INTEND, values).rowcount == 1:
            return Intent.GRANTED
        held = cursor.execute(_HELD, (delivery.id, epoch, moment)).fetchone()
        return Intent.LOST if held is None else Intent.UNWANTED


@dataclass(slots=True, kw_only=True)
class _Settle:
    claim: Claim
    outcome: Outcome
    letter: tuple[str, bytes] | None  # compressed
    until: float  # when to give up, of the monotonic clock
    result: Future[bool] = field(default_factory=Future)

    def write(self, cursor: sqlite3.Cursor, now: datetime, _lease: timedelta) -> bool:
        outcome, number, moment = self.outcome, self.claim.delivery.id, to_stored(now)
        state = outcome.state
        detail, phase = outcome.storable_detail, outcome.phase.value if outcome.phase else None
        values = {
            "id": number,
            "epoch": self.claim.epoch,
            "detail": detail,
            "code": outcome.code,
            "status": outcome.status,
            "phase": phase,
            "sent_at": moment if state is DeliveryState.SENT else None,
            "next": to_stored(outcome.next_attempt_at) if outcome.next_attempt_at else None,
        }
        if cursor.execute(_SETTLE[state], values).rowcount != 1:
            return False
        attempt = (number, self.claim.delivery.attempts, moment, state.value, phase, outcome.code, outcome.status)
        if state is not DeliveryState.SENT:
            cursor.execute(RECORD_ATTEMPT, (*attempt, detail))
        if state is DeliveryState.DEFERRED:
            cursor.execute(_FORGET_HASH, (number,))
        elif state is not DeliveryState.IN_DOUBT:
            cursor.execute("DELETE FROM letters WHERE delivery_id = ?", (number,))
        elif self.letter is not None:
            cursor.execute(_KEEP_LETTER, (number, *self.letter))
        return True


_Mark = _Intend | _Settle


class Marks:
    """Writes down what is about to be sent and what became of it; a context manager, to be used by many threads.

    On leaving, what is still queued is written.

    Args:
        database: where.
        clock: the time of day, UTC; asked under the write lock.
        lease: how long a message may take from its final dot on, without a heartbeat.
        monotonic: seconds, for waits.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        *,
        lease: timedelta = LEASE,
        monotonic: Callable[[], float] = time.monotonic,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._database, self._clock, self._lease = database, clock, lease
        self._monotonic, self._patience_s = monotonic, patience_s
        self._queue: deque[_Mark] = deque()
        self._changed = threading.Condition()
        self._is_open = False
        self._is_refused = False
        self._thread: threading.Thread | None = None
        self._reader_lock = threading.Lock()

    def __enter__(self) -> Self:
        """Connect and start the writer.

        Raises:
            StoreError: the database cannot be opened.
        """
        with translated(self._database.path):
            self._writer = connect_raw(self._database.path, busy_timeout=self._database.busy_timeout)
            self._reader = connect_raw(self._database.path, busy_timeout=self._database.busy_timeout)
        self._is_open = True
        self._thread = threading.Thread(target=self._run, name="marks", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Write what is queued, and stop."""
        with self._changed:
            self._is_open = False
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        self._writer.close()
        with self._reader_lock:
            self._reader.close()

    def wanted(self, subscriber_id: int) -> bool:
        """Say whether a subscriber is active and not suppressed: cheap, to be asked right before a mail begins.

        Raises:
            StoreError: the database cannot be read.
        """
        moment = to_stored(self._clock())
        with self._reader_lock, translated(self._database.path):
            return bool(self._reader.execute(_WANTED, (subscriber_id, moment)).fetchone()[0])

    def intend(self, claim: Claim, content_hash: bytes) -> Intent:
        """Write down, before the final dot, that the message may have arrived; returns when that is durable.

        One statement checks that the claim is ours and not over, and that the subscriber is still to get it.

        Args:
            claim: whose message.
            content_hash: of the message, 16 bytes.

        Raises:
            StoreError: it could not be written; the dot must not be sent.
        """
        mark = _Intend(claim=claim, content_hash=content_hash)
        self._put(mark)
        return mark.result.result()

    def settle(self, claim: Claim, outcome: Outcome) -> Future[bool]:
        """Queue an outcome to be written down; False in the end when the claim was not ours any more.

        The future ends in StoreError when the database refused it for too long.
        """
        letter = None
        if outcome.letter is not None and outcome.state is DeliveryState.IN_DOUBT:
            sender, content = outcome.letter
            letter = (sender, zlib.compress(content))
        until = self._monotonic() + self._patience_s
        mark = _Settle(claim=claim, outcome=outcome, letter=letter, until=until)
        self._put(mark)
        return mark.result

    def _put(self, mark: _Mark) -> None:
        with self._changed:
            if not self._is_open:
                raise StoreError("nothing more can be written down: the run is over")
            self._queue.append(mark)
            self._changed.notify()

    def _run(self) -> None:
        try:
            while marks := self._next():
                self._write(marks)
        finally:  # whatever stopped the writer, nobody waits for it for ever
            with self._changed:
                self._is_open = False
                left = list(self._queue)
                self._queue.clear()
            _fail(left, StoreError("the writer of marks has stopped"))

    def _next(self) -> list[_Mark]:
        """Wait for marks and take all there are; none when the run is over and everything is written."""
        with self._changed:
            if self._is_refused and self._queue:
                self._changed.wait(RETRY_S)
            while self._is_open and not self._queue:
                self._changed.wait()
            marks = list(self._queue)
            self._queue.clear()
            return marks

    def _write(self, marks: Sequence[_Mark]) -> None:
        try:
            with translated(self._database.path):
                results = self._commit(marks)
        except StoreError as error:
            self._is_refused = True
            now = self._monotonic()
            kept = [mark for mark in marks if isinstance(mark, _Settle) and mark.until > now]
            with self._changed:
                self._queue.extendleft(reversed(kept))
            _fail([mark for mark in marks if mark not in kept], error)
            return
        self._is_refused = False
        for mark, result in zip(marks, results, strict=True):
            mark.result.set_result(result)

    def _commit(self, marks: Sequence[_Mark]) -> list[Any]:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            now = self._clock()
            with closing(self._writer.cursor()) as cursor:
                results = [mark.write(cursor, now, self._lease) for mark in marks]
            failpoint("before_group_commit")
            self._writer.execute("COMMIT")
        finally:
            if self._writer.in_transaction:  # a full disk, for one, has rolled back already
                self._writer.execute("ROLLBACK")
        failpoint("after_group_commit")
        return results


def _fail(marks: Sequence[_Mark], error: StoreError) -> None:
    for mark in marks:
        mark.result.set_exception(error)
