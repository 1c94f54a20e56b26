"""The fields by which a reader leaves: they must reach the mail program byte for byte."""

from __future__ import annotations

from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser
from urllib.parse import unquote

import pytest

from paperdigest.errors import MailError
from paperdigest.mail.lists import ListHeaders, feedback_id
from paperdigest.mail.message import Attachment, Mailbox, build_message

LEAVE = "https://example.org/u/" + "t" * 30
ADDRESS = "unsub+abcdefghijklmnopqrstuvwxyz234567abcd@example.org"


def _raw(headers: ListHeaders, *attachments: Attachment) -> bytes:
    return build_message(
        sender=Mailbox("digest@example.org"),
        recipient=Mailbox("you@example.net"),
        subject="Papers",
        html=["<p>x</p>"],
        text=["x"],
        sent_at=datetime(2026, 4, 15, 6, 0, tzinfo=UTC),
        message_id="<a@example.org>",
        headers=headers.fields(),
        attachments=attachments,
    )


def test_all_fields_stand_as_the_standards_write_them() -> None:
    raw = _raw(
        ListHeaders(
            unsubscribe_url=LEAVE,
            unsubscribe_mailto=ADDRESS,
            help_url="https://example.org/help",
            feedback=feedback_id("daily", "digest", sender="example.org"),
        )
    )
    for field in (
        f"List-Unsubscribe: <{LEAVE}>,\r\n <mailto:{ADDRESS}>\r\n",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
        "List-Help: <https://example.org/help>\r\n",
        "Feedback-ID: daily:digest::example.org\r\n",
        "Precedence: bulk\r\n",
        "X-Auto-Response-Suppress: All\r\n",
        "Auto-Submitted: auto-generated\r\n",
    ):
        assert raw.count(f"\r\n{field}".encode()) == 1


def test_without_a_web_page_only_the_address_stands_and_nothing_promises_one_click() -> None:
    raw = _raw(ListHeaders(unsubscribe_mailto=ADDRESS))
    assert f"\r\nList-Unsubscribe: <mailto:{ADDRESS}>\r\n".encode() in raw
    assert b"List-Unsubscribe-Post" not in raw
    assert b"One-Click" not in _raw(ListHeaders(unsubscribe_url=LEAVE.replace("https", "http")))
    assert b"List-Unsubscribe" not in _raw(ListHeaders())


@pytest.mark.parametrize("length", [60, 61, 75, 76, 77, 78, 79, 300, 900])
def test_an_url_of_any_length_stays_whole(length: int) -> None:
    url = "https://example.org/u/" + "t" * (length - 22)
    raw = _raw(ListHeaders(unsubscribe_url=url, unsubscribe_mailto=ADDRESS))
    assert f"<{url}>,\r\n <mailto:".encode() in raw
    assert BytesParser(policy=policy.default).parsebytes(raw)["list-unsubscribe"] == f"<{url}>, <mailto:{ADDRESS}>"


def test_an_url_longer_than_a_line_may_be_is_refused() -> None:
    with pytest.raises(MailError, match="List-Unsubscribe cannot be written"):
        _raw(ListHeaders(unsubscribe_url="https://example.org/u/" + "t" * 980))


@pytest.mark.parametrize(
    "url",
    [
        *("https://example.org/a b", "https://example.org/>,<https://evil.example", "https://example.org/\r\nBcc: x"),
        *("ftp://example.org/", "javascript:alert(1)", "https://exämple.org/", "https://example.org/é", "", "https://"),
        *("https://user:password@example.org/", "https://example.org/a,b", "https://example.org/a\nb"),
    ],
)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(MailError, match="cannot stand in a header of the list"):
        ListHeaders(unsubscribe_url=url)
    with pytest.raises(MailError, match="cannot stand in a header of the list"):
        ListHeaders(help_url=url)


@pytest.mark.parametrize("address", ["a>,<x@example.org", "a b@example.org", "ž@example.org", "a@b\r\nBcc: c", "none"])
def test_what_is_no_plain_address_is_refused(address: str) -> None:
    with pytest.raises(MailError, match="cannot stand"):
        ListHeaders(unsubscribe_mailto=address)


def test_signs_that_mean_something_in_an_url_are_coded() -> None:
    value = ListHeaders(unsubscribe_mailto="a?b=c&d%e/f#g+h@example.org").fields()["List-Unsubscribe"]
    assert value == "<mailto:a%3Fb%3Dc%26d%25e%2Ff%23g+h@example.org>"
    assert unquote(value) == "<mailto:a?b=c&d%e/f#g+h@example.org>"


@pytest.mark.parametrize(
    ("parts", "sender", "expected"),
    [
        (("a", "b", "c"), "example.org", "a:b:c:example.org"),
        ((), "ab", ":::ab---"),
        (("x:y\r\nBcc: z",), "a-very-long-domain.example.org", "x-y-Bcc-z:::a-very-long-dom"),
        (("é" * 99, "b" * 99, "c", "d"), "example.org", "-:" + "b" * 60 + ":c:example.org"),
    ],
)
def test_a_feedback_id_has_four_harmless_parts(parts: tuple[str, ...], sender: str, expected: str) -> None:
    made = feedback_id(*parts, sender=sender)
    assert made == expected
    assert ListHeaders(feedback=made).fields()["Feedback-ID"] == expected


@pytest.mark.parametrize("feedback", ["a:b:c", "a:b:c:d", "a:b:c:d.org\r\nX: y", "a b:c:d:example", "a:b:c:d:e.org"])
def test_what_is_no_feedback_id_is_refused(feedback: str) -> None:
    with pytest.raises(MailError, match="no Feedback-ID"):
        ListHeaders(feedback=feedback)


def test_a_file_stands_beside_text_and_html() -> None:
    bibliography = "@misc{arxiv:2604.00001,\n  title = {A}\n}\n"
    raw = _raw(ListHeaders(), Attachment(name="papers.bib", media_type="text/x-bibtex", text=bibliography))
    message = BytesParser(policy=policy.default).parsebytes(raw)
    assert not message.defects
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/x-bibtex"]
    file = list(message.walk())[-1]
    assert file.get_filename() == "papers.bib"
    assert file.get_content_disposition() == "attachment"
    assert file.get_content().replace("\r\n", "\n") == bibliography
    assert b'Content-Type: text/x-bibtex; charset="utf-8"\r\n' in raw
    assert b"multipart/mixed" not in _raw(ListHeaders())


@pytest.mark.parametrize("name", ["", '"', "a/b", "..", "a b", "é.bib", "a\r\nX: y", "x" * 61])
def test_a_file_has_a_harmless_name(name: str) -> None:
    with pytest.raises(MailError, match="an attachment cannot be called"):
        Attachment(name=name, media_type="text/x-bibtex", text="")
    with pytest.raises(MailError, match="an attachment cannot be called"):
        Attachment(name="papers.bib", media_type=f"text/{name}\r\n", text="")
