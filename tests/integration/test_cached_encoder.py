"""Vectors are made once, kept in a real database, and are the same fresh or stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from paperdigest.errors import ModelError
from paperdigest.pipeline.encoding import BATCH, CachedEncoder, encode
from paperdigest.store import Store
from paperdigest.store.vectors import Vectors
from paperdigest.types import Paper, PaperId


class Counting:
    """An encoder whose vectors follow from the text's letters; remembers what it was asked for."""

    dimensions = 26

    def __init__(self, name: str = "letters", *, fails_at: str | None = None) -> None:
        self.name = name
        self.asked: list[str] = []
        self._fails_at = fails_at

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self._fails_at in texts:
            raise ModelError("the model broke")
        self.asked += texts
        counts = np.array([[text.count(chr(97 + letter)) for letter in range(26)] for text in texts], np.float32)
        length: NDArray[np.float32] = np.sqrt((counts**2).sum(axis=1, keepdims=True))
        length[length == 0] = 1
        found: NDArray[np.float32] = counts / length
        return found


@pytest.fixture
def vectors(tmp_path: Path) -> Iterator[Vectors]:
    store = Store.open(tmp_path / "papers.db", create=True)
    yield Vectors(store.database)
    store.close()


TEXTS = tuple(f"text {'abcdefghij'[number % 10] * (number + 1)}" for number in range(3 * BATCH + 5))


def test_a_text_is_encoded_once_even_if_it_comes_twice(vectors: Vectors) -> None:
    inner = Counting()
    cached = CachedEncoder(vectors, inner)
    cached.encode(["trace", "link", "trace"])
    cached.encode(["link", "graph"])
    assert inner.asked == ["trace", "link", "graph"]


def test_a_fresh_vector_and_a_stored_one_have_the_same_bits(vectors: Vectors) -> None:
    fresh = CachedEncoder(vectors, Counting()).encode(TEXTS)
    stored = CachedEncoder(vectors, Counting()).encode(TEXTS)
    assert fresh.dtype == stored.dtype == np.float32
    assert fresh.tobytes() == stored.tobytes()
    assert np.abs(fresh - Counting().encode(TEXTS)).max() < 1e-3


def test_rows_are_in_the_order_of_the_texts_whatever_was_stored(vectors: Vectors) -> None:
    cached = CachedEncoder(vectors, Counting())
    cached.encode(TEXTS[1::3])
    found = cached.encode(TEXTS[::-1])
    assert (found[::-1] == cached.encode(TEXTS)).all()


def test_an_encoder_of_another_name_shares_nothing(vectors: Vectors) -> None:
    first, second = Counting(), Counting("other")
    CachedEncoder(vectors, first).encode(["trace"])
    CachedEncoder(vectors, second).encode(["trace"])
    assert first.asked == second.asked == ["trace"]


def test_what_was_made_before_a_failure_is_kept(vectors: Vectors) -> None:
    with pytest.raises(ModelError):
        CachedEncoder(vectors, Counting(fails_at=TEXTS[-1])).encode(TEXTS)
    assert vectors.models() == {"letters": 3 * BATCH}
    inner = Counting()
    CachedEncoder(vectors, inner).encode(TEXTS)
    assert tuple(inner.asked) == TEXTS[3 * BATCH :]


def test_a_text_without_words_is_kept_as_zero_and_not_asked_again(vectors: Vectors) -> None:
    CachedEncoder(vectors, Counting()).encode(["", "\ud800 123"])
    inner = Counting()
    assert not CachedEncoder(vectors, inner).encode(["", "\ud800 123"]).any()
    assert inner.asked == []


def test_no_texts_need_no_encoder(vectors: Vectors) -> None:
    assert CachedEncoder(vectors, Counting()).encode([]).shape == (0, 26)


def test_encoding_tells_each_text_and_leaves_none_without_a_vector(vectors: Vectors) -> None:
    cached = CachedEncoder(vectors, Counting())
    cached.encode(TEXTS[5:10])
    left = cached.without_vector(TEXTS + TEXTS)
    assert left == TEXTS[:5] + TEXTS[10:]
    told: list[str] = []
    encode(left, cached, told.append)
    assert tuple(told) == left
    assert cached.without_vector(TEXTS) == ()


@pytest.mark.parametrize(
    ("abstract", "wanted"), [("We link.", "On links. We link."), (None, "On links"), ("", "On links")]
)
def test_a_paper_is_its_title_and_abstract(abstract: str | None, wanted: str) -> None:
    paper = Paper(id=PaperId(scheme="arxiv", local="2604.00001"), title="On links", abstract=abstract)
    assert paper.text == wanted
