"""What the doctor says of the sources, to somebody who has not read anything about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from paperdigest.app import plugging
from paperdigest.app.doctor.findings import Finding, fail, good, warn
from paperdigest.app.source_health import last_answer, last_attempt, reason, trouble_of
from paperdigest.config import Settings
from paperdigest.errors import ConfigError, PluginError
from paperdigest.store import Store, StoredListing
from paperdigest.types import ListingState

__all__ = ["check_sources"]

_LOOK_BACK = timedelta(days=60)
_REGULARLY = timedelta(days=1)
_FETCH = "Run `paperdigest fetch`; as a rule cron or `paperdigest run` does so: is it at work?"


def check_sources(settings: Settings, store: Store, now: datetime) -> Iterator[Finding]:
    """Check when each source was last read, and whether it gives what it should."""
    enabled = [table for table in settings.sources if table.enabled]
    if not enabled:
        yield warn("sources", "none is enabled: no papers will come", "Add a [[sources]] table to config.toml")
    for table in enabled:
        check = f"source {table.name}"
        try:
            source = plugging.make_source(table.name, table.kind, table.own)
        except (ConfigError, PluginError) as error:
            yield fail(check, str(error), "Correct its [[sources]] table in config.toml")
            continue
        listings = store.listings(table.name, since=(now - _LOOK_BACK).date())
        if not listings:
            yield _of_nothing_new(check, table.name, store.listings(table.name))
        elif why := trouble_of(table.name, listings, source.announces_on, settings.alarms.stale_days, now):
            is_asked = now - last_attempt(listings).attempted_at < _REGULARLY
            yield fail(check, why, _ask(table.name) if is_asked else _FETCH)
        else:
            yield _of_today(check, table.name, listings)


def _of_nothing_new(check: str, name: str, listings: Sequence[StoredListing]) -> Finding:
    """Say that a source was never read, or, as after a trial with a listing from a file, only for days long past."""
    what = f"its newest listing is that of {listings[-1].listed_on}" if listings else "has not been read yet"
    return warn(check, f"{what}, so there is nothing new to rank", f"paperdigest fetch {name}")


def _ask(name: str) -> str:
    return f"`paperdigest sources check {name}` asks it now; is its address in config.toml right, and the network up?"


def _of_today(check: str, name: str, listings: Sequence[StoredListing]) -> Finding:
    """Say how a source stands that has no trouble, or none for long."""
    latest, answered = last_attempt(listings), last_answer(listings)
    why = f" ({found})" if (found := reason(latest, name)) else ""
    if latest.state is ListingState.FAILED:
        before = f"; it was read on {answered:%Y-%m-%d %H:%M} UTC" if answered else ""
        what = f"could not be read on {latest.attempted_at:%Y-%m-%d %H:%M} UTC{why}{before}"
        return warn(check, what, f"The next fetch tries again; {_ask(name)}")
    if latest.state is ListingState.PARTIAL:
        what = f"its listing of {latest.listed_on} could only be read in part{why}: {_papers(latest.entries)} so far"
        return warn(check, what, "Nothing for now: the next fetch asks for the rest")
    if latest.state is ListingState.STALE:
        what = f"has given nothing new on {latest.listed_on}{why}"
        return warn(check, what, "Nothing for now: it may be late, and the next fetch asks again")
    got = "nothing was announced" if latest.state is ListingState.QUIET else _papers(latest.entries)
    return good(check, f"read on {latest.retrieved_at:%Y-%m-%d %H:%M} UTC; of {latest.listed_on}: {got}")


def _papers(count: int) -> str:
    return "one paper" if count == 1 else f"{count} papers"
