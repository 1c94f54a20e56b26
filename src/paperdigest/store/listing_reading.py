"""Listings as the store gives them back, and what it knows of a source's habits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from sqlite3 import Cursor
from typing import Any

from sqlalchemy import Connection

from paperdigest.store.tables import from_stored, to_stored
from paperdigest.types import Listing, ListingState, Period, Unmodified

__all__ = ["SourceHistory", "StoredListing", "confirm", "history", "latest_listing", "listings"]

USUAL = 15
"""How many complete listings tell what is usual: three weeks of weekdays."""

_BETWEEN = """
SELECT source, kind, period, listed_on, state, retrieved_at, attempted_at, announced_count, dropped, note, url,
  (SELECT count(*) FROM entries WHERE listing_id = listings.id AND confirmed) AS size
FROM listings
WHERE (?1 IS NULL OR source = ?1) AND listed_on >= ?2 AND listed_on <= ?3 AND (?4 IS NULL OR period = ?4)
ORDER BY listed_on, source, period
"""
_LATEST = """
SELECT source, kind, period, listed_on, state, retrieved_at, attempted_at, announced_count, dropped, note, url,
  (SELECT count(*) FROM entries WHERE listing_id = listings.id AND confirmed) AS size
FROM listings
WHERE source = ? AND state IN ('complete', 'partial') AND size > 0
ORDER BY period = 'day' DESC, listed_on DESC LIMIT 1
"""
_LISTED_BEFORE = """
SELECT k.key FROM paper_keys k
WHERE k.key IN (SELECT value FROM json_each(?1)) AND EXISTS (
  SELECT 1 FROM entries e JOIN listings l ON l.id = e.listing_id
  WHERE e.paper_id = k.paper_id AND e.confirmed AND l.source = ?2 AND l.period = ?3 AND l.listed_on = (
    SELECT max(last.listed_on) FROM listings last
    WHERE last.source = ?2 AND last.period = ?3 AND last.listed_on < ?4
      AND EXISTS (SELECT 1 FROM entries WHERE listing_id = last.id AND confirmed)
  )
)
"""
_SIZES = """
SELECT (SELECT count(*) FROM entries WHERE listing_id = listings.id AND confirmed) AS size
FROM listings WHERE source = ? AND period = ? AND state = 'complete' AND listed_on < ?
ORDER BY listed_on DESC LIMIT ?
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredListing:
    """A listing without its papers. ``entries`` counts them; ``attempted_at`` is the latest reading, good or bad."""

    source: str
    kind: str
    period: Period
    listed_on: date
    state: ListingState
    retrieved_at: datetime
    attempted_at: datetime
    announced_count: int | None
    dropped: int
    note: str | None
    url: str | None
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHistory:
    """What is stored of a listing's source (see `pipeline.completeness.History`)."""

    listed_before: int
    entries_this_day: int
    usual: tuple[int, ...]


def listings(
    connection: Connection, source: str | None, since: date | None, until: date | None, period: Period | None
) -> tuple[StoredListing, ...]:
    """Return the listings of [since, until], both ends included, oldest first."""
    first, last = (since or date.min).isoformat(), (until or date.max).isoformat()
    found = connection.exec_driver_sql(_BETWEEN, (source, first, last, period and period.value))
    return tuple(_stored(row) for row in found)


def latest_listing(connection: Connection, source: str) -> StoredListing | None:
    """Return the source's newest listing that holds papers: of a day, unless it lists none by the day."""
    row = connection.exec_driver_sql(_LATEST, (source,)).one_or_none()
    return None if row is None else _stored(row)


def history(connection: Connection, listing: Listing) -> SourceHistory:
    """Return what is stored of the listing's source, apart from this day, to judge it by."""
    source, period, day = listing.source, listing.period.value, listing.listed_on.isoformat()
    first_time = [str(entry.paper.id) for entry in listing.entries if not entry.is_replacement]
    keys = json.dumps(first_time)
    before = set(connection.exec_driver_sql(_LISTED_BEFORE, (keys, source, period, day)).scalars())
    this_day = listings(connection, source, listing.listed_on, listing.listed_on, listing.period)
    sizes = connection.exec_driver_sql(_SIZES, (source, period, day, USUAL)).scalars()
    return SourceHistory(
        listed_before=sum(key in before for key in first_time),
        entries_this_day=max((stored.entries for stored in this_day), default=0),
        usual=tuple(sizes),
    )


def confirm(
    connection: Connection, cursor: Cursor, unmodified: Unmodified, *, is_day_known: bool
) -> StoredListing | None:
    """Note that a stored listing was found unchanged, and return it; None when none was ever read.

    Args:
        connection: in a writing transaction.
        cursor: of the same connection.
        unmodified: what the source said.
        is_day_known: the day was asked for; otherwise it is the source's newest listing that still stands.
    """
    if is_day_known:
        day = unmodified.listed_on
        stored = next(iter(listings(connection, unmodified.source, day, day, Period.DAY)), None)
    else:
        stored = latest_listing(connection, unmodified.source)
    if stored is None or stored.state is ListingState.FAILED:
        return None
    moment = to_stored(unmodified.retrieved_at)
    cursor.execute(
        "UPDATE listings SET retrieved_at = max(retrieved_at, ?1), attempted_at = max(attempted_at, ?1)"
        " WHERE source = ?2 AND period = ?3 AND listed_on = ?4",
        (moment, stored.source, stored.period.value, stored.listed_on.isoformat()),
    )
    return stored


def _stored(row: Sequence[Any]) -> StoredListing:
    source, kind, period, listed_on, state, retrieved_at, attempted_at, announced, dropped, note, url, entries = row
    return StoredListing(
        source=source,
        kind=kind,
        period=Period(period),
        listed_on=date.fromisoformat(listed_on),
        state=ListingState(state),
        retrieved_at=from_stored(retrieved_at),
        attempted_at=from_stored(attempted_at),
        announced_count=announced,
        dropped=dropped,
        note=note,
        url=url,
        entries=entries,
    )
