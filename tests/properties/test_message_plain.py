"""What a reader makes of our messages is what it makes of those that the standard library writes.

Left out is where the standard library itself fails or is led astray: it raises on lone surrogates, raises on or passes
on line ends and controls in headers (both get what we clean), decodes and re-encodes what looks like an encoded word,
mangles URLs of 78 characters and more (CVE-2024-6923 and others; see `paperdigest.mail.headers`), and drops blanks
between encoded words of a long subject. A body that does not end in a line end gets one from it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import policy
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.parser import BytesParser

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from paperdigest.mail.envelope import stuffed
from paperdigest.mail.headers import clean_line
from paperdigest.mail.lists import ListHeaders
from paperdigest.mail.message import Attachment, Mailbox, build_message, clean_body

SENT = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)
LIST = ListHeaders(unsubscribe_url="https://example.org/u/" + "t" * 30, unsubscribe_mailto="unsub+t@example.org")
_ANYTHING = st.text(st.characters(), max_size=200)
_WORDS = st.lists(
    st.sampled_from(["a", "Zürich", "=", '"', "\\", ",", "<b>", "\r\n", " ", ".", "論文", "😀"]), max_size=40
)
_TEXT = st.one_of(_ANYTHING, _WORDS.map("".join), _WORDS.map(" ".join))


def _ours(subject: str, name: str, text: list[str], html: list[str], bib: str | None) -> bytes:
    files = () if bib is None else (Attachment(name="papers.bib", media_type="text/x-bibtex", text=bib),)
    return build_message(
        sender=Mailbox("digest@example.org", "Paper digest"),
        recipient=Mailbox("you@example.net", name),
        subject=subject,
        text=text,
        html=html,
        sent_at=SENT,
        message_id="<1.abc@example.org>",
        list_id="paperdigest.example.org",
        headers=LIST.fields(),
        attachments=files,
    )


def _plain(subject: str, name: str, text: str, html: str, bib: str | None) -> bytes:
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = Address("Paper digest", addr_spec="digest@example.org")
    message["To"] = Address(clean_line(name), addr_spec="you@example.net")
    message["Subject"] = clean_line(subject)
    message["Date"] = SENT
    message["Message-ID"] = "<1.abc@example.org>"
    message["List-Id"] = "<paperdigest.example.org>"
    message["Auto-Submitted"] = "auto-generated"
    for field, value in LIST.fields().items():
        message[field] = value
    message.set_content(clean_body(text), cte="quoted-printable")
    message.add_alternative(clean_body(html), subtype="html", cte="quoted-printable")
    if bib is not None:
        message.add_attachment(clean_body(bib), subtype="x-bibtex", filename="papers.bib", cte="quoted-printable")
    return message.as_bytes()


def _headers(message: Message) -> dict[str, str]:
    """Return what a reader shows, words decoded; which names a MIME part goes by is nobody's concern."""
    found = {}
    for name, value in message.items():
        shown = value if isinstance(message, EmailMessage) else str(make_header(decode_header(value)))
        found[name.lower()] = " ".join(str(shown).split())
    found["content-type"] = message.get_content_type()
    found["subject"] = found["subject"].replace(" ", "")  # its writer drops some; that ours keeps them is checked apart
    # Python 3.11's reader keeps the blank between two encoded words of a phrase, against RFC 2047, 6.2.
    found["to"] = found["to"].replace(" ", "").replace('"', "").replace("\\", "")
    return found


def _leaves(message: Message) -> list[tuple[str, str | None, str | None, str]]:
    """Return type, character set, file name and text of every part that is one."""
    leaves = []
    for part in message.walk():
        if not part.is_multipart():
            raw = part.get_payload(decode=True)
            assert isinstance(raw, bytes)
            shown = raw.decode("utf-8").replace("\r\n", "\n")
            leaves.append((part.get_content_type(), part.get_content_charset(), part.get_filename(), _ended(shown)))
    return leaves


def _ended(body: str) -> str:
    return body if body.endswith("\n") else body + "\n"


@given(_TEXT, _TEXT, st.lists(_TEXT, max_size=4), st.lists(_TEXT, max_size=4), st.none() | _TEXT)
@settings(max_examples=200, deadline=None)
@example("x" * 300, "y" * 100, ["a ", "\n"], ["b\r", "\nc"], None)
@example("Über " * 40, '"quoted" \\ name, with <all> @ signs', [], [""], "@misc{a,\n}\n")
@example("0" * 33 + "¡¡¡¡ ¡", "", [], [], None)
@example("", "", ["."], ["From me"], "")
@example("a: b; c", "Dr. J. Doe (jd)", ["=_x"], ["--=_\n"], None)
def test_a_reader_sees_what_it_sees_in_a_plain_message(
    subject: str, name: str, text: list[str], html: list[str], bib: str | None
) -> None:
    assume("=?" not in clean_line(subject) + " " + clean_line(name))
    bodies = ["".join(text), "".join(html), *([] if bib is None else [bib])]
    ours = _ours(subject, name, text, html, bib)
    assert b"\0" not in ours and stuffed(ours) == ours  # as `OutgoingMessage.has_safe_lines` says of it
    plain = _plain(subject, name, bodies[0], bodies[1], bib)
    for kind in (policy.default, policy.compat32):
        mine = BytesParser(policy=kind).parsebytes(ours)
        theirs = BytesParser(policy=kind).parsebytes(plain)
        assert _headers(mine) == _headers(theirs)
        assert _leaves(mine) == _leaves(theirs)
        assert [one[3] for one in _leaves(mine)] == [_ended(clean_body(body)) for body in bodies]
        assert kind is policy.compat32 or mine["subject"] == clean_line(subject)
        assert not mine.defects
        assert [part.get_content_type() for part in mine.walk()] == [part.get_content_type() for part in theirs.walk()]


@given(_TEXT, _TEXT, _TEXT)
@settings(max_examples=200, deadline=None)
@example("=?utf-8?q?a=0aBcc:_v@x?=", "=?utf-8?q?a=0aBcc:_v@x?=", "=?utf-8?q?=0d=0a?=")
@example("\ud800 \x00 \u2028Bcc: x", "a\r\nBcc: v@example.com", "x\r\n\r\nbody")
@example("論文 " * 60, "ž" * 300, "é")
def test_no_title_name_or_setting_makes_a_header_and_utf8_reads_back(subject: str, name: str, title: str) -> None:
    for address in ("you@example.net", "žofia@example.net"):
        recipient = Mailbox(address, name)
        raw = build_message(
            sender=Mailbox("digest@example.org", title),
            recipient=recipient,
            subject=subject,
            text=[title],
            html=[title],
            sent_at=SENT + timedelta(days=1),
            message_id="<1.abc@example.org>",
            list_id="paperdigest.example.org",
            list_name=title,
            headers=LIST.fields(),
        )
        message = BytesParser(policy=policy.SMTPUTF8).parsebytes(raw)
        expected = ["From", "To", "Subject", "Date", "Message-ID", "List-Id", "Auto-Submitted", *LIST.fields()]
        assert [key for key, _ in message.raw_items()] == [*expected, "MIME-Version", "Content-Type"]
        assert message["subject"] == clean_line(subject)
        head = raw.partition(b"\r\n\r\n")[0]
        assert head.isascii() or recipient.needs_smtputf8
        assert raw.partition(b"\r\n\r\n")[2].isascii()
        assert address.encode("utf-8") in head
        assert max(len(line.decode("utf-8")) for line in head.split(b"\r\n")) <= 78
        assert b"\r" not in head.replace(b"\r\n", b"")
        assert b"\n" not in head.replace(b"\r\n", b"")
