"""Storing: recording listings against plain ``sqlite3`` that writes the very same rows.

The peer is given its rows ready-made, taken from a database that the store wrote, and writes them with the same
pragmas into the same tables, one transaction per listing. What its ratio shows is therefore what finding out
costs: which papers are known, what is new of them, how it is stored. Parsing is on neither side.

After every comparison both databases must hold the same rows, so the work is the same.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from unittest import mock

from bench._listings import daily_listings
from bench._watch import Watch
from bench.timing import Row, paired
from paperdigest.store import Store, indexing
from paperdigest.store.tables import to_stored
from paperdigest.types import Listing

AUTHORITY = 2
PAIRS = 5

Batch = list[tuple[str, list[tuple[object, ...]]]]
"""What one transaction writes: statements, each with its rows."""

_FIRST_LISTING = "(SELECT min(listing_id) FROM entries WHERE paper_id = t.{})"
_LISTING_OF = {
    "papers": _FIRST_LISTING.format("id"),
    **dict.fromkeys(("paper_keys", "authors", "provenance", "versions"), _FIRST_LISTING.format("paper_id")),
    "listings": "t.id",
    "entries": "t.listing_id",
    "votes": "t.listing_id",
    "validators": "(SELECT id FROM listings WHERE url = t.url)",
}
"""The tables in the order in which they are written, and of which listing's transaction a row ``t`` is."""

_REBUILD = "INSERT INTO paper_search (paper_search) VALUES ('rebuild')"
_ENTRIES = """
SELECT l.listed_on, e.listing_id, e.paper_id, e.upvotes, e.comments,
  e.listing_id = (SELECT max(listing_id) FROM entries WHERE paper_id = e.paper_id)
FROM entries e JOIN listings l ON l.id = e.listing_id ORDER BY e.listing_id, e.rank
"""
_UPDATE_LISTING = "UPDATE listings SET retrieved_at = ?1, attempted_at = ?1 WHERE id = ?2"
_UPDATE_ENTRY = "UPDATE entries SET placed_at = ?1, voted_at = ?1, upvotes = ?2 WHERE listing_id = ?3 AND paper_id = ?4"
_UPDATE_PROVENANCE = "UPDATE provenance SET observed_at = ? WHERE paper_id = ?"
_INSERT_VOTES = "INSERT INTO votes (listing_id, paper_id, upvotes, comments, observed_at) VALUES (?, ?, ?, ?, ?)"


def run() -> Iterator[Row]:
    """Yield the rows: first reading without and with the search index, then twice the same papers with new votes."""
    listings, kind = daily_listings()
    what = f"{sum(len(listing.entries) for listing in listings)} entries, {len(listings)} {kind}"
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _record(listings, _fresh(place, "model"))
        inserts = _inserts(place / "model")
        yield _ingest(place, listings, inserts, what, with_index=False)
        yield _ingest(place, listings, inserts, what, with_index=True)
        yield _refresh_beside_index(place, listings, what)
        yield _refresh(place, listings, what)


def _ingest(place: Path, listings: Sequence[Listing], inserts: Sequence[Batch], what: str, *, with_index: bool) -> Row:
    watch = Watch()

    def ours() -> None:
        with watch.stopped():
            path = _fresh(place, "ours")
        with watch.lapped("ours"):
            _record(listings, path, with_index=with_index)

    def peer() -> None:
        with watch.stopped():
            path = _fresh(place, "peer")
        with watch.lapped("peer"), _raw(path) as connection:
            for batch in inserts:
                _write(connection, batch)
            if with_index:
                connection.execute(_REBUILD)

    timing = paired(ours, peer, pairs=PAIRS, clock=watch)
    _assert_same(place / "ours", place / "peer")
    if with_index:
        note = f"our index is kept up while listings come, the peer's is built once; {watch.wall_note()}"
        return timing.at_most(1.5, f"ingest with the index, {what} | raw sqlite3 + FTS5 rebuild", note)
    note = f"our statement that fills the index left out; {watch.wall_note()}"
    return timing.at_most(1.6, f"ingest without the index, {what} | raw sqlite3", note)


def _refresh_beside_index(place: Path, listings: Sequence[Listing], what: str) -> Row:
    """Compare a vote-only reading of a database that keeps a search index with one of a database that keeps none.

    It is what the index costs a refresh: with full-text triggers that fire at every update it would be several
    times as dear, although not one searchable word has changed.
    """
    watch, mine, theirs = Watch(), count(1), count(1)
    _record(listings, _fresh(place, "ours"))
    _record(listings, _fresh(place, "peer"), with_index=False)
    with (
        contextlib.closing(Store.open(place / "ours")) as indexed,
        mock.patch.object(Store, "close", lambda store: store.database.close()),  # closing would fill the index
        contextlib.closing(Store.open(place / "peer")) as plain,
    ):

        def again(store: Store, hours: Iterator[int], side: str) -> None:
            with watch.stopped():
                passed = next(hours)
                later = [_later(listing, passed) for listing in listings]
            with watch.lapped(side):
                for listing in later:
                    store.record(listing, authority=AUTHORITY)

        def peer() -> None:
            with mock.patch.object(indexing, "index_waiting", _index_nothing):
                again(plain, theirs, "peer")

        timing = paired(lambda: again(indexed, mine, "ours"), peer, pairs=PAIRS, clock=watch)
    return timing.at_most(1.3, f"votes only, {what} | the same without the index", watch.wall_note())


