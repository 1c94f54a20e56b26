"""arXiv's calendar: which days have a listing, and what was submitted for it. Pure; all in US Eastern time.

Papers received until 14:00 are announced at 20:00, Sunday to Thursday evening. The listing of an
announcement is dated the next weekday ("Showing new listings for …", and ``pubDate`` in the feeds,
which are rebuilt at midnight), so listings are dated Monday to Friday.

arXiv publishes the *evenings* on which it defers a mailing. The listing of the following weekday is
the one that then does not exist: with Monday 7 September 2026 deferred, the listing of Monday the 7th
(announced on Sunday) is there and the one of Tuesday the 8th is not; a deferred Friday takes away the
following Monday.

Source: arXiv help, "Availability of submissions" (tables of 2023, 2025 and 2026). For other years only
what stands in every table is assumed; on other holidays a listing is expected that will not come.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

__all__ = ["EASTERN", "announces_on", "eastern_date", "latest_listing", "listing_day", "submission_window"]

EASTERN = ZoneInfo("America/New_York")
CUT_OFF = time(14)
_DAY = timedelta(days=1)
_DEFERRED = {
    2023: ((1, 16), (6, 14), (6, 19), (7, 4), (9, 4), (11, 23), (12, 25), (12, 27)),
    2025: ((1, 1), (1, 20), (6, 19), (7, 6), (9, 1), (11, 27)),  # its December was never published
    2026: ((1, 1), (1, 19), (6, 19), (7, 3), (9, 7), (11, 26), (12, 25), (12, 29), (12, 31)),
}


def announces_on(day: date) -> bool:
    """Say whether there is a listing dated ``day``: a weekday whose announcement was not deferred."""
    if day.weekday() >= 5:
        return False
    evening = _previous_weekday(day)
    while evening < day:
        if _is_deferred(evening):
            return False
        evening += _DAY
    return True


def latest_listing(now: datetime) -> date:
    """Return the date of the newest listing that every interface has at ``now``.

    Listings count from midnight Eastern on, when the feeds are rebuilt, not from the announcement at 20:00.
    """
    day = eastern_date(now)
    for _ in range(14):
        if announces_on(day):
            return day
        day -= _DAY
    return day


def listing_day(announced_at: datetime) -> date:
    """Return the date of the listing that an announcement made at ``announced_at`` belongs to."""
    local = announced_at.astimezone(EASTERN)
    day = local.date() + (_DAY if local.time() >= CUT_OFF else timedelta())
    while day.weekday() >= 5:
        day += _DAY
    return day


def submission_window(day: date) -> tuple[datetime, datetime] | None:
    """Return ``[start, end)`` in UTC of the submissions announced in the listing of ``day``; None without one.

    From the cut-off of the listing before to this one's cut-off. Papers held by the moderators are
    announced later than their submission says, so a window finds most of a listing, not always all.
    """
    if not announces_on(day):
        return None
    before = day - _DAY
    while not announces_on(before):
        before -= _DAY
    return _cut_off(before), _cut_off(day)


def eastern_date(moment: datetime) -> date:
    """Return the US Eastern calendar date of an aware ``moment``."""
    return moment.astimezone(EASTERN).date()


def _cut_off(listed_on: date) -> datetime:
    return datetime.combine(_previous_weekday(listed_on), CUT_OFF, EASTERN).astimezone(UTC)


def _previous_weekday(day: date) -> date:
    day -= _DAY
    while day.weekday() >= 5:
        day -= _DAY
    return day


def _is_deferred(evening: date) -> bool:
    table = _DEFERRED.get(evening.year)
    if table is not None:
        return (evening.month, evening.day) in table
    return (evening.month, evening.day) == (6, 19) or evening in (
        _nth_weekday(evening.year, 1, 0, 3),  # Martin Luther King Jr. Day
        _nth_weekday(evening.year, 9, 0, 1),  # Labor Day
        _nth_weekday(evening.year, 11, 3, 4),  # Thanksgiving
    )


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
