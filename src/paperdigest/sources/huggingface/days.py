"""Which day is a body of? What was asked, what it proves itself, what its name says: in that order.

A saved API body carries no day of its own, but its items say when they were put on the daily list
(since spring 2025), and that day was the listing's in all 4,269 items that were measured.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

from paperdigest.errors import ParseError
from paperdigest.protocols import ParseContext
from paperdigest.sources.dates import days_in_name
from paperdigest.types import Period

__all__ = ["Span", "agreed_day", "choose_day", "span_from_text", "span_in_url"]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_WEEK = re.compile(r"(\d{4})-W(\d{1,2})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_OF_NO_DAY = (Period.TRENDING, Period.SEARCH)


@dataclass(frozen=True, slots=True)
class Span:
    """A period and the first day of it, None when that is not said."""

    period: Period
    starts_on: date | None = None


def span_from_text(text: str) -> Span | None:
    """Read ``2026-04-14``, ``2026-W16`` or ``2026-04``; None for anything else."""
    try:
        if _DAY.fullmatch(text[:10]) and text[10:11] in ("", "T"):
            return Span(Period.DAY, date.fromisoformat(text[:10]))
        if (week := _WEEK.fullmatch(text)) is not None:
            return Span(Period.WEEK, date.fromisocalendar(int(week[1]), int(week[2]), 1))
        if (month := _MONTH.fullmatch(text)) is not None:
            return Span(Period.MONTH, date(int(month[1]), int(month[2]), 1))
    except ValueError:  # 2026-02-30
        return None
    return None


def span_in_url(url: str) -> Span | None:
    """Return the span that a URL of the site or its API asks for; None for other names and no span."""
    try:
        parts = urlsplit(url)
        query = {key: values[-1].strip() for key, values in parse_qs(parts.query).items()}
    except ValueError:
        return None
    if parts.scheme not in ("http", "https"):
        return None
    path = parts.path.rstrip("/")
    if query.get("q"):
        return Span(Period.SEARCH)
    if path.endswith("/papers/trending") or query.get("sort") == "trending":
        return Span(Period.TRENDING)
    for key in ("date", "week", "month"):
        if key in query and (span := span_from_text(query[key])) is not None:
            return span
    return span_from_text(path.rsplit("/", 1)[-1])


def agreed_day(days: Sequence[date], size: int) -> date | None:
    """Return the day on which nine tenths of ``days`` agree when they speak for half of ``size`` items."""
    if not days or 2 * len(days) < size:
        return None
    day, votes = Counter(days).most_common(1)[0]
    return day if 10 * votes >= 9 * len(days) else None


def choose_day(context: ParseContext, proven: Span) -> date:
    """Return the listing's day: asked, else proven, else in the file's name, else that of retrieval.

    For a week it is the Monday, for a month the first.

    Raises:
        ParseError: the body proves another day than the one that was asked for.
    """
    asked = None if context.listed_on is None else _start(proven.period, context.listed_on)
    if asked and proven.starts_on and asked != proven.starts_on and proven.period not in _OF_NO_DAY:
        what = "the listing" if proven.period is Period.DAY else f"the {proven.period} listing"
        problem = f"asked for {context.listed_on}, but this is {what} of {proven.starts_on}"
        raise ParseError(context.name, problem, hint="the site leads to its newest listing when a day has none")
    found = asked or proven.starts_on or next(days_in_name(context.name), None) or context.retrieved_at.date()
    return _start(proven.period, found)


def _start(period: Period, day: date) -> date:
    if period is Period.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period is Period.MONTH else day
