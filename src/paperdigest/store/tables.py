"""The tables of papers and listings, and how moments are stored.

Other modules of the store add their own tables to `metadata` (`delivery_tables`, `ranking_tables`); `schema`
creates all.
Constraint names are fixed, so that a migration can name what it changes on every kind of database.

Moments are text, ``2026-04-15T06:00:00.000000Z``: fixed width, so text order is time order; readable with
any SQLite tool; written and read by C code. Dates are ``2026-04-15``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    func,
)

__all__ = [
    "UtcDateTime",
    "authors",
    "entries",
    "from_stored",
    "listings",
    "metadata",
    "paper_keys",
    "papers",
    "provenance",
    "to_stored",
    "validators",
    "versions",
    "votes",
    "waits",
]


def to_stored(moment: datetime) -> str:
    """Return the stored form of an aware UTC moment: fixed width, sortable as text."""
    if moment.tzinfo is not UTC and moment.utcoffset() != timedelta(0):
        raise ValueError(f"only aware UTC moments are stored, not {moment!r}")
    return moment.isoformat(timespec="microseconds")[:26] + "Z"


def from_stored(text: str) -> datetime:
    """Read a stored moment back as an aware UTC datetime."""
    return datetime.fromisoformat(text)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime; refuses naive and other ones."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002  SQLAlchemy's signature
        """Encode for the database."""
        return None if value is None else to_stored(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  SQLAlchemy's signature
        """Decode from the database."""
        return None if value is None else from_stored(value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

papers = Table(
    "papers",
    metadata,
    Column("id", Integer, primary_key=True),
    # The printed PaperId: the strongest identifier known so far. Older ones stay in paper_keys.
    Column("key", Text, nullable=False, unique=True),
    Column("first_seen_at", UtcDateTime, nullable=False, index=True),
    Column("version", Integer),
    Column("withdrawn", Boolean(create_constraint=False), nullable=False),
    Column("authors_count", Integer),
    Column("published_at", UtcDateTime, index=True),
    Column("updated_at", UtcDateTime),
    Column("url", Text),
    Column("pdf_url", Text),
    Column("code_url", Text),
    Column("primary_category", Text),
    Column("categories", Text),  # a JSON array of strings, in the source's order; NULL when there are none
    Column("comment", Text),
    Column("journal_ref", Text),
    Column("title", Text, nullable=False),
    Column("title_source", Text),
    Column("abstract", Text),
    Column("abstract_source", Text),
    # Never give a number twice: what was sent to whom refers to it.
    sqlite_autoincrement=True,
)
"""One row per scholarly work. The long texts come last, so that short columns are read without them."""

paper_keys = Table(
    "paper_keys",
    metadata,
    Column("key", Text, primary_key=True),
    Column("paper_id", ForeignKey("papers.id"), nullable=False, index=True),
    sqlite_with_rowid=False,
)
"""Every identifier and match key (`identity.keys`) that ever named a paper."""

provenance = Table(
    "provenance",
    metadata,
    Column("paper_id", ForeignKey("papers.id"), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("authority", Integer, nullable=False),
    Column("observed_at", UtcDateTime, nullable=False),
    Column("digest", String(32), nullable=False),
    Column("stamps", Text),
)
"""Which observation won each field (see `merging`): the leading one, and in ``stamps`` (JSON) the exceptions.

``version`` is that of the leading observation (0: not said); ``papers.version`` is the highest anyone named.

Apart from ``papers`` because every re-read moves ``observed_at``: a thin row is cheap to rewrite.
"""

versions = Table(
    "versions",
    metadata,
    Column("paper_id", ForeignKey("papers.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("source", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""When each version was first seen, and in which source."""

authors = Table(
    "authors",
    metadata,
    Column("paper_id", ForeignKey("papers.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("affiliation", Text),
    sqlite_with_rowid=False,
)
"""The named authors of a paper, ``position`` 1 first."""

listings = Table(
    "listings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", Text, nullable=False),
    Column("period", Text, nullable=False),
    Column("listed_on", Date, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("retrieved_at", UtcDateTime, nullable=False),  # of the reading that gave ``state``
    Column("attempted_at", UtcDateTime, nullable=False),  # of the latest reading, good or bad
    Column("announced_count", Integer),
    Column("dropped", Integer, nullable=False),
    Column("note", Text),
    Column("url", Text),
    UniqueConstraint("source", "period", "listed_on"),
    CheckConstraint("state IN ('complete', 'partial', 'stale', 'quiet', 'failed')", name="state"),
)
"""What a source announced for a day (week, …): the best reading of it so far."""

entries = Table(
    "entries",
    metadata,
    Column("listing_id", ForeignKey("listings.id"), primary_key=True),
    Column("paper_id", ForeignKey("papers.id"), primary_key=True, index=True),
    Column("rank", Integer),
    Column("announce_type", Text),
    Column("placed_at", UtcDateTime, nullable=False),
    Column("upvotes", Integer),
    Column("comments", Integer),
    Column("voted_at", UtcDateTime, nullable=False),
    # False while only stale readings (yesterday's batch served again) put the paper into this listing.
    Column("confirmed", Boolean(create_constraint=False), nullable=False),
    sqlite_with_rowid=False,
)
"""A paper's place in a listing, and its current votes."""

votes = Table(
    "votes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("listing_id", ForeignKey("listings.id"), nullable=False),
    Column("paper_id", ForeignKey("papers.id"), nullable=False, index=True),
    Column("upvotes", Integer),
    Column("comments", Integer),
    Column("observed_at", UtcDateTime, nullable=False),
)
"""The history of votes: each pair of numbers an entry ever showed, and when it was first seen."""

Index(
    "ix_votes_pair",
    votes.c.listing_id,
    votes.c.paper_id,
    func.coalesce(votes.c.upvotes, -1),
    func.coalesce(votes.c.comments, -1),
    unique=True,
)

validators = Table(
    "validators",
    metadata,
    Column("url", Text, primary_key=True),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("moved_to", Text),
    Column("gone", Boolean(create_constraint=False), nullable=False),
    Column("next_attempt_at", UtcDateTime),
    Column("observed_at", UtcDateTime, nullable=False),
)
"""What HTTP told us of each URL, byte for byte."""

waits = Table(
    "waits",
    metadata,
    Column("host_group", Text, primary_key=True),
    Column("not_before_at", UtcDateTime, nullable=False),
)
"""Until when a group of hosts asked not to be bothered."""
