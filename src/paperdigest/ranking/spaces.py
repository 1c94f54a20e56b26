"""The spaces in which learning compares papers: words (TF-IDF) and vectors, and the archive as the ground.

Weights are rounded to whole numbers, as vectors are (see `vectors`): all sums of products stay below 2**53 and
are exact, so that neither the order of papers nor the company in which one is scored changes anything.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import sparse

from paperdigest.query.text import STOP_WORDS, TITLE_COPIES, Document, stems
from paperdigest.ranking.bt import ArchiveStatistics
from paperdigest.ranking.vectors import GRID

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

__all__ = ["WORD_GRID", "Background", "Texts", "WordSpace", "known_rows"]

WORD_GRID = 2**16
"""The length of a row of words, in whole numbers."""

_STOP_STEMS = frozenset(stems(" ".join(sorted(STOP_WORDS))))


@dataclass(frozen=True, slots=True)
class Texts:
    """Papers as learning sees them, one row each: reference, candidates, likes or dislikes.

    ``words`` has shape (n, vocabulary) and ``vectors`` (n, dimensions) or is None without a model; both hold
    whole numbers, on the grids of `WordSpace` and `vectors.on_grid`. A zero row means: nothing is known.
    """

    words: sparse.csr_array
    vectors: Floats | None = None

    def __len__(self) -> int:
        return int(self.words.shape[0])

    def take(self, rows: Sequence[int]) -> Texts:
        """Return some of the papers, in the order of ``rows``."""
        chosen = np.asarray(rows, dtype=np.intp)
        return Texts(self.words[chosen], None if self.vectors is None else self.vectors[chosen])


class WordSpace:
    """TF-IDF over stems: ``(1 + ln tf) * (1 + ln((1 + N) / (1 + df)))``, of length 1.

    ``tf`` counts a word of the title twice; ``N`` and ``df`` are the archive's. Stop words, and words that none of
    its papers has, are left out. Made once a batch.
    """

    def __init__(self, statistics: ArchiveStatistics) -> None:
        frequency = statistics.document_frequency
        self.stems = tuple(sorted(stem for stem, found in frequency.items() if found > 0 and stem not in _STOP_STEMS))
        self.column = {stem: column for column, stem in enumerate(self.stems)}
        self.frequencies = tuple(frequency[stem] for stem in self.stems)
        papers = max(statistics.documents, max(self.frequencies, default=0))
        idf = [1 + math.log((1 + papers) / (1 + found)) for found in self.frequencies]
        self._idf: Floats = np.array(idf, dtype=np.float64)

    def texts(self, documents: Iterable[Document], vectors: NDArray[np.floating] | None = None) -> Texts:
        """Place papers in the space.

        Args:
            documents: their stems, see `query.text.prepare`.
            vectors: one row each, on the grid (`vectors.on_grid`); None without a model.
        """
        rows = [self._row(document) for document in documents]
        starts = np.cumsum([0, *(len(columns) for columns, _ in rows)])
        columns = np.concatenate([columns for columns, _ in rows]) if rows else np.zeros(0, dtype=np.intp)
        weights = np.concatenate([weights for _, weights in rows]) if rows else np.zeros(0)
        words = sparse.csr_array((weights, columns, starts), shape=(len(rows), len(self.stems)))
        return Texts(words, None if vectors is None else np.asarray(vectors, dtype=np.float64))

    def _row(self, document: Document) -> tuple[NDArray[np.intp], Floats]:
        counts: Counter[int] = Counter()
        for field, times in ((document.title, TITLE_COPIES), (document.abstract, 1)):
            for stem in field:
                if (column := self.column.get(stem)) is not None:
                    counts[column] += times
        columns = np.array(sorted(counts), dtype=np.intp)
        told = np.array([1 + math.log(counts[column]) for column in columns.tolist()], dtype=np.float64)
        weights: Floats = told * self._idf[columns]
        length = math.sqrt(math.fsum((weights * weights).tolist()))
        return columns, np.rint(weights / length * WORD_GRID) if length else weights


class Background:
    """The reference archive: what an ordinary paper scores. Made once a batch.

    ``texts`` are papers drawn from the archive without regard to any reader, a thousand or more if there are as many.
    """

    def __init__(self, texts: Texts) -> None:
        self.texts = texts

    @cached_property
    def mean(self) -> Floats | None:
        """The mean of the known vectors, shape (dimensions,), on the grid; None when there are none."""
        known = known_rows(self.texts.vectors)
        return None if known is None else known.sum(axis=0) / len(known)

    @cached_property
    def inverse(self) -> Floats | None:
        """``(cov + a I)^-1``, shape (dimensions, dimensions); None when the vectors say nothing."""
        known, mean = known_rows(self.texts.vectors), self.mean
        if known is None or mean is None:
            return None
        covariance = (known.T @ known / len(known) - np.outer(mean, mean)) / GRID**2
        ridge = float(np.trace(covariance)) / len(covariance)
        if not ridge > 1e-9:
            return None
        return np.asarray(np.linalg.inv(covariance + ridge * np.eye(len(covariance))), dtype=np.float64)


def known_rows(vectors: Floats | None) -> Floats | None:
    """Return the vectors that are not zero, None when there is none."""
    if vectors is None:
        return None
    known = vectors[np.any(vectors, axis=1)]
    return known if len(known) else None
