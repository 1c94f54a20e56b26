"""The client against a real server on loopback: replies, conditions, errors in words."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import paperdigest
from paperdigest.errors import FetchError
from paperdigest.http import HttpClient, Request, Response
from paperdigest.testing.manual_time import ManualTime
from paperdigest.testing.replay import ReplayServer, Reply
from paperdigest.types import Validators

FEED = b"<feed>" + b"papers and more papers " * 500 + b"</feed>"
MODIFIED = "Wed, 15 Apr 2026 00:00:00 GMT"


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as replay:
        yield replay


@pytest.fixture
def world() -> ManualTime:
    return ManualTime()


@pytest.fixture
def client(world: ManualTime) -> Iterator[HttpClient]:
    with make(world) as made:
        yield made


def only_loopback(host: str, port: int) -> list[str]:
    if host != "127.0.0.1":
        raise OSError("no names in this test")
    return [host]


def make(world: ManualTime, **more: object) -> HttpClient:
    options: dict[str, object] = {"contact": "https://example.org/papers", "resolver": only_loopback, **more}
    client = HttpClient(clock=world.clock, monotonic=world.monotonic, sleep=world.sleep, **options)  # type: ignore[arg-type]  # options vary by test
    return client.view(allow_private=True)


def test_a_body_comes_back_whole_with_its_final_url_and_validators(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/f?a=1", Reply(body=FEED, etag='"1"', headers={"Last-Modified": MODIFIED, "X-Some": "yes"}))
    response = client.get(Request(url=server.url("/f?a=1"), accept="application/atom+xml"))
    assert (response.status, response.body, response.unmodified) == (200, FEED, False)
    assert response.url == server.url("/f?a=1")
    assert response.headers["x-some"] == "yes"
    assert response.retrieved_at == datetime(2026, 4, 15, 6, 0, tzinfo=UTC)
    assert response.validators == Validators(url=server.url("/f?a=1"), etag='"1"', last_modified=MODIFIED)


def test_we_say_who_we_are_and_what_we_understand(server: ReplayServer, world: ManualTime) -> None:
    server.answer("/", Reply())
    make(world).get(Request(url=server.url(), accept="text/html"))
    make(world, contact=None).get(Request(url=server.url()))
    named, nameless = (request.headers for request in server.requests)
    assert named["user-agent"] == f"paperdigest/{paperdigest.__version__} (+https://example.org/papers)"
    assert nameless["user-agent"] == f"paperdigest/{paperdigest.__version__} (no contact configured)"
    assert (named["accept"], nameless["accept"]) == ("text/html", "*/*")
    assert named["accept-encoding"] == "gzip, deflate"
    assert "cookie" not in named
    assert "if-none-match" not in named


@pytest.mark.parametrize("contact", ["", "a\r\nX: y", "(nested)", "Jürgen"])
def test_a_contact_that_cannot_stand_in_a_header_is_refused(world: ManualTime, contact: str) -> None:
    with pytest.raises(ValueError, match="contact"):
        make(world, contact=contact)


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(FEED)),
        ("x-gzip", gzip.compress(FEED)),
        ("GZIP", gzip.compress(FEED[:99]) + gzip.compress(FEED[99:])),
        ("gzip", gzip.compress(FEED) + b"\0" * 512),
        ("gzip", gzip.compress(FEED) + b"garbage"),
        ("deflate", zlib.compress(FEED)),
        ("deflate", raw_deflate(FEED)),
        ("identity", FEED),
    ],
    ids=["gzip", "x-gzip", "members", "padded", "followed", "zlib", "raw deflate", "identity"],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_compressed_bodies_are_unpacked(
    server: ReplayServer, client: HttpClient, encoding: str, packed: bytes, chunked: bool
) -> None:
    server.answer("/", Reply(body=packed, headers={"Content-Encoding": encoding}, chunked=chunked))
    assert client.get(Request(url=server.url())).body == FEED


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(body=gzip.compress(FEED)[:-9], headers={"Content-Encoding": "gzip"}), "cut off"),
        (Reply(body=FEED, headers={"Content-Encoding": "gzip"}), "not the gzip data"),
        (Reply(body=FEED, headers={"Content-Encoding": "br"}), "encoded as 'br'"),
        (Reply(body=gzip.compress(b"") * 200, headers={"Content-Encoding": "gzip"}), "members"),
        (Reply(body=FEED, cut_after=100), "connection failed"),
        (Reply(body=FEED, chunked=True, cut_after=100), "connection failed"),
        (Reply(raw=b""), "connection failed"),
        (Reply(raw=b"SSH-2.0-OpenSSH_9.2\r\n"), "connection failed"),
        (Reply(raw=b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n"), "connection failed"),
    ],
    ids=["cut gzip", "plain", "brotli", "members", "short", "short chunks", "empty", "not http", "many headers"],
)
def test_a_damaged_reply_is_an_error_in_words(
    server: ReplayServer, client: HttpClient, reply: Reply, words: str
) -> None:
    server.answer("/", reply)
    with pytest.raises(FetchError, match=words) as caught:
        client.get(Request(url=server.url()))
    assert caught.value.url == server.url()
    assert not caught.value.permanent
    assert "object at 0x" not in str(caught.value)


def test_a_server_that_hangs_up_without_a_word_is_asked_once_more(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/a", Reply(raw=b""), Reply(body=FEED))
    server.answer("/b", Reply(raw=b""))
    assert client.get(Request(url=server.url("/a"))).body == FEED
    with pytest.raises(FetchError, match="connection failed"):
        client.get(Request(url=server.url("/b")))
    assert [request.path for request in server.requests] == ["/a", "/a", "/b", "/b"]


def test_an_empty_body_is_the_parsers_to_judge(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/", Reply())
    assert client.get(Request(url=server.url())).body == b""


def test_nobody_listening_is_said_in_words(world: ManualTime) -> None:
    with ReplayServer() as gone:
        url = gone.url()
    with pytest.raises(FetchError, match=r"no connection to 127\.0\.0\.1, port .*refused") as caught:
        make(world).get(Request(url=url))
    assert (caught.value.status, caught.value.permanent) == (None, False)


# --- conditional requests


@pytest.mark.parametrize("etag", ["W/\"x 'y' \xe9\"", '"plain"', "no-quotes", '"a","b"'])
def test_validators_are_sent_back_byte_for_byte(server: ReplayServer, client: HttpClient, etag: str) -> None:
    odd_date = "Wed, 15-Apr-2026 0:00:00 UTC"
    server.answer("/", Reply(body=FEED, etag=etag, headers={"Last-Modified": odd_date}))
    first = client.get(Request(url=server.url()))
    again = client.get(Request(url=server.url(), validators=first.validators))
    assert server.requests[1].headers["if-none-match"] == etag
    assert server.requests[1].headers["if-modified-since"] == odd_date
    assert (again.status, again.unmodified, again.body) == (304, True, b"")
    assert again.validators == first.validators


def test_a_304_updates_what_it_states_and_keeps_the_rest(server: ReplayServer, client: HttpClient) -> None:
    later = "Thu, 16 Apr 2026 00:00:00 GMT"
    stored = Validators(url=server.url(), etag='"old"', last_modified=MODIFIED)
    server.answer("/", Reply(status=304, headers={"Last-Modified": later}), Reply(status=304, etag='"new"'))
    assert client.get(Request(url=server.url(), validators=stored)).validators == Validators(
        url=server.url(), etag='"old"', last_modified=later
    )
    assert client.get(Request(url=server.url(), validators=stored)).validators == Validators(
        url=server.url(), etag='"new"', last_modified=MODIFIED
    )


def test_a_new_body_without_validators_forgets_the_old_ones(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/", Reply(body=FEED))
    response = client.get(Request(url=server.url(), validators=Validators(url=server.url(), etag='"old"')))
    assert response.validators == Validators(url=server.url())


def test_a_304_that_nobody_asked_for_is_an_error(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/", Reply(status=304))
    with pytest.raises(FetchError, match="no copy"):
        client.get(Request(url=server.url()))


@pytest.mark.parametrize(
    ("stored", "modified", "unmodified"),
    [
        (Validators(url="u", etag='"same"'), None, True),
        (Validators(url="u", etag='"same"', last_modified=MODIFIED), MODIFIED, True),
        (Validators(url="u", etag='"same"', last_modified=MODIFIED), "Thu, 16 Apr 2026 00:00:00 GMT", False),
        (Validators(url="u", etag='"other"'), None, False),
    ],
)
def test_a_200_with_the_stored_strong_etag_is_unmodified(
    server: ReplayServer, client: HttpClient, stored: Validators, modified: str | None, unmodified: bool
) -> None:
    headers = {"ETag": '"same"'} | ({"Last-Modified": modified} if modified else {})
    server.answer("/", Reply(body=FEED, headers=headers))
    response = client.get(Request(url=server.url(), validators=stored))
    assert (response.unmodified, response.body == b"") == (unmodified, unmodified)


@pytest.mark.parametrize("etag", ['W/"weak"', '""', "bare"])
def test_a_200_with_a_weak_or_empty_etag_is_a_new_body(server: ReplayServer, client: HttpClient, etag: str) -> None:
    server.answer("/", Reply(body=FEED, headers={"ETag": etag}))
    response = client.get(Request(url=server.url(), validators=Validators(url="u", etag=etag)))
    assert (response.unmodified, response.body) == (False, FEED)


def test_a_validator_too_long_to_keep_is_not_kept(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/", Reply(body=FEED, headers={"ETag": '"' + "x" * 5000 + '"'}))
    assert client.get(Request(url=server.url())).validators.etag is None


@pytest.mark.parametrize("etag", ['"☃"', '"a\r\nX: y"', "", '"' + "x" * 5000 + '"'])
def test_a_stored_validator_that_cannot_be_sent_is_left_out(
    server: ReplayServer, client: HttpClient, etag: str
) -> None:
    server.answer("/", Reply(body=FEED))
    assert client.get(Request(url=server.url(), validators=Validators(url="u", etag=etag))).body == FEED
    assert "if-none-match" not in server.requests[0].headers


# --- statuses


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(400, True), (403, True), (404, True), (408, False), (500, False), (502, False), (204, False), (299, False)],
)
def test_other_statuses_raise_and_say_whether_trying_again_helps(
    server: ReplayServer, client: HttpClient, status: int, permanent: bool
) -> None:
    server.answer("/", Reply(status=status))
    with pytest.raises(FetchError, match=f"answered {status}") as caught:
        client.get(Request(url=server.url()))
    assert (caught.value.status, caught.value.permanent, caught.value.gone) == (status, permanent, False)
    assert bool(client.waits) == (status == 403)


def test_a_410_is_for_good_and_is_not_asked_again(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/", Reply(status=410))
    with pytest.raises(FetchError) as caught:
        client.get(Request(url=server.url()))
    assert (caught.value.gone, caught.value.permanent) == (True, True)
    with pytest.raises(FetchError, match="gone for good") as caught:
        client.get(Request(url=server.url(), validators=Validators(url=server.url(), gone=True)))
    assert (caught.value.gone, caught.value.permanent, len(server.requests)) == (True, True, 1)


def test_an_error_for_machines_is_quoted_and_a_page_for_people_is_not(server: ReplayServer, client: HttpClient) -> None:
    atom = b"<feed><entry><title>Error</title><summary>incorrect id\n format</summary></entry></feed>"
    server.answer(
        "/json", Reply(status=400, body=b'{"error":"Invalid date"}', headers={"Content-Type": "application/json"})
    )
    server.answer(
        "/atom", Reply(status=400, body=atom, headers={"Content-Type": "application/atom+xml; charset=utf-8"})
    )
    server.answer("/html", Reply(status=400, body=b"<p>Oops", headers={"Content-Type": "text/html"}))
    said = []
    for path in ("/json", "/atom", "/html"):
        with pytest.raises(FetchError) as caught:
            client.get(Request(url=server.url(path)))
        said.append(caught.value.problem)
    assert said == [
        'the server answered 400 Bad Request: {"error":"Invalid date"}',
        "the server answered 400 Bad Request: Error incorrect id format",
        "the server answered 400 Bad Request",
    ]


def test_a_stored_pause_is_kept_without_a_request(server: ReplayServer, client: HttpClient, world: ManualTime) -> None:
    server.answer("/", Reply(body=FEED))
    until = world.clock() + timedelta(minutes=1)
    stored = Validators(url=server.url(), next_attempt_at=until)
    with pytest.raises(FetchError, match="06:01:00Z") as caught:
        client.get(Request(url=server.url(), validators=stored))
    assert (caught.value.next_attempt_at, server.requests) == (until, ())
    world.advance(60)
    assert client.get(Request(url=server.url(), validators=stored)).validators.next_attempt_at is None


def test_connections_are_kept_and_shared_by_views(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/", Reply(body=FEED))
    server.answer("/404", Reply(status=404, body=b"short"))
    server.answer("/to", Reply(status=302, headers={"Location": "/"}))
    server.answer("/304", Reply(status=304))
    for _ in range(3):
        client.get(Request(url=server.url()))
        client.view(allow_private=True).get(Request(url=server.url("/to")))
        client.get(Request(url=server.url("/304"), validators=Validators(url="u", etag='"1"')))
    assert server.connections == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.sampled_from(
        [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 302 Found\r\nLocation: ", b"HTTP/1.0 429 x\r\nRetry-After: "]
    ),
    rest=st.binary(max_size=200),
)
def test_any_bytes_for_a_reply_give_a_response_or_a_fetch_error(
    server: ReplayServer, world: ManualTime, head: bytes, rest: bytes
) -> None:
    server.answer("/", Reply(raw=head + rest))
    with make(world) as client:
        try:
            outcome: object = client.get(Request(url=server.url()))
        except FetchError as error:
            outcome = error
            assert str(error)
    assert isinstance(outcome, Response | FetchError)
