"""Everything that is stored about one person: to be handed out, and to be erased (GDPR, articles 15, 17 and 20).

What belongs to a person is found by the foreign keys of the schema, so that no table can be forgotten.
"""

from __future__ import annotations

import json
from contextlib import closing
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, select

from paperdigest.errors import NotFoundError
from paperdigest.store.delivery_tables import subscribers
from paperdigest.store.engine import Database, connect_raw, translated
from paperdigest.store.subscribers import stored_address
from paperdigest.store.tables import metadata

__all__ = ["Personal"]

_SHOWN = """
SELECT DISTINCT i.fragment FROM digest_items i JOIN digests d ON d.id = i.digest_id
WHERE d.subscriber_id = ?1 AND i.fragment IS NOT NULL AND i.fragment NOT IN (
  SELECT other.fragment FROM digest_items other JOIN digests theirs ON theirs.id = other.digest_id
  WHERE theirs.subscriber_id <> ?1 AND other.fragment IS NOT NULL
)
"""
_FORGET = "DELETE FROM fragments WHERE key = ?"

_Rows = dict[str, list[dict[str, Any]]]


class Personal:
    """The people in one database. Every method may raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def export(self, email: str) -> _Rows:
        """Return the rows that belong to a person, by table, ready for JSON; tables without any are left out.

        Raises:
            NotFoundError: there is no such subscriber.
        """
        with self._database.reading() as connection:
            found = _owned(connection, email)
        return {name: [_plain(row) for row in rows] for name, rows in found.items()}

    def erase(self, email: str) -> dict[str, int]:
        """Remove a person with all that belongs to them, down to the bytes of the file; return how many rows went.

        What stays is the keyed hash of a suppressed address, which names nobody (`suppressions`).

        Raises:
            NotFoundError: there is no such subscriber.
        """
        with self._database.reading() as connection:
            found = _owned(connection, email)
        number = found["subscribers"][0]["id"]
        with translated(self._database.path), closing(connect_raw(self._database.path)) as connection:
            # Else SQLite leaves what was deleted in the file until the space is needed; not every build has it on.
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            shown = connection.execute(_SHOWN, (number,)).fetchall()
            connection.execute("DELETE FROM subscribers WHERE id = ?", (number,))
            # Why they were shown a paper says what they care about; what others were shown for the same reasons stays.
            connection.executemany(_FORGET, shown)
            connection.execute("COMMIT")
            # And the log of changes holds the pages as they were, until it is begun anew.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return {name: len(rows) for name, rows in found.items() if name != "suppressions"}


def _owned(connection: Connection, email: str) -> _Rows:
    """Return the rows of a person by table, following foreign keys from their row in ``subscribers``."""
    wanted = select(subscribers).where(subscribers.c.email == stored_address(email))
    person = connection.execute(wanted).mappings().first()
    if person is None:
        raise NotFoundError("subscriber", email, "See `paperdigest subscriber list`")
    found: _Rows = {subscribers.name: [dict(person)]}
    for table in metadata.sorted_tables:  # a table comes after those it refers to
        if table is not subscribers and (rows := _belonging(connection, table, found)):
            found[table.name] = rows
    return found


def _belonging(connection: Connection, table: Table, found: _Rows) -> list[dict[str, Any]]:
    for column in table.columns:
        for key in column.foreign_keys:
            if owners := found.get(key.column.table.name):
                return _rows(connection, table, column, [owner[key.column.name] for owner in owners])
    return []


def _rows(connection: Connection, table: Table, column: Column[Any], owners: list[Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for start in range(0, len(owners), 500):
        wanted = select(table).where(column.in_(owners[start : start + 500]))
        rows += (dict(row) for row in connection.execute(wanted.order_by(*table.primary_key)).mappings())
    return rows


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in row.items()}


def _value(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex() if len(value) <= 64 else f"{len(value)} bytes"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and value.startswith("{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
