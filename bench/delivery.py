"""Delivering end to end: claim, load, draw, write, sign, send, mark; beside how it is usually done.

The same digests go to the same sink both ways, by turns; and ours to Postfix's ``smtp-sink`` besides, which takes a
good part of a machine of two processors for itself. We use 16 connections (8, the default, are shown as well, without
a limit: then all wait twice as often for a commit); the peer a new one for each message. Throughput is by the clock on
the wall: what waits for locks or disks counts. Our marks are durable (synchronous=FULL), the peer's are not.

One process signs in a second thread, so that two processors are nearly busy with it. What a second process adds is
shown three times: beside the rate wanted of one; beside one process, each having a processor for itself; and, without
a limit, beside one process that has the whole machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench._light_sink import light_sink
from bench._naive_delivery import Letter, Naive, letter
from bench._waiting import EDITION, fill, made, settings, sink, wait_again
from bench.timing import Row
from paperdigest.app.letters import Letters
from paperdigest.render.links import checked
from paperdigest.render.wanted import Wanted

__all__ = ["run"]

DIGESTS, NAIVE_DIGESTS, ROUNDS = 8000, 120, 5
CONNECTIONS, CONNECTIONS_BY_DEFAULT = 16, 8
WANTED_PER_S = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pass:
    """How many digests a second left, and the processor time of each, in our processes."""

    per_s: float
    cpu_s: float


def run() -> Iterator[Row]:
    """Yield the rows: us beside the naive pipeline, our rate, and what a second process adds."""
    with tempfile.TemporaryDirectory() as name, light_sink() as port, sink() as heavy:
        folder = Path(name)
        fill(folder, DIGESTS)
        letters = _letters(folder, port)
        one, two, naive, postfix, alone, side_by_side = [], [], [], [], [], []
        by_default: dict[int, list[_Pass]] = {1: [], 2: []}
        for _ in range(ROUNDS):
            naive.append(_naive(folder, port, letters))
            one.append(_ours(folder, port, processes=1))
            two.append(_ours(folder, port, processes=2))
            alone.append(_ours(folder, port, processes=1, confined=True))
            side_by_side.append(_ours(folder, port, processes=2, confined=True))
            postfix.append(_ours(folder, heavy, processes=1))
            for number, some in by_default.items():
                some.append(_ours(folder, port, processes=number, connections=CONNECTIONS_BY_DEFAULT))
    yield from _rows(one, naive)
    yield from _scaling(one, two, alone, side_by_side)
    yield _shown("digests/s of one process, to smtp-sink", postfix, "of Postfix, which shares the machine")
    for number, some in by_default.items():
        yield _shown(f"digests/s, {number} at once, by {CONNECTIONS_BY_DEFAULT} connections", some, "by default")


def _shown(name: str, some: list[_Pass], note: str) -> Row:
    rate = _rate(some)
    return Row(
        name=name,
        ours_s=rate,
        peer_s=WANTED_PER_S,
        ratio=rate / WANTED_PER_S,
        limit=None,
        better="higher",
        note=f"{note} (wall clock)",
        unit="1",
    )


def _rows(one: list[_Pass], naive: list[_Pass]) -> Iterator[Row]:
    mine, theirs = _rate(one), _rate(naive)
    yield Row(
        name="a digest, end to end: naive / ours",
        ours_s=1 / mine,
        peer_s=1 / theirs,
        ratio=median(us.per_s / them.per_s for us, them in zip(one, naive, strict=True)),
        limit=20,
        better="higher",
        note=f"{mine:,.0f} digests/s against {theirs:,.0f} (wall clock)",
    )
    cpu = median(found.cpu_s for found in one)
    yield Row(
        name="processor time of a digest: naive / ours",
        ours_s=cpu,
        peer_s=median(found.cpu_s for found in naive),
        ratio=median(them.cpu_s / us.cpu_s for us, them in zip(one, naive, strict=True)),
        limit=None,
        better="higher",
        note="without the sink's",
    )
    yield Row(
        name="digests/s of one process",
        ours_s=mine,
        peer_s=WANTED_PER_S,
        ratio=mine / WANTED_PER_S,
        limit=1,
        better="higher",
        note=f"of {WANTED_PER_S:,} wanted (wall clock)",
        unit="1",
    )


def _scaling(one: list[_Pass], two: list[_Pass], alone: list[_Pass], side_by_side: list[_Pass]) -> Iterator[Row]:
    yield Row(
        name="digests/s of two processes",
        ours_s=_rate(two),
        peer_s=WANTED_PER_S,
        ratio=_rate(two) / WANTED_PER_S,
        limit=1.5,
        better="higher",
        note=f"beside the {WANTED_PER_S:,} wanted of one (wall clock)",
        unit="1",
    )
    yield Row(
        name="digests/s of two processes, a processor each",
        ours_s=_rate(side_by_side),
        peer_s=_rate(alone),
        ratio=_gain(side_by_side, alone),
        limit=1.5,
        better="higher",
        note="beside one process on one processor (wall clock)",
        unit="1",
    )
    yield Row(
        name="digests/s of two processes beside one",
        ours_s=_rate(two),
        peer_s=_rate(one),
        ratio=_gain(two, one),
        limit=None,
        better="higher",
        note="that has both processors (wall clock)",
        unit="1",
    )


def _rate(some: list[_Pass]) -> float:
    return median(found.per_s for found in some)


def _gain(some: list[_Pass], others: list[_Pass]) -> float:
    return median(mine.per_s / theirs.per_s for mine, theirs in zip(some, others, strict=True))


def _letters(folder: Path, port: int) -> list[Letter]:
    drawn = Letters(settings(folder, port))
    message_id = "<{:%Y%m%d}.{}.naive@digest.example.org>"
    return [
        letter(Wanted(digest=one, links=checked(drawn.links(one)), preview=False), message_id.format(EDITION, one.id))
        for one in made(NAIVE_DIGESTS)
    ]


def _naive(folder: Path, port: int, letters: list[Letter]) -> _Pass:
    wait_again(folder)
    naive = Naive(folder / "papers.db", folder / "rsa.pem", port)
    naive.message(letters[0])  # compiles the templates
    begun, start = time.monotonic(), time.process_time()
    naive.deliver(letters)
    wall, cpu = time.monotonic() - begun, time.process_time() - start
    return _Pass(per_s=len(letters) / wall, cpu_s=cpu / len(letters))


def _ours(folder: Path, port: int, *, processes: int, confined: bool = False, connections: int = CONNECTIONS) -> _Pass:
    wait_again(folder)
    command = [sys.executable, "-m", "bench._delivering", str(folder), str(port), str(connections)]
    places = sorted(os.sched_getaffinity(0))
    running = [
        subprocess.Popen(
            [*command, str(places[number % len(places)])] if confined else command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    begun = time.monotonic()
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    reports = []
    for process in running:  # until the last has reported, not until it has gone: the peer's end is not counted either
        assert process.stdout is not None
        reports.append(json.loads(process.stdout.readline()))
    wall = time.monotonic() - begun
    for process in running:
        process.communicate()
    assert sum(report["sent"] for report in reports) == DIGESTS, reports
    return _Pass(per_s=DIGESTS / wall, cpu_s=sum(report["cpu_s"] for report in reports) / DIGESTS)
