"""Small pure pieces of text work for digests: clean, shorten, emphasise, wrap."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from urllib.parse import quote, urlsplit

__all__ = [
    "REASON_CHARS",
    "TEXT_WIDTH",
    "Span",
    "clean",
    "day",
    "emphasised",
    "highlighted",
    "http_url",
    "is_visible",
    "listed",
    "marked",
    "numbering",
    "plural",
    "shorten",
    "topic_name",
    "wrap",
]

TEXT_WIDTH = 76
REASON_CHARS = 200
_NAMES_LISTED = 10
_MAX_URL = 2000
_MAX_READ = 20_000
# All but controls, lone surrogates, line separators, the marks that reorder what a reader sees, and noncharacters,
# which make HTML invalid (Source: HTML standard, 13.2.3.5). Nor plane 16, where nothing has a meaning but what users
# agree on: signs of ours stand there (see stretches.py). Saying what is wanted is 20 times faster.
_PLANES = "".join(f"{chr(plane << 16)}-{chr(plane << 16 | 0xFFFD)}" for plane in range(1, 16))
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
    read = text[:_MAX_READ]
    if not (read.isascii() and read.isprintable()):  # most are; it is seen sooner than looked for
        read = _UNWANTED.sub(" ", read)
    return " ".join(read.split())


def is_visible(text: str) -> bool:
    """Say whether anything of ``text`` leaves ink: zero-width characters and combining marks alone do not."""
    return text[:1].isalnum() or any(unicodedata.category(character) not in _INVISIBLE for character in text)


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


def highlighted(text: str, limit: int, places: Iterable[tuple[int, int]]) -> tuple[Span, ...]:
    """Return ``shorten(clean(text), limit)``, strong where ``places`` say: (start, end) in ``text`` itself.

    A place that is cut off by shortening, overlaps an earlier one or lies outside is dropped.
    """
    cleaned = clean(text)
    shown = shorten(cleaned, limit)
    kept = len(shown if shown == cleaned else shown.removesuffix("…").rstrip())
    spans, done = [], 0
    for start, end in sorted(places if cleaned == text else _moved(text, places)):
        if done <= start < end <= kept:
            spans += [Span(shown[done:start]), Span(shown[start:end], strong=True)]
            done = end
    return tuple(span for span in (*spans, Span(shown[done:])) if span.text)


def _moved(text: str, places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return where ``places`` of a text stand in ``clean(text)``, without those of which nothing is left."""
    read = _UNWANTED.sub(" ", text[:_MAX_READ])
    at: dict[int, int] = {}  # the place of each visible character
    done = 0
    for word in re.finditer(r"\S+", read):
        at |= {word.start() + offset: done + offset for offset in range(len(word[0]))}
        done += len(word[0]) + 1
    left = ([at[index] for index in range(start, min(end, len(read))) if index in at] for start, end in places)
    return [(kept[0], kept[-1] + 1) for kept in left if kept]


def plural(count: int, noun: str) -> str:
    """Return ``1 paper``, ``2 papers``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


@lru_cache(maxsize=1024)
def numbering(number: int) -> str:
    """Return ``1.  ``, ``12. ``: four columns, as the lines below are indented, up to a hundred papers."""
    return f"{number}.".ljust(3) + " "


def day(one: date) -> str:
    """Return ``3 May 2026``."""
    return f"{one.day} {one:%B %Y}"


@lru_cache(maxsize=4096)
def topic_name(name: str, limit: int) -> str:
    """Return a topic's name, at most ``limit`` characters, or words in its place when nothing of it can be seen."""
    topic = shorten(clean(name), limit)
    return topic if is_visible(topic) else "a topic without a name"


def listed(names: Sequence[str], most: int = _NAMES_LISTED) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``; of more than ``most`` names the first and how many more."""
    shown = list(names[:most])
    if len(names) > len(shown):
        shown.append(f"{len(names) - len(shown):,} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def wrap(text: str, indent: int = 0, hanging: int | None = None) -> str:
    """Return ``text`` wrapped to 76 columns; URLs are kept whole, on a line of their own if need be."""
    blank, rest = " " * indent, " " * (indent if hanging is None else hanging)
    lines: list[str] = []
    if 0 < len(text) <= TEXT_WIDTH - max(len(blank), len(rest)) and not text.isspace():
        return blank + " ".join(text.split())
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
