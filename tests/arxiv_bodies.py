"""The hand-written arXiv bodies, and how the tests read one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from paperdigest.protocols import ParseContext
from paperdigest.sources.arxiv import ArxivSource
from paperdigest.types import Listing, Paper

DATA = Path(__file__).parent / "data" / "arxiv"
RETRIEVED_AT = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)

ENTRIES = {
    "api.xml": 3,
    "api_old_layout.xml": 1,
    "rss.xml": 4,
    "rss_weekend.xml": 0,
    "announce_atom.xml": 1,
    "list_new.html": 4,
    "oai_dc.xml": 1,
    "oai_arxiv.xml": 2,
    "oai_raw.xml": 2,
    "mail_daily.txt": 4,
    "mail_weekly.txt": 2,
}
"""Every good body with its number of entries."""


def body(name: str) -> bytes:
    return (DATA / name).read_bytes()


def context(name: str = "input", listed_on: date | None = None) -> ParseContext:
    return ParseContext(source="arxiv", retrieved_at=RETRIEVED_AT, name=name, listed_on=listed_on)


def read(content: bytes | str, *, listed_on: date | None = None, name: str = "input", **settings: object) -> Listing:
    content = content.encode() if isinstance(content, str) else content
    return ArxivSource("arxiv", settings).parse(content, context(name, listed_on))


def papers(listing: Listing) -> list[Paper]:
    return [entry.paper for entry in listing.entries]


def ids(listing: Listing) -> list[str]:
    return [entry.paper.id.local for entry in listing.entries]
