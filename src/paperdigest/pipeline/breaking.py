"""When mail servers refuse *us*, stop before more harm is done: the circuit breaker, and how long it stays open."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

__all__ = ["FIRST_PAUSE", "LONGEST_PAUSE", "Breaker", "next_pause"]

WINDOW = 50
ENOUGH = 10
SHARE = 0.2

FIRST_PAUSE = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(hours=4)


class Breaker:
    """Opens when a fifth of the last fifty outcomes (of ten at least) were refusals of the sender."""

    def __init__(self) -> None:
        self._refused: deque[bool] = deque(maxlen=WINDOW)

    def count(self, *, refused: bool) -> bool:
        """Count one outcome and return whether it is time to stop."""
        self._refused.append(refused)
        return refused and len(self._refused) >= ENOUGH and sum(self._refused) >= SHARE * len(self._refused)


def next_pause(last: timedelta | None) -> timedelta:
    """Return how long to stop: a quarter of an hour, and twice as long as before when that did not help."""
    return FIRST_PAUSE if last is None else min(max(2 * last, FIRST_PAUSE), LONGEST_PAUSE)
