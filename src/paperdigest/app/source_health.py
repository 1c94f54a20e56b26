"""Whether a source still gives what it announces, in words for whoever has to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from paperdigest.pipeline.completeness import Calendar, expected_day
from paperdigest.store import StoredListing
from paperdigest.types import ListingState

__all__ = ["last_answer", "last_attempt", "reason", "trouble_of"]

_WHOLE = (ListingState.COMPLETE, ListingState.QUIET)
_FAILING_FOR = timedelta(days=1)

_NEWEST = {
    ListingState.PARTIAL: "its listing of {day} could only be read in part{why}",
    ListingState.STALE: "it has repeated an earlier listing on {day}{why}",
    ListingState.FAILED: "its listing of {day} could not be read{why}",
}


def trouble_of(
    name: str, listings: Sequence[StoredListing], calendar: Calendar, stale_days: int, now: datetime
) -> str | None:
    """Say what is wrong with a source for so long that somebody has to look; None while nothing is.

    Args:
        name: the source's, with which its errors begin.
        listings: its listings of the last weeks; None is said of a source without any.
        calendar: `Source.announces_on`.
        stale_days: so many days on which it should have announced something are too many.
        now: the moment.
    """
    if not listings:
        return None
    latest, answered = last_attempt(listings), last_answer(listings)
    if latest.state is ListingState.FAILED and (answered is None or now - answered > _FAILING_FOR):
        since = f"could not be read since {answered:%Y-%m-%d %H:%MZ}" if answered else "could not be read so far"
        return f"{since}: {reason(latest, name) or 'no reason is known'}"
    whole = max((one.listed_on for one in listings if one.state in _WHOLE), default=None)
    due = expected_day(calendar, now)
    if due is None:  # it speaks when it likes: to be silent is no trouble
        return None
    missed = _announced(calendar, whole or min(one.listed_on for one in listings) - timedelta(days=1), due)
    if missed < stale_days:
        return None
    newest = max(listings, key=lambda one: one.listed_on)
    if newest.state in _WHOLE:
        asked = f"it was last asked on {latest.attempted_at:%Y-%m-%d %H:%MZ}"
        return f"should have announced more than its newest listing, of {newest.listed_on}; {asked}"
    since = f"since its listing of {whole}" if whole else "since it was first asked"
    why = f" ({found})" if (found := reason(newest, name)) else ""
    return f"has given nothing complete {since}; {_NEWEST[newest.state].format(day=newest.listed_on, why=why)}"


def last_attempt(listings: Sequence[StoredListing]) -> StoredListing:
    """Return the listing that was asked for last."""
    return max(listings, key=lambda one: (one.attempted_at, one.listed_on))


def last_answer(listings: Sequence[StoredListing]) -> datetime | None:
    """Return when the source last gave anything."""
    return max((one.retrieved_at for one in listings if one.state is not ListingState.FAILED), default=None)


def reason(listing: StoredListing, name: str) -> str:
    """Return what is noted of a listing, without the name of its source."""
    return (listing.note or "").removeprefix(f"{name}: ")


def _announced(calendar: Calendar, after: date, until: date) -> int:
    """Return on how many days of (after, until] the source announces something."""
    return sum(calendar(after + timedelta(days=n)) is not False for n in range(1, (until - after).days + 1))
