"""Who is to blame when mail is not taken: the subscriber's mailbox, or us? Pure functions of codes.

Asked of the replies of mail servers and of bounces alike, so that both have the same consequences. A mailbox that is
gone is nothing like a server that does not like our mail: the one ends a subscription, the other is the operator's
to mend and must never end anybody's (Source: RFC 3463; RFC 7505 and 7372 for 5.1.10 and 5.7.2x).
"""

from __future__ import annotations

import re
from enum import StrEnum

__all__ = ["Blame", "blame", "enhanced_status"]

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_GONE = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})


class Blame(StrEnum):
    """Whose trouble a refusal is."""

    GONE = "gone"
    """There is no such mailbox any more: mail to it must stop at once."""
    MAILBOX = "mailbox"
    """The mailbox or its server cannot take mail now (full, down, greylisted): counts against it, a point a day."""
    SENDER = "sender"
    """They do not like us: policy, authentication, reputation, rate. Never counts against a subscriber."""
    MESSAGE = "message"
    """This message is too large or malformed; the next one may be fine."""


def enhanced_status(text: str) -> str | None:
    """Return the first enhanced status code (RFC 3463) in a reply or a bounce, such as ``5.1.1``."""
    found = _STATUS.search(text)
    return found[0] if found else None


def blame(code: int | None, status: str | None) -> Blame:
    """Say whose trouble a refusal is.

    Args:
        code: the reply's code (RFC 5321), None when there was no reply.
        status: the enhanced status, None when none was given.
    """
    if status in _GONE:
        return Blame.GONE
    area = status.split(".")[1] if status else None
    if area == "7" or code == 421 or (code is None and status is None):
        return Blame.SENDER
    if area in ("5", "6") or status == "5.2.3" or code == 552:
        return Blame.MESSAGE if status != "5.2.2" else Blame.MAILBOX
    if status is None and code in (550, 551, 553):
        return Blame.MAILBOX  # without a status it may be either: a point a day, and after five the end
    if status is None and code is not None and code >= 500:
        return Blame.MESSAGE
    return Blame.MAILBOX
