"""Small pure pieces of text work for digests: clean, shorten, emphasise, wrap."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

__all__ = ["TEXT_WIDTH", "Span", "clean", "emphasised", "http_url", "is_visible", "marked", "plural", "shorten", "wrap"]

TEXT_WIDTH = 76
_MAX_URL = 2000
_MAX_READ = 20_000
# All but controls, lone surrogates, line separators, the marks that reorder what a reader sees, and noncharacters,
# which make HTML invalid (Source: HTML standard, 13.2.3.5). Saying what is wanted is 20 times faster.
_PLANES = "".join(f"{chr(plane << 16)}-{chr(plane << 16 | 0xFFFD)}" for plane in range(1, 17))
_WANTED = "\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufdcf\ufdf0-\ufefe\uff00-\ufffd" + _PLANES
_UNWANTED = re.compile(f"[^{_WANTED}]")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Me", "Mn", "Zl", "Zp", "Zs"})
_EMPHASIS = re.compile(r"\*([^*\s](?:[^*]{0,60}[^*\s])?)\*")
# What a small letter follows ("e.g. this", "et al. show") ends no sentence.
_SENTENCE_END = re.compile(r"[.!?][\"')\]”’]*(?=\s+[^\sa-z])|[。！？]")


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text, emphasised or not."""

    text: str
    strong: bool = False


def clean(text: str) -> str:
    """Return one line of readable text: single spaces, no controls, no lone surrogates.

    Of a text of megabytes only the first 20,000 characters are read: nothing prints more.
    """
    return " ".join(_UNWANTED.sub(" ", text[:_MAX_READ]).split())


def is_visible(text: str) -> bool:
    """Say whether anything of ``text`` leaves ink: zero-width characters and combining marks alone do not."""
    return any(unicodedata.category(character) not in _INVISIBLE for character in text)


def http_url(url: str | None) -> str | None:
    """Return the URL as it may stand in a link, or None when it is not plain http or https."""
    if not url or len(url) > _MAX_URL or _UNWANTED.search(url):
        return None
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme.lower() in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # brackets that are no IPv6 address, a port that is no number
        return None
    if not usable or parts.username is not None:
        return None
    quoted = quote(url.strip(), safe="!#$%&'()*+,/:;=?@[]~")
    return quoted if len(quoted) <= _MAX_URL else None


def shorten(text: str, limit: int) -> str:
    """Return at most ``limit`` characters, ended at a sentence where one ends in the second half, else at a word.

    Something left out is shown by an ellipsis; ``limit`` 0 leaves nothing.
    """
    if len(text) <= limit:
        return text
    if limit < 2:
        return ""
    room = limit - 1  # one place for the ellipsis
    seen = text[: limit + 1]  # what follows an end tells whether it is one
    ends = [end.end() for end in _SENTENCE_END.finditer(seen) if limit <= end.end() * 2 <= room * 2]
    if ends:
        return f"{text[: ends[-1]]} …" if ends[-1] < room else f"{text[: ends[-1]]}…"
    space = text.rfind(" ", limit // 2, limit)
    return text[: space if space > 0 else room].rstrip(" ,;:") + "…"


def emphasised(text: str) -> tuple[Span, ...]:
    """Split ``title matches *traces*`` into plain and strong spans."""
    spans, done = [], 0
    for match in _EMPHASIS.finditer(text):
        spans += [Span(text[done : match.start()]), Span(match[1], strong=True)]
        done = match.end()
    return tuple(span for span in (*spans, Span(text[done:])) if span.text)


def marked(text: str, forms: Collection[str]) -> tuple[Span, ...]:
    """Split ``text`` so that every whole word (or phrase) among ``forms`` is strong, whatever its case."""
    if not forms:
        return (Span(text),) if text else ()
    longest_first = sorted(forms, key=lambda form: (-len(form), form))
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)
    spans, done = [], 0
    for match in pattern.finditer(text):
        spans += [Span(text[done : match.start()]), Span(match[0], strong=True)]
        done = match.end()
    return tuple(span for span in (*spans, Span(text[done:])) if span.text)


def plural(count: int, noun: str) -> str:
    """Return ``1 paper``, ``2 papers``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def wrap(text: str, indent: int = 0, hanging: int | None = None) -> str:
    """Return ``text`` wrapped to 76 columns; URLs are kept whole, on a line of their own if need be."""
    blank, rest = " " * indent, " " * (indent if hanging is None else hanging)
    lines: list[str] = []
    for word in _pieces(text, TEXT_WIDTH - max(len(blank), len(rest))):
        start = rest if lines else blank
        if lines and len(lines[-1]) + 1 + len(word) <= TEXT_WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(start + word)
    return "\n".join(lines)


def _pieces(text: str, width: int) -> list[str]:
    """Split at spaces, and words longer than a line anywhere, unless they are URLs."""
    pieces = []
    for word in text.split():
        if len(word) <= width or re.match(r"\(?https?://", word):
            pieces.append(word)
        else:
            pieces += textwrap.wrap(word, width, break_on_hyphens=False)
    return pieces
