"""The keyword x paper matrix of a batch: every distinct keyword is scored once, whoever asked for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from paperdigest.errors import PluginError
from paperdigest.protocols import Scorer
from paperdigest.query import Keyword, parse_query
from paperdigest.types import PaperId, StoredPaper, Topic

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KeywordScores", "distinct_papers", "keywords_of"]


def keywords_of(topics: Iterable[Topic]) -> tuple[Keyword, ...]:
    """Return the distinct keywords of any number of topics, in order of first use.

    Raises:
        QueryError: a topic's query cannot be read.
    """
    queries = dict.fromkeys(topic.query for topic in topics)
    return tuple(dict.fromkeys(keyword for query in queries for keyword in parse_query(query).keywords))


def distinct_papers(papers: Iterable[StoredPaper]) -> tuple[StoredPaper, ...]:
    """Return each paper once: of several with one id the first stands."""
    by_id: dict[PaperId, StoredPaper] = {}
    for stored in papers:
        by_id.setdefault(stored.paper.id, stored)
    return tuple(by_id.values())


class KeywordScores:
    """Raw scores of distinct keywords against distinct papers, computed in one call of the scorer.

    Made once for a batch of subscribers and given to `rank` for each of them, so that the work grows
    with the keywords and not with the subscribers. Takes 8 bytes for each keyword and paper.
    """

    def __init__(self, keywords: Iterable[Keyword], papers: Iterable[StoredPaper], scorer: Scorer) -> None:
        """Score.

        Raises:
            PluginError: the scorer answered with another shape, or with a number that is negative or not finite.
        """
        self.scorer = scorer
        distinct = tuple(dict.fromkeys(keywords))
        candidates = distinct_papers(papers)
        self._row = {keyword: row for row, keyword in enumerate(distinct)}
        self._column = {stored.paper.id: column for column, stored in enumerate(candidates)}
        self._matrix = _checked(scorer, distinct, candidates)

    @classmethod
    def of(cls, topics: Iterable[Topic], papers: Iterable[StoredPaper], scorer: Scorer) -> KeywordScores:
        """Score the keywords of these topics (of one subscriber or of all that are due).

        Raises:
            QueryError: a topic's query cannot be read.
            PluginError: see `__init__`.
        """
        return cls(keywords_of(topics), papers, scorer)

    def rows(self, keywords: Sequence[Keyword], papers: Sequence[StoredPaper]) -> NDArray[np.float64]:
        """Return the raw scores of these keywords and papers, shape (keywords, papers).

        Raises:
            KeyError: a keyword or paper was not scored.
        """
        columns = np.array([self._column[stored.paper.id] for stored in papers], dtype=np.intp)
        rows = np.array([self._row[keyword] for keyword in keywords], dtype=np.intp)
        gathered: NDArray[np.float64] = self._matrix[np.ix_(rows, columns)]
        return gathered


def _checked(scorer: Scorer, keywords: Sequence[Keyword], papers: Sequence[StoredPaper]) -> NDArray[np.float64]:
    """Ask the scorer, and refuse an answer that would poison every later step."""
    shape = (len(keywords), len(papers))
    if 0 in shape:
        return np.zeros(shape, dtype=np.float64)
    matrix = np.asarray(scorer.score(keywords, papers), dtype=np.float64)
    if matrix.shape != shape:
        raise PluginError("scorers", scorer.name, f"returned scores of shape {matrix.shape}, not {shape}")
    if not np.isfinite(matrix).all() or (matrix < 0).any():
        raise PluginError("scorers", scorer.name, "returned a score that is negative or not finite")
    return matrix
