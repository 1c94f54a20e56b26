"""How the places of a digest are shared among topics."""

from __future__ import annotations

import pytest

from paperdigest.ranking.quota import apportion, shares_of


@pytest.mark.parametrize(
    ("quotas", "shares"),
    [
        ((), ()),
        ((None,), (1.0,)),
        ((None, None), (0.5, 0.5)),
        ((0.8, None, None), (0.8, 0.1, 0.1)),
        ((0.2, 0.2), (0.2, 0.2)),
        ((1.0, None), (1.0, 0.5)),
        ((0.7, 0.7, None), (0.7, 0.7, 1 / 3)),
    ],
)
def test_topics_without_a_quota_share_what_the_others_leave(
    quotas: tuple[float | None, ...], shares: tuple[float, ...]
) -> None:
    assert shares_of(quotas) == pytest.approx(shares)


@pytest.mark.parametrize(
    ("places", "shares", "given"),
    [
        (10, {"a": 0.9, "b": 0.1}, {"a": 9, "b": 1}),
        (10, {"a": 0.3, "b": 0.3, "c": 0.4}, {"a": 3, "b": 3, "c": 4}),
        (10, {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}, {"a": 4, "b": 3, "c": 3}),
        (10, {"a": 0.86, "b": 0.07, "c": 0.07}, {"a": 8, "b": 1, "c": 1}),
        (1, {"a": 0.5, "b": 0.5}, {"a": 1, "b": 0}),
        (4, {"a": 2.0, "b": 2.0}, {"a": 2, "b": 2}),
        (0, {"a": 1.0}, {"a": 0}),
    ],
)
def test_places_are_divided_by_the_largest_remainder(
    places: int, shares: dict[str, float], given: dict[str, int]
) -> None:
    assert apportion(places, shares) == given
