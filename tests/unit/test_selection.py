"""Which papers a digest shows: quota, queue, near-duplicates and the lot."""

from __future__ import annotations

import pytest

from paperdigest.ranking.selection import FLOOR, LEAST_PLACES, POOL, Exploration, select
from paperdigest.types import Placement
from tests.claim_samples import LOT, chosen, claim, falling, names, paper_id, twins

# Quota


def test_a_minor_topic_keeps_its_place() -> None:
    assert chosen([*falling("abcdefghij"), claim("z", 0.1, topic=1)], 10, (0.9, 0.1)) == "abcdefghiz"


def test_places_that_a_topic_cannot_use_are_given_on() -> None:
    claims = [*falling("abcdefgh"), claim("z", 0.95, topic=1)]
    assert chosen(claims, 6, (0.5, 0.5)) == "zabcde"
    worse = [*falling("abcdefgh"), claim("z", 0.1, topic=1)]
    assert chosen(worse, 6, (0.5, 0.5)) == "abcdez"
    three = [*falling("abc"), *falling("xyz", topic=2, start=0.8)]
    assert chosen(three, 4, (0.2, 0.6, 0.2)) == "abxy"


def test_all_are_taken_when_there_is_room_for_all() -> None:
    assert chosen([*falling("ab"), *falling("yz", topic=1, start=0.5)], 10, (0.9, 0.1)) == "abyz"


def test_a_paper_of_two_topics_stands_once_under_the_better_and_names_the_other() -> None:
    claims = [claim("a", 0.5), claim("a", 0.7, topic=1), claim("a", 0.6, topic=2), claim("b", 0.4)]
    one, other = select(claims, (0.4, 0.3, 0.3), 3)
    assert (one.paper_id, one.topic, one.also, one.score, one.raw) == (paper_id("a"), 1, (2, 0), 0.7, 7.0)
    assert (other.topic, other.also) == (0, ())


def test_a_paper_of_two_topics_takes_one_place() -> None:
    claims = [claim("a", 0.9), claim("a", 0.8, topic=1), claim("b", 0.5), claim("c", 0.5, topic=1)]
    assert chosen(claims, 3, (0.5, 0.5)) == "abc"


def test_a_paper_that_finds_its_first_topic_full_may_come_in_by_its_second() -> None:
    claims = [*falling("abc"), claim("c", 0.5, topic=1), claim("d", 0.4)]
    assert chosen(claims, 2, (0.5, 0.5)) == "ac"


def test_in_its_second_topic_a_paper_waits_for_the_better_ones_there() -> None:
    claims = [*falling("abc"), claim("c", 0.3, topic=1), claim("z", 0.5, topic=1)]
    assert chosen(claims, 2, (0.5, 0.5)) == "az"


def test_equal_topics_get_an_odd_place_by_their_best_paper() -> None:
    assert chosen([claim("a", 0.5), claim("z", 0.6, topic=1)], 1, (0.5, 0.5)) == "z"


@pytest.mark.parametrize("places", [0, -1])
def test_no_places_or_no_claims_give_nothing(places: int) -> None:
    assert select(falling("ab"), (1.0,), places, explore=LOT) == ()
    assert select([], (), 5, explore=LOT) == ()


def test_ties_go_by_raw_score_then_by_id() -> None:
    higher = claim("z", 1.0)
    claims = [claim("b", 1.0), claim("a", 1.0), higher]
    assert chosen(claims, 3) == "abz"
    raised = [
        one if one is not higher else type(one)(paper_id=one.paper_id, topic=0, score=1.0, raw=11) for one in claims
    ]
    assert chosen(raised, 3) == "zab"


def test_of_several_claims_of_a_paper_for_a_topic_the_best_counts() -> None:
    (one,) = select([claim("a", 0.2), claim("a", 0.6), claim("a", 0.4)], (1.0,), 5)
    assert (one.score, one.also) == (0.6, ())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("score", 1.5),
        ("score", -0.1),
        ("score", float("nan")),
        ("raw", float("nan")),
        ("raw", float("inf")),
        ("topic", -1),
    ],
)
def test_a_claim_that_makes_no_sense_is_refused_by_name(field: str, value: float) -> None:
    given = {"paper_id": paper_id("a"), "topic": 0, "score": 0.5, "raw": 1.0} | {field: value}
    with pytest.raises(ValueError, match="arxiv:a"):
        type(claim("a", 0.5))(**given)  # type: ignore[arg-type]  # keywords are checked by the call


# The queue


