"""What holds of every choice, whatever is claimed."""

from __future__ import annotations

from collections import Counter
from math import ceil, exp, floor, log

from hypothesis import given, settings
from hypothesis import strategies as st

from paperdigest.ranking.quota import apportion
from paperdigest.ranking.selection import FLOOR, LEAST_PLACES, POOL, Choice, Claim, Exploration, select
from paperdigest.types import PaperId, Placement
from tests.claim_samples import claim, falling, paper_id

TOPICS = 3
SHARES = st.lists(st.floats(0.05, 1), min_size=TOPICS, max_size=TOPICS)
CLAIMS = st.lists(
    st.builds(
        claim,
        st.integers(0, 25),
        st.integers(0, 20).map(lambda tenth: tenth / 20),
        topic=st.integers(0, TOPICS - 1),
        is_new=st.booleans(),
    ),
    max_size=60,
)
PLACES = st.integers(0, 15)
LOTS = st.none() | st.integers(0, 99).map(lambda number: Exploration(key=str(number)))
PAIRS = st.lists(st.tuples(st.integers(0, 25), st.integers(0, 25)).filter(lambda pair: pair[0] != pair[1]), max_size=20)


def symmetric(pairs: list[tuple[int, int]]) -> dict[PaperId, set[PaperId]]:
    near: dict[PaperId, set[PaperId]] = {}
    for one, other in pairs:
        near.setdefault(paper_id(one), set()).add(paper_id(other))
        near.setdefault(paper_id(other), set()).add(paper_id(one))
    return near


def places_of(choices: tuple[Choice, ...], placement: Placement) -> list[int]:
    return [place for place, one in enumerate(choices) if one.placement is placement]


@given(CLAIMS, SHARES, PLACES, LOTS, PAIRS)
@settings(max_examples=150)
def test_a_choice_holds_each_paper_once_and_no_more_than_there_are_places(
    claims: list[Claim], shares: list[float], places: int, lot: Exploration | None, pairs: list[tuple[int, int]]
) -> None:
    choices = select(claims, shares, places, explore=lot, near=symmetric(pairs))
    ids = [one.paper_id for one in choices]
    assert len(ids) == len(set(ids)) == min(places, len({one.paper_id for one in claims}))
    for one in choices:
        own = {
            claim.topic: claim.score
            for claim in sorted(claims, key=lambda c: c.score)
            if claim.paper_id == one.paper_id
        }
        assert {one.topic, *one.also} == own.keys() and len(one.also) == len(own) - 1
        assert one.score == own[one.topic] == max(own.values())
        assert [own[topic] for topic in one.also] == sorted((own[topic] for topic in one.also), reverse=True)


