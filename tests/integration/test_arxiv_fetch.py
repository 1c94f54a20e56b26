"""Fetching arXiv over real HTTP on loopback: each interface, paging, failures half-way, conditions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from paperdigest.errors import FetchError, ParseError, SourceError
from paperdigest.http import HttpClient
from paperdigest.protocols import FetchRequest
from paperdigest.sources.arxiv import ArxivSource, paging
from paperdigest.sources.arxiv.addresses import api_url, oai_resume_url, oai_url
from paperdigest.sources.arxiv.calendar import submission_window
from paperdigest.sources.arxiv.settings import ArxivSettings
from paperdigest.testing.manual_time import ManualTime
from paperdigest.testing.replay import ReplayServer, Reply
from paperdigest.types import Listing, ListingState, Period, Unmodified, Validators
from tests.arxiv_bodies import body, ids

NOW = datetime(2026, 4, 14, 6, 0, tzinfo=UTC)
TODAY = date(2026, 4, 14)
API_HEAD = (
    '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:o="http://a9.com/-/spec/opensearch/1.1/">'
    "<title>arXiv Query: x</title><updated>2026-04-14T00:00:00Z</updated><o:totalResults>{}</o:totalResults>"
)
API_ENTRY = "<entry><id>http://arxiv.org/abs/2604.{:05}v1</id><title>Paper {}</title></entry>"


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as replay:
        yield replay


@pytest.fixture
def client() -> Iterator[HttpClient]:
    world = ManualTime(NOW)
    with HttpClient(contact=None, clock=world.clock, monotonic=world.monotonic, sleep=world.sleep) as made:
        yield made.view(allow_private=True)


def arxiv(server: ReplayServer, via: str, path: str, category: str = "cs.SE", **more: object) -> ArxivSource:
    return ArxivSource("arxiv-test", {"via": via, "url": server.url(path), "category": category, **more})


def fetched(source: ArxivSource, client: HttpClient, day: date | None = None, **known: Validators) -> Listing:
    found = source.fetch(client, FetchRequest(now=NOW, day=day, validators={one.url: one for one in known.values()}))
    assert isinstance(found, Listing)
    return found


def api_page(first: int, last: int, total: int) -> bytes:
    entries = "".join(API_ENTRY.format(number, number) for number in range(first, last + 1))
    return f"{API_HEAD.format(total)}{entries}</feed>".encode()


def api_path(source: ArxivSource, start: int, day: date = TODAY) -> str:
    window = submission_window(day)
    assert window is not None
    return path_of(api_url(source.settings, window=window, start=start, max_results=paging.PAGE_SIZE))


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


# The feed and the page.


def test_one_feed_of_all_categories_is_fetched_with_its_validators(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/rss/cs.SE+cs.AI", Reply(body=body("rss.xml"), etag='"a"'))
    listing = fetched(arxiv(server, "rss", "/rss", "cs.SE+cs.AI"), client)
    assert (listing.source, listing.kind, listing.state, listing.listed_on) == (
        "arxiv-test",
        "arxiv",
        ListingState.COMPLETE,
        TODAY,
    )
    url = server.url("/rss/cs.SE+cs.AI")
    assert (listing.url, listing.retrieved_at) == (url, NOW)
    assert [(one.url, one.etag) for one in listing.validators] == [(url, '"a"')]
    assert "application/rss+xml" in server.requests[0].headers["accept"]


def test_an_unchanged_feed_is_unmodified(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/rss/cs.SE", Reply(body=body("rss.xml"), etag='W/"a"'))
    source = arxiv(server, "rss", "/rss")
    stored = fetched(source, client).validators[0]
    again = source.fetch(client, FetchRequest(now=NOW, validators={stored.url: stored}))
    assert isinstance(again, Unmodified)
    assert (again.source, again.kind, again.listed_on) == ("arxiv-test", "arxiv", TODAY)
    assert again.validators[0].etag == 'W/"a"'


def test_a_feed_is_dated_by_itself_whatever_day_was_asked_for(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/rss/cs.SE", Reply(body=body("rss.xml")))
    assert fetched(arxiv(server, "rss", "/rss"), client, date(2026, 4, 10)).listed_on == TODAY


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (Reply(body=body("rss_error.xml")), "Bad category"),
        (Reply(body=b"<!DOCTYPE html><html><body>Log in</body></html>"), "sections are missing"),
        (Reply(body=b""), "is empty"),
        (Reply(status=503), "503"),
        (Reply(status=410), "410"),
    ],
)
def test_no_usable_feed_is_a_source_error(server: ReplayServer, client: HttpClient, reply: Reply, problem: str) -> None:
    server.answer("/rss/cs.SE", reply)
    with pytest.raises(SourceError, match=problem):
        arxiv(server, "rss", "/rss").fetch(client, FetchRequest(now=NOW))


def test_the_page_of_a_category_is_fetched_whole(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/list/cs.SE/new?skip=0&show=2000", Reply(body=body("list_new.html"), etag='"p"'))
    source = arxiv(server, "listing", "/list")
    listing = fetched(source, client)
    assert (len(listing.entries), listing.state, listing.announced_count) == (4, ListingState.COMPLETE, 4)
    stored = listing.validators[0]
    again = source.fetch(client, FetchRequest(now=NOW, validators={stored.url: stored}))
    assert isinstance(again, Unmodified)


def test_pages_of_several_categories_become_one_listing(server: ReplayServer, client: HttpClient) -> None:
    other = body("list_new.html").replace(b"2604.33333", b"2604.44444")
    server.answer("/list/cs.SE/new?skip=0&show=2000", Reply(body=body("list_new.html")))
    server.answer("/list/cs.AI/new?skip=0&show=2000", Reply(body=other))
    listing = fetched(arxiv(server, "listing", "/list", "cs.SE cs.AI"), client)
    assert ids(listing) == ["2604.11111", "2604.33333", "2604.22222", "2306.07487", "2604.44444"]
    assert (listing.state, listing.announced_count) == (ListingState.COMPLETE, 5)
    assert [entry.rank for entry in listing.entries] == [1, 2, 3, 4, 5]
    assert len(listing.validators) == 2


def test_a_category_that_fails_or_lags_makes_it_partial_and_is_named(server: ReplayServer, client: HttpClient) -> None:
    old = body("list_new.html").replace(b"14 April 2026", b"13 April 2026").replace(b"2604.33333", b"2604.44444")
    server.answer("/list/cs.SE/new?skip=0&show=2000", Reply(body=body("list_new.html")))
    server.answer("/list/cs.AI/new?skip=0&show=2000", Reply(body=old))
    listing = fetched(arxiv(server, "listing", "/list", "cs.SE cs.AI cs.LG"), client)
    assert (len(listing.entries), listing.state, listing.listed_on) == (4, ListingState.PARTIAL, TODAY)
    assert "cs.AI/new?skip=0&show=2000 still shows 2026-04-13" in (listing.note or "")
    assert "cs.LG" in (listing.note or "")


def test_what_is_missing_of_one_category_is_told_of_all(server: ReplayServer, client: HttpClient) -> None:
    short = body("list_new.html").replace(b"Total of 4", b"Total of 7")
    server.answer("/list/cs.SE/new?skip=0&show=2000", Reply(body=body("list_new.html")))
    server.answer("/list/cs.AI/new?skip=0&show=2000", Reply(body=short))
    listing = fetched(arxiv(server, "listing", "/list", "cs.SE cs.AI"), client)
    assert (listing.state, listing.announced_count) == (ListingState.PARTIAL, 7)
    assert listing.note == f"{server.url('/list/cs.AI/new?skip=0&show=2000')}: 4 of 7 announced entries"


def test_no_page_at_all_is_a_source_error(server: ReplayServer, client: HttpClient) -> None:
    with pytest.raises(FetchError, match="404"):
        arxiv(server, "listing", "/list", "cs.SE cs.AI").fetch(client, FetchRequest(now=NOW))


# The query API.


def test_a_query_is_read_page_after_page_with_overlap(server: ReplayServer, client: HttpClient) -> None:
    source = arxiv(server, "api", "/api/query")
    server.answer(api_path(source, 0), Reply(body=api_page(0, 499, 900)))
    server.answer(api_path(source, 495), Reply(body=api_page(495, 899, 900)))
    listing = fetched(source, client)
    assert ids(listing) == [f"2604.{number:05}" for number in range(900)]
    assert (listing.state, listing.announced_count, listing.period) == (ListingState.COMPLETE, 900, Period.DAY)
    assert listing.listed_on == TODAY
    assert len(server.requests) == 2


def test_a_past_day_is_asked_for_by_its_submission_window(server: ReplayServer, client: HttpClient) -> None:
    source = arxiv(server, "api", "/api/query")
    day = date(2026, 4, 8)
    server.answer(api_path(source, 0, day), Reply(body=api_page(0, 3, 4)))
    assert fetched(source, client, day).listed_on == day
    query = parse_qs(urlsplit(server.requests[0].path).query)
    assert query["search_query"] == ["(cat:cs.SE) AND submittedDate:[202604061800 TO 202604071759]"]


def test_papers_that_slipped_between_two_pages_make_it_partial(server: ReplayServer, client: HttpClient) -> None:
    source = arxiv(server, "api", "/api/query")
    server.answer(api_path(source, 0), Reply(body=api_page(0, 499, 600)))
    server.answer(api_path(source, 495), Reply(body=api_page(520, 599, 600)))
    server.answer(api_path(source, 570), Reply(body=api_page(590, 599, 600)))
    listing = fetched(source, client)
    assert (listing.state, listing.note) == (ListingState.PARTIAL, "580 of 600 announced entries")


@pytest.mark.parametrize(
    ("reply", "note"),
    [
        (Reply(body=b""), "is empty"),
        (Reply(status=503), "503"),
        (Reply(body=api_page(0, -1, 900)), "500 of 900 announced entries"),
        (Reply(body=body("api_error.xml")), "incorrect id format"),
    ],
)
def test_a_failure_half_way_keeps_what_is_there(
    server: ReplayServer, client: HttpClient, reply: Reply, note: str
) -> None:
    source = arxiv(server, "api", "/api/query")
    server.answer(api_path(source, 0), Reply(body=api_page(0, 499, 900)))
    server.answer(api_path(source, 495), reply)
    listing = fetched(source, client)
    assert (len(listing.entries), listing.state) == (500, ListingState.PARTIAL)
    assert note in (listing.note or "")


def test_a_wait_asked_for_half_way_is_kept(server: ReplayServer, client: HttpClient) -> None:
    source = arxiv(server, "api", "/api/query")
    server.answer(api_path(source, 0), Reply(body=api_page(0, 499, 900)))
    server.answer(api_path(source, 495), Reply(status=429, headers={"Retry-After": "600"}))
    waits = [one.next_attempt_at for one in fetched(source, client).validators]
    assert waits == [None, NOW + timedelta(seconds=600)]


@pytest.mark.parametrize("reply", [Reply(body=b""), Reply(body=body("api_error.xml")), Reply(body=b"<html></html>")])
def test_an_unusable_first_page_is_a_source_error(server: ReplayServer, client: HttpClient, reply: Reply) -> None:
    source = arxiv(server, "api", "/api/query")
    server.answer(api_path(source, 0), reply)
    with pytest.raises(ParseError):
        source.fetch(client, FetchRequest(now=NOW))


def test_a_server_that_repeats_one_page_is_asked_no_more(server: ReplayServer, client: HttpClient) -> None:
    source = arxiv(server, "api", "/api/query")
    for start in (0, 5):
        server.answer(api_path(source, start), Reply(body=api_page(0, 9, 1000)))
    listing = fetched(source, client)
    assert (len(listing.entries), listing.state, len(server.requests)) == (10, ListingState.PARTIAL, 2)


def test_a_server_that_gives_less_than_asked_is_read_to_the_end(server: ReplayServer, client: HttpClient) -> None:
    source = arxiv(server, "api", "/api/query")
    for start in (0, 5, 10, 15):
        server.answer(api_path(source, start), Reply(body=api_page(start, min(start + 9, 22), 23)))
    listing = fetched(source, client)
    assert (len(listing.entries), listing.state) == (23, ListingState.COMPLETE)


def test_an_endless_query_is_left_in_the_end(
    server: ReplayServer, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MAX_PAGES", 3)
    source = arxiv(server, "api", "/api/query")
    for start in range(0, 30, 5):
        server.answer(api_path(source, start), Reply(body=api_page(start, start + 9, 1000)))
    listing = fetched(source, client)
    assert (len(listing.entries), listing.state, len(server.requests)) == (20, ListingState.PARTIAL, 3)
    assert "stopped after 3 pages" in (listing.note or "")


def test_a_query_beyond_arxivs_limit_is_partial(
    server: ReplayServer, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MAX_RESULTS", 900)
    source = arxiv(server, "api", "/api/query")
    server.answer(api_path(source, 0), Reply(body=api_page(0, 499, 2000)))
    listing = fetched(source, client)
    assert "at most 900 results" in (listing.note or "")
    assert listing.state is ListingState.PARTIAL


def test_a_weekend_is_quiet_without_asking(server: ReplayServer, client: HttpClient) -> None:
    listing = fetched(arxiv(server, "api", "/api/query"), client, date(2026, 4, 11))
    assert (listing.state, listing.listed_on, server.requests) == (ListingState.QUIET, date(2026, 4, 11), ())


def test_an_unchanged_first_page_is_unmodified(server: ReplayServer, client: HttpClient) -> None:
    source = arxiv(server, "api", "/api/query")
    server.answer(api_path(source, 0), Reply(body=api_page(0, 3, 4), etag='"q"'))
    stored = fetched(source, client).validators[0]
    again = source.fetch(client, FetchRequest(now=NOW, validators={stored.url: stored}))
    assert isinstance(again, Unmodified)


def test_unreadable_entries_count_as_read_when_paging(server: ReplayServer, client: HttpClient) -> None:
    source = arxiv(server, "api", "/api/query")
    server.answer(api_path(source, 0), Reply(body=api_page(0, 9, 20).replace(b"2604.00003v1", b"nonsense")))
    server.answer(api_path(source, 5), Reply(body=api_page(5, 14, 20)))
    server.answer(api_path(source, 10), Reply(body=api_page(10, 19, 20)))
    listing = fetched(source, client)
    assert (len(listing.entries), listing.dropped, listing.state) == (19, 1, ListingState.PARTIAL)
    assert listing.note == "1 of 20 entries could not be read"


# OAI-PMH.


def oai(source: ArxivSource, category: str | None = "cs.SE") -> str:
    return path_of(oai_url(source.settings, category=category, day=TODAY))


def resumed(source: ArxivSource, token: str) -> str:
    return path_of(oai_resume_url(source.settings, token))


def with_token(token: str, size: int | None = None) -> bytes:
    count = f' completeListSize="{size}"' if size else ""
    tail = f"<resumptionToken{count}>{token}</resumptionToken></ListRecords>"
    return body("oai_raw.xml").replace(b"</ListRecords>", tail.encode())


def other(content: bytes, prefix: bytes) -> bytes:
    return content.replace(b"2604.11111", prefix + b".00001").replace(b"2306.07487", prefix + b".00002")


def test_a_harvest_follows_its_resumption_tokens(server: ReplayServer, client: HttpClient) -> None:
    source = arxiv(server, "oai", "/oai")
    server.answer(oai(source), Reply(body=with_token("a|1", 4)))
    server.answer(resumed(source, "a|1"), Reply(body=other(with_token(""), b"2604")))
    listing = fetched(source, client)
    assert ids(listing) == ["2604.11111", "2306.07487", "2604.00001", "2604.00002"]
    assert (listing.state, listing.period, listing.listed_on) == (ListingState.COMPLETE, Period.DAY, TODAY)
    assert listing.url == server.url(oai(source))


def test_a_harvest_shorter_than_its_complete_size_is_partial(server: ReplayServer, client: HttpClient) -> None:
    source = arxiv(server, "oai", "/oai")
    server.answer(oai(source), Reply(body=with_token("a|1", 9)))
    server.answer(resumed(source, "a|1"), Reply(body=other(body("oai_raw.xml"), b"2604")))
    listing = fetched(source, client)
    assert (listing.state, listing.note) == (ListingState.PARTIAL, "4 of 9 records of a set")


def test_a_token_that_comes_twice_ends_the_harvest(server: ReplayServer, client: HttpClient) -> None:
    source = arxiv(server, "oai", "/oai")
    server.answer(oai(source), Reply(body=with_token("same")))
    server.answer(resumed(source, "same"), Reply(body=other(with_token("same"), b"2604")))
    listing = fetched(source, client)
    assert (listing.state, listing.note) == (ListingState.PARTIAL, "arXiv gave the same resumption token twice")
    assert len(server.requests) == 2


def test_an_endless_harvest_is_left_in_the_end(
    server: ReplayServer, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MAX_PAGES", 3)
    source = arxiv(server, "oai", "/oai")
    server.answer(oai(source), Reply(body=with_token("t0")))
    for number in range(5):
        server.answer(resumed(source, f"t{number}"), Reply(body=with_token(f"t{number + 1}")))
    assert fetched(source, client).note == "stopped after 3 pages"


def test_several_sets_are_one_listing_and_an_empty_set_misses_nothing(server: ReplayServer, client: HttpClient) -> None:
    source = arxiv(server, "oai", "/oai", "cs.SE hep-th")
    nothing = (
        b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><error code="noRecordsMatch">nothing</error></OAI-PMH>'
    )
    server.answer(oai(source), Reply(body=nothing))
    server.answer(oai(source, "hep-th"), Reply(body=body("oai_raw.xml")))
    listing = fetched(source, client)
    assert (len(listing.entries), listing.state) == (2, ListingState.COMPLETE)
    server.answer(oai(source, "hep-th"), Reply(body=nothing))
    assert fetched(source, client).state is ListingState.QUIET


def test_a_set_that_fails_keeps_the_others(server: ReplayServer, client: HttpClient) -> None:
    source = arxiv(server, "oai", "/oai", "cs.SE hep-th")
    server.answer(oai(source), Reply(body=body("oai_raw.xml")))
    listing = fetched(source, client)
    assert (len(listing.entries), listing.state) == (2, ListingState.PARTIAL)
    assert "404" in (listing.note or "")


def test_a_refused_harvest_is_a_source_error(server: ReplayServer, client: HttpClient) -> None:
    source = arxiv(server, "oai", "/oai")
    refusal = (
        b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><error code="badArgument">no set</error></OAI-PMH>'
    )
    server.answer(oai(source), Reply(body=refusal))
    with pytest.raises(ParseError, match="badArgument"):
        source.fetch(client, FetchRequest(now=NOW))


# All of them.


def test_without_a_category_nothing_can_be_fetched(client: HttpClient) -> None:
    with pytest.raises(SourceError, match=r'arxiv: no category is configured \(set e\.g\. category = "cs\.SE"'):
        ArxivSource("arxiv", {}).fetch(client, FetchRequest(now=NOW))


def test_a_query_needs_no_category(server: ReplayServer, client: HttpClient) -> None:
    source = ArxivSource("arxiv", {"query": "all:trace", "url": server.url("/api/query")})
    assert isinstance(source.settings, ArxivSettings)
    server.answer(api_path(source, 0), Reply(body=api_page(0, 1, 2)))
    assert len(fetched(source, client).entries) == 2


def test_unwanted_announce_types_are_left_out_of_what_is_fetched(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/list/cs.SE/new?skip=0&show=2000", Reply(body=body("list_new.html")))
    listing = fetched(arxiv(server, "listing", "/list", announce_types=["new"]), client)
    assert ids(listing) == ["2604.11111", "2604.33333"]
    assert (listing.state, listing.announced_count) == (ListingState.COMPLETE, 2)


@pytest.mark.parametrize("via", ["rss", "listing", "api", "oai"])
@pytest.mark.parametrize("error", [ValueError("odd"), RecursionError("deep")])
def test_a_parser_that_fails_unforeseen_is_a_parse_error_on_every_way(
    server: ReplayServer, client: HttpClient, monkeypatch: pytest.MonkeyPatch, via: str, error: Exception
) -> None:
    def fail(*given: object) -> None:
        raise error

    for parser in ("atom.parse", "oai.read_page", "listing_page.parse", "announce.read"):
        monkeypatch.setattr(f"paperdigest.sources.arxiv.{parser}", fail)
    source = arxiv(server, via, "/any")
    paths = {
        "rss": "/any/cs.SE",
        "listing": "/any/cs.SE/new?skip=0&show=2000",
        "api": api_path(source, 0),
        "oai": path_of(oai_url(source.settings, category="cs.SE", day=TODAY)),
    }
    server.answer(paths[via], Reply(body=body("rss.xml")))
    with pytest.raises(ParseError, match=str(error)):
        fetched(source, client, TODAY)
