"""Planning 1,000, 10,000 and 100,000 subscribers: time, its growth, and memory that stays flat.

500 new papers, 2,000 in the archive, ten papers a digest, ranked by words; everybody is due at once. Each crowd is
planned in a fresh process. Once 500 distinct topics are shared by all, and once there are 15,000 of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.timing import Row

ROOT = Path(__file__).resolve().parents[1]
CROWDS = (1_000, 10_000, 100_000)
SHARED, DISTINCT = 500, 15_000
MINUTES, MEMORY = 5, 400e6


def run() -> Iterator[Row]:
    """Compare with five minutes, with smaller crowds, and with 400 MB."""
    for queries in (SHARED, DISTINCT):
        told = f"{queries:,} topics"
        small, middle, large = (_planned(crowd, queries) for crowd in CROWDS)
        assert large["planned"] == CROWDS[-1]
        yield _seconds(f"{CROWDS[-1]:,} planned, {told} | {MINUTES} minutes", large["cpu_s"], 60 * MINUTES, 1.0)
        note = "1 is linear; the small crowd also pays for the archive, which is read once"
        for crowd, less, more in zip(CROWDS[1:], (small, middle), (middle, large), strict=True):
            name = f"{crowd:,} planned, {told} | {crowd // 10:,}, ten times"
            yield _seconds(name, more["cpu_s"], 10 * less["cpu_s"], 1.1, note)
        yield _bytes(f"{CROWDS[-1]:,}, {told}, the whole process | 400 MB", large["process"], MEMORY, 1.0)
        yield _bytes(
            f"{CROWDS[-1]:,}, {told}, the whole process | {CROWDS[1]:,}", large["process"], middle["process"], 1.2
        )


def _planned(crowd: int, queries: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench._planned_crowd", str(crowd), str(queries)]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(printed)
    return found


def _seconds(name: str, ours: float, peer: float, limit: float, note: str = "") -> Row:
    return Row(name=name, ours_s=ours, peer_s=peer, ratio=ours / peer, limit=limit, note=note)


def _bytes(name: str, ours: float, peer: float, limit: float) -> Row:
    return Row(name=name, ours_s=ours, peer_s=peer, ratio=ours / peer, limit=limit, unit="B")
