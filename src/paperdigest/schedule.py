"""When is a digest due? Pure functions of a schedule and two moments; there is no clock in here.

A slot is the moment a subscriber's hour strikes on one of their local dates. On the two days a year
when clocks change, an hour that is skipped strikes at the first instant after the gap, and an hour
that comes twice strikes the first time only. A date that a zone leaves out altogether (Apia had no
30 December 2011) has no slot.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from paperdigest.errors import UsageError
from paperdigest.types import Schedule

__all__ = ["DAY_NAMES", "Due", "due", "format_days", "instant", "latest", "parse_at", "parse_days", "parse_zone"]

DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_AT = re.compile(r"(?P<hour>\d{1,2}):(?P<minute>\d{2})\Z")
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_DAYS_HINT = 'Write "daily", "mon-fri" or "mon,wed,sat"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One slot: the subscriber's local date, and the moment (UTC) its hour strikes."""

    edition: date
    at: datetime


def due(schedule: Schedule, since: datetime, until: datetime) -> tuple[Due, ...]:
    """Return every slot that falls in ``(since, until]``, oldest first.

    Additive: ``due(s, a, b) + due(s, b, c) == due(s, a, c)`` for a <= b <= c, so it does not matter how often one asks.
    Dates before ``schedule.pause_until`` are left out.

    Raises:
        UsageError: the schedule's zone is unknown.
    """
    zone = parse_zone(schedule.tz)
    if since >= until:
        return ()
    # A gap or overlap can move a slot by up to a day against the local date of an instant.
    day, last = _shift(since.astimezone(zone).date(), -2), _shift(until.astimezone(zone).date(), 2)
    if schedule.pause_until is not None:
        day = max(day, schedule.pause_until)
    found = []
    while day <= last and day < date.max:
        if day.weekday() in schedule.days and _exists(day, zone):
            at = _strike(day, schedule.at, zone)
            if since < at <= until:
                found.append(Due(edition=day, at=at))
        day += _DAY
    return tuple(found)


def latest(schedule: Schedule, since: datetime, until: datetime) -> Due | None:
    """Return the newest slot that falls in ``(since, until]``: the last of `due`, without going through all of them.

    Raises:
        UsageError: the schedule's zone is unknown.
    """
    end = until
    while end > since:
        start = max(since, end - _WEEK)
        if slots := due(schedule, start, end):
            return slots[-1]
        end = start
    return None


def instant(day: date, at: time, tz: str) -> datetime:
    """Return the moment (UTC) when a local clock first shows ``at`` or later on ``day``.

    Raises:
        UsageError: the zone is unknown.
    """
    return _strike(day, at, parse_zone(tz))


@lru_cache(maxsize=1024)
def parse_zone(name: str) -> ZoneInfo:
    """Return the IANA zone of that name.

    Raises:
        UsageError: there is none; says which names are near.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        near = get_close_matches(name, sorted(available_timezones()), n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(near)}?" if near else "Write it as Area/City, e.g. Europe/Berlin, or UTC"
        raise UsageError(f"{name!r} is not a time zone", hint) from error


def parse_days(text: str) -> frozenset[int]:
    """Read ``daily``, ``mon-fri`` or ``mon,wed``: weekdays from Monday = 0; a range may go over the weekend.

    Raises:
        UsageError: anything else.
    """
    if text.strip().casefold() in ("daily", "all"):
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        start = _weekday(first, text)
        length = (_weekday(last, text) - start) % 7 + 1 if dash else 1
        days.update((start + step) % 7 for step in range(length))
    return frozenset(days)


def format_days(days: frozenset[int]) -> str:
    """Print weekdays so that `parse_days` reads them back: ``daily``, ``mon-fri``, ``mon,wed``."""
    ordered = sorted(days)
    if len(ordered) == 7:
        return "daily"
    if len(ordered) > 2 and ordered[-1] - ordered[0] == len(ordered) - 1:
        return f"{DAY_NAMES[ordered[0]]}-{DAY_NAMES[ordered[-1]]}"
    return ",".join(DAY_NAMES[day] for day in ordered)


def parse_at(text: str) -> time:
    """Read an hour as ``07:00``, on a clock of 24 hours.

    Raises:
        UsageError: anything else.
    """
    match = _AT.match(text.strip())
    if match is None or int(match["hour"]) > 23 or int(match["minute"]) > 59:
        raise UsageError(f"{text!r} is not a time of day", "Write it as HH:MM from 00:00 to 23:59, e.g. 07:00")
    return time(int(match["hour"]), int(match["minute"]))


def _weekday(name: str, text: str) -> int:
    word = name.strip().casefold()
    for index, (short, full) in enumerate(zip(DAY_NAMES, _FULL_NAMES, strict=True)):
        if word in (short, full):
            return index
    raise UsageError(f"{name.strip()!r} in {text!r} is not a weekday", _DAYS_HINT)


def _shift(day: date, days: int) -> date:
    """Add days without leaving the calendar."""
    ordinal = min(max(day.toordinal() + days, date.min.toordinal() + 1), date.max.toordinal() - 1)
    return date.fromordinal(ordinal)


def _exists(day: date, zone: ZoneInfo) -> bool:
    """Say whether a local clock ever shows that date."""
    return _strike(day, time.min, zone).astimezone(zone).date() == day


def _strike(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the first instant at which the local clock shows ``at`` on ``day``, or has jumped past it."""
    wanted = datetime.combine(day, at)
    early = wanted.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if early.astimezone(zone).replace(tzinfo=None) == wanted:
        return early  # fold=0 is the first of two occurrences (PEP 495)
    # In a gap fold=1 counts with the offset after it, hence an instant before it, and fold=0 the other way round:
    # the clock jumps somewhere in between, on a whole second.
    low, high = wanted.replace(tzinfo=zone, fold=1).astimezone(UTC), early
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(zone).replace(tzinfo=None) >= wanted:
            high = middle
        else:
            low = middle
    return high.replace(microsecond=0)
