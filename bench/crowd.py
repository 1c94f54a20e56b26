"""Planning and delivering to 1,000, 10,000 and 100,000 subscribers: time, its growth, and memory that stays flat.

Real days, 500 distinct sets of topics, ten papers a digest at most, everybody due at once; each crowd in a process of
its own, by the application's ``send``, signed, to Postfix's ``smtp-sink`` on the loopback interface, which counts.

``CROWD`` in the environment is the size of the largest crowd; the others are a tenth and a hundredth of it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from bench._crowd_sending import Sent, Spent
from bench._real_crowd import add_readers, fill_days
from bench._waiting import counting_sink
from bench.timing import Row
from paperdigest.store import checking

__all__ = ["Crowd", "run"]

CROWD = int(os.environ.get("CROWD", "100000"))
MEMORY = 400e6
GROWTH = 1.3
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What a crowd took, how many messages its sink counted, and what the database's check found."""

    size: int
    sent: Sent
    arrived: int
    findings: tuple[str, ...]

    def missing(self) -> int:
        """Return how many digests are not planned, not sent, or not counted by the sink, and other findings."""
        states, planned = dict(self.sent["states"]), self.sent["planned"]
        astray = abs(planned - states.pop("sent", 0)) + sum(states.values()) + abs(planned - self.arrived)
        astray += abs(planned - self.sent["sent"]) + self.size - planned
        return astray + len(self.findings) + len(self.sent["problems"])


def run() -> Iterator[Row]:
    """Yield the rows of each crowd, then how time and memory grow."""
    crowds = []
    with tempfile.TemporaryDirectory() as name:
        days = Path(name) / "days"
        days.mkdir()
        asked = fill_days(days)
        for size in (CROWD // 100, CROWD // 10, CROWD):
            folder = Path(shutil.copytree(days, Path(name) / str(size)))
            add_readers(folder, size, asked)
            crowds.append(_sent(folder, size))
            shutil.rmtree(folder)
            yield from _of_one(crowds[-1])
    for less, more in pairwise(crowds):
        yield from _growth(less, more)


def _sent(folder: Path, size: int) -> Crowd:
    environment = {name: value for name, value in os.environ.items() if name != "PAPERDIGEST_MODEL"}
    with counting_sink(folder / "counts") as (port, arrived):
        command = [sys.executable, "-m", "bench._crowd_sending", str(folder), str(port)]
        printed = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, env=environment).stdout
        sent: Sent = json.loads(printed)
        count = arrived()
    return Crowd(size=size, sent=sent, arrived=count, findings=checking.check(folder / "papers.db"))


def _of_one(crowd: Crowd) -> Iterator[Row]:
    sent, size = crowd.sent, crowd.size
    told = f"{size:,} subscribers"
    wrong = crowd.missing()
    yield Row(
        name=f"{told}: not sent, not arrived, or unsound",
        ours_s=wrong,
        peer_s=sent["planned"],
        ratio=wrong,
        limit=0,
        note=f"{sent['planned']:,} planned; {'; '.join([*crowd.findings, *sent['problems']][:3])}".rstrip("; "),
        unit="1",
    )
    for what, spent, count in (
        ("planned", sent["planning"], size),
        ("delivered", sent["delivering"], sent["sent"]),
    ):
        yield Row(
            name=f"{told}: {what}, processor | wall",
            ours_s=spent["cpu_s"],
            peer_s=spent["wall_s"],
            ratio=spent["cpu_s"] / spent["wall_s"],
            limit=None,
            note=f"{_each(spent, count):,.0f} µs each, {count / spent['wall_s']:,.0f} a second (wall)",
        )
        note = f"{sent['before'] / 1e6:,.0f} MB before anything was {what}" if what == "planned" else ""
        yield _memory(f"{told}: most memory while {what} | 400 MB", spent["memory"], MEMORY, 1.0, note)


def _growth(less: Crowd, more: Crowd) -> Iterator[Row]:
    limit = GROWTH if more.size == CROWD else None  # a small crowd also pays for what is read once
    cases: tuple[tuple[str, Callable[[Sent], Spent], Callable[[Crowd], int]], ...] = (
        ("planned", lambda sent: sent["planning"], lambda crowd: crowd.size),
        ("delivered", lambda sent: sent["delivering"], lambda crowd: crowd.sent["sent"]),
    )
    for what, spent, count in cases:
        ours, theirs = (_each(spent(crowd.sent), count(crowd)) / 1e6 for crowd in (more, less))
        yield Row(
            name=f"processor time of one of {more.size:,} {what} | of {less.size:,}",
            ours_s=ours,
            peer_s=theirs,
            ratio=ours / theirs,
            limit=limit,
        )
        ours, theirs = (spent(crowd.sent)["memory"] for crowd in (more, less))
        yield _memory(f"most memory, {more.size:,} {what} | {less.size:,}", ours, theirs, None)


def _each(spent: Spent, count: int) -> float:
    """Return the processor time of one, in microseconds."""
    return spent["cpu_s"] / count * 1e6


def _memory(name: str, ours: float, peer: float, limit: float | None, note: str = "") -> Row:
    return Row(name=name, ours_s=ours, peer_s=peer, ratio=ours / peer, limit=limit, unit="B", note=note)
