"""What ran when, and how it ended: how a fetch is done once by many, and how an operator learns of one that died."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from paperdigest.store.engine import Database
from paperdigest.store.operation_tables import runs

__all__ = ["FETCH", "SEND", "Run", "Runs"]

FETCH, SEND = "fetch", "send"

KEPT = timedelta(days=30)
"""Runs older than that are forgotten."""

RETRY_AFTER = timedelta(minutes=10)
"""A fetch that died or was broken off by an error is due again after this: not at once, it may die of the same."""

IsDead = Callable[[str], bool]
"""Says of an owner whether it has surely ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run. ``finished_at`` None: still at it, or dead.

    ``detail`` is the report; ``sources`` in it are those that a fetch asks, ``error`` says what broke it off,
    ``stopped`` that somebody wished it to end.
    """

    id: int
    kind: str
    owner: str
    started_at: datetime
    finished_at: datetime | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Say whether it came to its own end."""
        return self.finished_at is not None and not self.detail.keys() & {"error", "stopped"}


class Runs:
    """The runs of one database. Every method may raise StoreError; ``now`` is aware UTC."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, kind: str, *, owner: str, now: datetime, detail: Mapping[str, Any] | None = None) -> Run:
        """Write down that a run begins."""
        with self._database.writing() as connection:
            return _begin(connection, kind, owner, now, detail or {})

    def begin_fetch(self, due: Mapping[str, datetime], *, owner: str, now: datetime, is_dead: IsDead) -> Run | None:
        """Begin the fetch of those sources that nobody has fetched, or is fetching, since they were due.

        The question and its answer are one transaction: of any number of daemons one fetches.

        Args:
            due: by source, since when it is due.
            owner: names this process.
            now: the moment. Runs that began later are those of a clock that was wrong, and count for nothing.
            is_dead: whether whoever began a run that has no end is gone.

        Returns:
            The run, with ``sources`` in its detail; None when there is nothing to fetch.
        """
        if not due:
            return None
        with self._database.writing() as connection:
            begun = (runs.c.started_at >= min(due.values()), runs.c.started_at <= now)
            rows = connection.execute(select(runs).where(runs.c.kind == FETCH, *begun)).all()
            counting = [run for run in map(_run, rows) if _counts(run, now, is_dead)]
            wanted = [
                name
                for name, since in due.items()
                if not any(run.started_at >= since and name in run.detail.get("sources", ()) for run in counting)
            ]
            if not wanted:
                return None
            connection.execute(delete(runs).where(runs.c.started_at < now - KEPT))
            return _begin(connection, FETCH, owner, now, {"sources": wanted})

    def finish(self, run: Run, *, now: datetime, detail: Mapping[str, Any]) -> None:
        """Write down that a run has ended, and how."""
        values = {"finished_at": max(now, run.started_at), "detail": json.dumps({**run.detail, **detail})}
        with self._database.writing() as connection:
            connection.execute(update(runs).where(runs.c.id == run.id).values(**values))

    def latest(self, kind: str, limit: int = 1) -> tuple[Run, ...]:
        """Return the runs of a kind that began last, the newest first."""
        newest = select(runs).where(runs.c.kind == kind).order_by(runs.c.started_at.desc(), runs.c.id.desc())
        with self._database.reading() as connection:
            return tuple(map(_run, connection.execute(newest.limit(limit)).all()))

    def unfinished(self, kind: str) -> tuple[Run, ...]:
        """Return the runs without an end since the last one that came to its own; the newest first."""
        found = []
        for run in self.latest(kind, limit=200):
            if run.is_whole:
                break
            if run.finished_at is None:
                found.append(run)
        return tuple(found)


def _counts(run: Run, now: datetime, is_dead: IsDead) -> bool:
    """Say whether what a run was to fetch need not be fetched again yet."""
    if run.detail.get("stopped"):
        return False
    if run.is_whole or now - run.started_at < RETRY_AFTER:
        return True
    return run.finished_at is None and not is_dead(run.owner)


def _begin(connection: Connection, kind: str, owner: str, now: datetime, detail: Mapping[str, Any]) -> Run:
    values = {"kind": kind, "owner": owner, "started_at": now, "detail": json.dumps(dict(detail))}
    number = connection.execute(insert(runs).values(**values).returning(runs.c.id)).scalar_one()
    return Run(id=number, kind=kind, owner=owner, started_at=now, detail=dict(detail))


def _run(row: Row[Any]) -> Run:
    return Run(
        id=row.id,
        kind=row.kind,
        owner=row.owner,
        started_at=row.started_at,
        finished_at=row.finished_at,
        detail=json.loads(row.detail) if row.detail else {},
    )
