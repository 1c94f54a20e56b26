"""How high a subscriber's own likes stand, each held back in turn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Standing", "rank_among", "standing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where papers rank among others, mean of all of them; each figure in [0, 1], the more the better.

    ``percentile`` is the share of the others that stand behind, 0.5 by chance; ``mrr`` the reciprocal rank;
    ``recall_10`` the share of the papers that are among the first ten.
    """

    percentile: float
    mrr: float
    recall_10: float


def rank_among(own: float, others: NDArray[np.float64]) -> float:
    """Return the rank of a score among others, from 1; of equal ones, half stand before it."""
    return 1 + int(np.count_nonzero(others > own)) + int(np.count_nonzero(others == own)) / 2


def standing(ranks: Sequence[float], others: int) -> Standing:
    """Return what ranks come to.

    Args:
        ranks: at least one, of `rank_among`.
        others: how many papers each stands among, above 0.
    """
    count = len(ranks)
    return Standing(
        percentile=math.fsum(1 - (rank - 1) / others for rank in ranks) / count,
        mrr=math.fsum(1 / rank for rank in ranks) / count,
        recall_10=sum(rank <= 10 for rank in ranks) / count,
    )
