"""From hostile bytes to text that a parser may be given: size, encoding, document type, root.

Everything behind this module sees one string without XML declaration, byte order mark or document
type, so that no parser has an encoding to be fooled with or an entity to expand.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from paperdigest.errors import ParseError

__all__ = ["MAX_BODY_BYTES", "Intake", "take_in"]

MAX_BODY_BYTES = 16 * 1024 * 1024
"""Bodies longer than this are refused."""

_BOMS = (
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
)
_UNMARKED = (
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00<", "utf-16-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x4c\x6f\xa7\x94", "cp037"),
)
_CONTAINERS = (
    (b"\x1f\x8b", "gzip-compressed bytes"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"%PDF-", "a PDF file"),
    (b"BZh", "bzip2-compressed bytes"),
    (b"\xfd7zXZ", "xz-compressed bytes"),
    (b"\x89PNG", "a picture"),
)
# Codecs of Python that are no character sets of documents; punycode takes quadratic time.
_NO_CHARSETS = frozenset({"punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"})
_WIDER = {"gb2312": "gb18030", "iso8859-1": "cp1252", "ascii": "cp1252"}
_DECLARED = re.compile(r"\A\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*[\"']([\w.:-]{1,40})[\"']")
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*?>")
_SKIP = re.compile(r"(?:\s+|<!--.*?-->|<\?.*?\?>)+", re.DOTALL)
_DOCTYPE = re.compile(
    r"<!DOCTYPE(?P<name>\s++[^\s\[<>]++)?+[^\[<>]*+(?:\[.*?\]\s*)?>",
    re.DOTALL | re.IGNORECASE,
)
_ROOT = re.compile(r"<(?:(?P<prefix>[\w.-]+):)?(?P<name>[A-Za-z_][\w.-]*)")
_HTML = frozenset({"html", "head", "body", "meta", "script", "title", "div", "h1", "p", "center", "table", "frameset"})


@dataclass(frozen=True, slots=True)
class Intake:
    """Text that is safe to parse, and the lower-case local name of its root (``{`` for JSON)."""

    text: str
    root: str


def take_in(body: bytes, where: str, *, what: str = "feed") -> Intake:
    """Decode, look at the root, and refuse what cannot be ``what`` or is hostile.

    Raises:
        ParseError: empty, too large, compressed, a web page, no XML or JSON, or a document type that
            declares entities (they can be made to expand without end, or to name local files).
    """
    if len(body) > MAX_BODY_BYTES:
        raise ParseError(where, f"{len(body):,} bytes are too many for a {what}", hint=f"at most {MAX_BODY_BYTES:,}")
    for magic, name in _CONTAINERS:
        if body.startswith(magic):
            raise ParseError(where, f"{name}, not a {what}", hint="unpack it first")
    text = _decode(body)
    text = text[match.end() :] if (match := _DECLARATION.match(text)) else text
    text = text.lstrip("\ufeff \t\r\n\x00")
    if not text:
        raise ParseError(where, f"the body is empty, not a {what}", hint="try again later")
    if text[0] in "{[":
        return Intake(text, "{")
    text = _without_doctype(text, where, what)
    return Intake(text, _root(text, where, what))


def _decode(body: bytes) -> str:
    """Decode by mark, shape, declaration, UTF-8, in this order; Windows-1252 when nothing fits."""
    for mark, codec in _BOMS:
        if body.startswith(mark) and (text := _try(body[len(mark) :], codec)) is not None:
            return text
    for shape, codec in _UNMARKED:
        if body.startswith(shape) and (text := _try(body, codec)) is not None:
            inner = _declared(text)
            return _try(body, inner) or text if codec == "cp037" and inner else text
    declared = _declared(body[:1024].decode("latin-1"))
    # A declaration that can be read byte by byte proves that the document is in no two-byte encoding.
    if declared and not declared.startswith(("utf-16", "utf-32", "utf-8")):
        for wider in (declared, _WIDER.get(declared, "")):
            if (text := _try(body, wider)) is not None and not (wider == "iso8859-1" and _has_c1(text)):
                return text
    if (text := _try(body, "utf-8")) is not None:
        return text
    mended = body.decode("utf-8", "replace")
    broken = mended.count("\N{REPLACEMENT CHARACTER}")
    whole = len(mended) - sum(byte < 0x80 for byte in body) - broken
    return mended if whole > broken else body.decode("cp1252", "replace")


def _declared(head: str) -> str | None:
    if (match := _DECLARED.match(head)) is None:
        return None
    try:
        return codecs.lookup(match[1]).name
    except LookupError:
        return None


def _try(body: bytes, codec: str) -> str | None:
    if not codec or codec in _NO_CHARSETS:
        return None
    try:
        return body.decode(codec)
    except (UnicodeError, LookupError):
        return None


def _has_c1(text: str) -> bool:
    return re.search(r"[\x80-\x9f]", text) is not None


def _without_doctype(text: str, where: str, what: str) -> str:
    """Cut the document type out of the prolog; refuse one that declares entities."""
    start = match.end() if (match := _SKIP.match(text)) else 0
    if text[start : start + 9].upper() != "<!DOCTYPE":
        return text
    doctype = _DOCTYPE.match(text, start)
    inside = doctype[0] if doctype else text[start : start + 100_000]
    if "<!ENTITY" in inside.upper() or doctype is None:
        problem = "the document type declares entities" if doctype else "the document type never ends"
        raise ParseError(where, f"{problem}, which is refused", hint="no honest feed needs them")
    if (doctype["name"] or "").strip().lower() == "html" and _root(text[doctype.end() :], where, what) == "html":
        raise _web_page(where, what)
    return text[:start] + text[doctype.end() :]


def _root(text: str, where: str, what: str) -> str:
    start = match.end() if (match := _SKIP.match(text)) else 0
    root = _ROOT.match(text, start)
    if root is None:
        near = " ".join(text[start : start + 60].split())
        raise ParseError(where, f"neither XML nor JSON, so not a {what}; it begins {near!r}")
    name = root["name"].lower()
    if name in _HTML and root["prefix"] is None:
        raise _web_page(where, what)
    return name


def _web_page(where: str, what: str) -> ParseError:
    return ParseError(
        where, f"an HTML page, not a {what}: a login, consent or challenge page?", hint="open it in a browser"
    )
