"""Alarms as rows, inside somebody else's transaction: raised with what caused them, and cleared with it.

A row of which the operator has been told outlives its trouble, without a detail, until they are told that it is over.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, update
from sqlalchemy.dialects.sqlite import insert

from paperdigest.store.operation_tables import alarms

__all__ = ["OVER", "clear_alarm", "raise_alarm"]

OVER = ""
"""The detail of a trouble that is over, of which whoever knows of it has not been told yet."""


def raise_alarm(connection: Connection, name: str, detail: str, now: datetime) -> None:
    """Write down what the operator must know; when it is known already, only the detail is renewed."""
    statement = insert(alarms).values(name=name, raised_at=now, detail=detail)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"detail": detail}))


def clear_alarm(connection: Connection, name: str) -> None:
    """Take an alarm back: the trouble is over."""
    connection.execute(delete(alarms).where(alarms.c.name == name, alarms.c.told_at.is_(None)))
    connection.execute(update(alarms).where(alarms.c.name == name).values(detail=OVER))
