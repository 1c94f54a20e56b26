"""Matching and searching against a slow reference: random queries, random papers, one answer."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from paperdigest.errors import QueryError
from paperdigest.query import Clause, Field, Form, Keyword, Occur, Query, parse_query
from paperdigest.query.matching import Document, admits, keyword_matches, matches, spans
from paperdigest.store import Store
from paperdigest.types import Entry, Paper
from tests import query_reference as reference
from tests.query_reference import Sheet
from tests.store_samples import DAY, arxiv, listing, named

WORDS = [
    "trace", "traces", "Traced", "TRACE", "traceability", "software", "Software", "state-of-the-art", "the", "of",
    "art", "C++", "C", "café", "cafe", "cafe\N{COMBINING ACUTE ACCENT}", "Café", "VLM²", "VLM", "H₂O", "Straße",
    "strasse", "\N{LATIN SMALL LIGATURE FI}nd", "finds", "don’t", "don't", "GPT-4o", "GPT‑4o", "A*", "AND", "β-VAE",
    "μs", "ℝ", "™", "possibly", "possible", "ontology", "ontological", "x_y", "技術", "технология", "(a)", "n^2",
    "title:x", "-", "+",
]  # fmt: skip
GAPS = [" ", " ", " ", " ", "  ", "\n", "-", ", ", "", "²", "_", "."]
NAMES = [
    "Jane Doe", "J. Doe", "Doe, Jane", "Jane A. Doe", "JANE DOÉ", "John Doe", "Doe J", "Wang Xiaolong", "Xiaolong Wang",
    "Xiao Long Wang", "X. Wang", "Wang X", "José García-López", "Garcia, J.", "Conan O’Brien", "O'Brien", "doe",
    "王小龙", "The ATLAS Collaboration", "ATLAS Collaboration", "A. Jane Doe", "Jane", "Long", "jos-gar",
]  # fmt: skip
CATEGORIES = ["cs.SE", "cs.LG", "cs", "CS.se", "math.AG", "astro-ph.GA", "astro-ph", "Künstliche Intelligenz"]
SOURCES = ["hf", "arxiv-cs", "Daily Papers", "h"]

texts = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(GAPS)), max_size=8).map(
    lambda pairs: "".join(word + gap for word, gap in pairs).strip()
)
typed_words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(tuple)
starts = st.sampled_from(WORDS).flatmap(lambda word: st.integers(1, len(word)).map(lambda end: (word[:end],)))
sheets = st.builds(
    Sheet,
    texts,
    texts,
    st.lists(st.sampled_from(NAMES), max_size=2, unique=True).map(tuple),
    st.lists(st.sampled_from(CATEGORIES), max_size=2, unique=True).map(tuple),
    st.lists(st.sampled_from(SOURCES), max_size=2, unique=True).map(tuple),
)


def whole(values: list[str], field: Field) -> st.SearchStrategy[Keyword]:
    typed = st.sampled_from(values).map(lambda value: tuple(value.split()))
    begun = st.sampled_from(values).flatmap(lambda v: st.integers(1, len(v)).map(lambda end: (v.split()[0][:end],)))
    return st.one_of(
        st.builds(Keyword, typed, st.sampled_from([Form.STEMMED, Form.EXACT]), st.just(field)),
        st.builds(Keyword, begun, st.just(Form.PREFIX), st.just(field)),
    )


in_texts = st.sampled_from([None, None, None, Field.TITLE, Field.ABSTRACT])
keywords = st.one_of(
    st.builds(Keyword, typed_words, st.sampled_from([Form.STEMMED, Form.STEMMED, Form.EXACT]), in_texts),
    st.builds(Keyword, starts, st.just(Form.PREFIX), in_texts),
    whole(NAMES, Field.AUTHOR),
    whole(CATEGORIES, Field.CATEGORY),
    whole(SOURCES, Field.SOURCE),
)
clauses = st.builds(
    Clause, st.lists(keywords, min_size=1, max_size=3, unique=True).map(tuple), st.sampled_from([*Occur, Occur.MAY])
)


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """A query as it is read from its printed form, so that it is one that can be typed."""
    try:
        return parse_query(str(Query(tuple(draw(st.lists(clauses, min_size=1, max_size=4))))))
    except QueryError:
        assume(False)
        raise


def document_of(sheet: Sheet) -> Document:
    return Document(sheet.title, sheet.abstract, sheet.authors, sheet.categories, sheet.sources)


@settings(max_examples=600)
@given(keywords, sheets)
def test_a_keyword_matches_what_the_reference_says(keyword: Keyword, sheet: Sheet) -> None:
    document = document_of(sheet)
    assert keyword_matches(keyword, document) is reference.holds(keyword, sheet)
    places = list(spans(keyword, document))
    if keyword.field in (None, Field.TITLE, Field.ABSTRACT):
        assert bool(places) is keyword_matches(keyword, document)
    for field, start, end in places:
        text = sheet.title if field == "title" else sheet.abstract
        assert 0 <= start < end <= len(text)
        assert reference.holds(keyword, Sheet(text[start:end], text[start:end]))
    assert places == sorted(places, key=lambda place: (place[0] == "abstract", *place[1:]))


@settings(max_examples=300)
@given(queries(), sheets)
def test_a_query_matches_what_the_reference_says(query: Query, sheet: Sheet) -> None:
    document = document_of(sheet)
    assert matches(query, document) is reference.found(query, sheet)
    if matches(query, document):
        assert admits(query, document)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, dict[str, Sheet]]]:
    """A store of random papers, and each as the reference reads it, by identifier."""
    chance = random.Random(20260415)
    store = Store.open(tmp_path_factory.mktemp("library") / "papers.db", create=True)
    known: dict[str, Sheet] = {}
    listed: dict[str, list[Paper]] = {source: [] for source in SOURCES}
    for number in range(120):
        title, abstract = (
            "".join(chance.choice(WORDS) + chance.choice(GAPS) for _ in range(chance.randint(1, 7))).strip()
            for _ in range(2)
        )
        authors = tuple(chance.sample(NAMES, chance.randint(0, 2)))
        categories = tuple(chance.sample(CATEGORIES, chance.randint(0, 2)))
        local = f"2604.{number:05}"
        sources = tuple(chance.sample(SOURCES, chance.randint(1, 2)))
        known[local] = Sheet(title, abstract, authors, categories, sources)
        for source in sources:
            listed[source].append(
                Paper(id=arxiv(local), title=title, abstract=abstract, authors=named(*authors), categories=categories)
            )
    for number, (source, papers) in enumerate(listed.items()):
        entries = [Entry(paper=paper) for paper in papers]
        store.record(listing(*entries, source=source, day=date.fromordinal(DAY.toordinal() - number)), authority=2)
    yield store, known
    store.close()


@settings(max_examples=150, deadline=timedelta(seconds=5))
@given(queries())
def test_a_search_finds_what_the_reference_says(library: tuple[Store, dict[str, Sheet]], query: Query) -> None:
    store, known = library
    expected = {local for local, sheet in known.items() if reference.found(query, sheet)}
    result = store.search(query, 1000)
    assert {stored.paper.id.local for stored in result.papers} == expected
    assert result.total == len(result.papers) == len(expected)
    assert store.search(query, 1000, 3).papers == result.papers[3:]
    assert store.search(query, 2).papers == result.papers[:2]
    for stored in result.papers[:3]:
        assert matches(query, Document.of(stored))


def test_the_library_tries_every_kind_of_query(library: tuple[Store, dict[str, Sheet]]) -> None:
    """The property above would say little if most queries found nothing."""
    store, known = library
    for text in (
        "trac*",
        "=Café",
        "author:doe",
        "cat:cs",
        "source:hf",
        "+trace -software",
        '"of the"',
        "title:software",
    ):
        query = parse_query(text)
        assert 0 < store.search(query, 1000).total < len(known)
        assert store.search(query, 1000).total == sum(reference.found(query, sheet) for sheet in known.values())
