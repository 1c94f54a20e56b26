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
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from paperdigest import watchdog
from paperdigest.errors import StoreError
from paperdigest.failpoints import failpoint
from paperdigest.store.claims import LEASE, Claim, Intent, Outcome
from paperdigest.store.engine import Database, connect_raw, translated
from paperdigest.store.marking import Settling, intend, intend_all, sent_all, settle, wanting
from paperdigest.types import DeliveryState, MailPhase
from paperdigest.waiting import Signal, alone

__all__ = ["LEASE", "Claim", "Intent", "Marks", "Outcome"]

PATIENCE_S = 20.0
"""For how long an outcome is tried to be written down while the database refuses."""

RETRY_S = 0.5

COMMIT_DELAY_S = 0.0007
"""A mark waits so long for others to share its commit (as PostgreSQL's commit_delay)."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Intend:
    claim: Claim
    content_hash: bytes
    result: Signal[Intent] = field(default_factory=Signal[Intent])
    until: datetime | None = None  # the end of the lease, when granted


@dataclass(slots=True, kw_only=True, eq=False)
class _Settle:
    settling: Settling
    until: float  # when to give up, of the monotonic clock
    result: Signal[bool] = field(default_factory=Signal[bool])


_Mark = _Intend | _Settle
_Write = Callable[[sqlite3.Cursor, Sequence[_Mark], datetime, timedelta], list[Any] | None]


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
        self._of_thread = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._under_way: Sequence[_Mark] = ()
        self.marks = self.commits = 0
        """What was written, in how many commits."""

    def __enter__(self) -> Self:
        """Connect and start the writer.

        Raises:
            StoreError: the database cannot be opened.
        """
        with translated(self._database.path):
            self._writer = self._database.connect_writer()
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
        with self._changed:
            for reader in self._readers:
                reader.close()
            self._readers.clear()

    def wanting(self, subscriber_ids: Sequence[int]) -> set[int]:
        """Return which subscribers are active and not suppressed: to be asked right before their mails begin.

        Raises:
            StoreError: the database cannot be read.
        """
        with translated(self._database.path):
            return wanting(self._reader(), subscriber_ids, self._clock())

    def intend(self, claim: Claim, content_hash: bytes) -> Intent:
        """As `intending`, for a thread that can wait."""
        return alone(self.intending(claim, content_hash))

    async def intending(self, claim: Claim, content_hash: bytes) -> Intent:
        """Write down, before the final dot, that the message may have arrived; returns when that is durable.

        One statement checks that the claim is ours and not over, and that the subscriber is still to get it. When
        this says so, the dot has to follow before the next wait: a process that is stopped in between, until the
        claim is over, dies instead of going on (see `paperdigest.watchdog`).

        Args:
            claim: whose message.
            content_hash: of the message, 16 bytes.

        Raises:
            StoreError: it could not be written; the dot must not be sent.
        """
        mark = _Intend(claim=claim, content_hash=content_hash)
        self._put(mark)
        intent = await mark.result
        if mark.until is not None and not self._holds(mark.until):
            # The whole process was stopped in between, and others may have taken it for dead by now.
            self.settle(claim, _stopped(self._clock()))
            return Intent.LOST
        return intent

    def _holds(self, until: datetime) -> bool:
        """Say whether a lease is not over; who hears so has lived no longer than it up to the next wait."""
        left_s = (until - self._clock()).total_seconds()
        if left_s > 0:
            watchdog.arm(left_s)
        return self._clock() < until

    def settle(self, claim: Claim, outcome: Outcome) -> Signal[bool]:
        """Queue an outcome to be written down; False in the end when the claim was not ours any more.

        The signal is a StoreError when the database refused it for too long.
        """
        letter = None
        if outcome.letter is not None and outcome.state is DeliveryState.IN_DOUBT:
            sender, content = outcome.letter
            letter = (sender, zlib.compress(content))
        settling = Settling(claim=claim, outcome=outcome, letter=letter)
        mark = _Settle(settling=settling, until=self._monotonic() + self._patience_s)
        self._put(mark)
        return mark.result

    def _reader(self) -> sqlite3.Connection:
        """Return the thread's own connection: a shared one would be a queue."""
        reader: sqlite3.Connection | None = getattr(self._of_thread, "reader", None)
        if reader is None:
            reader = self._of_thread.reader = connect_raw(self._database.path)
            with self._changed:
                self._readers.append(reader)
        return reader

    def _put(self, mark: _Mark) -> None:
        with self._changed:
            if not self._is_open:
                raise StoreError("nothing more can be written down: the run is over")
            self._queue.append(mark)
            self._changed.notify()

    def _run(self) -> None:
        try:
            while self._next():
                self._write()
                self._database.turns.give_way()
        finally:  # whatever stopped the writer, nobody waits for it for ever
            with self._changed:
                self._is_open = False
                left = (*self._under_way, *self._queue)
                self._queue.clear()
            _fail(left, StoreError("what becomes of mails cannot be written down any more", "Start again"))

    def _next(self) -> bool:
        """Wait for marks and take all there are; False when the run is over and everything is written."""
        with self._changed:
            if self._is_refused and self._queue:
                self._changed.wait(RETRY_S)
            while self._is_open and not self._queue:
                self._changed.wait()
        if self._is_open and not self._is_refused:
            time.sleep(COMMIT_DELAY_S)
        with self._changed:
            self._under_way = tuple(self._queue)
            self._queue.clear()
            return bool(self._under_way)

    def _write(self) -> None:
        marks = self._under_way
        try:
            with translated(self._database.path):
                results = self._commit(marks)
        except StoreError as error:
            self._refuse(marks, error)
            return
        self._is_refused, self._under_way = False, ()
        for mark, result in zip(marks, results, strict=True):
            mark.result.set_result(result)

    def _refuse(self, marks: Sequence[_Mark], error: StoreError) -> None:
        """Fail what could not be written, but go on trying with outcomes: they cannot be had twice."""
        now = self._monotonic()
        kept = [mark for mark in marks if isinstance(mark, _Settle) and mark.until > now]
        failed = [mark for mark in marks if isinstance(mark, _Intend) or mark.until <= now]
        with self._changed:
            self._is_refused, self._under_way = True, ()
            self._queue.extendleft(reversed(kept))
        _fail(failed, error)

    def _commit(self, marks: Sequence[_Mark]) -> list[Any]:
        if len(marks) > 1 and (results := self._transaction(marks, _together)) is not None:
            return results
        return self._transaction(marks, _one_by_one) or []

    def _transaction(self, marks: Sequence[_Mark], write: _Write) -> list[Any] | None:
        """Write marks in one transaction; None: undone, one of them was refused."""
        self._database.turns.begin(self._writer)
        try:
            self._database.check_in_place()
            now = self._clock()  # after the lock was had: the wait for it may have been long
            with closing(self._writer.cursor()) as cursor:
                results = write(cursor, marks, now, self._lease)
            if results is None:
                return None
            failpoint("before_group_commit")
            self._writer.execute("COMMIT")
        finally:
            if self._writer.in_transaction:  # a full disk, for one, has rolled back already
                self._writer.execute("ROLLBACK")
        failpoint("after_group_commit")
        self.commits, self.marks = self.commits + 1, self.marks + len(marks)
        for mark, result in zip(marks, results, strict=True):
            if result is Intent.GRANTED and isinstance(mark, _Intend):
                mark.until = now + self._lease
        return results


