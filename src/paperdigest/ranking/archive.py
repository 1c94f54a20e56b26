"""What scores are measured against: how the archive's papers score for the same keyword.

A standard score says how many standard deviations a paper lies above what the archive's papers usually get for
a keyword, so that words and vectors can be added up, and the scores of different keywords and days compare. Mean
and deviation are those of the reference papers joined by `PRIOR` imagined ones, which have none of the words and
an ordinary cosine: in an archive of a few papers that were all fetched for one subject, a word of that subject
would otherwise count as nothing special.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from paperdigest.query import Keyword
from paperdigest.query.text import terms
from paperdigest.ranking.bt import K1, ArchiveStatistics, BtScorer
from paperdigest.ranking.corpus import Corpus
from paperdigest.ranking.vectors import GRID, cosines

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PRIOR", "Archive", "Moments"]

PRIOR = 100
"""How many imagined papers stand beside those of the archive."""

COMMON = 0.5
"""How much of what a paper has in common with every other is taken from its nearness."""

NEIGHBOURS = 20
PAPERS_A_NEIGHBOUR = 50
"""How many reference papers a paper's neighbours are: these, or one of so many in a smaller archive."""

_ROWS = 256
"""Papers whose neighbours are looked for at a time: memory for so many rows of cosines."""

COSINE_MEAN = 0.08
COSINE_DEVIATION = 0.10
"""What cosine an imagined paper has with any keyword: near what three collections of abstracts showed."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and standard deviation (above 0) of a score over the archive, one of each per keyword."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]


class Archive:
    """The archive as far as ranking knows it: word statistics of all of it, and a sample of its papers.

    ``reference`` are papers with title and abstract alone, usually the newest two thousand. The same archive
    gives the same scores, whatever else is ranked beside.
    """

    def __init__(self, statistics: ArchiveStatistics, reference: Corpus) -> None:
        self.statistics = statistics
        self.reference = reference
        self.scorer = BtScorer(statistics)
        self._own_neighbours: sparse.csr_array | None = None

    def moments_of(self, keyword: Keyword, scores: NDArray[np.float64]) -> tuple[float, float]:
        """Return mean and deviation of a keyword's raw scores of the reference papers; without a hit a score is 0."""
        size = len(self.reference) + PRIOR
        mean = float(scores.sum()) / size
        # A keyword that no paper of the sample has would have no deviation: count it as if one paper had it.
        square = max(float(scores @ scores), self._typical(keyword) ** 2) / size
        return mean, math.sqrt(max(square - mean**2, 1e-12))

    def neighbours(self, papers: Corpus) -> sparse.csr_array | None:
        """Return the reference papers nearest to each paper, shape (papers, reference), each row adding up to 1.

        None without vectors, and in an archive too small to have neighbours; a paper is none of its own.
        """
        most = min(NEIGHBOURS, len(self.reference) // PAPERS_A_NEIGHBOUR)
        if papers.vectors is None or self.reference.vectors is None or not most:
            return None
        if papers is self.reference and self._own_neighbours is not None:
            return self._own_neighbours
        nearest = np.concatenate(
            [self._nearest(papers, start, most) for start in range(0, len(papers), _ROWS)]
            or [np.zeros((0, most), dtype=np.intp)]
        )
        known = papers.has_vector.repeat(most).astype(np.float64) / most
        ends = np.arange(len(papers) + 1) * most
        found = sparse.csr_array((known, nearest.ravel(), ends), shape=(len(papers), len(self.reference)))
        if papers is self.reference:
            self._own_neighbours = found
        return found

    def _nearest(self, papers: Corpus, start: int, most: int) -> NDArray[np.intp]:
        """Return the columns of the nearest reference papers of some papers, ascending, shape (papers, most)."""
        assert papers.vectors is not None
        assert self.reference.vectors is not None
        near = cosines(papers.vectors[start : start + _ROWS], self.reference.vectors)
        near[:, ~self.reference.has_vector] = -2
        for row, stored in enumerate(papers.papers[start : start + _ROWS]):
            if (column := self.reference.column.get(stored.paper.id)) is not None:
                near[row, column] = -2
        # Stable, so that equally near papers come by id; the columns in order, so that sums are the same anywhere.
        return np.sort(np.argsort(-near, axis=1, kind="stable")[:, :most], axis=1)

    def nearness(self, vectors: NDArray[np.float32], papers: Corpus) -> NDArray[np.float32]:
        """Return how near papers are to texts, as standard scores, shape (texts, papers); 0 where a vector is missing.

        The nearness of a text v and a paper p is ``v·p - 0.5 * m·p`` with the archive's mean vector m: what a
        paper has in common with every other counts against it.

        Args:
            vectors: of the texts, by `vectors.on_grid`, shape (texts, dimensions).
            papers: a corpus with vectors.
        """
        if papers.vectors is None:
            raise ValueError("papers without vectors are near to nothing")
        common = np.rint(self._shift * GRID).astype(np.float32)
        near = cosines(vectors, papers.vectors)
        near -= cosines(common[None], papers.vectors)
        moments = self._moments(vectors.astype(np.float64) / GRID - common / GRID)
        near -= moments.mean[:, None].astype(np.float32)
        near /= moments.deviation[:, None].astype(np.float32)
        near[:, ~papers.has_vector] = 0
        near[~np.any(vectors, axis=1)] = 0
        return near

    def _moments(self, vectors: NDArray[np.float64]) -> Moments:
        """Return the moments of the products of these vectors, shape (n, dimensions), with those of all papers.

        From the reference papers' mean vector m and second moments S alone: the mean of v·p over all p is v·m,
        the mean of its square v'Sv. So this costs the same however large the sample is.
        """
        first, second, count = self._spread
        size = count + PRIOR
        mean = (count * (vectors @ first) + PRIOR * COSINE_MEAN) / size
        square = count * np.einsum("ij,ij->i", vectors @ second, vectors)
        square = (square + PRIOR * (COSINE_MEAN**2 + COSINE_DEVIATION**2)) / size
        # Far above the noise of the sums, far below what a score shows: equal on every machine and in any company.
        mean, square = np.round(mean, 9), np.round(square, 9)
        return Moments(mean, np.sqrt(np.maximum(square - mean**2, 1e-6)))

    @cached_property
    def _shift(self) -> NDArray[np.float64]:
        """What is taken from every text's vector: part of the archive's mean, less of it in a small archive."""
        first, _, count = self._spread
        return COMMON * count / (count + PRIOR) * first

    @cached_property
    def _spread(self) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
        """The mean vector, the second moments and the number of the reference papers that have a vector."""
        vectors = self.reference.vectors
        if vectors is None:
            raise ValueError("an archive without vectors is near to nothing")
        known = vectors[self.reference.has_vector].astype(np.float64)
        if not len(known):
            return np.zeros(vectors.shape[1]), np.zeros((vectors.shape[1], vectors.shape[1])), 0
        return known.sum(axis=0) / len(known) / GRID, known.T @ known / len(known) / GRID**2, len(known)

    def _typical(self, keyword: Keyword) -> float:
        """Return what a paper of average length gets that says each word once."""
        words = [] if keyword.is_strict else terms(keyword.words).words
        return sum(times * self.statistics.idf(word) for word, times in words or (("", 0),)) / (1 + K1) or 1 / (1 + K1)
