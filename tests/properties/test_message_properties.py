from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from hypothesis import example, given, settings
from hypothesis import strategies as st

from paperdigest.mail.envelope import stuffed
from paperdigest.mail.headers import clean_line
from paperdigest.mail.message import Mailbox, build_message, clean_body

# Every code point, the lone surrogates included: titles come from the network.
_ANYTHING = st.text(st.characters(), max_size=300)
_HEADER_NAMES = [
    *("From", "To", "Subject", "Date", "Message-ID", "List-Id", "Auto-Submitted"),
    *("List-Unsubscribe", "MIME-Version", "Content-Type"),
]


def _build(subject: str, name: str, html: str, text: str) -> bytes:
    return build_message(
        sender=Mailbox("digest@example.org", "Paper digest"),
        recipient=Mailbox("you@example.net", name),
        subject=subject,
        html=html,
        text=text,
        sent_at=datetime(2026, 4, 15, 6, 0, tzinfo=UTC),
        message_id="<2026-04-15.abc@example.org>",
        list_id="paperdigest.example.org",
        list_name="paperdigest",
        headers={"List-Unsubscribe": "<https://example.org/u/" + "t" * 90 + ">, <mailto:stop@example.org>"},
    )


def _parse(raw: bytes) -> EmailMessage:
    message = BytesParser(policy=policy.default).parsebytes(raw)
    assert isinstance(message, EmailMessage)
    return message


@given(_ANYTHING, _ANYTHING)
@settings(max_examples=300, deadline=None)
@example("=?utf-8?q?a=0aBcc:_v@x?=", "=?utf-8?q?a=0aBcc:_v@x?=")
@example("a\r\nBcc: v@example.com", "a\r\n\r\nbody")
@example("\ud800 \x00 \u2028Bcc: x", '"quoted" \\ <x@y>')
@example("x" * 2000, "y" * 300)
@example("", "")
@example("=", "?=")
@example("ends in =?", "a, b")
def test_no_subject_or_name_breaks_out_and_the_parser_reads_them_back(subject: str, name: str) -> None:
    raw = _build(subject, name, "<p>x</p>", "x")
    message = _parse(raw)
    assert [key for key, _ in message.raw_items()] == _HEADER_NAMES
    assert message["subject"] == clean_line(subject)
    assert [str(box.addr_spec) for box in message["to"].addresses] == ["you@example.net"]
    # Python 3.11's reader keeps the blank between two encoded words of a phrase, against RFC 2047, 6.2.
    shown = message["to"].addresses[0].display_name
    assert shown.replace(" ", "") == clean_line(name).replace(" ", "")
    head = raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert all(len(line) <= 78 or b"<https://" in line for line in head)


@given(_ANYTHING, _ANYTHING)
@settings(max_examples=300, deadline=None)
@example("a\n.\nb\n", " \t \n\nFrom me \n--=_x\n")
@example("a\rb\r\nc", "trailing  \n")
@example("é" * 500, "=" * 500)
@example("x" * 75 + " ", "x" * 75 + " \ny")
@example("", "\n")
def test_bodies_read_back_as_written(html: str, text: str) -> None:
    raw = _build("Papers", "You", html, text)
    message = _parse(raw)
    assert message.get_content_type() == "multipart/alternative"
    plain, rich = message.iter_parts()
    assert [plain.get_content_type(), rich.get_content_type()] == ["text/plain", "text/html"]
    assert not message.defects
    for part, wanted in ((plain, text), (rich, html)):
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        assert payload.decode("utf-8").replace("\r\n", "\n") == clean_body(wanted)


@given(_ANYTHING, _ANYTHING, _ANYTHING)
@settings(max_examples=150, deadline=None)
def test_the_bytes_are_crlf_ascii_short_lines_and_always_the_same(subject: str, html: str, text: str) -> None:
    raw = _build(subject, "You", html, text)
    assert raw == _build(subject, "You", html, text)
    assert raw.replace(b"\r\n", b"").translate(None, b"\r\n") == raw.replace(b"\r\n", b"")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert raw.isascii()
    assert b"\0" not in raw and stuffed(raw) == raw  # as `OutgoingMessage.has_safe_lines` says of it
    body = raw.partition(b"\r\n\r\n")[2]
    assert all(len(line) <= 78 for line in body.split(b"\r\n"))
