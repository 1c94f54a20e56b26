"""Lanes: they hand messages over, each by a connection of its own, and write down what became of them.

All share the thread of their caller, who turns them between two messages that he makes; a lane that waits for its
server or for the disk holds up nobody. (Threads would cost more than all the rest: to pass Python's lock on a few dozen
times a message takes longer than the message.) A mailer whose lanes can only block has a thread for each.

For every message, in this order::

    wanted?     the subscriber is asked for again, at most a second before the mail begins
    send        all but the final dot
    intend      committed before the dot: from here on the message may have arrived
    settle      sent | deferred | failed | skipped | in_doubt, queued before the lane's next intent

so that of each lane at most one message is in doubt, whenever the process dies.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Self

from paperdigest.errors import MailError, PaperDigestError, PluginError
from paperdigest.failpoints import failpoint
from paperdigest.pipeline.outcomes import outcome_of
from paperdigest.protocols import AsyncBeforeFinal, AsyncLane, AsyncMailer, Lane, Mailer, OutgoingMessage
from paperdigest.store.claims import Claim, Intent, Outcome
from paperdigest.store.marks import Marks
from paperdigest.types import DeliveryState, MailPhase
from paperdigest.waiting import Apart, Loop, OwnThread, Signal, ToldOf, alone

__all__ = ["Done", "Lanes", "Letter", "content_hash"]


_LOG = logging.getLogger(__name__)

ASK_AGAIN_S = 1.0
"""Whether a mail is still wanted is asked for many at once; after so many seconds in the queue it is asked again."""


FAULTS_IN_A_ROW = 3
"""So many messages on which a mailer fails, and none that it hands over between them: it is not for the messages."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A claim and the message made for it."""

    claim: Claim
    message: OutgoingMessage


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a claim: the outcome (None: the claim was lost), the error behind it, and the ledger's word.

    ``written`` is False in the end when somebody else had taken the delivery over before it was written down.
    """

    claim: Claim
    outcome: Outcome | None
    error: MailError | None = None
    written: Signal[bool] | None = None


def content_hash(content: bytes) -> bytes:
    """Return what tells a message from another: 16 bytes of SHA-256, for which processors have instructions.

    A signature above the head holds the hash of the body (DKIM, RFC 6376), so that the head tells the whole.
    """
    end = content.find(b"\r\n\r\n") if content.startswith(b"DKIM-Signature:") else len(content)
    return sha256(content[:end]).digest()[:16]


class Lanes:
    """Some lanes that take letters from one queue and put what became of them into another, ``done``.

    An exception in ``done`` is that of a lane that has ended by it. For one thread alone.

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
        self._loop = Loop()
        self._letters: deque[tuple[Letter, float]] = deque()
        self._idle: list[Signal[None]] = []
        self.done: deque[Done | BaseException] = deque()
        self._halted = False
        self._working = 0
        self._faults = 0

    @property
    def most(self) -> int:
        """How many letters can be under way at once."""
        return self._most

    def put(self, letters: Sequence[Letter]) -> None:
        """Queue letters for those who want them; some lane takes each.

        Raises:
            StoreError: it cannot be known who wants them; none is queued.
        """
        wanting = self._wanting(letters)
        asked_at = time.monotonic()
        for letter in letters:
            if letter.claim.delivery.subscriber_id in wanting:
                self._queue(letter, asked_at)
            else:
                self.done.append(self._unwanted(letter.claim))

    def _queue(self, letter: Letter, asked_at: float) -> None:
        self._letters.append((letter, asked_at))
        if not self._working:
            self._start()
        elif self._idle:
            self._idle.pop().set_result(None)

    def widen(self, wanted: int) -> None:
        """Open more lanes, ``wanted`` in all but no more than there may be."""
        while not self._halted and 0 < self._working < min(wanted, self._most):
            self._start()

    def turn(self, patience_s: float) -> None:
        """Let the lanes go on; wait for the first to have done something, in seconds."""
        until = time.monotonic() + patience_s if patience_s else 0
        self._loop.turn(0 if self.done else patience_s)
        while not self.done and patience_s and (left := until - time.monotonic()) > 0:
            self._loop.turn(left)

    def halt(self) -> tuple[Letter, ...]:
        """Begin no further message, let every lane end with the one it is at; return letters that none has begun."""
        self._halted = True
        for lane in self._idle:
            lane.set_result(None)
        self._idle.clear()
        return self.left()

    def left(self) -> tuple[Letter, ...]:
        """Take back the letters that no lane has taken."""
        found = tuple(letter for letter, _ in self._letters)
        self._letters.clear()
        return found

    def have_ended(self, patience_s: float) -> bool:
        """Wait for the lanes to end, in seconds, and return whether all have."""
        until = time.monotonic() + patience_s
        while not self._loop.is_idle and (left := until - time.monotonic()) > 0:
            self._loop.turn(left)
        return self._loop.is_idle

    def close(self) -> None:
        """End lanes that have not ended, where they stand."""
        self._loop.close()

    def _start(self) -> None:
        self._working += 1
        self._loop.start(self._run())

    async def _run(self) -> None:
        has_begun = is_faulty = False

        def tell(error: BaseException) -> None:
            if is_faulty and isinstance(error, Exception):
                _LOG.warning("a mailer that failed could not be closed either", exc_info=error)
            elif not has_begun and isinstance(error, Exception) and self._do_others_work():
                _LOG.warning("one lane more could not begin; the others go on", exc_info=error)
                self._do_without()
            else:
                self.done.append(error)

        with ToldOf(tell):
            async with _async_lane(self._mailer) as lane:
                has_begun = True
                while (taken := await self._next()) is not None:
                    letter, asked_at = taken
                    if time.monotonic() - asked_at > ASK_AGAIN_S and not self._wanting([letter]):
                        self.done.append(self._unwanted(letter.claim))
                    elif (done := await self._deliver(lane, letter)) is not None:
                        self.done.append(done)
                        if isinstance(done.error, _FaultError):  # who knows what state it is in
                            is_faulty = True
                            break
                    else:
                        self._queue(letter, asked_at)
                        return
        if is_faulty and not self._halted:
            self._working -= 1
            self._start()

    async def _next(self) -> tuple[Letter, float] | None:
        """Return the next letter when there is one; None: no more are to be begun."""
        while not self._letters and not self._halted:
            self._idle.append(told := Signal[None]())
            await told
        return None if self._halted else self._letters.popleft()

    def _is_one_too_many(self, error: MailError) -> bool:
        """Say whether the server has room for the other lanes, and not for this one; the lane must end then."""
        if error.phase not in _BEFORE_ANY_MAIL or not self._do_others_work():
            return False
        self._do_without()
        return True

    def _do_others_work(self) -> bool:
        return self._working > 1  # and one has delivered, or there would be no second

    def _do_without(self) -> None:
        """Ask for no more lanes than there are without this one."""
        self._working -= 1
        self._most = self._working

    async def _deliver(self, lane: AsyncLane, letter: Letter) -> Done | None:
        """Deliver a letter; None: this lane cannot, and others can."""
        claim, message = letter.claim, letter.message
        intents: list[Intent] = []

        async def before_final() -> bool:
            failpoint("before_intent")
            intents.append(await self._marks.intending(claim, content_hash(message.content)))
            failpoint("after_intent")
            return intents[-1] is Intent.GRANTED

        try:
            answer = await self._sent(lane, message, before_final, intents)
        except MailError as error:
            if error.systemic:
                if self._is_one_too_many(error):
                    return None
                self._halted = True  # nobody else would fare better now
            kept = (message.sender, message.content)
            outcome = outcome_of(error, claim.delivery, kept, self._clock(), self._jitter())
            return Done(claim, outcome, error, self._marks.settle(claim, outcome))
        if answer is None:
            return self._unwanted(claim) if intents == [Intent.UNWANTED] else Done(claim, None)
        failpoint("after_accepted")
        self._faults = 0
        outcome = Outcome(state=DeliveryState.SENT, detail=answer)
        if not intents:  # or its next try would be a second copy
            await self._marks.intending(claim, content_hash(message.content))
            self._marks.settle(claim, outcome)
            raise PluginError(
                "mailers",
                type(self._mailer).__name__,
                "handed a message over without calling before_final",
            )
        return Done(claim, outcome, None, self._marks.settle(claim, outcome))

    async def _sent(
        self, lane: AsyncLane, message: OutgoingMessage, before_final: AsyncBeforeFinal, intents: Sequence[Intent]
    ) -> str | None:
        """Send; what a lane ends by and should not is trouble with this message, and soon with all of them.

        Raises:
            MailError, PaperDigestError: as the lane does.
        """
        errors: list[BaseException] = []
        with ToldOf(errors.append):
            answer = await lane.send(message, before_final)
            if answer is None and (not intents or intents[-1] is Intent.GRANTED):
                raise RuntimeError("a lane returned None, though nobody had told it to give the message up")
            return answer
        error = errors[0]
        if isinstance(error, PaperDigestError) or not isinstance(error, Exception):
            raise error
        _LOG.error("a mailer failed; please report it to whoever wrote it", exc_info=error)
        self._faults += 1
        is_doubtful = Intent.GRANTED in intents
        raise _FaultError(
            f"the mailer failed: {type(error).__name__}; see the log",
            permanent=False,
            systemic=self._faults >= FAULTS_IN_A_ROW,
            after_dot=is_doubtful,
            phase=MailPhase.DOT if is_doubtful else None,
        ) from error

    def _wanting(self, letters: Sequence[Letter]) -> set[int]:
        return self._marks.wanting([letter.claim.delivery.subscriber_id for letter in letters])

    def _unwanted(self, claim: Claim) -> Done:
        outcome = Outcome(state=DeliveryState.SKIPPED, detail="the subscriber does not want mail any more")
        return Done(claim, outcome, None, self._marks.settle(claim, outcome))


