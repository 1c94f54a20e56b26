"""The feed source over HTTP, against a real server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from paperdigest.errors import FetchError, ParseError
from paperdigest.http import HttpClient
from paperdigest.protocols import FetchRequest, Source
from paperdigest.sources.feed import FeedSource
from paperdigest.testing.manual_time import ManualTime
from paperdigest.testing.replay import ReplayServer, Reply
from paperdigest.types import Listing, ListingState, Unmodified

FEED = (Path(__file__).resolve().parents[1] / "data" / "feed" / "rss20.xml").read_bytes()
RELATIVE = b"<rss><channel><title>T</title><item><title>x</title><link>a/1</link></item></channel></rss>"


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as replay:
        yield replay


@pytest.fixture
def client() -> Iterator[HttpClient]:
    world = ManualTime()
    with HttpClient(contact=None, clock=world.clock, monotonic=world.monotonic, sleep=world.sleep) as made:
        yield made.view(allow_private=True)


def source(server: ReplayServer) -> FeedSource:
    return FeedSource("notes", {"url": server.url("/feed.xml")})


def test_a_feed_is_fetched_and_read_with_its_validators(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/feed.xml", Reply(body=FEED, etag='"1"'))
    listing = source(server).fetch(client, FetchRequest(now=ManualTime().clock()))
    assert isinstance(listing, Listing)
    assert (listing.source, listing.kind, listing.state) == ("notes", "feed", ListingState.COMPLETE)
    assert len(listing.entries) == 3
    assert listing.listed_on == date(2026, 4, 15)
    (validators,) = listing.validators
    assert (validators.url, validators.etag) == (server.url("/feed.xml"), '"1"')


def test_an_unchanged_feed_is_unmodified(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/feed.xml", Reply(body=FEED, etag='"1"'))
    now = ManualTime().clock()
    first = source(server).fetch(client, FetchRequest(now=now))
    known = {validators.url: validators for validators in first.validators}
    second = source(server).fetch(client, FetchRequest(now=now, validators=known))
    assert isinstance(second, Unmodified)
    assert second.validators[0].etag == '"1"'


def test_relative_links_count_from_where_the_feed_was_found(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/feed.xml", Reply(body=RELATIVE))
    listing = source(server).fetch(client, FetchRequest(now=ManualTime().clock(), day=date(2026, 4, 1)))
    assert isinstance(listing, Listing)
    assert listing.entries[0].paper.url == server.url("/a/1")
    assert listing.listed_on == date(2026, 4, 1)


def test_a_login_page_with_status_200_is_an_error_that_names_the_url(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/feed.xml", Reply(body=b"<!DOCTYPE html><html><body>Sign in</body></html>"))
    with pytest.raises(ParseError, match=r"/feed\.xml: an HTML page, not a feed"):
        source(server).fetch(client, FetchRequest(now=ManualTime().clock()))


def test_a_body_without_end_is_refused_while_it_is_fetched(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/feed.xml", Reply(body=b"<rss>" + b" " * (17 * 1024 * 1024)))
    with pytest.raises(FetchError):
        source(server).fetch(client, FetchRequest(now=ManualTime().clock()))


@pytest.mark.parametrize(
    "settings",
    [{}, {"url": "file:///etc/passwd"}, {"url": "feeds"}, {"url": "https://e.org", "colour": "red"}, {"url": 7}],
)
def test_wrong_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FeedSource("notes", settings)


def test_a_feed_keeps_no_calendar_and_no_past(server: ReplayServer) -> None:
    feed = source(server)
    calendar: Source = feed
    assert calendar.announces_on(date(2026, 4, 18)) is None
    assert not calendar.has_days()
