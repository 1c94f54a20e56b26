"""What HTTP must remember from run to run: validators of each URL, and waits of each group of hosts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from sqlite3 import Cursor

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from paperdigest.store import tables
from paperdigest.store.tables import to_stored
from paperdigest.types import Validators

__all__ = ["load_validators", "load_waits", "save_validators", "save_waits"]

_UPSERT = """
INSERT INTO validators (url, etag, last_modified, moved_to, gone, next_attempt_at, observed_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (url) DO UPDATE SET
  etag = excluded.etag, last_modified = excluded.last_modified, moved_to = excluded.moved_to,
  gone = excluded.gone, next_attempt_at = excluded.next_attempt_at, observed_at = excluded.observed_at
WHERE (
  excluded.observed_at, coalesce(excluded.etag, ''), coalesce(excluded.last_modified, ''),
  coalesce(excluded.moved_to, ''), excluded.gone, coalesce(excluded.next_attempt_at, '')
) > (
  validators.observed_at, coalesce(validators.etag, ''), coalesce(validators.last_modified, ''),
  coalesce(validators.moved_to, ''), validators.gone, coalesce(validators.next_attempt_at, '')
)
"""


def save_validators(cursor: Cursor, told: Iterable[Validators], observed_at: datetime) -> None:
    """Remember what was told of each URL, unless something later is known already."""
    moment = to_stored(observed_at)
    cursor.executemany(
        _UPSERT,
        [
            (
                one.url,
                one.etag,
                one.last_modified,
                one.moved_to,
                one.gone,
                to_stored(one.next_attempt_at) if one.next_attempt_at else None,
                moment,
            )
            for one in told
        ],
    )


def load_validators(connection: Connection, urls: Iterable[str] | None) -> dict[str, Validators]:
    """Return what is remembered of the given URLs, or of all."""
    query = select(tables.validators)
    if urls is not None:
        query = query.where(tables.validators.c.url.in_(list(urls)))
    return {
        row.url: Validators(
            url=row.url,
            etag=row.etag,
            last_modified=row.last_modified,
            moved_to=row.moved_to,
            gone=row.gone,
            next_attempt_at=row.next_attempt_at,
        )
        for row in connection.execute(query)
    }


def save_waits(connection: Connection, waits: Mapping[str, datetime]) -> None:
    """Replace the moments before which each group of hosts must be left alone."""
    statement = insert(tables.waits)
    statement = statement.on_conflict_do_update(
        index_elements=["host_group"], set_={"not_before_at": statement.excluded.not_before_at}
    )
    if waits:
        rows = [{"host_group": group, "not_before_at": moment} for group, moment in waits.items()]
        connection.execute(statement, rows)


def load_waits(connection: Connection) -> dict[str, datetime]:
    """Return the moments before which each group of hosts must be left alone."""
    return {row.host_group: row.not_before_at for row in connection.execute(select(tables.waits))}
