"""Write a digest as one message for one recipient: headers, then text and HTML (RFC 5322, 2045, 2046).

Pure and deterministic: the same arguments give the same bytes, so that a resend is a true copy that
receivers can recognise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256

from paperdigest.errors import MailError
from paperdigest.mail.headers import Mailbox, field, mailbox, unstructured
from paperdigest.mail.quoting import clean_body, quoted

__all__ = ["Mailbox", "build_message", "clean_body"]

_MESSAGE_ID = re.compile(r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+>\Z")
_LIST_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?\Z")
_OURS = frozenset(
    (
        *("from", "to", "subject", "date", "message-id", "list-id", "auto-submitted"),
        *("mime-version", "content-type", "content-transfer-encoding"),
        *("bcc", "cc", "sender", "return-path", "received"),
    )
)


def build_message(
    *,
    sender: Mailbox,
    recipient: Mailbox,
    subject: str,
    html: Sequence[str],
    text: Sequence[str],
    sent_at: datetime,
    message_id: str,
    list_id: str | None = None,
    list_name: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Return the message, CRLF throughout, every line at most 998 bytes, every header exactly once.

    Args:
        sender: the From mailbox.
        recipient: the one To mailbox.
        subject: any text; what cannot stand in a header is cleaned or encoded.
        html: the HTML part in pieces, last, because receivers show the last part they understand.
        text: the text part in pieces. Pieces that recur (the same ``str``) are encoded once.
        sent_at: the Date header (aware); frozen with the digest.
        message_id: ``<left@right>``; also decides the MIME boundary.
        list_id: the host-like name in List-Id (RFC 2919), e.g. ``paperdigest.example.org``.
        list_name: the name shown before it.
        headers: further fields, printable ASCII, which are not encoded (List-Unsubscribe must not be).

    Raises:
        MailError: a header cannot be written safely; permanent.
    """
    if not _MESSAGE_ID.match(message_id) or len(message_id) > 250:
        raise MailError(f"{message_id!r} is not a Message-ID", permanent=True)
    head = [
        mailbox("From", sender),
        mailbox("To", recipient),
        unstructured("Subject", subject),
        field("Date", _date(sent_at)),
        field("Message-ID", message_id),
    ]
    if list_id is not None:
        head.append(_list_id(list_id, list_name))
    head.append(field("Auto-Submitted", "auto-generated"))
    for name, value in (headers or {}).items():
        if name.casefold() in _OURS:
            raise MailError(f"header {name} is written by paperdigest itself", permanent=True)
        head.append(field(name, value))
    # Quoted-printable never holds "=_", so the boundary cannot stand in a body (RFC 2045, 6.7).
    boundary = "=_" + sha256(message_id.encode("ascii")).hexdigest()[:32]
    head += [field("MIME-Version", "1.0"), field("Content-Type", f'multipart/alternative; boundary="{boundary}"')]
    _refuse_repeats(head)
    mark = boundary.encode("ascii")
    parts = b"".join(b"--" + mark + b"\r\n" + _part(kind, body) for kind, body in (("plain", text), ("html", html)))
    return b"".join(head) + b"\r\n" + parts + b"--" + mark + b"--\r\n"


def _part(kind: str, pieces: Sequence[str]) -> bytes:
    head = field("Content-Type", f'text/{kind}; charset="utf-8"') + field(
        "Content-Transfer-Encoding", "quoted-printable"
    )
    return head + b"\r\n" + b"".join(quoted((pieces,) if isinstance(pieces, str) else pieces))


def _date(moment: datetime) -> str:
    if moment.utcoffset() is None:
        raise MailError(f"the date {moment!r} has no zone", permanent=True)
    seconds = moment.utcoffset() or timedelta(0)
    return format_datetime((moment - seconds).replace(tzinfo=None, microsecond=0)).replace("-0000", "+0000")


def _list_id(list_id: str, name: str | None) -> bytes:
    if not _LIST_ID.match(list_id):
        raise MailError(f"{list_id!r} is not a list id; write it like paperdigest.example.org", permanent=True)
    plain = re.sub(r"[^A-Za-z0-9 .-]", "", name or "").strip()
    return field("List-Id", f'"{plain}" <{list_id}>' if plain else f"<{list_id}>")


def _refuse_repeats(head: list[bytes]) -> None:
    names = [line.partition(b":")[0].lower() for line in head]
    if len(set(names)) != len(names):
        repeated = sorted({name.decode("ascii") for name in names if names.count(name) > 1})
        raise MailError(f"header {', '.join(repeated)} would stand twice", permanent=True)
