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
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve

from paperdigest.query.text import STOP_WORDS, TITLE_COPIES, Document, stems
from paperdigest.ranking.bt import ArchiveStatistics

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Rows: TypeAlias = sparse.csr_array | Floats

__all__ = ["WORD_GRID", "Background", "Texts", "WordSpace"]

WORD_GRID = 2**16
"""The length of a row of words, in whole numbers."""

RIDGE = 0.03
"""What is added to every word's variance; all of them together are at most 1. Measured: .01 to .1 do equally well."""

MOST_FITTED = 2500
"""Papers of the archive that a direction is fitted to; the work grows with the cube of their number."""

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

    def rows(self, part: str) -> Rows | None:
        """Return what a part of a profile looks at: words, or for ``meaning`` vectors."""
        return self.vectors if part == "meaning" else self.words

    def is_known(self, part: str) -> NDArray[np.bool_]:
        """Say of which papers a part knows anything: one without known words is like nothing, but in no direction."""
        if part == "words":
            return np.ones(len(self), dtype=np.bool_)
        if part == "direction":
            return np.asarray(np.diff(self.words.indptr) > 0)
        return np.zeros(len(self), dtype=np.bool_) if self.vectors is None else np.any(self.vectors, axis=1)

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
        self._known: dict[str, Rows | None] = {}

    def known(self, part: str) -> Rows | None:
        """Return the rows of the papers of which a part knows anything; None without a model."""
        if part not in self._known:
            rows = self.texts.rows(part)
            self._known[part] = None if rows is None else rows[np.flatnonzero(self.texts.is_known(part))]
        return self._known[part]

    @cached_property
    def mean(self) -> Floats:
        """The mean row of words, shape (vocabulary,), in units of one."""
        total: Floats = np.asarray(self._fitted.sum(axis=0), dtype=np.float64)
        return total / (max(int(self._fitted.shape[0]), 1) * WORD_GRID)

    def direction(self, wanted: Floats) -> Floats:
        """Return ``(covariance + RIDGE * I)^-1 wanted`` times `RIDGE`, shape (vocabulary,).

        By the n papers instead of the many words, with the centred rows C: ``v - C' (C C' + n RIDGE I)^-1 C v``. One
        factor of n x n serves all readers.
        """
        fitted, size = self._fitted, self._fitted.shape[0]
        if not size:
            return np.array(wanted)
        inner = np.asarray(fitted @ wanted, dtype=np.float64) / WORD_GRID - float(self.mean @ wanted)
        # They add up to 0 (a vector of ones is C C' none), so that the rows need not be centred here.
        weights = cho_solve(self._factor, inner, check_finite=False)
        return np.asarray(wanted - fitted.T @ weights / WORD_GRID, dtype=np.float64)

    @cached_property
    def _fitted(self) -> sparse.csr_array:
        """The papers that directions are fitted to, in an order of their own, whatever that of the archive is."""
        words = self.texts.words
        ends = zip(words.indptr[:-1].tolist(), words.indptr[1:].tolist(), strict=True)
        digests = [blake2b(words.indices[a:b].tobytes() + words.data[a:b].tobytes()).digest() for a, b in ends]
        order = sorted(range(len(digests)), key=digests.__getitem__)[:MOST_FITTED]
        fitted: sparse.csr_array = words[np.array(order, dtype=np.intp)]
        return fitted

    @cached_property
    def _factor(self) -> tuple[Floats, bool]:
        size = self._fitted.shape[0]
        products = (self._fitted @ self._fitted.T).toarray() / WORD_GRID**2
        means = products.mean(axis=0)
        products += products.mean() - means[:, None] - means[None, :]
        products[np.diag_indices(size)] += size * RIDGE
        factor, is_lower = cho_factor(products, lower=True, overwrite_a=True, check_finite=False)
        return np.asarray(factor, dtype=np.float64), bool(is_lower)
