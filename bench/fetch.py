"""Fetching: 200 feeds from a server with latency, the same feeds unchanged, and against the ``reader`` library.

The server is a process of its own on the loopback interface; its work counts on neither side. What is compared
with the library runs in a process of its own, too, from starting Python to a store that has been searched.
"""

from __future__ import annotations

import contextlib
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from subprocess import PIPE
from typing import Self

from bench._feeds import feed_path
from bench._fetching import WORKERS, fetch_feeds
from bench._peer_environment import python_with
from bench.timing import Row, paired
from paperdigest.store import Store

ROOT = Path(__file__).resolve().parents[1]
FEEDS = 200
LATENCY_S = 0.05
FEW, MANY = 10, 50  # WordPress, which makes most feeds, puts ten entries into one unless told otherwise
RUNS = 5
PAIRS = 3


def run() -> Iterator[Row]:
    """Yield the rows: elapsed time against the server's latency, bytes, processor time against the peer."""
    with _Server(FEW, delay_s=LATENCY_S) as server:
        yield _latency(server)
    with _Server(MANY, delay_s=0) as server:
        yield _unchanged(server)
        yield _library(server)


class _Server:
    """Serves `FEEDS` feeds, see `bench._feeds`; ``url`` has a pair of braces for the feed's number."""

    def __init__(self, entries: int, *, delay_s: float) -> None:
        self.entries = entries
        command = [sys.executable, "-m", "bench._feeds", str(FEEDS), str(entries), str(delay_s)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, text=True)
        self.url = f"http://127.0.0.1:{self._read()}{feed_path('{}')}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._process.communicate()

    def bytes_sent(self) -> int:
        """Return how many bytes were sent so far, heads included."""
        assert self._process.stdin is not None
        print(file=self._process.stdin, flush=True)
        return self._read()

    def _read(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


def _latency(server: _Server) -> Row:
    """Compare the time until everything is stored with what ``WORKERS`` threads that only waited would take."""
    floor = FEEDS * LATENCY_S / WORKERS
    elapsed = []
    for _ in range(RUNS):
        with _new_store() as store:
            start = time.perf_counter()
            report = fetch_feeds(store, server.url, FEEDS)
            elapsed.append(time.perf_counter() - start)
        assert report.is_good
        assert sum(listing.new for listing in report.listings) == FEEDS * server.entries
    taken = median(elapsed)
    name = f"{FEEDS} feeds of {server.entries} entries at {LATENCY_S * 1000:.0f} ms, {WORKERS} workers | waiting alone"
    note = f"elapsed time until all is stored, median of {RUNS} runs, best {min(elapsed) / floor:.2f}"
    return Row(name=name, ours_s=taken, peer_s=floor, ratio=taken / floor, limit=1.7, note=note)


def _unchanged(server: _Server) -> Row:
    """Compare the bytes of a run on which nothing has changed with those of the run before it."""
    with _new_store() as store:
        counts = [server.bytes_sent()]
        for changed in (True, False):
            report = fetch_feeds(store, server.url, FEEDS)
            counts.append(server.bytes_sent())
            assert report.is_good
            read = sum(listing.new if changed else listing.unchanged for listing in report.listings)
            assert read == FEEDS * server.entries
    first, second = counts[1] - counts[0], counts[2] - counts[1]
    name = f"{FEEDS} feeds of {server.entries} entries again, unchanged | first run"
    note = "bytes that the server sent, heads included"
    return Row(name=name, ours_s=second, peer_s=first, ratio=second / first, limit=0.005, unit="B", note=note)


def _library(server: _Server) -> Row:
    """Compare the processor time of both programs from start to end."""
    what = f"{FEEDS * server.entries} entries from {FEEDS} feeds, searchable | reader"
    python = python_with("reader", "reader", "sgmllib3k")
    if python is None:
        return Row(name=what, ours_s=0, peer_s=0, ratio=math.inf, limit=0.2, note="the library could not be installed")
    scale = [server.url, str(FEEDS), str(server.entries)]

    def ours() -> None:
        _run([sys.executable, "-m", "bench._fetching"], scale)

    def peer() -> None:
        _run([str(python), str(ROOT / "bench" / "_reader_peer.py")], scale)

    return paired(ours, peer, pairs=PAIRS, clock=_children_cpu_seconds).at_most(
        0.2, what, "processes from start to end"
    )


def _run(command: list[str], scale: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*command, str(Path(folder) / "db"), *scale], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def _children_cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextlib.contextmanager
def _new_store() -> Iterator[Store]:
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.closing(Store.open(Path(folder) / "db", create=True)) as one,
    ):
        yield one
