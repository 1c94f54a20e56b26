"""Bodies in quoted-printable (RFC 2045, 6.7), written piece by piece so that what recurs is encoded once.

A digest is mostly text that stands in many digests, with a few words of its recipient's between. Each piece starts on
a line of its own: it is joined to the one before by a soft line break, which a reader takes out again. So a piece may
begin and end anywhere, and its encoding depends on nothing but itself.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator

from paperdigest.types import LINK, Pieces, Recurring

__all__ = ["clean_body", "quoted"]

MAX_LINE = 76
SOFT_BREAK = b"=\r\n"

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_TENDER = re.compile(rb"\n(?:\.|From |[^\r\n]{77})")
"""A line that careless servers alter, or of 77 characters, as b2a_qp writes it when a blank stands at its end."""
_HALF = b"\r"
"""Stands for a piece that ends in half a line end, perhaps: the next one decides."""
_LINK = b"\x01"
"""Stands for `LINK`: one byte is soon found, and nothing else is encoded so."""


def clean_body(body: str) -> str:
    """Return what a text part carries: LF line ends, no control characters, no lone surrogates."""
    if "\r" in body:
        body = body.replace("\r\n", "\n").replace("\r", "\n")
    if not body.isascii():
        body = _SURROGATES.sub("\ufffd", body)
    return _CONTROLS.sub("\ufffd", body)


def quoted(text: Pieces) -> bytes:
    """Return the encoding of a text, cleaned.

    Decoded it is ``clean_body(str(text))`` with CRLF line ends and one CRLF more, which is the delimiter's (RFC 2046,
    5.1.1). Every line has at most 76 characters; none ends in a blank or begins with a dot or with ``From ``, which
    careless servers alter.
    """
    chunks = [one.coded or _kept(one) if type(one) is Recurring else _encoded(one) for one in text.pieces]
    if _HALF in chunks or not text.link.isprintable():
        chunks = list(map(_encoded, _whole_line_ends(text.filled())))
    while chunks and not chunks[-1]:
        chunks.pop()
    if chunks and chunks[-1].endswith(SOFT_BREAK):
        chunks[-1] = chunks[-1][:-3]
    return b"".join((*chunks, b"\r\n")).replace(_LINK, _encoded(text.link))


def _whole_line_ends(pieces: Iterable[str]) -> Iterator[str]:
    """Give the pieces, a CRLF that stands across two of them as one line end."""
    halved = False
    for piece in pieces:
        rest = piece[1:] if halved and piece[:1] == "\n" else piece
        if piece:
            halved = piece[-1] == "\r"
        yield clean_body(rest) if halved else rest


def _kept(piece: Recurring) -> bytes:
    parts = piece.split(LINK)
    piece.coded = _HALF if len(parts) > 1 and "\r" in piece else _LINK.join(map(_encoded, parts))
    return piece.coded


def _encoded(piece: str) -> bytes:
    """Encode one piece; the last line ends in a soft line break, unless in a hard one."""
    if _is_as_it_is(piece):
        return f"{piece}=\r\n".encode("ascii")
    if not piece or piece[-1] == "\r":
        return _HALF if piece else b""
    raw = clean_body(piece).replace("\n", "\r\n").encode("utf-8")
    # b2a_qp takes its line ends from the first one it sees; a leading CRLF settles that, and is cut off again.
    coded = binascii.b2a_qp(b"\r\n" + raw, istext=True)
    if _TENDER.search(coded):
        coded = b"\r\n".join(part for line in coded.split(b"\r\n") for part in _untouchable(line))
    if coded.endswith(b"\n"):
        return coded[2:]
    start = coded.rfind(b"\n") + 1
    if len(coded) - start == MAX_LINE:  # with the = of a soft line break it would be too long
        coded = coded[:start] + b"\r\n".join(_untouchable(coded[start:], MAX_LINE - 1))
    return coded[2:] + SOFT_BREAK


def _is_as_it_is(piece: str) -> bool:
    """Say whether a piece is one line that needs no encoding: an address, a few words."""
    is_plain = 0 < len(piece) < MAX_LINE and piece.isascii() and piece.isprintable() and "=" not in piece
    return is_plain and piece[-1] != " " and not piece.startswith((".", "From "))


def _untouchable(line: bytes, most: int = MAX_LINE) -> Iterator[bytes]:
    """Write a line so that it begins neither with a dot nor with ``From ``, in two where it is longer than ``most``."""
    while True:
        if line.startswith((b".", b"From ")):
            line = b"=%02X" % line[0] + line[1:]
        if len(line) <= most:
            yield line
            return
        escape = line.find(b"=", MAX_LINE - 3, MAX_LINE - 1)
        cut = MAX_LINE - 1 if escape < 0 else escape
        yield line[:cut] + b"="
        line = line[cut:]
