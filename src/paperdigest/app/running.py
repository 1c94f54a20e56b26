"""Runs written around what is done, so that others see that it is under way, how it ended, or that it did not."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from typing import Any

from paperdigest.config import Settings
from paperdigest.errors import StoreError
from paperdigest.logs import masked
from paperdigest.store import Store
from paperdigest.store.runs import FETCH, SEND, Run, Runs

__all__ = ["Interrupted", "Running", "due_since", "give_up_runs", "is_dead", "owner", "unless_stopped"]

_THIS_LIFE = secrets.token_hex(4)
_DAY = timedelta(days=1)


class Interrupted(Exception):  # noqa: N818  nothing is wrong
    """Somebody wished the program to end; what was finished is stored."""


class Running:
    """The runs of an open application."""

    def __init__(self, settings: Settings, store: Store, clock: Callable[[], datetime]) -> None:
        self._settings, self._clock = settings, clock
        self._runs = Runs(store.database)

    @contextmanager
    def recorded(self, kind: str, detail: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """Write a run down around a block; what the block puts into the yielded dict becomes the run's detail.

        Raises:
            StoreError: its beginning cannot be written down. That the end cannot is not said: the run counts as dead.
        """
        with self.ending(self._runs.begin(kind, owner=owner(), now=self._clock(), detail=detail)) as found:
            yield found

    def begin_fetch(self) -> Run | None:
        """Begin the fetch of the sources that are due, in the name of all daemons; None when none is.

        The run's ``sources`` names them; it is to be ended by `ending`.
        """
        now = self._clock()
        tables = [table for table in self._settings.sources if table.enabled]
        every = self._settings.run.fetch_at
        times = {table.name: every if table.fetch_at is None else table.fetch_at for table in tables}
        due = {name: since for name, at in times.items() if (since := due_since(at, now)) is not None}
        return self._runs.begin_fetch(due, owner=owner(), now=now, is_dead=is_dead)

    @contextmanager
    def ending(self, run: Run) -> Iterator[dict[str, Any]]:
        """Write down how a run that has begun ends (see `recorded`)."""
        detail: dict[str, Any] = {}
        try:
            yield detail
        except BaseException as error:
            how = {"error": masked(str(error))[:500] or type(error).__name__}
            if not isinstance(error, Exception) or isinstance(error, Interrupted):
                how = {"stopped": type(error).__name__}
            with contextlib.suppress(StoreError):
                self._runs.finish(run, now=self._clock(), detail=detail | how)
            raise
        with contextlib.suppress(StoreError):
            self._runs.finish(run, now=self._clock(), detail=detail)

    def broken_off(self, kind: str, now: datetime) -> str | None:
        """Say which runs since the last whole one did not come to their end; None when all is well."""
        dead = [run for run in self._runs.unfinished(kind) if _has_failed(run, now)]
        if dead:
            began = f"{dead[0].started_at:%Y-%m-%d %H:%MZ}"
            return f"the {kind} that began at {began} did not finish ({len(dead)} like it since the last good one)"
        newest = next((run for run in self._runs.latest(kind, limit=20) if run.finished_at is not None), None)
        if newest is not None and "error" in newest.detail:
            return f"the last {kind} was broken off: {newest.detail['error']}"
        return None

    def last(self, kind: str) -> Run | None:
        """Return the newest run of a kind that has ended."""
        return next((run for run in self._runs.latest(kind, limit=20) if run.finished_at is not None), None)


def due_since(fetch_at: Sequence[str], now: datetime) -> datetime | None:
    """Return the newest of the daily times (``HH:MM``, UTC) that is not in the future; None when there are none.

    Whatever was missed before it is the same fetch: a source is asked once after three days without power.
    """
    moments = [
        datetime.combine(now.date() - back, time.fromisoformat(text), now.tzinfo)
        for text in fetch_at
        for back in (timedelta(0), _DAY)
    ]
    return max((moment for moment in moments if moment <= now), default=None)


def owner() -> str:
    """Return the name of this process: machine, number, and something that a later process of that number has not."""
    return f"{socket.gethostname()}:{os.getpid()}:{_THIS_LIFE}"


def is_dead(name: str) -> bool:
    """Say whether the process that an `owner` names has surely ended; of another machine's nothing is known."""
    host, _, rest = name.rpartition(":")[0].rpartition(":")
    life = name.rpartition(":")[2]
    if host != socket.gethostname() or not rest.isdigit():
        return False
    if int(rest) == os.getpid():
        return life != _THIS_LIFE  # in a container every life has the number 1
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


_HOURS = timedelta(hours=1), timedelta(hours=12)


def _has_failed(run: Run, now: datetime) -> bool:
    """Say whether a run without an end has none to come, as far as one can tell."""
    if is_dead(run.owner):
        return True
    unseen, alive = _HOURS
    is_ours = run.owner.startswith(f"{socket.gethostname()}:")
    return now - run.started_at > (alive if is_ours else unseen)


def unless_stopped(wish: Callable[[], bool]) -> Callable[[object], None]:
    """Return a progress function that ends the work as soon as somebody wishes it."""

    def check(_done: object) -> None:
        if wish():
            raise Interrupted

    return check


def give_up_runs(settings: Settings, now: datetime) -> None:
    """Write down that this process leaves its runs unfinished, by wish; when that cannot be, they count as dead."""
    with contextlib.suppress(StoreError), contextlib.closing(Store.open(settings.store_url())) as store:
        runs = Runs(store.database)
        for kind in (FETCH, SEND):
            for run in runs.unfinished(kind):
                if run.owner == owner():
                    runs.finish(run, now=now, detail={"stopped": "left unfinished"})
