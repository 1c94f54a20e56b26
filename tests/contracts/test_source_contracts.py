"""Every source of ours keeps the contract that plug-in authors can run."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

from paperdigest.protocols import Source
from paperdigest.sources.arxiv import ArxivSource
from paperdigest.sources.feed import FeedSource
from paperdigest.sources.huggingface import HuggingFaceSource
from paperdigest.sources.text_dump import TextDumpSource
from paperdigest.testing.contract import SourceContract

DATA = Path(__file__).resolve().parents[1] / "data"
HTML = b"<!DOCTYPE html><html><head><title>Log in</title></head><body>Please log in.</body></html>"
PLAIN = b"Dear all,\n\nthere are no papers today.\n"


def bodies(folder: str, **counts: int) -> tuple[tuple[bytes, int], ...]:
    """The files of a folder (``name__suffix=entries``) with the number of their entries."""
    return tuple(((DATA / folder / name.replace("__", ".")).read_bytes(), count) for name, count in counts.items())


def item(number: int, **more: object) -> dict[str, object]:
    """One paper as the Daily Papers API gives it."""
    paper = {
        "id": f"2604.0000{number}",
        "title": f"Tracing number {number}\n  in $O(n^2)$",
        "summary": "We follow what happened,\nstep by step.",
        "authors": [
            {"_id": "a", "name": "Ada Lovelace", "hidden": False},
            {"_id": "b", "name": "N. N.", "hidden": True},
        ],
        "publishedAt": "2026-04-12T21:30:00.000Z",
        "submittedOnDailyAt": "2026-04-14T01:00:00.000Z",
        "upvotes": number,
        **more,
    }
    return {"paper": paper, "publishedAt": "2026-04-12T17:30:00.000Z", "title": paper["title"], "numComments": 0}


PROPS = {"dailyPapers": [item(1), item(2)], "dateString": "2026-04-14", "periodType": "day"}
PAGE = f'<html><body><div data-target="DailyPapers" data-props="{escape(json.dumps(PROPS))}"></div></body></html>'


class TestTextDumpKeepsTheContract(SourceContract):
    good = bodies("text_dump", page__txt=4)
    bad = (b"", HTML, PLAIN, b'{"dailyPapers": []}', b"Daily Papers\n\nApr 14\n\nA title alone\n")

    def make(self) -> Source:
        return TextDumpSource("copied", {})


class TestHuggingFaceKeepsTheContract(SourceContract):
    good = ((json.dumps([item(1), item(2), item(3)]).encode(), 3), (PAGE.encode(), 2))
    bad = (HTML, PLAIN, b"null", b"[\"{'paper': {}}\"]", b'{"error": "no such day"}')

    def make(self) -> Source:
        return HuggingFaceSource("daily", {})


class TestArxivKeepsTheContract(SourceContract):
    good = bodies(
        "arxiv", api__xml=3, rss__xml=4, announce_atom__xml=1, list_new__html=4, mail_daily__txt=4, oai_arxiv__xml=2,
        rss_weekend__xml=0,
    )  # fmt: skip
    bad = (*(body for body, _ in bodies("arxiv", api_error__xml=0, rss_error__xml=0)), b"", HTML, PLAIN)

    def make(self) -> Source:
        return ArxivSource("arxiv", {"category": "cs.SE"})


class TestFeedKeepsTheContract(SourceContract):
    good = bodies("feed", atom10__xml=2, rss091__xml=1, rss10__xml=1, rss20__xml=3, feed__json=2)
    bad = (HTML, PLAIN, b"null", b"<opml version='2.0'><body/></opml>")

    def make(self) -> Source:
        return FeedSource("journal", {"url": "https://example.org/feed.xml"})
