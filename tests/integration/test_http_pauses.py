"""Pauses that servers ask for: obeyed, never slept through, handed on to the next run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from paperdigest.errors import FetchError
from paperdigest.http import HttpClient, Job, Request, run_by_host
from paperdigest.testing.manual_time import ManualTime
from paperdigest.testing.replay import ReplayServer, Reply


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as replay:
        yield replay


@pytest.fixture
def world() -> ManualTime:
    return ManualTime()


def make(world: ManualTime, waits: dict[str, datetime] | None = None) -> HttpClient:
    client = HttpClient(
        contact=None,
        clock=world.clock,
        monotonic=world.monotonic,
        sleep=world.sleep,
        waits=waits,
        resolver=lambda host, port: ["127.0.0.1"],
    )
    return client.view(allow_private=True)


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"Retry-After": "90"}, 90),
        (429, {"Retry-After": "Wed, 15 Apr 2026 06:01:30 GMT"}, 90),
        (429, {"RateLimit": '"api";r=0;t=123'}, 123),
        (429, {}, 300),
        (503, {"Retry-After": "90"}, 90),
        (503, {"Retry-After": "Wed, 15 Apr 2026 06:01:30 GMT"}, 90),
        (403, {"Retry-After": "90"}, 90),
        (404, {"Retry-After": "90"}, 90),
    ],
)
def test_a_pause_is_refused_at_once_and_outlives_the_client(
    server: ReplayServer, world: ManualTime, status: int, headers: dict[str, str], seconds: int
) -> None:
    server.answer("/a", Reply(status=status, headers=headers))
    server.answer("/b", Reply(body=b"here"))
    until = world.clock() + timedelta(seconds=seconds)
    with make(world) as first:
        with pytest.raises(FetchError, match=f"answered {status}") as caught:
            first.get(Request(url=server.url("/a")))
        assert (caught.value.status, caught.value.next_attempt_at, caught.value.permanent) == (status, until, False)
        waits = first.waits
    assert waits == {f"127.0.0.1:{server.port}": until}
    with make(world, waits) as next_run:
        with pytest.raises(FetchError, match=f"{until:%H:%M:%SZ}") as caught:
            next_run.get(Request(url=server.url("/b")))
        assert (caught.value.status, caught.value.next_attempt_at, len(server.requests)) == (None, until, 1)
        world.advance(seconds)
        assert next_run.get(Request(url=server.url("/b"))).body == b"here"
    assert world.slept == []


def test_a_403_puts_its_host_off_for_an_hour(server: ReplayServer, world: ManualTime) -> None:
    server.answer("/a", Reply(status=403))
    server.answer("/b", Reply(body=b"here"))
    with make(world) as client:
        with pytest.raises(FetchError, match="answered 403") as caught:
            client.get(Request(url=server.url("/a")))
        assert caught.value.permanent
        with pytest.raises(FetchError, match="refused us") as caught:
            client.get(Request(url=server.url("/b")))
        assert caught.value.next_attempt_at == world.clock() + timedelta(hours=1)
        assert len(server.requests) == 1
        world.advance(3600)
        assert client.get(Request(url=server.url("/b"))).body == b"here"


def test_a_503_that_says_nothing_puts_no_one_else_off(server: ReplayServer, world: ManualTime) -> None:
    server.answer("/a", Reply(status=503))
    server.answer("/b", Reply(body=b"here"))
    with make(world) as client:
        with pytest.raises(FetchError, match=r"503 Service Unavailable.*next run") as caught:
            client.get(Request(url=server.url("/a")))
        assert caught.value.next_attempt_at is None
        assert client.get(Request(url=server.url("/b"))).body == b"here"


def test_the_last_reply_of_a_window_is_taken_and_the_next_request_not_made(
    server: ReplayServer, world: ManualTime
) -> None:
    server.answer("/api/x", Reply(body=b"[]", headers={"RateLimit": '"api";r=0;t=60'}))
    server.answer("/papers", Reply(body=b"page"))
    with make(world) as client:
        assert client.get(Request(url=server.url("/api/x", host="huggingface.co"))).body == b"[]"
        with pytest.raises(FetchError, match=r"huggingface\.co asked for a pause"):
            client.get(Request(url=server.url("/api/x", host="huggingface.co")))
        assert client.get(Request(url=server.url("/papers", host="huggingface.co"))).body == b"page"
        assert client.waits == {"huggingface.co:api": world.clock() + timedelta(seconds=60)}


def test_one_arxiv_host_that_wants_a_pause_speaks_for_all_and_no_one_else(
    server: ReplayServer, world: ManualTime
) -> None:
    server.answer("/a", Reply(status=429, headers={"Retry-After": "60"}))
    server.answer("/b", Reply(body=b"here"))
    urls = {
        "api": server.url("/a", host="export.arxiv.org"),
        "feed": server.url("/b", host="rss.arxiv.org"),
        "page": server.url("/b", host="arxiv.org"),
        "other": server.url("/b", host="example.org"),
    }
    with make(world) as client:

        def get(url: str) -> bytes:
            return client.get(Request(url=url)).body

        jobs: list[Job[bytes]] = [client.job(name, url, lambda url=url: get(url)) for name, url in urls.items()]  # type: ignore[misc]  # a default binds url
        outcomes = {outcome.name: outcome for outcome in run_by_host(jobs)}
    assert outcomes["other"].value == b"here"
    assert all(isinstance(outcomes[name].error, FetchError) for name in ("api", "feed", "page"))
    assert sorted(request.path for request in server.requests) == ["/a", "/b"]
    assert world.slept == []
