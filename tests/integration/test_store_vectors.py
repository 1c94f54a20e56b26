"""Vectors by model and text: what was put comes back as float16, and a damaged one is as good as missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from paperdigest.errors import StoreError
from paperdigest.store import Store
from paperdigest.store.engine import connect_raw
from paperdigest.store.vectors import Vectors, digest_of

DIMENSIONS = 8


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "papers.db", create=True)
    yield opened
    opened.close()


@pytest.fixture
def vectors(store: Store) -> Vectors:
    return Vectors(store.database)


def some(count: int, dimensions: int = DIMENSIONS) -> dict[bytes, NDArray[np.float32]]:
    drawn = np.random.default_rng(1).normal(size=(count, dimensions)).astype(np.float32)
    return {digest_of(f"text {number}"): vector for number, vector in enumerate(drawn)}


def test_a_digest_is_sixteen_bytes_of_the_text_alone() -> None:
    assert digest_of("a").hex() == "27c35e6e9373877f29e562464e46497e"
    assert len({digest_of(text) for text in ("", "a", "A", "\ud800", "\0")}) == 5


def test_what_was_put_comes_back_in_the_order_asked_for(vectors: Vectors) -> None:
    made = some(1100)
    vectors.put("minilm", made)
    wanted = [digest_of("never made"), *reversed(made), *made]
    found = vectors.get("minilm", wanted)
    assert list(found) == list(reversed(made))
    for digest, vector in found.items():
        assert vector.dtype == np.float16
        assert np.array_equal(vector, made[digest].astype(np.float16))
    assert vectors.missing("minilm", wanted) == (digest_of("never made"),)
    assert vectors.models() == {"minilm": 1100}


def test_models_are_kept_apart(vectors: Vectors) -> None:
    vectors.put("one", some(2))
    vectors.put("other", some(3, dimensions=4))
    assert vectors.models() == {"one": 2, "other": 3}
    (digest, *_) = some(1)
    assert vectors.get("one", [digest])[digest].shape == (DIMENSIONS,)
    assert vectors.get("other", [digest])[digest].shape == (4,)
    assert vectors.get("third", [digest]) == {}
    assert vectors.missing("third", [digest, digest]) == (digest,)


def test_nothing_is_put_got_and_missed_without_a_word(vectors: Vectors) -> None:
    vectors.put("minilm", {})
    assert vectors.get("minilm", []) == {}
    assert vectors.missing("minilm", []) == ()
    assert vectors.models() == {}


def test_a_vector_that_is_put_again_replaces_the_old_one(vectors: Vectors) -> None:
    digest = digest_of("a")
    for value in (1.0, 2.0):
        vectors.put("minilm", {digest: np.full(DIMENSIONS, value)})
    assert vectors.get("minilm", [digest])[digest].tolist() == [2.0] * DIMENSIONS
    assert vectors.models() == {"minilm": 1}


@pytest.mark.parametrize("blob", [b"", b"x", b"\0" * (2 * DIMENSIONS - 1), b"\0" * (2 * DIMENSIONS + 2)])
def test_a_stored_vector_of_wrong_length_is_missing_and_found_by_a_check(
    store: Store, vectors: Vectors, blob: bytes
) -> None:
    whole, damaged = made = some(2)
    vectors.put("minilm", made)
    assert store.check() == ()
    with connect_raw(store.path) as raw:
        raw.execute("UPDATE vectors SET vector = ? WHERE digest = ?", (blob, damaged))
    assert list(vectors.get("minilm", [whole, damaged])) == [whole]
    assert vectors.missing("minilm", [whole, damaged]) == (damaged,)
    assert store.check() == ("1 vectors of another length than their model's",)
    vectors.put("minilm", {damaged: made[damaged]})
    assert vectors.missing("minilm", [whole, damaged]) == ()


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({b"short": np.ones(DIMENSIONS)}, "16 bytes, not 5"),
        ({digest_of("a"): np.full(DIMENSIONS, np.nan)}, "finite"),
        ({digest_of("a"): np.full(DIMENSIONS, 1e9)}, "fit float16"),
        ({digest_of("a"): np.ones((2, 4))}, r"\(2, 4\)"),
        ({digest_of("a"): np.ones(0)}, "not empty"),
        ({digest_of("a"): np.ones(3), digest_of("b"): np.ones(4)}, r"\[3, 4\]"),
    ],
)
def test_what_is_no_vector_is_refused_and_nothing_is_stored(
    vectors: Vectors, made: dict[bytes, NDArray[np.float64]], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        vectors.put("minilm", {digest_of("good"): np.ones(3), **made})
    assert vectors.models() == {}


def test_another_number_of_dimensions_under_one_name_is_refused(vectors: Vectors) -> None:
    vectors.put("minilm", some(1))
    with pytest.raises(StoreError, match="have 8 dimensions, not 4") as caught:
        vectors.put("minilm", some(2, dimensions=4))
    assert caught.value.hint
    assert vectors.models() == {"minilm": 1}
