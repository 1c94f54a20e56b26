"""Coroutines that wait: alone, and several in one thread."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from signal import ITIMER_REAL, SIGINT, default_int_handler, getitimer, pthread_kill, signal

import pytest

from paperdigest import watchdog
from paperdigest.waiting import Apart, Loop, OwnThread, Ready, Signal, alone


@pytest.fixture
def loop() -> Iterator[Loop]:
    with closing(Loop()) as made:
        yield made


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    with near, far:
        yield near, far


def work_off(loop: Loop) -> None:
    for _ in range(1000):
        if loop.is_idle:
            return
        loop.turn(5)
    raise AssertionError("still busy")


def refuse() -> None:
    raise ValueError("no")


async def ready(connection: socket.socket, events: int, seconds: float, found: list[object]) -> None:
    found.append(await Ready(connection, events, seconds))


async def signalled(signal: Signal[str], found: list[object]) -> None:
    try:
        found.append(await signal)
    except ValueError as error:
        found.append(str(error))


async def called(found: list[object], thread: OwnThread | None = None) -> None:
    found.append(await Apart(threading.get_ident, thread))


def test_a_connection_is_waited_for_alone(ends: tuple[socket.socket, socket.socket]) -> None:
    near, far = ends
    found: list[object] = []
    alone(ready(near, select.POLLOUT, 5, found))
    alone(ready(near, select.POLLIN, 0.01, found))
    far.send(b"x")
    alone(ready(near, select.POLLIN, 5, found))
    assert found == [True, False, True]


def test_one_that_waits_does_not_hold_up_another(loop: Loop, ends: tuple[socket.socket, socket.socket]) -> None:
    near, far = ends
    found: list[object] = []
    loop.start(ready(near, select.POLLIN, 5, found))
    loop.start(ready(far, select.POLLOUT, 5, found))
    loop.turn(5)
    assert (found, loop.is_idle) == ([True], False)
    far.send(b"x")
    work_off(loop)
    assert found == [True, True]


def test_a_wait_ends_in_its_time_and_not_before(ends: tuple[socket.socket, socket.socket]) -> None:
    seconds = [0.0]
    with closing(Loop(clock=lambda: seconds[0])) as loop:
        found: list[object] = []
        loop.start(ready(ends[0], select.POLLIN, 5, found))
        loop.start(ready(ends[1], select.POLLIN, 7, found))
        for seconds[0], ended in ((4.9, 0), (5.0, 1), (6.9, 1), (7.0, 2)):
            loop.turn(0)
            assert found == [False] * ended
        assert loop.is_idle


def test_a_turn_ends_when_nothing_has_happened(loop: Loop, ends: tuple[socket.socket, socket.socket]) -> None:
    loop.start(ready(ends[0], select.POLLIN, 60, []))
    loop.turn(0.01)
    loop.turn(0)
    assert not loop.is_idle


def test_another_thread_wakes_a_loop_that_sleeps(loop: Loop) -> None:
    found: list[object] = []
    first, second, told = Signal[str](), Signal[str](), Signal[str]()
    told.set_result("before")
    for one in (first, second, told):
        loop.start(signalled(one, found))
    assert found == ["before"]
    threading.Timer(0.05, first.set_result, ("one",)).start()
    threading.Timer(0.1, second.set_exception, (ValueError("two"),)).start()
    work_off(loop)
    assert found == ["before", "one", "two"]


def test_a_signal_is_waited_for_alone() -> None:
    found: list[object] = []
    told, failed, silent = Signal[str](), Signal[str](), Signal[str]()
    threading.Timer(0.05, told.set_result, ("one",)).start()
    alone(signalled(told, found))
    failed.set_exception(ValueError("two"))
    alone(signalled(failed, found))
    assert found == ["one", "two"]
    with pytest.raises(TimeoutError):
        silent.result(0.01)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A job in the background is begun with SIGINT ignored."""
    before = signal(SIGINT, default_int_handler)
    yield
    signal(SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_who_waits_alone_can_be_interrupted() -> None:
    found: list[object] = []
    interrupt = threading.Timer(0.1, pthread_kill, (threading.get_ident(), SIGINT))
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        alone(signalled(Signal[str](), found))
    assert found == []
    interrupt.join()


def test_what_blocks_is_called_in_another_thread_or_alone_in_this_one(loop: Loop) -> None:
    found: list[object] = []
    own = OwnThread("own")
    for thread in (None, own, own):
        loop.start(called(found, thread))
    work_off(loop)
    own.end()
    assert len(found) == 3
    assert len(set(found)) == 2
    assert threading.get_ident() not in found
    alone(called(found))
    assert found[-1] == threading.get_ident()


def test_what_a_call_raises_comes_out_where_it_is_awaited(loop: Loop) -> None:
    found: list[object] = []

    async def careful() -> None:
        try:
            await Apart(refuse)
        except ValueError as error:
            found.append(str(error))

    loop.start(careful())
    work_off(loop)
    alone(careful())
    assert found == ["no", "no"]


def test_what_a_coroutine_raises_comes_out_of_the_turn_and_the_others_go_on(
    loop: Loop, ends: tuple[socket.socket, socket.socket]
) -> None:
    found: list[object] = []

    async def careless() -> None:
        await Ready(ends[0], select.POLLOUT, 5)
        refuse()

    loop.start(careless())
    loop.start(ready(ends[1], select.POLLOUT, 5, found))
    with pytest.raises(ValueError, match="no"):
        loop.turn(5)
    work_off(loop)
    assert found == [True]
    with pytest.raises(ValueError, match="no"):
        alone(careless())


def test_a_loop_that_is_closed_ends_every_coroutine_where_it_stands(ends: tuple[socket.socket, socket.socket]) -> None:
    ended: list[str] = []

    async def tidy(name: str) -> None:
        try:
            await Ready(ends[0], select.POLLIN, 60)
        finally:
            ended.append(name)

    with closing(Loop()) as loop:
        loop.start(tidy("one"))
    assert (ended, loop.is_idle) == (["one"], True)


def test_an_answer_to_an_earlier_wait_is_not_taken_for_one_to_the_present(loop: Loop) -> None:
    found: list[object] = []
    first, second = Signal[str](), Signal[str]()

    async def both() -> None:
        found.append(await first)
        found.append(await second)

    loop.start(both())
    first.set_result("one")
    first.listen(first._listener or refuse)  # told twice
    loop.turn(0)
    loop.turn(0)
    assert found == ["one"]
    second.set_result("two")
    work_off(loop)
    assert found == ["one", "two"]


def test_an_idle_loop_sleeps_though_the_end_of_an_earlier_wait_has_passed(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    seconds, found = [0.0], list[object]()
    signal = Signal[str]()
    with closing(Loop(clock=lambda: seconds[0])) as loop:
        loop.start(ready(ends[0], select.POLLOUT, 5, found))
        loop.turn(1)
        loop.start(signalled(signal, found))
        seconds[0] = 6.0
        loop.turn(0)
        assert loop._sleep_ms(7) == 7000
        signal.set_result("told")
        work_off(loop)
    assert found == [True, "told"]


def test_one_that_ends_by_what_is_told_twice_is_not_gone_on_with(loop: Loop) -> None:
    found: list[object] = []
    signal = Signal[str]()
    loop.start(signalled(signal, found))
    signal.set_result("one")
    signal.listen(signal._listener or refuse)
    work_off(loop)
    loop.turn(0)
    assert found == ["one"]


def test_a_wait_that_cannot_begin_is_the_trouble_of_the_one_who_waits(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[object] = []

    async def careful() -> None:
        try:
            await Apart(refuse)
        except RuntimeError as error:
            found.append(str(error))

    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        loop.start(careful())
    assert (found, loop.is_idle) == (["can't start new thread"], True)


async def watched(signal: Signal[str], found: list[float], *, fails: bool = False) -> None:
    watchdog.arm(60)
    found.append(getitimer(ITIMER_REAL)[0])
    if fails:
        refuse()
    await signal
    found.append(getitimer(ITIMER_REAL)[0])


def test_a_watchdog_is_for_whoever_armed_it_up_to_the_next_wait(loop: Loop) -> None:
    told, found = Signal[str](), list[float]()
    loop.start(watched(told, found))
    assert 59 < found[0] <= 60
    assert getitimer(ITIMER_REAL)[0] == 0
    told.set_result("go on")
    work_off(loop)
    assert found[1] == 0


@pytest.mark.parametrize("is_alone", [True, False])
def test_a_watchdog_ends_with_whoever_armed_it(loop: Loop, is_alone: bool) -> None:
    found = list[float]()
    with pytest.raises(ValueError, match="no"):
        (alone if is_alone else loop.start)(watched(Signal(), found, fails=True))
    assert 59 < found[0] <= 60
    assert getitimer(ITIMER_REAL)[0] == 0
