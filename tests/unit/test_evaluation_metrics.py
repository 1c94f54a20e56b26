"""Measures of a ranking: values worked out by hand."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest

from paperdigest.evaluation.metrics import average_precision, descending_places, ndcg, order, recall


def test_ndcg_discounts_each_rank_by_its_logarithm() -> None:
    assert ndcg([0, 1, 1], [1, 1, 0], 10) == pytest.approx((1 / log2(3) + 1 / 2) / (1 + 1 / log2(3)))


def test_ndcg_looks_at_the_first_k_of_the_ranking_and_of_the_best_possible_one() -> None:
    assert ndcg([0, 0, 1], [1], 2) == 0
    assert ndcg([1, 1], [1, 1, 1, 1], 2) == 1


def test_a_higher_grade_gains_more_and_one_below_zero_nothing() -> None:
    assert ndcg([-1, 2], [2, -1], 10) == pytest.approx((2 / log2(3)) / 2)
    assert ndcg([1, 3], [3, 1], 10) == pytest.approx((1 + 3 / log2(3)) / (3 + 1 / log2(3)))


def test_average_precision_counts_missing_papers_as_zero() -> None:
    assert average_precision([0, 1, 0, 1], [1, 1, 1]) == pytest.approx((1 / 2 + 2 / 4) / 3)


def test_average_precision_may_ask_for_a_higher_grade() -> None:
    assert average_precision([1, 2, 3], [1, 2, 3], least=2) == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_recall_is_the_share_of_the_relevant_papers_found() -> None:
    assert recall([1, 0, 1], [1, 1, 1, 0], 2) == pytest.approx(1 / 3)
    assert recall([1, 2, 2], [1, 2, 2, 2], 3, least=2) == pytest.approx(2 / 3)


def test_capped_recall_is_the_share_of_what_could_be_found() -> None:
    assert recall([1, 0, 1], [1, 1, 1], 2, capped=True) == pytest.approx(1 / 2)
    assert recall([1, 0, 1], [1, 1], 10, capped=True) == 1


def test_without_anything_relevant_every_measure_is_zero() -> None:
    assert (ndcg([0], [0, -2], 10), average_precision([0], [0]), recall([0], [0], 10), ndcg([], [], 10)) == (0, 0, 0, 0)


def test_of_equal_scores_the_greater_id_comes_first() -> None:
    ids = ["a", "é", "z", "B"]
    assert [ids[index] for index in order([1, 1, 1, 1], descending_places(ids))] == ["é", "z", "a", "B"]


def test_scores_that_single_precision_cannot_tell_apart_are_equal() -> None:
    places = descending_places(["a", "b"])
    assert order([1.00000001, 1.0], places).tolist() == [1, 0]
    assert order([1.001, 1.0], places).tolist() == [0, 1]


def test_infinite_and_enormous_scores_have_their_order() -> None:
    assert order([-np.inf, 1e300, 0.0], descending_places(["a", "b", "c"])).tolist() == [1, 2, 0]


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        order([1.0, np.nan], descending_places(["a", "b"]))
