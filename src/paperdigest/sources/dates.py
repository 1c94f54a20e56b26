"""What several sources know of dates: English month names, and the days that a file's name says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

__all__ = ["days_in_name", "month_number"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)(-?)(\d\d)\2(\d\d)(?!\d)", re.ASCII)


def month_number(name: str) -> int | None:
    """Return 1 to 12 for an English month name by its first three letters, in any case; None for another word."""
    short = name[:3].lower()
    return _MONTHS.index(short) + 1 if short in _MONTHS else None


def days_in_name(name: str, *, joined: bool = False) -> Iterator[date]:
    """Yield the days from 1900 to 2099 that are written ``YYYY-MM-DD`` in the last segment of a path or URL.

    Args:
        name: of the file, with its folders, or an address; folders say nothing of what was saved.
        joined: also read ``YYYYMMDD``, which elsewhere may be a number.
    """
    for match in _DAY.finditer(name.replace("\\", "/").rpartition("/")[2]):
        if match[2] or joined:
            try:
                yield date(int(match[1]), int(match[3]), int(match[4]))
            except ValueError:  # 2026-02-30
                continue
