"""Durable marks: what group commit is worth, what a delivery costs, and how two processes share one database.

The peer writes each mark in a transaction of its own, as durable as ours (``synchronous = FULL``), from as many
threads by one connection. Rates are of the wall clock, as what counts is waiting for the disk (which is why only the
large differences are bounded); costs are processor time.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

from bench._outbox import claimed, clock, filled, in_lanes
from bench.timing import Row
from paperdigest.store.claims import Claim, Intent, Outcome
from paperdigest.store.engine import connect_raw
from paperdigest.store.marks import Marks
from paperdigest.types import DeliveryState

_PAIRS = 3
_HASH = b"0123456789abcdef"
_SENT = Outcome(state=DeliveryState.SENT, detail="250 2.0.0 Ok: queued as 4bXk3M1TzYz9s")
_COST_MS = 0.15
_TOGETHER = 3_000

_PEER = (
    "UPDATE deliveries SET state = 'sending', content_hash = ? WHERE id = ? AND lease_epoch = ? AND state = 'leased'",
    "UPDATE deliveries SET state = 'sent', detail = ? WHERE id = ? AND lease_epoch = ? AND state = 'sending'",
)


def run() -> Iterator[Row]:
    """Compare with a commit per mark for 1 to 32 threads, with 0.15 ms, and two processes with each other."""
    for lanes, count, limit in ((1, 150, None), (8, 400, None), (16, 800, 2), (32, 800, 2)):
        times = [(_seconds(_ours, lanes, count), _seconds(_peer, lanes, count)) for _ in range(_PAIRS)]
        ours, peer = median(one for one, _ in times), median(one for _, one in times)
        rates = f"wall clock; {2 * count / ours:,.0f} marks/s against {2 * count / peer:,.0f}"
        factor = median(theirs / mine for mine, theirs in times)
        name = f"{2 * count:,} marks by {lanes} threads | a commit per mark"
        yield Row(name=name, ours_s=ours, peer_s=peer, ratio=factor, limit=limit, better="higher", note=rates)
    cost = median(_cost(32, 3_000) for _ in range(_PAIRS))
    goal = _COST_MS / 1000
    yield Row(
        name="claim + intend + settle of one delivery, 32 lanes | 0.15 ms",
        ours_s=cost,
        peer_s=goal,
        ratio=cost / goal,
        limit=1,
    )
    yield _two_processes()


def _seconds(work: Callable[[Path, int, int], float], lanes: int, count: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return work(Path(folder) / "papers.db", lanes, count)


def _ours(path: Path, lanes: int, count: int) -> float:
    database = filled(path, count)
    claims = claimed(database, count)
    start = time.perf_counter()
    with Marks(database, clock) as marks:
        in_lanes(lanes, claims, lambda claim: _deliver(marks, claim))
    elapsed = time.perf_counter() - start
    database.close()
    return elapsed


def _deliver(marks: Marks, claim: Claim) -> None:
    assert marks.intend(claim, _HASH) is Intent.GRANTED
    marks.settle(claim, _SENT)


def _peer(path: Path, lanes: int, count: int) -> float:
    database = filled(path, count)
    claims = claimed(database, count)
    database.close()
    lock = threading.Lock()
    with closing(connect_raw(path)) as connection:

        def deliver(claim: Claim) -> None:
            for statement, value in zip(_PEER, (_HASH, _SENT.detail), strict=True):
                with lock:
                    connection.execute("BEGIN IMMEDIATE")
                    connection.execute(statement, (value, claim.delivery.id, claim.epoch))
                    connection.execute("COMMIT")

        start = time.perf_counter()
        in_lanes(lanes, claims, deliver)
        return time.perf_counter() - start


def _cost(lanes: int, count: int) -> float:
    """Return processor seconds for one delivery."""
    with tempfile.TemporaryDirectory() as folder:
        database = filled(Path(folder) / "papers.db", count)
        start = time.process_time()
        claims = claimed(database, count)
        with Marks(database, clock) as marks:
            in_lanes(lanes, claims, lambda claim: _deliver(marks, claim))
        spent = time.process_time() - start
        database.close()
    return spent / count


def _two_processes() -> Row:
    """Say how evenly two processes come to their turns: the share of the one that got less."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "papers.db"
        filled(path, _TOGETHER).close()
        command = [sys.executable, "-m", "bench._outbox", str(path), "16"]
        workers = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
        ]
        for worker in workers:
            assert worker.stdout is not None
            worker.stdout.readline()
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("\n")
            worker.stdin.flush()
        told = [worker.communicate(timeout=120)[0].split() for worker in workers]
    done = [int(count) for count, _ in told]
    longest = max(float(wait) for _, wait in told)
    assert sum(done) == _TOGETHER
    return Row(
        name=f"{_TOGETHER:,} deliveries marked by two processes: the slower one's | an even half",
        ours_s=min(done),
        peer_s=_TOGETHER / 2,
        ratio=min(done) / (_TOGETHER / 2),
        limit=0.5,
        better="higher",
        unit="1",
        note=f"the longest wait for one mark was {longest * 1000:.0f} ms",
    )
