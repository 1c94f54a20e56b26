"""Ranking: which papers a subscriber sees, in which order, and why. Pure functions of their arguments."""

from paperdigest.ranking.bt import ArchiveStatistics, BtScorer
from paperdigest.ranking.combine import rank
from paperdigest.ranking.scores import KeywordScores

__all__ = ["ArchiveStatistics", "BtScorer", "KeywordScores", "rank"]
