"""What came of senders that something happened to: what arrived, beside what the ledger says."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from bench._truth_sink import read_log
from paperdigest.store.engine import connect_raw

__all__ = ["Verdict", "compare"]

_DOUBTED = """
SELECT message_id FROM deliveries WHERE id IN (SELECT delivery_id FROM attempts WHERE state = 'in_doubt')
"""


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What came of one scenario.

    ``kills`` counts stops, too. ``most_doubts`` is of a single kill, where kills come one by one. ``at_moment``:
    stops at the very moment that was named. ``mid_write``: stops of a sender that was writing, so that nobody could
    write before it went on. ``late``: messages that senders sent
    after they had been stopped and others had delivered everything. ``watched``: senders that the watchdog ended
    when they were to go on.
    """

    kills: int = 0
    arrived: int = 0
    lost: int = 0
    twice: int = 0
    doubts: int = 0
    most_doubts: int = 0
    outside_doubt: int = 0
    altered: int = 0
    at_moment: int = 0
    mid_write: int = 0
    late: int = 0
    watched: int = 0
    unsound: list[str] = field(default_factory=list)

    @property
    def by_a_kill(self) -> float:
        """How many came into doubt by one kill: the most, or where several senders are killed, on the average."""
        return self.most_doubts or self.doubts / max(1, self.kills)

    def add(self, other: Verdict) -> None:
        """Add what came of another round of the same scenario."""
        self.kills += other.kills
        self.arrived += other.arrived
        self.lost += other.lost
        self.twice += other.twice
        self.doubts += other.doubts
        self.most_doubts = max(self.most_doubts, other.most_doubts)
        self.outside_doubt += other.outside_doubt
        self.altered += other.altered
        self.at_moment += other.at_moment
        self.mid_write += other.mid_write
        self.late += other.late
        self.watched += other.watched
        self.unsound += other.unsound


def compare(folder: Path, verdict: Verdict) -> None:
    """Compare the log of the sink with the ledger, and write down what is found."""
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
