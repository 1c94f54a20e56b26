"""What nothing in the database needs any more: frozen texts that no digest shows, vectors of texts that nobody has.

Everything that any digest shows stays, whatever became of it: a mail in doubt is sent again byte by byte, and a link in
an old mail still leads to its papers. What is planned while this is at work stays, too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from paperdigest.store.chunking import chunks
from paperdigest.store.engine import Database, connect_raw, translated
from paperdigest.store.vectors import digest_of

__all__ = ["Pruned", "prune"]

AT_ONCE = 1000
"""Rows that one transaction removes; others may write in between."""

# A ranked paper names the text of its paper in hexadecimal digits (`freezing`).
_LIVE = """
CREATE TEMP TABLE shown AS SELECT DISTINCT fragment AS key FROM digest_items WHERE fragment IS NOT NULL;
CREATE TEMP TABLE told AS
  SELECT DISTINCT lower(json_extract(f.frozen, '$.stored')) AS name FROM shown JOIN fragments f ON f.key = shown.key
  WHERE json_valid(f.frozen);
CREATE UNIQUE INDEX temp.ix_shown ON shown (key);
CREATE INDEX temp.ix_told ON told (name);
CREATE TEMP TABLE unshown AS
  SELECT key FROM fragments
  WHERE key NOT IN (SELECT key FROM shown) AND lower(hex(key)) NOT IN (SELECT name FROM told WHERE name IS NOT NULL);
"""
_SINCE = """
SELECT f.key, json_extract(f.frozen, '$.stored') FROM digest_items i JOIN fragments f ON f.key = i.fragment
WHERE i.digest_id > ?
"""
_TEXTS = "SELECT title, abstract FROM papers UNION ALL SELECT title, abstract FROM judgements"
_UNREAD = """
CREATE TEMP TABLE unread AS SELECT model, digest FROM vectors WHERE digest NOT IN (SELECT digest FROM texts)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """How many frozen texts and vectors were removed."""

    fragments: int
    vectors: int


def prune(database: Database) -> Pruned:
    """Remove what nothing needs, in small transactions beside others who read and write.

    Vectors stay of the texts of papers and of what was judged. Those of keywords go as well; they are made again when
    they are asked for, at some thousandths of a second each.

    Raises:
        StoreError: in words; what was removed until then was needed by nothing.
    """
    with translated(database.path), closing(connect_raw(database.path)) as looking:
        # A digest that is planned from here on has a higher number.
        (newest,) = looking.execute(
            "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'digests'"
        ).fetchone()
        looking.executescript(_LIVE)
        fragments = sum(_remove_fragments(database, keys, newest) for keys in _some(looking, "SELECT key FROM unshown"))
        looking.execute("CREATE TEMP TABLE texts (digest BLOB PRIMARY KEY) WITHOUT ROWID")
        for some in chunks(looking.execute(_TEXTS), AT_ONCE):
            looking.executemany("INSERT OR IGNORE INTO texts VALUES (?)", [(_digest(*row),) for row in some])
        looking.execute(_UNREAD)
        vectors = sum(_remove_vectors(database, rows) for rows in _some(looking, "SELECT model, digest FROM unread"))
    return Pruned(fragments=fragments, vectors=vectors)


def _digest(title: str, abstract: str | None) -> bytes:
    """As of `Paper.text`."""
    return digest_of(f"{title}. {abstract}" if abstract else title)


def _some(looking: sqlite3.Connection, wanted: str) -> Iterator[list[Sequence[object]]]:
    yield from chunks(looking.execute(wanted), AT_ONCE)


def _remove_fragments(database: Database, rows: Iterable[Sequence[object]], newest: int) -> int:
    """Remove texts, but for those that a digest has come to show since."""
    with database.recording() as cursor:
        since = cursor.execute(_SINCE, (newest,)).fetchall()
        kept = {key for key, _ in since} | {bytes.fromhex(name) for _, name in since if name}
        cursor.executemany("DELETE FROM fragments WHERE key = ?", [row for row in rows if row[0] not in kept])
        removed = max(cursor.rowcount, 0)
    database.turns.give_way()
    return removed


def _remove_vectors(database: Database, rows: Iterable[Sequence[object]]) -> int:
    with database.recording() as cursor:
        cursor.executemany("DELETE FROM vectors WHERE model = ? AND digest = ?", rows)
        removed = max(cursor.rowcount, 0)
    database.turns.give_way()
    return removed
