"""JSON Feed 1.0 and 1.1 (https://jsonfeed.org/version/1.1): wrong types are read as absent, never guessed."""

from __future__ import annotations

import json
from typing import Any

from paperdigest.errors import ParseError
from paperdigest.sources.feed.fields import MAX_ENTRIES, Markup, RawEntry, RawFeed

__all__ = ["read_json_feed"]


def read_json_feed(text: str, where: str) -> RawFeed:
    """Read a JSON Feed.

    Raises:
        ParseError: no JSON, nested too deep, or JSON that is not a feed; names the shape that was met.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ParseError(where, f"not readable as JSON: {error}") from error
    if not isinstance(document, dict):
        raise ParseError(where, f"JSON, but no feed: the top is a {type(document).__name__}, not an object")
    version, items = document.get("version"), document.get("items")
    if not isinstance(version, str) or "jsonfeed.org/version/" not in version or not isinstance(items, list):
        keys = ", ".join(sorted(str(key) for key in document)[:8])
        raise ParseError(where, f"JSON, but no JSON Feed: it needs version and items, and has {keys or 'nothing'}")
    entries = tuple(_entry(item) for item in items[:MAX_ENTRIES] if isinstance(item, dict))
    dropped = len(items) - len(entries)
    return RawFeed(
        title=_text(document, "title"),
        link=_text(document, "home_page_url"),
        entries=entries,
        dropped=dropped,
        note=f"{dropped:,} of {len(items):,} items were not read" if dropped else None,
    )


def _entry(item: dict[str, Any]) -> RawEntry:
    link = _text(item, "url") or _text(item, "external_url")
    title, summary = _text(item, "title"), _text(item, "summary")
    return RawEntry(
        guid=_id(item),
        link=link,
        title=Markup(title) if title else None,
        summary=Markup(summary) if summary else None,
        content=_content(item),
        authors=_authors(item),
        published=_text(item, "date_published"),
        updated=_text(item, "date_modified"),
        categories=tuple(tag.strip() for tag in _list(item, "tags") if isinstance(tag, str) and tag.strip()),
    )


def _content(item: dict[str, Any]) -> Markup | None:
    if text := _text(item, "content_text"):
        return Markup(text)
    if markup := _text(item, "content_html"):
        return Markup(markup, html=True)
    return None


def _authors(item: dict[str, Any]) -> tuple[str, ...]:
    """Read ``authors`` (1.1), else ``author`` (1.0)."""
    people = _list(item, "authors") or [item.get("author")]
    names = (_text(person, "name") for person in people if isinstance(person, dict))
    return tuple(filter(None, names))


def _id(item: dict[str, Any]) -> str | None:
    value = item.get("id")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(item, "id")


def _text(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value.strip() or None if isinstance(value, str) else None


def _list(fields: dict[str, Any], name: str) -> list[Any]:
    value = fields.get(name)
    return value if isinstance(value, list) else []
