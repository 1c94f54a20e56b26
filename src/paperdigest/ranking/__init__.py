"""Ranking: which papers a subscriber sees, in which order, and why. Pure functions of their arguments."""

from paperdigest.ranking.archive import Archive
from paperdigest.ranking.batch import Batch
from paperdigest.ranking.bt import ArchiveStatistics, BtScorer
from paperdigest.ranking.corpus import Corpus
from paperdigest.ranking.ranker import Ranker
from paperdigest.ranking.round import Options, Round

__all__ = ["Archive", "ArchiveStatistics", "Batch", "BtScorer", "Corpus", "Options", "Ranker", "Round"]