def test_papers_that_waited_only_fill_what_new_ones_leave() -> None:
    claims = [*falling("xyz", start=0.99, is_new=False), *falling("abc", start=0.2)]
    assert chosen(claims, 2) == "ab"
    choices = select(claims, (1.0,), 5)
    assert names(choices) == "abcxy"
    assert [one.placement for one in choices] == [Placement.NEW] * 3 + [Placement.WAITED] * 2


def test_a_paper_is_new_when_any_of_its_claims_says_so() -> None:
    (one,) = select([claim("a", 0.9, is_new=False), claim("a", 0.5, topic=1)], (0.5, 0.5), 1)
    assert one.placement is Placement.NEW


def test_what_waited_shares_by_what_each_topic_already_has() -> None:
    claims = [*falling("abcdefgh"), *falling("uvwx", start=0.8, is_new=False)]
    claims += falling("yz", start=0.3, topic=1, is_new=False)
    assert chosen(claims, 10, (0.9, 0.1)) == "abcdefghuy"


def test_topics_without_anything_that_waits_count_too_when_the_rest_is_shared() -> None:
    claims = [*falling("abcde"), *falling("pqr", start=0.8, topic=1, is_new=False)]
    claims += falling("xy", start=0.3, topic=2, is_new=False)
    assert chosen(claims, 8, (0.5, 0.25, 0.25)) == "abcdepqx"


def test_a_topic_above_its_share_leaves_the_waiting_to_the_others() -> None:
    claims = [*falling("abcde"), *falling("w", is_new=False), *falling("xyz", start=0.2, topic=1, is_new=False)]
    assert chosen(claims, 8, (0.5, 0.5)) == "abcdexyz"


# Near-duplicates


def test_a_near_duplicate_of_one_chosen_steps_back() -> None:
    assert chosen(falling("abcd"), 3, near=twins("ab")) == "acd"


def test_it_comes_all_the_same_when_there_is_room_but_after_the_others() -> None:
    assert chosen(falling("abcd"), 4, near=twins("ab")) == "acdb"
    assert chosen(falling("abcde"), 5, near=twins("ab", "ac", "bc")) == "adebc"


def test_near_duplicates_of_what_is_not_chosen_do_not_step_back() -> None:
    claims = [*falling("ab"), claim("c", 0.1)]
    assert chosen(claims, 2, near=twins("bc")) == "ab"


def test_a_new_near_duplicate_still_comes_before_what_waited() -> None:
    claims = [*falling("abc"), *falling("z", is_new=False)]
    assert chosen(claims, 3, near=twins("ab")) == "acb"
    assert chosen(claims, 4, near=twins("ab")) == "acbz"


def test_what_waited_steps_back_behind_a_new_near_duplicate() -> None:
    claims = [*falling("a"), *falling("yz", start=0.99, is_new=False)]
    assert chosen(claims, 2, near=twins("ay")) == "az"


def test_near_duplicates_of_different_topics_step_back_too() -> None:
    claims = [*falling("ab"), *falling("yz", start=0.5, topic=1)]
    assert chosen(claims, 3, (0.5, 0.5), near=twins("ay")) == "abz"
    assert chosen(claims, 4, (0.5, 0.5), near=twins("ay")) == "abzy"


def test_whoever_stepped_back_shares_by_quota_too() -> None:
    claims = [*falling("abcd"), *falling("yz", start=0.5, topic=1)]
    near = twins("ab", "ac", "ad", "bc", "bd", "cd", "yz")
    assert chosen(claims, 4, (0.5, 0.5), near=near) == "aybz"


# The lot


def test_the_last_place_goes_to_one_of_the_next_twenty_with_its_chance() -> None:
    choices = select(falling(range(60)), (1.0,), 10, explore=LOT)
    *certain, drawn = choices
    assert [one.paper_id for one in certain] == [paper_id(number) for number in range(9)]
    assert {(one.placement, one.propensity) for one in certain} == {(Placement.NEW, None)}
    assert (drawn.placement, drawn.propensity) == (Placement.EXPLORED, 1 / POOL)
    assert paper_id(10) <= drawn.paper_id <= paper_id(29)


def test_all_of_the_pool_and_no_other_are_drawn_in_the_long_run() -> None:
    drawn = {
        select(falling(range(60)), (1.0,), 10, explore=Exploration.of("1", str(day)))[-1].paper_id for day in range(400)
    }
    assert drawn == {paper_id(number) for number in range(10, 30)}


def test_fewer_than_twenty_share_the_chance() -> None:
    drawn = select(falling(range(13)), (1.0,), 10, explore=LOT)[-1]
    assert drawn.propensity == pytest.approx(1 / 3)


