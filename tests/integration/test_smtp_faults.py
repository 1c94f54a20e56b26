"""The smtp mailer against a server that fails at every moment at which it can."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from paperdigest.errors import MailError
from paperdigest.mail.smtp import SmtpMailer
from paperdigest.protocols import OutgoingMessage
from tests.scripted_smtp import Deed, ScriptedSmtp

DATA = Path(__file__).parents[1] / "data" / "mail"
CONTENT = b"From: digest@example.org\r\nSubject: Papers\r\n\r\nTwo papers.\r\n"
LARGE = CONTENT + b"x" * 70 + b"\r\n"
HUGE = CONTENT + (b"x" * 70 + b"\r\n") * 90_000  # more than the kernel holds between two sockets


def mail(
    content: bytes = CONTENT, *, sender: str = "digest@example.org", recipient: str = "you@example.net"
) -> OutgoingMessage:
    return OutgoingMessage(sender=sender, recipient=recipient, message_id="<1@example.org>", content=content)


@pytest.fixture
def server() -> Iterator[ScriptedSmtp]:
    with ScriptedSmtp() as scripted:
        yield scripted


@pytest.fixture
def mailer(server: ScriptedSmtp) -> Iterator[SmtpMailer]:
    with plain(server) as made:
        yield made


def plain(server: ScriptedSmtp, **settings: object) -> SmtpMailer:
    return SmtpMailer({"host": "127.0.0.1", "port": server.port, "tls": "none", "timeout_s": 30, **settings})


def refusal(mailer: SmtpMailer, message: OutgoingMessage | None = None) -> MailError:
    with pytest.raises(MailError) as caught:
        mailer.send(message or mail())
    return caught.value


def verbs(server: ScriptedSmtp) -> list[str]:
    return [command.split(maxsplit=1)[0].upper() for command in server.commands]


# --- the good way


def test_one_connection_carries_many_messages(server: ScriptedSmtp) -> None:
    with plain(server) as mailer:
        assert [mailer.send(mail()) for _ in range(3)] == ["250 2.0.0 ok"] * 3
        assert server.commands[1:3] == ["MAIL FROM:<digest@example.org>", "RCPT TO:<you@example.net>"]
    assert verbs(server) == ["EHLO", *["MAIL", "RCPT", "DATA"] * 3, "QUIT"]
    assert server.connections == 1
    assert server.messages == [CONTENT] * 3


def test_the_time_for_a_message_begins_anew_with_each(server: ScriptedSmtp) -> None:
    with plain(server) as mailer:
        for _ in range(2):
            mailer.send(mail())
            assert mailer._wire is not None
            mailer._wire.until = 0
    assert verbs(server)[-1] == "QUIT"
    assert server.connections == 1


def test_our_own_name_is_looked_up_once(
    server: ScriptedSmtp, mailer: SmtpMailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = iter(["client.test"])
    monkeypatch.setattr(socket, "getfqdn", lambda: next(names))
    for _ in range(2):
        mailer.send(mail())
        server.hang_up()
    assert [command for command in server.commands if command.startswith("ehlo")] == ["ehlo client.test"] * 2


def test_small_packets_are_not_held_back(server: ScriptedSmtp, mailer: SmtpMailer) -> None:
    mailer.send(mail())
    assert mailer._wire is not None and mailer._wire.sock is not None
    assert mailer._wire.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_large_message_arrives_whole(server: ScriptedSmtp, mailer: SmtpMailer) -> None:
    content = CONTENT + (b"." * 70 + b"\r\n") * 5000
    mailer.send(mail(content))
    assert server.messages == [content.replace(b"\r\n.", b"\r\n..")]


@pytest.mark.parametrize("text", [b".\r\n", b"..\r\n", b".x\r\n.\r\n..\r\n.y\r\n", b"a.\r\n.", b""])
def test_dots_are_doubled_exactly_once(server: ScriptedSmtp, mailer: SmtpMailer, text: bytes) -> None:
    for content in (text, CONTENT + text):
        mailer.send(mail(content))
        lines = server.messages.pop().split(b"\r\n")
        undone = b"\r\n".join(line.removeprefix(b".") for line in lines)
        assert undone == (content if content.endswith(b"\r\n") else content + b"\r\n")
        assert all(line[:1] != b"." or line[:2] == b".." for line in lines)


# --- refusals


@pytest.mark.parametrize(
    ("command", "answer", "permanent", "reset"),
    [
        ("MAIL", b"451 4.3.0 try later", False, True),
        ("MAIL", b"550 5.1.8 unknown sender", True, True),
        ("MAIL", b"530 5.7.0 authentication required", False, True),
        ("MAIL", b"421 4.7.0 busy", False, False),
        ("RCPT", b"450 4.2.0 greylisted", False, True),
        ("RCPT", b"550 5.1.1 no such user", True, True),
        ("RCPT", b"421 4.7.0 too many", False, False),
        ("DATA", b"451 4.3.0 no room", False, True),
        ("DATA", b"554 5.5.1 no valid recipients", True, True),
        ("DOT", b"451 4.7.1 try again", False, True),
        ("DOT", b"554 5.6.0 not wanted", True, True),
        ("DOT", b"421 4.3.2 shutting down", False, False),
    ],
)
def test_a_refusal_says_whether_to_try_again_and_costs_one_message_only(
    server: ScriptedSmtp, mailer: SmtpMailer, command: str, answer: bytes, permanent: bool, reset: bool
) -> None:
    server.next(command, answer)
    error = refusal(mailer)
    assert (error.permanent, error.after_dot, error.code) == (permanent, False, int(answer[:3]))
    assert error.systemic is (error.code == 530)
    assert answer.decode() in str(error) and f"127.0.0.1:{server.port}" in str(error)
    assert (verbs(server)[-1] == "RSET") is reset
    assert mailer.send(mail()).startswith("250")
    assert server.connections == (1 if reset else 2)


@pytest.mark.parametrize(("command", "answer"), [("MAIL", b"354 go on"), ("RCPT", b"354 go on"), ("DATA", b"250 ok")])
def test_a_server_that_has_lost_the_thread_is_left(
    server: ScriptedSmtp, mailer: SmtpMailer, command: str, answer: bytes
) -> None:
    server.next(command, answer)
    error = refusal(mailer)
    assert (error.permanent, error.after_dot) == (False, False)
    mailer.send(mail())
    assert (server.connections, server.messages) == (2, [CONTENT])


def test_a_connection_that_cannot_be_reset_is_not_used_again(server: ScriptedSmtp, mailer: SmtpMailer) -> None:
    server.next("RCPT", b"550 5.1.1 no such user")
    server.next("RSET", b"502 5.5.1 what?")
    assert refusal(mailer).permanent
    mailer.send(mail())
    assert server.connections == 2


@pytest.mark.parametrize("answer", [b"421 4.3.2 busy", b"554 5.3.2 no service", Deed.DROP, b"HTTP/1.1 400 Bad Request"])
def test_a_server_that_does_not_greet_is_tried_again_later(
    server: ScriptedSmtp, mailer: SmtpMailer, answer: bytes | Deed
) -> None:
    server.next("GREETING", answer)
    error = refusal(mailer)
    assert (error.permanent, error.after_dot, error.systemic) == (False, False, True)
    assert error.code == (int(answer[:3]) if isinstance(answer, bytes) and answer[:1].isdigit() else None)
    mailer.send(mail())
    assert server.connections == 2


def test_a_server_that_refuses_ehlo_is_tried_again_later(server: ScriptedSmtp, mailer: SmtpMailer) -> None:
    server.next("EHLO", b"550 5.7.1 your name is not known")
    error = refusal(mailer)
    assert (error.permanent, error.systemic, error.code) == (False, True, 550)
    assert "EHLO" in str(error)


def test_no_server_at_all_is_tried_again_later() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # taken, so that nobody else answers there
        error = refusal(SmtpMailer({"host": "127.0.0.1", "port": deaf.getsockname()[1], "tls": "none"}))
    assert error.systemic and not error.permanent
    assert "refused" in str(error).lower()


def test_a_name_without_an_address_is_told_as_that() -> None:
    for host in ("nowhere.invalid", "x" * 80):
        error = refusal(SmtpMailer({"host": host, "tls": "none"}))
        assert error.systemic and not error.permanent
        assert "has no address" in str(error)


# --- lost connections


@pytest.mark.parametrize("command", ["EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("deed", [Deed.DROP, b"220-a\r\nnonsense", b"\x00\xff"])
def test_a_connection_lost_before_the_message_leaves_no_doubt(
    server: ScriptedSmtp, mailer: SmtpMailer, command: str, deed: bytes | Deed
) -> None:
    server.next(command, deed)
    error = refusal(mailer)
    assert (error.permanent, error.after_dot, error.code) == (False, False, None)
    mailer.send(mail())
    assert (server.connections, server.messages) == (2, [CONTENT])


def test_an_accepted_message_leaves_no_doubt_about_the_next(server: ScriptedSmtp, mailer: SmtpMailer) -> None:
    mailer.send(mail())
    server.next("RCPT", Deed.DROP)
    assert not refusal(mailer).after_dot


def test_a_connection_lost_in_mid_message_leaves_no_doubt(server: ScriptedSmtp, mailer: SmtpMailer) -> None:
    server.next("BODY", Deed.DROP)
    error = refusal(mailer, mail(HUGE))
    assert (error.permanent, error.after_dot) == (False, False)
    assert "before it had the message" in str(error)
    mailer.send(mail())
    assert server.messages == [CONTENT]


@pytest.mark.parametrize(("answer", "permanent"), [(b"452 4.3.1 disk full", False), (b"552 5.3.4 too big", True)])
def test_a_server_that_refuses_in_mid_message_is_heard_before_the_dot(
    server: ScriptedSmtp, mailer: SmtpMailer, answer: bytes, permanent: bool
) -> None:
    server.next("BODY", answer)
    error = refusal(mailer, mail(HUGE))
    assert (error.permanent, error.after_dot, error.code) == (permanent, False, int(answer[:3]))
    mailer.send(mail())
    assert (server.connections, server.messages) == (2, [CONTENT])


def test_a_yes_before_the_dot_is_not_believed(server: ScriptedSmtp, mailer: SmtpMailer) -> None:
    server.next("BODY", b"250 2.0.0 thanks")
    error = refusal(mailer, mail(HUGE))
    assert (error.permanent, error.after_dot) == (False, False)
    assert server.messages == []


@pytest.mark.parametrize("deed", [Deed.DROP, b"nonsense", b"354 more"])
def test_a_connection_lost_after_the_dot_leaves_doubt(
    server: ScriptedSmtp, mailer: SmtpMailer, deed: bytes | Deed
) -> None:
    server.next("DOT", deed)
    error = refusal(mailer)
    assert (error.permanent, error.after_dot, error.code) == (False, True, None)
    assert "may have been accepted" in str(error)
    mailer.send(mail())
    assert (server.connections, len(server.messages)) == (2, 2)


@pytest.mark.parametrize("deed", [Deed.HANG, Deed.DRIBBLE])
@pytest.mark.parametrize(("command", "in_doubt"), [("GREETING", False), ("RCPT", False), ("DOT", True)])
def test_silence_and_dribbling_come_to_an_end(server: ScriptedSmtp, deed: Deed, command: str, in_doubt: bool) -> None:
    server.next(command, deed)
    with plain(server, timeout_s=0.1) as mailer:
        error = refusal(mailer)
    assert (error.permanent, error.after_dot) == (False, in_doubt)
    assert "in time" in str(error) or "too long" in str(error)


def test_a_server_that_does_not_read_comes_to_an_end(server: ScriptedSmtp) -> None:
    server.next("BODY", Deed.HANG)
    with plain(server, timeout_s=0.2) as mailer:
        error = refusal(mailer, mail(HUGE))
    assert (error.permanent, error.after_dot) == (False, False)


@pytest.mark.parametrize("answer", [b"250-x\r\n" * 200 + b"250 x", b"250 " + b"x" * 200_000])
def test_an_endless_answer_is_cut_off(server: ScriptedSmtp, mailer: SmtpMailer, answer: bytes) -> None:
    server.next("MAIL", answer)
    error = refusal(mailer)
    assert "does not end" in str(error)
    assert not error.systemic and not error.permanent


def test_the_servers_words_cannot_garble_a_terminal(server: ScriptedSmtp, mailer: SmtpMailer) -> None:
    server.next("RCPT", b"550-5.1.1 \x1b[31mno\r\n550 such\x07 user " + b"!" * 900)
    text = str(refusal(mailer))
    assert "\x1b" not in text and "\x07" not in text
    assert "550 5.1.1 [31mno such user" in text
    assert len(text) < 500


def test_an_idle_connection_that_was_closed_is_replaced_without_a_fuss(
    server: ScriptedSmtp, mailer: SmtpMailer
) -> None:
    mailer.send(mail())
    server.hang_up()
    assert mailer.send(mail()).startswith("250")
    server.next("MAIL", b"421 4.4.2 idle for too long")
    assert mailer.send(mail()).startswith("250")
    assert (server.connections, len(server.messages)) == (3, 3)


def test_leaving_with_a_dead_server_is_no_error(server: ScriptedSmtp) -> None:
    with plain(server) as mailer:
        mailer.send(mail())
        server.next("QUIT", Deed.DROP)
    assert verbs(server)[-1] == "QUIT"


def test_an_interrupted_message_does_not_spoil_the_next(
    server: ScriptedSmtp, mailer: SmtpMailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("paperdigest.mail.wire.stuffed", interrupted)
        with pytest.raises(KeyboardInterrupt):
            mailer.send(mail())
    assert mailer._wire is None
    mailer.send(mail())
    assert (server.connections, server.messages) == (2, [CONTENT])


# --- what is not sent


@pytest.mark.parametrize("whose", ["sender", "recipient"])
@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a b@example.org",
        "a@b@c",
        "<a@example.org>",
        "a@example.org>",
        "jü@example.org",
        "a@" + "x" * 300,
        "b@y>\r\nRCPT TO:<evil@example.org",
        "a@example.org\r\n",
        "a@example.org\n",
        "a\x00@example.org",
    ],
)
def test_an_address_that_could_become_a_command_is_refused(
    server: ScriptedSmtp, mailer: SmtpMailer, whose: str, address: str
) -> None:
    error = refusal(mailer, mail(sender=address) if whose == "sender" else mail(recipient=address))
    assert error.permanent
    assert whose in str(error) and "\n" not in str(error)
    assert server.connections == 0


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\r\n", b"\n\r\n", b"\n.\n", b"\r.\r"])
def test_a_message_with_a_bare_line_end_is_refused(server: ScriptedSmtp, mailer: SmtpMailer, line_end: bytes) -> None:
    error = refusal(mailer, mail(CONTENT + b"smuggled" + line_end + b"mail"))
    assert error.permanent
    assert "line 5 " in str(error)
    assert server.connections == 0


def test_a_message_larger_than_the_server_takes_is_not_sent(server: ScriptedSmtp, mailer: SmtpMailer) -> None:
    server.next("EHLO", f"250-scripted.test\r\n250 SIZE {len(CONTENT)}".encode())
    error = refusal(mailer, mail(LARGE))
    assert error.permanent
    assert f"{len(LARGE)} bytes" in str(error) and f"at most {len(CONTENT)}" in str(error)
    assert verbs(server) == ["EHLO"]
    mailer.send(mail())
    assert server.commands[1] == f"MAIL FROM:<digest@example.org> SIZE={len(CONTENT)}"


@pytest.mark.parametrize("size", [b"SIZE", b"SIZE 0", b"SIZE x", b"SIZE " + b"9" * 5000])
def test_a_server_without_a_limit_takes_any_size(server: ScriptedSmtp, mailer: SmtpMailer, size: bytes) -> None:
    server.next("EHLO", b"250-scripted.test\r\n250 " + size)
    assert mailer.send(mail(LARGE)).startswith("250")


def test_text_that_is_not_ascii_needs_a_server_that_takes_it(server: ScriptedSmtp, mailer: SmtpMailer) -> None:
    content = CONTENT + "Gödel\r\n".encode()
    mailer.send(mail(content))
    assert server.commands[1].endswith(" BODY=8BITMIME")
    server.next("EHLO", b"250 scripted.test")
    server.hang_up()
    assert "ASCII" in str(refusal(mailer, mail(content)))
    assert server.messages == [content]


# --- encryption and login


@pytest.fixture
def certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(DATA / "localhost.pem", DATA / "localhost.key")
    return context


def guarded(server: ScriptedSmtp, **settings: object) -> SmtpMailer:
    return plain(server, **({"tls": "starttls", "ca_file": str(DATA / "localhost.pem")} | settings))


STARTTLS = b"250-scripted.test\r\n250 STARTTLS"
AUTH = b"250-scripted.test\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME"
LOGIN = {"user": "digest", "password": "correct horse"}


def test_starttls_is_followed_by_another_ehlo(certificate: ssl.SSLContext) -> None:
    with ScriptedSmtp(tls=certificate) as server, guarded(server) as mailer:
        server.next("EHLO", STARTTLS)
        mailer.send(mail())
        assert mailer._wire is not None and isinstance(mailer._wire.sock, ssl.SSLSocket)
        assert verbs(server)[:4] == ["EHLO", "STARTTLS", "EHLO", "MAIL"]
        assert server.messages == [CONTENT]


def test_implicit_tls_begins_with_the_first_byte(certificate: ssl.SSLContext) -> None:
    with ScriptedSmtp(tls=certificate, implicit=True) as server, guarded(server, tls="implicit") as mailer:
        assert mailer.send(mail(HUGE)).startswith("250")
        assert verbs(server)[:2] == ["EHLO", "MAIL"]


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize(
    ("settings", "reason"),
    [({"ca_file": ""}, "self-signed"), ({"host": "localhost.localdomain"}, "ostname mismatch")],
)
def test_a_server_that_cannot_prove_its_name_gets_nothing(
    certificate: ssl.SSLContext,
    implicit: bool,
    settings: dict[str, str],
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dial = socket.create_connection
    monkeypatch.setattr(socket, "create_connection", lambda to, *rest: dial(("127.0.0.1", to[1]), *rest))
    with ScriptedSmtp(tls=certificate, implicit=implicit) as server:
        server.next("EHLO", STARTTLS)
        kind = "implicit" if implicit else "starttls"
        error = refusal(guarded(server, **LOGIN, **settings, tls=kind))
        assert verbs(server) == ([] if implicit else ["EHLO", "STARTTLS"])
    assert error.systemic and not error.permanent
    assert "certificate is not trusted" in str(error) and reason in str(error)


def test_what_is_not_encrypted_is_not_sent(server: ScriptedSmtp) -> None:
    error = refusal(guarded(server, **LOGIN))
    assert error.systemic and not error.permanent
    assert "does not offer STARTTLS" in str(error)
    assert verbs(server) == ["EHLO"]


def test_a_refused_starttls_is_not_followed_by_clear_text(server: ScriptedSmtp) -> None:
    server.next("EHLO", STARTTLS)
    server.next("STARTTLS", b"454 4.7.0 not now")
    error = refusal(guarded(server, **LOGIN))
    assert (error.permanent, error.systemic, error.code) == (False, True, 454)
    assert verbs(server) == ["EHLO", "STARTTLS"]


def test_words_slipped_in_before_the_encryption_are_noticed(certificate: ssl.SSLContext) -> None:
    with ScriptedSmtp(tls=certificate) as server:
        server.next("EHLO", STARTTLS)
        server.next("STARTTLS", b"220 go ahead\r\n250-scripted.test\r\n250 AUTH PLAIN")
        error = refusal(guarded(server, **LOGIN))
    assert "before the encryption" in str(error)
    assert error.systemic and not error.permanent


def test_a_server_without_tls_on_a_tls_port_is_told_as_that(server: ScriptedSmtp) -> None:
    error = refusal(guarded(server, tls="implicit"))
    assert error.systemic and not error.permanent
    assert "mail.smtp.tls" in str(error)


def test_the_login_goes_over_tls_once_a_connection(certificate: ssl.SSLContext) -> None:
    with ScriptedSmtp(tls=certificate) as server, guarded(server, **LOGIN) as mailer:
        server.next("EHLO", STARTTLS, AUTH)
        server.next("AUTH", b"235 2.7.0 welcome")
        for _ in range(2):
            mailer.send(mail())
        assert verbs(server) == ["EHLO", "STARTTLS", "EHLO", "AUTH", *["MAIL", "RCPT", "DATA"] * 2]
        assert server.commands[3] == "AUTH PLAIN AGRpZ2VzdABjb3JyZWN0IGhvcnNl"


def test_a_server_that_knows_login_only_gets_that(server: ScriptedSmtp) -> None:
    server.next("EHLO", b"250-scripted.test\r\n250 AUTH LOGIN CRAM-MD5")
    server.next("AUTH", b"334 VXNlcm5hbWU6")
    server.next("AUTH+", b"334 UGFzc3dvcmQ6", b"235 2.7.0 welcome")
    with plain(server, **LOGIN) as mailer:
        mailer.send(mail())
    assert server.commands[1:4] == ["AUTH LOGIN", "ZGlnZXN0", "Y29ycmVjdCBob3JzZQ=="]


@pytest.mark.parametrize("offer", [b"AUTH PLAIN", b"AUTH LOGIN"])
def test_a_refused_login_is_the_operators_trouble_and_keeps_the_password(server: ScriptedSmtp, offer: bytes) -> None:
    echo = b"535 5.7.8 no: correct horse, Y29ycmVjdCBob3JzZQ==, AGRpZ2VzdABjb3JyZWN0IGhvcnNl"
    server.next("EHLO", b"250-scripted.test\r\n250 " + offer)
    server.next("AUTH", echo if b"PLAIN" in offer else b"334 VXNlcm5hbWU6")
    server.next("AUTH+", b"334 UGFzc3dvcmQ6", echo)
    mailer = plain(server, **LOGIN)
    error = refusal(mailer)
    assert (error.permanent, error.systemic, error.code) == (False, True, 535)
    assert "login of digest" in str(error) and "535 5.7.8" in str(error)
    seen = str(error) + repr(error) + repr(vars(mailer))
    assert not any(secret in seen for secret in ("correct horse", "Y29ycmVj", "jb3JyZWN0"))
    assert verbs(server).count("AUTH") == 1


@pytest.mark.parametrize("refused_at", [0, 1])
def test_a_login_refused_half_way_is_not_gone_on_with(server: ScriptedSmtp, refused_at: int) -> None:
    server.next("EHLO", b"250-scripted.test\r\n250 AUTH LOGIN")
    server.next("AUTH", b"535 5.7.8 no" if refused_at == 0 else b"334 VXNlcm5hbWU6")
    server.next("AUTH+", b"535 5.7.8 no")
    assert refusal(plain(server, **LOGIN)).code == 535
    assert server.commands[1:] == ["AUTH LOGIN", "ZGlnZXN0"][: refused_at + 1]


def test_a_login_that_nobody_offers_is_refused_in_words(server: ScriptedSmtp) -> None:
    server.next("EHLO", b"250-scripted.test\r\n250 AUTH XOAUTH2", b"250 scripted.test")
    mailer = plain(server, **LOGIN)
    assert "offers XOAUTH2" in str(refusal(mailer))
    assert "offers no login" in str(refusal(mailer))
    assert "AUTH" not in verbs(server)
