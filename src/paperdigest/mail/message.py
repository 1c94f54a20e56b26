"""Write a digest as one message for one recipient: headers, then text and HTML (RFC 5322, 2045, 2046).

Pure and deterministic: the same arguments give the same bytes, so that a resend is a true copy that
receivers can recognise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from hashlib import sha256
from typing import ParamSpec

from paperdigest.errors import MailError
from paperdigest.mail.dkim import Signer
from paperdigest.mail.headers import Mailbox, field, mailbox, unstructured
from paperdigest.mail.quoting import clean_body, quoted
from paperdigest.types import Pieces

__all__ = ["Attachment", "Mailbox", "begin_message", "build_message", "clean_body"]

_MESSAGE_ID = re.compile(r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+>\Z")
_LIST_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?\Z")
_OURS = frozenset(
    (
        *("from", "to", "subject", "date", "message-id", "list-id", "auto-submitted"),
        *("mime-version", "content-type", "content-transfer-encoding", "dkim-signature"),
        *("bcc", "cc", "sender", "return-path", "received"),
    )
)
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}\Z")
_MEDIA_TYPE = re.compile(r"text/[a-z0-9][a-z0-9.+-]{0,40}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A text that stands beside the digest, as a file: ``papers.bib`` of type ``text/x-bibtex``."""

    name: str
    media_type: str
    text: str

    def __post_init__(self) -> None:
        if not _FILE_NAME.match(self.name) or not _MEDIA_TYPE.match(self.media_type):
            problem = f"an attachment cannot be called {self.name!r} and be of the type {self.media_type!r}"
            raise MailError(problem, permanent=True)


def begin_message(
    *,
    sender: Mailbox,
    recipient: Mailbox,
    subject: str,
    html: Pieces | Sequence[str],
    text: Pieces | Sequence[str],
    sent_at: datetime,
    message_id: str,
    list_id: str | None = None,
    list_name: str | None = None,
    headers: Mapping[str, str] | None = None,
    attachments: Sequence[Attachment] = (),
    signer: Signer | None = None,
) -> Callable[[], bytes]:
    """Write all of a message but its signatures; who is returned signs it, in any thread, and returns it.

    It has CRLF throughout, every line at most 998 bytes, every header exactly once. It is ASCII, unless one of the
    addresses is not: then ``Mailbox.needs_smtputf8``, and names and subject stand in it in UTF-8 (RFC 6532).

    Args:
        sender: the From mailbox.
        recipient: the one To mailbox.
        subject: any text; what cannot stand in a header is cleaned or encoded.
        html: the HTML part, last, because receivers show the last part they understand.
        text: the text part.
        sent_at: the Date header (aware); frozen with the digest.
        message_id: ``<left@right>``; also decides the MIME boundary.
        list_id: the host-like name in List-Id (RFC 2919), e.g. ``paperdigest.example.org``.
        list_name: the name shown before it.
        headers: further fields, printable ASCII, which are not encoded (List-Unsubscribe must not be): see
            `lists.ListHeaders`.
        attachments: files beside the digest.
        signer: signs the message (DKIM), at the time of ``sent_at``.

    Raises:
        MailError: a header cannot be written safely; permanent.
    """
    utf8 = sender.needs_smtputf8 or recipient.needs_smtputf8
    head = [
        _from(sender, utf8=utf8),
        mailbox("To", recipient, utf8=utf8),
        unstructured("Subject", subject, utf8=utf8),
        _date(sent_at),
        _identified(message_id),
    ]
    if list_id is not None:
        head.append(_list_id(list_id, list_name))
    head.append(_AUTO_SUBMITTED)
    head += _further(headers or {})
    # Quoted-printable never holds "=_", so the boundary cannot stand in a body (RFC 2045, 6.7).
    mark = sha256(message_id.encode("ascii")).hexdigest()[:32]
    content, lines = _alternative(f"=_{mark}", text, html)
    if attachments:
        content, lines = _mixed(f"=_m{mark}", content, lines, attachments)
    head += [_MIME_VERSION, content]
    body = b"".join(lines)
    sign = signer.begin(head, body, sent_at) if signer is not None else tuple
    return lambda: b"".join((*sign(), *head, b"\r\n", body))


