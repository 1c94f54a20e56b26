"""Paired tests of two rankings, and where a subscriber's own likes stand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from paperdigest.evaluation import compare
from paperdigest.evaluation.own_likes import rank_among, standing


def sides(differences: list[float]) -> tuple[dict[str, float], dict[str, float]]:
    return {str(n): 0.5 + each for n, each in enumerate(differences)}, {str(n): 0.5 for n in range(len(differences))}


def test_wins_losses_ties_and_the_mean_difference_are_told() -> None:
    found = compare({"a": 0.5, "b": 0.2, "c": 0.3}, {"a": 0.1, "b": 0.3, "c": 0.3})
    assert (found.wins, found.losses, found.ties, found.queries) == (1, 1, 1, 3)
    assert found.difference == pytest.approx(0.1)
    assert (found.mean, found.other_mean) == pytest.approx((1 / 3, 0.7 / 3))


def test_few_questions_are_tested_exactly() -> None:
    # Of the sixteen outcomes of four coins, two are as large: all heads and all tails.
    assert compare(*sides([0.1, 0.2, 0.05, 0.3])).p_random == pytest.approx(2 / 16)
    # -0.1 among them: with signs at will, sums of 0.55 and more either way are 4 of 16.
    assert compare(*sides([0.3, 0.2, 0.15, -0.1])).p_random == pytest.approx(4 / 16)


def test_ties_do_not_make_a_test_less_exact() -> None:
    assert compare(*sides([0.1, 0.2, 0.05, 0.3, *[0.0] * 40])).p_random == pytest.approx(2 / 16)


def test_the_t_test_is_students_paired_one() -> None:
    ours, theirs = sides([0.1, 0.2, -0.05, 0.3, 0.0])
    expected = stats.ttest_rel(list(ours.values()), list(theirs.values())).pvalue
    assert compare(ours, theirs).p_t == pytest.approx(expected)


def test_many_questions_are_tested_by_lot_and_always_alike() -> None:
    draw = np.random.default_rng(3)
    ours, theirs = sides(draw.normal(0.01, 0.1, 200).tolist())
    found = compare(ours, theirs)
    assert found.p_random == pytest.approx(found.p_t, abs=0.03)
    assert compare(ours, theirs) == found


def test_equal_rankings_do_not_differ() -> None:
    found = compare(*sides([0.0, 1e-15, 0.0]))
    assert (found.p_random, found.p_t, found.ties, found.difference) == (1.0, None, 3, 0.0)


@pytest.mark.parametrize("differences", [[0.2], [0.2, 0.2, 0.2]])
def test_one_and_the_same_difference_has_no_t_test(differences: list[float]) -> None:
    found = compare(*sides(differences))
    assert found.p_t is None
    assert found.p_random == pytest.approx(2 / 2 ** len(differences))


@pytest.mark.parametrize(("ours", "theirs"), [({}, {}), ({"a": 1.0}, {"b": 1.0}), ({"a": 1.0}, {})])
def test_only_the_same_questions_are_compared(ours: dict[str, float], theirs: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="the same questions"):
        compare(ours, theirs)


def test_of_equal_papers_half_stand_before() -> None:
    others = np.array([3.0, 1.0, 1.0, -np.inf])
    assert rank_among(2.0, others) == 2
    assert rank_among(1.0, others) == 3
    assert rank_among(-np.inf, others) == 4.5


def test_ranks_become_percentile_reciprocal_and_recall() -> None:
    found = standing([1.0, 11.0], 20)
    assert found.percentile == pytest.approx((1 + 0.5) / 2)
    assert found.mrr == pytest.approx((1 + 1 / 11) / 2)
    assert found.recall_10 == pytest.approx(1 / 2)
