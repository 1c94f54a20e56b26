"""arXiv's calendar: weekends, deferred mailings, cut-offs on both sides of a clock change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from paperdigest.sources.arxiv.calendar import (
    announces_on,
    eastern_date,
    latest_listing,
    listing_day,
    submission_window,
)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]  # a date and time of any length


def test_weekdays_have_a_listing_and_weekends_have_none() -> None:
    week = [announces_on(date(2026, 4, 13) + timedelta(days=day)) for day in range(7)]
    assert week == [True] * 5 + [False] * 2


@pytest.mark.parametrize(
    ("deferred", "missing"),
    [
        ("2026-01-01", "2026-01-02"),
        ("2026-01-19", "2026-01-20"),
        ("2026-06-19", "2026-06-22"),
        ("2026-07-03", "2026-07-06"),
        ("2026-09-07", "2026-09-08"),
        ("2026-11-26", "2026-11-27"),
        ("2026-12-25", "2026-12-28"),
        ("2026-12-29", "2026-12-30"),
        ("2026-12-31", "2027-01-01"),
        ("2025-07-06", "2025-07-07"),
    ],
)
def test_a_deferred_evening_takes_the_next_weekdays_listing(deferred: str, missing: str) -> None:
    assert not announces_on(date.fromisoformat(missing))
    day = date.fromisoformat(deferred)
    assert announces_on(day) is (day.weekday() < 5), "the listing of that very day was announced the evening before"


def test_2026_lacks_nine_listings_besides_weekends_and_one_in_the_new_year() -> None:
    days = [date(2026, 1, 1) + timedelta(days=day) for day in range(366)]
    missing = [day for day in days if day.weekday() < 5 and not announces_on(day)]
    assert len(missing) == 9
    assert missing[-1] == date(2027, 1, 1)


def test_years_without_a_table_know_the_holidays_of_every_table() -> None:
    assert not announces_on(date(2027, 9, 7)), "Labor Day is the first Monday of September"
    assert not announces_on(date(2027, 1, 19)), "Martin Luther King Jr. Day is the third Monday of January"
    assert not announces_on(date(2028, 11, 24)), "Thanksgiving is the fourth Thursday of November"
    assert not announces_on(date(2028, 6, 20))
    assert announces_on(date(2028, 12, 26)), "what is not known is expected to be announced"


@pytest.mark.parametrize(
    ("announced_at", "listed_on"),
    [
        (utc(2023, 3, 17, 0, 31), "2023-03-17"),  # Thursday 20:31 EDT
        (utc(2026, 1, 13, 1, 5), "2026-01-13"),  # Monday 20:05 EST
        (utc(2026, 4, 13, 0, 30), "2026-04-13"),  # Sunday evening: Monday's
        (utc(2026, 4, 17, 5, 0), "2026-04-17"),  # Friday 01:00: the night's mail
        (utc(2026, 4, 18, 1, 0), "2026-04-20"),  # Friday evening, late: Monday's
    ],
)
def test_an_announcement_is_listed_under_the_next_weekday(announced_at: datetime, listed_on: str) -> None:
    assert listing_day(announced_at) == date.fromisoformat(listed_on)


@pytest.mark.parametrize(
    ("day", "start", "end"),
    [
        ("2026-04-15", utc(2026, 4, 13, 18), utc(2026, 4, 14, 18)),  # Wednesday: Monday to Tuesday 14:00
        ("2026-04-13", utc(2026, 4, 9, 18), utc(2026, 4, 10, 18)),  # Monday: Thursday to Friday
        ("2026-04-14", utc(2026, 4, 10, 18), utc(2026, 4, 13, 18)),  # Tuesday: Friday to Monday
        ("2026-03-10", utc(2026, 3, 6, 19), utc(2026, 3, 9, 18)),  # the clocks go forward in between
        ("2026-07-07", utc(2026, 7, 2, 18), utc(2026, 7, 6, 18)),  # after a deferred Friday: two days in one
    ],
)
def test_a_listing_holds_what_was_submitted_between_two_cut_offs(day: str, start: datetime, end: datetime) -> None:
    assert submission_window(date.fromisoformat(day)) == (start, end)


def test_the_windows_of_a_year_follow_each_other_without_gap_or_overlap() -> None:
    days = [date(2026, 1, 1) + timedelta(days=day) for day in range(365)]
    windows = [window for day in days if (window := submission_window(day)) is not None]
    assert all(before[1] == after[0] for before, after in pairwise(windows))


def test_a_day_without_a_listing_has_no_window() -> None:
    assert submission_window(date(2026, 4, 18)) is None


def test_a_new_listing_counts_from_midnight_eastern() -> None:
    assert latest_listing(utc(2026, 4, 15, 3, 59)) == date(2026, 4, 14)
    assert latest_listing(utc(2026, 4, 15, 4, 0)) == date(2026, 4, 15)
    assert latest_listing(utc(2026, 4, 19, 12, 0)) == date(2026, 4, 17), "on Sunday it is still Friday's"


def test_eastern_dates_follow_the_clock_changes() -> None:
    assert eastern_date(utc(2026, 1, 15, 4, 59)) == date(2026, 1, 14)
    assert eastern_date(utc(2026, 7, 15, 4, 0)) == date(2026, 7, 15)
