"""A watchdog timer kept by the kernel: whoever is stopped for too long between two lines dies before the second.

No look at the clock can be so late that nothing comes after it: a process may be stopped (SIGSTOP) right behind it, for
an hour, and go on. The timer runs on meanwhile, and its signal comes before any line of the program does.
"""

from __future__ import annotations

import signal

__all__ = ["arm", "disarm"]

_setitimer = getattr(signal, "setitimer", None)  # Windows has none
_before: tuple[float, float] | None = None


def arm(seconds: float) -> None:
    """Let this process die by SIGALRM unless `disarm` is called within ``seconds``.

    To be called again and again, and for microseconds: a machine that is merely slow must not be taken for stopped.
    Without effect where somebody else handles SIGALRM or ignores it, and in the first process of a container, which
    no signal of its own ends (pid_namespaces(7)). Time in which the whole machine sleeps does not count.
    """
    global _before  # noqa: PLW0603  there is one such timer in a process
    if _setitimer is not None and signal.getsignal(signal.SIGALRM) is signal.SIG_DFL:
        _before = _setitimer(signal.ITIMER_REAL, seconds)


def disarm() -> None:
    """Take back what `arm` set, if anything; a timer that somebody had set before goes on."""
    global _before  # noqa: PLW0603  as above
    if _before is not None and _setitimer is not None:
        _setitimer(signal.ITIMER_REAL, *_before)
        _before = None
