"""Whatever happens to clocks, zones and machines, each local date has one edition: none twice, none left out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperdigest.pipeline.composing import LOOK_BACK
from paperdigest.pipeline.due import newest_due
from paperdigest.schedule import due, latest
from paperdigest.store.standing import Standing
from paperdigest.types import Schedule

ZONES = ("Europe/Berlin", "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Apia")
HOURS = tuple(time(hour, minute) for hour in (0, 1, 2, 3, 12, 23) for minute in (0, 15, 30, 59))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 3, 1, tzinfo=UTC)


def transitions(zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the hours of 2005 to 2029 in which the zone's clocks were or will be changed."""
    moments = [datetime(2005, 1, 1, tzinfo=UTC) + number * DAY for number in range(25 * 365)]
    for before, after in pairwise(moments):
        if before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            yield next(
                before + number * HOUR
                for number in range(25)
                if (before + (number + 1) * HOUR).astimezone(zone).utcoffset() != before.astimezone(zone).utcoffset()
            )


def local_dates(zone: ZoneInfo, since: datetime, until: datetime) -> list[date]:
    """The dates that the local clocks show, looked at every quarter of an hour."""
    steps = int((until - since) / timedelta(minutes=15))
    return sorted({(since + number * timedelta(minutes=15)).astimezone(zone).date() for number in range(steps + 1)})


@pytest.mark.parametrize("name", ZONES)
def test_around_each_change_of_the_clocks_every_local_date_has_one_slot(name: str) -> None:
    zone, changes = ZoneInfo(name), 0
    for change in transitions(zone):
        changes += 1
        since, until = change - 3 * DAY, change + 3 * DAY
        wanted = local_dates(zone, since, until)[1:-1]
        for at in HOURS:
            editions = [one.edition for one in due(Schedule(at=at, tz=name), since, until)]
            assert [one for one in editions if wanted[0] <= one <= wanted[-1]] == wanted, (change, at)
    assert changes >= 20


def test_the_day_that_apia_left_out_is_among_them() -> None:
    zone = ZoneInfo("Pacific/Apia")
    (change,) = (one for one in transitions(zone) if one.date() == date(2011, 12, 30))
    assert date(2011, 12, 30) not in local_dates(zone, change - DAY, change + DAY)


@pytest.mark.parametrize("days", [frozenset({1}), frozenset(range(7)), frozenset(range(5))])
def test_leap_days_are_days(days: frozenset[int]) -> None:
    schedule = Schedule(days=days, tz="Europe/Berlin")
    slots = due(schedule, datetime(2028, 2, 20, tzinfo=UTC), datetime(2028, 3, 10, tzinfo=UTC))
    wanted = [date(2028, 2, 20) + number * DAY for number in range(19)]
    assert date(2028, 2, 29) in wanted and date(2028, 2, 29).weekday() == 1
    assert [one.edition for one in slots] == [one for one in wanted if one.weekday() in days]


SCHEDULES = st.builds(
    Schedule,
    days=st.frozensets(st.integers(0, 6), min_size=1),
    at=st.sampled_from(HOURS),
    tz=st.sampled_from([*ZONES, "UTC", "Asia/Kolkata", "America/St_Johns"]),
    pause_until=st.none() | st.dates(date(2026, 2, 1), date(2026, 5, 1)),
)
MOMENTS = st.integers(0, 60 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))


@given(SCHEDULES, MOMENTS, MOMENTS)
@settings(max_examples=150, deadline=None)
def test_the_latest_slot_is_the_last_of_all(schedule: Schedule, since: datetime, until: datetime) -> None:
    slots = due(schedule, since, until)
    assert latest(schedule, since, until) == (slots[-1] if slots else None)


@given(SCHEDULES, st.lists(MOMENTS, min_size=2, max_size=40))
@settings(max_examples=40, deadline=None)
def test_heartbeats_at_any_minute_find_together_what_one_question_finds(
    schedule: Schedule, beats: list[datetime]
) -> None:
    ordered = sorted(beats)
    found = [one for before, after in pairwise(ordered) for one in due(schedule, before, after)]
    assert tuple(found) == due(schedule, ordered[0], ordered[-1])


