"""Which papers say nearly the same as another: the second version of a work under another name, a twin, a series.

Two papers are near-duplicates when their words or their vectors say so:

- words: the Jaccard index of the stems of title and abstract, stop words apart, is at least `SAME_WORDS`;
  when one of them has fewer than `FEWEST_WORDS`, a bare title, they must be the same words;
- vectors, where both papers have one: their cosine is at least `SAME_SENSE`.
"""

from __future__ import annotations

from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from paperdigest.query.text import STOP_WORDS, stems
from paperdigest.ranking.corpus import Corpus
from paperdigest.ranking.vectors import cosines
from paperdigest.types import PaperId

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FEWEST_WORDS", "SAME_SENSE", "SAME_WORDS", "Neighbours"]

SAME_WORDS = 0.5
"""Among 6,301 daily papers of two years three pairs share as much: two papers of one group on one day (.94), a work
and its second version under another name (.88), one method carried over to a neighbouring task (.51). The next pair
shares .39."""

FEWEST_WORDS = 20
"""Two titles of six words share half of them by chance; an abstract has 67 distinct stems or more (19 of 20 do)."""

SAME_SENSE = 0.93
"""Of the same papers two pairs are as near (.951 and .935, the first two above); then come, from .90 on, different
works on one question, the first within a week at .896. An abstract rewritten in other words is what this is for."""

_STOP_STEMS = frozenset(stems(" ".join(sorted(STOP_WORDS))))
_EXACTLY = 1 - 1e-6


class Neighbours:
    """The near-duplicates of each paper of a corpus, found when they are asked for and remembered.

    One paper takes a product with all the others, 1.4 ms for 6,300. The relation is symmetric and does not
    depend on which other papers are there. For a batch of subscribers one object serves all.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._known: dict[PaperId, frozenset[PaperId]] = {}

    def get(self, paper_id: PaperId, /) -> frozenset[PaperId]:
        """Return the near-duplicates of a paper, itself apart; none of one that is not in the corpus."""
        found = self._known.get(paper_id)
        if found is None:
            row = self._corpus.column.get(paper_id)
            found = self._known[paper_id] = frozenset() if row is None else self._found(row)
        return found

    def _found(self, row: int) -> frozenset[PaperId]:
        same = self._shares_words(row)
        vectors = self._corpus.vectors
        if vectors is not None:
            same |= cosines(vectors[row : row + 1], vectors)[0] >= SAME_SENSE
        same[row] = False
        return frozenset(self._corpus.papers[other].paper.id for other in np.flatnonzero(same).tolist())

    def _shares_words(self, row: int) -> NDArray[np.bool_]:
        """Say for each paper whether its words are the same; a paper without words shares none."""
        words, papers_of, sizes = self._words
        common = (words[[row]] @ papers_of).toarray()[0]
        enough = np.where(np.minimum(sizes, sizes[row]) < FEWEST_WORDS, _EXACTLY, SAME_WORDS)
        same: NDArray[np.bool_] = (common > 0) & (common >= enough * (sizes + sizes[row] - common))
        return same

    @cached_property
    def _words(self) -> tuple[Any, Any, NDArray[np.float64]]:
        """Which stems each paper has, sparse, of shape (papers, stems); the same turned over; and how many."""
        sets = [sorted({*one.title, *one.abstract} - _STOP_STEMS) for one in self._corpus.stems]
        number = {stem: place for place, stem in enumerate(dict.fromkeys(chain.from_iterable(sets)))}
        ends = np.cumsum([0, *map(len, sets)])
        columns = np.fromiter((number[stem] for stem in chain.from_iterable(sets)), dtype=np.int64, count=int(ends[-1]))
        words = sparse.csr_array((np.ones(len(columns)), columns, ends), shape=(len(sets), max(len(number), 1)))
        return words, words.T.tocsr(), np.diff(ends).astype(np.float64)
