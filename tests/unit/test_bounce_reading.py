"""What is read out of messages that come back, as mail servers of all kinds write them; hostile ones are bounded."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperdigest.bounces.addresses import Named
from paperdigest.bounces.notifications import Finding
from paperdigest.bounces.reading import MAX_BYTES, Nature, read
from paperdigest.types import BounceKind
from tests import bounce_samples as sample

CODE = "abcdefghijklmnopqrstuvwxyz234567abcd"
TO = f"b+{CODE}@bounces.example.net"
SAMPLES = {
    "postfix": sample.postfix(TO),
    "exim": sample.exim(TO),
    "exim of old": sample.exim_of_old(TO),
    "exchange": sample.exchange(TO),
    "gmail": sample.gmail(TO),
    "qmail": sample.qmail(TO),
    "complaint": sample.complaint(TO, sample.returned_mail(TO)),
    "holiday notice": sample.holiday_notice(TO),
    "wish": sample.wish(TO),
}


def only(content: bytes) -> Finding:
    reading = read(content)
    assert reading.nature is Nature.BOUNCE
    assert len(reading.findings) == 1
    return reading.findings[0]


@pytest.mark.parametrize(
    ("name", "kind", "status"),
    [
        ("postfix", BounceKind.GONE, "5.1.1"),
        ("exim", BounceKind.MAILBOX, "5.0.0"),
        ("exim of old", BounceKind.GONE, "5.1.1"),
        ("exchange", BounceKind.GONE, "5.1.10"),
        ("gmail", BounceKind.GONE, "5.1.1"),
        ("qmail", BounceKind.GONE, "5.1.1"),
    ],
)
def test_a_bounce_of_every_server_names_its_recipient_and_reason(name: str, kind: BounceKind, status: str) -> None:
    found = only(SAMPLES[name])
    assert (found.kind, found.status, found.recipient) == (kind, status, sample.WHO)
    assert found.detail


@pytest.mark.parametrize("name", SAMPLES)
def test_every_message_tells_whom_it_is_addressed_to(name: str) -> None:
    assert read(SAMPLES[name]).addressed == (Named("b", CODE),)


@pytest.mark.parametrize("header", ["X-Original-To", "Delivered-To", "Envelope-To"])
def test_the_address_of_the_envelope_comes_before_that_of_the_head(header: str) -> None:
    other = f"b+{'a' * 36}@bounces.example.net"
    assert read(f"{header}: {other}\r\n".encode() + SAMPLES["postfix"]).addressed[0] == Named("b", "a" * 36)
    assert read(SAMPLES["postfix"], (other,)).addressed[0] == Named("b", "a" * 36)


@pytest.mark.parametrize(
    ("about", "kind"),
    [
        ({"action": "delayed", "status": "4.4.1", "diagnostic": "X-Postfix; connection timed out"}, BounceKind.DELAYED),
        ({"action": "failed", "status": "4.4.7", "diagnostic": "smtp; 450 4.2.2 over quota"}, BounceKind.MAILBOX),
        ({"status": "5.2.2", "diagnostic": "smtp; 552 5.2.2 mailbox full"}, BounceKind.MAILBOX),
        ({"status": "5.4.4", "diagnostic": "X-Postfix; Host or domain name not found"}, BounceKind.MAILBOX),
        ({"status": "5.7.1", "diagnostic": "smtp; 550 5.7.1 no"}, BounceKind.SENDER),
        ({"status": "5.7.26", "diagnostic": "smtp; 550-5.7.26 not authenticated"}, BounceKind.SENDER),
        ({"status": "5.3.4", "diagnostic": "smtp; 552 5.3.4 too big"}, BounceKind.MESSAGE),
        ({"status": "5.6.0", "diagnostic": "smtp; 554 5.6.0 odd"}, BounceKind.MESSAGE),
        ({"status": "5.1.1", "diagnostic": ""}, BounceKind.GONE),
        ({"action": "delivered", "status": "2.0.0", "diagnostic": ""}, None),
        ({"action": "relayed", "status": "2.0.0", "diagnostic": ""}, None),
        ({"action": "expanded", "status": "2.0.0", "diagnostic": ""}, None),
        # What the last server said wins over what the relay made of it.
        ({"status": "5.1.1", "diagnostic": "smtp; 550 5.7.1 we do not like you"}, BounceKind.SENDER),
        ({"status": "5.1.1", "diagnostic": "smtp; 550 blocked using a DNSBL"}, BounceKind.SENDER),
        ({"status": "5.0.0", "diagnostic": "smtp; 550 5.1.1 no such user"}, BounceKind.GONE),
        ({"status": "5.1.1", "diagnostic": "smtp; 550 5.0.0 no such user"}, BounceKind.GONE),
        ({"status": "5.1.1 (bad address)", "action": "failed (really)", "diagnostic": "smtp; 550 no"}, BounceKind.GONE),
        # A code in the recipient's name or in the server's address is none.
        ({"status": "5.0.0", "diagnostic": "smtp; 550 [5.1.1.9] says no"}, BounceKind.MAILBOX),
    ],
)
def test_the_fields_of_a_notification_decide(about: dict[str, str], kind: BounceKind | None) -> None:
    assert only(sample.postfix(TO, **about)).kind is kind


def test_a_notification_of_several_recipients_tells_of_each() -> None:
    told = sample.fields() + "\r\n\r\n" + sample.fields("other@example.org", status="5.2.2", diagnostic="")
    kinds = {one.recipient: one.kind for one in read(sample.notification(TO, told)).findings}
    assert kinds == {sample.WHO: BounceKind.GONE, "other@example.org": BounceKind.MAILBOX}


def test_the_newer_form_with_addresses_in_unicode_is_read_too() -> None:
    told = sample.fields("you@exämple.org").replace("rfc822;", "utf-8;")
    found = read(sample.notification(TO, told, part="message/global-delivery-status")).findings
    assert [one.kind for one in found] == [BounceKind.GONE]


def test_a_notification_within_the_returned_mail_is_not_the_report() -> None:
    inner = sample.postfix("someone@example.com", status="5.1.1").decode()
    outer = sample.notification(TO, sample.fields(status="5.2.2", diagnostic=""), returned=inner)
    assert [one.kind for one in read(outer).findings] == [BounceKind.MAILBOX]


@pytest.mark.parametrize(
    ("kind", "nature"),
    [
        ("abuse", Nature.COMPLAINT),
        ("fraud", Nature.COMPLAINT),
        ("ABUSE", Nature.COMPLAINT),
        ("opt-out", Nature.OPT_OUT),
        ("not-spam", Nature.OTHER),
        ("auth-failure", Nature.OTHER),
    ],
)
def test_a_feedback_report_is_what_it_says(kind: str, nature: Nature) -> None:
    assert read(sample.complaint("fbl@example.net", sample.returned_mail(TO), kind=kind)).nature is nature


def test_a_complaint_names_the_mail_that_it_returns() -> None:
    token = "A1_-" * 7 + "Zz"
    returned = f"List-Unsubscribe: <https://example.net/u/{token}>\r\n" + sample.returned_mail(TO)
    reading = read(sample.complaint("fbl@example.net", returned))
    assert reading.addressed == ()
    assert reading.quoted == (Named("b", CODE),)
    assert reading.links == (token,)


@pytest.mark.parametrize("name", ["holiday notice", "wish"])
def test_what_people_and_their_programs_write_is_no_bounce(name: str) -> None:
    reading = read(SAMPLES[name])
    assert (reading.nature, reading.findings) == (Nature.OTHER, ())


def test_a_guess_without_a_code_never_says_that_a_mailbox_is_gone() -> None:
    lines = b"".join(line for line in SAMPLES["qmail"].splitlines(keepends=True) if b"550" not in line)
    assert only(lines).kind is BounceKind.MAILBOX


def test_a_guess_hears_a_word_of_policy() -> None:
    assert only(SAMPLES["qmail"].replace(b"550 5.1.1 nobody of that name", b"550 5.7.1 spam")).kind is BounceKind.SENDER


def nested(depth: int, body: bytes = b"x\n") -> bytes:
    """A multipart within a multipart within …"""
    opened = (b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (one, one) for one in range(depth))
    return f"To: {TO}\nMIME-Version: 1.0\n".encode() + b"".join(opened) + b"Content-Type: text/plain\n\n" + body


@pytest.mark.parametrize(
    "bomb",
    [
        nested(10_000),
        f"To: {TO}\n".encode() + b"Content-Type: message/rfc822\n\n" * 10_000,
        f"To: {TO}\nContent-Type: multipart/digest; boundary=b\n\n".encode() + b"--b\n\n\n" * 150_000,
        f"To: {TO}\nContent-Type: multipart/mixed; boundary=b\n\n".encode() + b"--b\n" * 200_000,
    ],
    ids=["multiparts", "messages", "digest", "delimiters"],
)
def test_of_a_message_with_too_many_parts_only_the_head_is_read(bomb: bytes) -> None:
    reading = read(bomb)
    assert (reading.nature, reading.addressed) == (Nature.OTHER, (Named("b", CODE),))


@pytest.mark.parametrize("line", ["--x\r\n", "Content-Type: text/plain\r\n"])
def test_a_report_with_more_parts_than_any_is_not_taken_apart(line: str) -> None:
    assert read(sample.notification(TO, sample.fields(), words=line * 10)).nature is Nature.BOUNCE
    reading = read(sample.notification(TO, sample.fields(), words=line * 2_100))
    assert (reading.nature, reading.addressed) == (Nature.OTHER, (Named("b", CODE),))


def test_nothing_is_read_beyond_the_limit() -> None:
    head = b"To: someone@example.org\n\n"
    filler = b"x" * (MAX_BYTES - len(head)) + b"\n"
    assert read(head + filler + TO.encode()).quoted == ()
    assert read(head + filler[: -len(TO) - 2] + b" " + TO.encode()).quoted == (Named("b", CODE),)


@pytest.mark.parametrize(
    "odd",
    [
        b"",
        b"\n",
        b"\0" * 1000,
        b"\xff\xfe",
        b"no header at all",
        b"a:\n\n" + b"\r" * 1000,
        b"From: \n\nfailed addresses follow:\nnobody",  # flufl.bounce stumbles over a missing sender
        b"Content-Type: multipart/mixed\n\nno boundary",
        b"Content-Type: message/delivery-status\n\n",
        b"Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\n--x--",
        b"Content-Type: message/feedback-report\n\n",
        b"From: a@b\nContent-Type: text/plain; charset=nonsense\nContent-Transfer-Encoding: base64\n\n=====",
        b"From: a@b\nContent-Transfer-Encoding: x-uuencode\n\nbegin 644 x\n$$$\nend\n",
        b"X-Failed-Recipients: " + b"(" * 5000 + b"\n\n",
    ],
)
def test_an_odd_message_is_read_as_nothing(odd: bytes) -> None:
    assert read(odd).findings == ()


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(SAMPLES)),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 40), st.binary(max_size=12)), min_size=1, max_size=8),
)
def test_a_damaged_message_is_read_without_a_fault(name: str, cuts: list[tuple[int, int, bytes]]) -> None:
    content = SAMPLES[name]
    for place, length, patch in cuts:
        at = place % (len(content) + 1)
        content = content[:at] + patch + content[at + length :]
    reading = read(content)
    assert all(one.kind is None or isinstance(one.kind, BounceKind) for one in reading.findings)
    assert reading == read(content)


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from(["text/plain", "multipart/mixed; boundary=b", "multipart/report; boundary=b"]),
)
def test_any_bytes_are_read_without_a_fault(body: bytes, kind: str) -> None:
    assert read(f"From: mailer-daemon@x\nContent-Type: {kind}\n\n--b\n".encode() + body).addressed == ()