class Life:
    """One subscriber's editions, planned at moments that need not be in order."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.made: list[tuple[date, datetime]] = []
        self.in_vain = 0

    def beat(self, now: datetime) -> None:
        known = [edition for edition, composed_at in self.made if composed_at <= now]
        standing = Standing(
            id=1,
            schedule=self.schedule,
            created_at=START,
            examined_on=None,
            examined_papers=None,
            planned=max(known, default=None),
            newest=max((edition for edition, _ in self.made), default=None),
            is_suppressed=False,
        )
        edition = newest_due(standing, LOOK_BACK, now)
        # The key (subscriber, edition) of the database has the last word.
        if edition in self.editions:
            self.in_vain += 1
        elif edition is not None:
            self.made.append((edition, now))

    @property
    def editions(self) -> list[date]:
        return [edition for edition, _ in self.made]


@given(SCHEDULES, st.integers(1, 59), st.integers(0, 59))
@settings(max_examples=40, deadline=None)
def test_who_is_looked_at_every_hour_gets_every_edition_once(schedule: Schedule, step: int, first: int) -> None:
    life, now, end = Life(schedule), START + timedelta(minutes=first), START + 60 * DAY
    while now <= end:
        life.beat(now)
        last, now = now, now + timedelta(minutes=step + 30)
    joined = datetime.combine(START.astimezone(ZoneInfo(schedule.tz)).date(), time.min, ZoneInfo(schedule.tz))
    slots = due(schedule, joined.astimezone(UTC) - timedelta(microseconds=1), last)
    # Slots that had struck before the first look give one edition together.
    early = [one for one in slots if one.at <= START + timedelta(minutes=first)]
    assert life.editions == [one.edition for one in slots if one not in early[:-1]]
    assert life.in_vain == 0


@given(SCHEDULES, st.lists(MOMENTS, min_size=1, max_size=30))
@settings(max_examples=80, deadline=None)
def test_after_any_downtime_the_newest_edition_is_there_and_none_came_twice(
    schedule: Schedule, beats: list[datetime]
) -> None:
    life = Life(schedule)
    for now in sorted(beats):
        before = len(life.editions)
        life.beat(now)
        assert len(life.editions) <= before + 1  # one catch-up, however long it was
        newest = latest(schedule, START - DAY, now)
        joined = datetime.combine(START.astimezone(ZoneInfo(schedule.tz)).date(), time.min, ZoneInfo(schedule.tz))
        assert newest is None or newest.at < joined or newest.edition in life.editions
    assert life.editions == sorted(set(life.editions))


@given(
    SCHEDULES,
    st.lists(st.tuples(st.integers(0, 24 * 42), st.sampled_from([-48, -24, 24, 30, 48])), min_size=1, max_size=6),
)
@settings(max_examples=40, deadline=None)
def test_a_clock_that_jumps_a_day_and_back_leaves_no_edition_out(
    schedule: Schedule, jumps: list[tuple[int, int]]
) -> None:
    """For an hour now and then the clock is a day or two ahead or behind; it is looked at every hour."""
    wrong = dict(jumps)
    life, plain = Life(schedule), Life(schedule)
    for hour in range(24 * 45):
        plain.beat(START + hour * HOUR)
        life.beat(START + hour * HOUR + wrong.get(hour, 0) * HOUR)
    extra = set(life.editions) - set(plain.editions)
    assert set(plain.editions) <= set(life.editions)
    assert len(extra) <= 2  # those before the first, or after the last
    assert life.in_vain <= 24 * len(jumps)
    assert len(set(life.editions)) == len(life.editions)


@given(st.lists(st.tuples(st.integers(1, 24 * 40), st.sampled_from([*ZONES, "Pacific/Honolulu", "UTC"])), max_size=6))
@settings(max_examples=40, deadline=None)
def test_who_moves_between_zones_gets_each_local_date_once(moves: list[tuple[int, str]]) -> None:
    life = Life(Schedule(at=time(7), tz="UTC"))
    to = dict(moves)
    for hour in range(24 * 45):
        if hour in to:
            life.schedule = Schedule(at=time(7), tz=to[hour])
        life.beat(START + hour * HOUR)
    assert life.editions == [life.editions[0] + number * DAY for number in range(len(life.editions))]
    assert len(life.editions) >= 44


@pytest.mark.parametrize("zone", [None, "", "Pacific/Apia", "Europe/Berlin", ":/etc/nothing"])
def test_the_zone_of_the_machine_plays_no_part(zone: str | None) -> None:
    program = (
        "from datetime import *; from paperdigest.schedule import due; from paperdigest.types import Schedule\n"
        "s = Schedule(at=time(2, 30), tz='Europe/Berlin')\n"
        "print([(str(d.edition), d.at.isoformat()) for d in due(s, datetime(2026, 3, 27, tzinfo=UTC),"
        " datetime(2026, 3, 30, tzinfo=UTC))])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "TZ"}
    environment |= {} if zone is None else {"TZ": zone}
    printed = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert printed.stdout.strip() == str(
        [
            ("2026-03-27", "2026-03-27T01:30:00+00:00"),
            ("2026-03-28", "2026-03-28T01:30:00+00:00"),
            ("2026-03-29", "2026-03-29T01:00:00+00:00"),
        ]
    )
