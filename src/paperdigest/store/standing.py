"""What planning asks of very many subscribers: a few queries for a chunk of them, never one per subscriber.

All of it by number, through the driver, and without their judgements, names and addresses: a hundred thousand
subscribers are gone through in seconds, and only those who are due are loaded whole (`subscribers`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any, NamedTuple

from paperdigest.errors import UsageError
from paperdigest.store.engine import Database
from paperdigest.store.tables import from_stored, to_stored
from paperdigest.types import Schedule

__all__ = ["Reached", "Standing", "Standings", "schedule_of"]

_STANDING = """
SELECT s.id, s.days, s.at, s.tz, s.pause_until, s.created_at, s.examined_on, s.examined_papers,
  (SELECT d.edition FROM digests d WHERE d.subscriber_id = s.id AND d.composed_at <= ?1
   ORDER BY d.edition DESC LIMIT 1),
  (SELECT max(d.edition) FROM digests d WHERE d.subscriber_id = s.id),
  EXISTS (SELECT 1 FROM suppressions x WHERE x.subscriber_id = s.id AND (x.until_at IS NULL OR x.until_at > ?1))
FROM subscribers s WHERE s.status = 'active' AND s.id > ?2 ORDER BY s.id LIMIT ?3
"""
_REACHED = """
SELECT one.value, c.composed_at, (
  SELECT min(x.composed_at) FROM digests x
  WHERE x.subscriber_id = one.value AND x.edition > coalesce(c.edition, '') AND x.composed_at <= ?1)
FROM json_each(?2) one LEFT JOIN digests c ON c.id = (
  SELECT d.id FROM digests d JOIN deliveries v ON v.digest_id = d.id
  WHERE d.subscriber_id = one.value AND d.composed_at <= ?1 AND v.state NOT IN ('failed', 'expired', 'skipped')
    AND d.id NOT IN (SELECT value FROM json_each(?3))
  ORDER BY d.edition DESC LIMIT 1)
"""
_QUERIES = """
SELECT subscriber_id, query FROM topics WHERE subscriber_id IN (SELECT value FROM json_each(?))
ORDER BY subscriber_id, position
"""
_SENT = """
SELECT d.subscriber_id, (SELECT group_concat(i.paper_key, char(10)) FROM digest_items i WHERE i.digest_id = d.id)
FROM digests d JOIN deliveries v ON v.digest_id = d.id
WHERE d.subscriber_id IN (SELECT value FROM json_each(?)) AND d.composed_at >= ?
  AND v.state NOT IN ('failed', 'expired', 'skipped') AND d.id NOT IN (SELECT value FROM json_each(?))
"""
# Numbers are never given twice, so SQLite's counter knows how many there ever were.
_EVER_SEEN = """
SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'papers'), 0)
  - (SELECT count(*) FROM papers WHERE first_seen_at > ?)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All that says whether an active subscriber is due.

    ``planned`` is the newest edition composed until now, ``newest`` the newest of all: they differ after the clock ran
    ahead. ``examined_on`` is the newest edition that was found empty, ``examined_papers`` how many papers had
    come by then (None: they want it looked at anew). ``is_suppressed``: no mail goes to the address.
    """

    id: int
    schedule: Schedule
    created_at: datetime
    examined_on: date | None
    examined_papers: int | None
    planned: date | None
    newest: date | None
    is_suppressed: bool


class Reached(NamedTuple):
    """When the newest digest was composed that reached, or may reach, somebody, and the first after it that does not.

    None: there is none.
    """

    last: datetime | None = None
    missed: datetime | None = None


class Standings:
    """Reads of one database, for many subscribers at once. Every method may raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def active(self, now: datetime, *, after: int, limit: int) -> tuple[tuple[int, Standing | UsageError], ...]:
        """Return the next active subscribers by number, from beyond ``after`` on; an error for a row that is broken."""
        with self._database.reading() as connection:
            rows = connection.exec_driver_sql(_STANDING, (to_stored(now), after, limit)).all()
        return tuple((row[0], _standing(row)) for row in rows)

    def reached(self, numbers: Sequence[int], now: datetime, lost: Iterable[int] = ()) -> dict[int, Reached]:
        """Return which digests reached each of some subscribers, or may yet.

        What a clock that ran ahead has stamped with a later moment than ``now`` does not count.

        Args:
            numbers: of the subscribers.
            now: the moment.
            lost: the numbers of digests that are taken for lost although they wait.
        """
        with self._database.reading() as connection:
            rows = connection.exec_driver_sql(_REACHED, (to_stored(now), json.dumps(numbers), json.dumps([*lost])))
            return {number: Reached(_moment(last), _moment(missed)) for number, last, missed in rows}

    def interests(self, numbers: Sequence[int]) -> dict[int, int]:
        """Return a number below 2^56 for the queries of each: the same for the same queries."""
        queries: dict[int, list[str]] = {number: [] for number in numbers}
        with self._database.reading() as connection:
            for number, query in connection.exec_driver_sql(_QUERIES, (json.dumps(numbers),)):
                queries[number].append(query)
        return {number: _hashed("\n".join(texts)) for number, texts in queries.items()}

    def sent(self, numbers: Sequence[int], since: datetime, lost: Iterable[int] = ()) -> dict[int, frozenset[str]]:
        """Return the papers, as they were printed then, that went or are on their way to each since a moment.

        Those of the digests ``lost`` are left out.
        """
        found: dict[int, list[str]] = {number: [] for number in numbers}
        with self._database.reading() as connection:
            for number, keys in connection.exec_driver_sql(
                _SENT, (json.dumps(numbers), to_stored(since), json.dumps([*lost]))
            ):
                found[number] += keys.split("\n") if keys else ()
        return {number: frozenset(keys) for number, keys in found.items()}

    def papers(self, now: datetime) -> int:
        """Return how many papers have ever come until a moment: another number when some have come.

        It never falls: not when two turn out to be one, and not at any midnight, which would not be everybody's.
        """
        with self._database.reading() as connection:
            return int(connection.exec_driver_sql(_EVER_SEEN, (to_stored(now),)).scalar_one())

    def mark_examined(self, editions: Iterable[tuple[int, date]], papers: int) -> None:
        """Remember that editions were looked at, when there were so many papers, and found empty."""
        rows = [(edition.isoformat(), papers, number) for number, edition in editions]
        change = "UPDATE subscribers SET examined_on = ?, examined_papers = ? WHERE id = ?"
        if rows:
            with self._database.recording() as cursor:
                cursor.executemany(change, rows)


@lru_cache(maxsize=4096)
def schedule_of(days: str, at: str, tz: str, pause_until: str | None) -> Schedule:
    """Read a schedule as it is stored; equal ones are one object.

    Raises:
        ValueError: it is none.
    """
    return Schedule(
        days=frozenset(int(day) for day in days),
        at=time.fromisoformat(at),
        tz=tz,
        pause_until=None if pause_until is None else date.fromisoformat(pause_until),
    )


def _standing(row: Sequence[Any]) -> Standing | UsageError:
    number, days, at, tz, pause_until, created_at, examined_on, papers, planned, newest, is_suppressed = row
    try:
        return Standing(
            id=number,
            schedule=schedule_of(days, at, tz, pause_until),
            created_at=from_stored(created_at),
            examined_on=_day(examined_on),
            examined_papers=papers,
            planned=_day(planned),
            newest=_day(newest),
            is_suppressed=bool(is_suppressed),
        )
    except (TypeError, ValueError) as error:
        return UsageError(f"what is stored of them cannot be read ({error})")


def _moment(text: str | None) -> datetime | None:
    return None if text is None else from_stored(text)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _hashed(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest())
