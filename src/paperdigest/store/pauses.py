"""Pauses: what is not to be tried before a moment, for every process that works on this database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert

from paperdigest.store.engine import Database
from paperdigest.store.operation_tables import pauses

__all__ = ["MAIL", "Pause", "Pauses"]

MAIL = "mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """What is not to be tried, since when and until when (UTC), and why."""

    name: str = MAIL
    since_at: datetime
    until_at: datetime
    reason: str

    @property
    def length(self) -> timedelta:
        """How long it lasts."""
        return self.until_at - self.since_at


class Pauses:
    """The pauses of one database. Every method may raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self, name: str = MAIL) -> Pause | None:
        """Return the newest pause, which may be over; None after a success."""
        with self._database.reading() as connection:
            row = connection.execute(select(pauses).where(pauses.c.name == name)).mappings().first()
        return None if row is None else Pause(**row)

    def open(self, now: datetime) -> tuple[Pause, ...]:
        """Return the pauses that are not over, by name; a bounce storm's is among them (see `storms`)."""
        still = select(pauses).where(pauses.c.until_at > now).order_by(pauses.c.name)
        with self._database.reading() as connection:
            return tuple(Pause(**row) for row in connection.execute(still).mappings())

    def start(self, pause: Pause) -> None:
        """Begin a pause in place of the last one of its name."""
        values = {"since_at": pause.since_at, "until_at": pause.until_at, "reason": pause.reason}
        statement = insert(pauses).values(name=pause.name, **values)
        with self._database.writing() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))

    def end(self, name: str = MAIL, *, since_at: datetime | None = None) -> None:
        """Forget a pause: what it was about works again; with ``since_at`` only if no other has begun in its place."""
        which = pauses.c.name == name
        if since_at is not None:
            which &= pauses.c.since_at == since_at
        with self._database.writing() as connection:
            connection.execute(delete(pauses).where(which))
