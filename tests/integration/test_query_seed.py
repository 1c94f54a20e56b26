"""The seed page: what each kind of query finds among sixteen papers, told by matching and by the store."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from paperdigest.query import parse_query
from paperdigest.query.matching import Document, matches
from paperdigest.store import Store
from paperdigest.types import Paper
from tests.store_samples import arxiv, listing


@pytest.fixture(scope="module")
def papers(shared: Path) -> tuple[Paper, ...]:
    """The page cut at its titles: each abstract is the paragraph below. Numbers are the papers' places."""
    folder = shared / "data" / "seed-trace"
    lines = (folder / "seed.txt").read_text("utf-8").splitlines()
    titles = [paper["title"] for paper in json.loads((folder / "expected.json").read_text("utf-8"))["papers"]]
    return tuple(
        Paper(id=arxiv(f"2604.{number:05}"), title=title, abstract=lines[lines.index(title) + 2])
        for number, title in enumerate(titles, start=1)
    )


@pytest.fixture
def store(papers: tuple[Paper, ...], tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "papers.db", create=True)
    opened.record(listing(*papers), authority=2)
    yield opened
    opened.close()


def number(paper: Paper) -> int:
    return int(paper.id.local[-2:])


WITH_TRACE = {*range(1, 11), 12, 15, 16}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("trace", WITH_TRACE),
        ("trace*", WITH_TRACE),
        ('"software traceability"', {4, 7}),
        ('trace -"software traceability"', WITH_TRACE - {4, 7}),
        ("+trace +software", None),
        ("title:trace", None),
        ("abstract:(tracing OR retriev*)", None),
        ("=Trace", None),
        ("=trace", None),
    ],
)
def test_a_query_finds_the_same_papers_however_it_is_asked(
    papers: tuple[Paper, ...], store: Store, text: str, numbers: set[int] | None
) -> None:
    query = parse_query(text)
    found = {number(paper) for paper in papers if matches(query, Document(paper.title, paper.abstract or ""))}
    assert {number(stored.paper) for stored in store.search(query, 100).papers} == found
    assert numbers in (None, found)
    assert 0 < len(found) < len(papers)


def test_the_acronym_alone_is_found_by_its_capitals(papers: tuple[Paper, ...], store: Store) -> None:
    with_acronym = {number(paper) for paper in papers if re.search(r"\bTRACE\b", f"{paper.title} {paper.abstract}")}
    assert with_acronym
    assert {number(stored.paper) for stored in store.search(parse_query("=TRACE"), 100).papers} == with_acronym
    assert len(with_acronym) < len(WITH_TRACE)
