"""Making letters: some in a row before the lanes have their turn, signed while the next ones are drawn.

Of the same work, processors do more in a row than by turns. And a signature, which takes a third of all the time, lets
go of Python's lock: a second processor signs one letter while this one draws the next.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from paperdigest.pipeline.feeding import Feeder, Finish
from paperdigest.pipeline.lanes import Lanes, Letter
from paperdigest.protocols import OutgoingMessage
from paperdigest.store.claims import Claim
from paperdigest.waiting import OwnThread, Signal, ToldOf

__all__ = [
    "LEAST_IN_A_ROW",
    "LEAST_TO_JUDGE",
    "MOST_IN_A_ROW",
    "MOST_IN_A_ROW_S",
    "ROWS_ALONE",
    "SOME_IN_A_ROW",
    "Finisher",
    "Maker",
]

LEAST_IN_A_ROW = 2
"""At the beginning and after a refusal: what waits already goes out whatever it says."""
SOME_IN_A_ROW = 8
"""At most, while the lanes take longer than the making: no letter is to wait for us as well as for its server."""
MOST_IN_A_ROW = 64
MOST_IN_A_ROW_S = 0.2
"""For so long the lanes wait while letters are made, though it be by slow templates."""

WORTH_A_THREAD = 1.2
"""So many seconds of processor time a second, at least, say that another processor was free; about 1.6 when one is."""
LEAST_TO_JUDGE = 32
ROWS_ALONE = 32
"""For so many rows the thread is left alone, some seconds, before it is tried again."""


class Maker:
    """Makes letters of what a feeder finds, for lanes. For one thread alone.

    Args:
        feeder: finds and writes them.
        stop: when set, no further one is begun.
        monotonic: seconds.
    """

    def __init__(self, feeder: Feeder, stop: threading.Event, monotonic: Callable[[], float]) -> None:
        self._feeder, self._stop, self._monotonic = feeder, stop, monotonic
        self._finisher = Finisher()
        self._begun: list[Claim] = []  # and not put into the lanes yet
        self._in_a_row, self._fed_at, self._feeding_s = LEAST_IN_A_ROW, monotonic(), 0.0

    def accepted(self) -> None:
        """Make more in a row."""
        self._in_a_row = min(self._in_a_row + 1, MOST_IN_A_ROW)

    def refused(self) -> None:
        """Make few in a row, as at the beginning."""
        self._in_a_row = LEAST_IN_A_ROW

    def feed(self, lanes: Lanes) -> int:
        """Make some letters in a row and put them into lanes; return how many.

        Raises:
            StoreError: the database cannot be read; `rest` has the claims of those that were begun.
        """
        begun_at = self._monotonic()
        lanes_are_slower = begun_at - self._fed_at > self._feeding_s
        for _ in range(min(self._in_a_row, SOME_IN_A_ROW if lanes_are_slower else MOST_IN_A_ROW)):
            is_over = self._stop.is_set() or self._monotonic() - begun_at > MOST_IN_A_ROW_S
            if is_over or (begun := self._feeder.next()) is None:
                break
            self._begun.append(begun.claim)
            self._finisher.put(begun.finish)
        made = self._put(lanes) if self._begun else 0
        self._fed_at = self._monotonic()
        self._feeding_s = self._fed_at - begun_at
        return made

    def _put(self, lanes: Lanes) -> int:
        made = tuple(zip(self._begun, self._finisher.finished(), strict=True))
        letters = [Letter(claim, one) for claim, one in made if isinstance(one, OutgoingMessage)]
        lanes.put(letters)
        self._begun = []
        for claim, one in made:
            if not isinstance(one, OutgoingMessage):
                self._feeder.refuse(claim, one)
        return len(letters)

    def rest(self) -> list[Claim]:
        """Hand over all claims that came into no lane; there is nothing to be made any more."""
        begun, self._begun = self._begun, []
        return [*begun, *self._feeder.rest()]

    def close(self) -> None:
        """Let the thread that signs end."""
        self._finisher.close()


class Finisher:
    """Finishes messages in a thread of its own; whoever wants them finishes those that it has not begun.

    Where no processor is free for that thread (they are all busy with other senders, there is but one, nothing is
    signed), it only costs changes of thread: that is found out now and then, by rows long enough to tell, and for a
    while it is left alone then. (Shorter rows wait for their servers, and there is time.)

    Args:
        monotonic: seconds.
        used: seconds of processor time of all threads.
    """

    def __init__(
        self, monotonic: Callable[[], float] = time.monotonic, used: Callable[[], float] = time.process_time
    ) -> None:
        self._monotonic, self._used = monotonic, used
        self._messages: list[Signal[OutgoingMessage]] = []
        self._waiting: deque[tuple[Finish, Signal[OutgoingMessage]]] = deque()
        self._thread: OwnThread | None = None
        self._rows_alone = 0
        self._begun = 0.0, 0.0

    def put(self, finish: Finish) -> None:
        """Have a message finished; that of a single one is left to whoever wants it."""
        if not self._messages:
            self._begun = self._monotonic(), self._used()
        done = Signal[OutgoingMessage]()
        self._messages.append(done)
        self._waiting.append((finish, done))
        if self._rows_alone:
            return
        if self._thread is None and len(self._messages) > 1:
            try:
                self._thread = OwnThread("finish")
            except RuntimeError:  # the system gives none: it is only for speed
                self._rows_alone = ROWS_ALONE
        if self._thread is not None:
            self._thread.put(self._finish_one)

    def finished(self) -> list[OutgoingMessage | BaseException]:
        """Return the messages in the order in which they were put, or what one ended by in its place."""
        self._judge()
        while self._waiting:
            self._finish_one()
        messages, self._messages = self._messages, []
        return [_made(message) for message in messages]

    def close(self) -> None:
        """Let the thread end."""
        if self._thread is not None:
            self._thread.end()

    def _judge(self) -> None:
        """Find out whether two processors were at work, and who is to finish the next rows."""
        if self._rows_alone:
            self._rows_alone -= 1
        elif len(self._messages) >= LEAST_TO_JUDGE:
            elapsed, used = self._monotonic() - self._begun[0], self._used() - self._begun[1]
            if used < WORTH_A_THREAD * elapsed:
                self._rows_alone = ROWS_ALONE

    def _finish_one(self) -> None:
        """Finish the one that has waited for longest; none may be left, because two threads take them."""
        try:
            finish, done = self._waiting.popleft()
        except IndexError:
            return
        with ToldOf(done.set_exception):
            done.set_result(finish())


def _made(message: Signal[OutgoingMessage]) -> OutgoingMessage | BaseException:
    errors: list[BaseException] = []
    with ToldOf(errors.append):
        return message.result()
    return errors[0]
