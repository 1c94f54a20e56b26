"""Reading a message that came back: what it reports, which of our addresses it names. Nothing is believed yet.

In this order: a delivery status notification (RFC 3464), a feedback report (RFC 5965), what mail servers of all ages
wrote before there were standards (flufl.bounce). Holiday notices and other automatic replies (RFC 3834) say nothing.

Every input is hostile. What is looked at is bounded before it is parsed: bytes, head, parts and with them their depth
(the parser of the standard library takes time by depth times lines). `isolation` adds limits of time and memory.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.parser import BytesParser
from enum import StrEnum

from paperdigest.bounces.addresses import Named, find_named
from paperdigest.bounces.feedback import feedback
from paperdigest.bounces.heuristics import guess
from paperdigest.bounces.notifications import Finding, findings

__all__ = ["MAX_BYTES", "Nature", "Reading", "read"]

MAX_BYTES = 1_000_000
"""More is not read: reports are a few kilobytes, and what they return of the mail stands at their end."""
_MAX_HEAD = 64_000
_MAX_PARTS = 40
_MAX_DELIMITERS = 2_000

_PART = re.compile(rb"^content-type[ \t]*:", re.IGNORECASE | re.MULTILINE)
_DELIMITER = re.compile(rb"^--", re.MULTILINE)
_BLANK = re.compile(rb"\r?\n[ \t]*\r?\n")
_LINK = re.compile(r"/u/([A-Za-z0-9_-]{30})(?![A-Za-z0-9_-])")
_OF_ITS_WRITER = ("Message-ID", "Date", "From", "Subject")
_ADDRESSED = ("X-Original-To", "Delivered-To", "Envelope-To", "X-Envelope-To", "To", "Cc")


class Nature(StrEnum):
    """What kind of message it is."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    OPT_OUT = "opt-out"
    """A provider passes on that its user wants no more of it."""
    OTHER = "other"
    """Nothing that tells of a delivery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a message says: whom it is addressed to, what it quotes, what it found out of which recipients.

    ``links`` are the tokens of unsubscribe links in it. Tokens are not checked here: that takes the secret. ``mark``
    is the same for every copy of a message, whatever way it came.
    """

    nature: Nature = Nature.OTHER
    addressed: tuple[Named, ...] = ()
    quoted: tuple[Named, ...] = ()
    links: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    mark: str = ""


def read(content: bytes, recipients: tuple[str, ...] = ()) -> Reading:
    """Read a message; whatever it is, something is returned.

    Args:
        content: the message (RFC 5322); beyond `MAX_BYTES` it is ignored.
        recipients: whom the envelope named (RFC 5321), where that is known.
    """
    content = content[:MAX_BYTES].removeprefix(b"\r\n").removeprefix(b"\n")
    head = _head(content)
    text = content.decode("latin-1")
    nature, found = (Nature.OTHER, ()) if _is_tangled(content) else _said(message_from_bytes(content))
    return Reading(
        nature=nature,
        addressed=find_named("\n".join((*recipients, *_values(head)))),
        quoted=find_named(text),
        links=tuple(dict.fromkeys(_LINK.findall(text)))[:20],
        findings=found,
        mark=_mark(head, content),
    )


def _mark(head: Message, content: bytes) -> str:
    """Return a hash of what nobody changes on the way: not Received and the like, and not how lines end."""
    end = _BLANK.search(content, 0, _MAX_HEAD)
    body = content[end.end() :] if end else content
    written = [" ".join(str(head.get(name, ""))[:4000].split()) for name in _OF_ITS_WRITER]
    said = "\n".join(written).encode("utf-8", "replace") + b"\n\n" + body.replace(b"\r\n", b"\n").strip()
    return hashlib.blake2b(said, digest_size=16).hexdigest()


def _head(content: bytes) -> Message:
    end = _BLANK.search(content, 0, _MAX_HEAD)
    return BytesParser().parsebytes(content[: end.start() if end else _MAX_HEAD], headersonly=True)


def _values(head: Message) -> list[str]:
    return [str(value)[:4000] for name in _ADDRESSED for value in head.get_all(name, [])[:20]]


def _is_tangled(content: bytes) -> bool:
    """Say whether a message has more parts than any report, so that only its head is read."""
    end = _BLANK.search(content, 0, _MAX_HEAD)
    if end is None:
        return True
    return _many(_PART, content, _MAX_PARTS) or _many(_DELIMITER, content, _MAX_DELIMITERS)


def _many(pattern: re.Pattern[bytes], content: bytes, limit: int) -> bool:
    return any(count >= limit for count, _ in enumerate(pattern.finditer(content)))


def _said(message: Message) -> tuple[Nature, tuple[Finding, ...]]:
    if said := findings(message):
        return Nature.BOUNCE, said
    if (kind := feedback(message)) is not None:
        return {"complaint": Nature.COMPLAINT, "opt-out": Nature.OPT_OUT}.get(kind, Nature.OTHER), ()
    guessed = guess(message)
    return (Nature.BOUNCE, guessed) if guessed else (Nature.OTHER, ())
