"""Paired timing: ours and the peer by turns, so that a busy machine slows both alike."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Literal

__all__ = ["Paired", "Row", "cpu_seconds", "paired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison. ``ratio`` is what ``limit`` bounds: from above when lower is better, else from below.

    A row without limit is shown for the whole picture and can neither pass nor fail.
    ``ours_s`` and ``peer_s`` are seconds unless ``unit`` says that they are bytes (B) or plain numbers (1).
    """

    name: str
    ours_s: float
    peer_s: float
    ratio: float
    limit: float | None
    better: Literal["lower", "higher"] = "lower"
    note: str = ""
    unit: Literal["s", "B", "1"] = "s"

    @property
    def met(self) -> bool:
        """Return whether the ratio keeps its limit."""
        if self.limit is None:
            return True
        return self.ratio <= self.limit if self.better == "lower" else self.ratio >= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """Medians of interleaved runs; ``ratio`` is the median of ours / peer within each pair, not of the medians."""

    ours_s: float
    peer_s: float
    ratio: float

    @property
    def factor(self) -> float:
        """How many times as fast as the peer we are."""
        return 1 / self.ratio

    def at_most(self, limit: float, name: str, note: str = "") -> Row:
        """Return the row "ours takes at most ``limit`` times the peer's time"."""
        return Row(name=name, ours_s=self.ours_s, peer_s=self.peer_s, ratio=self.ratio, limit=limit, note=note)

    def shown(self, name: str, note: str = "") -> Row:
        """Return a row without limit."""
        return Row(name=name, ours_s=self.ours_s, peer_s=self.peer_s, ratio=self.ratio, limit=None, note=note)

    def times_faster(self, limit: float, name: str, note: str = "") -> Row:
        """Return the row "ours is at least ``limit`` times as fast as the peer"."""
        return Row(
            name=name,
            ours_s=self.ours_s,
            peer_s=self.peer_s,
            ratio=self.factor,
            limit=limit,
            better="higher",
            note=note,
        )


def cpu_seconds() -> float:
    """Return the processor time of this process and of its children that have ended."""
    spent = os.times()
    return time.process_time() + spent.children_user + spent.children_system


def paired(
    ours: Callable[[], object],
    peer: Callable[[], object],
    *,
    pairs: int = 5,
    repeat: int = 1,
    clock: Callable[[], float] = cpu_seconds,
) -> Paired:
    """Time ``pairs`` of ours and peer by turns (A B A B ...), after one run of each to warm up.

    Args:
        ours: what we measure.
        peer: what it is measured against.
        pairs: how many times each is timed.
        repeat: calls in one timing, for what is too quick for the clock.
        clock: processor time unless what counts is waiting; then `time.perf_counter`.
    """
    _timed(ours, 1, clock)
    _timed(peer, 1, clock)
    seconds = [(_timed(ours, repeat, clock), _timed(peer, repeat, clock)) for _ in range(pairs)]
    return Paired(
        ours_s=median(mine for mine, _ in seconds),
        peer_s=median(theirs for _, theirs in seconds),
        ratio=median(mine / theirs for mine, theirs in seconds),
    )


def _timed(task: Callable[[], object], repeat: int, clock: Callable[[], float]) -> float:
    """Return seconds per call; results live until the clock has stopped, so that freeing them is not timed."""
    gc.collect()
    start = clock()
    results = [task() for _ in range(repeat)]
    elapsed = clock() - start
    del results
    return max(elapsed, 1e-9) / repeat
