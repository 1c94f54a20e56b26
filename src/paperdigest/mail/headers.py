"""Header fields as bytes that nothing can break out of (RFC 5322, RFC 2047).

Own code because the standard library's writer differs by version: in 3.11.7 a title holding
``=?utf-8?q?a=0aBcc:...?=`` becomes a real ``Bcc`` (CVE-2024-6923), and long URLs in List-Unsubscribe
are turned into encoded words.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from paperdigest.errors import MailError

__all__ = ["Mailbox", "clean_line", "field", "mailbox", "unstructured"]

MAX_LINE = 998  # RFC 5322, 2.1.1: hard limit; 78 is the soft one
SOFT_LINE = 78
_MAX_ENCODED_WORD = 75  # RFC 2047, 2

# Controls (C0, DEL, C1), line and paragraph separators, and the marks that reorder what a reader sees.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_PLAIN = re.compile(r"[\x20-\x7e]*\Z")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+\Z")
_FIELD_NAME = re.compile(r"[A-Za-z0-9-]{1,60}\Z")
_FIELD = re.compile(r"[!-9;-~]+: [^\r\n]*(?:\r\n[ \t][^\r\n]*)*\Z")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?\Z")
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")  # RFC 2047, 5 (3)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address (ASCII, the domain as A-labels) and the name shown beside it."""

    address: str
    name: str | None = None

    def __post_init__(self) -> None:
        if not _ADDRESS.match(self.address):
            problem = f"{self.address!r} cannot stand in a mail header: only plain ASCII addresses can"
            raise MailError(problem, permanent=True)


def clean_line(text: str) -> str:
    """Return what of ``text`` may stand in a header: one line, single spaces, no controls, no lone surrogates."""
    return " ".join(_SURROGATES.sub("\ufffd", _CONTROLS.sub(" ", text)).split())


def field(name: str, value: str) -> bytes:
    """Return ``Name: value`` with CRLF, folded at spaces; ``value`` is printable ASCII and is not altered otherwise.

    Raises:
        MailError: the value is not printable ASCII, a line is too long, or the name is no field name.
    """
    if not _FIELD_NAME.match(name) or not _PLAIN.match(value):
        raise MailError(f"header {name!r} holds something that is not printable ASCII: {value!r}", permanent=True)
    lines, line = [], f"{name}:"
    for word in value.split():
        if len(line) + 1 + len(word) > SOFT_LINE and line != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {word}"
    lines.append(line if line != f"{name}:" else f"{name}: ")
    folded = "\r\n".join(lines)
    if not _FIELD.match(folded) or max(map(len, lines)) > MAX_LINE:
        raise MailError(f"header {name} cannot be written safely: {value[:80]!r}", permanent=True)
    return folded.encode("ascii") + b"\r\n"


def unstructured(name: str, text: str) -> bytes:
    """Return a field of free text such as Subject: as it is when that is plain, else in encoded words."""
    line = clean_line(text)
    room = SOFT_LINE - len(name) - 2
    if _PLAIN.match(line) and "=?" not in line and all(len(word) <= room for word in line.split()):
        return field(name, line)
    return field(name, encoded_words(line, len(name) + 2))


def mailbox(name: str, box: Mailbox) -> bytes:
    """Return an address field: ``To: Jane Doe <jane@example.org>``."""
    shown = clean_line(box.name or "")
    if not shown:
        return field(name, box.address)
    if _ATOMS.match(shown) and "=?" not in shown and len(shown) <= SOFT_LINE:
        phrase = shown
    elif _PLAIN.match(shown) and "=?" not in shown and len(shown) <= SOFT_LINE:
        quoted = re.sub(r'(["\\])', r"\\\1", shown)
        phrase = f'"{quoted}"'
    else:
        phrase = encoded_words(shown, len(name) + 2)
    return field(name, f"{phrase} <{box.address}>")


def encoded_words(text: str, offset: int) -> str:
    """Return ``text`` as encoded words (RFC 2047), split between characters, each at most 75 long.

    ``offset`` is how much of the first line is taken already. Whichever of Q and B is shorter is used.
    """
    raw = text.encode("utf-8")
    q_size = sum(1 if byte in _Q_SAFE or byte == 0x20 else 3 for byte in raw)
    kind, size = ("Q", _q_size) if q_size <= (len(raw) + 2) // 3 * 4 else ("B", _b_size)
    frame = len(f"=?utf-8?{kind}??=")
    words, chunk, room = [], b"", min(_MAX_ENCODED_WORD, SOFT_LINE - offset) - frame
    for char in text:
        more = chunk + char.encode("utf-8")
        if size(more) > room and chunk:
            words.append(_encoded_word(chunk, kind))
            chunk, room = char.encode("utf-8"), _MAX_ENCODED_WORD - frame
        else:
            chunk = more
    words.append(_encoded_word(chunk, kind))
    return " ".join(words)


def _q_size(raw: bytes) -> int:
    return sum(1 if byte in _Q_SAFE or byte == 0x20 else 3 for byte in raw)


def _b_size(raw: bytes) -> int:
    return (len(raw) + 2) // 3 * 4


def _encoded_word(raw: bytes, kind: str) -> str:
    if kind == "B":
        body = base64.b64encode(raw).decode("ascii")
    else:
        body = "".join(chr(b) if b in _Q_SAFE else "_" if b == 0x20 else f"={b:02X}" for b in raw)
    return f"=?utf-8?{kind}?{body}?="
