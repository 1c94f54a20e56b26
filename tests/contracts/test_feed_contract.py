"""The feed source keeps the contract that plug-in authors can run."""

from __future__ import annotations

from pathlib import Path

from paperdigest.protocols import Source
from paperdigest.sources.feed import FeedSource
from paperdigest.testing.contract import SourceContract

DATA = Path(__file__).resolve().parents[1] / "data" / "feed"


class TestFeedKeepsTheContract(SourceContract):
    good = (
        ((DATA / "rss20.xml").read_bytes(), 3),
        ((DATA / "rss10.xml").read_bytes(), 1),
        ((DATA / "rss091.xml").read_bytes(), 1),
        ((DATA / "atom10.xml").read_bytes(), 2),
        ((DATA / "feed.json").read_bytes(), 2),
        ((DATA / "broken.xml").read_bytes(), 2),
    )
    bad = (
        b"",
        b"<!DOCTYPE html><html><body>Sign in</body></html>",
        b'{"dailyPapers": []}',
        b"\x1f\x8b\x08\x00",
        b"Dear all",
        b"<opml version='2.0'><body/></opml>",
    )

    def make(self) -> Source:
        return FeedSource("journal", {"url": "https://journal.example.org/feed"})
