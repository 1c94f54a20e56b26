"""Web pages as Beautiful Soup trees on lxml, in bounded time and memory.

Beautiful Soup takes quadratic time for elements nested in each other (15 seconds for 4,000 of them), and
about a kilobyte for every tag. Both are counted while lxml reads, which itself closes what the page left
open, and reading stops at the first tag beyond the bounds.

Source: HTML Standard, 13.2.3.2 "Determining the character encoding".
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from typing import TypeAlias, cast

from bs4 import BeautifulSoup, Tag
from bs4.builder._lxml import LXMLTreeBuilder
from bs4.dammit import EncodingDetector
from bs4.exceptions import ParserRejectedMarkup
from lxml import etree

from paperdigest.errors import ParseError

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_TAGS", "Wanted", "attribute", "soup"]

MAX_BYTES = 16 * 1024 * 1024
"""Longer pages are refused."""

MAX_DEPTH = 100
"""Elements open at a time; pages of listings have a tenth to a third of that."""

MAX_TAGS = 200_000
"""Elements of a page; 2,500 entries of an arXiv listing have some 60,000, and take two seconds."""

Wanted: TypeAlias = Callable[[str, Mapping[str, str]], bool]
"""Says by its name and attributes whether an element is wanted."""

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CHARSETS = re.compile(r"iso-?8859-\d{1,2}|windows-125\d|koi8-[ru]|gbk|gb2312|gb18030|big5|euc-(?:jp|kr)|shift_jis")
_WESTERN = re.compile(r"iso-?8859-1|latin-?1|us-ascii|ascii")
_UNSEEN_AS_SPACES = bytes(32 if code < 32 and chr(code) not in "\t\n\r" else code for code in range(256))
_HEAD_BYTES = 4096


def soup(body: bytes | str, where: str, *, only: Wanted | None = None) -> BeautifulSoup:
    """Return the page's tree, without comments, processing instructions and document type.

    Args:
        body: text, or bytes in the encoding that they declare, else in UTF-8; what does not fit is replaced.
        where: the page's name, for messages.
        only: which elements to build (five times as fast as all of them); the others are read through, their
            text stands in the nearest wanted one. None builds all.

    Raises:
        ParseError: too long, too deep, of too many tags, or no markup at all.
    """
    if len(body) > MAX_BYTES:
        raise ParseError(where, f"{len(body):,} bytes are too many for a web page", hint=f"at most {MAX_BYTES:,}")
    text = body if isinstance(body, str) else _decode(body)
    if "<" not in text:
        raise ParseError(where, "not a web page: there is no tag in it")
    try:
        return BeautifulSoup(_encoded(text), builder=_BoundedBuilder(where, only), from_encoding="utf-8")
    except (ParserRejectedMarkup, etree.LxmlError) as error:
        raise ParseError(where, "not readable as HTML") from error


def attribute(tag: Tag, name: str) -> str:
    """Return an attribute's text, empty when there is none."""
    value = tag.get(name)
    return value if isinstance(value, str) else " ".join(value or ())


def _decode(body: bytes) -> str:
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    declared = EncodingDetector.find_declared_encoding(body[:_HEAD_BYTES], is_html=True) or ""
    if _WESTERN.fullmatch(declared):
        declared = "windows-1252"  # HTML Standard: what pages call Latin-1 is this
    return body.decode(declared if _CHARSETS.fullmatch(declared) else "utf-8", "replace")


def _encoded(text: str) -> bytes:
    """Encode for the parser, behind a line break: Beautiful Soup warns of text that begins as XML does."""
    return b"\n" + text.encode("utf-8", "replace").translate(_UNSEEN_AS_SPACES)


class _BoundedBuilder(LXMLTreeBuilder):
    """Beautiful Soup's builder on lxml, which counts what it builds."""

    def __init__(self, where: str, only: Wanted | None) -> None:
        super().__init__()
        self._where = where
        self._only = only
        self._built: list[bool] = []
        self._tags = 0

    def start(
        self, tag: str | bytes, attrib: dict[str | bytes, str | bytes], nsmap: dict[str, str] | None = None
    ) -> None:
        """Begin an element."""
        self._tags += 1
        if self._tags > MAX_TAGS:
            raise ParseError(self._where, f"more than {MAX_TAGS:,} tags, which is refused", hint="no listing has them")
        if len(self._built) == MAX_DEPTH:
            raise ParseError(self._where, f"tags nested deeper than {MAX_DEPTH}, which is refused")
        built = self._only is None or self._only(cast("str", tag), cast("Mapping[str, str]", attrib))
        self._built.append(built)
        if built:
            super().start(tag, attrib, nsmap or {})

    def end(self, tag: str | bytes) -> None:
        """End the element that was begun last; lxml closes what the page left open."""
        if self._built.pop():
            super().end(tag)

    def comment(self, text: str | bytes) -> None:
        """Leave it out."""

    def pi(self, target: str, data: str) -> None:
        """Leave it out."""

    def doctype(self, name: str, pubid: str, system: str) -> None:
        """Leave it out."""
