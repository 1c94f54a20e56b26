"""Bounces in no standard form, as flufl.bounce knows them.

It trusts what it reads and takes as long as its patterns need, so it gets a tame copy: the same parts, in plain ASCII,
with bounded headers, lines and text.
"""

from __future__ import annotations

import logging
import re
from email.message import Message

from flufl.bounce import all_failures

from paperdigest.bounces.notifications import Finding, code_in, kind_of
from paperdigest.refusals import enhanced_status

__all__ = ["guess"]

_MAX_TEXT, _MAX_LINES, _LONGEST_LINE = 16_000, 300, 200
_MAX_HEADERS, _LONGEST_HEADER = 100, 400
_NOT_COPIED = frozenset({"content-type", "content-transfer-encoding"})
_MACHINE = re.compile(r"\b(?:mailer-daemon|mail-daemon|postmaster|mdaemon|mail[ _-]?delivery)\b", re.IGNORECASE)
# What its detectors raise on messages they did not expect, such as one without From (6.0.0): no finding, then.
_MISTAKES = (AssertionError, AttributeError, LookupError, TypeError, ValueError)
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL + 1)  # it tells of each with a traceback and the message
_AUTOMATIC = ("X-Autoreply", "X-Autorespond", "X-Autoresponse")


def guess(message: Message) -> tuple[Finding, ...]:
    """Return whose mail did not arrive by the looks of a message.

    Without a code it says only that something failed: a mailbox is never taken for gone on a guess.
    """
    if _is_reply(message):
        return ()
    budget = [_MAX_TEXT]
    tame = _tamed(message, budget)
    try:
        _still_tried, permanent = all_failures(tame)
    except _MISTAKES:
        return ()
    if not permanent:
        return ()
    text = _first_text(tame)
    names = sorted(str(one, "ascii", "replace").lower() for one in permanent if one)[:20]
    code, status = code_in(text), enhanced_status(text)
    kind = kind_of(code or 550, status, text if status else "")
    return tuple(Finding(recipient=name, kind=kind, status=status, detail=_telling(text)) for name in names)


def _is_reply(message: Message) -> bool:
    """Say whether a person's mail program answered by itself (RFC 3834); mail servers mark their bounces alike."""
    if message.get("X-Failed-Recipients") or _MACHINE.search(_short(message.get("From", ""))):
        return False
    said = _short(message.get("Auto-Submitted", "no")).strip().lower()
    precedence = _short(message.get("Precedence", "")).strip().lower()
    return said not in ("", "no") or precedence == "auto_reply" or any(message.get(name) for name in _AUTOMATIC)


def _tamed(message: Message, budget: list[int]) -> Message:
    copy = Message()
    for name, value in message.items()[:_MAX_HEADERS]:
        if name.lower() not in _NOT_COPIED:
            copy[_short(name)] = _short(value)
    kind = _short(message.get_content_type())
    copy["Content-Type"] = f'{kind}; charset="us-ascii"'
    payload = message.get_payload()
    if isinstance(payload, list):
        copy.set_payload([_tamed(part, budget) for part in payload if isinstance(part, Message)])
    elif message.is_multipart() or kind.startswith(("multipart/", "message/")):
        copy.replace_header("Content-Type", "text/plain")  # it calls itself what it is not
        copy.set_payload("")
    else:
        copy.set_payload(_plain(message, budget) if kind.startswith("text/") else "")
    return copy


def _plain(message: Message, budget: list[int]) -> str:
    body = message.get_payload(decode=True)
    text = body[: budget[0]].decode("ascii", "replace") if isinstance(body, bytes) else ""
    lines = [line[:_LONGEST_LINE] for line in text.replace("\ufffd", "?").splitlines()[:_MAX_LINES]]
    budget[0] -= sum(map(len, lines))
    return "\n".join(lines) + "\n"


def _first_text(tame: Message) -> str:
    for part in tame.walk():
        if part.get_content_type() == "text/plain":
            return str(part.get_payload())
    return ""


def _telling(text: str) -> str | None:
    """Return the line with the code, else None."""
    lines = (line.strip() for line in text.splitlines())
    return next((line for line in lines if enhanced_status(line) or code_in(line)), None)


def _short(value: object) -> str:
    return str(value)[:_LONGEST_HEADER].encode("ascii", "replace").decode("ascii").replace("\n", " ").replace("\r", " ")
