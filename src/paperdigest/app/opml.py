"""Feed sources as OPML, and OPML as settings."""

from __future__ import annotations

import json
import re

from paperdigest.config import Settings
from paperdigest.sources.opml import Outline, read_opml, write_opml

__all__ = ["opml_of", "tables_of_opml"]


def opml_of(settings: Settings) -> bytes:
    """Return the configured feeds as OPML."""
    feeds = [table for table in settings.sources if table.kind == "feed" and isinstance(table.own.get("url"), str)]
    return write_opml([Outline(title=feed.own.get("title") or feed.name, url=feed.own["url"]) for feed in feeds])


def tables_of_opml(name: str, body: bytes) -> str:
    """Return the feeds of an OPML file as ``[[sources]]`` tables with different names.

    Raises:
        ParseError: it is no list of feeds.
    """
    taken: set[str] = set()
    tables = []
    for outline in read_opml(body, name):
        if outline.kind != "feed":
            continue
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", outline.title or outline.url.partition("://")[2]).strip("-._")[:48]
        stem = stem or "feed"
        unique = stem
        number = 2
        while unique in taken:
            unique, number = f"{stem}-{number}", number + 1
        taken.add(unique)
        # A JSON string is a TOML basic string.
        tables.append(f'[[sources]]\nname = "{unique}"\nkind = "feed"\nurl = {json.dumps(outline.url)}\n')
    return "\n".join(tables)
