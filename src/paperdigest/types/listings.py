"""Listings, and what HTTP says of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from paperdigest.types.moments import require_utc
from paperdigest.types.papers import Entry

__all__ = ["Listing", "ListingState", "Period", "Unmodified", "Validators"]


class ListingState(StrEnum):
    """How far a listing can be trusted (rules: `pipeline.completeness`)."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    STALE = "stale"
    QUIET = "quiet"
    FAILED = "failed"


class Period(StrEnum):
    """What span a listing covers; all but ``day`` overlap with day listings and are never "missing"."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TRENDING = "trending"
    SEARCH = "search"


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What HTTP told us about one URL, kept byte for byte for the next request (RFC 9110, 8.8 and 13).

    ``moved_to`` is the target of a permanent redirect (301/308); ``gone`` a 410;
    ``next_attempt_at`` the moment before which the server asked not to be bothered.
    """

    url: str
    etag: str | None = None
    last_modified: str | None = None
    moved_to: str | None = None
    gone: bool = False
    next_attempt_at: datetime | None = None

    def __post_init__(self) -> None:
        require_utc(self.next_attempt_at, "next_attempt_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What one source announced for one day (or week, month, search), in the source's order.

    ``announced_count`` is the source's own count ("showing X of Y"), None when it gives none.
    ``state`` is what the body alone proves when `parse` made it, and the final judgement once the
    pipeline has compared it with the calendar and the store. ``note`` says why, in words.
    ``dropped`` counts entries that stood in the body but could not be read.
    """

    source: str
    kind: str
    listed_on: date
    retrieved_at: datetime
    state: ListingState
    entries: tuple[Entry, ...] = ()
    period: Period = Period.DAY
    announced_count: int | None = None
    dropped: int = 0
    note: str | None = None
    url: str | None = None
    validators: tuple[Validators, ...] = ()

    def __post_init__(self) -> None:
        require_utc(self.retrieved_at, "retrieved_at")
        if self.announced_count is not None and self.announced_count < 0:
            raise ValueError("announced_count is not negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmodified:
    """A source's answer when the server said 304: the stored listing still stands."""

    source: str
    kind: str
    listed_on: date
    retrieved_at: datetime
    validators: tuple[Validators, ...] = ()
