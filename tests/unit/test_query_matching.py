"""What a query means to a paper: forms, fields, signs, and the places that match."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from paperdigest.query import parse_query
from paperdigest.query.matching import Document, admits, keyword_matches, matches, spans, word_spans
from paperdigest.types import Appearance, Author, Paper, PaperId, StoredPaper

DOCUMENT = Document(
    "Execution TRACES of C++ programs: state-of-the-art",
    "Software-traceability for GPT‑4o and Café VLM²s. It doesn’t trace A* or  A\nB.",
    ("José García-López", "Jane A. Doe"),
    ("cs.SE", "astro-ph.GA"),
    ("Daily Papers", "arxiv-cs"),
)


def found(text: str, document: Document = DOCUMENT) -> bool:
    query = parse_query(text)
    assert matches(query, document) is (admits(query, document) and any(
        keyword_matches(keyword, document) for keyword in query.keywords
    ))  # fmt: skip
    return matches(query, document)


@pytest.mark.parametrize(
    "text",
    [
        "trace", "tracing", "Traced", "program", '"execution trace"', '"trace of c++"', "state-of-the-art", "CAFE",
        "café", "vlm", '"software traceability"', "gpt-4o", "trac*", "Exec*", "cafe*", "state-o*", "=TRACES", "=trace",
        "=Café", "=GPT-4o", "=C++", '="A*"', '="A B"', "=doesn't", "=state-of-the-art", '="TRACES of C++"', "=VLM",
        "title:traces", "title:trac*", "title:=TRACES", "abstract:trace", "abstract:=trace", 'title:"of c"',
    ],
)  # fmt: skip
def test_a_keyword_matches_in_title_or_abstract_as_its_form_says(text: str) -> None:
    assert found(text)


@pytest.mark.parametrize(
    "text",
    [
        "trac", "tracer", '"traces execution"', '"programs software"', "rac*", '"traces*s"', "=traces", "=TRACE",
        "=Cafe", "=CAFÉ", "=caf", "=TRACES-of", '="Traces of"', "=GPT-4", "title:software", "title:soft*",
        "title:=trace", "abstract:execution", "garcia", "Papers", "cs.SE", '="of C++ pro"', "=rogram", "state-x*",
        "xtate-o*",
    ],
)  # fmt: skip
def test_a_keyword_does_not_match_what_only_looks_like_it(text: str) -> None:
    assert not found(text)


def test_a_phrase_does_not_reach_from_title_to_abstract() -> None:
    assert not found('"b c"', Document("a b", "c d"))
    assert not found('="b c"', Document("a b", "c d"))


def test_an_exact_accent_may_be_composed_or_not() -> None:
    decomposed = "A cafe\N{COMBINING ACUTE ACCENT} and a 가"
    assert found("=café", Document(decomposed))
    assert found("=cafe\N{COMBINING ACUTE ACCENT}", Document("a café"))
    assert not found("=cafe", Document(decomposed))
    assert list(spans(parse_query("=café").keywords[0], Document(decomposed))) == [("title", 2, 7)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cat:cs.SE", True), ("cat:CS.se", True), ("cat:cs", True), ("cat:cs.*", True), ("cat:cs.S*", True),
        ("cat:astro-ph", True), ("cat:=cs.SE", True), ("cat:se", False), ("cat:cs.S", False), ("cat:c", False),
        ("cat:=cs.se", False), ("cat:=cs", False), ("cat:c*", True), ("cat:math", False),
        ('source:"daily papers"', True), ("source:arxiv-cs", True), ("source:ARXIV*", True), ("source:arxiv", False),
        ("source:=arxiv-cs", True), ("source:=Arxiv-cs", False),
    ],
)  # fmt: skip
def test_categories_and_sources_are_compared_whole(text: str, expected: bool) -> None:
    assert found(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("author:doe", True), ('author:"Jane Doe"', True), ('author:"j. doe"', True), ("author:garcia", True),
        ("author:lopez", True), ("author:García-López", True), ('author:"Jose Garcia Lopez"', True),
        ("author:gar*", True), ("author:jose-gar*", True), ("author:ana-gar*", False), ("author:=Doe", True),
        ('author:="Jane A. Doe"', True),
        ("author:=doe", False), ('author:="Jane Doe"', False), ('author:"John Doe"', False), ("author:do", False),
        ("author:trace", False),
    ],
)  # fmt: skip
def test_an_author_is_asked_for_by_name(text: str, expected: bool) -> None:
    assert found(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("trace absent", True), ("trace +absent", False), ("absent +trace", True), ("trace -programs", False),
        ("trace -absent", True), ("+trace -absent author:doe", True), ("(absent OR trace)", True),
        ("(absent OR gone)", False), ("trace +(absent OR cat:cs)", True), ("trace -(absent OR cat:cs)", False),
        ("absent -gone", False), ("+cat:cs", True), ("absent^5 trace^0.1", True), ("+trace +cat:math", False),
    ],
)  # fmt: skip
def test_signs_and_groups_combine_keywords(text: str, expected: bool) -> None:
    assert found(text) is expected


def test_ranking_demands_only_what_has_a_sign() -> None:
    assert admits(parse_query("absent"), DOCUMENT)
    assert not admits(parse_query("trace +absent"), DOCUMENT)
    assert not admits(parse_query("trace -(gone OR program)"), DOCUMENT)


def test_the_places_are_those_of_the_printed_text() -> None:
    def places(text: str) -> list[tuple[str, str]]:
        texts = {"title": DOCUMENT.title, "abstract": DOCUMENT.abstract}
        found = list(spans(parse_query(text).keywords[0], DOCUMENT))
        assert all(type(field) is str for field, _, _ in found)
        return [(field, texts[field][start:end]) for field, start, end in found]

    assert places("trace") == [("title", "TRACES"), ("abstract", "trace")]
    assert places("abstract:trace") == [("abstract", "trace")]
    assert places("trac*") == [("title", "TRACES"), ("abstract", "traceability"), ("abstract", "trace")]
    assert places("=TRACES") == [("title", "TRACES")]
    assert places('="A B"') == [("abstract", "A\nB")]
    assert places("=doesn't") == [("abstract", "doesn’t")]
    assert places('"software traceability"') == [("abstract", "Software-traceability")]
    assert places("state-o*") == [("title", "state-of")]
    assert places("author:doe") == places("cat:cs") == places("source:arxiv-cs") == []


def test_places_of_one_keyword_do_not_overlap() -> None:
    assert list(spans(parse_query('"a a"').keywords[0], Document("a a a a a"))) == [("title", 0, 3), ("title", 4, 7)]
    assert list(spans(parse_query('="a a"').keywords[0], Document("a a a a a"))) == [("title", 0, 3), ("title", 4, 7)]


def test_the_words_of_a_phrase_have_places_of_their_own() -> None:
    keyword = parse_query('"the trace of software"').keywords[0]
    found = {DOCUMENT.title[start:end] if field == "title" else DOCUMENT.abstract[start:end]
             for field, start, end in word_spans(keyword, DOCUMENT)}  # fmt: skip
    assert found == {"TRACES", "trace", "Software"}
    exact = parse_query('="TRACES of"').keywords[0]
    assert list(word_spans(exact, DOCUMENT)) == list(spans(exact, DOCUMENT)) == [("title", 10, 19)]


def test_a_stored_paper_is_its_text_its_names_its_categories_and_its_sources() -> None:
    stored = StoredPaper(
        paper=Paper(
            id=PaperId(scheme="arxiv", local="2604.00001"),
            title="A title",
            authors=(Author(name="Jane Doe", affiliation="Anywhere"),),
            primary_category="cs.SE",
            categories=("cs.LG", "cs.SE"),
        ),
        first_seen_at=datetime(2026, 4, 14, tzinfo=UTC),
        entries=tuple(Appearance(source=name, listed_on=date(2026, 4, 14)) for name in ("hf", "arxiv", "hf")),
    )
    document = Document.of(stored)
    assert (document.title, document.abstract) == ("A title", "")
    assert document.authors == ("Jane Doe",)
    assert document.categories == ("cs.LG", "cs.SE")
    assert document.sources == ("hf", "arxiv")


@pytest.mark.parametrize("text", ["a", "=a", "a*", "author:a", "cat:a", "source:a", "-a b"])
def test_an_empty_paper_matches_nothing(text: str) -> None:
    assert not found(text, Document())
