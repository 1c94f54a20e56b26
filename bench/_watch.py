"""A clock that can be stopped, so that setting up a run is not part of its time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

from bench.timing import cpu_seconds

__all__ = ["Watch"]


class Watch:
    """Counts the seconds of ``clock`` outside of `stopped` blocks, and the wall time of those `lapped`."""

    def __init__(self, clock: Callable[[], float] = cpu_seconds) -> None:
        self._clock = clock
        self._stopped_s = 0.0
        self._wall_s: dict[str, list[float]] = {"ours": [], "peer": []}

    def __call__(self) -> float:
        return self._clock() - self._stopped_s

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Leave the block's time out."""
        start = self._clock()
        yield
        self._stopped_s += self._clock() - start

    @contextmanager
    def lapped(self, side: str) -> Iterator[None]:
        """Remember the block's wall time for ``ours`` or ``peer``."""
        start = time.perf_counter()
        yield
        self._wall_s[side].append(time.perf_counter() - start)

    def wall_note(self) -> str:
        """Return the medians of the wall times in words; the first lap of each side was to warm up."""
        ours, peer = (median(laps[1:] or laps) for laps in self._wall_s.values())
        return f"wall time {ours:.2f} s / {peer:.2f} s = {ours / peer:.2f}"
