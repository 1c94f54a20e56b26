"""Replies of arXiv's query API: both layouts, errors, counts, days."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from paperdigest.errors import ParseError
from paperdigest.types import ListingState, Period
from tests.arxiv_bodies import body, ids, papers, read

API = body("api.xml").decode()


def test_every_field_of_an_entry_is_read() -> None:
    trace, zero, planets = papers(read(API))
    assert str(trace.id) == "arxiv:2406.16218"
    assert trace.version == 2
    assert trace.title.startswith("Trace is the Next AutoDiff: Generative")
    assert trace.title_source is None
    assert trace.abstract is not None
    assert trace.abstract.endswith("for $35 a run & in O(n²) steps.")
    assert trace.abstract_source is not None
    assert trace.abstract_source.endswith(r"for $35 a run & in $\mathcal{O}(n^2)$ steps.")
    assert [(one.name, one.affiliation) for one in trace.authors] == [
        ("Ching-An Cheng", "A Laboratory"),
        ("Allen Nie", None),
    ]
    assert trace.published_at == datetime(2024, 6, 23, 21, 5, 31, tzinfo=UTC)
    assert trace.updated_at == datetime(2024, 10, 31, 21, 31, 51, tzinfo=UTC)
    assert (trace.primary_category, trace.categories) == ("cs.AI", ("cs.AI", "cs.LG"))
    assert (trace.comment, trace.journal_ref) == ("Expanded text", "A Journal 1 (2024) 2-3")
    assert [str(alias) for alias in trace.aliases] == ["doi:10.1234/abc.5"], "its own DOI is no alias"
    assert (trace.url, trace.pdf_url) == ("https://arxiv.org/abs/2406.16218", "https://arxiv.org/pdf/2406.16218")
    assert (zero.title, zero.comment, zero.journal_ref) == ("0", None, None)
    assert str(planets.id) == "arxiv:astro-ph/0601001"
    assert planets.abstract == "Planets that pass before their stars are counted."


def test_the_layout_of_2025_reads_the_same() -> None:
    (paper,) = papers(read(body("api_old_layout.xml")))
    assert paper.title == "Traceability Transformed: Generating more Accurate Links with Pre-Trained BERT Models"
    assert paper.title_source is None, "white space alone is not worth keeping"
    assert paper.abstract == "Links between requirements and code are found by a language model."
    assert paper.comment == "12 pages, 6 figures"
    assert (paper.version, paper.primary_category) == (2, "cs.SE")


def test_a_query_is_a_search_of_the_day_it_was_answered() -> None:
    listing = read(API)
    assert (listing.period, listing.listed_on, listing.state) == (
        Period.SEARCH,
        date(2026, 4, 12),
        ListingState.COMPLETE,
    )
    assert listing.announced_count == 3
    assert [entry.rank for entry in listing.entries] == [1, 2, 3]
    assert {entry.announce_type for entry in listing.entries} == {None}


def test_with_a_day_asked_for_it_is_that_days_listing() -> None:
    listing = read(API, listed_on=date(2026, 4, 14))
    assert (listing.period, listing.listed_on, listing.note) == (Period.DAY, date(2026, 4, 14), None)


def test_the_offset_of_the_old_layout_counts_for_the_day() -> None:
    late = body("api_old_layout.xml").replace(b"2025-10-17T00:00:00-04:00", b"2025-10-17T22:00:00-04:00")
    assert read(late).listed_on == date(2025, 10, 18)


def test_one_page_of_many_is_partial() -> None:
    listing = read(body("api_old_layout.xml"))
    assert (listing.state, listing.note) == (ListingState.PARTIAL, "1 of 5619 announced entries")


def test_an_error_reply_raises_arxivs_own_words() -> None:
    with pytest.raises(ParseError, match=r"replies\.xml: .*incorrect id format for xyz"):
        read(body("api_error.xml"), name="replies.xml")


def test_a_paper_with_the_title_error_is_a_paper() -> None:
    assert papers(read(API.replace("<title>0</title>", "<title>Error</title>")))[1].title == "Error"


def test_nothing_found_is_quiet() -> None:
    head, _, _ = API.partition("  <entry>")
    listing = read(head.replace(">3<", ">0<") + "</feed>")
    assert (listing.state, listing.announced_count, listing.note) == (ListingState.QUIET, 0, "arXiv found nothing")


def test_entries_promised_but_missing_are_partial_not_quiet() -> None:
    head, _, _ = API.partition("  <entry>")
    assert read(head + "</feed>").state is ListingState.PARTIAL


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("http://arxiv.org/abs/2104.12255v1", "http://example.org/1"),
        ("<title>0</title>", ""),
        ("<title>0</title>", "<title> </title>"),
    ],
)
def test_an_entry_without_id_or_title_is_counted_and_left_out(was: str, becomes: str) -> None:
    listing = read(API.replace(was, becomes))
    assert ids(listing) == ["2406.16218", "astro-ph/0601001"]
    assert (listing.dropped, listing.state) == (1, ListingState.PARTIAL)
    assert listing.note == "1 of 3 entries could not be read"


def test_a_paper_that_stands_twice_is_taken_once_and_missed_once() -> None:
    listing = read(API.replace("2104.12255v1", "2406.16218v1"))
    assert ids(listing) == ["2406.16218", "astro-ph/0601001"]
    assert (listing.state, listing.note) == (ListingState.PARTIAL, "2 of 3 announced entries")


@pytest.mark.parametrize("doi", ["", "nonsense", "10.48550/arXiv.2406.16218"])
def test_an_unusable_doi_makes_no_alias(doi: str) -> None:
    text = API.replace("10.1234/ABC.5 10.48550/arXiv.2406.16218", doi)
    assert papers(read(text))[0].aliases == ()


@pytest.mark.parametrize("stamp", ["", "yesterday", "2024-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_an_unreadable_date_is_no_date(stamp: str) -> None:
    text = API.replace("2024-06-23T21:05:31Z", stamp)
    assert papers(read(text))[0].published_at is None


def test_the_atom_feed_of_somebody_else_is_refused() -> None:
    entry = "<entry><id>urn:1</id><title>x</title></entry>"
    feed = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>A blog</title>{entry}</feed>'
    with pytest.raises(ParseError, match="not a reply of arXiv's API"):
        read(feed)
    with pytest.raises(ParseError, match="none of its 1 entries is an arXiv paper"):
        read(API.partition("  <entry>")[0] + "<entry><id>urn:1</id><title>x</title></entry></feed>")


def test_an_abstract_of_megabytes_is_cut_with_a_mark() -> None:
    long = papers(read(API.replace("Zero is an awkward number for signatures.", "x" * 2_000_000)))[1]
    assert long.abstract is not None
    assert len(long.abstract) == 64_001
    assert long.abstract.endswith("x…")


@pytest.mark.parametrize(
    ("was", "becomes"), [("<title>Error</title>", "<title>Oops</title>"), ("/api/errors#", "/else#")]
)
def test_an_error_is_known_by_its_id_or_its_title(was: str, becomes: str) -> None:
    with pytest.raises(ParseError, match="incorrect id format"):
        read(body("api_error.xml").decode().replace(was, becomes))
