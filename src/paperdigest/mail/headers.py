"""Header fields as bytes that nothing can break out of (RFC 5322, RFC 2047).

Own code because the standard library's writer differs by version: in 3.11.7 a title holding
``=?utf-8?q?a=0aBcc:...?=`` becomes a real ``Bcc`` (CVE-2024-6923), and long URLs in List-Unsubscribe
are turned into encoded words.

Everything is ASCII, text of other kinds stands in encoded words (RFC 2047). The exception is a message to an address
that is not ASCII before the @ (RFC 6531): only servers with SMTPUTF8 can take it anyway, so its texts stand in UTF-8 as
they are (RFC 6532) and every reader of such mail can show them. ``utf8`` says which.
"""

from __future__ import annotations

import base64
import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from paperdigest.errors import MailError

__all__ = ["Mailbox", "clean_line", "field", "is_address", "mailbox", "unstructured"]

MAX_LINE = 998  # RFC 5322, 2.1.1: hard limit; 78 is the soft one
SOFT_LINE = 78
_MAX_ENCODED_WORD = 75  # RFC 2047, 2

# Controls (C0, DEL, C1), line and paragraph separators, and the marks that reorder what a reader sees.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+\Z")
_FIELD_NAME = re.compile(r"[A-Za-z0-9-]{1,60}\Z")
_ADDRESS = re.compile(
    r"(?:[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]|[^\x00-\x7f]){1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?\Z"
)
_MAX_LOCAL = 64  # octets: RFC 5321, 4.5.3.1.1
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")  # RFC 2047, 5 (3)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address and the name shown beside it; the address is ASCII, but for what stands before the @ (RFC 6531)."""

    address: str
    name: str | None = None

    def __post_init__(self) -> None:
        if not is_address(self.address):
            problem = f"{self.address!r} cannot stand in a mail header: it is no plain address"
            raise MailError(problem, permanent=True)

    @property
    def needs_smtputf8(self) -> bool:
        """Say whether only servers with SMTPUTF8 can take mail for this address."""
        return not self.address.isascii()


def is_address(text: str) -> bool:
    """Say whether a text is a plain address; it is ASCII, but for what stands before the @ (RFC 6531)."""
    if not _ADDRESS.match(text):
        return False
    return text.isascii() or (text.isprintable() and len(text.rpartition("@")[0].encode("utf-8")) <= _MAX_LOCAL)


def clean_line(text: str) -> str:
    """Return what of ``text`` may stand in a header: one line, single spaces, no controls, no lone surrogates."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    return " ".join(_SURROGATES.sub("\ufffd", _CONTROLS.sub(" ", text)).split())


def field(name: str, value: str, *, utf8: bool = False) -> bytes:
    """Return ``Name: value`` with CRLF, folded at spaces; ``value`` is printable and is not altered otherwise.

    Raises:
        MailError: the value is not printable (ASCII, unless ``utf8``), a line is too long, or the name is no field
            name.
    """
    if not _is_name(name) or not _may_stand(value, utf8=utf8):
        raise MailError(f"header {name!r} holds something that cannot stand there: {value!r}", permanent=True)
    line = f"{name}: {value.strip(' ')}\r\n"
    if len(line) <= SOFT_LINE + 2 and "  " not in line:
        return line.encode("utf-8")
    raw = _folded(f"{name}:", value.split()).encode("utf-8")
    if max(map(len, raw.split(b"\r\n"))) > MAX_LINE:
        raise MailError(f"header {name} cannot be written safely: {value[:80]!r}", permanent=True)
    return raw


@lru_cache(maxsize=256)
def _is_name(name: str) -> bool:
    return _FIELD_NAME.match(name) is not None


@lru_cache(maxsize=1024)  # readers of the same topics get the same best paper
def unstructured(name: str, text: str, *, utf8: bool = False) -> bytes:
    """Return a field of free text such as Subject: as it is when that is plain, else in encoded words."""
    line = clean_line(text)
    room = SOFT_LINE - len(name) - 2
    if _may_stand(line, utf8=utf8) and "=?" not in line and all(len(word) <= room for word in line.split()):
        return field(name, line, utf8=utf8)
    return field(name, encoded_words(line, len(name) + 2))


def mailbox(name: str, box: Mailbox, *, utf8: bool = False) -> bytes:
    """Return an address field: ``To: Jane Doe <jane@example.org>``."""
    shown = clean_line(box.name or "")
    if not shown:
        return field(name, box.address, utf8=utf8)
    safe = "=?" not in shown and len(shown) <= SOFT_LINE
    if safe and _ATOMS.match(shown):
        phrase = shown
    elif safe and _may_stand(shown, utf8=utf8):
        quoted = re.sub(r'(["\\])', r"\\\1", shown)
        phrase = f'"{quoted}"'
    else:
        phrase = encoded_words(shown, len(name) + 2)
    return field(name, f"{phrase} <{box.address}>", utf8=utf8)


def _may_stand(text: str, *, utf8: bool) -> bool:
    if text.isascii():
        return text.isprintable()
    return utf8 and not _CONTROLS.search(text) and not _SURROGATES.search(text)


def _folded(start: str, words: list[str]) -> str:
    lines, line = [], start
    for word in words:
        if len(line) + 1 + len(word) > SOFT_LINE and line != start:
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join([*lines, line, ""])


def encoded_words(text: str, offset: int) -> str:
    """Return ``text`` as encoded words (RFC 2047), split between characters, each at most 75 long.

    ``offset`` is how much of the first line is taken already. Whichever of Q and B is shorter is used.
    """
    signs = list(map(_q_sign, text))
    lengths, kind = list(map(len, signs)), "Q"
    if sum(lengths) > (len(text.encode("utf-8")) + 2) // 3 * 4:
        lengths, kind = [len(char.encode("utf-8")) for char in text], "B"
    frame = len(f"=?utf-8?{kind}??=")
    upto = list(accumulate(lengths, initial=0))
    words: list[str] = []
    start, room = 0, min(_MAX_ENCODED_WORD, SOFT_LINE - offset) - frame
    while start < len(text) or not words:
        most = upto[start] + (room if kind == "Q" else room // 4 * 3)
        end = max(start + 1, bisect_right(upto, most) - 1)
        coded = "".join(signs[start:end]) if kind == "Q" else _base64(text[start:end])
        words.append(f"=?utf-8?{kind}?{coded}?=")
        start, room = end, _MAX_ENCODED_WORD - frame
    return " ".join(words)


@lru_cache(maxsize=4096)
def _q_sign(char: str) -> str:
    return "".join(chr(b) if b in _Q_SAFE else "_" if b == 0x20 else f"={b:02X}" for b in char.encode("utf-8"))


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")
