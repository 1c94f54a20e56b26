"""The table of fragments: ranked papers and texts of papers as they were frozen, each once (see `freezing`)."""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from sqlalchemy import Connection, select

from paperdigest.store.chunking import chunks
from paperdigest.store.delivery_tables import fragments
from paperdigest.store.freezing import Frozen, opened, thaw_ranked, thaw_stored
from paperdigest.types import RankedPaper, StoredPaper

__all__ = ["Fragments", "write_fragments"]

KEPT_RANKED = 20_000
KEPT_PAPERS = 4_000
"""How many thawed fragments are kept: some 2 KB and 10 KB each."""

_INSERT = "INSERT INTO fragments (key, frozen) VALUES (?, ?) ON CONFLICT (key) DO NOTHING"

_T = TypeVar("_T")


def write_fragments(cursor: sqlite3.Cursor, frozen: Iterable[Frozen]) -> None:
    """Store the fragments of frozen digests, those that are not stored yet (part of the caller's transaction)."""
    texts = {one.key: one.text for digest in frozen for one in (*digest.papers, *digest.ranked)}
    cursor.executemany(_INSERT, texts.items())


class Fragments:
    """Reads ranked papers back. The same object for the same key, as long as it is kept; may be shared by threads."""

    def __init__(self, *, kept_ranked: int = KEPT_RANKED, kept_papers: int = KEPT_PAPERS) -> None:
        self._ranked: _Recent[RankedPaper] = _Recent(kept_ranked)
        self._papers: _Recent[StoredPaper] = _Recent(kept_papers)
        self._lock = threading.Lock()

    def ranked(self, connection: Connection, keys: Iterable[bytes]) -> dict[bytes, RankedPaper]:
        """Return the ranked papers of those keys; one whose fragment is missing or damaged is left out."""
        with self._lock:
            return self._ranked.all_of(keys, lambda missing: self._read(connection, missing))

    def _read(self, connection: Connection, keys: Iterable[bytes]) -> dict[bytes, RankedPaper]:
        texts = _texts(connection, keys)
        parts = _readable(texts, lambda key: opened(texts[key]))
        papers = self._papers.all_of((of for of, _ in parts.values()), lambda missing: _papers(connection, missing))
        return _readable(parts, lambda key: thaw_ranked(key, parts[key][1], papers[parts[key][0]]))


class _Recent(Generic[_T]):
    """Values by key, those used last."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._values: OrderedDict[bytes, _T] = OrderedDict()

    def all_of(self, keys: Iterable[bytes], read: Callable[[list[bytes]], dict[bytes, _T]]) -> dict[bytes, _T]:
        """Return the values of the keys that have one; those not kept are read."""
        wanted = dict.fromkeys(keys)
        found = {key: self._values[key] for key in wanted if key in self._values}
        for key in found:
            self._values.move_to_end(key)
        if len(found) < len(wanted):
            new = read([key for key in wanted if key not in found])
            found |= new
            self._values |= new
            while len(self._values) > self._kept:
                self._values.popitem(last=False)
        return found


def _papers(connection: Connection, keys: Iterable[bytes]) -> dict[bytes, StoredPaper]:
    texts = _texts(connection, keys)
    return _readable(texts, lambda key: thaw_stored(texts[key]))


def _readable(keys: Iterable[bytes], read: Callable[[bytes], _T]) -> dict[bytes, _T]:
    """Return what can be read; a row that somebody changed is as good as missing."""
    found = {}
    for key in keys:
        try:
            found[key] = read(key)
        except (LookupError, TypeError, ValueError, RecursionError):
            continue
    return found


def _texts(connection: Connection, keys: Iterable[bytes]) -> dict[bytes, str]:
    found: dict[bytes, str] = {}
    for some in chunks(keys):
        rows = connection.execute(select(fragments.c.key, fragments.c.frozen).where(fragments.c.key.in_(some)))
        found.update((key, text) for key, text in rows)
    return found
