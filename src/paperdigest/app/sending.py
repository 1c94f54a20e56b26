"""Ranking and sending with everything they need, made from the settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from paperdigest.config import Settings
from paperdigest.ranking import ArchiveStatistics, BtScorer, rank
from paperdigest.store import Store
from paperdigest.types import RankedPaper, StoredPaper, Topic

__all__ = ["Sending"]


class Sending:
    """Plans, renders and delivers digests."""

    def __init__(self, settings: Settings, store: Store, clock: Callable[[], datetime]) -> None:
        self._settings, self._store, self._clock = settings, store, clock

    def rank(
        self, topics: Sequence[Topic], papers: Sequence[StoredPaper], limit: int, threshold: float = 0.0
    ) -> tuple[RankedPaper, ...]:
        """Rank papers; how common a word is, is counted among these papers."""
        scorer = BtScorer(ArchiveStatistics.of(papers))
        return rank(topics, papers, scorer=scorer, limit=limit, threshold=threshold)
