"""Measures of one ranking, by the formulas of trec_eval: nDCG, average precision, recall.

All take the grades of the papers in the order of the ranking, and the grades of all judged papers (in any order).
A paper is relevant from a grade of ``least``, 1 by default; papers without a judgement have grade 0.

Source: trec_eval 9 (m_ndcg_cut.c, m_map.c, m_recall.c, form_res_rels.c); K. Järvelin and J. Kekäläinen, "Cumulated
gain-based evaluation of IR techniques" (2002).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["average_precision", "descending_places", "ndcg", "order", "recall", "single"]


def descending_places(ids: Sequence[str]) -> NDArray[np.intp]:
    """Return for each id its place among all of them in descending order of the bytes of UTF-8, shape (n,)."""
    ranked = sorted(range(len(ids)), key=lambda index: ids[index].encode("utf-8", "surrogatepass"), reverse=True)
    places = np.empty(len(ids), dtype=np.intp)
    places[ranked] = np.arange(len(ids))
    return places


def order(scores: ArrayLike, places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the indexes of the papers, best first, exactly as trec_eval orders a run.

    It keeps scores in single precision, so scores that differ by less are equal; of equals, the paper with the
    greater id (`descending_places`) comes first.

    Raises:
        ValueError: a score is not a number.
    """
    kept = single(scores)
    if np.isnan(kept).any():
        raise ValueError("a score is not a number")
    return np.lexsort((places, -kept))


def single(scores: ArrayLike) -> NDArray[np.float32]:
    """Return scores in single precision; what is beyond it is infinite, for trec_eval too."""
    with np.errstate(over="ignore"):
        return np.asarray(scores, dtype=np.float64).astype(np.float32)


def ndcg(ranked: ArrayLike, judged: ArrayLike, k: int) -> float:
    """Return normalised discounted cumulated gain at ``k``, in [0, 1]; 0 when nothing is relevant.

    ``sum over the first k of grade / log2(1 + rank)``, divided by the same sum of the best possible ranking. Grades
    below 0 gain nothing. With grades 0 and 1 it is the binary measure.
    """
    gains = np.maximum(np.asarray(ranked, dtype=np.float64)[:k], 0)
    ideal = np.sort(np.maximum(np.asarray(judged, dtype=np.float64), 0))[::-1][:k]
    best = float(ideal @ _discounts(len(ideal)))
    return float(gains @ _discounts(len(gains))) / best if best > 0 else 0.0


def average_precision(ranked: ArrayLike, judged: ArrayLike, least: int = 1) -> float:
    """Return the mean over all relevant papers of the precision at their rank (0 for those not found), in [0, 1]."""
    hits = np.asarray(ranked) >= least
    relevant = np.count_nonzero(np.asarray(judged) >= least)
    precisions = np.cumsum(hits)[hits] / (np.flatnonzero(hits) + 1)
    return float(precisions.sum()) / relevant if relevant else 0.0


def recall(ranked: ArrayLike, judged: ArrayLike, k: int, least: int = 1, *, capped: bool = False) -> float:
    """Return the share of the relevant papers that are among the first ``k``, in [0, 1]; 0 when there are none.

    Args:
        ranked: grades in the order of the ranking.
        judged: grades of all judged papers.
        k: how many papers are looked at.
        least: the grade from which a paper is relevant.
        capped: divide by ``k`` where more are relevant: the share of what could be found at all.
    """
    relevant = int(np.count_nonzero(np.asarray(judged) >= least))
    possible = min(relevant, k) if capped else relevant
    return float(np.count_nonzero(np.asarray(ranked)[:k] >= least)) / possible if possible else 0.0


def _discounts(length: int) -> NDArray[np.float64]:
    found: NDArray[np.float64] = 1 / np.log2(np.arange(length) + 2)
    return found
