"""Listings, entries and votes: the join of every reading of one listing, so that a worse one harms nothing.

Readings of the same source, period and day are joined like observations of a paper (see `merging`):

- of the listing the best state wins (complete, partial, quiet, stale, failed), then the latest reading;
  the announced count is the greatest ever announced;
- entries are never taken away; those that only stale or failed readings held are kept unconfirmed: known to
  the store, not shown, because a batch that is served again belongs to an earlier day;
- place and votes of an entry are each those of the reading that said the most of them, then of the latest;
- every pair of votes is remembered with the first moment it was seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from sqlite3 import Cursor
from typing import NamedTuple

from paperdigest.store.tables import to_stored
from paperdigest.types import ANNOUNCE_TYPES, Entry, Listing, ListingState

__all__ = ["Place", "join_places", "load_places", "record_listing", "save_places", "save_votes"]

_STATES = tuple(
    state.value
    for state in (
        ListingState.FAILED,
        ListingState.STALE,
        ListingState.QUIET,
        ListingState.PARTIAL,
        ListingState.COMPLETE,
    )
)
_UNCONFIRMED = (ListingState.STALE, ListingState.FAILED)

_UPSERT_ENTRY = """
INSERT INTO entries (
  listing_id, paper_id, rank, announce_type, placed_at, upvotes, comments, voted_at, confirmed
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (listing_id, paper_id) DO UPDATE SET
  rank = excluded.rank, announce_type = excluded.announce_type, placed_at = excluded.placed_at,
  upvotes = excluded.upvotes, comments = excluded.comments, voted_at = excluded.voted_at,
  confirmed = excluded.confirmed
"""
_UPSERT_VOTES = """
INSERT INTO votes (listing_id, paper_id, upvotes, comments, observed_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (listing_id, paper_id, coalesce(upvotes, -1), coalesce(comments, -1))
DO UPDATE SET observed_at = excluded.observed_at WHERE excluded.observed_at < votes.observed_at
"""
_LOAD_LISTING = """
SELECT id, state, retrieved_at, kind, dropped, coalesce(note, ''), coalesce(url, ''), announced_count, attempted_at
FROM listings WHERE source = ? AND period = ? AND listed_on = ?
"""
_INSERT_LISTING = """
INSERT INTO listings (
  source, period, listed_on, kind, state, retrieved_at, attempted_at, announced_count, dropped, note, url
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_UPDATE_LISTING = """
UPDATE listings
SET kind = ?, state = ?, retrieved_at = ?, attempted_at = ?, announced_count = ?, dropped = ?, note = ?, url = ?
WHERE id = ?
"""


class Place(NamedTuple):
    """An entry as stored: its place and its votes, each with the moment of the reading that said so."""

    rank: int | None
    announce_type: str | None
    placed_at: str
    upvotes: int | None
    comments: int | None
    voted_at: str
    confirmed: bool

    def shown(self) -> tuple[object, ...]:
        """What a reader of the store sees of it."""
        return self.rank, self.announce_type, self.upvotes, self.comments, self.confirmed


class _Standing(NamedTuple):
    """What a listing is judged by, in the order of judgement; then what goes with the winner."""

    state: int
    retrieved_at: str
    kind: str
    dropped: int
    note: str
    url: str


def join_places(one: Place, other: Place) -> Place:
    """Return what two readings together say of an entry: associative, commutative, idempotent."""
    if one.placed_at < other.placed_at and one.voted_at < other.voted_at and _says_as_much(other, one):
        return other if other.confirmed else Place(*other[:6], one.confirmed)  # the usual case: the next reading
    placed = max(one, other, key=_place_order)
    voted = max(one, other, key=_vote_order)
    return Place(*placed[:3], *voted[3:6], one.confirmed or other.confirmed)


def _says_as_much(one: Place, other: Place) -> bool:
    """Say whether every value that ``other`` has is there in ``one``, too."""
    return (
        (one.rank is not None or other.rank is None)
        and (one.announce_type is not None or other.announce_type is None)
        and (one.upvotes is not None or other.upvotes is None)
        and (one.comments is not None or other.comments is None)
    )


def _place_order(place: Place) -> tuple[object, ...]:
    said = (place.rank is not None) + (place.announce_type is not None)
    kind = ANNOUNCE_TYPES.index(place.announce_type) if place.announce_type else -1
    return said, place.placed_at, -(place.rank or 0), -kind


def _vote_order(place: Place) -> tuple[object, ...]:
    upvotes = -1 if place.upvotes is None else place.upvotes
    comments = -1 if place.comments is None else place.comments
    return (place.upvotes is not None) + (place.comments is not None), place.voted_at, upvotes, comments


def record_listing(cursor: Cursor, listing: Listing, entries: Iterable[tuple[int, Entry]]) -> tuple[str, set[int]]:
    """Join a reading, its entries given with their papers' numbers, to what is stored.

    Returns:
        The listing's state as it now stands, and the papers whose appearance a reader sees changed.
    """
    number, state, existed = _save_listing(cursor, listing)
    before = load_places(cursor, number) if existed else {}
    moment, confirmed = to_stored(listing.retrieved_at), listing.state not in _UNCONFIRMED
    after: dict[int, Place] = {}
    votes = []
    for paper, entry in entries:
        upvotes, comments = entry.upvotes, entry.comments
        place = Place(entry.rank, entry.announce_type, moment, upvotes, comments, moment, confirmed)
        old = after.get(paper) or before.get(paper)
        after[paper] = join_places(old, place) if old else place
        # The current votes are in the history already, and from no later moment than theirs.
        told = upvotes is not None or comments is not None
        if told and (old is None or (upvotes, comments) != old[3:5] or moment < old.voted_at):
            votes.append((number, paper, upvotes, comments, moment))
    save_places(cursor, number, {paper: place for paper, place in after.items() if before.get(paper) != place})
    save_votes(cursor, votes)
    changed = {
        paper for paper, new in after.items() if (old := before.get(paper)) is None or old.shown() != new.shown()
    }
    return state, changed


def _save_listing(cursor: Cursor, listing: Listing) -> tuple[int, str, bool]:
    moment = to_stored(listing.retrieved_at)
    key = (listing.source, listing.period.value, listing.listed_on.isoformat())
    standing = _Standing(
        _STATES.index(listing.state.value),
        moment,
        listing.kind,
        listing.dropped,
        listing.note or "",
        listing.url or "",
    )
    announced, attempted_at = listing.announced_count, moment
    found = cursor.execute(_LOAD_LISTING, key).fetchone()
    if found is not None:
        number, state, *stored, stored_announced, stored_attempt = found
        standing = max(standing, _Standing(_STATES.index(state), *stored))
        announced = stored_announced if announced is None else max(announced, stored_announced or 0)
        attempted_at = max(attempted_at, stored_attempt)
    state = _STATES[standing.state]
    texts = (standing.dropped, standing.note or None, standing.url or None)
    values = (standing.kind, state, standing.retrieved_at, attempted_at, announced, *texts)
    if found is not None:
        cursor.execute(_UPDATE_LISTING, (*values, number))
        return number, state, True
    cursor.execute(_INSERT_LISTING, (*key, *values))
    return cursor.lastrowid or 0, state, False


def load_places(cursor: Cursor, listing: int) -> dict[int, Place]:
    """Return a listing's entries by their papers' numbers."""
    found = cursor.execute(
        "SELECT paper_id, rank, announce_type, placed_at, upvotes, comments, voted_at, confirmed"
        " FROM entries WHERE listing_id = ?",
        (listing,),
    )
    return {paper: Place(*values) for paper, *values in found}


def save_places(cursor: Cursor, listing: int, places: Mapping[int, Place]) -> None:
    """Insert or replace entries of a listing."""
    cursor.executemany(_UPSERT_ENTRY, [(listing, paper, *place) for paper, place in places.items()])


def save_votes(cursor: Cursor, votes: Iterable[tuple[int, int, int | None, int | None, str]]) -> None:
    """Remember votes (listing, paper, upvotes, comments, moment): of each pair the first moment."""
    cursor.executemany(_UPSERT_VOTES, list(votes))