_Parts = ParamSpec("_Parts")


def _at_once(begin: Callable[_Parts, Callable[[], bytes]]) -> Callable[_Parts, bytes]:
    def build(*args: _Parts.args, **parts: _Parts.kwargs) -> bytes:
        """Return a message: see `begin_message`."""
        return begin(*args, **parts)()

    return build


build_message = _at_once(begin_message)


def _identified(message_id: str) -> bytes:
    if not _MESSAGE_ID.match(message_id) or len(message_id) > 250:
        raise MailError(f"{message_id!r} is not a Message-ID", permanent=True)
    return field("Message-ID", message_id)


def _alternative(
    boundary: str, text: Pieces | Sequence[str], html: Pieces | Sequence[str]
) -> tuple[bytes, list[bytes]]:
    """Return the Content-Type and the lines of text and HTML."""
    parts = [(_PLAIN, [quoted(_pieces(text))]), (_HTML, [quoted(_pieces(html))])]
    return _multipart("alternative", boundary, parts)


def _mixed(
    boundary: str, content: bytes, body: list[bytes], attachments: Sequence[Attachment]
) -> tuple[bytes, list[bytes]]:
    """Return the Content-Type and the lines of a message with files beside it (RFC 2183)."""
    files = [
        (
            _content(file.media_type) + field("Content-Disposition", f'attachment; filename="{file.name}"'),
            [quoted(Pieces((file.text,)))],
        )
        for file in attachments
    ]
    return _multipart("mixed", boundary, [(content, body), *files])


def _multipart(kind: str, boundary: str, parts: Sequence[tuple[bytes, list[bytes]]]) -> tuple[bytes, list[bytes]]:
    mark = b"--" + boundary.encode("ascii")
    lines: list[bytes] = []
    for head, body in parts:
        lines.append(mark + b"\r\n" + head + b"\r\n")
        lines += body
    lines.append(mark + b"--\r\n")
    return f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n'.encode("ascii"), lines


def _content(kind: str) -> bytes:
    return field("Content-Type", f'{kind}; charset="utf-8"') + field("Content-Transfer-Encoding", "quoted-printable")


_PLAIN, _HTML = _content("text/plain"), _content("text/html")
_AUTO_SUBMITTED, _MIME_VERSION = field("Auto-Submitted", "auto-generated"), field("MIME-Version", "1.0")


def _pieces(body: Pieces | Sequence[str]) -> Pieces:
    if isinstance(body, Pieces):
        return body
    return Pieces((body,) if isinstance(body, str) else tuple(body))


def _further(headers: Mapping[str, str]) -> list[bytes]:
    _check_names(tuple(headers))
    return [field(name, value) for name, value in headers.items()]


@lru_cache(maxsize=64)  # the same in every message, as is what else is kept below
def _check_names(given: tuple[str, ...]) -> None:
    names = [name.casefold() for name in given]
    if refused := sorted(_OURS.intersection(names)):
        raise MailError(f"header {', '.join(refused)} is written by paperdigest itself", permanent=True)
    if len(set(names)) != len(names):
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise MailError(f"header {', '.join(repeated)} would stand twice", permanent=True)


@lru_cache(maxsize=64)
def _from(sender: Mailbox, *, utf8: bool) -> bytes:
    return mailbox("From", sender, utf8=utf8)


@lru_cache(maxsize=64)
def _date(moment: datetime) -> bytes:
    if moment.utcoffset() is None:
        raise MailError(f"the date {moment!r} has no zone", permanent=True)
    seconds = moment.utcoffset() or timedelta(0)
    in_utc = (moment - seconds).replace(tzinfo=None, microsecond=0)
    return field("Date", format_datetime(in_utc).replace("-0000", "+0000"))


@lru_cache(maxsize=64)
def _list_id(list_id: str, name: str | None) -> bytes:
    if not _LIST_ID.match(list_id):
        raise MailError(f"{list_id!r} is not a list id; write it like paperdigest.example.org", permanent=True)
    plain = re.sub(r"[^A-Za-z0-9 .-]", "", name or "").strip()
    return field("List-Id", f'"{plain}" <{list_id}>' if plain else f"<{list_id}>")
