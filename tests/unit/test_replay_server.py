"""The replay server keeps to its script (asked with the standard library's client)."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing

import pytest

from paperdigest.testing.manual_time import ManualTime
from paperdigest.testing.replay import ReplayServer, Reply


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as replay:
        yield replay


def get(server: ReplayServer, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)) as connection:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()


def test_replies_come_in_turn_and_the_last_one_ever_after(server: ReplayServer) -> None:
    server.answer("/", Reply(status=503), Reply(body=b"a"), Reply(body=b"b"))
    assert [get(server, "/")[2] for _ in range(4)] == [b"", b"a", b"b", b"b"]


def test_a_path_is_its_query_too_and_an_unscripted_one_is_a_404(server: ReplayServer) -> None:
    server.answer("/?page=1", Reply(body=b"one"))
    assert get(server, "/?page=1")[2] == b"one"
    assert get(server, "/?page=2")[0] == 404


def test_requests_are_recorded(server: ReplayServer) -> None:
    get(server, "/x", X_Name="value")
    (request,) = server.requests
    assert (request.method, request.path, request.headers["x-name"]) == ("GET", "/x", "value")


def test_an_etag_is_answered_with_a_304_when_it_is_known(server: ReplayServer) -> None:
    server.answer("/", Reply(body=b"body", etag='"1"'))
    status, headers, body = get(server, "/")
    assert (status, headers["ETag"], body) == (200, '"1"', b"body")
    assert get(server, "/", If_None_Match='"1"')[::2] == (304, b"")
    assert get(server, "/", If_None_Match='"2"')[::2] == (200, b"body")


@pytest.mark.parametrize("reply", [Reply(body=b"x" * 9999, chunked=True), Reply(body=b"x" * 9, drip_s=0.0001)])
def test_a_body_arrives_whole_however_it_is_sent(server: ReplayServer, reply: Reply) -> None:
    server.answer("/", reply)
    assert get(server, "/")[2] == reply.body


def test_a_body_can_be_cut(server: ReplayServer) -> None:
    server.answer("/", Reply(body=b"0123456789", cut_after=4))
    with pytest.raises(http.client.IncompleteRead) as caught:
        get(server, "/")
    assert caught.value.partial == b"0123"


def test_bytes_can_be_sent_as_they_are(server: ReplayServer) -> None:
    server.answer("/", Reply(raw=b"nonsense\r\n\r\n"))
    with pytest.raises(http.client.BadStatusLine):
        get(server, "/")


def test_bytes_and_connections_are_counted(server: ReplayServer) -> None:
    server.answer("/", Reply(raw=b"HTTP/1.1 200 OK\r\n\r\n"))
    get(server, "/")
    get(server, "/")
    assert (server.bytes_sent, server.connections) == (2 * 19, 2)


def test_leaving_ends_every_delay() -> None:
    with ReplayServer() as server:
        server.answer("/", Reply(delay_s=3600))
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        connection.request("GET", "/")
    with closing(connection), pytest.raises((http.client.HTTPException, OSError)):
        connection.getresponse()


def test_a_script_needs_a_reply_and_a_url_a_running_server() -> None:
    with pytest.raises(ValueError, match="at least one"):
        ReplayServer().answer("/")
    with pytest.raises(RuntimeError, match="not running"):
        ReplayServer().url()


def test_manual_time_passes_only_when_told() -> None:
    world = ManualTime()
    start = world.clock()
    world.sleep(5)
    world.advance(2)
    assert (world.monotonic(), (world.clock() - start).total_seconds(), world.slept) == (7, 7, [5])
    hurried = ManualTime(step_s=2)
    assert [hurried.monotonic(), hurried.monotonic()] == [2, 4]
