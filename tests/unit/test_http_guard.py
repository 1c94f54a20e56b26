"""Who may be dialled: addresses, ports, URLs."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdigest.errors import FetchError
from paperdigest.http import HttpClient, Request
from paperdigest.http.guard import check_url, is_public

NOW = datetime(2026, 4, 15, tzinfo=UTC)


class DialledError(Exception):
    """Ends a test at the moment of a connection, with the address."""


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def dial(address: tuple[str, int], **_: object) -> socket.socket:
        raise DialledError(address)

    monkeypatch.setattr(socket, "create_connection", dial)


def client(*answers: Sequence[str]) -> HttpClient:
    """A client whose name server gives these answers in turn; without any it is the system's."""
    script = iter(answers)
    if not answers:
        return HttpClient(contact=None, clock=lambda: NOW)
    return HttpClient(contact=None, clock=lambda: NOW, resolver=lambda host, port: next(script))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "151.101.3.42", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_addresses_of_the_public_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "100.64.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1",
        "198.18.0.1", "203.0.113.5", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
        "64:ff9b:1::808:808", "2001:0:808:808::1", "2001:db8::1", "2002:7f00:1::", "fc00::1", "fd00::1", "fe80::1",
        "fe80::1%eth0", "2606:4700::1111%eth0", "fec0::1", "ff02::1",
    ],
)  # fmt: skip
def test_all_other_addresses_are_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "localhost.", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254", "2130706433",
     "0x7f.1", "017700000001", "10.1.2.3", "100.64.0.1", "[fd00::1]", "[64:ff9b::7f00:1]"],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_private_hosts_are_refused_however_they_are_spelt(scheme: str, host: str) -> None:
    with pytest.raises(FetchError, match=r"not an address of the public Internet.*allow_private") as caught:
        client().get(Request(url=f"{scheme}://{host}/feed"))
    assert caught.value.permanent


def test_the_checked_address_is_the_one_dialled() -> None:
    with pytest.raises(DialledError) as caught:
        client(["93.184.216.34"]).get(Request(url="https://papers.test/feed"))
    assert caught.value.args == (("93.184.216.34", 443),)


def test_one_private_address_among_public_ones_refuses_the_name() -> None:
    with pytest.raises(FetchError, match=r"papers\.test is at 10\.0\.0\.1"):
        client(["93.184.216.34", "10.0.0.1"]).get(Request(url="http://papers.test/feed"))


def test_a_name_that_turns_private_between_two_requests_is_refused_the_second_time() -> None:
    rebound = client(["93.184.216.34"], ["127.0.0.1"])
    with pytest.raises(DialledError) as caught:
        rebound.get(Request(url="http://papers.test/feed"))
    assert caught.value.args == (("93.184.216.34", 80),)
    with pytest.raises(FetchError, match=r"127\.0\.0\.1"):
        rebound.get(Request(url="http://papers.test/feed"))


def test_the_name_is_resolved_once_so_that_it_cannot_turn_private_before_the_connection() -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["93.184.216.34"] if len(asked) == 1 else ["127.0.0.1"]

    with pytest.raises(DialledError) as caught:
        HttpClient(contact=None, clock=lambda: NOW, resolver=rebinding).get(Request(url="http://papers.test/"))
    assert (caught.value.args, asked) == ((("93.184.216.34", 80),), ["papers.test"])


@pytest.mark.parametrize("port", [22, 25, 8080, 6379])
def test_only_the_ports_of_the_web_are_dialled(port: int) -> None:
    with pytest.raises(FetchError, match=f"port {port} of papers.test is refused") as caught:
        client(["93.184.216.34"]).get(Request(url=f"http://papers.test:{port}/"))
    assert caught.value.permanent


def test_a_source_of_our_own_may_be_private() -> None:
    with pytest.raises(DialledError) as caught:
        client(["10.0.0.1"]).view(allow_private=True).get(Request(url="http://papers.test:8080/"))
    assert caught.value.args == (("10.0.0.1", 8080),)


def test_a_view_that_may_reach_private_hosts_leaves_its_client_as_it_was() -> None:
    guarded = client(["10.0.0.1"])
    guarded.view(allow_private=True)
    with pytest.raises(FetchError, match="public Internet"):
        guarded.get(Request(url="http://papers.test/"))


@pytest.mark.parametrize("answer", [OSError("temporary failure"), UnicodeError("label too long")])
def test_a_name_that_does_not_resolve_is_said_in_words(answer: Exception) -> None:
    def failing(host: str, port: int) -> list[str]:
        raise answer

    with pytest.raises(FetchError, match=r"papers\.test could not be resolved") as caught:
        HttpClient(contact=None, clock=lambda: NOW, resolver=failing).get(Request(url="http://papers.test/"))
    assert not caught.value.permanent


def test_a_name_without_addresses_is_said_in_words() -> None:
    with pytest.raises(FetchError, match="no address"):
        client([]).get(Request(url="http://papers.test/"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("file:///etc/passwd", "only http and https"),
        ("gopher://papers.test/", "only http and https"),
        ("ftp://papers.test/", "only http and https"),
        ("papers.test/feed", "only http and https"),
        ("javascript:alert(1)", "only http and https"),
        ("", "only http and https"),
        ("http://me@papers.test/", "user name"),
        ("http://me:secret@papers.test/", "user name"),
        ("http://:@papers.test/", "user name"),
        ("http:///feed", "no host"),
        ("http://papers.test:0/", "port 0"),
        ("http://papers.test:x/", "not a URL"),
        ("http://papers.test:99999/", "not a URL"),
        ("http://[::1/", "not a URL"),
        ("http://papers.test\\@127.0.0.1/", "not a URL"),
        ("http://papers.test/a b", "not a URL"),
        ("http://papers.test/\r\nX: y", "not a URL"),
        ("http://papers.test/" + "a" * 9000, "not a URL"),
    ],
)
@pytest.mark.parametrize("private", [False, True])
def test_urls_that_are_not_fetched_are_refused_before_anything_else(url: str, words: str, private: bool) -> None:
    with pytest.raises(FetchError, match=words) as caught:
        client(["93.184.216.34"]).view(allow_private=private).get(Request(url=url))
    assert caught.value.permanent
    assert "secret" not in caught.value.problem


def test_a_url_is_given_back_in_its_parts() -> None:
    parts = check_url("https://papers.test:443/list?x=1", asked="a")
    assert (parts.hostname, parts.port, parts.path) == ("papers.test", 443, "/list")


@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://", "http://a/", "//", "http://[", "http://é"]))
def test_any_text_for_a_url_is_a_fetch_error_at_worst(text: str, head: str) -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("no names in this test")

    with pytest.raises(FetchError) as caught:
        HttpClient(contact=None, clock=lambda: NOW, resolver=unknown).get(Request(url=head + text))
    assert caught.value.url == head + text
