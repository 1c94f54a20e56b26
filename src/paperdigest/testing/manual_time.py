"""A clock that only moves when told, so that no test sleeps or depends on the day it runs."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

__all__ = ["ManualTime"]


class ManualTime:
    """Stands in for the time of day, the monotonic clock and sleep at once.

    ``step_s`` passes at every look at the monotonic clock: the world moves on while one waits.
    """

    def __init__(self, start: datetime = datetime(2026, 4, 15, 6, 0, tzinfo=UTC), *, step_s: float = 0) -> None:
        self._start, self._step_s, self._passed_s = start, step_s, 0.0
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def clock(self) -> datetime:
        """Return the time of day."""
        return self._start + timedelta(seconds=self._passed_s)

    def monotonic(self) -> float:
        """Return the seconds passed since the start."""
        with self._lock:
            self._passed_s += self._step_s
            return self._passed_s

    def sleep(self, seconds: float) -> None:
        """Let the time pass at once, and remember it in ``slept``."""
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self._passed_s += seconds
