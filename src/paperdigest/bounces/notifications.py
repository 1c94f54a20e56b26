"""Delivery status notifications (RFC 3464, RFC 6533): what became of which recipient."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_string
from email.message import Message

from paperdigest.refusals import blame, enhanced_status
from paperdigest.types import BounceKind

__all__ = ["Finding", "code_in", "findings", "kind_of"]

_MAX_RECIPIENTS = 100
_STATUS_PARTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_CODE = re.compile(r"(?<![\d.#])([45]\d\d)(?=[ -])")
_UNSPECIFIC = re.compile(r"[245]\.0\.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is said of one recipient.

    ``recipient`` is the address at which the mail ended, in small letters: not ours where somebody forwards it; None
    when none is told. ``kind`` is None when all is well (it was delivered, or handed on to a server that sends no
    notifications).
    """

    recipient: str | None = None
    kind: BounceKind | None = None
    status: str | None = None
    detail: str | None = None


def findings(message: Message) -> tuple[Finding, ...]:
    """Return what a notification says of each recipient; empty when it is none."""
    # The first is the notification itself; a further one is of a message that it returns.
    part = next((part for part in message.walk() if part.get_content_type() in _STATUS_PARTS), None)
    found = (_finding(block) for block in _blocks(part)) if part is not None else ()
    return tuple(one for one in found if one is not None)[:_MAX_RECIPIENTS]


def kind_of(code: int | None, status: str | None, text: str) -> BounceKind:
    """Say what a refusal was about.

    The server's own words win over what was made of them on the way: some relays call every 550 a 5.1.1.
    """
    own = enhanced_status(text)
    if own is not None and not _UNSPECIFIC.fullmatch(own):
        return BounceKind(blame(code, own, text).value)
    kind = BounceKind(blame(code, status, text).value)
    if kind is BounceKind.GONE and BounceKind(blame(code, "5.0.0", text).value) is BounceKind.SENDER:
        return BounceKind.SENDER
    return kind


def code_in(text: str) -> int | None:
    """Return the first refusing reply code (RFC 5321) in a text."""
    found = _CODE.search(text)
    return int(found[1]) if found else None


def _blocks(part: Message) -> list[Message]:
    """Return the groups of fields; the parser knows only the older of the two types."""
    payload = part.get_payload()
    blocks = [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []
    if part.get_content_type() != "message/delivery-status":
        rest = [block.get_payload() for block in blocks]
        texts = [text for body in rest if isinstance(body, str) for text in re.split(r"\r?\n\r?\n", body)]
        blocks += [message_from_string(text.lstrip()) for text in texts[:_MAX_RECIPIENTS]]
    return blocks[: _MAX_RECIPIENTS + 1]


def _finding(block: Message) -> Finding | None:
    action = _field(block, "Action").lower()
    if not action or not (block.get("Final-Recipient") or block.get("Original-Recipient") or block.get("Status")):
        return None
    told = _field(block, "Diagnostic-Code")
    said = told.partition(";")[2].strip() or told
    status = enhanced_status(_field(block, "Status"))
    kind = {"failed": kind_of(code_in(said), status, said), "delayed": BounceKind.DELAYED}.get(action.split()[0])
    own = enhanced_status(said)
    names = (_recipient(_field(block, name)) for name in ("Final-Recipient", "Original-Recipient"))
    return Finding(
        recipient=next((name for name in names if name), None),
        kind=kind,
        status=own if own is not None and not _UNSPECIFIC.fullmatch(own) else status,
        detail=said or status,
    )


def _field(block: Message, name: str) -> str:
    return " ".join(str(block.get(name, ""))[:2000].split())


def _recipient(value: str) -> str:
    """Return the address of a field like ``rfc822; <you@example.org>``."""
    return (value.partition(";")[2] or value).strip().strip("<>").lower()
