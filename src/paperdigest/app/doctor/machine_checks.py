"""What the doctor looks at on this machine: settings, clock, disk, database."""

from __future__ import annotations

import platform
import shutil
import stat
import zoneinfo
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from paperdigest.app.doctor.findings import Finding, fail, good, warn
from paperdigest.errors import StoreError
from paperdigest.store import Store
from paperdigest.store.operating import Operating
from paperdigest.store.pauses import Pauses

__all__ = [
    "check_database",
    "check_disk",
    "check_key_file",
    "check_mails",
    "check_python",
    "check_skew",
    "check_zones",
]

_LOW_BYTES, _VERY_LOW_BYTES = 1_000_000_000, 100_000_000
_SKEW = timedelta(minutes=2)
_SEE_OUTBOX = "Mend what it names; `paperdigest outbox` says what waits"


def check_python() -> Iterator[Finding]:
    """Name the Python; the mail writer is our own, so that holes in the library's (CVE-2024-6923) do not matter."""
    yield good("Python", f"{platform.python_version()}; headers are written by paperdigest itself")


def check_zones() -> Iterator[Finding]:
    """Check that there is data on time zones."""
    try:
        count = len(zoneinfo.available_timezones())
        zoneinfo.ZoneInfo("Europe/Berlin")
    except (zoneinfo.ZoneInfoNotFoundError, OSError) as error:
        yield fail("time zones", f"no data: {error}", "Install the package tzdata")
        return
    yield good("time zones", f"{count} known")


def check_skew(now: datetime, told: datetime | None, who: str) -> Iterator[Finding]:
    """Compare our clock with somebody else's; ``told`` None: nobody could be asked."""
    if told is None:
        yield warn("clock", "nobody could be asked for the time", "")
    elif abs(now - told) > _SKEW:
        yield fail("clock", f"{abs(now - told)} off from {who}", "Set the clock: digests leave by it")
    else:
        yield good("clock", f"agrees with {who}")


def check_disk(path: Path) -> Iterator[Finding]:
    """Check that there is room where the database is."""
    free = shutil.disk_usage(path.parent).free
    what = f"{free / 1e9:.1f} GB free for {path}"
    if free < _VERY_LOW_BYTES:
        yield fail("disk", what, "Free some space: without it nothing is fetched or sent")
    elif free < _LOW_BYTES:
        yield warn("disk", what, "Free some space")
    else:
        yield good("disk", what)


def check_key_file(path: Path) -> Iterator[Finding]:
    """Check that the key that signs links is its owner's alone."""
    if not path.exists():
        yield warn("secret key", f"{path} is not there yet", "`paperdigest init` makes one")
    elif stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield fail("secret key", f"{path} may be read by others", f"chmod 600 {path}")
    else:
        yield good("secret key", f"{path} is its owner's alone")


def check_database(store: Store) -> Iterator[Finding]:
    """Check the database as `db check` does."""
    try:
        problems = store.check()
    except StoreError as error:
        yield fail("database", str(error), "Restore a backup")
        return
    for problem in problems[:5]:
        yield fail("database", problem, "See `paperdigest db check`; restore a backup if the file is damaged")
    if not problems:
        yield good("database", f"{store.path} is sound")


def check_mails(store: Store, now: datetime) -> Iterator[Finding]:
    """Check what the ledger says: a pause of all sending, mails in doubt, mails given up."""
    operating, pause = Operating(store.database), Pauses(store.database).last()
    if pause is not None:
        yield fail(
            "mails", f"nothing has been taken since {pause.since_at:%Y-%m-%d %H:%MZ}: {pause.reason}", _SEE_OUTBOX
        )
    elif (unreached := operating.unreached()) is not None:
        yield fail("mails", f"some have waited since {unreached[0]:%Y-%m-%d %H:%MZ}: {unreached[1]}", _SEE_OUTBOX)
    if late := operating.given_up(now - timedelta(days=1)):
        yield warn("mails", f"{late} were given up on the last day", "See `paperdigest outbox`")
    if doubtful := operating.undecided(now):
        yield warn("mails", f"{doubtful} are in doubt and wait for you", "See `paperdigest outbox doubt`")
