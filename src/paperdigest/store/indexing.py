"""Keeping the search index up: new papers in batches, changed ones at once.

Every statement that adds to an FTS5 index writes out a segment, which is merged with others later; adding the
papers of a day by themselves costs twice as much as many days together. So new papers wait until there are
`BATCH` of them, or until somebody searches or closes the store.

What waits needs no book-keeping: papers are numbered upwards and indexed in that order, so those beyond the
highest indexed number wait, also after a crash.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from sqlite3 import Cursor

from sqlalchemy import Connection

__all__ = ["BATCH", "delete_texts", "highest_indexed", "index_texts", "index_waiting", "is_waiting"]

_IS_WAITING = """
SELECT (SELECT coalesce(max(id), 0) FROM papers) > (SELECT coalesce(max(id), 0) FROM paper_search_docsize)
"""

BATCH = 1000
"""How many papers may wait; indexing as many costs some 80 ms."""


def highest_indexed(cursor: Cursor) -> int:
    """Return the number up to which all papers are indexed (FTS5 keeps one row for each in this table)."""
    highest: int = cursor.execute("SELECT coalesce(max(id), 0) FROM paper_search_docsize").fetchone()[0]
    return highest


def is_waiting(connection: Connection) -> bool:
    """Say whether any paper waits to be indexed."""
    return bool(connection.exec_driver_sql(_IS_WAITING).scalar())


def index_waiting(cursor: Cursor, at_least: int = 1) -> None:
    """Index the papers that wait, if there are about so many (numbers may be missing between them)."""
    highest = highest_indexed(cursor)
    last: int = cursor.execute("SELECT coalesce(max(id), 0) FROM papers").fetchone()[0]
    if last - highest >= at_least:
        index_texts(cursor, [number for (number,) in cursor.execute("SELECT id FROM papers WHERE id > ?", (highest,))])


def delete_texts(cursor: Cursor, numbers: Iterable[int]) -> None:
    """Take indexed papers out: before their texts change, because FTS5 asks for the old ones.

    Source: SQLite FTS5, 4.4.2 (external content tables).
    """
    cursor.execute(
        "INSERT INTO paper_search (paper_search, rowid, title, abstract, authors)"
        " SELECT 'delete', id, title, abstract, authors FROM paper_texts WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(numbers)),),
    )


def index_texts(cursor: Cursor, numbers: Iterable[int]) -> None:
    """Put papers in, in one statement."""
    cursor.execute(
        "INSERT INTO paper_search (rowid, title, abstract, authors)"
        " SELECT id, title, abstract, authors FROM paper_texts WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(numbers)),),
    )
