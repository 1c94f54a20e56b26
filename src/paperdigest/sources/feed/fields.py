"""What every reader of a feed hands on: the fields as the feed wrote them, not yet judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["MAX_ENTRIES", "Markup", "RawEntry", "RawFeed"]

MAX_ENTRIES = 10_000
"""Entries read from one feed; those after it are left out and said so."""


class Markup(NamedTuple):
    """A text field: ``html`` says whether tags and entities in ``value`` mean something."""

    value: str
    html: bool = False


class RawEntry(NamedTuple):
    """One item or entry. Absent and empty fields are None; dates and authors are the feed's own words.

    ``link`` is resolved against ``xml:base``; it may still be relative when the feed gives no base.
    ``identifiers`` are the values of ``prism:doi`` and ``dc:identifier``.
    """

    guid: str | None = None
    link: str | None = None
    title: Markup | None = None
    summary: Markup | None = None
    content: Markup | None = None
    authors: tuple[str, ...] = ()
    published: str | None = None
    updated: str | None = None
    identifiers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFeed:
    """A feed as read: ``note`` says in words what is missing from it, None when nothing is.

    ``dropped`` counts entries that stood in the feed, whole or cut off, and were not read.
    """

    title: str | None = None
    link: str | None = None
    entries: tuple[RawEntry, ...] = ()
    dropped: int = 0
    note: str | None = None