def test_the_constants_are_those_of_the_explanation() -> None:
    assert (LEAST_PLACES, POOL, FLOOR) == (5, 20, 0.5)


@pytest.mark.parametrize(("places", "explored"), [(4, 0), (5, 1)])
def test_a_small_digest_gives_no_place_away(places: int, explored: int) -> None:
    choices = select(falling(range(60)), (1.0,), places, explore=LOT)
    assert len(choices) == places
    assert sum(one.placement is Placement.EXPLORED for one in choices) == explored


def test_there_is_no_lot_when_all_find_a_place() -> None:
    choices = select(falling(range(10)), (1.0,), 10, explore=LOT)
    assert [one.placement for one in choices] == [Placement.NEW] * 10
    assert len(select(falling(range(7)), (1.0,), 10, explore=LOT)) == 7


def test_without_a_lot_nothing_is_drawn() -> None:
    assert all(one.placement is Placement.NEW for one in select(falling(range(60)), (1.0,), 10))


def test_what_is_far_below_the_cut_did_not_nearly_miss_it() -> None:
    high = falling(range(9), start=0.8)  # 0.8 to 0.792, the cut
    tenth = claim(9, 0.79)
    far, near = claim(50, 0.792 * FLOOR - 1e-6), claim(51, 0.792 * FLOOR)
    assert select([*high, tenth, far], (1.0,), 10, explore=LOT)[-1].paper_id == paper_id(9)
    drawn = select([*high, tenth, far, near], (1.0,), 10, explore=LOT)[-1]
    assert (drawn.paper_id, drawn.propensity) == (paper_id(51), 1)


def test_the_only_paper_of_a_topic_is_never_pushed_out() -> None:
    claims = [*falling(range(40)), claim(99, 0.5, topic=1)]
    choices = select(claims, (0.9, 0.1), 10, explore=LOT)
    assert paper_id(99) in {one.paper_id for one in choices}
    assert paper_id(8) not in {one.paper_id for one in choices[:-1]}


def test_the_only_paper_of_a_topic_is_kept_when_it_stands_under_another_one() -> None:
    claims = [*falling(range(10, 50)), claim(99, 0.6), claim(99, 0.5, topic=1)]
    choices = select(claims, (0.9, 0.1), 10, explore=LOT)
    assert paper_id(99) in {one.paper_id for one in choices}


def test_a_digest_of_one_paper_a_topic_has_no_place_to_give() -> None:
    claims = [one for topic in range(5) for one in falling(range(topic * 10, topic * 10 + 5), topic=topic)]
    choices = select(claims, (0.2,) * 5, 5, explore=LOT)
    assert all(one.placement is Placement.NEW for one in choices)


def test_near_duplicates_of_what_is_shown_are_not_drawn() -> None:
    claims = falling("abcdefg")
    assert [one.propensity for one in select(claims, (1.0,), 5, explore=LOT, near=twins("af"))][-1] == 1
    drawn = {names(select(claims, (1.0,), 5, explore=Exploration(key=str(n)), near=twins("af")))[-1] for n in range(60)}
    assert drawn == {"g"}


def test_what_waited_is_only_drawn_for_a_place_of_what_waited() -> None:
    waited = falling(range(50, 60), start=0.9, is_new=False)
    fresh = select([*falling(range(5)), *waited], (1.0,), 5, explore=LOT)
    assert [one.placement for one in fresh] == [Placement.NEW] * 5
    mixed = select([*falling(range(4)), *waited], (1.0,), 5, explore=LOT)
    assert mixed[-1].placement is Placement.EXPLORED and mixed[-1].propensity == pytest.approx(1 / 9)


def test_the_lot_depends_on_subscriber_and_edition_alone() -> None:
    pool = [paper_id(number) for number in range(20)]
    assert Exploration.of("1", "2026-04-15").draw(pool) == Exploration.of("1", "2026-04-15").draw(reversed(pool))
    draws = {
        (who, day): Exploration.of(who, f"2026-04-{day:02}").draw(pool)
        for who in ("1", "2", "a@b.c")
        for day in range(1, 20)
    }
    assert len(set(draws.values())) > 10
    assert Exploration.of("1", "12").key != Exploration.of("11", "2").key


def test_a_draw_is_the_same_on_every_machine() -> None:
    assert LOT.draw(paper_id(number) for number in range(20)) == paper_id(16)


def test_an_address_with_half_a_character_has_a_lot_too() -> None:
    assert Exploration.of("\ud800@b.c", "2026-04-15").draw([paper_id(1)]) == paper_id(1)


def test_an_empty_pool_has_no_draw() -> None:
    with pytest.raises(ValueError, match="empty"):
        LOT.draw([])
