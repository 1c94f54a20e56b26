"""The date forms of arXiv's formats; None for whatever is not one. English names, whatever the locale."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

from paperdigest.sources.dates import month_number

__all__ = ["from_iso", "from_mail", "from_words"]

_WORDS = re.compile(r"(\d{1,2}) ([A-Za-z]{3,9})\.? (\d{4})")


def from_iso(text: str | None) -> datetime | None:
    """Read ``2026-04-12T22:09:26Z``, with any offset, or a bare date (midnight UTC). Source: RFC 3339."""
    try:
        return _utc(datetime.fromisoformat((text or "").strip()))
    except (ValueError, OverflowError):
        return None


def from_mail(text: str | None) -> datetime | None:
    """Read ``Wed, 15 Mar 2023 18:34:08 GMT``, also with a year of two digits. Source: RFC 5322, 3.3 and 4.3."""
    try:
        return _utc(parsedate_to_datetime((text or "").strip()))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def from_words(text: str) -> date | None:
    """Find ``12 August 2026`` or ``3 Mar 2023`` in ``text``."""
    match = _WORDS.search(text)
    month = month_number(match[2]) if match else None
    if match is None or month is None:
        return None
    try:
        return date(int(match[3]), month, int(match[1]))
    except ValueError:
        return None


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
