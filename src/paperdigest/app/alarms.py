"""What the operator must know: looked for in the database, after every run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta

from paperdigest.app import plugging
from paperdigest.app.running import Running
from paperdigest.app.source_health import trouble_of
from paperdigest.config import Settings
from paperdigest.errors import ConfigError, PluginError
from paperdigest.store import Store
from paperdigest.store.bounces import REFUSED
from paperdigest.store.operating import Operating
from paperdigest.store.pauses import MAIL, Pauses
from paperdigest.store.runs import FETCH, SEND
from paperdigest.store.storms import ALARM as BOUNCE_STORM

__all__ = ["DEFECT", "MAIL", "NAMES", "knows", "troubles"]

DEFECT = "defect"
"""The alarm that a defect of our own has stopped a run; raised where it is caught."""

_DAY = timedelta(days=1)
_UNREACHED_FOR = timedelta(hours=1)
_LOOK_BACK = timedelta(days=60)
_LEAST_FREE_BYTES = 200_000_000

_SOURCE, _RUNS = "source ", (f"run {FETCH}", f"run {SEND}")
_GIVEN_UP, _PLANNING, _IN_DOUBT, _DISK = "given up", "planning", "in doubt", "disk"
_HERE = frozenset((*_RUNS, MAIL, DEFECT, _GIVEN_UP, _PLANNING, _IN_DOUBT, _DISK))

NAMES = (f"{_SOURCE}NAME", *_RUNS, _PLANNING, MAIL, REFUSED, _GIVEN_UP, _IN_DOUBT, BOUNCE_STORM, _DISK, DEFECT)
"""Every alarm there is; those of refusals and bounce storms are raised with the reports that cause them."""


def knows(name: str) -> bool:
    """Say whether an alarm of that name is raised and taken back here; a bounce storm's, for one, is not."""
    return name in _HERE or name.startswith(_SOURCE)


def troubles(settings: Settings, store: Store, running: Running, now: datetime) -> dict[str, str]:
    """Return what is wrong, in words, by the name of its alarm.

    Raises:
        StoreError: the database cannot be asked.
    """
    return dict((*_sources(settings, store, now), *_runs(running, now), *_mail(settings, store, now), *_disk(store)))


def _sources(settings: Settings, store: Store, now: datetime) -> Iterator[tuple[str, str]]:
    for table in settings.sources:
        if not table.enabled:
            continue
        try:
            source = plugging.make_source(table.name, table.kind, table.own)
        except (ConfigError, PluginError) as error:
            yield f"{_SOURCE}{table.name}", str(error)
            continue
        listings = store.listings(table.name, since=(now - _LOOK_BACK).date())
        why = trouble_of(table.name, listings, source.announces_on, settings.alarms.stale_days, now)
        if why is not None:
            yield f"{_SOURCE}{table.name}", f"{table.name} {why}"


def _runs(running: Running, now: datetime) -> Iterator[tuple[str, str]]:
    for kind in (FETCH, SEND):
        if (why := running.broken_off(kind, now)) is not None:
            yield f"run {kind}", why
    last = running.last(SEND)
    if last is not None and last.detail.get("alarm"):
        yield _PLANNING, str(last.detail["alarm"])


def _mail(settings: Settings, store: Store, now: datetime) -> Iterator[tuple[str, str]]:
    operating = Operating(store.database)
    if (refused := Pauses(store.database).last()) is not None:  # stands until a mail is taken again
        told = f"nothing is sent before {refused.until_at:%Y-%m-%d %H:%MZ}"
        told = told if now < refused.until_at else f"nothing has been taken since {refused.since_at:%Y-%m-%d %H:%MZ}"
        yield MAIL, f"{told}: {refused.reason}"
    elif (unreached := operating.unreached()) is not None and now - unreached[0] > _UNREACHED_FOR:
        yield MAIL, f"mail has waited since {unreached[0]:%Y-%m-%d %H:%MZ}: {unreached[1]}"
    if late := operating.given_up(now - _DAY):
        yield _GIVEN_UP, f"{late} digests could not be delivered in time; their papers come with the next ones"
    if undecided := operating.undecided(now):
        held = "as mail.on_in_doubt wishes" if settings.mail.on_in_doubt == "hold" else "they were in doubt too often"
        what = "1 delivery" if undecided == 1 else f"{undecided} deliveries"
        yield (
            _IN_DOUBT,
            f"{what} may or may not have arrived; it is yours to decide, {held}: paperdigest outbox doubt",
        )


def _disk(store: Store) -> Iterator[tuple[str, str]]:
    free = shutil.disk_usage(store.path.parent).free
    if free < _LEAST_FREE_BYTES:
        yield _DISK, f"only {free / 1e6:.0f} MB are free for {store.path}: without room nothing is fetched or sent"
