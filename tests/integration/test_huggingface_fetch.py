"""Fetching against a real server on loopback: paging, conditions, redirects to another day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from paperdigest.errors import FetchError, ParseError
from paperdigest.http import HttpClient
from paperdigest.protocols import FetchRequest, Source
from paperdigest.sources.huggingface import HuggingFaceSource
from paperdigest.testing.manual_time import ManualTime
from paperdigest.testing.replay import ReplayServer, Reply
from paperdigest.types import Listing, ListingState, Period, Unmodified, Validators
from tests.huggingface_bodies import api, day_props, item, page

TUESDAY = date(2026, 4, 14)
NOW = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)
API = "/api/daily_papers"
FIRST = f"{API}?date=2026-04-14&limit=3"


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as replay:
        yield replay


@pytest.fixture
def client() -> Iterator[HttpClient]:
    time = ManualTime()
    with HttpClient(contact=None, clock=time.clock, monotonic=time.monotonic, sleep=time.sleep) as made:
        yield made.view(allow_private=True)


def source(server: ReplayServer, path: str = API, limit: int = 3) -> HuggingFaceSource:
    return HuggingFaceSource("papers", {"url": server.url(path), "limit": limit})


def asked(day: date | None = TUESDAY, validators: Mapping[str, Validators] | None = None) -> FetchRequest:
    return FetchRequest(now=NOW, day=day, validators=validators or {})


def fetched(made: Source, client: HttpClient, request: FetchRequest) -> Listing:
    found = made.fetch(client, request)
    assert isinstance(found, Listing)
    return found


def test_pages_are_fetched_while_full_ones_come_and_each_paper_kept_once(
    server: ReplayServer, client: HttpClient
) -> None:
    server.answer(FIRST, Reply(body=api(item(1), item(2), item(3)), etag='"a"'))
    server.answer(f"{FIRST}&p=1", Reply(body=api(item(3), item(4), item(5)), etag='"b"'))
    server.answer(f"{FIRST}&p=2", Reply(body=api(item(6))))
    listing = fetched(source(server), client, asked())
    assert [(entry.paper.id.local[-1], entry.rank) for entry in listing.entries] == [
        (str(number), number) for number in range(1, 7)
    ]
    assert (listing.state, listing.note, listing.listed_on) == (ListingState.COMPLETE, None, TUESDAY)
    assert listing.validators == (Validators(url=server.url(FIRST)),)
    assert len(server.requests) == 3
    assert {request.headers["accept"] for request in server.requests} == {"application/json"}


def test_a_last_page_that_is_empty_ends_the_day_well(server: ReplayServer, client: HttpClient) -> None:
    server.answer(FIRST, Reply(body=api(item(1), item(2), item(3))))
    server.answer(f"{FIRST}&p=1", Reply(body=b"[]"))
    listing = fetched(source(server), client, asked())
    assert (len(listing.entries), listing.state) == (3, ListingState.COMPLETE)


def test_a_server_that_never_ends_is_left_after_a_bounded_number_of_pages(
    server: ReplayServer, client: HttpClient
) -> None:
    for number in range(40):
        path = FIRST if number == 0 else f"{FIRST}&p={number}"
        server.answer(path, Reply(body=api(*(item(3 * number + one) for one in range(3)))))
    listing = fetched(source(server), client, asked())
    assert (len(server.requests), len(listing.entries)) == (20, 60)
    assert (listing.state, listing.note) == (ListingState.PARTIAL, "stopped after 20 full pages of 3")


def test_items_that_were_dropped_make_the_day_partial(server: ReplayServer, client: HttpClient) -> None:
    server.answer(FIRST, Reply(body=api(item(1), item(2, paper={"title": None}, title=None))))
    listing = fetched(source(server), client, asked())
    assert (listing.state, listing.dropped) == (ListingState.PARTIAL, 1)
    assert "1 entries" in (listing.note or "")


def test_an_unchanged_first_page_is_all_that_is_asked_for(server: ReplayServer, client: HttpClient) -> None:
    server.answer(FIRST, Reply(body=api(item(1)), etag='W/"x"'))
    first = fetched(source(server), client, asked())
    known = {validators.url: validators for validators in first.validators}
    again = source(server).fetch(client, asked(validators=known))
    assert isinstance(again, Unmodified)
    assert (again.source, again.kind, again.listed_on) == ("papers", "huggingface", TUESDAY)
    assert [validators.etag for validators in again.validators] == ['W/"x"']


def test_a_change_on_the_second_page_is_seen_though_the_first_is_unchanged(
    server: ReplayServer, client: HttpClient
) -> None:
    server.answer(FIRST, Reply(body=api(item(1), item(2), item(3)), etag='"a"'))
    server.answer(f"{FIRST}&p=1", Reply(body=api(item(4))), Reply(body=api(item(4), item(5))))
    first = fetched(source(server), client, asked())
    known = {validators.url: validators for validators in first.validators}
    again = fetched(source(server), client, asked(validators=known))
    assert (len(first.entries), len(again.entries)) == (4, 5)


def test_without_a_day_the_current_one_is_asked_for(server: ReplayServer, client: HttpClient) -> None:
    path = f"{API}?date=2026-04-15&limit=3"
    server.answer(path, Reply(body=b"[]"))
    listing = fetched(source(server), client, asked(day=None))
    assert (listing.state, listing.listed_on) == (ListingState.QUIET, date(2026, 4, 15))
    assert listing.url == server.url(path)


def test_a_body_of_another_day_is_refused_with_both_days(server: ReplayServer, client: HttpClient) -> None:
    server.answer(f"{API}?date=2026-04-10&limit=3", Reply(body=api(item(1), item(2))))
    with pytest.raises(ParseError, match="asked for 2026-04-10, but this is the listing of 2026-04-14"):
        source(server).fetch(client, asked(date(2026, 4, 10)))


@pytest.mark.parametrize(
    ("target", "found"),
    [("/papers/date/2026-04-13", "2026-04-13"), ("/papers/week/2026-W15", "2026-04-06"), ("/papers/trending", "tren")],
)
def test_a_redirect_to_another_day_or_period_is_refused(
    server: ReplayServer, client: HttpClient, target: str, found: str
) -> None:
    server.answer("/papers/date/2026-04-14", Reply(status=302, headers={"Location": target}))
    server.answer(target, Reply(body=page({"dailyPapers": [item(1)]})))
    with pytest.raises(ParseError, match=f"asked for 2026-04-14, but was led to .*{found}"):
        source(server, "/papers/date/{day}").fetch(client, asked())


def test_a_redirect_to_the_newest_page_is_noticed_by_what_the_page_says(
    server: ReplayServer, client: HttpClient
) -> None:
    server.answer("/papers/date/2026-04-12", Reply(status=302, headers={"Location": "/papers"}))
    server.answer("/papers", Reply(body=page(day_props(item(1)))))
    with pytest.raises(ParseError, match="asked for 2026-04-12, but this is the listing of 2026-04-14"):
        source(server, "/papers/date/{day}").fetch(client, asked(date(2026, 4, 12)))


def test_the_same_day_at_a_new_address_is_taken(server: ReplayServer, client: HttpClient) -> None:
    server.answer(FIRST, Reply(status=301, headers={"Location": "/api/v2/papers?date=2026-04-14&limit=3"}))
    server.answer("/api/v2/papers?date=2026-04-14&limit=3", Reply(body=api(item(1))))
    listing = fetched(source(server), client, asked())
    assert len(listing.entries) == 1
    assert listing.validators[0].moved_to == server.url("/api/v2/papers?date=2026-04-14&limit=3")


def test_a_refused_day_is_a_fetch_error(server: ReplayServer, client: HttpClient) -> None:
    server.answer(FIRST, Reply(status=400, body=b'{"error": "date is in the future"}'))
    with pytest.raises(FetchError) as caught:
        source(server).fetch(client, asked())
    assert caught.value.status == 400


def test_a_failure_on_a_later_page_fails_the_day(server: ReplayServer, client: HttpClient) -> None:
    server.answer(FIRST, Reply(body=api(item(1), item(2), item(3))))
    server.answer(f"{FIRST}&p=1", Reply(body=b"<html>Please wait</html>"))
    with pytest.raises(ParseError, match="no Daily Papers page"):
        source(server).fetch(client, asked())


def test_a_page_of_no_day_keeps_no_calendar(server: ReplayServer, client: HttpClient) -> None:
    trending = source(server, "/papers/trending")
    server.answer("/papers/trending", Reply(body=page(day_props(item(1))), etag='"t"'))
    listing = fetched(trending, client, asked(day=None))
    assert (listing.period, listing.listed_on) == (Period.TRENDING, date(2026, 4, 15))
    assert (trending.has_days(), trending.announces_on(TUESDAY)) == (False, None)
    known = {validators.url: replace(validators) for validators in listing.validators}
    assert isinstance(trending.fetch(client, asked(day=None, validators=known)), Unmodified)


def test_day_pages_are_fetched_whole_in_one_request(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/papers/date/2026-04-14", Reply(body=page(day_props(*(item(number) for number in range(77))))))
    made = source(server, "/papers/date/{day}")
    listing = fetched(made, client, asked())
    assert (len(listing.entries), listing.state, made.has_days()) == (77, ListingState.COMPLETE, True)


def test_the_calendar_is_weekdays() -> None:
    made = HuggingFaceSource("papers", {})
    week = [date(2026, 4, 13 + days) for days in range(7)]
    assert [made.announces_on(day) for day in week] == [True] * 5 + [False] * 2
    assert made.has_days()


@pytest.mark.parametrize(
    ("settings", "key"),
    [({"limit": 101}, "limit"), ({"limit": 0}, "limit"), ({"url": "ftp://x"}, "url"), ({"pages": 3}, "pages")],
)
def test_settings_that_cannot_be_meant_are_refused_by_key(settings: dict[str, object], key: str) -> None:
    with pytest.raises(ValidationError) as caught:
        HuggingFaceSource("papers", settings)
    assert [error["loc"] for error in caught.value.errors()] == [(key,)]
