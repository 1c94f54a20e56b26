"""Popularity: what the readers of a source think of a paper, for its age; small, optional, and a reason of its own."""

from __future__ import annotations

import math
from datetime import datetime

from paperdigest.types import Reason, StoredPaper

__all__ = ["popularity", "popularity_reason"]

FULL = 50
"""Upvotes of a first day that count in full; of 625 papers of Daily Papers half had 6 or fewer, one in 20 above 35."""


def popularity(stored: StoredPaper, now: datetime) -> float:
    """Return how popular a paper is for its age, in [0, 1].

    ``log(1 + upvotes / (1 + days since the listing)) / log(1 + 50)``, at most 1, of the entry for which that is
    most; independent of the other papers, so that it means the same every day. 0 without any upvotes.
    """
    return max((_of(upvotes, age) for upvotes, age in _votes(stored, now)), default=0.0)


def popularity_reason(stored: StoredPaper, now: datetime, weight: float) -> Reason | None:
    """Return the reason "42 upvotes" that adds ``weight * popularity`` to a raw score; None when it adds nothing."""
    votes = sorted(_votes(stored, now), key=lambda vote: (_of(*vote), vote))
    contribution = weight * _of(*votes[-1]) if votes else 0.0
    if not contribution > 0:
        return None
    upvotes = votes[-1][0]
    return Reason(text=f"{upvotes} upvote{'s' * (upvotes != 1)}", keyword="popularity", contribution=contribution)


def _votes(stored: StoredPaper, now: datetime) -> list[tuple[int, int]]:
    """Return the upvotes of each entry with the listing's age in days; a listing of tomorrow is of today."""
    return [(entry.upvotes, max(0, (now.date() - entry.listed_on).days)) for entry in stored.entries if entry.upvotes]


def _of(upvotes: int, days: int) -> float:
    return min(1.0, math.log1p(max(0, upvotes) / (1 + days)) / math.log1p(FULL))
