"""The use case "encode": every text becomes a vector once, and the store keeps it.

A vector is stored under the encoder's name and a digest of the text. So a paper whose abstract changes is
encoded anew, two papers with one text share a vector, and keywords are kept like papers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from paperdigest.protocols import Encoder
from paperdigest.store import Store
from paperdigest.store.vectors import Vectors, digest_of
from paperdigest.types import Paper

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CachedEncoder", "count_encoded", "encode_newest", "paper_text"]

_T = TypeVar("_T")

BATCH = 64
"""Texts encoded and committed at a time: what a run that is killed loses, about a second's work."""

PAGE = 500
"""Papers read at a time."""


def paper_text(paper: Paper) -> str:
    """Return the text that stands for a paper: title and abstract, or the title alone."""
    return f"{paper.title}. {paper.abstract}" if paper.abstract else paper.title


class CachedEncoder:
    """An `Encoder` that asks another one only for texts it has no vector of, and keeps what it gets.

    Fresh or stored, a vector has the same bits: always those that float16 holds.
    """

    def __init__(self, vectors: Vectors, encoder: Encoder) -> None:
        self.name, self.dimensions = encoder.name, encoder.dimensions
        self._vectors, self._encoder = vectors, encoder

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one vector a text, shape (len(texts), dimensions); new ones are stored in batches as they come.

        Raises:
            ModelError: the encoder failed; batches before that are stored.
            StoreError: in words.
        """
        digests = [digest_of(text) for text in texts]
        known = self._vectors.get(self.name, digests)
        new = {digest: text for digest, text in zip(digests, texts, strict=True) if digest not in known}
        for batch in _batches(list(new)):
            made = self._encoder.encode([new[digest] for digest in batch]).astype(np.float16)
            fresh = dict(zip(batch, made, strict=True))
            self._vectors.put(self.name, fresh)
            known |= fresh
        result = np.empty((len(texts), self.dimensions), np.float32)
        for row, digest in enumerate(digests):
            result[row] = known[digest]
        return result

    def missing(self, texts: Sequence[str]) -> int:
        """Return how many different texts have no vector yet.

        Raises:
            StoreError: in words.
        """
        return len(self._vectors.missing(self.name, [digest_of(text) for text in texts]))


def encode_newest(
    store: Store, encoder: CachedEncoder, count: int, progress: Callable[[int], None] = lambda _papers: None
) -> int:
    """Give each of the newest ``count`` papers a vector; return how many had none.

    Needs memory for one page of papers. A run that is stopped has stored what it encoded, and the next goes on.

    Args:
        store: where the papers are.
        encoder: makes and keeps the vectors.
        count: how many papers are looked at.
        progress: is told how many papers more are done.

    Raises:
        ModelError, StoreError: in words.
    """
    encoded = 0
    for texts in _pages(store, count):
        for batch in _batches(texts):
            encoded += encoder.missing(batch)
            encoder.encode(batch)
            progress(len(batch))
    return encoded


def count_encoded(store: Store, encoder: CachedEncoder, count: int) -> tuple[int, int]:
    """Return how many of the newest ``count`` papers have a vector, and how many papers these are.

    Raises:
        StoreError: in words.
    """
    papers = missing = 0
    for texts in _pages(store, count):
        papers += len(texts)
        missing += encoder.missing(texts)
    return papers - missing, papers


def _pages(store: Store, count: int) -> Iterator[list[str]]:
    for start in range(0, count, PAGE):
        found = store.search(None, min(PAGE, count - start), start).papers
        if not found:
            return
        yield [paper_text(stored.paper) for stored in found]


def _batches(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
