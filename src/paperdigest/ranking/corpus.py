"""Papers made ready for scoring, each once, in the order of their ids."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from paperdigest.protocols import Encoder
from paperdigest.query.matching import Document
from paperdigest.query.text import Document as Stems
from paperdigest.query.text import prepare
from paperdigest.ranking.vectors import on_grid
from paperdigest.types import PaperId, StoredPaper

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Corpus", "distinct_papers"]


def distinct_papers(papers: Iterable[StoredPaper]) -> tuple[StoredPaper, ...]:
    """Return each paper once, by id: of several with one id the first stands."""
    by_id: dict[PaperId, StoredPaper] = {}
    for stored in papers:
        by_id.setdefault(stored.paper.id, stored)
    return tuple(by_id[key] for key in sorted(by_id))


class Corpus:
    """Papers with their stems and vectors: prepared once, however many keywords are scored.

    ``papers`` are distinct and sorted by id; all arrays have one row or column for each, in this order.
    """

    def __init__(self, papers: Iterable[StoredPaper], encoder: Encoder | None = None) -> None:
        self.papers = distinct_papers(papers)
        self.column = {stored.paper.id: column for column, stored in enumerate(self.papers)}
        self._encoder = encoder

    def __len__(self) -> int:
        return len(self.papers)

    def only(self, columns: NDArray[np.intp]) -> Corpus:
        """Return a corpus of some of the papers (ascending columns); what was prepared is not prepared again."""
        some = Corpus([self.papers[column] for column in columns.tolist()], self._encoder)
        some.__dict__["stems"] = tuple(self.stems[column] for column in columns.tolist())
        some.__dict__["vectors"] = None if self.vectors is None else self.vectors[columns]
        return some

    @cached_property
    def stems(self) -> tuple[Stems, ...]:
        """The stems of title and abstract of each paper."""
        return tuple(prepare(stored.paper.title, stored.paper.abstract) for stored in self.papers)

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        """Each paper as the query language sees it."""
        return tuple(Document.of(stored) for stored in self.papers)

    @cached_property
    def vectors(self) -> NDArray[np.float32] | None:
        """The papers' vectors on the grid, shape (papers, dimensions); None without a model."""
        if self._encoder is None:
            return None
        return on_grid(self._encoder.encode([stored.paper.text for stored in self.papers]))

    @cached_property
    def has_vector(self) -> NDArray[np.bool_]:
        """Whether each paper has a vector, shape (papers,)."""
        if self.vectors is None:
            return np.zeros(len(self), dtype=bool)
        known: NDArray[np.bool_] = np.any(self.vectors, axis=1)
        return known
