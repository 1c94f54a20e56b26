"""Sharing a digest's places among topics, so that a minor topic keeps its own."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

__all__ = ["apportion", "shares_of"]

K = TypeVar("K", bound=Hashable)


def shares_of(quotas: Sequence[float | None]) -> tuple[float, ...]:
    """Return each topic's share: its quota, or an even part of what the quotas leave.

    When the quotas leave nothing, a topic without one counts like one of n equal topics. The shares
    need not add up to 1; `apportion` looks at their proportion.
    """
    left = 1 - math.fsum(quota for quota in quotas if quota is not None)
    open_ended = sum(quota is None for quota in quotas)
    even = left / open_ended if open_ended and left > 1e-9 else 1 / max(len(quotas), 1)
    return tuple(even if quota is None else quota for quota in quotas)


def apportion(places: int, shares: Mapping[K, float]) -> dict[K, int]:
    """Divide whole places in proportion to ``shares`` by the method of the largest remainder (Hare, 1859).

    Each gets its exact part rounded up or down; ties go to the one that stands first.
    """
    total = math.fsum(shares.values())
    exact = {key: places * share / total for key, share in shares.items()}
    given = {key: math.floor(part) for key, part in exact.items()}
    left = places - sum(given.values())
    by_remainder = sorted(exact, key=lambda key: -round(exact[key] - given[key], 9))
    for key in by_remainder[:left]:
        given[key] += 1
    return given
