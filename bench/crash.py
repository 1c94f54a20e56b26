"""The crash matrix: senders killed at random moments and at every named one, and what arrived in the end.

A sink writes down each message before it accepts it. After all the killing the sender is left in peace until everything
is settled; then every digest must have arrived, and those that arrived twice must be among the deliveries that the
ledger had marked as in doubt, with the same bytes. Beside it, in the same run, the policies of other mailers, written
from their description.

``CRASH_DIGESTS`` and ``CRASH_KILLS`` in the environment make it smaller.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from bench._crash_peers import POLICIES, Peer
from bench._killing import LANES, SPEED, Sender, fork, kill
from bench._truth_sink import read_log, truth_sink
from bench._waiting import fill
from bench.timing import Row
from paperdigest import failpoints
from paperdigest.store import checking
from paperdigest.store.claims import LEASE
from paperdigest.store.engine import connect_raw

__all__ = ["Scenario", "Verdict", "judge", "run", "scenarios"]

DIGESTS = int(os.environ.get("CRASH_DIGESTS", "10000"))
KILLS = int(os.environ.get("CRASH_KILLS", "200"))
_PATIENCE_S = 300
_OF_DELIVERY = tuple(name for name in failpoints.NAMES if "plan" not in name)
_COUNTS = (1, 2, 7, 30)
_DOUBTED = """
SELECT message_id FROM deliveries WHERE id IN (SELECT delivery_id FROM attempts WHERE state = 'in_doubt')
"""


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What came of one scenario; ``most_doubts`` is of a single kill, where kills come one by one."""

    kills: int = 0
    arrived: int = 0
    lost: int = 0
    twice: int = 0
    doubts: int = 0
    most_doubts: int = 0
    outside_doubt: int = 0
    altered: int = 0
    unsound: list[str] = field(default_factory=list)

    @property
    def by_a_kill(self) -> float:
        """How many came into doubt by one kill: the most, or where several senders are killed, on the average."""
        return self.most_doubts or self.doubts / max(1, self.kills)


Scenario = Callable[[Sender, Verdict], None]


def run() -> Iterator[Row]:
    """Yield a row for each scenario and each thing that must hold in it."""
    draw = random.Random(20261123)
    for name, scenario in scenarios(KILLS, draw).items():
        count = DIGESTS if name == "random kills" else max(200, DIGESTS // 4)
        yield from _rows(name, judge(scenario, count), count)
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
    """Return what may happen to senders, by name; ``kills`` is for the first, and the others get fewer."""
    return {
        "random kills": lambda sender, verdict: _random_kills(sender, verdict, draw, kills),
        "named moments": _named_moments,
        "two daemons": lambda sender, verdict: _two(sender, verdict, draw, kills // 4, sender.until_done),
        "cron and daemon": lambda sender, verdict: _two(sender, verdict, draw, kills // 4, sender.once),
        "stopped beyond the lease": lambda sender, verdict: _stopped(sender, verdict, draw, max(1, kills // 40)),
    }


def judge(scenario: Scenario, count: int) -> Verdict:
    """Let a scenario happen to so many digests, leave the sender in peace, and compare ledger and sink."""
    with tempfile.TemporaryDirectory() as name, truth_sink(Path(name) / "truth.log") as port:
        folder = Path(name)
        fill(folder, count)
        sender, verdict = Sender(folder, port), Verdict()
        scenario(sender, verdict)
        _in_peace(sender)
        verdict.unsound += checking.check(folder / "papers.db")
        _compare(folder, verdict)
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
    while verdict.kills < kills:
        time.sleep(draw.uniform(0.05, 0.5))
        if draw.random() < 0.5:
            verdict.kills += kill(daemon)
            daemon = fork(sender.until_done)
        else:
            verdict.kills += kill(second)
            second = fork(other)
    for number in (daemon, second):
        verdict.kills += kill(number)


def _stopped(sender: Sender, verdict: Verdict, draw: random.Random, times: int) -> None:
    """A sender is stopped in mid-work until its leases are over and another has done its work; then it goes on."""
    for _ in range(times):
        number = fork(sender.until_done)
        time.sleep(draw.uniform(0.2, 0.5))
        os.kill(number, signal.SIGSTOP)
        time.sleep(LEASE.total_seconds() / SPEED + 0.2)
        other = fork(sender.until_done)
        time.sleep(0.5)  # enough to take over what was claimed, and not to finish everything
        os.kill(number, signal.SIGCONT)
        time.sleep(0.3)
        verdict.kills += 1 + kill(number) + kill(other)  # to the others a stop is a death


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


def _compare(folder: Path, verdict: Verdict) -> None:
    taken = read_log(folder / "truth.log")
    with closing(connect_raw(folder / "papers.db")) as connection:
        every = {name for (name,) in connection.execute("SELECT message_id FROM deliveries")}
        doubted = {name for (name,) in connection.execute(_DOUBTED)}
    times = Counter(name for _, name, _ in taken)
    copies: dict[str, set[str]] = {}
    for _, name, content in taken:
        copies.setdefault(name, set()).add(content)
    twice = {name for name, count in times.items() if count > 1}
    verdict.arrived = len(times)
    verdict.lost = len(every - times.keys())
    verdict.twice = sum(count - 1 for count in times.values())
    verdict.outside_doubt = len(twice - doubted)
    verdict.altered = sum(len(copies[name]) > 1 for name in twice)
    verdict.doubts = len(doubted)


def _rows(name: str, verdict: Verdict, count: int) -> Iterator[Row]:
    note = f"{count:,} digests, {verdict.kills} kills: {verdict.twice} twice, {verdict.doubts} in doubt"
    held = {
        "lost": (verdict.lost, 0),
        "twice but never in doubt": (verdict.outside_doubt, 0),
        "copies that differ": (verdict.altered, 0),
        "unsound databases": (len(verdict.unsound), 0),
        "in doubt by a kill, a connection": (verdict.by_a_kill / LANES, 1),
    }
    for what, (found, limit) in held.items():
        yield Row(name=f"{name}: {what}", ours_s=found, peer_s=limit, ratio=found, limit=limit, unit="1", note=note)


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
