"""Plain text from the markup of titles and summaries: no tags, no entities, one line.

This is no sanitiser: the result is *text*, and whoever prints it escapes it. Time is linear in the
length, also for hostile markup (a tree-building HTML parser needs quadratic time for nested tags).
"""

from __future__ import annotations

import html
import re
from html.entities import html5

from paperdigest.sources.feed.fields import Markup

__all__ = ["MAX_FIELD_CHARS", "looks_like_html", "plain"]

MAX_FIELD_CHARS = 64 * 1024
"""Longer fields are cut here before any work is done on them; a mark `…` is left."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BLOCKS = _words(
    "address article aside blockquote br caption center dd details dialog dir div dl dt fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hr img input isindex li main menu nav ol option p pre section select sec "
    "summary table tbody td textarea tfoot th thead title tr ul"
)
_INLINE = _words(
    "a abbr acronym annotation applet area audio b base basefont bdi bdo big blink body button canvas cite code col "
    "colgroup command data datalist del dfn em embed event-source font frame frameset head html i iframe ins italic "
    "kbd keygen label legend link m map mark math meta meter multicol nextid nobr noscript object optgroup output "
    "param picture progress q rp rt ruby s samp script small sound source spacer span strike strong style sub sup svg "
    "time track tt u var video wbr"
)
_KNOWN = _BLOCKS | _INLINE
# A field of no declared type that names one of these rather talks about it.
_UNGUESSED = _words("applet base body embed frame frameset head html iframe link meta object script style title")
_DROPPED = "script|style|applet|annotation(?:-xml)?"
_TAG = re.compile(
    rf"<(?:(?P<common>/?(?:p|br|div|li)>)|!--.*?(?:-->|\Z)"  # the common ones first, for speed
    rf"|(?P<dropped>{_DROPPED})\b[^<>]*(?<!/)>.*?(?:</(?P=dropped)\s*>|\Z)"
    r"|!\[CDATA\[|[!?][^<>]*>"
    r"|/?(?P<name>[a-z][\w.:-]*+)(?P<rest>(?>[^<>\"']+|\"[^\"<]*\"|'[^'<]*')*+|[^<>]*+)>)",
    re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTES = re.compile(r"(?:\s+[\w.:-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'<>=]+))*+\s*+/?\s*")
_CLOSED_TAG = re.compile(r"</(\w+)>")
_ANY_TAG = re.compile(r"</?(\w+)")
_ENTITY = re.compile(r"&(?:#\w+|(\w+));")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_ASCII_CONTROLS = bytes(range(32)) + b"\x7f"
_C1 = {
    code: bytes([code]).decode("windows-1252")
    for code in range(0x80, 0xA0)
    if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}


def plain(markup: Markup) -> str:
    """Return the text a reader would see, white space collapsed; block elements part words, inline ones do not.

    What is no tag stays: ``a < b`` and ``if x<y and z>w`` lose nothing.
    """
    value = markup.value
    cut = len(value) > MAX_FIELD_CHARS
    if cut:
        value = re.sub(r"<[^<>]{0,1000}\Z", "", value[:MAX_FIELD_CHARS])
    value = _mend_encoding(value)
    if markup.html:
        if "<" in value:
            value = _TAG.sub(_without_tag, value)
        if "&" in value:
            value = html.unescape(value)
    value = value.replace("\n", " ").strip(" ")
    if _has_unseen(value):
        value = " ".join(_UNSEEN.sub(_seen, value).split())
    if "  " in value:  # parted there, not at every space: most texts have few such runs
        value = " ".join(filter(None, map(str.strip, value.split("  "))))
    return f"{value} …" if cut else value


def looks_like_html(text: str) -> bool:
    """Guess whether a field of a format that does not say (every RSS title) holds HTML.

    Cautious: there is a closing tag or an entity, and every tag and entity is one of HTML.
    """
    if "<" not in text and "&" not in text:
        return False
    if len(text) > MAX_FIELD_CHARS:
        text = text[:MAX_FIELD_CHARS]
    if not _CLOSED_TAG.search(text) and not _ENTITY.search(text):
        return False
    if not {name.lower() for name in _ANY_TAG.findall(text)} <= _KNOWN - _UNGUESSED:
        return False
    return all(not name or f"{name};" in html5 for name in _ENTITY.findall(text))


def _without_tag(match: re.Match[str]) -> str:
    if match["common"]:
        return " "
    name = match["name"]
    if name is None:
        return ""
    local = name.lower().rpartition(":")[2]
    if local in _BLOCKS:
        return " "
    if local in _KNOWN or ":" in name or _ATTRIBUTES.fullmatch(match["rest"]):
        return ""
    return match[0]


def _has_unseen(text: str) -> bool:
    if text.isascii():  # in a quarter of the time of isprintable
        return len(text.encode().translate(None, _ASCII_CONTROLS)) < len(text)
    return not text.isprintable()


def _seen(match: re.Match[str]) -> str:
    char = match[0]
    if ord(char) >= 0xD800:
        return "\N{REPLACEMENT CHARACTER}"
    return _C1.get(ord(char), " ")


def _mend_encoding(value: str) -> str:
    """Undo UTF-8 that was read as Latin-1 and encoded again, a common error of feed writers."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value