class _FaultError(MailError):
    """A lane ended by something that it should not: a fault of its own, told as trouble with this one message."""


_BEFORE_ANY_MAIL = frozenset({MailPhase.CONNECT, MailPhase.GREETING, MailPhase.HELLO})


def _async_lane(mailer: Mailer) -> AsyncLane:
    return mailer.async_lane() if isinstance(mailer, AsyncMailer) and _is_async(mailer) else _Blocking(mailer.lane())


def _is_async(mailer: AsyncMailer) -> bool:
    """Say whether ``lane`` is no newer than ``async_lane``: who derives a mailer may know only of the former."""
    for one in type(mailer).__mro__:
        if "async_lane" in vars(one) or "lane" in vars(one):
            return "async_lane" in vars(one)
    return True  # methods of the object itself


class _Blocking:
    """A lane that can only block, in a thread of its own."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._thread = OwnThread("lane")

    async def __aenter__(self) -> Self:
        try:
            self._lane = await Apart(self._lane.__enter__, self._thread)
        except BaseException:
            self._thread.end()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        try:
            if exc[0] is not GeneratorExit:  # nobody can be waited for then
                await Apart(lambda: self._lane.__exit__(*exc), self._thread)
        finally:
            self._thread.end()

    async def send(self, message: OutgoingMessage, before_final: AsyncBeforeFinal) -> str | None:
        """See `Lane.send`."""
        answer: str | None = await Apart(lambda: self._lane.send(message, lambda: alone(before_final())), self._thread)
        return answer
