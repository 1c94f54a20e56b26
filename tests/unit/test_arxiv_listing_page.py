"""The page of new papers: sections, counts as proof, marks, text out of HTML."""

from __future__ import annotations

from datetime import date

import pytest

from paperdigest.errors import ParseError
from paperdigest.types import ListingState
from tests.arxiv_bodies import body, ids, papers, read

PAGE = body("list_new.html").decode()


def test_the_three_sections_give_the_announce_types() -> None:
    listing = read(PAGE)
    assert ids(listing) == ["2604.11111", "2604.33333", "2604.22222", "2306.07487"]
    assert [entry.announce_type for entry in listing.entries] == ["new", "new", "cross", "replace"]
    assert (listing.state, listing.announced_count, listing.note) == (ListingState.COMPLETE, 4, None)
    assert listing.listed_on == date(2026, 4, 14)


def test_every_field_of_an_entry_is_read() -> None:
    first, second, _, replaced = papers(read(PAGE))
    assert first.title == "Tracing tests to requirements & back"
    assert [one.name for one in first.authors] == ["Ada Lovelace", "Grace B. Hopper"]
    assert first.abstract == 'Tests are linked to what they check: the policy\'s "why".', "a line break parts words"
    assert first.comment == "Code at https://github.com/example/tracer, 9 pages"
    assert first.journal_ref == "A Journal 1 (2026) 2-3"
    assert (first.primary_category, first.categories) == ("cs.SE", ("cs.SE", "cond-mat.dis-nn"))
    assert first.published_at is None
    assert (first.version, replaced.version) == (1, 3)
    assert replaced.published_at is None
    assert second.authors == ()


@pytest.mark.parametrize("words", ["showing 2 of 3", "showing first 2 of 3", "continued, showing last 2 of 3"])
def test_fewer_entries_than_announced_are_partial(words: str) -> None:
    listing = read(PAGE.replace("Total of 4 entries", "").replace("showing 2 of 2", words))
    assert (listing.state, listing.announced_count) == (ListingState.PARTIAL, 5)
    assert listing.note == "4 of 5 announced entries"


def test_a_page_cut_between_two_sections_is_partial() -> None:
    cut = PAGE[: PAGE.index("<h3>Replacement")].replace("Total of 4 entries", "")
    listing = read(cut)
    assert len(listing.entries) == 3
    assert (listing.state, listing.note) == (ListingState.PARTIAL, "the page is cut off")
    assert read(cut + "</html>").state is ListingState.COMPLETE, (
        "without a total nothing tells that a section is missing"
    )


def test_the_total_of_the_page_counts_too() -> None:
    listing = read(PAGE.replace("Total of 4 entries", "Total of 9 entries"))
    assert (listing.state, listing.announced_count) == (ListingState.PARTIAL, 9)


def test_a_paper_in_two_sections_is_one_entry_and_misses_nothing() -> None:
    listing = read(PAGE.replace("2604.22222", "2604.11111"))
    assert (len(listing.entries), listing.state, listing.announced_count) == (3, ListingState.COMPLETE, 3)


def test_an_entry_without_its_metadata_is_counted() -> None:
    listing = read(PAGE.replace("<div class='list-title mathjax'>", "<div class='else'>", 1))
    assert (listing.dropped, listing.state) == (1, ListingState.PARTIAL)


def test_a_day_without_updates_is_quiet() -> None:
    start, end = PAGE.index("<div class='paging'>"), PAGE.index("</div>\n</div>\n</body>")
    listing = read(PAGE[:start] + "<p>No updates today.</p>" + PAGE[end:])
    assert (listing.state, listing.listed_on, listing.note) == (
        ListingState.QUIET,
        date(2026, 4, 14),
        "arXiv says: no updates",
    )


@pytest.mark.parametrize(
    "page",
    [
        "<!DOCTYPE html><html><title>Just a moment...</title><body><p>Checking your browser</p></body></html>",
        "<html><body><form>Please log in</form></body></html>",
        "<html></html>",
        "<html><body><h3>Showing new listings for Tuesday, 14 April 2026</h3></body></html>",
        PAGE.replace("(showing", "[showing"),
    ],
)
def test_a_page_without_the_sections_is_refused(page: str) -> None:
    with pytest.raises(ParseError, match=r"page\.html: .*its sections are missing"):
        read(page, name="page.html")


@pytest.mark.parametrize(
    ("head", "listed_on"),
    [
        ("Showing new listings for Monday, 2 March 2026", date(2026, 3, 2)),
        ("Showing new listings for Monday, 31 February 2026", date(2026, 4, 15)),
        ("Showing new listings for today", date(2026, 4, 15)),
    ],
)
def test_the_day_is_read_from_the_head_else_from_the_clock(head: str, listed_on: date) -> None:
    assert read(PAGE.replace("Showing new listings for Tuesday, 14 April 2026", head)).listed_on == listed_on


def test_without_a_day_in_the_page_a_day_in_the_name_counts() -> None:
    listing = read(PAGE.replace("Tuesday, 14 April 2026", ""), name="cs.SE-2026-04-10.html")
    assert listing.listed_on == date(2026, 4, 10)


def test_quotes_around_everything_in_another_style_change_nothing() -> None:
    assert read(PAGE.replace("'", '"').replace('href ="', 'href="')).entries == read(PAGE).entries


def test_two_hundred_thousand_nested_tags_are_refused() -> None:
    with pytest.raises(ParseError, match=r"page\.html: tags nested deeper than 100"):
        read(PAGE.replace("It belongs to two fields.", "<b>" * 200_000 + "deep"), name="page.html")


def test_blocks_in_blocks_are_read_up_to_a_bound() -> None:
    endless = PAGE.replace("Tracing tests", "Tracing tests" + "<b></b>" * 30_000 + "unseen")
    first = papers(read(endless))[0]
    assert first.title == "Tracing tests"
    paging = "<div class='paging'>" * 60 + "<br>" * 100_000
    assert len(read(PAGE.replace("<div class='paging'>", paging)).entries) == 4


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ('<a href="https://example.org/x">this https URL</a>', "https://example.org/x"),
        ('<a href="https://example.org/x">this ftp URL </a>', "https://example.org/x"),
        ('<a href="https://example.org/x">here</a>', "here"),
        ("<a>this https URL</a>", "this https URL"),
        ('<a href="/x"><b>this https URL</b></a>', "this https URL"),
    ],
)
def test_a_link_that_stands_for_its_address_becomes_the_address(link: str, words: str) -> None:
    start, end = PAGE.index('<a href="https://github.com/example/tracer"'), PAGE.index(", 9 pages")
    assert papers(read(PAGE[:start] + link + PAGE[end:]))[0].comment == f"Code at {words}, 9 pages"


def test_only_the_label_of_a_block_is_left_out_when_its_end_is_missing() -> None:
    damaged = PAGE.replace("<span class='descriptor'>Subjects:</span>", "<span class='descriptor'>Subjects:", 1)
    assert papers(read(damaged))[0].categories == ("cs.SE", "cond-mat.dis-nn")
