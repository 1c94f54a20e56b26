"""The use case "encode": every text becomes a vector once, and the store keeps it.

A vector is stored under the encoder's name and a digest of the text. So a paper whose abstract changes is
encoded anew, two papers with one text share a vector, and keywords are kept like papers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from paperdigest.protocols import Encoder
from paperdigest.store.vectors import Vectors, digest_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CachedEncoder", "encode"]

_T = TypeVar("_T")

BATCH = 64
"""Texts encoded and committed at a time: what a run that is killed loses, about a second's work."""


class CachedEncoder:
    """An `Encoder` that asks another one only for texts it has no vector of, and keeps what it gets.

    Fresh or stored, a vector has the same bits: always those that float16 holds.
    """

    def __init__(self, vectors: Vectors, encoder: Encoder) -> None:
        self.name, self.dimensions = encoder.name, encoder.dimensions
        self._vectors, self._encoder = vectors, encoder

    def check(self) -> None:
        """Make a vector, stored nowhere: most of those that a run needs may be stored, and only one may fail.

        Raises:
            ModelError: the encoder does not work.
        """
        self._encoder.encode(["a text"])

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

    def without_vector(self, texts: Sequence[str]) -> tuple[str, ...]:
        """Return the texts that have no vector yet, each once, in the order given.

        Raises:
            StoreError: in words.
        """
        by_digest = {digest_of(text): text for text in texts}
        return tuple(by_digest[digest] for digest in self._vectors.missing(self.name, list(by_digest)))


def encode(texts: Sequence[str], encoder: CachedEncoder, progress: Callable[[str], None] = lambda _text: None) -> None:
    """Make and keep the vectors of texts. A run that is stopped has kept what it made, and the next goes on.

    Args:
        texts: usually those of `CachedEncoder.without_vector`.
        encoder: makes and keeps the vectors.
        progress: is called with each text that is done.

    Raises:
        ModelError, StoreError: in words.
    """
    for batch in _batches(texts):
        encoder.encode(batch)
        for text in batch:
            progress(text)


def _batches(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
