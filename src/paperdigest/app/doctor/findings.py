"""What the doctor finds: one sentence of what is, one of what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Level", "fail", "good", "warn"]


class Level(StrEnum):
    """How bad it is: ``fail`` stops mail or loses it, ``warn`` is worth a look (or could not be asked)."""

    GOOD = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check's outcome. ``next_step`` is empty when there is nothing to do."""

    check: str
    level: Level
    what: str
    next_step: str = ""


def good(check: str, what: str) -> Finding:
    """Return that all is well."""
    return Finding(check=check, level=Level.GOOD, what=what)


def warn(check: str, what: str, next_step: str = "") -> Finding:
    """Return that something is worth a look."""
    return Finding(check=check, level=Level.WARN, what=what, next_step=next_step)


def fail(check: str, what: str, next_step: str) -> Finding:
    """Return that something does not work."""
    return Finding(check=check, level=Level.FAIL, what=what, next_step=next_step)