@given(CLAIMS, SHARES, PLACES, LOTS, PAIRS, st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_the_order_of_the_claims_changes_nothing(
    claims: list[Claim],
    shares: list[float],
    places: int,
    lot: Exploration | None,
    pairs: list[tuple[int, int]],
    chance: object,
) -> None:
    shuffled = list(claims)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random by its strategy
    near = symmetric(pairs)
    first = select(claims, shares, places, explore=lot, near=near)
    assert first == select(shuffled, shares, places, explore=lot, near=near)


@given(CLAIMS, SHARES, PLACES, LOTS, PAIRS)
@settings(max_examples=150)
def test_new_papers_come_before_those_that_waited_and_lose_no_place_to_them(
    claims: list[Claim], shares: list[float], places: int, lot: Exploration | None, pairs: list[tuple[int, int]]
) -> None:
    choices = select(claims, shares, places, explore=lot, near=symmetric(pairs))
    fresh = {one.paper_id for one in claims if one.is_new}
    order = [one.placement for one in choices]
    assert order == sorted(order, key=[Placement.NEW, Placement.WAITED, Placement.EXPLORED].index)
    assert {one.paper_id for one in choices if one.placement is Placement.NEW} <= fresh
    assert not {one.paper_id for one in choices if one.placement is Placement.WAITED} & fresh
    if any(one.paper_id not in fresh for one in choices):
        assert fresh <= {one.paper_id for one in choices}


@given(CLAIMS, SHARES, PLACES)
@settings(max_examples=150)
def test_a_topic_with_enough_new_papers_has_its_quota(claims: list[Claim], shares: list[float], places: int) -> None:
    choices = select(claims, shares, places)
    fresh = {one.paper_id for one in claims if one.is_new}
    wanting = {one.topic for one in claims if one.paper_id in fresh}
    if not wanting:
        return
    quota = apportion(places, {topic: shares[topic] for topic in sorted(wanting)})
    topics_of = {one.paper_id: {one.topic, *one.also} for one in choices}
    for topic in wanting:
        total = sum(shares[each] for each in wanting)
        least = floor(places * shares[topic] / total + 1e-9)
        assert least <= quota[topic] <= ceil(places * shares[topic] / total - 1e-9)
        own = {one.paper_id for one in claims if one.topic == topic and one.paper_id in fresh}
        assert sum(topic in topics for topics in topics_of.values()) >= min(least, len(own))


@given(CLAIMS, SHARES, PLACES, PAIRS)
@settings(max_examples=150)
def test_a_near_duplicate_only_comes_when_no_other_of_its_kind_is_left_out(
    claims: list[Claim], shares: list[float], places: int, pairs: list[tuple[int, int]]
) -> None:
    near = symmetric(pairs)
    choices = select(claims, shares, places, near=near)
    fresh = {one.paper_id for one in claims if one.is_new}
    shown = {one.paper_id for one in choices}
    for kind in (fresh, {one.paper_id for one in claims} - fresh):
        ours = [one.paper_id for one in choices if one.paper_id in kind]
        doubled = [one for place, one in enumerate(ours) if near.get(one, set()) & set(ours[:place])]
        if doubled:
            assert all(near.get(other, set()) & shown for other in kind - shown)


@given(CLAIMS, SHARES, PLACES, LOTS, PAIRS)
@settings(max_examples=150)
def test_the_lot_takes_at_most_the_last_place_and_empties_no_topic(
    claims: list[Claim], shares: list[float], places: int, lot: Exploration | None, pairs: list[tuple[int, int]]
) -> None:
    near = symmetric(pairs)
    certain = select(claims, shares, places, near=near)
    choices = select(claims, shares, places, explore=lot, near=near)
    drawn = places_of(choices, Placement.EXPLORED)
    assert {one.paper_id for one in choices if one.propensity is not None} == {
        choices[place].paper_id for place in drawn
    }
    if not drawn:
        assert choices == certain
        return
    assert lot is not None and drawn == [places - 1] and places >= LEAST_PLACES
    others, last = choices[:-1], choices[-1]
    assert len(set(certain) - set(others)) == 1 and set(others) <= set(certain)
    assert last.paper_id not in {one.paper_id for one in certain}
    assert last.propensity is not None and 1 <= round(1 / last.propensity) <= POOL
    assert last.score >= FLOOR * min(one.score for one in others)
    shown = Counter(topic for one in others for topic in (one.topic, *one.also))
    assert shown.keys() >= {topic for one in certain for topic in (one.topic, *one.also)}


def test_every_paper_of_the_pool_is_drawn_equally_often() -> None:
    """By the bound of Chernoff: a fair lot fails this once in a million sets of days."""
    days, claims = 4000, falling(range(60))
    drawn = Counter(
        select(claims, (1.0,), 10, explore=Exploration.of("7", f"day {day}"))[-1].paper_id for day in range(days)
    )
    assert len(drawn) == POOL
    expected = days / POOL
    for count in drawn.values():
        assert 2 * POOL * tail_bound(count, expected) > 1e-6


def tail_bound(count: int, expected: float) -> float:
    """Return a bound on the chance that a binomial count lies as far off (Mitzenmacher and Upfal, theorem 4.4)."""
    return exp(-expected + count - count * log(count / expected)) if count else exp(-expected)
