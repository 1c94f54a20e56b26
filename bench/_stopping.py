"""Senders that are stopped (SIGSTOP) for longer than their leases, while another delivers everything; then they go on.

Nobody is killed but by the own watchdog, so that every second copy comes of the stops.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from bench._killing import Sender, fork, kill
from bench._truth_sink import read_log
from bench._verdict import Verdict
from paperdigest.errors import StoreError
from paperdigest.store.claims import LEASE
from paperdigest.store.engine import Turns, connect_raw

__all__ = ["STOP_SPEED", "Moment", "stopped"]

STOP_SPEED = 150
"""Time runs faster than where senders are killed: a lease is waited for in every round."""

Moment = str | None
"""A failpoint and its count, as `paperdigest.failpoints.arm` reads them; None: at random."""

_BEYOND_S = LEASE.total_seconds() / STOP_SPEED + 0.3
_PATIENCE_S = 120.0
_TICK_S = 0.005
_COMES_BY_S = 10.0


def stopped(sender: Sender, verdict: Verdict, draw: random.Random, moments: Sequence[Moment]) -> None:
    """Start a sender for each moment, stop them one after the other, let another do all their work, let them go on."""
    # Whoever stops by itself begins when it is its turn: it may stop while it writes, and would hold up the others.
    at_random = [fork(lambda: _deliver(sender)) for moment in moments if moment is None]
    waiting = [number for number in at_random if _stop(sender, verdict, draw.uniform(0.05, 0.3), draw, number)]
    for moment in moments:
        if moment is not None:
            number = fork(lambda: _deliver(sender), moment, stops=True)
            if _stop(sender, verdict, _COMES_BY_S, draw, number):
                waiting.append(number)
    time.sleep(_BEYOND_S)
    other = fork(lambda: _deliver(sender))
    _end(other, verdict, "the sender that took over")
    taken = len(read_log(sender.folder / "truth.log"))
    draw.shuffle(waiting)
    for number in waiting:
        os.kill(number, signal.SIGCONT)
    for number in waiting:
        _end(number, verdict, "a sender that went on")
    verdict.late += len(read_log(sender.folder / "truth.log")) - taken


def _deliver(sender: Sender) -> None:
    """Deliver until all is settled, as a daemon does: what cannot be written down now is tried again."""
    while True:
        try:
            return sender.until_done()
        except StoreError:
            time.sleep(_TICK_S)


def _stop(sender: Sender, verdict: Verdict, wait_s: float, draw: random.Random, number: int) -> bool:
    """Stop a sender where it holds nobody up; return False when it had nothing left to do.

    Where it was writing, it goes on after its lease, and is stopped once more: until then nobody can write.

    Args:
        sender: what it is.
        verdict: where stops are counted.
        wait_s: for how long it may stop by itself, in seconds; then it is stopped.
        draw: for the moments after that.
        number: its process.
    """
    while True:
        if (is_stopped := _has_stopped(number, wait_s)) is None:
            return False
        if not is_stopped:
            os.kill(number, signal.SIGSTOP)
            if _has_stopped(number, _PATIENCE_S) is None:
                return False
        verdict.kills += 1
        verdict.at_moment += is_stopped
        if _can_write(sender.folder):
            return True
        verdict.mid_write += 1
        time.sleep(_BEYOND_S)
        os.kill(number, signal.SIGCONT)
        wait_s = draw.uniform(0.01, 0.1)


def _has_stopped(number: int, patience_s: float) -> bool | None:
    """Wait for a process to be stopped, in seconds, and return whether it is; None: it has ended."""
    until = time.monotonic() + patience_s
    while True:
        found, status = os.waitpid(number, os.WNOHANG | os.WUNTRACED)
        if found:
            return True if os.WIFSTOPPED(status) else None
        if time.monotonic() >= until:
            return False
        time.sleep(_TICK_S)


def _can_write(folder: Path) -> bool:
    """Say whether the write lock is to be had; those who are not stopped hold it for milliseconds."""
    try:
        with closing(connect_raw(folder / "papers.db", busy_timeout=timedelta(0))) as connection:
            Turns(timedelta(seconds=1)).begin(connection)
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError:  # or somebody was stopped in opening the file, and nobody can even do that
        return False
    return True


def _end(number: int, verdict: Verdict, who: str) -> None:
    """Wait for a process to end by itself, as it should, or by its watchdog."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        found, status = os.waitpid(number, os.WNOHANG | os.WUNTRACED)
        if found and os.WIFSTOPPED(status):
            os.kill(number, signal.SIGCONT)  # it had not come by its moment before
        elif found:
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM:
                verdict.watched += 1
            elif status:
                verdict.unsound.append(f"{who} ended with {os.waitstatus_to_exitcode(status)}")
            return
        if time.monotonic() >= until:
            verdict.unsound.append(f"{who} did not come to its end")
            kill(number)
            return
        time.sleep(_TICK_S)
