"""Redirects: which are followed, which are remembered, which are refused."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from paperdigest.errors import FetchError
from paperdigest.http import HttpClient, Request
from paperdigest.testing.manual_time import ManualTime
from paperdigest.testing.replay import ReplayServer, Reply
from paperdigest.types import Validators

DATA = Path(__file__).resolve().parents[1] / "data" / "http"
BODY = b"a listing"
NAMES = {
    "127.0.0.1": "127.0.0.1",
    "papers.test": "127.0.0.1",
    "export.arxiv.org": "127.0.0.1",
    "rss.arxiv.org": "127.0.0.1",
    "public.test": "93.184.216.34",
    "inside.test": "10.0.0.1",
}


def names(host: str, port: int) -> list[str]:
    if host not in NAMES:
        raise OSError("unknown in this test")
    return [NAMES[host]]


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as replay:
        yield replay


@pytest.fixture
def world() -> ManualTime:
    return ManualTime()


@pytest.fixture
def client(world: ManualTime) -> Iterator[HttpClient]:
    with HttpClient(
        contact=None, clock=world.clock, monotonic=world.monotonic, sleep=world.sleep, resolver=names
    ) as guarded:
        yield guarded.view(allow_private=True)


def to(status: int, target: str, **headers: str) -> Reply:
    return Reply(status=status, headers={"Location": target, **headers}, body=b"moved")


def test_a_permanent_chain_is_remembered_and_asked_directly_next_time(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/a", to(301, "/b"))
    server.answer("/b", to(308, server.url("/c")))
    server.answer("/c", Reply(body=BODY, etag='"1"'))
    first = client.get(Request(url=server.url("/a")))
    assert (first.url, first.body) == (server.url("/c"), BODY)
    assert first.validators == Validators(url=server.url("/a"), etag='"1"', moved_to=server.url("/c"))
    again = client.get(Request(url=server.url("/a"), validators=first.validators))
    assert (again.unmodified, again.validators) == (True, first.validators)
    assert [request.path for request in server.requests] == ["/a", "/b", "/c", "/c"]


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_temporary_redirect_is_followed_and_forgotten(server: ReplayServer, client: HttpClient, status: int) -> None:
    server.answer("/a", to(status, "/b"))
    server.answer("/b", Reply(body=BODY))
    response = client.get(Request(url=server.url("/a")))
    assert (response.body, response.validators.moved_to) == (BODY, None)


@pytest.mark.parametrize(("chain", "remembered"), [((302, 301), None), ((301, 302), "/1"), ((301, 302, 301), "/1")])
def test_a_mixed_chain_is_remembered_as_far_as_it_is_permanent(
    server: ReplayServer, client: HttpClient, chain: tuple[int, ...], remembered: str | None
) -> None:
    for number, status in enumerate(chain):
        server.answer(f"/{number}", to(status, f"/{number + 1}"))
    server.answer(f"/{len(chain)}", Reply(body=BODY))
    moved_to = client.get(Request(url=server.url("/0"))).validators.moved_to
    assert moved_to == (server.url(remembered) if remembered else None)


def test_what_has_moved_on_is_remembered_anew(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/b", to(301, "/c"))
    server.answer("/c", Reply(body=BODY))
    stored = Validators(url=server.url("/a"), moved_to=server.url("/b"))
    assert client.get(Request(url=server.url("/a"), validators=stored)).validators.moved_to == server.url("/c")


def test_what_has_moved_back_is_no_longer_moved(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/b", to(301, "/a"))
    server.answer("/a", Reply(body=BODY))
    stored = Validators(url=server.url("/a"), moved_to=server.url("/b"))
    assert client.get(Request(url=server.url("/a"), validators=stored)).validators.moved_to is None


@pytest.mark.parametrize("status", [404, 410])
def test_a_remembered_target_that_is_no_more_gives_the_original_another_try(
    server: ReplayServer, client: HttpClient, status: int
) -> None:
    server.answer("/portal", Reply(status=status))
    server.answer("/a", Reply(body=BODY))
    stored = Validators(url=server.url("/a"), moved_to=server.url("/portal"), etag='"1"')
    response = client.get(Request(url=server.url("/a"), validators=stored))
    assert (response.body, response.validators) == (BODY, Validators(url=server.url("/a")))


@pytest.mark.parametrize(("status", "gone"), [(301, True), (302, False)])
def test_only_permanent_redirects_make_a_410_ours(
    server: ReplayServer, client: HttpClient, status: int, gone: bool
) -> None:
    server.answer("/a", to(status, "/b"))
    server.answer("/b", Reply(status=410))
    with pytest.raises(FetchError, match=r"410 Gone \(at http.*/b\)") as caught:
        client.get(Request(url=server.url("/a")))
    assert (caught.value.gone, caught.value.url) == (gone, server.url("/a"))


def test_five_redirects_are_followed_and_six_are_not(server: ReplayServer, client: HttpClient) -> None:
    for number in range(6):
        server.answer(f"/{number}", to(302, f"/{number + 1}"))
    server.answer("/6", Reply(body=BODY))
    assert client.get(Request(url=server.url("/1"))).body == BODY
    with pytest.raises(FetchError, match="more than 5 in a row") as caught:
        client.get(Request(url=server.url("/0")))
    assert caught.value.permanent


def test_a_circle_is_named(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/a", to(301, "/b"))
    server.answer("/b", to(302, "/a#top"))
    a, b = server.url("/a"), server.url("/b")
    with pytest.raises(FetchError, match="circle") as caught:
        client.get(Request(url=a))
    assert f"{a} -> {b} -> {a}" in caught.value.problem
    assert len(server.requests) == 2


def test_coming_back_with_a_new_cookie_is_no_circle(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/feed", to(302, "/login"), Reply(body=BODY))
    server.answer("/login", to(302, "/feed", **{"Set-Cookie": "visitor=1; Path=/"}))
    assert client.get(Request(url=server.url("/feed"))).body == BODY
    assert [request.headers.get("cookie") for request in server.requests] == [None, None, "visitor=1"]
    client.get(Request(url=server.url("/feed")))
    assert "cookie" not in server.requests[-1].headers


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("file:///etc/passwd", "only http and https"),
        ("gopher://127.0.0.1/", "only http and https"),
        ("http://me:secret@127.0.0.1/", "user name"),
        ("http://[::1", "not a URL"),
        ("http://papers.test\\@127.0.0.1/", "not a URL"),
        ("", "leads nowhere"),
    ],
)
def test_a_redirect_to_what_is_not_fetched_is_refused(
    server: ReplayServer, client: HttpClient, location: str, words: str
) -> None:
    server.answer("/", to(302, location))
    with pytest.raises(FetchError, match=words) as caught:
        client.get(Request(url=server.url()))
    assert (caught.value.permanent, caught.value.url, len(server.requests)) == (True, server.url(), 1)


def test_a_redirect_to_be_followed_later_is_followed_later(
    server: ReplayServer, client: HttpClient, world: ManualTime
) -> None:
    server.answer("/", to(301, "/b", **{"Retry-After": "60"}))
    with pytest.raises(FetchError, match="later") as caught:
        client.get(Request(url=server.url()))
    assert caught.value.next_attempt_at == world.clock() + timedelta(seconds=60)


def test_a_failure_on_the_way_names_the_place_and_the_url_that_was_asked(
    server: ReplayServer, client: HttpClient
) -> None:
    server.answer("/a", to(302, "/b"))
    server.answer("/b", Reply(raw=b"nonsense\r\n\r\n"))
    with pytest.raises(FetchError, match="connection failed") as caught:
        client.get(Request(url=server.url("/a")))
    assert caught.value.url == server.url("/a")
    assert f"(at {server.url('/b')})" in caught.value.problem


def test_non_ascii_locations_are_read_as_utf_8(server: ReplayServer, client: HttpClient) -> None:
    server.answer("/", to(302, "/é".encode().decode("latin-1")))
    server.answer("/%C3%A9", Reply(body=BODY))
    assert client.get(Request(url=server.url())).body == BODY


# --- the guard, with a "public" host that is really the replay server


@pytest.fixture
def dialled(server: ReplayServer, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The addresses dialled; the public one leads to the replay server, all others nowhere."""
    seen: list[tuple[str, int]] = []
    connect = socket.create_connection

    def dial(address: tuple[str, int], timeout: float) -> socket.socket:
        seen.append(address)
        if address != ("93.184.216.34", 80):
            raise OSError("not in this test")
        return connect(("127.0.0.1", server.port), timeout=timeout)

    monkeypatch.setattr(socket, "create_connection", dial)
    return seen


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1/", "http://127.0.0.1:{port}/", "http://papers.test/", "http://inside.test/", "//127.0.0.1/x"],
)
def test_a_public_host_cannot_lead_us_to_a_private_one(
    server: ReplayServer, client: HttpClient, dialled: list[tuple[str, int]], target: str
) -> None:
    server.answer("/feed", to(302, target.format(port=server.port)))
    with pytest.raises(FetchError, match="public") as caught:
        client.view(allow_private=False).get(Request(url="http://public.test/feed"))
    assert caught.value.permanent
    assert dialled == [("93.184.216.34", 80)]
    assert len(server.requests) == 1


