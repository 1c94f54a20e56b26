"""Messages that come back, in the form in which mail servers write them, in our words; and deliveries for them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, update

from paperdigest.store import Store
from paperdigest.store.delivery_tables import deliveries, digests
from paperdigest.store.subscribers import Subscribers
from paperdigest.types import DeliveryState, Subscriber, SubscriberStatus, Topic

NOW = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)
WHO = "you@example.org"


def join(*lines: str) -> bytes:
    return "\r\n".join(lines).encode("utf-8") + b"\r\n"


def returned_mail(sender: str = "b+x@bounces.example.net") -> str:
    """The mail that comes back in a report."""
    return "\r\n".join(
        (
            f"Return-Path: <{sender}>",
            "From: Papers <papers@example.net>",
            f"To: {WHO}",
            "Subject: 3 papers for you",
            "Message-ID: <20260415.1.abc@example.net>",
            "Content-Type: text/plain",
            "",
            "Three papers, and no more.",
        )
    )


def notification(
    to: str,
    fields: str,
    *,
    sender: str = "MAILER-DAEMON@mx.example.org (Mail Delivery System)",
    words: str = "I am sorry, it did not arrive.",
    part: str = "message/delivery-status",
    returned: str | None = None,
) -> bytes:
    """A delivery status notification (RFC 3464), as postfix, exim, Exchange and Gmail all write it."""
    return join(
        "Return-Path: <>",
        f"From: {sender}",
        f"To: {to}",
        "Subject: Undelivered Mail Returned to Sender",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="=_cut"',
        "",
        "--=_cut",
        "Content-Description: Notification",
        "Content-Type: text/plain; charset=utf-8",
        "",
        words,
        "",
        "--=_cut",
        "Content-Description: Delivery report",
        f"Content-Type: {part}",
        "",
        "Reporting-MTA: dns; mx.example.org",
        "Arrival-Date: Wed, 15 Apr 2026 06:00:00 +0000",
        "",
        fields,
        "",
        "--=_cut",
        "Content-Description: Undelivered Message",
        "Content-Type: message/rfc822",
        "",
        returned if returned is not None else returned_mail(),
        "--=_cut--",
    )


def fields(
    recipient: str = WHO,
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 <you@example.org>: no such mailbox here",
    original: str | None = None,
) -> str:
    """The fields about one recipient."""
    lines = [f"Final-Recipient: rfc822; {recipient}"]
    lines += [f"Original-Recipient: rfc822;{original}"] if original else []
    lines += [f"Action: {action}", f"Status: {status}", "Remote-MTA: dns; mx.example.org"]
    lines += [f"Diagnostic-Code: {diagnostic}"] if diagnostic else []
    return "\r\n".join(lines)


def postfix(to: str, **about: str) -> bytes:
    return notification(to, fields(**about))


def exim(to: str) -> bytes:
    """Of a server whose peer gave no enhanced status."""
    told = fields(status="5.0.0", diagnostic="smtp; 550 No such user - you")
    return notification(to, told, sender="Mail Delivery System <Mailer-Daemon@exim.example.org>")


def exim_of_old(to: str) -> bytes:
    """Before it wrote notifications: one header, and words."""
    return join(
        f"X-Failed-Recipients: {WHO}",
        "Auto-Submitted: auto-replied",
        "From: Mail Delivery System <Mailer-Daemon@exim.example.org>",
        f"To: {to}",
        "Subject: Mail delivery failed: returning message to sender",
        "",
        "This message was created automatically by mail delivery software.",
        "",
        f"  {WHO}",
        "    SMTP error from remote mail server after RCPT TO: 550 5.1.1 unknown here",
    )


def exchange(to: str) -> bytes:
    told = fields(status="5.1.10", diagnostic="smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found by lookup")
    return notification(to, told, sender="Microsoft Outlook <postmaster@example.org>", words="Delivery has failed.")


def gmail(to: str) -> bytes:
    told = "smtp; 550-5.1.1 The account that you tried to reach\r\n 550-5.1.1 does not exist. 550 5.1.1 x1-2 - gsmtp"
    return notification(to, fields(diagnostic=told), sender="Mail Delivery Subsystem <mailer-daemon@googlemail.com>")


def qmail(to: str) -> bytes:
    return join(
        "From: MAILER-DAEMON@qmail.example.org",
        f"To: {to}",
        "Subject: failure notice",
        "",
        "Hi. This is the qmail-send program at qmail.example.org.",
        "I could not deliver your message to the addresses below.",
        "",
        f"<{WHO}>:",
        "192.0.2.7 does not like recipient.",
        "Remote host said: 550 5.1.1 nobody of that name",
        "",
        "--- Below this line is a copy of the message.",
        "",
        returned_mail(),
    )


def complaint(to: str, returned: str, *, kind: str = "abuse") -> bytes:
    """A feedback report (RFC 5965), as Yahoo sends it."""
    return join(
        "From: Feedback <feedback@arf.mail.example.com>",
        f"To: {to}",
        "Subject: FW: 3 papers for you",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; boundary="=_cut"; report-type=feedback-report',
        "",
        "--=_cut",
        "Content-Type: text/plain",
        "",
        "This is an abuse report for a mail that you sent.",
        "",
        "--=_cut",
        "Content-Type: message/feedback-report",
        "",
        f"Feedback-Type: {kind}",
        "User-Agent: Feedback/2.0",
        "Version: 0.1",
        "Source-IP: 192.0.2.1",
        "",
        "--=_cut",
        "Content-Type: message/rfc822",
        "",
        returned,
        "--=_cut--",
    )


def holiday_notice(to: str) -> bytes:
    return join(
        f"From: You <{WHO}>",
        f"To: {to}",
        "Subject: Out of office: 3 papers for you",
        "Auto-Submitted: auto-replied",
        "",
        "I am away until Monday.",
        "Your message",  # a line that bounces begin with as well
        "can be sent to",
        "colleague@example.org",
    )


def wish(to: str) -> bytes:
    return join(f"From: Someone <{WHO}>", f"To: {to}", "Subject: unsubscribe", "", "please")


def reader(store: Store, email: str = WHO) -> Subscriber:
    """Store an active subscriber."""
    fresh = Subscriber(
        email=email,
        status=SubscriberStatus.ACTIVE,
        created_at=NOW - 90 * DAY,
        topics=(Topic(name="trace", query="trace"),),
    )
    return Subscribers(store.database).add(fresh)


def mailed(store: Store, who: Subscriber, sent_at: datetime = NOW, *, is_sent: bool = True) -> int:
    """Store a delivery to a subscriber, and return its number."""
    digest = {
        "subscriber_id": who.id,
        "edition": sent_at.date(),
        "composed_at": sent_at,
        "considered": 1,
        "frozen": json.dumps({"subscriber": {"email": who.email}}),
    }
    with store.database.writing() as connection:
        number = connection.execute(insert(digests).values(digest).returning(digests.c.id)).scalar_one()
        delivery = {
            "digest_id": number,
            "state": (DeliveryState.SENT if is_sent else DeliveryState.DEFERRED).value,
            "attempts": 1,
            "message_id": f"<{number}@example.net>",
            "next_attempt_at": sent_at,
            "expires_at": sent_at + DAY,
            "lease_epoch": 1,
            "sent_at": sent_at if is_sent else None,
        }
        return int(connection.execute(insert(deliveries).values(delivery).returning(deliveries.c.id)).scalar_one())


def arrives(store: Store, delivery: int, at: datetime) -> None:
    """A server takes a mail that it had refused at first."""
    values = {"state": DeliveryState.SENT.value, "sent_at": at}
    with store.database.writing() as connection:
        connection.execute(update(deliveries).where(deliveries.c.id == delivery).values(values))
