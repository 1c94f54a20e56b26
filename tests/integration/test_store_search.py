"""Searching: stems, diacritics, phrases, and words that would be operators."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from paperdigest.query import Clause, Field, Form, Keyword, Occur, Query, parse_query
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
    papers.append(
        paper(
            "2604.00010",
            "Unrelated",
            abstract="Here a trace stands.",
            authors=named("José García-López"),
            categories=("cs.SE", "cs.LG"),
        )
    )
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
    query = Query((Clause((Keyword((text,)),)),))
    result = store.search(query, 10)
    expected = {"AND": 2, "NOT": 1, "C++": 1, "state-of-the-art": 1, "der": 1}
    assert result.total == expected.get(text, 0)


@pytest.mark.parametrize(
    "text", ['"', 'a"b', '""', "*", "^", "\x00", "({[", "title:trace", "-never", "\ud800", "%", "_", "'"]
)
def test_no_sign_is_ever_a_syntax_error(store: Store, text: str) -> None:
    for form, field, occur in product(Form, [None, *Field], Occur):
        keywords = Keyword((text, "trace"), form, field), Keyword((text,), form, field)
        query = Query((Clause(keywords, occur), Clause((Keyword(("trace",)),))))
        assert store.search(query, 10).total <= 10


@pytest.mark.parametrize(
    ("text", "local"),
    [("grosse", ["08"]), ("groSSe", ["08"]), ("GRÖẞE", ["08"]), ("gros*", ["08"]), ("uberraschung", ["08"])],
)
def test_diacritics_do_not_matter(store: Store, text: str, local: list[str]) -> None:
    assert found(store, text) == local


def test_ligatures_are_their_letters(store: Store) -> None:
    store.record(listing(paper("2604.00011", "Eﬃcient oﬀers"), hours=1), authority=2)
    for text in ("efficient", "offers", '"efficient offers"', "title:efficient", "+efficient", "effic*", "offe*"):
        assert found(store, text) == ["11"]


def test_authors_are_found_by_their_field_without_their_accents(store: Store) -> None:
    for text in (
        'author:"jose garcia lopez"',
        "author:garcia-lopez",
        'author:"García-López, J."',
        "author:gar*",
        "author:=López",
    ):
        assert found(store, text) == ["10"]
    assert found(store, "garcia") == found(store, "author:lop") == found(store, 'author:"Juan García"') == []


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
    assert found(store, "following") == found(store, "author:hopper") == ["04"]
    assert store.check() == ()


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("trace -traced", []), ("+trace -software", "01 03 04 05 10"), ("trac*", "01 02 03 04 05 06 09 10"),
        ("tracea*", "02 09"), ("=TRACED", "03"), ("=trace", "10"), ('="Software traceability"', "02"),
        ("title:trace", "01 03 04 05"), ("abstract:trace", "10"), ("+title:trace +strategy", "03"),
        ("software +traceability", "02 09"), ("software +(bread OR revisited) -=revisited", "09"),
        ('(origin OR "bread") -author:garcia', "04 09"), ("-trace +trac*", "02 06 09"),
        ("software^2 origin", "02 04 09"),
        ("absent +software", "02 09"), ("absent -software", ""), ("cat:cs", "10"),
        ("cat:cs.SE trace -cat:CS.lg", "01 03 04 05"),
        ("source:hf -trac* -traceability", "07 08"), ("source:h* +state-of-the-art", "07"), ("source:absent", ""),
        ("author:garcia origin", "04 10"), ("=C++", "07"), ('="AND NOT"', "07"), ('"state-of-the art"', "07"),
    ],
)  # fmt: skip
def test_every_sign_means_to_a_search_what_it_means(store: Store, text: str, local: str | list[str]) -> None:
    wanted = local.split() if isinstance(local, str) else local
    assert sorted(found(store, text)) == wanted


def test_papers_that_match_by_words_come_first_and_then_the_newest(store: Store) -> None:
    store.record(listing(paper("2604.00012", "Bread", authors=named("J. Tracey")), source="new", hours=2), authority=2)
    store.record(listing(paper("2604.00013", "Butter", authors=named("J. Tracey")), source="new", hours=3), authority=2)
    assert found(store, "author:tracey") == ["13", "12"]
    assert found(store, "author:tracey bread")[0] in ("12", "09")
    assert found(store, "author:tracey bread")[2] == "13"
    result = store.search(parse_query("author:tracey bread"), 1, 2)
    assert (result.total, [one.paper.title for one in result.papers]) == (3, ["Butter"])


def test_pages_of_any_search_follow_one_another(store: Store) -> None:
    query = parse_query("trac* source:hf -=Tracks")
    whole = store.search(query, 100).papers
    assert len(whole) == store.search(query, 1).total == 9
    pages = [store.search(query, 2, offset) for offset in range(0, 10, 2)]
    assert tuple(one for page in pages for one in page.papers) == whole


def test_a_category_of_any_spelling_is_found(store: Store) -> None:
    strange = paper(
        "2604.00014", "Strange", categories=("Künstliche Intelligenz", "math.AG", 'a"b%'), primary_category="Z.Q"
    )
    store.record(listing(strange, hours=1), authority=2)
    for text in ('cat:"künstliche intelligenz"', "cat:math", "cat:MATH.ag", "cat:z", "cat:z.q", "cat:a*"):
        assert found(store, text) == ["14"]
    assert found(store, "cat:intelligenz") == []
