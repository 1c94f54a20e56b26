"""Making one row of several that turned out to be the same paper."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Cursor

from paperdigest.store import listing_rows
from paperdigest.store.listing_rows import Place, join_places
from paperdigest.store.tables import metadata

__all__ = ["absorb"]

_OWN = frozenset({"entries", "votes", "paper_keys", "provenance", "versions", "authors"})


def absorb(cursor: Cursor, keep: int, gone: int) -> None:
    """Move everything that refers to paper ``gone`` to ``keep`` and delete ``gone``.

    Keys, authors, versions and provenance are deleted only: the caller saves the joined ones. The text must
    have left the search index before.
    """
    _move_votes(cursor, keep, gone)
    _move_entries(cursor, keep, gone)
    for table in ("paper_keys", "provenance", "versions", "authors"):
        cursor.execute(f"DELETE FROM {table} WHERE paper_id = ?", (gone,))  # noqa: S608  names from this line only
    for table, column in _referring():
        # A row that would repeat one of the kept paper says nothing new.
        cursor.execute(f"UPDATE OR IGNORE {table} SET {column} = ? WHERE {column} = ?", (keep, gone))  # noqa: S608  our own tables
        cursor.execute(f"DELETE FROM {table} WHERE {column} = ?", (gone,))  # noqa: S608  our own tables
    cursor.execute("DELETE FROM papers WHERE id = ?", (gone,))


def _referring() -> Sequence[tuple[str, str]]:
    """Return tables and columns of other modules that refer to papers."""
    return [
        (table.name, key.parent.name)
        for table in metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name == "papers" and table.name not in _OWN
    ]


def _move_votes(cursor: Cursor, keep: int, gone: int) -> None:
    found = cursor.execute(
        "SELECT listing_id, upvotes, comments, observed_at FROM votes WHERE paper_id = ?", (gone,)
    ).fetchall()
    cursor.execute("DELETE FROM votes WHERE paper_id = ?", (gone,))
    listing_rows.save_votes(cursor, [(listing, keep, *votes) for listing, *votes in found])


def _move_entries(cursor: Cursor, keep: int, gone: int) -> None:
    query = (
        "SELECT listing_id, rank, announce_type, placed_at, upvotes, comments, voted_at, confirmed"
        " FROM entries WHERE paper_id = ?"
    )
    kept = {listing: Place(*values) for listing, *values in cursor.execute(query, (keep,))}
    for listing, *values in cursor.execute(query, (gone,)).fetchall():
        place = Place(*values)
        joined = join_places(kept[listing], place) if listing in kept else place
        listing_rows.save_places(cursor, listing, {keep: joined})
    cursor.execute("DELETE FROM entries WHERE paper_id = ?", (gone,))
