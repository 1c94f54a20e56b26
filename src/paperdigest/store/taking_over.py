"""Digests that still wait when the next edition is due: it takes their papers over, and they expire.

After days without a mail server everybody then gets one mail, not one for each of the days. A digest that may have been
accepted once is left to be sent again as it is: its copies can be told to be the same, and what holds its papers anew
could not. Nor is one taken over that is being sent at the moment, or that an operator wants tried again.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from types import MappingProxyType

from paperdigest.store.engine import Database
from paperdigest.store.tables import to_stored

__all__ = ["NOTHING", "Instead", "Waiting", "take_over", "those_claimed"]

Instead = Mapping[int, Sequence[int]]
"""The numbers of the digests whose place an edition takes, by subscriber."""

NOTHING: Instead = MappingProxyType({})

# One index a state: what waits is found without going through the ledger.
_OLDEST = """
SELECT min(edition) FROM (
  SELECT d.edition FROM deliveries v JOIN digests d ON d.id = v.digest_id WHERE v.state = 'planned'
  UNION ALL SELECT d.edition FROM deliveries v JOIN digests d ON d.id = v.digest_id WHERE v.state = 'deferred')
"""
_WAITS = """
v.state IN ('planned', 'deferred')
AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.delivery_id = v.id AND a.state = 'in_doubt')
"""
_EARLIER = f"""
SELECT d.subscriber_id, d.id FROM json_each(?) one
JOIN digests d ON d.subscriber_id = CAST(one.key AS INTEGER) AND d.edition >= ? AND d.edition < one.value
JOIN deliveries v ON v.digest_id = d.id
WHERE {_WAITS} AND julianday(v.expires_at) <= julianday(d.composed_at) + ? ORDER BY d.edition
"""  # noqa: S608  constants alone
_STILL = f"""
SELECT v.digest_id FROM deliveries v WHERE v.digest_id IN (SELECT value FROM json_each(?)) AND {_WAITS}
"""  # noqa: S608  constants alone
_TAKE = "UPDATE deliveries SET state = 'expired', expires_at = min(expires_at, ?), detail = ? WHERE digest_id = ?"


class Waiting:
    """What waits in one database, as it was when first asked. Every method may raise StoreError.

    Args:
        database: where it waits.
        expires_after: for how long digests wait. One that waits for longer is to be tried again (`Outbox.retry`).
    """

    def __init__(self, database: Database, expires_after: timedelta) -> None:
        self._database = database
        self._days = (expires_after + timedelta(seconds=1)) / timedelta(days=1)
        self._oldest: str | None = None
        self._is_known = False

    def earlier(self, editions: Mapping[int, date]) -> dict[int, tuple[int, ...]]:
        """Return the digests before an edition that it can take over, by subscriber; left out: there is none.

        Args:
            editions: by subscriber.
        """
        found: dict[int, tuple[int, ...]] = {}
        with self._database.reading() as connection:
            if not self._is_known:
                self._oldest = connection.exec_driver_sql(_OLDEST).scalar()
                self._is_known = True
            if self._oldest is None:  # nearly always
                return {}
            wanted = json.dumps({number: edition.isoformat() for number, edition in editions.items()})
            for subscriber, digest in connection.exec_driver_sql(_EARLIER, (wanted, self._oldest, self._days)):
                found[subscriber] = (*found.get(subscriber, ()), digest)
        return found


def those_claimed(cursor: sqlite3.Cursor, instead: Instead) -> frozenset[int]:
    """Return the subscribers of whom a digest that was to be taken over is not to be had any more."""
    if not instead:
        return frozenset()
    every = [number for some in instead.values() for number in some]
    still = {number for (number,) in cursor.execute(_STILL, (json.dumps(every),))}
    return frozenset(subscriber for subscriber, some in instead.items() if not still.issuperset(some))


def take_over(cursor: sqlite3.Cursor, taken: Iterable[tuple[int, date, datetime]]) -> None:
    """Let digests expire: each by its number, the edition that its papers were ranked for again, and its moment."""
    cursor.executemany(
        _TAKE,
        (
            (to_stored(moment), f"taken over: its papers were ranked again for the edition of {edition}", number)
            for number, edition, moment in taken
        ),
    )
