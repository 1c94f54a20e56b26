"""Searching: stems, diacritics, phrases, and words that would be operators."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from paperdigest.query import Keyword, Query, parse_query
from paperdigest.store import Store
from tests.store_samples import listing, named, paper

TITLES = {
    "2604.00001": "Trace is the new thing",
    "2604.00002": "Software traceability revisited",
    "2604.00003": "TRACED: a pre-training strategy",
    "2604.00004": "Tracing the origin",
    "2604.00005": "Execution traces of programs",
    "2604.00006": "Tracks and tracts",
    "2604.00007": "C++ AND NOT the state-of-the-art",
    "2604.00008": "Größe der Überraschung",
    "2604.00009": "Software for traceability of bread",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "papers.db", create=True)
    papers = [paper(local, title) for local, title in TITLES.items()]
    papers.append(paper("2604.00010", "Unrelated", abstract="Here a trace stands.", authors=named("José García-López")))
    opened.record(listing(*papers), authority=2)
    yield opened
    opened.close()


def found(store: Store, text: str) -> list[str]:
    result = store.search(parse_query(text), 100)
    assert result.total == len(result.papers)
    return [stored.paper.id.local[-2:] for stored in result.papers]


@pytest.mark.parametrize("word", ["trace", "traces", "TRACED", "Tracing"])
def test_a_word_finds_its_inflections_and_no_other_word(store: Store, word: str) -> None:
    assert sorted(found(store, word)) == ["01", "03", "04", "05", "10"]


def test_a_match_in_the_title_comes_before_one_in_the_abstract(store: Store) -> None:
    assert found(store, "trace")[-1] == "10"


def test_a_phrase_stands_together_and_in_order(store: Store) -> None:
    assert found(store, '"software traceability"') == ["02"]
    assert found(store, '"traceability software"') == []


def test_words_add_up(store: Store) -> None:
    assert sorted(found(store, "origin bread")) == ["04", "09"]


@pytest.mark.parametrize("text", ["AND", "NOT", "C++", "state-of-the-art", "NEAR(", "a:b", "der", "'"])
def test_words_that_are_operators_elsewhere_are_words_here(store: Store, text: str) -> None:
    query = Query((Keyword((text,)),))
    result = store.search(query, 10)
    expected = {"AND": 2, "NOT": 1, "C++": 1, "state-of-the-art": 1, "der": 1}
    assert result.total == expected.get(text, 0)


@pytest.mark.parametrize("text", ['"', 'a"b', '""', "*", "^", "\x00", "({[", "title:trace", "-never", "\ud800"])
def test_no_sign_is_ever_a_syntax_error(store: Store, text: str) -> None:
    assert store.search(Query((Keyword((text, "trace")), Keyword((text,)))), 10).total >= 0


@pytest.mark.parametrize(("text", "local"), [("grosse", []), ("groSSe", []), ("Grosse", []), ("uberraschung", ["08"])])
def test_diacritics_do_not_matter(store: Store, text: str, local: list[str]) -> None:
    assert found(store, text) == local


def test_authors_are_found_without_their_accents(store: Store) -> None:
    assert found(store, '"jose garcia lopez"') == ["10"]


def test_raised_and_lowered_digits_end_a_word(store: Store) -> None:
    store.record(listing(paper("2604.00011", "VLM²-Bench and H₂O"), hours=1), authority=2)
    assert found(store, "VLM") == found(store, "VLM²") == ["11"]


def test_pages_of_a_search_follow_one_another(store: Store) -> None:
    whole = store.search(parse_query("trace"), 100).papers
    pages = [store.search(parse_query("trace"), 2, offset) for offset in (0, 2, 4)]
    assert [page.total for page in pages] == [5, 5, 5]
    assert tuple(one for page in pages for one in page.papers) == whole


def test_without_a_query_the_newest_come_first(store: Store) -> None:
    store.record(listing(paper("2604.00099", "Just in"), hours=1), authority=2)
    result = store.search(None, 1)
    assert (result.total, result.papers[0].paper.title) == (11, "Just in")


def test_a_changed_title_is_found_by_its_new_words_only(store: Store) -> None:
    changed = paper("2604.00004", "Following the source", version=2, authors=named("Grace Hopper"))
    store.record(listing(changed, hours=1), authority=3)
    assert "04" not in found(store, "tracing")
    assert found(store, "following") == found(store, "hopper") == ["04"]
    assert store.check() == ()
