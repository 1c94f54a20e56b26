"""The database: every paper once, every listing, votes, subscribers, digests and deliveries.

`Store` is the part for papers and listings. What it holds depends on the set of listings that were recorded
and not on their order: recording twice changes nothing, and a worse reading never replaces a better one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from sqlite3 import Cursor
from typing import Self, cast

from sqlalchemy import Connection

from paperdigest.errors import NotFoundError, StoreError
from paperdigest.query import Query
from paperdigest.store import checking, copying, indexing, listing_reading, network, reading, recording, searching
from paperdigest.store.engine import BUSY_TIMEOUT, Database
from paperdigest.store.listing_reading import SourceHistory, StoredListing
from paperdigest.store.observing import writable
from paperdigest.store.recording import Recorded
from paperdigest.store.schema import Upgraded, open_database, upgrade
from paperdigest.store.searching import SearchResult
from paperdigest.types import Listing, PaperId, Period, StoredPaper, Unmodified, Validators

__all__ = [
    "Database",
    "Recorded",
    "SearchResult",
    "SourceHistory",
    "Store",
    "StoredListing",
    "Upgraded",
    "open_database",
    "upgrade",
]


class Store:
    """Papers and listings in a database. Every method may raise `StoreError`; writers are all or nothing."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._has_recorded = False

    @classmethod
    def open(cls, url_or_path: str | Path, *, create: bool = False, busy_timeout: timedelta = BUSY_TIMEOUT) -> Self:
        """Open a database file (see `schema.open_database`)."""
        return cls(open_database(url_or_path, create=create, busy_timeout=busy_timeout))

    @property
    def path(self) -> Path:
        """The database file."""
        return self.database.path

    def close(self) -> None:
        """Let go of the file."""
        if self._has_recorded or self._are_papers_waiting():
            self._index_waiting()
        self.database.close()

    def _are_papers_waiting(self) -> bool:
        """Say whether a run that died has left papers unindexed; costs two look-ups."""
        with contextlib.suppress(StoreError), self.database.reading() as connection:
            return indexing.is_waiting(connection)
        return False

    def _index_waiting(self) -> None:
        # When it cannot be done now (no space, another writer), the papers go on waiting for the next occasion.
        with contextlib.suppress(StoreError), self.database.recording() as cursor:
            indexing.index_waiting(cursor)
        self._has_recorded = False

    def record(self, listing: Listing, *, authority: int) -> Recorded:
        """Join a listing, its papers and its validators to what is stored, in one transaction.

        Args:
            listing: a reading of a source, of any state.
            authority: that of the source's kind, which decides when sources disagree (`protocols.Source`).
        """
        return self.record_all([(listing, authority)])[0]

    def record_all(self, readings: Iterable[tuple[Listing, int]]) -> tuple[Recorded, ...]:
        """Record several listings in one transaction: the same as one by one, and faster for bulk files."""
        tried = tuple(readings)
        try:
            return self._record_all(tried)
        except (UnicodeEncodeError, OverflowError):
            return self._record_all([(writable(listing), authority) for listing, authority in tried])

    def _record_all(self, readings: Iterable[tuple[Listing, int]]) -> tuple[Recorded, ...]:
        self._has_recorded = True
        with self.database.recording() as cursor:
            return recording.record_all(cursor, readings)

    def confirm(self, unmodified: Unmodified, *, is_day_known: bool) -> StoredListing | None:
        """Note that a listing was found unchanged (HTTP 304) and return it; None when it is not stored.

        Args:
            unmodified: what the source said; its validators are stored in the same transaction.
            is_day_known: its day was asked for; otherwise the source's newest listing is meant.
        """
        with self.database.writing() as connection:
            cursor = _cursor(connection)
            network.save_validators(cursor, unmodified.validators, unmodified.retrieved_at)
            return listing_reading.confirm(connection, cursor, unmodified, is_day_known=is_day_known)

    def search(self, query: Query | None, limit: int, offset: int = 0) -> SearchResult:
        """Find the papers that a query matches (`query.matching`), best first; without one the newest first."""
        with self.database.reading() as connection:
            is_index_behind = query is not None and reading.is_index_behind(connection)
        if is_index_behind:
            self._index_waiting()
        with self.database.reading() as connection:
            return searching.search(connection, query, limit=limit, offset=offset)

    def paper(self, paper_id: PaperId) -> StoredPaper:
        """Return the paper that ``paper_id`` names or ever named.

        Raises:
            NotFoundError: no such paper is stored.
        """
        with self.database.reading() as connection:
            number = reading.number_of(connection, str(paper_id))
            if number is None:
                raise NotFoundError("paper", str(paper_id), "Look for its identifier with `paperdigest papers WORDS`")
            return reading.load_papers(connection, [number])[0]

    def papers(self, paper_ids: Iterable[PaperId]) -> tuple[StoredPaper, ...]:
        """Return the papers that these name or ever named, each once; those that are not stored are left out."""
        with self.database.reading() as connection:
            numbers = reading.numbers_of(connection, [str(one) for one in paper_ids])
            return reading.load_papers(connection, numbers)

    def papers_first_seen(
        self, since: datetime, until: datetime | None = None, limit: int | None = None
    ) -> tuple[StoredPaper, ...]:
        """Return the papers first seen in [since, until), newest first (when they were published plays no part)."""
        with self.database.reading() as connection:
            return reading.first_seen_between(connection, since, until, limit)

    def listings(
        self,
        source: str | None = None,
        since: date | None = None,
        until: date | None = None,
        *,
        period: Period | None = Period.DAY,
    ) -> tuple[StoredListing, ...]:
        """Return the listings of [since, until], both ends included, oldest first; ``period`` None: of any."""
        with self.database.reading() as connection:
            return listing_reading.listings(connection, source, since, until, period)

    def history(self, listing: Listing) -> SourceHistory:
        """Return what is stored of the listing's source, to judge the listing by."""
        with self.database.reading() as connection:
            return listing_reading.history(connection, listing)

    def validators(self, urls: Iterable[str] | None = None) -> dict[str, Validators]:
        """Return what HTTP told of the given URLs, or of all."""
        with self.database.reading() as connection:
            return network.load_validators(connection, urls)

    def waits(self) -> dict[str, datetime]:
        """Return the moment before which each group of hosts must be left alone."""
        with self.database.reading() as connection:
            return network.load_waits(connection)

    def save_waits(self, waits: Mapping[str, datetime]) -> None:
        """Remember the moments before which groups of hosts must be left alone."""
        if waits and any(self.waits().get(group) != moment for group, moment in waits.items()):
            with self.database.writing() as connection:
                network.save_waits(connection, waits)

    def counts(self) -> dict[str, int]:
        """Return how many papers, entries, listings and subscribers there are."""
        return checking.counts(self.path)

    def check(self) -> tuple[str, ...]:
        """Return what is wrong with the database, in words; empty when it is sound."""
        return checking.check(self.path)

    def backup(self, target: Path, *, force: bool = False) -> None:
        """Copy the database to a file while others write; the copy is verified.

        Raises:
            AlreadyExistsError: ``target`` exists and ``force`` is not set.
        """
        copying.copy_database(self.path, target, force=force)


def _cursor(connection: Connection) -> Cursor:
    """Return a cursor of the driver, inside the connection's transaction (see `knowledge_rows` for why)."""
    return cast("Cursor", connection.connection.cursor())
