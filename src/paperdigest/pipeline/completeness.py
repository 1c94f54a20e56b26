"""How far can a listing be trusted? Pure rules that turn a parsed listing into a judged one.

A parser says what the body alone proves. This module compares that with the calendar, with what the
same source listed before, and with its usual number. "No new papers" is never the answer to five
different questions:

========  ==============================================================================
complete  the source's own count is met, or the format proves that nothing is missing
partial   fewer than announced; cut at a cap; entries unreadable; far below the usual number
stale     only entries of the source's last listing, or a listing older than the last announcement
quiet     the source says that nothing is new and the calendar explains it
failed    no usable body (never made here: it is the answer to a `SourceError`)
========  ==============================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from statistics import median

from paperdigest.types import Listing, ListingState, Period

__all__ = ["History", "expected_day", "judge"]

PUBLICATION_LAG = timedelta(hours=6)
"""arXiv rebuilds its feeds at midnight US Eastern, 04:00 or 05:00 UTC; an hour or two for building."""

_FAR_BELOW = 0.2
_SHRUNKEN = 0.5
_ENOUGH_TO_KNOW = 5
_MANY = 20
_CALENDAR_DAYS = 15

Calendar = Callable[[date], bool | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the store knows of the same source.

    ``listed_before`` is how many of the listing's entries, replacements apart, stood in the last earlier
    listing of this source;
    ``entries_this_day`` is how many entries of this very listing (source and day) are stored already;
    ``usual`` holds the sizes of the last complete listings.
    """

    listed_before: int = 0
    entries_this_day: int = 0
    usual: tuple[int, ...] = ()


def expected_day(announces_on: Calendar, now: datetime) -> date | None:
    """Return the newest day whose listing should be out at ``now``, None without a calendar."""
    newest = (now - PUBLICATION_LAG).date()
    for back in range(_CALENDAR_DAYS):
        day = newest - timedelta(days=back)
        announced = announces_on(day)
        if announced is None:
            return None
        if announced:
            return day
    return None


def judge(listing: Listing, history: History, announces_on: Calendar, *, asked: date | None, now: datetime) -> Listing:
    """Return the listing with its final state and a note that says why.

    Args:
        listing: as the parser made it.
        history: what is stored of the source.
        announces_on: the source's calendar.
        asked: the day that was asked for; None for the source's current listing. With the listing's own day
            the judgement is of that day's listing, whatever has been announced since.
        now: the moment of the fetch.
    """
    if listing.period is not Period.DAY:
        return listing
    if _is_empty(listing):
        return _judge_empty(listing, history, announces_on, now)
    if (why := _shortfall(listing, history, announces_on)) is not None:
        return _with(listing, ListingState.PARTIAL, why)
    if (why := _staleness(listing, history, announces_on, asked, now)) is not None:
        return _with(listing, ListingState.STALE, why)
    return listing


def _is_empty(listing: Listing) -> bool:
    """Nothing was announced. A *complete* listing without entries held some that were not wanted."""
    is_bare = not listing.entries and not listing.dropped and not listing.announced_count
    return is_bare and listing.state is not ListingState.COMPLETE


def _judge_empty(listing: Listing, history: History, announces_on: Calendar, now: datetime) -> Listing:
    day = listing.listed_on
    announced = announces_on(day)
    if announced is None:
        return _with(listing, ListingState.QUIET, "the source holds no entries")
    if history.entries_this_day:
        return _with(listing, ListingState.PARTIAL, _shrunken(0, history))
    if not announced:
        return _with(listing, ListingState.QUIET, f"nothing is announced on {_weekday(day)}: weekend or holiday")
    if now.date() - day <= timedelta(days=2):
        return _with(listing, ListingState.STALE, f"nothing is announced yet for {_weekday(day)}")
    return _with(listing, ListingState.QUIET, f"the source says that nothing was announced on {_weekday(day)}")


def _shortfall(listing: Listing, history: History, announces_on: Calendar) -> str | None:
    have = len(listing.entries)
    if listing.announced_count is not None and have < listing.announced_count:
        return f"{have} of {listing.announced_count} announced entries"
    if listing.dropped:
        return f"{listing.dropped} entries could not be read"
    if listing.state is ListingState.PARTIAL:
        return listing.note or "the source cut the listing"
    if announces_on(listing.listed_on) is None or listing.announced_count is not None or not have:
        return None
    if have < _SHRUNKEN * history.entries_this_day:
        return _shrunken(have, history)
    if announces_on(listing.listed_on) and _is_far_below(have, history.usual):
        return f"only {have} entries where {round(median(history.usual))} are usual"
    return None


def _shrunken(have: int, history: History) -> str:
    return f"only {have} entries where {history.entries_this_day} were read before; those are kept"


def _is_far_below(have: int, usual: Sequence[int]) -> bool:
    return len(usual) >= _ENOUGH_TO_KNOW and median(usual) >= _MANY and have < _FAR_BELOW * median(usual)


def _staleness(
    listing: Listing, history: History, announces_on: Calendar, asked: date | None, now: datetime
) -> str | None:
    """A source without a calendar may repeat itself for weeks and still be well."""
    if announces_on(listing.listed_on) is None:
        return None
    due = expected_day(announces_on, now)
    is_proven = listing.announced_count is not None and listing.listed_on in (asked, due)
    first_time = sum(not entry.is_replacement for entry in listing.entries)
    if not is_proven and not history.entries_this_day and history.listed_before == first_time > 0:
        return "only entries that this source has listed before: the last listing was served again"
    if asked is None and due is not None and listing.listed_on < due:
        return f"the listing is of {_weekday(listing.listed_on)}, but {_weekday(due)} has been announced"
    return None


def _with(listing: Listing, state: ListingState, note: str) -> Listing:
    return replace(listing, state=state, note=note)


def _weekday(day: date) -> str:
    return f"{day:%A}, {day.isoformat()}"
