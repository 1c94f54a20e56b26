from datetime import UTC, datetime, timedelta, timezone
from email import policy
from email.parser import BytesParser

import pytest

from paperdigest.errors import MailError
from paperdigest.mail.headers import Mailbox, clean_line, field, mailbox, unstructured
from paperdigest.mail.message import build_message

SENT = datetime(2026, 4, 15, 6, 0, 1, 999, tzinfo=UTC)


def _build(**changes: object) -> bytes:
    arguments: dict[str, object] = {
        "sender": Mailbox("digest@example.org"),
        "recipient": Mailbox("you@example.net"),
        "subject": "Papers",
        "html": "<p>x</p>",
        "text": "x",
        "sent_at": SENT,
        "message_id": "<a@example.org>",
    }
    return build_message(**(arguments | changes))  # type: ignore[arg-type]  # a table of overrides


def test_plain_subjects_stay_readable_and_fold_at_spaces() -> None:
    assert unstructured("Subject", "5 papers for trace") == b"Subject: 5 papers for trace\r\n"
    folded = unstructured("Subject", "word " * 30)
    assert all(len(line) <= 78 for line in folded.split(b"\r\n"))
    assert folded.replace(b"\r\n ", b" ").count(b"word") == 30


def test_a_word_too_long_for_a_line_is_encoded_rather_than_left_over_length() -> None:
    assert all(len(line) <= 78 for line in unstructured("Subject", "x" * 5000).split(b"\r\n"))


def test_a_title_that_looks_encoded_is_encoded_again_and_never_decoded() -> None:
    raw = unstructured("Subject", "=?utf-8?q?a=0aBcc:_v@x?=")
    assert b"=?utf-8?q?a=0a" not in raw.lower()
    parsed = BytesParser(policy=policy.default).parsebytes(raw + b"\r\n")
    assert parsed["subject"] == "=?utf-8?q?a=0aBcc:_v@x?="
    assert parsed["bcc"] is None


def test_controls_and_marks_that_reorder_text_are_taken_out() -> None:
    assert clean_line("a\x00b\u202ec\x85d\u2028e  f\ud800") == "a b c d e f\ufffd"


def test_names_are_quoted_only_when_they_must_be() -> None:
    assert mailbox("To", Mailbox("j@example.org", "Jane Doe")) == b"To: Jane Doe <j@example.org>\r\n"
    assert mailbox("To", Mailbox("j@example.org", "Doe, Jane")) == b'To: "Doe, Jane" <j@example.org>\r\n'
    assert mailbox("To", Mailbox("j@example.org")) == b"To: j@example.org\r\n"
    assert mailbox("To", Mailbox("j@example.org", "Žofia")).startswith(b"To: =?utf-8?")


@pytest.mark.parametrize(
    "address",
    [
        *("b@y>\r\nRCPT TO:<evil@x", "a b@example.org", "a@b@c", "<a@b.c>", "a@exämple.org", "@x", "a@", "a@-x"),
        *(
            "\ud800@example.org",
            "a\u202eb@example.org",
            "a\u2028@example.org",
            "\u00a0@example.org",
            "é" * 33 + "@x.org",
        ),
    ],
)
def test_addresses_that_are_none_are_refused(address: str) -> None:
    with pytest.raises(MailError, match="cannot stand in a mail header") as caught:
        Mailbox(address)
    assert caught.value.permanent


def test_the_date_is_in_utc_and_whole_seconds() -> None:
    assert b"Date: Wed, 15 Apr 2026 06:00:01 +0000\r\n" in _build()
    east = SENT.astimezone(timezone(timedelta(hours=9)))
    assert b"Date: Wed, 15 Apr 2026 06:00:01 +0000\r\n" in _build(sent_at=east)
    with pytest.raises(MailError, match="no zone"):
        _build(sent_at=SENT.replace(tzinfo=None))


@pytest.mark.parametrize("length", [77, 78, 79, 300])
def test_a_long_unsubscribe_url_is_never_encoded_or_split(length: int) -> None:
    url = "<https://example.org/u/" + "t" * (length - 24) + ">"
    raw = _build(headers={"List-Unsubscribe": url, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"})
    assert url.encode() in raw
    assert BytesParser(policy=policy.default).parsebytes(raw)["list-unsubscribe"] == url


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "b\r\nBcc: c@example.org"},
        {"X-A\r\nBcc": "b"},
        {"X A": "b"},
        {"X-A": "é"},
        {"Subject": "again"},
        {"bcc": "c@example.org"},
        {"X-A": "b" * 1000},
        {"X-A": "1", "x-a": "2"},
    ],
)
def test_configured_headers_that_would_break_the_block_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(MailError, match="header"):
        _build(headers=headers)


@pytest.mark.parametrize("message_id", ["a@example.org", "<a b@example.org>", "<a@b>\r\nBcc: x", "<>", "<a>"])
def test_message_ids_are_checked(message_id: str) -> None:
    with pytest.raises(MailError, match="Message-ID"):
        _build(message_id=message_id)


def test_the_list_id_has_its_form_and_a_harmless_name() -> None:
    assert b'List-Id: "My digest" <digest.example.org>\r\n' in _build(
        list_id="digest.example.org", list_name='My "digest"\r\n'
    )
    with pytest.raises(MailError, match="list id"):
        _build(list_id="not a host")


def test_the_text_stands_before_the_html() -> None:
    raw = _build(text="plain words", html="<b>rich words</b>")
    assert raw.index(b"plain words") < raw.index(b"rich words")
    assert raw.startswith(b"From: digest@example.org\r\nTo: you@example.net\r\nSubject: Papers\r\n")


def test_an_empty_field_is_still_a_field() -> None:
    assert field("Subject", "") == b"Subject: \r\n"
