"""How the places of a digest are shared among topics."""

from __future__ import annotations

import pytest

from paperdigest.ranking.quota import apportion, share_places, shares_of


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


def claims(*of_topics: str) -> list[tuple[int, str]]:
    """Interleave the topics' items, the first of each topic first."""
    pairs = [(rank, topic, item) for topic, items in enumerate(of_topics) for rank, item in enumerate(items)]
    return [(topic, item) for _, topic, item in sorted(pairs)]


def test_a_minor_topic_keeps_its_place() -> None:
    loud = [(0, item) for item in "abcdefghij"]
    assert share_places([*loud, (1, "z")], (0.9, 0.1), 10) == frozenset("abcdefghiz")


def test_places_that_a_topic_cannot_use_are_given_on() -> None:
    assert share_places(claims("abcdefgh", "z"), (0.5, 0.5), 6) == frozenset("abcdez")
    assert share_places(claims("abc", "", "xyz"), (0.2, 0.6, 0.2), 4) == frozenset("abxy")


def test_all_are_taken_when_there_is_room_for_all() -> None:
    assert share_places(claims("ab", "yz"), (0.9, 0.1), 10) == frozenset("abyz")


def test_an_item_of_two_topics_takes_one_place() -> None:
    assert share_places(claims("ab", "ac"), (0.5, 0.5), 3) == frozenset("abc")


def test_an_item_that_finds_its_first_topic_full_may_come_in_by_its_second() -> None:
    pairs = [(0, "a"), (0, "b"), (0, "c"), (1, "c"), (0, "d")]
    assert share_places(pairs, (0.5, 0.5), 2) == frozenset("ac")


def test_no_places_or_no_claims_give_nothing() -> None:
    assert share_places(claims("ab"), (1.0,), 0) == frozenset()
    assert share_places(claims("ab"), (1.0,), -1) == frozenset()
    assert share_places([], (), 5) == frozenset()
