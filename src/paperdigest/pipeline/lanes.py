"""Lanes: threads that hand messages over, each by a connection of its own, and write down what became of them.

For every message, in this order::

    wanted?     the subscriber is asked for again right before the mail begins
    send        all but the final dot
    intend      committed before the dot: from here on the message may have arrived
    settle      sent | deferred | failed | skipped | in_doubt, queued before the lane's next intent

so that of each lane at most one message is in doubt, whenever the process dies.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from types import TracebackType

from paperdigest.errors import MailError, PluginError
from paperdigest.failpoints import failpoint
from paperdigest.pipeline.outcomes import outcome_of
from paperdigest.protocols import Lane, Mailer, OutgoingMessage
from paperdigest.store.claims import Claim, Intent, Outcome
from paperdigest.store.marks import Marks
from paperdigest.types import DeliveryState, MailPhase

__all__ = ["Done", "Lanes", "Letter", "content_hash"]


@dataclass(frozen=True, slots=True)
class Letter:
    """A claim and the message made for it."""

    claim: Claim
    message: OutgoingMessage


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a claim: the outcome (None: the claim was lost), the error behind it, and the ledger's word.

    ``written`` ends in False when somebody else had taken the delivery over before it was written down.
    """

    claim: Claim
    outcome: Outcome | None
    error: MailError | None = None
    written: Future[bool] | None = None


def content_hash(content: bytes) -> bytes:
    """Return what tells a message from another: 16 bytes (of SHA-256: processors have instructions for it)."""
    return sha256(content).digest()[:16]


class Lanes:
    """Some lanes that take letters from one queue and put what became of them into another, ``done``.

    A letter that comes back unchanged was not begun; an exception is that of a lane that has ended by it.

    The first lane begins alone: a login that is refused is tried once, not once a lane. The others follow when a
    first message was taken. A lane that gets no connection while others work ends alone, and the server is asked for
    no more than it gives; when none works, all halt.

    Args:
        mailer: makes lanes.
        marks: where intents and outcomes are written down.
        clock: the time of day, UTC.
        jitter: a number in [-1, 1], another one each time.
        most: how many lanes at most.
    """

    def __init__(
        self, mailer: Mailer, marks: Marks, clock: Callable[[], datetime], jitter: Callable[[], float], most: int
    ) -> None:
        self._mailer, self._marks, self._clock, self._jitter = mailer, marks, clock, jitter
        self._most = max(1, most)
        self._letters: queue.SimpleQueue[Letter | None] = queue.SimpleQueue()
        self.done: queue.SimpleQueue[Done | Letter | BaseException] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._halted = threading.Event()
        self._working = 0
        self._has_delivered = False
        self._counting = threading.Lock()

    @property
    def most(self) -> int:
        """How many letters can be under way at once."""
        return self._most

    def put(self, letter: Letter) -> None:
        """Queue a letter; some lane takes it."""
        if not self._threads:
            self._start()
        self._letters.put(letter)

    def widen(self, wanted: int) -> None:
        """Open more lanes, ``wanted`` in all but no more than there may be."""
        while self._threads and self._working < min(wanted, self._most):
            self._start()

    def halt(self) -> tuple[Letter, ...]:
        """Begin no further message, let every lane end with the one it is at; return the letters that none has begun.

        One that a lane was just about to begin comes back through ``done`` as it went in.
        """
        self._halted.set()
        left = self.left()
        for _ in self._threads:
            self._letters.put(None)
        return left

    def left(self) -> tuple[Letter, ...]:
        """Take back the letters that no lane has taken."""
        found: list[Letter] = []
        with suppress(queue.Empty):
            while True:
                if (letter := self._letters.get_nowait()) is not None:
                    found.append(letter)
        return tuple(found)

    def have_ended(self, patience_s: float) -> bool:
        """Wait for the lanes to end, in seconds, and return whether all have."""
        until = time.monotonic() + patience_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name=f"lane-{len(self._threads) + 1}", daemon=True)
        self._threads.append(thread)
        with self._counting:
            self._working += 1
        thread.start()

    def _run(self) -> None:
        with _HandedOver(self.done), self._mailer.lane() as lane:
            while (letter := self._letters.get()) is not None:
                if self._halted.is_set():
                    self.done.put(letter)
                elif (done := self._deliver(lane, letter)) is not None:
                    self.done.put(done)
                else:
                    self._letters.put(letter)
                    return

    def _is_one_too_many(self, error: MailError) -> bool:
        """Say whether the server has room for the other lanes, and not for this one; the lane must end then."""
        with self._counting:
            if error.phase not in _BEFORE_ANY_MAIL or not self._has_delivered or self._working == 1:
                return False
            self._working -= 1
            self._most = self._working
            return True

    def _deliver(self, lane: Lane, letter: Letter) -> Done | None:
        """Deliver a letter; None: this lane cannot, and others can."""
        claim, message = letter.claim, letter.message
        if not self._marks.wanted(claim.delivery.subscriber_id):
            return self._unwanted(claim)
        intents: list[Intent] = []

        def before_final() -> bool:
            failpoint("before_intent")
            intents.append(self._marks.intend(claim, content_hash(message.content)))
            failpoint("after_intent")
            return intents[-1] is Intent.GRANTED

        try:
            answer = lane.send(message, before_final)
        except MailError as error:
            if error.systemic:
                if self._is_one_too_many(error):
                    return None
                self._halted.set()  # nobody else would fare better now
            kept = (message.sender, message.content)
            outcome = outcome_of(error, claim.delivery, kept, self._clock(), self._jitter())
            return Done(claim, outcome, error, self._marks.settle(claim, outcome))
        if answer is None:
            return self._unwanted(claim) if intents == [Intent.UNWANTED] else Done(claim, None)
        failpoint("after_accepted")
        self._has_delivered = True
        outcome = Outcome(state=DeliveryState.SENT, detail=answer)
        if not intents:  # or its next try would be a second copy
            self._marks.intend(claim, content_hash(message.content))
            self._marks.settle(claim, outcome)
            raise PluginError("mailers", type(lane).__name__, "handed a message over without calling before_final")
        return Done(claim, outcome, None, self._marks.settle(claim, outcome))

    def _unwanted(self, claim: Claim) -> Done:
        outcome = Outcome(state=DeliveryState.SKIPPED, detail="the subscriber does not want mail any more")
        return Done(claim, outcome, None, self._marks.settle(claim, outcome))


_BEFORE_ANY_MAIL = frozenset({MailPhase.CONNECT, MailPhase.GREETING, MailPhase.HELLO})


class _HandedOver:
    """Whatever ends a thread is raised where its work is waited for, as a future's exception is."""

    def __init__(self, done: queue.SimpleQueue[Done | Letter | BaseException]) -> None:
        self._done = done

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is not None:
            self._done.put(error)
        return True
