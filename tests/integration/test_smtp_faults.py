"""The smtp mailer against a server that fails at every moment at which it can: the table of faults, row by row.

Each row runs against a server that knows neither PIPELINING nor CHUNKING, one that knows the first, and one that
knows both.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from paperdigest.errors import MailError
from paperdigest.mail.smtp import SmtpLane, SmtpMailer
from paperdigest.protocols import OutgoingMessage
from tests.scripted_smtp import Deed, ScriptedSmtp

CONTENT = b"From: digest@example.org\r\nSubject: Papers\r\n\r\nTwo papers.\r\n"
LARGE = CONTENT + b"x" * 70 + b"\r\n"
LONG = CONTENT + (b"x" * 70 + b"\r\n") * 600
HUGE = CONTENT + (b"x" * 70 + b"\r\n") * 90_000  # more than the kernel holds between two sockets
MODES = {
    "plain": ("8BITMIME",),
    "pipelined": ("8BITMIME", "PIPELINING"),
    "chunked": ("8BITMIME", "PIPELINING", "CHUNKING"),
    "chunked one by one": ("8BITMIME", "CHUNKING"),
}


def mail(
    content: bytes = CONTENT,
    *,
    sender: str = "digest@example.org",
    recipient: str = "you@example.net",
    utf8: bool = False,
) -> OutgoingMessage:
    return OutgoingMessage(
        sender=sender, recipient=recipient, message_id="<1@example.org>", content=content, needs_smtputf8=utf8
    )


class Leave:
    """Counts how often it was asked for, and gives it."""

    def __init__(self, *answers: bool) -> None:
        self.asked = 0
        self._answers = list(answers)

    def __call__(self) -> bool:
        self.asked += 1
        return self._answers.pop(0) if self._answers else True


def yes() -> bool:
    return True


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(mode: str) -> Iterator[ScriptedSmtp]:
    with ScriptedSmtp(*MODES[mode]) as scripted:
        yield scripted


@pytest.fixture
def lane(server: ScriptedSmtp) -> Iterator[SmtpLane]:
    with plain(server) as made:
        yield made


def plain(server: ScriptedSmtp, **settings: object) -> SmtpLane:
    usual = {"host": "127.0.0.1", "port": server.port, "tls": "none", "timeout_s": 30, "answer_timeout_s": 30}
    return SmtpMailer({**usual, **settings}).lane()


def refusal(lane: SmtpLane, message: OutgoingMessage | None = None) -> MailError:
    with pytest.raises(MailError) as caught:
        lane.send(message or mail(), yes)
    return caught.value


def verbs(server: ScriptedSmtp) -> list[str]:
    return [command.split(maxsplit=1)[0].upper() for command in server.commands]


def fields(error: MailError) -> tuple[str | None, bool, bool, bool, int | None, str | None]:
    return error.phase, error.permanent, error.after_dot, error.systemic, error.code, error.status


# --- the table: what is said no to, and what that means

ROWS = {
    "421 at MAIL": ("MAIL", b"421 4.3.2 busy", ("mail", False, False, False, 421, "4.3.2")),
    "451 at MAIL": ("MAIL", b"451 4.3.0 try later", ("mail", False, False, False, 451, "4.3.0")),
    "452 at MAIL": ("MAIL", b"452 4.3.1 no room", ("mail", False, False, False, 452, "4.3.1")),
    "530 at MAIL": ("MAIL", b"530 5.7.0 log in first", ("mail", False, False, True, 530, "5.7.0")),
    "550 at MAIL": ("MAIL", b"550 5.1.8 unknown sender", ("mail", True, False, False, 550, "5.1.8")),
    "421 at RCPT": ("RCPT", b"421 4.7.0 too many", ("rcpt", False, False, False, 421, "4.7.0")),
    "450 greylisted": ("RCPT", b"450 4.2.0 try again in 300 seconds", ("rcpt", False, False, False, 450, "4.2.0")),
    "452 at RCPT": ("RCPT", b"452 4.2.2 mailbox full", ("rcpt", False, False, False, 452, "4.2.2")),
    "550 5.1.1": ("RCPT", b"550 5.1.1 no such user", ("rcpt", True, False, False, 550, "5.1.1")),
    "550 5.7.1": ("RCPT", b"550 5.7.1 blocked", ("rcpt", True, False, False, 550, "5.7.1")),
    "552 5.2.2": ("RCPT", b"552 5.2.2 mailbox full", ("rcpt", True, False, False, 552, "5.2.2")),
    "421 after the dot": ("DOT", b"421 4.3.2 shutting down", ("dot", False, False, False, 421, "4.3.2")),
    "451 after the dot": ("DOT", b"451 4.7.1 try again", ("dot", False, False, False, 451, "4.7.1")),
    "452 after the dot": ("DOT", b"452 4.3.1 disk full", ("dot", False, False, False, 452, "4.3.1")),
    "550 5.7.1 after the dot": ("DOT", b"550 5.7.1 policy", ("dot", True, False, False, 550, "5.7.1")),
    "552 after the dot": ("DOT", b"552 5.3.4 too big", ("dot", True, False, False, 552, "5.3.4")),
    "554 after the dot": ("DOT", b"554 5.6.0 not wanted", ("dot", True, False, False, 554, "5.6.0")),
}
ROWS_OF_DATA = {
    "421 at DATA": ("DATA", b"421 4.3.2 bye", ("data", False, False, False, 421, "4.3.2")),
    "451 at DATA": ("DATA", b"451 4.3.0 no room", ("data", False, False, False, 451, "4.3.0")),
    "554 at DATA": ("DATA", b"554 5.5.1 no valid recipients", ("data", True, False, False, 554, "5.5.1")),
}
ROWS_OF_BDAT = {
    "421 at BDAT": ("BDAT", b"421 4.3.2 bye", ("body", False, False, False, 421, "4.3.2")),
    "452 at BDAT": ("BDAT", b"452 4.3.1 no room", ("body", False, False, False, 452, "4.3.1")),
    "554 at BDAT": ("BDAT", b"554 5.3.4 too big", ("body", True, False, False, 554, "5.3.4")),
}


def check_row(server: ScriptedSmtp, row: tuple[str, bytes, tuple[object, ...]]) -> None:
    command, answer, expected = row
    server.next(command, answer)
    with plain(server) as lane:
        error = refusal(lane, mail(LONG))
        assert fields(error) == expected
        assert answer.decode() in str(error) and f"127.0.0.1:{server.port}" in str(error)
        assert len(server.messages) == (command == "DOT")
        assert (lane.send(mail(), yes) or "").startswith("250")
        assert ("RSET" in verbs(server)) is (error.code != 421)
        assert server.connections == (2 if error.code == 421 else 1)
        assert server.messages[-1] == CONTENT


@pytest.mark.parametrize("row", ROWS)
def test_a_refusal_is_told_with_its_phase_and_costs_one_message_only(server: ScriptedSmtp, row: str) -> None:
    check_row(server, ROWS[row])


@pytest.mark.parametrize("row", ROWS_OF_DATA)
@pytest.mark.parametrize("mode", ["plain", "pipelined"], indirect=True)
def test_a_refusal_of_data_is_told_with_its_phase(server: ScriptedSmtp, row: str) -> None:
    check_row(server, ROWS_OF_DATA[row])


@pytest.mark.parametrize("row", ROWS_OF_BDAT)
@pytest.mark.parametrize("mode", ["chunked", "chunked one by one"], indirect=True)
def test_a_refusal_of_a_chunk_is_told_with_its_phase(server: ScriptedSmtp, row: str) -> None:
    check_row(server, ROWS_OF_BDAT[row])


@pytest.mark.parametrize(
    ("words", "wait"),
    [
        (b"450 4.2.0 greylisted, try again in 300 seconds", timedelta(seconds=300)),
        (b"450 4.7.1 Greylisted for 5 minutes", timedelta(minutes=5)),
        (b"451 4.7.1 please come back in 00:05:00", timedelta(minutes=5)),
        (b"421 4.7.28 retry after 1 hour", timedelta(hours=1)),
        (b"450 try again in 999999 hours", timedelta(days=1)),
        (b"450 4.2.0 later", None),
        (b"450 in 12 feet of water", None),
        (b"550 5.7.1 do not try again in 300 seconds", None),
    ],
)
@pytest.mark.parametrize("mode", ["pipelined"], indirect=True)
def test_the_wait_that_a_server_asks_for_is_passed_on(
    server: ScriptedSmtp, lane: SmtpLane, words: bytes, wait: timedelta | None
) -> None:
    server.next("RCPT", words)
    assert refusal(lane).retry_after == wait


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (b"550 5.1.1 <you@example.net> unknown", "5.1.1"),
        (b"550-5.1.1 no\r\n550 5.1.1 such user", "5.1.1"),
        (b"550 see 5.1.1 of the manual", None),
        (b"550 4.1.1 which is it?", None),
        (b"550 5.1.1.7 is an address", None),
        (b"550", None),
    ],
)
@pytest.mark.parametrize("mode", ["pipelined"], indirect=True)
def test_only_what_begins_the_answer_is_a_status(
    server: ScriptedSmtp, lane: SmtpLane, words: bytes, status: str | None
) -> None:
    server.next("RCPT", words)
    assert refusal(lane).status == status


@pytest.mark.parametrize(("command", "answer"), [("MAIL", b"354 go on"), ("RCPT", b"354 go on"), ("DOT", b"354 more")])
def test_a_wrong_code_ends_the_connection(server: ScriptedSmtp, lane: SmtpLane, command: str, answer: bytes) -> None:
    server.next(command, answer)
    error = refusal(lane)
    assert (error.permanent, error.after_dot, error.phase) == (False, command == "DOT", command.lower())
    lane.send(mail(), yes)
    assert (server.connections, server.messages[-1]) == (2, CONTENT)


@pytest.mark.parametrize("mode", ["plain", "pipelined"], indirect=True)
def test_a_wrong_code_at_data_ends_the_connection(server: ScriptedSmtp, lane: SmtpLane) -> None:
    server.next("DATA", b"250 ok")
    error = refusal(lane)
    assert (error.permanent, error.after_dot, error.phase) == (False, False, "data")
    lane.send(mail(), yes)
    assert (server.connections, server.messages) == (2, [CONTENT])


def test_a_connection_that_cannot_be_reset_is_not_used_again(server: ScriptedSmtp, lane: SmtpLane) -> None:
    server.next("RCPT", b"550 5.1.1 no such user")
    server.next("RSET", b"502 5.5.1 what?")
    assert refusal(lane).permanent
    lane.send(mail(), yes)
    assert (server.connections, server.messages) == (2, [CONTENT])


# --- pipelined errors


@pytest.mark.parametrize("refused", ["MAIL", "RCPT"])
@pytest.mark.parametrize("mode", ["pipelined"], indirect=True)
def test_a_message_that_was_refused_is_not_begun_though_data_was_accepted(
    server: ScriptedSmtp, lane: SmtpLane, refused: str
) -> None:
    server.next(refused, b"550 5.1.1 no")
    server.next("DATA", b"354 go ahead")
    leave = Leave()
    with pytest.raises(MailError) as caught:
        lane.send(mail(), leave)
    assert fields(caught.value) == (refused.lower(), True, False, False, 550, "5.1.1")
    lane.send(mail(), yes)
    assert (leave.asked, server.messages, server.connections) == (0, [CONTENT], 2)
    assert "RSET" not in b"".join(server.received).decode()  # it would have become part of a message
    assert b"".join(server.received).count(b"\r\n.\r\n") == 1


@pytest.mark.parametrize("mode", ["pipelined"], indirect=True)
def test_the_first_of_many_refusals_is_the_reason(server: ScriptedSmtp, lane: SmtpLane) -> None:
    server.next("MAIL", b"451 4.3.0 later")
    server.next("RCPT", b"503 5.5.1 MAIL first")
    server.next("DATA", b"503 5.5.1 RCPT first")
    assert fields(refusal(lane)) == ("mail", False, False, False, 451, "4.3.0")
    lane.send(mail(), yes)
    assert (server.connections, server.messages) == (1, [CONTENT])


@pytest.mark.parametrize("mode", ["chunked"], indirect=True)
def test_chunks_of_a_refused_message_are_forgotten(server: ScriptedSmtp, lane: SmtpLane) -> None:
    server.next("RCPT", b"550 5.1.1 no")
    assert fields(refusal(lane, mail(LONG))) == ("rcpt", True, False, False, 550, "5.1.1")
    lane.send(mail(), yes)
    assert (server.connections, server.messages) == (1, [CONTENT])
    assert b"LAST" not in b"".join(server.received).split(b"RSET")[0]


@pytest.mark.parametrize("mode", ["pipelined", "chunked"], indirect=True)
@pytest.mark.parametrize("after", [Deed.DROP, Deed.RESET, b"nonsense"])
def test_a_refusal_counts_though_the_connection_is_lost_after_it(
    server: ScriptedSmtp, lane: SmtpLane, after: bytes | Deed
) -> None:
    server.next("MAIL", b"550 5.7.1 no")
    server.next("RCPT", after)
    if after is Deed.RESET:  # a reset may overtake the answer; then nothing is known
        assert not refusal(lane).after_dot
    else:
        assert fields(refusal(lane)) == ("mail", True, False, False, 550, "5.7.1")
    lane.send(mail(), yes)
    assert (server.connections, server.messages) == (2, [CONTENT])


# --- leave


def test_leave_is_asked_once_when_only_the_end_is_missing(server: ScriptedSmtp, lane: SmtpLane) -> None:
    asked: list[tuple[int, bool]] = []

    def leave() -> bool:
        asked.append((len(server.messages), server.said_all_but_the_end(LONG)))
        return True

    lane.send(mail(LONG), leave)
    assert asked == [(0, True)]
    assert len(server.messages) == 1


def test_without_leave_the_message_is_never_finished(server: ScriptedSmtp, lane: SmtpLane) -> None:
    assert lane.send(mail(LONG), lambda: False) is None
    lane.send(mail(), yes)
    assert (server.connections, server.messages) == (2, [CONTENT])


def test_a_ledger_that_fails_leaves_the_message_unfinished(server: ScriptedSmtp, lane: SmtpLane) -> None:
    def broken() -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lane.send(mail(LONG), broken)
    lane.send(mail(), yes)
    assert (server.connections, server.messages) == (2, [CONTENT])


@pytest.mark.parametrize("command", ["GREETING", "EHLO", "MAIL", "RCPT"])
def test_no_leave_is_asked_for_what_is_refused(server: ScriptedSmtp, lane: SmtpLane, command: str) -> None:
    server.next(command, b"450 no")
    leave = Leave()
    with pytest.raises(MailError):
        lane.send(mail(), leave)
    assert leave.asked == 0


# --- lost connections


@pytest.mark.parametrize("command", ["MAIL", "RCPT"])
@pytest.mark.parametrize("deed", [Deed.DROP, Deed.RESET, b"250-a\r\nnonsense", b"\x00\xff", b"250-a\r\n550 b"])
def test_a_connection_lost_before_the_message_leaves_no_doubt(
    server: ScriptedSmtp, lane: SmtpLane, command: str, deed: bytes | Deed
) -> None:
    server.next(command, deed)
    error = refusal(lane)
    assert (error.permanent, error.after_dot, error.systemic, error.code) == (False, False, False, None)
    if deed is not Deed.RESET:
        assert error.phase == command.lower()
    lane.send(mail(), yes)
    assert (server.connections, server.messages) == (2, [CONTENT])


def test_an_accepted_message_leaves_no_doubt_about_the_next(server: ScriptedSmtp, lane: SmtpLane) -> None:
    lane.send(mail(), yes)
    server.next("RCPT", Deed.DROP)
    assert not refusal(lane).after_dot


@pytest.mark.parametrize("deed", [Deed.DROP, Deed.RESET])
def test_a_connection_lost_in_mid_message_leaves_no_doubt(server: ScriptedSmtp, lane: SmtpLane, deed: Deed) -> None:
    server.next("BODY", deed)
    error = refusal(lane, mail(HUGE))
    assert (error.permanent, error.after_dot, error.phase) == (False, False, "body")
    assert "before it had the message" in str(error)
    lane.send(mail(), yes)
    assert server.messages == [CONTENT]


@pytest.mark.parametrize(("answer", "permanent"), [(b"452 4.3.1 disk full", False), (b"552 5.3.4 too big", True)])
@pytest.mark.parametrize("mode", ["plain", "pipelined"], indirect=True)
def test_a_server_that_refuses_in_mid_message_is_heard_before_the_dot(
    server: ScriptedSmtp, lane: SmtpLane, answer: bytes, permanent: bool
) -> None:
    server.next("BODY", answer)
    error = refusal(lane, mail(HUGE))
    assert fields(error) == ("body", permanent, False, False, int(answer[:3]), answer[4:9].decode())
    lane.send(mail(), yes)
    assert (server.connections, server.messages) == (2, [CONTENT])


@pytest.mark.parametrize("mode", ["plain", "pipelined"], indirect=True)
def test_a_yes_before_the_dot_is_not_believed(server: ScriptedSmtp, lane: SmtpLane) -> None:
    server.next("BODY", b"250 2.0.0 thanks")
    error = refusal(lane, mail(HUGE))
    assert (error.permanent, error.after_dot, error.phase) == (False, False, "body")
    assert server.messages == []


@pytest.mark.parametrize("deed", [Deed.DROP, Deed.RESET, b"nonsense", b"250-a\r\n550 b", b"\x00", b"199 hm"])
def test_a_connection_lost_after_the_dot_leaves_doubt(server: ScriptedSmtp, lane: SmtpLane, deed: bytes | Deed) -> None:
    server.next("DOT", deed)
    error = refusal(lane)
    assert fields(error) == ("dot", False, True, False, None, None)
    assert "may have been accepted" in str(error)
    lane.send(mail(), yes)
    assert (server.connections, len(server.messages)) == (2, 2)


@pytest.mark.parametrize("deed", [Deed.HANG, Deed.DRIBBLE])
@pytest.mark.parametrize("command", ["GREETING", "EHLO", "RCPT", "DOT"])
def test_silence_and_dribbling_come_to_an_end(server: ScriptedSmtp, deed: Deed, command: str) -> None:
    server.next(command, deed)
    with plain(server, timeout_s=0.1, answer_timeout_s=0.2) as lane:
        error = refusal(lane)
    phase = "hello" if command == "EHLO" else command.lower()
    assert (error.permanent, error.after_dot, error.phase) == (False, command == "DOT", phase)
    assert error.systemic is (command in ("GREETING", "EHLO"))
    assert "in time" in str(error) or "too long" in str(error)


def test_a_server_that_stops_reading_comes_to_an_end(server: ScriptedSmtp) -> None:
    server.next("BODY", Deed.HANG)
    with plain(server, timeout_s=0.2) as lane:
        error = refusal(lane, mail(HUGE))
    assert (error.permanent, error.after_dot, error.systemic, error.phase) == (False, False, False, "body")
    assert server.messages == []


@pytest.mark.parametrize("deed", [Deed.HANG, Deed.DRIBBLE])
def test_other_connections_go_on_meanwhile(server: ScriptedSmtp, deed: Deed) -> None:
    server.next("RCPT", deed)
    mailer = SmtpMailer({"host": "127.0.0.1", "port": server.port, "tls": "none", "timeout_s": 0.1})
    with mailer.lane() as stuck, mailer.lane() as free:
        refusal(stuck)
        assert (free.send(mail(), yes) or "").startswith("250")


@pytest.mark.parametrize(
    "answer", [b"250-x\r\n" * 200 + b"250 x", b"250 " + b"x" * 1_000_000, b"250-" + b"y" * 700 + b"\r\n250-z" * 99]
)
def test_an_endless_answer_is_cut_off(server: ScriptedSmtp, lane: SmtpLane, answer: bytes) -> None:
    server.next("RCPT", answer)
    error = refusal(lane)
    assert "does not end" in str(error) or "says both" in str(error) or "not SMTP" in str(error)
    assert not error.systemic and not error.permanent and not error.after_dot


def test_the_servers_words_cannot_garble_a_terminal(server: ScriptedSmtp, lane: SmtpLane) -> None:
    server.next("RCPT", b"550-5.1.1 \x1b[31mno\r\n550 such\x07 user\x00 " + b"!" * 900)
    text = str(refusal(lane))
    assert not set(text) & set("\x1b\x07\x00")
    assert "550 5.1.1 [31mno such user" in text
    assert len(text) < 500


# --- a server that is leaving


def test_an_idle_connection_that_was_closed_is_replaced_without_a_fuss(server: ScriptedSmtp, lane: SmtpLane) -> None:
    lane.send(mail(), yes)
    server.hang_up()
    assert (lane.send(mail(), yes) or "").startswith("250")
    server.next("MAIL", b"421 4.4.2 idle for too long")
    assert (lane.send(mail(), yes) or "").startswith("250")
    server.next("MAIL", Deed.DROP)
    assert (lane.send(mail(), yes) or "").startswith("250")
    assert (server.connections, len(server.messages)) == (4, 4)


def test_a_server_that_says_goodbye_between_two_messages_costs_no_message(server: ScriptedSmtp, lane: SmtpLane) -> None:
    server.next("DOT", b"250 2.0.0 ok\r\n421 4.3.2 maintenance")
    assert [lane.send(mail(), yes) for _ in range(2)] == ["250 2.0.0 ok"] * 2
    assert (server.connections, len(server.messages)) == (2, 2)


def test_a_server_that_asks_for_patience_is_not_dialled_again_at_once(server: ScriptedSmtp, lane: SmtpLane) -> None:
    lane.send(mail(), yes)
    server.next("MAIL", b"421 4.7.28 too fast, retry in 2 minutes")
    error = refusal(lane)
    assert fields(error) == ("mail", False, False, False, 421, "4.7.28")
    assert (server.connections, error.retry_after) == (1, timedelta(minutes=2))


def test_a_server_that_always_leaves_is_not_dialled_for_ever(server: ScriptedSmtp, lane: SmtpLane) -> None:
    lane.send(mail(), yes)
    server.next("MAIL", *[b"421 4.3.2 busy"] * 9)
    assert refusal(lane).code == 421
    assert server.connections == 2


def test_leaving_with_a_dead_server_is_no_error(server: ScriptedSmtp) -> None:
    with plain(server) as lane:
        lane.send(mail(), yes)
        server.next("QUIT", Deed.DROP)
    assert verbs(server)[-1] == "QUIT"


def test_an_interrupted_message_does_not_spoil_the_next(
    server: ScriptedSmtp, lane: SmtpLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("paperdigest.mail.transaction._open", interrupted)
        with pytest.raises(KeyboardInterrupt):
            lane.send(mail(), yes)
    lane.send(mail(), yes)
    assert (server.connections, server.messages) == (2, [CONTENT])


def test_an_error_of_whoever_gives_leave_does_not_spoil_the_next_message(server: ScriptedSmtp, lane: SmtpLane) -> None:
    def broken() -> bool:
        raise MailError("no leave to be had", permanent=False)

    with pytest.raises(MailError, match="no leave"):
        lane.send(mail(), broken)
    lane.send(mail(), yes)
    assert (server.connections, server.messages) == (2, [CONTENT])


# --- what is not sent


@pytest.mark.parametrize("whose", ["sender", "recipient"])
@pytest.mark.parametrize("utf8", [False, True])
@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a b@example.org",
        "a@b@c",
        "<a@example.org>",
        "a@example.org>",
        "jü\u202e@example.org",
        "j\x85@example.org",
        "j\ud800@example.org",
        "j@exämple.org",
        "ü" * 33 + "@example.org",
        "a@" + "x" * 300,
        "b@y>\r\nRCPT TO:<evil@example.org",
        "a@example.org\r\n",
        "a@example.org\n",
        "a\x00@example.org",
    ],
)
@pytest.mark.parametrize("mode", ["pipelined"], indirect=True)
def test_an_address_that_could_become_a_command_is_refused(
    server: ScriptedSmtp, lane: SmtpLane, whose: str, address: str, utf8: bool
) -> None:
    message = mail(sender=address, utf8=utf8) if whose == "sender" else mail(recipient=address, utf8=utf8)
    error = refusal(lane, message)
    assert error.permanent and error.status in ("5.1.7", "5.1.3", "5.6.7")
    assert whose in str(error) and "\n" not in str(error)
    assert server.connections == 0


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\r\n", b"\n\r\n", b"\n.\n", b"\r.\r", b"\r\n\0"])
@pytest.mark.parametrize("mode", ["pipelined"], indirect=True)
def test_a_message_with_a_bare_line_end_is_refused(server: ScriptedSmtp, lane: SmtpLane, line_end: bytes) -> None:
    error = refusal(lane, mail(CONTENT + b"smuggled" + line_end + b"mail"))
    assert (error.permanent, error.status) == (True, "5.6.0")
    assert "line 5 " in str(error) or "line 6 " in str(error)
    assert server.connections == 0


def test_a_message_larger_than_the_server_takes_is_not_sent(server: ScriptedSmtp, lane: SmtpLane) -> None:
    server.next("EHLO", f"250-scripted.test\r\n250 SIZE {len(CONTENT)}".encode())
    error = refusal(lane, mail(LARGE))
    assert fields(error) == ("mail", True, False, False, None, "5.3.4")
    assert f"{len(LARGE)} bytes" in str(error) and f"at most {len(CONTENT)}" in str(error)
    assert verbs(server) == ["EHLO"]
    lane.send(mail(), yes)
    assert server.commands[1] == f"MAIL FROM:<digest@example.org> SIZE={len(CONTENT)}"


@pytest.mark.parametrize("size", [b"SIZE", b"SIZE 0", b"SIZE x", b"SIZE " + b"9" * 5000])
def test_a_server_without_a_limit_takes_any_size(server: ScriptedSmtp, lane: SmtpLane, size: bytes) -> None:
    server.next("EHLO", b"250-scripted.test\r\n250 " + size)
    assert (lane.send(mail(LARGE), yes) or "").startswith("250")


def test_text_that_is_not_ascii_needs_a_server_that_takes_it(server: ScriptedSmtp, lane: SmtpLane) -> None:
    content = CONTENT + "Gödel\r\n".encode()
    lane.send(mail(content), yes)
    assert server.commands[1].endswith(" BODY=8BITMIME")
    server.next("EHLO", b"250 scripted.test")
    server.hang_up()
    error = refusal(lane, mail(content))
    assert (error.permanent, error.status) == (True, "5.6.3") and "ASCII" in str(error)
    assert server.messages == [content]


def test_an_address_that_is_not_ascii_needs_a_server_that_takes_it(server: ScriptedSmtp, lane: SmtpLane) -> None:
    message = mail(recipient="jürgen@example.net", utf8=True)
    error = refusal(lane, message)
    assert fields(error) == ("mail", True, False, False, None, "5.6.7")
    assert "SMTPUTF8" in str(error)
    server.next("EHLO", b"250-scripted.test\r\n250-8BITMIME\r\n250 SMTPUTF8")
    server.hang_up()
    lane.send(mail(), yes)
    lane.send(message, yes)
    assert server.commands[-3:-1] == ["MAIL FROM:<digest@example.org> SMTPUTF8", "RCPT TO:<jürgen@example.net>"]
