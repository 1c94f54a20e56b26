"""Is one ranking better than another, or was it luck? Paired tests over the questions of a collection.

The randomisation test asks how often the mean difference would be as large, either way, if for each question a
coin decided which ranking is which: all outcomes of the coin when there are at most `RESAMPLES`, so many drawn with
a fixed seed otherwise. Student's paired t is given beside it, as most papers do.

Source: M. D. Smucker, J. Allan and B. Carterette, "A comparison of statistical significance tests for information
retrieval evaluation" (2007).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

__all__ = ["RESAMPLES", "Compared", "compare"]

RESAMPLES = 10_000
SEED = 1
EQUAL = 1e-9
"""Differences below this are rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One measure of two rankings, over the same questions.

    ``difference`` is the first one's mean less the other's; wins, losses and ties are the first one's. ``p_random``
    and ``p_t`` are two-sided; ``p_t`` is None where a t test says nothing: fewer than two questions, or one and the
    same difference in all of them.
    """

    queries: int
    mean: float
    other_mean: float
    difference: float
    p_random: float
    p_t: float | None
    wins: int
    losses: int
    ties: int


def compare(ours: Mapping[str, float], theirs: Mapping[str, float]) -> Compared:
    """Compare two rankings by the value of one measure for each question; the order of the questions plays no part.

    Raises:
        ValueError: not the same questions, or none.
    """
    if not ours or ours.keys() != theirs.keys():
        raise ValueError("two rankings are compared on the same questions")
    first, second = (np.array([side[query] for query in sorted(ours)]) for side in (ours, theirs))
    differences = first - second
    differences[np.abs(differences) < EQUAL] = 0
    return Compared(
        queries=len(differences),
        mean=math.fsum(first) / len(first),
        other_mean=math.fsum(second) / len(second),
        difference=math.fsum(differences) / len(differences),
        p_random=_p_random(differences),
        p_t=_p_t(differences),
        wins=int(np.count_nonzero(differences > 0)),
        losses=int(np.count_nonzero(differences < 0)),
        ties=int(np.count_nonzero(differences == 0)),
    )


def _p_random(differences: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    # A tie stays one, whatever the coin says; leaving it out makes more cases exact.
    told = differences[differences != 0]
    if not len(told):
        return 1.0
    if len(told) == 1:  # either outcome of the coin is as large
        return 1.0
    found = stats.permutation_test(
        (told,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=1000,
        rng=np.random.default_rng(SEED),
    )
    return float(min(found.pvalue, 1.0))


def _p_t(differences: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float | None:
    if len(differences) < 2 or float(np.ptp(differences)) < EQUAL:
        return None
    return float(stats.ttest_1samp(differences, 0.0).pvalue)
