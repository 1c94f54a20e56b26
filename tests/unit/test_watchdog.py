"""The watchdog timer: who was stopped for too long between two lines does not come to the second."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from paperdigest import watchdog

PROGRAM = """
import os, signal, sys, threading
from paperdigest import watchdog

threads = [threading.Thread(target=threading.Event().wait, daemon=True) for _ in range(3)]
for thread in threads:
    thread.start()
signal.signal(signal.SIGALRM, {handler})
watchdog.arm(0.3)
{then}
os.kill(os.getpid(), signal.SIGSTOP)
os.write(1, b"went on")
"""


@pytest.mark.parametrize(
    ("handler", "then", "code", "said"),
    [
        ("signal.SIG_DFL", "", -signal.SIGALRM, b""),
        ("signal.SIG_DFL", "watchdog.disarm()", 0, b"went on"),
        ("signal.SIG_IGN", "", 0, b"went on"),
    ],
    ids=["armed", "disarmed", "ignored"],
)
def test_who_was_stopped_while_it_was_armed_does_not_go_on(handler: str, then: str, code: int, said: bytes) -> None:
    program = PROGRAM.format(handler=handler, then=then)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGCONT)
        assert process.communicate(timeout=30)[0] == said
    assert process.returncode == code


def test_a_timer_that_somebody_had_set_goes_on() -> None:
    signal.setitimer(signal.ITIMER_REAL, 500, 7)
    try:
        watchdog.arm(60)
        assert 59 < signal.getitimer(signal.ITIMER_REAL)[0] <= 60
        watchdog.disarm()
        left, interval = signal.getitimer(signal.ITIMER_REAL)
        assert 400 < left <= 500
        assert interval == 7
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def test_a_timer_that_somebody_sets_afterwards_goes_on() -> None:
    watchdog.arm(60)
    watchdog.disarm()
    signal.setitimer(signal.ITIMER_REAL, 500)
    try:
        watchdog.disarm()
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 400
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def test_a_timer_that_somebody_else_hears_of_is_left_alone() -> None:
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    try:
        watchdog.arm(60)
        assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    finally:
        signal.signal(signal.SIGALRM, before)
        watchdog.disarm()


def test_of_two_threads_one_has_it_and_none_leaves_it_behind() -> None:
    """Lanes that block have threads of their own, and ask by turns."""
    left: list[float] = []

    def arms_too() -> None:
        watchdog.arm(700)
        left.append(signal.getitimer(signal.ITIMER_REAL)[0])
        watchdog.disarm()
        left.append(signal.getitimer(signal.ITIMER_REAL)[0])

    watchdog.arm(60)
    other = threading.Thread(target=arms_too)
    other.start()
    other.join()
    watchdog.disarm()
    left.append(signal.getitimer(signal.ITIMER_REAL)[0])
    assert [59 < one <= 60 for one in left] == [True, True, False]
    assert left[-1] == 0


def test_threads_that_arm_and_disarm_without_end_leave_nothing_behind() -> None:
    def arms() -> None:
        for _ in range(20_000):
            watchdog.arm(60)
            watchdog.disarm()

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=arms) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    watchdog.arm(60)
    assert signal.getitimer(signal.ITIMER_REAL)[0] > 59
    watchdog.disarm()
