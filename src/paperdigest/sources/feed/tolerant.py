"""The tolerant reader: feedparser over armoured text, for every feed that the quick walk does not take."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast
from xml.sax import SAXException

import feedparser

from paperdigest.errors import ParseError
from paperdigest.sources.feed.armour import armour
from paperdigest.sources.feed.fields import Markup, RawEntry, RawFeed
from paperdigest.sources.feed.links import LinkChoice, is_web
from paperdigest.sources.feed.markup import looks_like_html

__all__ = ["read_tolerant"]

_ESCAPING = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    RecursionError,
    SAXException,
)
_PROLOG = b"<?xml version='1.0' encoding='utf-8'?>\n"


def read_tolerant(text: str, where: str) -> RawFeed:
    """Read a feed that may be broken; links are resolved against ``xml:base`` only.

    Nothing is fetched: feedparser gets bytes. Its sanitiser is off because only text is kept of what it reads.

    Raises:
        ParseError: nested too deep, or too broken for any reader.
    """
    safe = armour(text, where)
    body = _PROLOG + safe.text.encode("utf-8", "replace")
    headers = {"content-type": "application/xml; charset=utf-8"}
    with _gives_up(where):
        parsed = feedparser.parse(
            io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
        feed = cast("Mapping[str, Any]", parsed["feed"])
        entries = tuple(_entry(entry) for entry in parsed["entries"])
        return _raw_feed(feed, entries, safe.opened + safe.cut_off, safe.notes)


@contextmanager
def _gives_up(where: str) -> Iterator[None]:
    """Translate what feedparser lets escape when its own assumptions about the text do not hold."""
    try:
        yield
    except _ESCAPING as error:
        problem = f"too broken to be read as a feed ({type(error).__name__}: {error})"
        raise ParseError(where, problem[:300]) from error


def _raw_feed(feed: Mapping[str, Any], entries: tuple[RawEntry, ...], stood: int, notes: tuple[str, ...]) -> RawFeed:
    missing = max(0, stood - len(entries))
    if missing and not notes:
        notes = (f"{missing} of {stood} entries could not be read",)
    return RawFeed(
        title=_str(feed, "title"), link=_str(feed, "link"), entries=entries, dropped=missing,
        note="; ".join(notes) or None,
    )  # fmt: skip


def _entry(entry: Mapping[str, Any]) -> RawEntry:
    guid = _str(entry, "id")
    return RawEntry(
        guid=guid,
        link=_link(entry),
        title=_detailed(entry, "title"),
        summary=_detailed(entry, "summary"),
        content=_content(entry),
        authors=_authors(entry),
        published=_str(entry, "published") or _str(entry, "created"),
        updated=_str(entry, "updated"),
        identifiers=tuple(filter(None, (_str(entry, "prism_doi"), _str(entry, "dc_identifier")))),
        categories=_categories(entry),
    )


def _str(fields: Mapping[str, Any], name: str) -> str | None:
    """Read one field past feedparser's aliases, some of which warn that they will go."""
    value = dict.get(cast("dict[str, Any]", fields), name)
    return value.strip() or None if isinstance(value, str) else None


def _list(fields: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = dict.get(cast("dict[str, Any]", fields), name)
    return value if isinstance(value, list) else []


def _detailed(entry: Mapping[str, Any], name: str) -> Markup | None:
    value = _str(entry, name)
    if value is None:
        return None
    detail = dict.get(cast("dict[str, Any]", entry), f"{name}_detail")
    if not isinstance(detail, dict):
        content = _content(entry)
        return content if content and content.value.strip() == value else Markup(value, html=looks_like_html(value))
    return Markup(value, html=_is_html(detail))


def _content(entry: Mapping[str, Any]) -> Markup | None:
    for content in _list(entry, "content"):
        if value := _str(content, "value"):
            return Markup(value, html=_is_html(content))
    return None


def _is_html(detail: Mapping[str, Any]) -> bool:
    return _str(detail, "type") in ("text/html", "application/xhtml+xml")


def _link(entry: Mapping[str, Any]) -> str | None:
    link = _str(entry, "link")
    # Without a link element, what feedparser calls the link is the guid.
    if link and (_list(entry, "links") or is_web(link)):
        return link
    choice = LinkChoice()
    for link_fields in _list(entry, "links"):
        if href := _str(link_fields, "href"):
            choice.offer(href, _str(link_fields, "rel"), _str(link_fields, "type"), base=lambda: None)
    return choice.best


def _authors(entry: Mapping[str, Any]) -> tuple[str, ...]:
    names = tuple(filter(None, (_str(author, "name") for author in _list(entry, "authors"))))
    return names or tuple(filter(None, (_str(entry, "author"),)))


def _categories(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, (_str(tag, "term") for tag in _list(entry, "tags")))))
