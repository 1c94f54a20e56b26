"""A watchdog timer kept by the kernel: whoever is stopped for too long between two lines dies before the second.

No look at the clock can be so late that nothing comes after it: a process may be stopped (SIGSTOP) right behind it, for
an hour, and go on. The timer runs on meanwhile, and its signal comes before any line of the program does.
"""

from __future__ import annotations

import signal
import threading

__all__ = ["arm", "disarm"]

_setitimer = getattr(signal, "setitimer", None)  # Windows has none
_OFF = (0.0, 0.0)

# A process has one such timer: one thread may have it, and nobody else may put it off.
_taken = threading.Lock()
_owner: int | None = None
_before = _OFF


def arm(seconds: float) -> None:
    """Let this process die by SIGALRM unless this thread calls `disarm` within ``seconds``.

    To be called again and again, and for microseconds: a machine that is merely slow must not be taken for stopped.
    Without effect while another thread has done so, where somebody else handles SIGALRM or ignores it, and in the
    first process of a container, which no signal of its own ends (pid_namespaces(7)). Time in which the whole machine
    sleeps does not count.
    """
    global _owner, _before  # noqa: PLW0603  there is one such timer in a process
    if _setitimer is None or signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL:
        return
    if _taken.acquire(blocking=False):
        _owner = threading.get_ident()  # first: whoever is interrupted behind this line puts it off all the same
        _before = _setitimer(signal.ITIMER_REAL, seconds)


def disarm() -> None:
    """Take back what `arm` set in this thread, if anything; a timer that somebody had set before goes on."""
    global _owner, _before
    if _owner is None or _owner != threading.get_ident() or _setitimer is None:
        return
    _setitimer(signal.ITIMER_REAL, *_before)
    _before, _owner = _OFF, None
    _taken.release()
