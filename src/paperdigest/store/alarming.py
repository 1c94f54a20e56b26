"""Alarms as rows, inside somebody else's transaction: raised with what caused them, and cleared with it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete
from sqlalchemy.dialects.sqlite import insert

from paperdigest.store.operation_tables import alarms

__all__ = ["clear_alarm", "raise_alarm"]


def raise_alarm(connection: Connection, name: str, detail: str, now: datetime) -> None:
    """Write down what the operator must know; when it is known already, only the detail is renewed."""
    statement = insert(alarms).values(name=name, raised_at=now, detail=detail)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"detail": detail}))


def clear_alarm(connection: Connection, name: str) -> None:
    """Take an alarm back: the trouble is over."""
    connection.execute(delete(alarms).where(alarms.c.name == name))