def _together(cursor: sqlite3.Cursor, marks: Sequence[_Mark], now: datetime, lease: timedelta) -> list[Any] | None:
    """Write marks by as few statements as can be; None when one was refused, and all must be undone."""
    settled = [mark.settling for mark in marks if isinstance(mark, _Settle)]
    sent = [one for one in settled if one.outcome.state is DeliveryState.SENT]
    others = [one for one in settled if one.outcome.state is not DeliveryState.SENT]
    intents = [(mark.claim, mark.content_hash) for mark in marks if isinstance(mark, _Intend)]
    is_done = (
        sent_all(cursor, sent, now)
        and all(settle(cursor, one, now) for one in others)
        and intend_all(cursor, intents, now, lease)
    )
    return [Intent.GRANTED if isinstance(mark, _Intend) else True for mark in marks] if is_done else None


def _one_by_one(cursor: sqlite3.Cursor, marks: Sequence[_Mark], now: datetime, lease: timedelta) -> list[Any]:
    return [
        intend(cursor, mark.claim, mark.content_hash, now, lease)
        if isinstance(mark, _Intend)
        else settle(cursor, mark.settling, now)
        for mark in marks
    ]


def _fail(marks: Sequence[_Mark], error: StoreError) -> None:
    for mark in marks:
        mark.result.set_exception(error)


def _stopped(now: datetime) -> Outcome:
    detail = "the program was stopped for longer than its lease, before the final dot"
    return Outcome(state=DeliveryState.DEFERRED, phase=MailPhase.BODY, detail=detail, next_attempt_at=now)
