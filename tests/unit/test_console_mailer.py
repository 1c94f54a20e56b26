import io
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from paperdigest.errors import MailError
from paperdigest.mail.console import ConsoleMailer
from paperdigest.mail.message import Mailbox, build_message
from paperdigest.protocols import OutgoingMessage


def _mail(
    text: str = "Two papers.", subject: str = "Gödel, and others", content: bytes | None = None
) -> OutgoingMessage:
    built = build_message(
        sender=Mailbox("digest@example.org", "paperdigest"),
        recipient=Mailbox("you@example.net"),
        subject=subject,
        html="<p>HTML</p>",
        text=text,
        sent_at=datetime(2026, 4, 15, 6, 0, tzinfo=UTC),
        message_id="<1@example.org>",
    )
    return OutgoingMessage(
        sender="digest@example.org", recipient="you@example.net", message_id="<1@example.org>", content=content or built
    )


def _yes() -> bool:
    return True


def test_a_message_is_shown_as_a_person_reads_it(capsys: pytest.CaptureFixture[str]) -> None:
    with ConsoleMailer({}).lane() as lane:
        assert lane.send(_mail("Two papers:\n\n  1. Gödel\n  2. Tarski\n"), _yes) == "shown"
    assert capsys.readouterr().err == (
        "From: paperdigest <digest@example.org>\n"
        "To: you@example.net\n"
        "Subject: Gödel, and others\n"
        "\n"
        "Two papers:\n\n  1. Gödel\n  2. Tarski\n\n"
    )


def test_what_a_terminal_would_obey_is_not_shown() -> None:
    stream = io.StringIO()
    hostile = "a\x1b]0;b\x07c\x9bd\u202ee\rf"
    ConsoleMailer({}, stream=stream).lane().send(_mail(hostile, subject=hostile), _yes)
    shown = stream.getvalue()
    assert not any(control in shown for control in "\x1b\x07\x9b\u202e\r")
    assert all(letter in shown for letter in "abcdef")


def test_letters_that_the_terminal_lacks_are_replaced() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    ConsoleMailer({}, stream=stream).lane().send(_mail("naïve"), _yes)
    assert b"na?ve" in raw.getvalue()


@pytest.mark.parametrize("content", [b"Subject: x\r\n\r\nplain", b"\xff\x00", b"Content-Type: text/html\r\n\r\n<p>"])
def test_any_message_can_be_shown(content: bytes) -> None:
    stream = io.StringIO()
    ConsoleMailer({}, stream=stream).lane().send(_mail(content=content), _yes)
    assert stream.getvalue().startswith("From: ")


def test_a_stream_that_is_gone_is_a_mail_error() -> None:
    stream = io.StringIO()
    stream.close()
    with pytest.raises(MailError, match="could not be shown") as caught:
        ConsoleMailer({}, stream=stream).lane().send(_mail(), _yes)
    assert not caught.value.permanent


def test_it_has_no_settings() -> None:
    with pytest.raises(ValidationError):
        ConsoleMailer({"colour": True})


def test_a_message_without_leave_is_not_shown() -> None:
    stream = io.StringIO()
    assert ConsoleMailer({}, stream=stream).lane().send(_mail(), lambda: False) is None
    assert stream.getvalue() == ""