def _refresh(place: Path, listings: Sequence[Listing], what: str) -> Row:
    """Compare reading everything again, an hour later each time, with nothing changed but the upvotes."""
    watch, mine, theirs = Watch(), count(1), count(1)
    for database in ("ours", "peer"):
        _record(listings, _fresh(place, database))
    with contextlib.closing(Store.open(place / "ours")) as store, _raw(place / "peer") as connection:
        entries = connection.execute(_ENTRIES).fetchall()

        def ours() -> None:
            with watch.stopped():
                hours = next(mine)
                later = [_later(listing, hours) for listing in listings]
            with watch.lapped("ours"):
                for listing in later:
                    store.record(listing, authority=AUTHORITY)

        def peer() -> None:
            with watch.stopped():
                updates = _updates(listings, entries, next(theirs))
            with watch.lapped("peer"):
                for update in updates:
                    _write(connection, update)

        timing = paired(ours, peer, pairs=PAIRS, clock=watch)
    _assert_same(place / "ours", place / "peer")
    note = f"the peer is told row numbers and that no paper has changed; we find out; {watch.wall_note()}"
    return timing.shown(f"votes only, {what} | raw sqlite3, ready-made updates", note)


def _record(listings: Sequence[Listing], path: Path, *, with_index: bool = True) -> None:
    index = indexing.index_waiting if with_index else _index_nothing
    with mock.patch.object(indexing, "index_waiting", index), contextlib.closing(Store.open(path)) as store:
        for listing in listings:
            store.record(listing, authority=AUTHORITY)


def _index_nothing(_cursor: sqlite3.Cursor, at_least: int = 1) -> None:
    """Stand in for what fills the search index."""


def _fresh(place: Path, name: str) -> Path:
    """Return a new, empty database of our schema."""
    empty, path = place / "empty", place / name
    if not empty.exists():
        Store.open(empty, create=True).close()
    for leftover in place.glob(f"{name}*"):
        leftover.unlink()
    shutil.copy(empty, path)
    return path


@contextlib.contextmanager
def _raw(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database as `store.engine` does: WAL is the file's, the other pragmas are the connection's."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        yield connection


def _write(connection: sqlite3.Connection, batch: Batch) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement, rows in batch:
        connection.executemany(statement, rows)
    connection.execute("COMMIT")


def _inserts(path: Path) -> list[Batch]:
    """Return what writes a database's rows anew, listing by listing; a paper comes with its first listing."""
    batches: dict[int, Batch] = defaultdict(list)
    with _raw(path) as connection:
        for table, listing_of in _LISTING_OF.items():
            rows: dict[int, list[tuple[object, ...]]] = defaultdict(list)
            for listing, *values in connection.execute(f"SELECT {listing_of}, t.* FROM {table} t"):
                rows[listing].append(tuple(values))
            for listing, own in rows.items():
                marks = ", ".join("?" * len(own[0]))
                batches[listing].append((f"INSERT INTO {table} VALUES ({marks})", own))
    return [batch for _, batch in sorted(batches.items())]


def _later(listing: Listing, hours: int) -> Listing:
    """Return the listing as it is read some hours later: each paper with one vote more for every hour."""
    moment = listing.retrieved_at + timedelta(hours=hours)
    entries = tuple(replace(entry, upvotes=(entry.upvotes or 0) + hours) for entry in listing.entries)
    return replace(listing, retrieved_at=moment, entries=entries)


def _updates(listings: Sequence[Listing], entries: Iterable[tuple[object, ...]], hours: int) -> list[Batch]:
    """Return what makes of the rows of `_ENTRIES` those that reading `_later` leads to."""
    moments = {one.listed_on.isoformat(): to_stored(one.retrieved_at + timedelta(hours=hours)) for one in listings}
    batches: dict[object, dict[str, list[tuple[object, ...]]]] = {}
    for day, listing, paper, upvotes, comments, is_last in entries:
        assert isinstance(upvotes, int)
        moment, votes = moments[str(day)], upvotes + hours
        batch = batches.setdefault(listing, {_UPDATE_LISTING: [(moment, listing)]})
        if is_last:
            batch.setdefault(_UPDATE_PROVENANCE, []).append((moment, paper))
        batch.setdefault(_UPDATE_ENTRY, []).append((moment, votes, listing, paper))
        batch.setdefault(_INSERT_VOTES, []).append((listing, paper, votes, comments, moment))
    return [list(batch.items()) for batch in batches.values()]


def _assert_same(one: Path, other: Path) -> None:
    """Make sure that both sides did the same: every row is in both databases."""
    with _raw(one) as mine, _raw(other) as theirs:
        for table in _LISTING_OF:
            ours, peers = (sorted(map(repr, each.execute(f"SELECT * FROM {table}"))) for each in (mine, theirs))
            assert ours == peers, table
