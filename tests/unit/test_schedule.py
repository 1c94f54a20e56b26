from datetime import UTC, date, datetime, time

import pytest

from paperdigest.errors import UsageError
from paperdigest.schedule import due, format_days, instant, parse_at, parse_days, parse_zone
from paperdigest.types import Schedule


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _slots(schedule: Schedule, since: str, until: str) -> list[tuple[str, str]]:
    return [(str(slot.edition), slot.at.isoformat()) for slot in due(schedule, _utc(since), _utc(until))]


def test_a_weekday_schedule_is_silent_over_the_weekend() -> None:
    schedule = Schedule(days=parse_days("mon-fri"), at=time(7), tz="Europe/Berlin")
    assert _slots(schedule, "2026-04-10T12:00", "2026-04-14T12:00") == [
        ("2026-04-13", "2026-04-13T05:00:00+00:00"),
        ("2026-04-14", "2026-04-14T05:00:00+00:00"),
    ]


def test_the_interval_is_open_at_the_start_and_closed_at_the_end() -> None:
    schedule = Schedule(at=time(7))
    assert _slots(schedule, "2026-04-14T07:00", "2026-04-15T07:00") == [("2026-04-15", "2026-04-15T07:00:00+00:00")]
    assert _slots(schedule, "2026-04-15T07:00", "2026-04-15T07:00") == []


def test_a_slot_in_the_spring_gap_fires_at_the_first_instant_after_it() -> None:
    schedule = Schedule(at=time(2, 30), tz="Europe/Berlin")  # 02:00 became 03:00 on 29 March 2026
    assert _slots(schedule, "2026-03-28T12:00", "2026-03-29T12:00") == [("2026-03-29", "2026-03-29T01:00:00+00:00")]


def test_a_slot_in_the_autumn_overlap_fires_only_the_first_time() -> None:
    schedule = Schedule(at=time(2, 30), tz="Europe/Berlin")  # 03:00 becomes 02:00 on 25 October 2026
    assert _slots(schedule, "2026-10-24T12:00", "2026-10-25T12:00") == [("2026-10-25", "2026-10-25T00:30:00+00:00")]


def test_a_gap_at_midnight_keeps_its_date() -> None:
    schedule = Schedule(at=time(0, 15), tz="Africa/Cairo")  # 00:00 became 01:00 on 24 April 2026
    assert _slots(schedule, "2026-04-23T12:00", "2026-04-24T12:00") == [("2026-04-24", "2026-04-23T22:00:00+00:00")]


def test_a_gap_of_half_an_hour_is_no_special_case() -> None:
    schedule = Schedule(at=time(2, 10), tz="Australia/Lord_Howe")  # 02:00 became 02:30 on 4 October 2026
    assert _slots(schedule, "2026-10-03T00:00", "2026-10-04T00:00") == [("2026-10-04", "2026-10-03T15:30:00+00:00")]


def test_a_date_the_zone_left_out_has_no_slot() -> None:
    schedule = Schedule(at=time(7), tz="Pacific/Apia")
    editions = [edition for edition, _ in _slots(schedule, "2011-12-28T00:00", "2012-01-01T12:00")]
    assert editions == ["2011-12-28", "2011-12-29", "2011-12-31", "2012-01-01"]


def test_paused_dates_are_left_out_until_the_day_named() -> None:
    schedule = Schedule(at=time(7), pause_until=date(2026, 4, 15))
    assert [e for e, _ in _slots(schedule, "2026-04-10T00:00", "2026-04-16T12:00")] == ["2026-04-15", "2026-04-16"]


def test_the_ends_of_the_calendar_do_no_harm() -> None:
    assert due(Schedule(), datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)) == ()
    assert due(Schedule(), _utc("9999-12-20T00:00"), datetime.max.replace(tzinfo=UTC))


def test_local_midnight_is_found_where_midnight_is_missing() -> None:
    assert instant(date(2026, 4, 24), time.min, "Africa/Cairo") == _utc("2026-04-23T22:00")


@pytest.mark.parametrize("name", ["Europe/Berln", "../etc/passwd", "Europe", "", "a\0b", "/etc/localtime"])
def test_an_unknown_zone_is_refused_in_words(name: str) -> None:
    with pytest.raises(UsageError, match="is not a time zone"):
        parse_zone(name)


def test_a_misspelt_zone_is_met_with_a_guess() -> None:
    with pytest.raises(UsageError, match="Europe/Berlin"):
        parse_zone("Europe/Berln")


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("daily", {0, 1, 2, 3, 4, 5, 6}),
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("Mon, Wednesday", {0, 2}),
        ("sat-mon", {5, 6, 0}),
        ("mon-tue,fri", {0, 1, 4}),
        ("sun", {6}),
    ],
)
def test_days_are_read_as_people_write_them_and_printed_back(text: str, days: set[int]) -> None:
    assert parse_days(text) == days
    assert parse_days(format_days(parse_days(text))) == days


@pytest.mark.parametrize("text", ["", "weekly", "mon-", "1,2", "mon;tue"])
def test_other_days_are_refused_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError, match="mon-fri"):
        parse_days(text)


def test_an_hour_is_read_from_a_clock_of_24_hours() -> None:
    assert (parse_at("07:00"), parse_at("7:05"), parse_at(" 23:59 ")) == (time(7), time(7, 5), time(23, 59))


@pytest.mark.parametrize("text", ["24:00", "7", "07:60", "7am", "", "07:00:00"])
def test_other_hours_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="HH:MM"):
        parse_at(text)
