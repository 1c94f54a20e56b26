"""Named moments at which a process may be made to die, so that tests can prove that nothing is lost then.

``PAPERDIGEST_FAIL=after_intent:3`` kills the process (SIGKILL: no handler, no clean-up) the third time it comes
by the moment named ``after_intent``. Without the variable a failpoint costs one comparison.
"""

from __future__ import annotations

import os
import signal
import threading

__all__ = ["ENVIRONMENT", "NAMES", "arm", "failpoint"]

ENVIRONMENT = "PAPERDIGEST_FAIL"

NAMES = (
    "before_plan_commit",
    "after_plan_chunk",
    "after_claim",
    "before_intent",
    "after_intent",
    "after_dot",
    "after_accepted",
    "before_group_commit",
    "after_group_commit",
    "before_release",
)
"""Every moment there is, in the order in which a run comes by them."""


_armed: str | None = None
_left = 0
_lock = threading.Lock()


def arm(text: str | None) -> None:
    """Choose the moment to die at, as the environment would: ``NAME`` or ``NAME:COUNT``; None for none.

    Raises:
        ValueError: there is no such moment.
    """
    global _armed, _left
    name, _, count = (text or "").partition(":")
    if text and (name not in NAMES or not (count or "1").isdecimal()):
        raise ValueError(f"{ENVIRONMENT}={text!r}: write NAME or NAME:COUNT; names are {', '.join(NAMES)}")
    _armed, _left = name or None, int(count or "1")


def failpoint(name: str) -> None:
    """Die here if somebody chose so."""
    if _armed is None or name != _armed:
        return
    global _left  # noqa: PLW0603  one count for all threads of the process
    with _lock:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


arm(os.environ.get(ENVIRONMENT))
