"""Pages: the data in the attribute however it is written, the cards when it is missing."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from paperdigest.errors import ParseError
from paperdigest.types import ListingState, Period
from tests.huggingface_bodies import RETRIEVED_AT, api, day_props, item, page, parse

TUESDAY = date(2026, 4, 14)
LONG = "This abstract is long enough to be taken for one, as it says more than eighty characters can."


def card(number: int, *, votes: str = "12", when: str = "Oct 4, 2025", comments: str = "", extra: str = "") -> str:
    link = f'<a href="/papers/2510.{number:05}">A <b>Card</b> Title {number}</a>'
    talk = f'<a href="/papers/2510.{number:05}#community">{comments}</a>' if comments else ""
    return (
        f'<article><label><div class="leading-none">{votes}</div></label><h3>{link}</h3>{extra}'
        f"<ul><li>• 3 authors</li></ul><span>·</span><span>{when}</span>{talk}</article>"
    )


def cards(*parts: str, url: str = "https://huggingface.co/papers/date/2026-04-14") -> bytes:
    head = f'<link rel="canonical" href="{url}">'
    return f"<!doctype html><html><head>{head}</head><body>{''.join(parts)}</body></html>".encode()


def test_a_day_page_gives_the_items_of_the_api() -> None:
    items = [item(1), item(2)]
    from_page = parse(page(day_props(*items)))
    assert from_page.entries == parse(api(*items)).entries
    assert (from_page.listed_on, from_page.period, from_page.state) == (TUESDAY, Period.DAY, ListingState.COMPLETE)


@pytest.mark.parametrize(
    "element",
    [
        "<div data-props='{props}' class=x data-target='DailyPapers'></div>",
        "<section\n data-props = '{props}'\n DATA-TARGET=DailyPapers />",
        "<div data-target=Other data-props='[]'><div data-target=DailyPapers data-props='{props}'>",
        "<div data-target=DailyPapers></div><div data-target=DailyPapers data-props='{props}'></div>",
        "<div data-target=DailyPapers data-props=''></div><div data-target=DailyPapers data-props='{props}'></div>",
    ],
)
def test_attribute_order_quotes_and_nesting_do_not_matter(element: str) -> None:
    props = json.dumps(day_props(item(paper={"title": "It's < 5 & fine"}))).replace("'", "&#39;")
    body = element.replace("{props}", props).encode()
    assert [entry.paper.title for entry in parse(body).entries] == ["It's < 5 & fine"]


def test_cards_behind_the_data_are_not_counted() -> None:
    body = page(day_props(item(1)), inside=card(5) + card(6))
    assert [entry.paper.id.local for entry in parse(body).entries] == ["2604.00001"]


@pytest.mark.parametrize(
    ("day", "period", "starts_on", "expected"),
    [
        ("2026-W16", "week", date(2026, 4, 13), Period.WEEK),
        ("2026-04-15", "week", date(2026, 4, 13), Period.WEEK),
        ("2026-04", "month", date(2026, 4, 1), Period.MONTH),
        ("2026-04-30", "month", date(2026, 4, 1), Period.MONTH),
        ("2026-04-14T00:00:00.000Z", "day", TUESDAY, Period.DAY),
    ],
)
def test_a_week_is_its_monday_and_a_month_its_first(day: str, period: str, starts_on: date, expected: Period) -> None:
    listing = parse(page(day_props(item(1), day=day, period=period)))
    assert (listing.listed_on, listing.period) == (starts_on, expected)


def test_a_week_that_was_asked_for_by_one_of_its_days_is_that_week() -> None:
    body = page(day_props(item(1), day="2026-W16", period="week"))
    assert parse(body, listed_on=date(2026, 4, 17)).listed_on == date(2026, 4, 13)
    with pytest.raises(ParseError, match="asked for 2026-04-20, but this is the week listing of 2026-04-13"):
        parse(body, listed_on=date(2026, 4, 20))


def test_a_week_page_of_the_sites_limit_is_partial() -> None:
    items = [item(number) for number in range(105)]
    listing = parse(page(day_props(*items, day="2026-W16", period="week")))
    assert (listing.state, len(listing.entries)) == (ListingState.PARTIAL, 105)
    assert parse(page(day_props(*items))).state is ListingState.COMPLETE


def test_a_page_without_a_day_of_its_own_has_the_one_of_its_address() -> None:
    props = {"dailyPapers": [item(paper={"submittedOnDailyAt": None})]}
    assert parse(page(props, url="https://huggingface.co/papers/date/2026-03-03")).listed_on == date(2026, 3, 3)
    assert parse(page({**props, "periodType": "day"})).listed_on == RETRIEVED_AT.date()


def test_a_trending_page_is_of_no_day() -> None:
    body = page(day_props(item(1)), url="https://huggingface.co/papers/trending")
    listing = parse(body)
    assert (listing.period, listing.listed_on) == (Period.TRENDING, RETRIEVED_AT.date())
    assert parse(body, listed_on=date(2026, 1, 1)).listed_on == date(2026, 1, 1)


def test_a_search_page_holds_its_results_and_not_the_day() -> None:
    props = {**day_props(item(1)), "query": {"q": "trace"}, "searchResults": [item(8, paper={"upvotes": 1})]}
    listing = parse(page(props))
    assert (listing.period, listing.listed_on) == (Period.SEARCH, TUESDAY)
    assert [entry.paper.id.local for entry in listing.entries] == ["2604.00008"]


def test_a_search_that_the_site_did_not_filter_is_refused() -> None:
    url = "https://huggingface.co/papers?q=trace"
    with pytest.raises(ParseError, match="whole listing of 2026-04-14"):
        parse(page(day_props(item(1), item(2))), name=url)
    older = page(day_props(item(1, paper={"submittedOnDailyAt": "2023-05-30T00:00:00Z"})))
    assert parse(older, name=url).period is Period.SEARCH


def test_a_papers_own_page_is_a_listing_of_one_apart_from_its_day() -> None:
    inner = item(3)["paper"]
    listing = parse(page({"paper": inner, "comments": [], "upvoters": []}, target="PaperContent"))
    assert (listing.period, listing.listed_on, listing.note) == (Period.SEARCH, TUESDAY, "one paper's own page")
    (entry,) = listing.entries
    assert (entry.paper.id.local, entry.upvotes, entry.comments) == ("2604.00003", 7, None)
    with pytest.raises(ParseError, match="no id or no title"):
        parse(page({"paper": {}}, target="PaperContent"))


def test_a_day_page_without_papers_is_quiet() -> None:
    assert parse(page(day_props())).state is ListingState.QUIET


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html><head><title>Human Verification</title><script src=challenge.js></script></head></html>", "challenge"),
        (b"<html><body><form action=/login></form></body></html>", "no Daily Papers page"),
        (b"<article><h3>Just news</h3></article>", "no Daily Papers page"),
        (b"<?xml version='1.0'?><rss><channel/></rss>", "no Daily Papers page"),
        (b"<", "no Daily Papers page"),
        (page({"dailyPapers": "none"}), "'dailyPapers' is a string"),
        (page({"dateString": "2026-04-14"}), "'dailyPapers' is null"),
        (page([]), "data-props is a list"),
        (page(day_props(period="year")), "'periodType' is 'year'"),
        (page(day_props(day="Apr 14")), "'dateString' is 'Apr 14'"),
        (page({"query": "trace", "dailyPapers": []}), "'query' is a string"),
        (page(day_props(repr(item()))), "item 0 is a string (the Python repr of an object?)"),
        (page({}, target="PaperContent"), "item 0 has no 'paper'"),
        (b"<div data-target=DailyPapers data-props='{'>", "not JSON"),
    ],
)
def test_what_is_no_papers_page_is_refused_in_words(body: bytes, said: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(body, name="page.html")
    assert said in str(caught.value)
    assert str(caught.value).startswith("page.html")


def test_cards_are_read_when_there_are_no_data() -> None:
    listing = parse(cards(card(1, comments="4"), card(2, votes="3.29k"), card(3, votes="-"), card(1)))
    assert [(entry.paper.id.local, entry.rank) for entry in listing.entries] == [
        ("2510.00001", 1),
        ("2510.00002", 2),
        ("2510.00003", 3),
    ]
    assert [entry.upvotes for entry in listing.entries] == [12, 3290, None]
    assert [entry.comments for entry in listing.entries] == [4, None, None]
    first = listing.entries[0].paper
    assert (first.title, first.authors_count, first.authors) == ("A Card Title 1", 3, ())
    assert first.published_at == datetime(2025, 10, 4, tzinfo=UTC)
    assert (listing.listed_on, listing.state) == (TUESDAY, ListingState.PARTIAL)
    assert "visible cards" in (listing.note or "")


@pytest.mark.parametrize(
    ("printed", "meant"),
    [
        ("Published on Oct 4, 2025", date(2025, 10, 4)),
        ("Apr 6", date(2026, 4, 6)),
        ("Apr 15", date(2025, 4, 15)),
        ("Feb 30", None),
        ("Foo 3", None),
    ],
)
def test_a_cards_date_without_a_year_is_of_the_pages_year(printed: str, meant: date | None) -> None:
    (entry,) = parse(cards(card(1, when=printed))).entries
    assert (entry.paper.published_at.date() if entry.paper.published_at else None) == meant


def test_only_a_search_pages_cards_give_abstracts() -> None:
    shown = card(1, extra=f"<p>Short.</p><p>{LONG}</p>")
    found = {
        url: parse(cards(shown, url=f"https://huggingface.co/papers{url}")).entries[0].paper.abstract
        for url in ("/trending", "/date/2026-04-14", "?q=trace")
    }
    assert found == {"/trending": None, "/date/2026-04-14": None, "?q=trace": LONG}


def test_a_card_whose_paper_cannot_be_told_is_counted() -> None:
    listing = parse(cards(card(1), '<article><h3><a href="/papers/">Nothing</a></h3></article>'))
    assert (len(listing.entries), listing.dropped) == (1, 1)


def test_deeply_nested_and_endless_pages_are_bounded() -> None:
    for body in (b"<div>" * 200_000, b"<article>" * 50_000, b"<article><h3>" + b"<b>" * 50_000):
        with pytest.raises(ParseError, match="nested deeper than 100"):
            parse(body)
    for body in (b"<a " * 200_000, b"<p>" * 50_000, b"<h3><a href=/papers/>" * 40):
        with pytest.raises(ParseError, match="no Daily Papers page"):
            parse(body)


def test_a_card_in_a_card_is_a_part_of_it() -> None:
    listing = parse(cards(card(1, extra=card(2)), card(3)))
    assert [entry.paper.id.local for entry in listing.entries] == ["2510.00001", "2510.00003"]
