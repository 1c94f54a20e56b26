from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from paperdigest.schedule import due
from paperdigest.types import Schedule

_ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata"]
)
_MOMENTS = st.timedeltas(timedelta(0), timedelta(days=22 * 365)).map(lambda d: datetime(2010, 1, 1, tzinfo=UTC) + d)
_SPANS = st.timedeltas(timedelta(0), timedelta(days=30))


@st.composite
def _schedules(draw: st.DrawFn) -> Schedule:
    return Schedule(
        days=draw(st.frozensets(st.integers(0, 6), min_size=1)),
        at=draw(st.times().map(lambda at: at.replace(second=0, microsecond=0))),
        tz=draw(_ZONES),
        pause_until=draw(st.none() | st.dates(date(2010, 1, 1), date(2032, 1, 1))),
    )


@given(_schedules(), _MOMENTS, _SPANS, _SPANS)
@settings(max_examples=150, deadline=None)
def test_asking_twice_gives_what_asking_once_gives(
    schedule: Schedule, start: datetime, first: timedelta, second: timedelta
) -> None:
    middle, end = start + first, start + first + second
    assert due(schedule, start, middle) + due(schedule, middle, end) == due(schedule, start, end)


@given(_schedules(), _MOMENTS, _SPANS)
@settings(max_examples=150, deadline=None)
def test_each_existing_local_date_has_exactly_one_slot_in_order(
    schedule: Schedule, start: datetime, span: timedelta
) -> None:
    zone = ZoneInfo(schedule.tz)
    slots = due(schedule, start, start + span)
    editions = [slot.edition for slot in slots]
    assert editions == sorted(set(editions))
    assert all(a.at < b.at for a, b in pairwise(slots))
    local_dates = {(start + timedelta(hours=h)).astimezone(zone).date() for h in range(int(span / timedelta(hours=1)))}
    inner = sorted(local_dates)[1:-1]
    wanted = {
        d for d in inner if d.weekday() in schedule.days and not (schedule.pause_until and d < schedule.pause_until)
    }
    assert wanted <= set(editions)


@given(_schedules(), _MOMENTS, _SPANS)
@settings(max_examples=100, deadline=None)
def test_a_slot_strikes_at_its_hour_or_right_after_a_gap(schedule: Schedule, start: datetime, span: timedelta) -> None:
    zone = ZoneInfo(schedule.tz)
    for slot in due(schedule, start, start + span):
        local = slot.at.astimezone(zone)
        before = (slot.at - timedelta(seconds=1)).astimezone(zone)
        wanted = datetime.combine(slot.edition, schedule.at)
        on_time = local.replace(tzinfo=None) == wanted and local.fold == 0
        after_gap = before.replace(tzinfo=None) < wanted < local.replace(tzinfo=None)
        assert on_time or after_gap


def test_the_hour_of_the_gap_is_reached_by_the_examples() -> None:
    schedule = Schedule(at=time(2, 30), tz="Europe/Berlin")
    slots = due(schedule, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert len(slots) == 365
