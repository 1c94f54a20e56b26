"""When a server wants to be asked again: Retry-After and RateLimit, as moments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

__all__ = ["LONGEST_WAIT", "not_before"]

LONGEST_WAIT = timedelta(days=7)
"""No server silences a source for longer, by mistake or by malice."""

_DEFAULT_429 = timedelta(minutes=5)  # the longest window of the services we know
_SECONDS = re.compile(r"\d+\Z", re.ASCII)
_PARAMETER = re.compile(r";\s*([rt])\s*=\s*(\d{1,18})(?=\s*(?:[;,]|\Z))", re.ASCII)


def not_before(status: int, headers: Mapping[str, str], now: datetime) -> datetime | None:
    """Return the moment before which the server asked not to be bothered, None when it did not.

    ``Retry-After`` counts, in seconds or as a date, on every reply but a success (RFC 9110, 10.2.3).
    ``RateLimit: "name";r=0;t=SECONDS`` counts on every reply: a window is used up until it is reset
    (draft-ietf-httpapi-ratelimit-headers-10); on a 429 also without ``r=0``. The later of the two holds,
    at most `LONGEST_WAIT`. A 429 that says nothing means five minutes; a 503 that says nothing may be
    one page's trouble and puts nobody else off. What cannot be read counts as not said.
    """
    waits = [_rate_limit(headers.get("ratelimit", ""), status)]
    if not 200 <= status < 300 and status != 304:
        waits.append(_retry_after(headers.get("retry-after", "").strip(), now))
    known = [wait for wait in waits if wait is not None]
    if status == 429 and not known:
        return now + _DEFAULT_429
    wait = max(known, default=timedelta(0))
    return now + min(wait, LONGEST_WAIT) if wait > timedelta(0) else None


def _retry_after(value: str, now: datetime) -> timedelta | None:
    if _SECONDS.match(value):
        return _seconds(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):  # what the parser raises on nonsense
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now


def _rate_limit(value: str, status: int) -> timedelta | None:
    """Read a list of windows; the longest of those that are used up."""
    waits = []
    for member in value[:1000].split(","):
        parameters = dict(_PARAMETER.findall(member))
        used_up = status == 429 if "r" not in parameters else int(parameters["r"]) == 0
        if "t" in parameters and (used_up or status == 429):
            waits.append(_seconds(parameters["t"]))
    return max(waits, default=None)


def _seconds(digits: str) -> timedelta:
    return timedelta(seconds=int(digits)) if len(digits) <= 8 else LONGEST_WAIT
