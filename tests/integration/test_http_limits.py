"""What a hostile or broken server may cost: time, bytes, memory."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest

from paperdigest.errors import FetchError
from paperdigest.http import HttpClient, Request
from paperdigest.testing.manual_time import ManualTime
from paperdigest.testing.replay import ReplayServer, Reply

MIB = 1024 * 1024


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as replay:
        yield replay


def make(world: ManualTime) -> HttpClient:
    client = HttpClient(contact=None, clock=world.clock, monotonic=world.monotonic, sleep=world.sleep)
    return client.view(allow_private=True)


@pytest.fixture
def client() -> Iterator[HttpClient]:
    with make(ManualTime()) as made:
        yield made


def bomb(mebibytes: int) -> bytes:
    """A gzip body that unpacks to so many MiB of zeros: one compressed block, over and over."""
    packer = zlib.compressobj(9, wbits=31)
    head = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * (mebibytes - 1)


def test_a_gzip_bomb_costs_no_more_than_the_cap(server: ReplayServer, client: HttpClient) -> None:
    packed = bomb(1024)
    assert len(packed) < 1.1 * MIB
    server.answer("/", Reply(body=packed, headers={"Content-Encoding": "gzip"}))
    tracemalloc.start()
    try:
        with pytest.raises(FetchError, match="larger than the 8,388,608 bytes") as caught:
            client.get(Request(url=server.url(), max_body_bytes=8 * MIB))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.permanent
    assert peak < 16 * MIB


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_may_be_as_large_as_the_cap_and_no_larger(
    server: ReplayServer, client: HttpClient, encoding: str, chunked: bool
) -> None:
    body = bytes(range(256)) * 400
    packed = gzip.compress(body) if encoding == "gzip" else body
    server.answer("/", Reply(body=packed, headers={"Content-Encoding": encoding}, chunked=chunked))
    assert client.get(Request(url=server.url(), max_body_bytes=len(body))).body == body
    with pytest.raises(FetchError, match="larger than"):
        client.get(Request(url=server.url(), max_body_bytes=len(body) - 1))


def test_an_announced_length_beyond_the_cap_is_refused_unread(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/", Reply(headers={"Content-Length": str(2**40)}, body=b"x"))
    with pytest.raises(FetchError, match="larger than"):
        client.get(Request(url=server.url()))


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=b"x" * 500, drip_s=0.001),
        Reply(body=b"x" * 500, drip_s=0.001, chunked=True),
        Reply(body=gzip.compress(bytes(50 * MIB))[:500], drip_s=0.001, headers={"Content-Encoding": "gzip"}),
        Reply(headers={"X-Filler": "x" * 500}, drip_s=0.001, drip_head=True),
        Reply(raw=b"HTTP/1.1 100 Continue\r\n\r\n" * 50, drip_s=0.001),
    ],
    ids=["body", "chunks", "gzip", "head", "continue"],
)
def test_a_drip_ends_at_the_deadline(server: ReplayServer, reply: Reply) -> None:
    """The clock passes a second at each look, and each byte needs at least one: 60 of them at most."""
    server.answer("/", reply)
    with make(ManualTime(step_s=1)) as client, pytest.raises(FetchError, match="not complete after 60 s") as caught:
        client.get(Request(url=server.url()))
    assert (caught.value.permanent, caught.value.status) == (False, None)


def test_the_deadline_covers_all_redirects_together(server: ReplayServer) -> None:
    server.answer("/a", Reply(status=302, headers={"Location": "/b"}))
    server.answer("/b", Reply(status=302, headers={"Location": "/c"}))
    server.answer("/c", Reply(body=b"x" * 50, drip_s=0.001))
    with make(ManualTime(step_s=4)) as client, pytest.raises(FetchError, match="not complete after 60 s"):
        client.get(Request(url=server.url("/a")))
    assert [request.path for request in server.requests][:2] == ["/a", "/b"]


def test_a_silent_server_is_given_up(server: ReplayServer) -> None:
    world = ManualTime()
    server.answer("/", Reply(delay_s=30))
    client = HttpClient(contact=None, clock=world.clock, monotonic=world.monotonic, read_timeout_s=0.05)
    with client, pytest.raises(FetchError, match="fell silent"):
        client.view(allow_private=True).get(Request(url=server.url()))


def test_our_own_pauses_do_not_count_against_the_server(server: ReplayServer) -> None:
    world = ManualTime()
    server.answer("/", Reply(body=b"x"))
    client = HttpClient(
        contact=None,
        clock=world.clock,
        monotonic=world.monotonic,
        sleep=world.sleep,
        resolver=lambda host, port: ["127.0.0.1"],
        deadline_s=2,
    )
    with client:
        view = client.view(allow_private=True)
        bodies = [view.get(Request(url=server.url(host="export.arxiv.org"))).body for _ in range(2)]
    assert (bodies, world.slept) == ([b"x", b"x"], [3])


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * 500_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"1;" + b"e" * 30_000 + b"\r\nx\r\n") * 60,
    ],
    ids=["continue", "trailers", "chunk extensions"],
)
def test_what_is_no_body_is_capped_too(server: ReplayServer, client: HttpClient, raw: bytes) -> None:
    server.answer("/", Reply(raw=raw))
    with pytest.raises(FetchError, match="sends without end") as caught:
        client.get(Request(url=server.url(), max_body_bytes=1000))
    assert caught.value.permanent


def test_an_endless_body_of_a_redirect_is_not_read(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/a", Reply(status=302, headers={"Location": "/b"}, body=bytes(20 * MIB)))
    server.answer("/b", Reply(body=b"here"))
    assert client.get(Request(url=server.url("/a"), max_body_bytes=1000)).body == b"here"
