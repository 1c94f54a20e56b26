"""The page that ``paperdigest demo`` reads: what it must hold, and what it must not."""

from __future__ import annotations

import json
import re
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from paperdigest.types import Entry, Listing, ListingState, Period
from tests.huggingface_bodies import parse

FORM_OF_TRACE = re.compile(r"\b\w*trac(?:e|ing)\w*", re.IGNORECASE)
PAGE = files("paperdigest") / "sample" / "daily-papers.html"


@pytest.fixture(scope="module")
def listing() -> Listing:
    return parse(PAGE.read_bytes(), name="daily-papers.html")


def text_of(entry: Entry) -> str:
    return f"{entry.paper.title} {entry.paper.abstract}"


def runs(text: str, length: int = 8) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}


def test_the_sample_is_a_complete_day_of_forty_six_papers(listing: Listing) -> None:
    assert (len(listing.entries), listing.state, listing.dropped) == (46, ListingState.COMPLETE, 0)
    assert (listing.listed_on, listing.period) == (date(2026, 4, 14), Period.DAY)
    assert all(entry.paper.abstract and entry.paper.authors for entry in listing.entries)


def test_its_cards_show_the_same_papers_as_its_data(listing: Listing) -> None:
    stripped = re.sub(rb'data-target="DailyPapers" data-props="[^"]*"', b"", PAGE.read_bytes())
    shown = parse(stripped, name="daily-papers.html")

    def visible(entry: Entry) -> tuple[object, ...]:
        paper = entry.paper
        return paper.id, paper.title, paper.authors_count, paper.published_at and paper.published_at.date()

    linked = [entry for entry in listing.entries if entry.paper.id.scheme == "arxiv"]
    assert [visible(entry) for entry in shown.entries] == [visible(entry) for entry in linked]
    assert [entry.upvotes for entry in shown.entries] == [entry.upvotes for entry in linked]
    assert [entry.comments or 0 for entry in shown.entries] == [entry.comments or 0 for entry in linked]


def test_it_holds_tex_that_becomes_readable(listing: Listing) -> None:
    sources = [entry.paper.abstract_source or "" for entry in listing.entries]
    assert any(r"$\mathcal{O}(n^2)$" in source for source in sources)
    assert not any("$" in (entry.paper.abstract or "") for entry in listing.entries)


def test_it_holds_nothing_about_submitters_and_nothing_machine_written() -> None:
    text = PAGE.read_text()
    assert not re.search(r"submittedBy|submittedOnDailyBy|avatar|ai_summary|ai_keywords|\w@\w+\.\w", text)


def test_the_seeds_sixteen_papers_are_there_with_their_counts(listing: Listing, shared: Path) -> None:
    expected = json.loads((shared / "data" / "seed-trace" / "expected.json").read_text())["papers"]
    entries = {entry.paper.title_source or entry.paper.title: entry for entry in listing.entries}
    sixteen = [entries[paper["title"]] for paper in expected]
    for paper, entry in zip(expected, sixteen, strict=True):
        published_at = entry.paper.published_at
        assert entry.comments == paper["comments"]
        assert (published_at.date().isoformat() if published_at else None) == paper["date"]
        if paper["authors_count"] is not None:
            assert entry.paper.authors_count == paper["authors_count"]
    assert sum(bool(FORM_OF_TRACE.search(text_of(entry))) for entry in sixteen) == 13


def test_two_papers_speak_of_software_traceability(listing: Listing) -> None:
    found = [entry.paper.title for entry in listing.entries if "software traceability" in text_of(entry).lower()]
    assert sorted(found) == [
        "Enhancing Automated Software Traceability by Transfer Learning from Open-World Data",
        "Traceability Transformed: Generating more Accurate Links with Pre-Trained BERT Models",
    ]


def test_no_abstract_repeats_eight_words_of_the_seed(listing: Listing, shared: Path) -> None:
    seed = runs((shared / "data" / "seed-trace" / "seed.txt").read_text())
    assert len(seed) > 3000
    assert [entry.paper.title for entry in listing.entries if runs(entry.paper.abstract or "") & seed] == []
