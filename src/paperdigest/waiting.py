"""Code that waits, written once as coroutines: alone it blocks its thread, in a `Loop` it lets others go on meanwhile.

A coroutine awaits one of three things::

    await Ready(connection, events, seconds)    a connection has something, or takes something; False: it took too long
    await Apart(work)                           a call that blocks (a look-up in the DNS, a plug-in), in another thread
    await signal                                another thread has told (`Signal`)

Own code, because this loop is turned now and then by somebody who has other work to do in the same thread (the making
of the next message), where asyncio's wants the thread for itself; and because the same lines must serve a caller who
knows of no loop.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from math import ceil, inf
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from paperdigest import watchdog

__all__ = ["Apart", "Loop", "OwnThread", "Ready", "Signal", "Task", "ToldOf", "Wait", "alone"]

_T = TypeVar("_T")


class Wait(Protocol):
    """What a coroutine can wait for."""

    def alone(self) -> Any:
        """Wait with the whole thread and return what the coroutine is to get."""

    def begin(self, loop: Loop, task: Task) -> None:
        """Let the loop give the coroutine what it is to get, when it is there."""


_Waiting = Coroutine[Wait, Any, _T]


class Task:
    """A coroutine in a loop, and what it waits for."""

    __slots__ = ("coroutine", "wait")

    def __init__(self, coroutine: _Waiting[None]) -> None:
        self.coroutine = coroutine
        self.wait: Wait | None = None


@dataclass(slots=True, eq=False)
class Ready:
    """A connection being ready for ``events``, as `select.poll` names them, within ``seconds``; awaited, a bool."""

    connection: socket.socket
    events: int
    seconds: float

    def __await__(self) -> Generator[Wait, bool, bool]:
        return (yield self)

    def alone(self) -> bool:
        """See `Wait`."""
        poll = select.poll()
        poll.register(self.connection, self.events)
        return bool(poll.poll(max(0, ceil(self.seconds * 1000))))

    def begin(self, loop: Loop, task: Task) -> None:
        """See `Wait`."""
        loop.watch(task, self)


@dataclass(slots=True, eq=False)
class Apart(Generic[_T]):
    """A call in another thread, in ``thread`` or one for this call alone; awaited, what it returns or raises."""

    work: Callable[[], _T]
    thread: OwnThread | None = None

    def __await__(self) -> Generator[Wait, Future[_T], _T]:
        return (yield self).result()

    def alone(self) -> Future[_T]:
        """See `Wait`; nobody else would use this thread, so the call is made in it."""
        return _called(self.work, Future())

    def begin(self, loop: Loop, task: Task) -> None:
        """See `Wait`."""
        thread = self.thread or OwnThread("apart")
        thread.submit(self.work).add_done_callback(lambda done: loop.tell(task, self, done))
        if self.thread is None:
            thread.end()


class Signal(Generic[_T]):
    """What one thread tells another, once; much cheaper than a `Future`. Awaited by one at most."""

    __slots__ = ("_error", "_heard", "_listener", "_value", "is_set")

    def __init__(self) -> None:
        self.is_set = False
        self._value: _T | None = None
        self._error: BaseException | None = None
        self._listener: Callable[[], None] | None = None

    def set_result(self, value: _T) -> None:
        """Tell a value."""
        self._value = value
        self._tell()

    def set_exception(self, error: BaseException) -> None:
        """Tell of an error."""
        self._error = error
        self._tell()

    def result(self, patience_s: float | None = None) -> _T:
        """Wait with the whole thread, if need be, and return the value.

        Raises:
            BaseException: the error that was told instead.
            TimeoutError: nothing was told in time.
        """
        if not self._wait(patience_s):
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # told, so it is one

    def _wait(self, patience_s: float | None = None) -> bool:
        if self.is_set:
            return True
        told = threading.Event()
        self.listen(told.set)
        return told.wait(patience_s)

    def listen(self, listener: Callable[[], None]) -> None:
        """Have somebody called by whoever tells, at once if that has happened; perhaps twice."""
        self._listener = listener
        if self.is_set:
            listener()

    def _tell(self) -> None:
        self.is_set = True  # before the listener is looked for, as it is set before this is looked at
        if self._listener is not None:
            self._listener()

    def __await__(self) -> Generator[Wait, None, _T]:
        if not self.is_set:
            yield self
        return self.result()

    def alone(self) -> None:
        """See `Wait`."""
        self._wait()

    def begin(self, loop: Loop, task: Task) -> None:
        """See `Wait`."""
        self.listen(lambda: loop.tell(task, self, None))


class OwnThread:
    """A thread for calls, one after the other; a call that hangs keeps no process from ending."""

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def submit(self, work: Callable[[], _T]) -> Future[_T]:
        """Queue a call."""
        done: Future[_T] = Future()
        self.put(lambda: _called(work, done))
        return done

    def put(self, work: Callable[[], object]) -> None:
        """Queue a call whose end nobody waits for; it must raise nothing."""
        self._calls.put(work)

    def end(self) -> None:
        """Let the thread end after the last call, without waiting for it."""
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


class Loop:
    """Runs coroutines in the thread that turns it; all but `tell` is for that thread alone.

    Args:
        clock: seconds that only ever grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._poll = select.poll()
        self._watched: dict[int, tuple[Task, Ready, float]] = {}
        self._first_end = inf  # of what is watched
        self._told: deque[tuple[Task, Wait, Any]] = deque()
        self._tasks: set[Task] = set()
        self._ear, self._bell = socket.socketpair()
        for end in (self._ear, self._bell):
            end.setblocking(False)
        self._poll.register(self._ear, select.POLLIN)
        self._is_asleep = False

    @property
    def is_idle(self) -> bool:
        """Whether every coroutine has ended."""
        return not self._tasks

    def start(self, coroutine: _Waiting[None]) -> None:
        """Run a coroutine up to its first wait; what it raises comes out here, or of the turn in which it does."""
        task = Task(coroutine)
        self._tasks.add(task)
        self._go_on(task, None)

    def turn(self, patience_s: float) -> None:
        """Let every coroutine go on that can; when none can, wait for the first, in seconds."""
        events = self._poll.poll(self._sleep_ms(patience_s))
        self._is_asleep = False
        for number, _ in events:
            if number == self._ear.fileno():
                with suppress(BlockingIOError):
                    self._ear.recv(4096)
            else:
                self._ready(number, is_ready=True)
        if self._clock() >= self._first_end:
            self._end_waits()
        for _ in range(len(self._told)):
            task, wait, given = self._told.popleft()
            if task.wait is wait:
                self._go_on(task, given)

    def watch(self, task: Task, ready: Ready) -> None:
        """Give a task a bool: whether a connection was ready in time."""
        number, until = ready.connection.fileno(), self._clock() + ready.seconds
        self._watched[number] = task, ready, until
        self._poll.register(number, ready.events)
        self._first_end = min(self._first_end, until)

    def tell(self, task: Task, wait: Wait, given: object) -> None:
        """Give a task what it waits for; from any thread."""
        self._told.append((task, wait, given))
        if self._is_asleep:
            self._is_asleep = False
            with suppress(OSError):  # it rings already, or nobody is there any more
                self._bell.send(b"\0")

    def close(self) -> None:
        """End every coroutine where it stands."""
        errors: list[BaseException] = []
        for task in tuple(self._tasks):
            with ToldOf(errors.append):
                task.coroutine.close()
        self._tasks.clear()
        self._ear.close()
        self._bell.close()
        if errors:
            raise errors[0]

    def _sleep_ms(self, patience_s: float) -> int:
        if patience_s <= 0:
            return 0
        self._is_asleep = True  # before it is looked for what was told; `tell` does it the other way round
        if self._told:
            return 0
        return max(0, ceil(min(patience_s, self._first_end - self._clock()) * 1000))

    def _ready(self, number: int, *, is_ready: bool) -> None:
        task, _, _ = self._watched.pop(number)
        self._poll.unregister(number)
        self._go_on(task, is_ready)

    def _end_waits(self) -> None:
        now = self._clock()
        for number in [number for number, (_, _, until) in self._watched.items() if until <= now]:
            self._ready(number, is_ready=False)
        self._first_end = min((until for _, _, until in self._watched.values()), default=inf)

    def _go_on(self, task: Task, given: object) -> None:
        task.wait = None  # what is told twice finds nobody
        try:
            wait = _next_wait(task.coroutine, given)
            while True:
                task.wait = wait
                try:
                    wait.begin(self, task)
                except (OSError, RuntimeError) as error:  # no thread to be had, no memory to poll
                    task.wait = None
                    wait = task.coroutine.throw(error)
                else:
                    return
        except StopIteration:
            self._tasks.discard(task)
        except BaseException:
            self._tasks.discard(task)
            raise


def alone(coroutine: _Waiting[_T]) -> _T:
    """Run a coroutine to its end in this thread, and return what it returns; whenever it waits, the thread does."""
    given: Any = None
    try:
        while True:
            given = _next_wait(coroutine, given).alone()
    except StopIteration as end:
        result: _T = end.value
        return result
    finally:
        coroutine.close()


def _next_wait(coroutine: _Waiting[Any], given: object) -> Wait:
    """Let a coroutine go on to its next wait; only until then a watchdog that it has armed is for it."""
    try:
        return coroutine.send(given)
    finally:
        watchdog.disarm()


class ToldOf:
    """A context manager: what ends its block is told to somebody, to be raised where the work is waited for."""

    def __init__(self, tell: Callable[[BaseException], None]) -> None:
        self._tell = tell

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None or isinstance(error, GeneratorExit):
            return False
        self._tell(error)
        return True


def _called(work: Callable[[], _T], done: Future[_T]) -> Future[_T]:
    with ToldOf(done.set_exception):
        done.set_result(work())
    return done
