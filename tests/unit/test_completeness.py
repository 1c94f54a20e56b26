"""How far can a listing be trusted? One table of cases per state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from paperdigest.identity import arxiv_id
from paperdigest.pipeline.completeness import History, expected_day, judge
from paperdigest.types import Entry, Listing, ListingState, Paper, PaperId, Period

WEDNESDAY = date(2026, 4, 15)
SATURDAY = date(2026, 4, 18)
NOW = datetime(2026, 4, 15, 12, tzinfo=UTC)


def weekdays(day: date) -> bool | None:
    return day.weekday() < 5


def no_calendar(day: date) -> bool | None:
    return None


def listing(count: int = 3, **more: object) -> Listing:
    entries = tuple(Entry(paper=Paper(id=identifier(i), title=f"Paper {i}"), rank=i + 1) for i in range(count))
    fields: dict[str, object] = {
        "source": "s",
        "kind": "k",
        "listed_on": WEDNESDAY,
        "retrieved_at": NOW,
        "state": ListingState.COMPLETE,
        "entries": entries,
    }
    return Listing(**{**fields, **more})  # type: ignore[arg-type]  # the fields are given by keyword


def identifier(number: int) -> PaperId:
    found = arxiv_id(f"2604.{number:05d}")
    assert found is not None
    return found


def state(
    one: Listing,
    history: History = History(),  # noqa: B008 - a frozen value
    *,
    calendar: Callable[[date], bool | None] = weekdays,
    asked: date | None = None,
) -> ListingState:
    return judge(one, history, calendar, asked=asked, now=NOW).state


def test_a_full_listing_of_the_expected_day_is_complete() -> None:
    assert state(listing(announced_count=3)) is ListingState.COMPLETE


def test_fewer_entries_than_announced_are_partial_and_the_note_counts() -> None:
    judged = judge(listing(announced_count=5), History(), weekdays, asked=None, now=NOW)
    assert judged.state is ListingState.PARTIAL
    assert judged.note == "3 of 5 announced entries"


def test_unreadable_entries_are_partial() -> None:
    assert state(listing(dropped=1)) is ListingState.PARTIAL


def test_what_the_parser_saw_cut_stays_partial_with_its_reason() -> None:
    judged = judge(listing(state=ListingState.PARTIAL, note="exactly 50"), History(), weekdays, asked=None, now=NOW)
    assert (judged.state, judged.note) == (ListingState.PARTIAL, "exactly 50")


@pytest.mark.parametrize(("have", "expected"), [(3, ListingState.PARTIAL), (80, ListingState.COMPLETE)])
def test_far_fewer_than_usual_are_partial(have: int, expected: ListingState) -> None:
    assert state(listing(have), History(usual=(100, 110, 90, 100, 120))) is expected


def test_a_few_listings_say_nothing_of_the_usual_number() -> None:
    assert state(listing(1), History(usual=(100, 110))) is ListingState.COMPLETE


def test_a_batch_served_again_is_stale() -> None:
    assert state(listing(), History(listed_before=3)) is ListingState.STALE


def test_one_unseen_entry_makes_a_batch_fresh() -> None:
    assert state(listing(), History(listed_before=2)) is ListingState.COMPLETE


def test_a_count_that_is_met_on_the_expected_day_proves_a_listing_whatever_was_listed_before() -> None:
    assert state(listing(announced_count=3), History(listed_before=3)) is ListingState.COMPLETE
    old = listing(announced_count=3, listed_on=date(2026, 4, 14))
    assert state(old, History(listed_before=3)) is ListingState.STALE


def test_new_versions_of_known_papers_are_no_sign_of_a_stale_listing() -> None:
    entries = listing(1).entries
    replaced = tuple(replace(entry, announce_type="replace") for entry in entries)
    assert state(listing(entries=replaced)) is ListingState.COMPLETE
    both = (*replaced, *listing(2).entries[1:])
    assert state(listing(entries=both), History(listed_before=1)) is ListingState.STALE


def test_a_listing_of_which_nothing_was_wanted_is_complete() -> None:
    assert state(listing(0), History(usual=(100, 110, 90, 100, 120))) is ListingState.COMPLETE
    assert state(listing(0, listed_on=date(2026, 4, 14))) is ListingState.STALE


def test_a_day_that_was_emptied_is_partial() -> None:
    empty = listing(0, state=ListingState.QUIET)
    judged = judge(empty, History(entries_this_day=40), weekdays, asked=WEDNESDAY, now=NOW)
    assert judged.state is ListingState.PARTIAL
    assert judged.note is not None and "40 were read before" in judged.note


def test_reading_the_same_day_again_is_not_stale() -> None:
    assert state(listing(), History(listed_before=3, entries_this_day=3)) is ListingState.COMPLETE


def test_a_re_read_that_lost_most_entries_is_partial() -> None:
    assert state(listing(1), History(listed_before=0, entries_this_day=33)) is ListingState.PARTIAL
    assert state(listing(30), History(listed_before=0, entries_this_day=33)) is ListingState.COMPLETE


def test_a_batch_of_an_older_day_is_stale_when_the_current_one_was_asked_for() -> None:
    old = listing(listed_on=date(2026, 4, 14))
    assert state(old) is ListingState.STALE
    assert state(old, asked=date(2026, 4, 14)) is ListingState.COMPLETE


def test_a_feed_without_calendar_may_repeat_itself() -> None:
    assert state(listing(), History(listed_before=3), calendar=no_calendar) is ListingState.COMPLETE


@pytest.mark.parametrize(
    ("day", "now", "expected"),
    [
        (SATURDAY, datetime(2026, 4, 18, 12, tzinfo=UTC), ListingState.QUIET),
        (WEDNESDAY, NOW, ListingState.STALE),
        (WEDNESDAY, datetime(2026, 4, 20, 12, tzinfo=UTC), ListingState.QUIET),
    ],
    ids=["weekend", "not yet announced", "long past"],
)
def test_an_empty_listing_is_explained_by_the_calendar(day: date, now: datetime, expected: ListingState) -> None:
    empty = listing(0, listed_on=day, state=ListingState.QUIET)
    judged = judge(empty, History(), weekdays, asked=day, now=now)
    assert judged.state is expected
    assert judged.note is not None and day.isoformat() in judged.note


def test_an_empty_feed_is_quiet() -> None:
    assert state(listing(0, state=ListingState.QUIET), calendar=no_calendar) is ListingState.QUIET


def test_an_empty_body_that_announces_entries_is_partial() -> None:
    assert state(listing(0, announced_count=7)) is ListingState.PARTIAL


def test_a_week_or_a_search_is_left_as_the_parser_said() -> None:
    assert state(listing(period=Period.WEEK), History(listed_before=3)) is ListingState.COMPLETE


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 4, 15, 5, 59, tzinfo=UTC), date(2026, 4, 14)),
        (datetime(2026, 4, 15, 6, 0, tzinfo=UTC), date(2026, 4, 15)),
        (datetime(2026, 4, 19, 12, tzinfo=UTC), date(2026, 4, 17)),
    ],
)
def test_the_newest_announcement_is_expected_six_hours_into_its_day(now: datetime, expected: date) -> None:
    assert expected_day(weekdays, now) == expected


def test_without_calendar_nothing_is_expected() -> None:
    assert expected_day(no_calendar, NOW) is None
