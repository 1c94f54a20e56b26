"""The smtp mailer and a server that does its part: connections, pipelining, encryption, login."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import time
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from paperdigest.mail.smtp import AsyncSmtpLane, SmtpLane, SmtpMailer
from paperdigest.waiting import Loop, Signal
from tests.certificates import Authority
from tests.integration.test_smtp_faults import (
    CONTENT,
    HUGE,
    LONG,
    fields,
    lane,
    mail,
    mode,
    plain,
    refusal,
    server,
    verbs,
    yes,
)
from tests.scripted_smtp import Deed, ScriptedSmtp

__all__ = ["lane", "mode", "server"]  # fixtures


# --- the good way


def test_one_connection_carries_many_messages(server: ScriptedSmtp, mode: str) -> None:
    with plain(server) as lane:
        assert [lane.send(mail(), yes) for _ in range(3)] == ["250 2.0.0 ok"] * 3
        assert server.commands[1:3] == ["MAIL FROM:<digest@example.org>", "RCPT TO:<you@example.net>"]
    last = "BDAT" if mode.startswith("chunked") else "DATA"
    assert verbs(server) == ["EHLO", *["MAIL", "RCPT", last] * 3, "QUIT"]
    assert (server.connections, server.messages) == (1, [CONTENT] * 3)


@pytest.mark.parametrize("mode", ["pipelined"], indirect=True)
def test_the_envelope_goes_out_in_one_write(server: ScriptedSmtp, lane: SmtpLane) -> None:
    lane.send(mail(), yes)
    envelope = b"MAIL FROM:<digest@example.org>\r\nRCPT TO:<you@example.net>\r\nDATA\r\n"
    assert envelope in server.received


@pytest.mark.parametrize("mode", ["chunked"], indirect=True)
def test_all_but_the_last_chunk_goes_out_with_the_envelope(server: ScriptedSmtp, lane: SmtpLane) -> None:
    content = LONG.replace(b"\r\nx", b"\r\n.")
    lane.send(mail(content), yes)
    assert server.messages == [content]
    assert server.commands[3:5] == [f"BDAT {len(content) - 512}", "BDAT 512 LAST"]


@pytest.mark.parametrize("mode", ["pipelined"], indirect=True)
def test_reset_goes_out_with_the_next_message_and_only_after_an_error(server: ScriptedSmtp, lane: SmtpLane) -> None:
    lane.send(mail(), yes)
    server.next("RCPT", b"550 5.1.1 no")
    refusal(lane)
    lane.send(mail(), yes)
    lane.send(mail(), yes)
    assert verbs(server).count("RSET") == 1
    assert any(chunk.startswith(b"RSET\r\nMAIL FROM:") and chunk.endswith(b"DATA\r\n") for chunk in server.received)


@pytest.mark.parametrize("mode", ["pipelined"], indirect=True)
def test_a_connection_is_renewed_after_so_many_messages(server: ScriptedSmtp) -> None:
    with plain(server, max_messages_per_connection=2) as lane:
        for _ in range(5):
            lane.send(mail(), yes)
    assert server.connections == 3
    assert verbs(server).count("QUIT") == 3
    assert verbs(server)[:8] == ["EHLO", *["MAIL", "RCPT", "DATA"] * 2, "QUIT"]


@pytest.mark.parametrize("mode", ["pipelined"], indirect=True)
def test_what_a_server_is_told_beforehand(server: ScriptedSmtp, lane: SmtpLane) -> None:
    server.next("EHLO", b"250-scripted.test\r\n250-SIZE 99999\r\n250-DSN\r\n250 8BITMIME")
    lane.send(mail(CONTENT + "Gödel".encode()), yes)
    size = len(CONTENT) + 8
    assert server.commands[1:3] == [
        f"MAIL FROM:<digest@example.org> SIZE={size} BODY=8BITMIME RET=HDRS",
        "RCPT TO:<you@example.net> NOTIFY=FAILURE",
    ]


@pytest.mark.parametrize("mode", ["pipelined"], indirect=True)
def test_our_own_name_is_looked_up_once(server: ScriptedSmtp, monkeypatch: pytest.MonkeyPatch) -> None:
    names = iter(["client.test"])
    monkeypatch.setattr(socket, "getfqdn", lambda: next(names))
    mailer = SmtpMailer({"host": "127.0.0.1", "port": server.port, "tls": "none"})
    for _ in range(2):
        with mailer.lane() as lane:
            lane.send(mail(), yes)
    assert [command for command in server.commands if command.startswith("EHLO")] == ["EHLO client.test"] * 2


@pytest.mark.parametrize(
    "name", ["localhost", "", "a b.example", "x\r\nMAIL.example", "ü.example", "a" * 64 + ".example"]
)
@pytest.mark.parametrize("mode", ["pipelined"], indirect=True)
def test_a_name_that_is_none_is_not_told(
    server: ScriptedSmtp, lane: SmtpLane, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(socket, "getfqdn", lambda: name)
    lane.send(mail(), yes)
    assert server.commands[0] == "EHLO [127.0.0.1]"


@pytest.mark.parametrize("mode", ["pipelined"], indirect=True)
def test_small_packets_are_not_held_back(server: ScriptedSmtp, lane: SmtpLane) -> None:
    lane.send(mail(), yes)
    wire = lane._lane._wire
    assert wire is not None and wire.sock is not None
    assert wire.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_large_message_arrives_whole(server: ScriptedSmtp, lane: SmtpLane, mode: str) -> None:
    content = CONTENT + (b"." * 70 + b"\r\n") * 50_000
    lane.send(mail(content), yes)
    assert server.messages == [content if mode.startswith("chunked") else content.replace(b"\r\n.", b"\r\n..")]


@pytest.mark.parametrize("text", [b".\r\n", b"..\r\n", b".x\r\n.\r\n..\r\n.y\r\n", b"a.\r\n.", b""])
@pytest.mark.parametrize("mode", ["plain", "pipelined"], indirect=True)
def test_dots_are_doubled_exactly_once(server: ScriptedSmtp, lane: SmtpLane, text: bytes) -> None:
    for content in (text, CONTENT + text):
        lane.send(mail(content), yes)
        lines = server.messages.pop().split(b"\r\n")
        undone = b"\r\n".join(line.removeprefix(b".") for line in lines)
        assert undone == (content if content.endswith(b"\r\n") else content + b"\r\n")
        assert all(line[:1] != b"." or line[:2] == b".." for line in lines)


def test_lanes_are_as_many_as_was_said() -> None:
    assert SmtpMailer({"connections": 3}).lanes == 3


def test_the_deadline_of_a_message_is_renewed_with_each_and_for_its_end(server: ScriptedSmtp) -> None:
    seconds = [0.0]
    settings = {"host": "127.0.0.1", "port": server.port, "tls": "none", "timeout_s": 30}

    def an_hour_later() -> bool:
        seconds[0] += 3600
        return True

    with SmtpMailer(settings, clock=lambda: seconds[0]).lane() as lane:
        assert [lane.send(mail(), an_hour_later) for _ in range(2)] == ["250 2.0.0 ok"] * 2
    assert server.connections == 1


# --- no connection


@pytest.mark.parametrize("answer", [b"421 4.3.2 busy", b"554 5.3.2 no service", Deed.DROP, Deed.RESET, b"HTTP/1.1 400"])
@pytest.mark.parametrize("mode", ["pipelined"], indirect=True)
def test_a_server_that_does_not_greet_is_tried_again_later(
    server: ScriptedSmtp, lane: SmtpLane, answer: bytes | Deed
) -> None:
    server.next("GREETING", answer)
    error = refusal(lane)
    code = int(answer[:3]) if isinstance(answer, bytes) and answer[:1].isdigit() else None
    status = answer[4:9].decode() if isinstance(answer, bytes) and code else None
    # A reset may come so early that it ends the call to connect.
    assert error.phase in ({"connect", "greeting"} if answer is Deed.RESET else {"greeting"})
    assert fields(error)[1:] == (False, False, True, code, status)
    lane.send(mail(), yes)
    assert server.connections == 2


@pytest.mark.parametrize("mode", ["pipelined"], indirect=True)
def test_a_server_that_refuses_ehlo_is_tried_again_later(server: ScriptedSmtp, lane: SmtpLane) -> None:
    server.next("EHLO", b"550 5.7.1 your name is not known")
    error = refusal(lane)
    assert fields(error) == ("hello", False, False, True, 550, "5.7.1")
    assert "EHLO" in str(error)


def test_no_server_at_all_is_tried_again_later() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # taken, so that nobody else answers there
        error = refusal(SmtpMailer({"host": "127.0.0.1", "port": deaf.getsockname()[1], "tls": "none"}).lane())
    assert fields(error) == ("connect", False, False, True, None, None)
    assert "refused" in str(error).lower()


def test_a_name_without_an_address_is_told_as_that() -> None:
    for host in ("nowhere.invalid", "x" * 80):
        error = refusal(SmtpMailer({"host": host, "tls": "none"}).lane())
        assert fields(error) == ("connect", False, False, True, None, None)
        assert "has no address" in str(error)


def addresses(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    known = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: known)


@pytest.mark.parametrize("mode", ["pipelined"], indirect=True)
@pytest.mark.parametrize("greeting", [None, b"421 4.3.2 busy", Deed.DROP])
def test_every_address_of_the_host_is_tried(
    server: ScriptedSmtp, monkeypatch: pytest.MonkeyPatch, greeting: bytes | Deed | None
) -> None:
    with socket.socket() as deaf, ScriptedSmtp() as sick:
        deaf.bind(("127.0.0.1", 0))
        if greeting is not None:
            sick.next("GREETING", greeting)
        first = deaf.getsockname()[1] if greeting is None else sick.port
        addresses(monkeypatch, first, server.port)
        with SmtpMailer({"host": "relay.example.org", "tls": "none"}).lane() as lane:
            lane.send(mail(), yes)
    assert server.messages == [CONTENT]


def test_addresses_that_accept_and_never_greet_leave_time_for_the_others(
    server: ScriptedSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        addresses(monkeypatch, one.getsockname()[1], other.getsockname()[1], server.port)
        with SmtpMailer({"host": "relay.example.org", "tls": "none", "timeout_s": 0.3}).lane() as lane:
            lane.send(mail(), yes)
    assert server.messages == [CONTENT]


@pytest.mark.parametrize("mode", ["pipelined"], indirect=True)
def test_the_share_of_an_address_is_for_its_greeting_alone(
    server: ScriptedSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted = server.scripted

    def slowly(command: str) -> bytes | Deed | None:
        if command in ("GREETING", "EHLO", "RCPT"):
            time.sleep(0.25)  # in all more than the half of a message's time that is the share of one of two
        return scripted(command)

    monkeypatch.setattr(server, "scripted", slowly)
    with socket.create_server(("127.0.0.1", 0)) as other:
        addresses(monkeypatch, server.port, other.getsockname()[1])
        with SmtpMailer({"host": "relay.example.org", "tls": "none", "timeout_s": 0.5}).lane() as lane:
            lane.send(mail(), yes)
    assert server.messages == [CONTENT]


def test_of_many_addresses_that_fail_the_one_that_came_furthest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as deaf, ScriptedSmtp() as sick:
        deaf.bind(("127.0.0.1", 0))
        sick.next("GREETING", b"554 5.3.2 no service")
        addresses(monkeypatch, sick.port, deaf.getsockname()[1])
        error = refusal(SmtpMailer({"host": "relay.example.org", "tls": "none"}).lane())
    assert fields(error) == ("greeting", False, False, True, 554, "5.3.2")


# --- encryption

TLS = ("STARTTLS", "PIPELINING", "8BITMIME")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def guarded(authority: Authority) -> Iterator[ScriptedSmtp]:
    with ScriptedSmtp(*TLS, tls=authority.server()) as scripted:
        yield scripted


def secure(server: ScriptedSmtp, authority: Authority, **settings: object) -> SmtpLane:
    return plain(server, **({"tls": "starttls", "ca_file": str(authority.file)} | settings))


def test_starttls_is_followed_by_another_ehlo(guarded: ScriptedSmtp, authority: Authority) -> None:
    with secure(guarded, authority) as lane:
        lane.send(mail(), yes)
        wire = lane._lane._wire
        assert wire is not None and wire.tls is not None
        lane.send(mail(HUGE), yes)
    assert verbs(guarded)[:4] == ["EHLO", "STARTTLS", "EHLO", "MAIL"]
    assert guarded.messages == [CONTENT, HUGE]


def test_what_was_offered_in_clear_is_forgotten(guarded: ScriptedSmtp, authority: Authority) -> None:
    guarded.next("EHLO", b"250-scripted.test\r\n250-SIZE 10\r\n250-CHUNKING\r\n250 STARTTLS")
    with secure(guarded, authority) as lane:
        lane.send(mail(), yes)
    assert guarded.commands[3] == "MAIL FROM:<digest@example.org>"
    assert "DATA" in verbs(guarded)


def test_implicit_tls_begins_with_the_first_byte(authority: Authority) -> None:
    with (
        ScriptedSmtp(*TLS, tls=authority.server(), implicit=True) as server,
        secure(server, authority, tls="implicit") as lane,
    ):
        assert (lane.send(mail(HUGE), yes) or "").startswith("250")
        assert verbs(server)[:2] == ["EHLO", "MAIL"]


LOGIN = {"user": "digest", "password": "correct horse"}
CERTIFICATES = {
    "expired": "expired",
    "other.example.org": "IP address mismatch",
    "self-signed": "self-signed",
}


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("fault", CERTIFICATES)
def test_a_server_that_cannot_prove_its_name_gets_nothing(authority: Authority, fault: str, implicit: bool) -> None:
    names = [fault] if fault == "other.example.org" else []
    context = authority.server(*names, expired=fault == "expired", self_signed=fault == "self-signed")
    reason = CERTIFICATES[fault]
    with ScriptedSmtp(*TLS, tls=context, implicit=implicit) as server:
        error = refusal(secure(server, authority, **LOGIN, tls="implicit" if implicit else "starttls"))
        assert verbs(server) == ([] if implicit else ["EHLO", "STARTTLS"])
    assert fields(error) == ("tls", False, False, True, None, None)
    assert "certificate is not trusted" in str(error) and reason in str(error)


def test_an_authority_that_nobody_named_is_not_trusted(guarded: ScriptedSmtp, authority: Authority) -> None:
    error = refusal(secure(guarded, authority, ca_file=""))
    assert fields(error) == ("tls", False, False, True, None, None)
    assert "ca_file" in str(error)


@pytest.mark.parametrize("implicit", [True, False])
def test_tls_of_old_is_refused(authority: Authority, implicit: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that is the point
        context = authority.server(version=ssl.TLSVersion.TLSv1)
    with ScriptedSmtp(*TLS, tls=context, implicit=implicit) as server:
        error = refusal(secure(server, authority, **LOGIN, tls="implicit" if implicit else "starttls"))
        assert verbs(server) == ([] if implicit else ["EHLO", "STARTTLS"])
    assert fields(error) == ("tls", False, False, True, None, None)
    assert "TLS failed" in str(error)


def test_tls_one_point_two_is_taken(authority: Authority) -> None:
    context = authority.server(version=ssl.TLSVersion.TLSv1_2)
    with ScriptedSmtp(*TLS, tls=context) as server, secure(server, authority) as lane:
        lane.send(mail(HUGE), yes)
        assert server.messages == [HUGE]


@pytest.mark.parametrize("mode", ["pipelined"], indirect=True)
def test_a_stripped_starttls_is_not_followed_by_clear_text(server: ScriptedSmtp, authority: Authority) -> None:
    error = refusal(secure(server, authority, **LOGIN))
    assert fields(error) == ("tls", False, False, True, None, None)
    assert "does not offer STARTTLS" in str(error)
    assert verbs(server) == ["EHLO"]


def test_a_refused_starttls_is_not_followed_by_clear_text(guarded: ScriptedSmtp, authority: Authority) -> None:
    guarded.next("STARTTLS", b"454 4.7.0 not now")
    error = refusal(secure(guarded, authority, **LOGIN))
    assert fields(error) == ("tls", False, False, True, 454, "4.7.0")
    assert verbs(guarded) == ["EHLO", "STARTTLS"]


def test_words_slipped_in_before_the_encryption_are_noticed(guarded: ScriptedSmtp, authority: Authority) -> None:
    guarded.next("STARTTLS", b"220 go ahead\r\n250-scripted.test\r\n250 AUTH PLAIN")
    error = refusal(secure(guarded, authority, **LOGIN))
    assert fields(error) == ("tls", False, False, True, None, None)
    assert "before the encryption" in str(error)


@pytest.mark.parametrize("deed", [Deed.HANG, Deed.DROP])
def test_a_handshake_that_never_comes_ends(guarded: ScriptedSmtp, authority: Authority, deed: Deed) -> None:
    guarded.tls = None
    guarded.next("STARTTLS", b"220 go ahead" if deed is Deed.HANG else deed)
    error = refusal(secure(guarded, authority, timeout_s=0.2))
    assert (error.phase, error.permanent, error.after_dot, error.systemic) == ("tls", False, False, True)


@pytest.mark.parametrize("mode", ["pipelined"], indirect=True)
def test_a_server_without_tls_on_a_tls_port_is_told_as_that(server: ScriptedSmtp, authority: Authority) -> None:
    error = refusal(secure(server, authority, tls="implicit"))
    assert fields(error) == ("tls", False, False, True, None, None)
    assert "mail.smtp.tls" in str(error)


@pytest.mark.parametrize(("command", "deed", "in_doubt"), [("DOT", Deed.DROP, True), ("BODY", Deed.RESET, False)])
def test_doubt_is_the_same_over_tls(
    guarded: ScriptedSmtp, authority: Authority, command: str, deed: Deed, in_doubt: bool
) -> None:
    guarded.next(command, deed)
    with secure(guarded, authority) as lane:
        error = refusal(lane, mail(HUGE))
        assert (error.phase, error.after_dot) == (command.lower(), in_doubt)
        lane.send(mail(), yes)
    assert guarded.messages[-1] == CONTENT


@pytest.mark.parametrize("word", [b"452 4.3.1 disk full"])
def test_a_refusal_in_mid_message_is_heard_over_tls(guarded: ScriptedSmtp, authority: Authority, word: bytes) -> None:
    guarded.next("BODY", word)
    with secure(guarded, authority) as lane:
        assert fields(refusal(lane, mail(HUGE))) == ("body", False, False, False, 452, "4.3.1")


# --- login

AUTH = b"250-scripted.test\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME"


def test_the_login_goes_over_tls_once_a_connection(guarded: ScriptedSmtp, authority: Authority) -> None:
    guarded.next("EHLO", guarded.offers, AUTH)
    guarded.next("AUTH", b"235 2.7.0 welcome")
    with secure(guarded, authority, **LOGIN) as lane:
        for _ in range(2):
            lane.send(mail(), yes)
        assert verbs(guarded) == ["EHLO", "STARTTLS", "EHLO", "AUTH", *["MAIL", "RCPT", "DATA"] * 2]
    assert guarded.commands[3] == "AUTH PLAIN AGRpZ2VzdABjb3JyZWN0IGhvcnNl"


@pytest.fixture
def clear() -> Iterator[ScriptedSmtp]:
    with ScriptedSmtp() as scripted:
        yield scripted


@pytest.mark.parametrize(("offer", "settings"), [("LOGIN CRAM-MD5", {}), ("PLAIN LOGIN", {"auth": "login"})])
def test_login_is_said_where_there_is_no_plain_or_it_is_wished(
    clear: ScriptedSmtp, offer: str, settings: dict[str, str]
) -> None:
    clear.next("EHLO", f"250-scripted.test\r\n250 AUTH {offer}".encode())
    clear.next("AUTH", b"334 VXNlcm5hbWU6")
    clear.next("AUTH+", b"334 UGFzc3dvcmQ6", b"235 2.7.0 welcome")
    with plain(clear, **LOGIN, **settings) as lane:
        lane.send(mail(), yes)
    assert clear.commands[1:4] == ["AUTH LOGIN", "ZGlnZXN0", "Y29ycmVjdCBob3JzZQ=="]


@pytest.mark.parametrize("offer", [b"AUTH PLAIN", b"AUTH LOGIN", b"AUTH=PLAIN"])
@pytest.mark.parametrize("code", [b"535 5.7.8", b"454 4.7.0", b"534 5.7.9", b"538 5.7.11"])
def test_a_refused_login_is_the_operators_trouble_and_keeps_the_password(
    clear: ScriptedSmtp, offer: bytes, code: bytes
) -> None:
    echo = code + b" no: correct horse, Y29ycmVjdCBob3JzZQ==, AGRpZ2VzdABjb3JyZWN0IGhvcnNl"
    clear.next("EHLO", b"250-scripted.test\r\n250 " + offer)
    clear.next("AUTH", echo if b"PLAIN" in offer else b"334 VXNlcm5hbWU6")
    clear.next("AUTH+", b"334 UGFzc3dvcmQ6", echo)
    lane = plain(clear, **LOGIN)
    error = refusal(lane)
    number, status = code.decode().split()
    assert fields(error) == ("login", False, False, True, int(number), status)
    assert "login of digest" in str(error) and code.decode() in str(error)
    seen = str(error) + repr(error) + repr(vars(lane))
    assert not any(secret in seen for secret in ("correct horse", "Y29ycmVj", "jb3JyZWN0"))
    assert verbs(clear).count("AUTH") == 1


@pytest.mark.parametrize("refused_at", [0, 1])
def test_a_login_refused_half_way_is_not_gone_on_with(clear: ScriptedSmtp, refused_at: int) -> None:
    clear.next("EHLO", b"250-scripted.test\r\n250 AUTH LOGIN")
    clear.next("AUTH", b"535 5.7.8 no" if refused_at == 0 else b"334 VXNlcm5hbWU6")
    clear.next("AUTH+", b"535 5.7.8 no")
    assert refusal(plain(clear, **LOGIN)).code == 535
    assert clear.commands[1:] == ["AUTH LOGIN", "ZGlnZXN0"][: refused_at + 1]


def test_a_login_that_nobody_offers_is_refused_in_words(clear: ScriptedSmtp) -> None:
    clear.next("EHLO", b"250-scripted.test\r\n250 AUTH XOAUTH2", b"250 scripted.test")
    lane = plain(clear, **LOGIN)
    assert "offers XOAUTH2" in str(refusal(lane))
    assert "offers no login" in str(refusal(lane))
    assert "AUTH" not in verbs(clear)


# --- tokens

WELCOME = b"235 2.7.0 Accepted"
EXPIRED = base64.b64encode(json.dumps({"status": "401", "schemes": "bearer", "scope": "https://mail.test/"}).encode())


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("ya29.first\n")
    return file


@pytest.fixture
def tokens(clear: ScriptedSmtp, token: Path) -> Iterator[SmtpLane]:
    clear.next("EHLO", *[b"250-scripted.test\r\n250 AUTH XOAUTH2 PLAIN"] * 9)
    with plain(clear, user="digest@example.org", auth="xoauth2", token_file=str(token)) as made:
        yield made


def said(command: str) -> bytes:
    return base64.b64decode(command.removeprefix("AUTH XOAUTH2 "))


def test_a_token_is_shown_as_the_providers_want_it(clear: ScriptedSmtp, tokens: SmtpLane) -> None:
    clear.next("AUTH", WELCOME)
    tokens.send(mail(), yes)
    assert said(clear.commands[1]) == b"user=digest@example.org\x01auth=Bearer ya29.first\x01\x01"


def test_a_token_that_was_renewed_is_read_at_the_next_login(clear: ScriptedSmtp, tokens: SmtpLane, token: Path) -> None:
    clear.next("AUTH", WELCOME, WELCOME)
    tokens.send(mail(), yes)
    clear.hang_up()
    token.write_text("ya29.second")
    tokens.send(mail(), yes)
    logins = [said(command) for command in clear.commands if command.startswith("AUTH")]
    assert [login.split(b"\x01")[1] for login in logins] == [b"auth=Bearer ya29.first", b"auth=Bearer ya29.second"]


def test_a_token_that_expired_in_mid_run_is_told_after_an_empty_line(
    clear: ScriptedSmtp, tokens: SmtpLane, token: Path
) -> None:
    clear.next("AUTH", WELCOME, b"334 " + EXPIRED)
    clear.next("AUTH+", b"535 5.7.8 not accepted")
    tokens.send(mail(), yes)
    clear.hang_up()
    error = refusal(tokens)
    assert fields(error) == ("login", False, False, True, 535, "5.7.8")
    assert "401 https://mail.test/" in str(error) and str(token) in str(error)
    assert "ya29" not in str(error)
    assert clear.commands[-1] == ""
    assert len(clear.messages) == 1


@pytest.mark.parametrize(
    "challenge", [b"eyJ9", b"!!", base64.b64encode(b"[1]"), base64.b64encode(b"[" * 9000)[:400], b""]
)
def test_a_refusal_of_a_token_that_is_not_json_is_told_all_the_same(
    clear: ScriptedSmtp, tokens: SmtpLane, challenge: bytes
) -> None:
    clear.next("AUTH", b"334 " + challenge)
    clear.next("AUTH+", b"535 5.7.8 not accepted")
    assert fields(refusal(tokens)) == ("login", False, False, True, 535, "5.7.8")


@pytest.mark.parametrize("content", [b"", b"two words", b"x" * 9000, b"a\nb", b"\xff\xfe"])
def test_a_file_that_holds_no_token_is_told_by_name(
    clear: ScriptedSmtp, tokens: SmtpLane, token: Path, content: bytes
) -> None:
    token.write_bytes(content)
    error = refusal(tokens)
    assert fields(error) == ("login", False, False, True, None, None)
    assert str(token) in str(error)
    assert "AUTH" not in verbs(clear)


def test_a_token_file_that_is_gone_is_told_by_name(clear: ScriptedSmtp, tokens: SmtpLane, token: Path) -> None:
    token.unlink()
    error = refusal(tokens)
    assert fields(error) == ("login", False, False, True, None, None)
    assert f"{token} cannot be read" in str(error)


def test_a_loop_that_is_closed_drops_connections_without_goodbye(server: ScriptedSmtp) -> None:
    mailer = SmtpMailer({"host": "127.0.0.1", "port": server.port, "tls": "none"})
    lanes: list[AsyncSmtpLane] = []
    never = Signal[None]()

    async def leave() -> bool:
        return True

    async def idle() -> None:
        async with mailer.async_lane() as lane:
            assert await lane.send(mail(), leave) == "250 2.0.0 ok"
            lanes.append(lane)
            await never

    with closing(Loop()) as loop:
        loop.start(idle())
        while not lanes:
            loop.turn(5)
        assert [lane._wire is None for lane in lanes] == [False]
    assert [lane._wire is None for lane in lanes] == [True]
    assert "QUIT" not in server.commands
