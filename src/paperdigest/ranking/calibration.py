"""From raw scores to [0, 1], so that one threshold means the same every day and for every topic."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["LEXICAL", "SEMANTIC", "Calibration"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The logistic map ``1 / (1 + exp(-(raw - middle) / width))``.

    Strictly monotone, 0.5 at ``middle``, and never dependent on the other papers. Fitted so that a score is about
    the share of papers with that score which a librarian had called relevant (docs/explanation/ranking.md).
    """

    middle: float
    width: float

    def unit(self, raw: float) -> float:
        """Return the score in [0, 1]; 0 for -inf."""
        return 1 / (1 + math.exp(min(-(raw - self.middle) / self.width, 700.0)))

    def raw(self, unit: float) -> float:
        """Return the raw score that becomes ``unit``: the inverse, -inf for 0 and inf for 1."""
        if unit <= 0:
            return -math.inf
        return self.middle + self.width * math.log(unit / (1 - unit)) if unit < 1 else math.inf


SEMANTIC = Calibration(middle=6.3, width=1.4)
"""With vectors, for a topic of one clause."""

JOINED = Calibration(middle=8.8, width=2.0)
"""With vectors, for a topic whose joined clauses have a vector of their own: scores are 1.4 times as high."""

EXAMPLES = Calibration(middle=4.2, width=0.9)
"""For a topic of examples alone, whose raw score is what was learned from them."""

LEXICAL = Calibration(middle=8.8, width=2.4)
"""By words alone."""
