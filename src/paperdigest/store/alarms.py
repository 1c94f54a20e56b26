"""What the operator must know, and whether they do.

A row stands from the moment a trouble is seen until it is over and whoever was told of it has been told that, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, case, delete, or_, select, update

from paperdigest.store.alarming import OVER, clear_alarm, raise_alarm
from paperdigest.store.engine import Database
from paperdigest.store.operation_tables import alarms

__all__ = ["AGAIN", "Alarm", "Alarms"]

AGAIN = timedelta(days=1)
"""How long after it was told of, a trouble that lasts is told of again."""

CALM = timedelta(hours=1)
"""How long after it was told of, at the least, it is told that a trouble is over: some come and go all the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One trouble. ``told_at``: when the operator was last told, None: never; ``is_over``: they are to be told that."""

    name: str
    detail: str
    raised_at: datetime
    told_at: datetime | None = None
    is_over: bool = False


class Alarms:
    """The alarms of one database. Every method may raise StoreError; ``now`` is aware UTC."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def reconcile(self, troubles: Mapping[str, str], *, now: datetime, knows: Callable[[str], bool]) -> None:
        """Raise an alarm for each trouble, and take back those that are over.

        Args:
            troubles: what is wrong now, in words, by name.
            now: the moment.
            knows: says of a name whether ``troubles`` would hold it; the others are left alone.
        """
        with self._database.reading() as connection:
            rows = connection.execute(select(alarms.c.name, alarms.c.detail)).all()
        standing = {row.name: row.detail for row in rows}
        raised = {name: detail for name, detail in troubles.items() if standing.get(name) != detail}
        cleared = [n for n, detail in standing.items() if detail != OVER and n not in troubles and knows(n)]
        if not raised and not cleared:
            return  # as a rule nothing has changed, and no lock is taken
        with self._database.writing() as connection:
            for name, detail in raised.items():
                raise_alarm(connection, name, detail or "no more is known", now)
            for name in cleared:
                clear_alarm(connection, name)

    def standing(self) -> tuple[Alarm, ...]:
        """Return the alarms for troubles that last, by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(alarms).where(alarms.c.detail != OVER).order_by(alarms.c.name)).all()
        return tuple(map(_alarm, rows))

    def claim_untold(self, now: datetime) -> tuple[Alarm, ...]:
        """Return what the operator is to be told now, and mark it as told: nobody else will tell it.

        New troubles, those told of a day ago that last, and those that are over. Say afterwards whether it `was_told`.
        """
        with self._database.reading() as connection:
            if not connection.execute(select(alarms.c.name).where(_untold(now)).limit(1)).all():
                return ()
        with self._database.writing() as connection:
            rows = connection.execute(select(alarms).where(_untold(now)).order_by(alarms.c.name)).all()
            connection.execute(update(alarms).where(_untold(now)).values(told_at=now))
        return tuple(map(_alarm, rows))

    def was_told(self, claimed: Sequence[Alarm], now: datetime, *, is_told: bool) -> None:
        """Write down whether what was claimed at ``now`` reached the operator; if not, it is to be claimed again."""
        with self._database.writing() as connection:
            for one in claimed:
                mine = (alarms.c.name == one.name, alarms.c.told_at == now)
                if not is_told:
                    connection.execute(update(alarms).where(*mine).values(told_at=one.told_at))
                elif one.is_over:
                    connection.execute(delete(alarms).where(*mine, alarms.c.detail == OVER))


def _untold(now: datetime) -> ColumnElement[bool]:
    told_at = alarms.c.told_at
    long_ago = case((alarms.c.detail == OVER, told_at <= now - CALM), else_=told_at <= now - AGAIN)
    return or_(told_at.is_(None), long_ago, told_at > now + AGAIN)  # the last: by a clock that was wrong


def _alarm(row: Row[Any]) -> Alarm:
    return Alarm(
        name=row.name,
        detail=row.detail,
        raised_at=row.raised_at,
        told_at=row.told_at,
        is_over=row.detail == OVER,
    )
