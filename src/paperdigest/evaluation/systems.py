"""What can be measured: anything that scores papers for keywords, or after examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from paperdigest.evaluation.collections import Document

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Examples", "PreparedSystem", "System"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """A likes question; all are columns of the prepared papers.

    ``candidates`` are to be scored, ``archive`` are the papers of which nothing is known but that they are there.
    """

    liked: NDArray[np.intp]
    disliked: NDArray[np.intp]
    archive: NDArray[np.intp]
    candidates: NDArray[np.intp]


class PreparedSystem(Protocol):
    """A system that has read its papers. Scores are finite, or -inf for a paper that is not shown at all."""

    def topics(self, topics: Sequence[tuple[str, ...]]) -> Iterator[NDArray[np.float64]]:
        """Yield for each topic the scores of all papers, shape (papers,).

        Args:
            topics: each is the texts of its keywords; a question in a sentence is one keyword.
        """

    def likes(self, examples: Examples) -> NDArray[np.float64]:
        """Return the scores of the candidates, shape (candidates,)."""


class System(Protocol):
    """A way to rank. ``name`` stands in run files, hence has no white space."""

    name: str

    def prepare(self, documents: Sequence[Document]) -> PreparedSystem:
        """Read the papers, in any order."""
