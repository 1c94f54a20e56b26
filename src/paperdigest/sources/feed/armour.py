"""Broken XML made harmless before a tolerant parser sees it: one linear pass over its tokens.

Tolerant parsers look for missing ends over and over (quadratic time) and build whatever is nested.
After this pass the text holds nothing but short tags, and short text without a stray ``<``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from paperdigest.errors import ParseError
from paperdigest.sources.feed.fast import MAX_DEPTH
from paperdigest.sources.feed.fields import MAX_ENTRIES
from paperdigest.sources.feed.markup import MAX_FIELD_CHARS

__all__ = ["MAX_TAGS", "Armoured", "armour"]

MAX_TAGS = 200_000
"""Tags, comments and stray brackets read from one broken feed; the rest of it is left out."""

_MAX_TAG_CHARS = 16 * 1024
_TOKEN = re.compile(
    r"<!\[CDATA\[(?P<cdata>.*?)(?P<cdata_end>\]\]>|\Z)"
    r"|<!--(?:.*?-->|.*\Z)"
    r"|<[!?][^<>]*+>?"
    r"|<(?P<close>/)?(?P<name>[A-Za-z_][^\s<>/!?\"'=&;]*+)"
    r"(?P<rest>(?>[^<>\"']+|\"[^\"<]*\"|'[^'<]*')*+(?=>)|[^<>]*+)(?P<end>>)?"
    r"|<",
    re.DOTALL,
)
_VOID = re.compile(
    "(?:area|base|basefont|br|col|command|embed|frame|hr|img|input|isindex|keygen|meta|param|source|track|wbr)"
)
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_REFERENCE = re.compile(r"&#(?:[xX](?P<hex>[0-9a-fA-F]+)|(?P<decimal>\d+))")
_ENTRIES = frozenset({"item", "entry"})


@dataclass(frozen=True, slots=True)
class Armoured:
    """The harmless text; ``opened`` entries stood in it whole; ``notes`` say what was left out."""

    text: str
    opened: int
    cut_off: int
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Pass:
    """State of the pass: output, open elements, and where the last whole entry ended."""

    out: list[str] = field(default_factory=list)
    stack: list[str] = field(default_factory=list)
    tags: int = 0
    opened: int = 0
    entry_at: int | None = None
    notes: dict[str, None] = field(default_factory=dict)


def armour(text: str, where: str) -> Armoured:
    """Rewrite ``text`` so that every tolerant parser reads it in bounded time.

    Text and CDATA are cut at 64 KB, comments, instructions and declarations are dropped, stray ``<`` are
    escaped, what follows 10,000 entries or 200,000 tags is left out, and so is an entry that never ends
    in a text that breaks off.

    Raises:
        ParseError: elements nested deeper than `MAX_DEPTH`.
    """
    state = _Pass()
    at = 0
    for match in _TOKEN.finditer(text):
        _put_text(state, text[at : match.start()], escaped=True)
        at = match.end()
        state.tags += 1
        if match["cdata"] is not None:
            _put_text(state, match["cdata"], escaped=False)
        elif match["name"] is not None:
            _put_tag(state, match, where)
        elif match[0] == "<":
            state.out.append("&lt;")
        if state.tags >= MAX_TAGS or (state.opened >= MAX_ENTRIES and state.entry_at is None):
            state.notes[f"only the first {state.opened:,} entries were read"] = None
            return Armoured("".join(state.out), state.opened, 0, tuple(state.notes))
    _put_text(state, text[at:], escaped=True)
    return _ended(state)


def _ended(state: _Pass) -> Armoured:
    """Drop the entry that the end of a broken-off text cut in two."""
    cut_off = 0
    if state.stack:
        state.notes["the feed breaks off before its end"] = None
        if state.entry_at is not None:
            del state.out[state.entry_at :]
            state.opened -= 1
            cut_off = 1
    return Armoured("".join(state.out), state.opened, cut_off, tuple(state.notes))


def _put_text(state: _Pass, text: str, *, escaped: bool) -> None:
    if not text:
        return
    if len(text) > MAX_FIELD_CHARS:
        text = re.sub(r"&[^&;]{0,10}\Z" if escaped else r"\Z", "", text[:MAX_FIELD_CHARS]) + " …"
    if not text.isprintable():
        text = _UNSEEN.sub("", text)
    if not escaped:
        text = escape(text)
    elif "&#" in text:
        text = _REFERENCE.sub(_possible, text)
    state.out.append(text)


def _possible(match: re.Match[str]) -> str:
    """Keep a reference to a character that exists; feedparser fails on others."""
    digits = match["hex"] or match["decimal"]
    code = int(digits, 16 if match["hex"] else 10) if len(digits) < 20 else 0
    return match[0] if 0 < code < 0xD800 or 0xDFFF < code < 0x110000 else "\N{REPLACEMENT CHARACTER}"


def _put_tag(state: _Pass, match: re.Match[str], where: str) -> None:
    if len(match[0]) > _MAX_TAG_CHARS:
        state.notes[f"a tag of {len(match[0]):,} characters was left out"] = None
        return
    name = match["name"].lower()
    entry = name.rpartition(":")[2] in _ENTRIES
    if match["close"]:
        if name in state.stack:
            del state.stack[len(state.stack) - 1 - state.stack[::-1].index(name) :]
        if entry and not _ENTRIES.intersection(state.stack):
            state.entry_at = None
    elif not match["rest"].endswith("/") and not _VOID.fullmatch(name):
        if entry and state.entry_at is None:
            state.entry_at, state.opened = len(state.out), state.opened + 1
        state.stack.append(name)
        if len(state.stack) > MAX_DEPTH:
            raise ParseError(
                where, f"elements nested deeper than {MAX_DEPTH}, which is refused", hint="no feed does that"
            )
    elif entry:
        state.opened += 1
    tag = _UNSEEN.sub("", match[0])
    state.out.append(tag if match["end"] else tag + ">")
