"""Making one row of several that turned out to be the same paper."""

from __future__ import annotations

from sqlite3 import Cursor

from paperdigest.store import listing_rows
from paperdigest.store.listing_rows import Place, join_places

__all__ = ["absorb"]


def absorb(cursor: Cursor, keep: int, gone: int) -> None:
    """Move everything that refers to paper ``gone`` to ``keep`` and delete ``gone``.

    Keys, authors, versions and provenance are deleted only: the caller saves the joined ones. The text must
    have left the search index before. Digests name papers by printed identifiers, which stay valid.
    """
    _move_votes(cursor, keep, gone)
    _move_entries(cursor, keep, gone)
    cursor.execute("DELETE FROM paper_keys WHERE paper_id = ?", (gone,))
    cursor.execute("DELETE FROM provenance WHERE paper_id = ?", (gone,))
    cursor.execute("DELETE FROM versions WHERE paper_id = ?", (gone,))
    cursor.execute("DELETE FROM authors WHERE paper_id = ?", (gone,))
    cursor.execute("DELETE FROM papers WHERE id = ?", (gone,))


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