def test_connections_to_private_hosts_are_not_lent_to_those_who_may_not_have_them(
    server: ReplayServer, client: HttpClient
) -> None:
    server.answer("/", Reply(body=BODY))
    client.get(Request(url=server.url()))
    with pytest.raises(FetchError, match="refused"):
        client.view(allow_private=False).get(Request(url=server.url()))


# --- https


@pytest.fixture
def secure() -> Iterator[ReplayServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(DATA / "papers.test.pem", DATA / "papers.test.key")
    with ReplayServer(tls=context) as replay:
        yield replay


@pytest.fixture
def trusting(world: ManualTime) -> Iterator[HttpClient]:
    with HttpClient(
        contact=None,
        clock=world.clock,
        monotonic=world.monotonic,
        resolver=names,
        ca_file=str(DATA / "papers.test.pem"),
    ) as client:
        yield client.view(allow_private=True)


def test_the_certificate_is_checked_against_the_name_though_an_address_is_dialled(
    secure: ReplayServer, trusting: HttpClient, client: HttpClient
) -> None:
    secure.answer("/", Reply(body=BODY))
    assert trusting.get(Request(url=secure.url(host="papers.test"))).body == BODY
    with pytest.raises(FetchError, match=r"identity could not be checked.*127\.0\.0\.1"):
        trusting.get(Request(url=secure.url(host="127.0.0.1")))
    with pytest.raises(FetchError, match=r"identity could not be checked.*self-signed"):
        client.get(Request(url=secure.url(host="papers.test")))


def test_https_never_leads_to_http(secure: ReplayServer, server: ReplayServer, trusting: HttpClient) -> None:
    server.answer("/", Reply(body=BODY))
    secure.answer("/", to(301, server.url()))
    with pytest.raises(FetchError, match="from https to http"):
        trusting.get(Request(url=secure.url(host="papers.test")))
    assert server.requests == ()


def test_http_may_lead_to_https(secure: ReplayServer, server: ReplayServer, trusting: HttpClient) -> None:
    secure.answer("/", Reply(body=BODY))
    server.answer("/", to(301, secure.url(host="papers.test")))
    response = trusting.get(Request(url=server.url()))
    assert (response.body, response.validators.moved_to) == (BODY, secure.url(host="papers.test"))


# --- pacing along the way


def test_a_redirect_from_one_arxiv_host_to_another_waits_its_turn_too(
    server: ReplayServer, client: HttpClient, world: ManualTime
) -> None:
    server.answer("/a", to(301, server.url("/b", host="rss.arxiv.org")))
    server.answer("/b", Reply(body=BODY))
    assert client.get(Request(url=server.url("/a", host="export.arxiv.org"))).body == BODY
    assert world.slept == [3]


def test_a_configured_proxy_is_asked_instead_of_the_host(server: ReplayServer, world: ManualTime) -> None:
    server.answer("http://public.test/feed", Reply(body=BODY))
    with HttpClient(
        contact=None,
        clock=world.clock,
        monotonic=world.monotonic,
        resolver=names,
        proxies={"http": server.url()},
    ) as client:
        assert client.get(Request(url="http://public.test/feed")).body == BODY


def test_the_environments_proxy_is_not_asked(
    server: ReplayServer, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server.answer("/", Reply(body=BODY))
    assert client.get(Request(url=server.url())).body == BODY
