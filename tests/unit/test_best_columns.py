"""What the top-k kernel refuses, and the cases that a random batch would hardly hold."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from paperdigest.ranking.matching import best_columns
from paperdigest.ranking.topic_rows import Context, TopicRows
from paperdigest.ranking.topk import candidates, most_rows

SCORES = np.array([[1, 0, -1], [0.5, 2, -2]], dtype=np.float32)


def rows(*clauses: tuple[int, ...]) -> TopicRows:
    return TopicRows(clauses=np.array(clauses, dtype=np.intp))


def floats(*numbers: float) -> Any:
    return np.array(numbers, dtype=np.float32)


def context(*texts: int, near: Any = SCORES) -> Context:
    return Context(texts=np.array(texts), near=near)


def test_the_best_clause_counts_whole_and_the_positive_others_half() -> None:
    best = best_columns(rows((0, 1)), SCORES, 3)
    assert best.columns.tolist() == [[1, 0, 2]]
    assert best.raw.tolist() == [[2.0, 1.25, -1.0]]


def test_the_same_clause_twice_counts_twice() -> None:
    assert best_columns(rows((0, 0)), SCORES, 1).raw.tolist() == [[1.5]]


def test_zero_and_minus_zero_are_a_tie_that_the_first_column_wins() -> None:
    best = best_columns(rows((0,)), np.array([[-0.0, 0.0, -0.0]], dtype=np.float32), 2)
    assert best.columns.tolist() == [[0, 1]]


def test_negative_scores_are_ordered_like_positive_ones() -> None:
    best = best_columns(rows((0,)), np.array([[-3, -1, -2, -1, 5]], dtype=np.float32), 4)
    assert best.columns.tolist() == [[4, 1, 3, 2]]


def test_a_day_on_which_every_paper_scores_alike_gives_the_first_columns() -> None:
    best = best_columns(rows(*((0,),) * 50), np.full((1, 1000), -0.25, dtype=np.float32), 10)
    assert (best.columns == np.arange(10)).all()


def test_a_topic_without_clauses_gets_nothing_whatever_its_context() -> None:
    best = best_columns(rows((-1, -1), (-1, 1)), SCORES, 1, context=context(0, -1))
    assert best.columns.tolist() == [[-1], [1]]


def test_a_paper_of_which_no_clause_counts_is_not_chosen_however_near_it_is() -> None:
    scores = np.array([[-np.inf, 0.5]], dtype=np.float32)
    best = best_columns(rows((0,)), scores, 2, context=context(0, near=floats(9, 0)[np.newaxis]))
    assert best.columns.tolist() == [[1, -1]]


def test_more_columns_than_a_block_holds_still_give_one_row_at_a_time() -> None:
    scores = np.arange(70_000, dtype=np.float32)[np.newaxis]
    best = best_columns(rows((0,), (0,)), scores, 2, block_bytes=1)
    assert best.columns.tolist() == [[69_999, 69_998]] * 2


def test_the_working_memory_is_that_of_the_block_and_of_the_answer() -> None:
    topics, k = 20_000, 10
    random = np.random.default_rng(0)
    scores = random.normal(size=(50, 200)).astype(np.float32)
    wanted = TopicRows(clauses=random.integers(0, 50, (topics, 2)))
    tracemalloc.start()
    best_columns(wanted, scores, k, block_bytes=2**18)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < topics * (k * 8 + 100) + 2**20


@pytest.mark.parametrize(
    ("said", "arguments"),
    [
        ("a clause is none of the 2 rows", {"rows": rows((2,))}),
        ("a clause is none of the 2 rows", {"rows": rows((-2,))}),
        ("two dimensions", {"rows": TopicRows(clauses=np.zeros(3, dtype=np.intp))}),
        ("float32, not float64", {"scores": SCORES.astype(np.float64)}),
        ("below infinity and numbers", {"scores": np.where(SCORES == 2, np.float32(np.nan), SCORES)}),
        ("below infinity and numbers", {"scores": np.where(SCORES == 2, np.float32(np.inf), SCORES)}),
        ("one weight", {"rows": TopicRows(clauses=np.array([[0]]), weights=floats(1))}),
        ("above 0", {"rows": TopicRows(clauses=np.array([[0]]), weights=floats(0)[np.newaxis])}),
        ("above 0", {"rows": TopicRows(clauses=np.array([[0]]), weights=floats(np.nan)[np.newaxis])}),
        ("above 0", {"rows": TopicRows(clauses=np.array([[0]]), weights=floats(np.inf)[np.newaxis])}),
        ("one gate", {"rows": TopicRows(clauses=np.array([[0]]), gates=np.array([0, 0]))}),
        ("not among the gates", {"rows": TopicRows(clauses=np.array([[0]]), gates=np.array([0]))}),
        ("something of every paper", {"gates": np.ones((1, 2), dtype=np.bool_)}),
        ("pairs", {"excluded": (np.array([0]), np.array([], dtype=np.intp))}),
        ("excluded pair is out of range", {"excluded": (np.array([1]), np.array([0]))}),
        ("excluded pair is out of range", {"excluded": (np.array([0]), np.array([3]))}),
        ("the context must say something of every paper", {"context": context(0, near=SCORES[:, :2])}),
        ("the context must be float32", {"context": context(0, near=SCORES.astype(np.float64))}),
        ("the context must be finite", {"context": context(0, near=SCORES * np.float32(np.nan))}),
        ("the context must be finite", {"context": context(0, near=np.where(SCORES > 1, -np.inf, SCORES))}),
        ("one text", {"context": context(0, 0)}),
        ("not among those of the context", {"context": context(2)}),
    ],
)
def test_what_does_not_fit_is_refused_in_words(said: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=said):
        best_columns(**{"rows": rows((0,)), "scores": SCORES, "k": 1, **arguments})


@pytest.mark.parametrize("levels", [1, 2, 5, 10_000])
def test_little_more_than_what_is_asked_for_is_ever_sorted(levels: int) -> None:
    raw = np.random.default_rng(1).integers(0, levels, (50, 500)).astype(np.float32)
    raw[7] = -np.inf
    places, values = candidates(raw, 10)
    assert (values == raw.ravel()[places]).all()
    counts = np.bincount(places // 500, minlength=50)
    assert counts[7] == 0
    assert (np.delete(counts, 7) >= 10).all()
    assert counts.sum() <= 2 * 10 * 50


def test_rows_and_columns_fit_a_key_together() -> None:
    assert most_rows(500) * 2**9 * 2**32 == 2**63
    assert most_rows(1) >= most_rows(2) > most_rows(3) > 2**28
