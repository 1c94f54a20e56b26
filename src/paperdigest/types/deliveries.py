"""Deliveries: the attempts to hand digests to a mail server, what became of them, and what came back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

__all__ = ["BounceKind", "Delivery", "DeliveryState", "MailPhase", "SuppressionReason"]


class DeliveryState(StrEnum):
    """The ledger's states: planned, leased, sending, then one of the outcomes."""

    PLANNED = "planned"
    LEASED = "leased"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    EXPIRED = "expired"
    SKIPPED = "skipped"
    IN_DOUBT = "in_doubt"


class MailPhase(StrEnum):
    """How far a conversation with a mail server had come when something happened, in order."""

    CONNECT = "connect"
    GREETING = "greeting"
    HELLO = "hello"
    TLS = "tls"
    LOGIN = "login"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    """The message was being sent; the final dot (or last chunk) was not."""
    DOT = "dot"
    """The final dot was sent: from here on the message may have been accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The attempt(s) to hand one digest to a mail server, and the outcome.

    ``message_id`` is frozen with the digest: a resend is byte-identical. ``content_hash`` is of the message whose
    final dot was about to be sent, None before that; ``code``, ``status`` and ``phase`` are of the last refusal.
    """

    id: int
    digest_id: int
    subscriber_id: int
    email: str
    edition: date
    state: DeliveryState
    attempts: int
    message_id: str
    next_attempt_at: datetime | None = None
    expires_at: datetime | None = None
    sent_at: datetime | None = None
    detail: str | None = None
    code: int | None = None
    status: str | None = None
    phase: MailPhase | None = None
    content_hash: bytes | None = None


class BounceKind(StrEnum):
    """What a report said of a delivery. The first four mirror `refusals.Blame`."""

    GONE = "gone"
    MAILBOX = "mailbox"
    SENDER = "sender"
    MESSAGE = "message"
    COMPLAINT = "complaint"
    DELAYED = "delayed"
    """Still being tried by their server: nothing to be done."""


class SuppressionReason(StrEnum):
    """Why no mail goes to an address."""

    GONE = "gone"
    """There is no such mailbox."""
    COMPLAINT = "complaint"
    """They told their provider that it is spam."""
    SUSPENDED = "suspended"
    """It bounced on five days; after thirty days one mail is tried."""
