"""A vector model for tests: every word has a direction of its own, and a text is the sum of its words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["WordEncoder"]

SYNONYMS = {"provenance": "trace", "lineage": "trace"}


class WordEncoder:
    """Implements `protocols.Encoder`; knows that two words mean much the same as "trace"."""

    name = "words/for-tests"
    dimensions = 32

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = [_sum(re.findall(r"\w+", text.lower())) for text in texts]
        return np.array(vectors, dtype=np.float32).reshape(len(texts), self.dimensions)


def _sum(words: Sequence[str]) -> NDArray[np.float32]:
    total: NDArray[np.float32] = np.zeros(WordEncoder.dimensions, dtype=np.float32)
    for word in words:
        total += _direction(SYNONYMS.get(word, word))
    total /= np.float32(float(np.sqrt(total @ total)) or 1.0)
    return total


@lru_cache(maxsize=1000)
def _direction(word: str) -> NDArray[np.float32]:
    digest = blake2b(word.encode("utf-8", "surrogatepass"), digest_size=64).digest()
    return np.frombuffer(digest, dtype=np.int16).astype(np.float32) / np.float32(2**15)
