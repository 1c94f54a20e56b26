"""Bodies in quoted-printable (RFC 2045, 6.7), written piece by piece so that what recurs is encoded once.

A digest is mostly text that stands in many digests, with a few words of its recipient's between. Each piece starts on
a line of its own: it is joined to the one before by a soft line break, which a reader takes out again. So a piece may
begin and end anywhere, and its encoding depends on nothing but itself.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

__all__ = ["Recent", "clean_body", "quoted"]

MAX_LINE = 76
SOFT_BREAK = b"=\r\n"

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_TENDER = re.compile(rb"\n(?:\.|From |[^\r\n]{77})")
"""A line that careless servers alter, or of 77 characters, as b2a_qp writes it when a blank stands at its end."""
_CACHED_BYTES = 24_000_000
_ENTRY_BYTES = 250
_HALF = b"\r"
"""Stands for a piece that ends in half a line end, perhaps: the next one decides."""

T = TypeVar("T", bound=str | bytes)


class Recent(Generic[T]):
    """A function's results for what was asked of late, bounded in bytes; may be used by many threads at once.

    Two generations: what is asked for moves to the young one; when that is full it becomes the old one, and what
    nobody asked for since is forgotten.
    """

    def __init__(self, function: Callable[[T], bytes], limit_bytes: int = _CACHED_BYTES) -> None:
        self._function, self._limit = function, limit_bytes
        self._young: dict[T, bytes] = {}
        self._old: dict[T, bytes] = {}
        self._room = limit_bytes

    def each(self, keys: Iterable[T]) -> list[bytes]:
        """Return the function's result for each, from what is kept if it is."""
        get, moved = self._young.get, self._moved
        return [get(key) or moved(key) for key in keys]

    def _moved(self, key: T) -> bytes:
        if (found := self._young.get(key)) is not None:  # since `each` began, or it is empty
            return found
        found = self._old.get(key)
        result = self._function(key) if found is None else found
        self._room -= len(key) + len(result) + _ENTRY_BYTES
        if self._room < 0:
            self._old, self._young, self._room = self._young, {}, self._limit
        self._young[key] = result
        return result


def clean_body(body: str) -> str:
    """Return what a text part carries: LF line ends, no control characters, no lone surrogates."""
    if "\r" in body:
        body = body.replace("\r\n", "\n").replace("\r", "\n")
    if not body.isascii():
        body = _SURROGATES.sub("\ufffd", body)
    return _CONTROLS.sub("\ufffd", body)


def quoted(pieces: Sequence[str]) -> list[bytes]:
    """Return the encoding of the pieces' concatenation, cleaned, in chunks of whole lines (some empty).

    Decoded, the joined chunks are ``clean_body("".join(pieces))`` with CRLF line ends and one CRLF more, which is the
    delimiter's (RFC 2046, 5.1.1). Every line has at most 76 characters; none ends in a blank or begins with a dot or
    with ``From ``, which careless servers alter.
    """
    chunks = _recent.each(pieces)
    if _HALF in chunks:
        chunks = _recent.each(_whole_line_ends(pieces))
    while chunks and not chunks[-1]:
        chunks.pop()
    if chunks and chunks[-1].endswith(SOFT_BREAK):
        chunks[-1] = chunks[-1][:-3] + b"\r\n"
    else:
        chunks.append(b"\r\n")
    return chunks


def _whole_line_ends(pieces: Iterable[str]) -> Iterator[str]:
    """Give the pieces, a CRLF that stands across two of them as one line end."""
    halved = False
    for piece in pieces:
        rest = piece[1:] if halved and piece[:1] == "\n" else piece
        if piece:
            halved = piece[-1] == "\r"
        yield clean_body(rest) if halved else rest


def _encoded(piece: str) -> bytes:
    """Encode one piece; the last line ends in a soft line break, unless in a hard one."""
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


_recent = Recent[str](_encoded)
