"""The crash matrix: senders killed at random moments and at every named one, and what arrived in the end.

A sink writes down each message before it accepts it. After all the killing the sender is left in peace until everything
is settled; then every digest must have arrived, and those that arrived twice must be among the deliveries that the
ledger had marked as in doubt, with the same bytes. Others are stopped for longer than their leases, and go on when
everything has been delivered by somebody else: then they may send nothing, but for what they had leave to send when
they were stopped. Beside it, in the same run, the policies of other mailers, written from their description.

``CRASH_DIGESTS`` and ``CRASH_KILLS`` in the environment make it smaller.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from bench._crash_peers import POLICIES, Peer
from bench._killing import LANES, OPEN, SPEED, Sender, fork, kill
from bench._stopping import STOP_SPEED, Moment, stopped
from bench._truth_sink import read_log, truth_sink
from bench._verdict import Verdict, compare
from bench._waiting import fill
from bench.timing import Row
from paperdigest import failpoints
from paperdigest.store import checking
from paperdigest.store.engine import connect_raw

__all__ = ["Scenario", "judge", "rounds_of_stops", "run", "scenarios"]

DIGESTS = int(os.environ.get("CRASH_DIGESTS", "10000"))
KILLS = int(os.environ.get("CRASH_KILLS", "200"))
_PATIENCE_S = 300
_OF_DELIVERY = tuple(name for name in failpoints.NAMES if "plan" not in name)
_COUNTS = (1, 2, 7, 30)
_BEFORE_DOT = "after_intent"
"""The one moment after the last look at the lease and before the dot; elsewhere a stop hits it once in a while."""
_LAST = "before_release"
"""Whoever has come so far leaves nothing to those after it."""
_APART = (_BEFORE_DOT, _LAST, "after_claim")  # claims are few: they are stopped at among the random moments
RIGHT_BEFORE = "stopped right before the dot"
Scenario = Callable[[Sender, Verdict], None]


def run() -> Iterator[Row]:
    """Yield a row for each scenario and each thing that must hold in it."""
    draw = random.Random(20261123)
    for name, scenario in scenarios(KILLS, draw).items():
        count = max(200, DIGESTS // 4) if name == "named moments" else DIGESTS
        yield from _rows(name, judge(scenario, count), count)
    for name, rounds in rounds_of_stops(max(1, KILLS // 2), draw).items():
        yield from _of_stops(name, rounds, max(200, DIGESTS // 10))
    for policy in POLICIES:
        verdict = _peer(policy, max(200, DIGESTS // 5), max(4, KILLS // 10), draw)
        yield Row(
            name=f"policy of others: {policy}: lost or twice, a kill",
            ours_s=0,
            peer_s=(verdict.lost + verdict.twice) / max(1, verdict.kills),
            ratio=(verdict.lost + verdict.twice) / max(1, verdict.kills),
            limit=None,
            unit="1",
            note=f"{verdict.kills} kills: {verdict.lost} lost, {verdict.twice} twice",
        )


def scenarios(kills: int, draw: random.Random) -> dict[str, Scenario]:
    """Return what may kill senders, by name; ``kills`` is for the first, and the others get fewer."""
    return {
        "random kills": lambda sender, verdict: _random_kills(sender, verdict, draw, kills),
        "named moments": _named_moments,
        "two daemons": lambda sender, verdict: _two(sender, verdict, draw, kills // 4, sender.until_done),
        "cron and daemon": lambda sender, verdict: _two(sender, verdict, draw, kills // 4, sender.once),
    }


def rounds_of_stops(stops: int, draw: random.Random) -> dict[str, list[Scenario]]:
    """Return rounds in each of which some senders are stopped beyond their leases, so many at random moments."""
    named = [f"{name}:{count}" for count in _COUNTS for name in _OF_DELIVERY if name not in _APART]
    rounds = [[*some, f"{_LAST}:{_COUNTS[number % len(_COUNTS)]}"] for number, some in enumerate(_together(named, 3))]
    return {
        "stopped beyond the lease at random": _in_rounds(_together([None] * stops, 4), draw),
        "stopped beyond the lease at named moments": _in_rounds(rounds, draw),
        RIGHT_BEFORE: _in_rounds(_together([f"{_BEFORE_DOT}:{count}" for count in _COUNTS], 4), draw),
    }


def _together(moments: Sequence[Moment], size: int) -> list[Sequence[Moment]]:
    return [moments[start : start + size] for start in range(0, len(moments), size)]


def _in_rounds(rounds: Sequence[Sequence[Moment]], draw: random.Random) -> list[Scenario]:
    return [partial(stopped, draw=draw, moments=some) for some in rounds]


def judge(scenario: Scenario, count: int, *, speed: float = SPEED) -> Verdict:
    """Let a scenario happen to so many digests, leave the sender in peace, and compare ledger and sink."""
    with tempfile.TemporaryDirectory() as name, truth_sink(Path(name) / "truth.log") as port:
        folder = Path(name)
        fill(folder, count)
        sender, verdict = Sender(folder, port, speed), Verdict()
        scenario(sender, verdict)
        _in_peace(sender)
        verdict.unsound += checking.check(folder / "papers.db")
        compare(folder, verdict)
    return verdict


def _random_kills(sender: Sender, verdict: Verdict, draw: random.Random, kills: int) -> None:
    while verdict.kills < kills:
        number = fork(sender.until_done)
        time.sleep(draw.uniform(0.05, 0.35))
        if not kill(number):
            return  # all is settled
        _count(sender, verdict)


def _named_moments(sender: Sender, verdict: Verdict) -> None:
    for name in _OF_DELIVERY:
        for count in _COUNTS:
            number = fork(sender.until_done, f"{name}:{count}")
            for _ in range(40):
                if os.waitpid(number, os.WNOHANG)[0]:
                    break
                time.sleep(0.05)
            else:  # it does not come by that moment so often
                os.kill(number, signal.SIGKILL)
                os.waitpid(number, 0)
            _count(sender, verdict)


def _two(sender: Sender, verdict: Verdict, draw: random.Random, kills: int, other: Callable[[], object]) -> None:
    daemon, second = fork(sender.until_done), fork(other)
    while verdict.kills < kills and _is_left(sender):
        time.sleep(draw.uniform(0.03, 0.25))
        if draw.random() < 0.5:
            verdict.kills += kill(daemon)
            daemon = fork(sender.until_done)
        else:
            verdict.kills += kill(second)
            second = fork(other)
    for number in (daemon, second):
        verdict.kills += kill(number)


def _is_left(sender: Sender) -> bool:
    """Say whether there is anything to deliver yet: who is killed later has had nothing in hand."""
    left = ", ".join(f"'{state}'" for state in OPEN)
    with closing(connect_raw(sender.folder / "papers.db")) as connection:
        found = connection.execute(f"SELECT 1 FROM deliveries WHERE state IN ({left}) LIMIT 1").fetchone()
    return found is not None


def _in_peace(sender: Sender) -> None:
    number = fork(sender.until_done)
    until = time.monotonic() + _PATIENCE_S
    while not os.waitpid(number, os.WNOHANG)[0]:
        if time.monotonic() > until:
            os.kill(number, signal.SIGKILL)
            os.waitpid(number, 0)
            return
        time.sleep(0.05)


def _count(sender: Sender, verdict: Verdict) -> None:
    """Count a kill, and how many deliveries it left in the window in which they may or may not have arrived."""
    verdict.kills += 1
    with closing(connect_raw(sender.folder / "papers.db")) as connection:
        if connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
            verdict.unsound.append(f"the file after kill {verdict.kills}")
        (open_,) = connection.execute("SELECT count(*) FROM deliveries WHERE state = 'sending'").fetchone()
        (told,) = connection.execute("SELECT count(*) FROM attempts WHERE state = 'in_doubt'").fetchone()
    # Earlier kills' rows stay `sending` until their leases are over: what is new since the last count is this one's.
    verdict.most_doubts = max(verdict.most_doubts, open_ + told - verdict.doubts)
    verdict.doubts = open_ + told


def _rows(name: str, verdict: Verdict, count: int) -> Iterator[Row]:
    note = f"{count:,} digests, {verdict.kills} kills: {verdict.twice} twice, {verdict.doubts} in doubt"
    yield from _bounded(name, _must_hold(verdict), note)


def _of_stops(name: str, rounds: Sequence[Scenario], count: int) -> Iterator[Row]:
    """Yield the rows of stops; whoever goes on after one sends nothing that another has sent."""
    verdict = Verdict()
    for one in rounds:
        verdict.add(judge(one, count, speed=STOP_SPEED))
    note = (
        f"{count * len(rounds):,} digests, {verdict.kills} stops, {verdict.at_moment} of them at a named moment and"
        f" {verdict.mid_write} of one that was writing:"
        f" {verdict.twice} twice, {verdict.late} of these sent by one that went on; {verdict.doubts} in doubt;"
        f" {verdict.watched} ended by their watchdogs"
    )
    held = _must_hold(verdict) | {"sent by one that went on": (verdict.late, 0)}
    yield from _bounded(name, held, note)


def _must_hold(verdict: Verdict) -> dict[str, tuple[float, float]]:
    """Return what is bounded, by name: what was found, and the limit."""
    return {
        "lost": (verdict.lost, 0),
        "twice but never in doubt": (verdict.outside_doubt, 0),
        "copies that differ": (verdict.altered, 0),
        "unsound databases": (len(verdict.unsound), 0),
        "in doubt by a kill, a connection": (verdict.by_a_kill / LANES, 1),
    }


def _bounded(name: str, held: Mapping[str, tuple[float, float]], note: str) -> Iterator[Row]:
    for what, (found, limit) in held.items():
        yield Row(name=f"{name}: {what}", ours_s=found, peer_s=limit, ratio=found, limit=limit, unit="1", note=note)
        note = ""  # said once


def _peer(policy: str, count: int, kills: int, draw: random.Random) -> Verdict:
    with tempfile.TemporaryDirectory() as name, truth_sink(Path(name) / "truth.log") as port:
        peer, verdict = Peer(Path(name), port, policy, count), Verdict()
        while verdict.kills < kills:
            number = fork(peer.work)
            time.sleep(draw.uniform(0.03, 0.12))
            if not kill(number):
                break
            verdict.kills += 1
        number = fork(peer.work)
        os.waitpid(number, 0)
        times = Counter(one for _, one, _ in read_log(Path(name) / "truth.log"))
        verdict.lost, verdict.twice = count - len(times), sum(times.values()) - len(times)
    return verdict
