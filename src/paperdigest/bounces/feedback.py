"""Feedback reports of providers (ARF, RFC 5965): somebody pressed "this is spam"."""

from __future__ import annotations

from email.message import Message
from typing import Literal

__all__ = ["feedback"]

_COMPLAINTS = frozenset({"abuse", "fraud", "virus", "other", "miscategorized", "complaint"})
_OPT_OUTS = frozenset({"opt-out", "opt-out-list"})


def feedback(message: Message) -> Literal["complaint", "opt-out", "praise"] | None:
    """Return what a feedback report is about; None when the message is none.

    "praise" is every report that asks for nothing to be done about the reader: that it is no spam, that a signature
    did not verify (RFC 6591).
    """
    for part in message.walk():
        if part.get_content_type() == "message/feedback-report":
            payload = part.get_payload()
            block = payload[0] if isinstance(payload, list) and payload else part
            kind = str(block.get("Feedback-Type", "")).strip().lower() if isinstance(block, Message) else ""
            return "complaint" if kind in _COMPLAINTS else "opt-out" if kind in _OPT_OUTS else "praise"
    return None
