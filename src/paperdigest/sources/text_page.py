"""The grammar of a Daily Papers page as people copy it: text to head, titles, abstracts and bylines.

Blocks are separated by blank lines; a block's own line breaks are wrapping::

    page    := head paper*
    head    := lines from the page's top, among them "Daily Papers", "by AK and the research community"
               and the page's date ("Apr 14"), in any order; what stands before "Daily Papers" is skipped
    paper   := title abstract [byline]
    byline  := "• N authors" LF "·" LF date [comments]
    date    := "Mon D, YYYY" | "Mon D"        without a year: the page's own year

Titles and abstracts look alike, so the alternation decides. Up to each byline there must be an even
number of blocks; where it is odd, or a "title" is far too long for one, nobody can tell which block is
missing: that stretch is dropped and counted, and after the byline the alternation starts afresh.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from paperdigest.errors import ParseError
from paperdigest.sources.dates import month_number

__all__ = ["Byline", "CopiedPage", "CopiedPaper", "PrintedDate", "read_page"]

MAX_TITLE_CHARS = 400
MAX_HEAD_LINES = 80
MAX_BYLINE_CHARS = 80
_DATE = r"(?P<month>[A-Z][a-z]{2})[a-z]{0,6}\.?\s+(?P<day>\d{1,2})(?:,\s*(?P<year>\d{4}))?"
_PAGE_DATE = re.compile(_DATE)
_AUTHORS = re.compile(r"[•∙·*]\s*\d{1,6}\s+authors?\b")
_BYLINE = re.compile(rf"[•∙·*]\s*(?P<authors>\d{{1,6}})\s+authors?\s*[·•∙]\s*{_DATE}(?:\s+(?P<comments>\d{{1,6}}))?")
_PAGE_NAME = re.compile(r"daily\s+papers", re.IGNORECASE)
_COMMUNITY = re.compile(r"(?:(?:by\s*)?AK\s+)?and the research community", re.IGNORECASE)
_INVITATION = re.compile(r"new|get trending papers in your email inbox.{0,20}|subscribe|by|(?:by\s*)?AK", re.IGNORECASE)
_EXPECTED = "expected the text of a Daily Papers page"
_HINT = 'its top has the lines "Daily Papers", "by AK and the research community" and a date such as "Apr 14"'


@dataclass(frozen=True, slots=True)
class PrintedDate:
    """A date as the page prints it: it exists in its year, or, without one, at least in leap years."""

    month: int
    day: int
    year: int | None = None

    def in_year(self, year: int) -> date | None:
        """Return the date in ``year``, None where it does not exist."""
        try:
            return date(year, self.month, self.day)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Byline:
    """What stands below an abstract; ``comments`` is 0 when none are printed."""

    authors: int
    printed: PrintedDate | None
    comments: int


@dataclass(frozen=True, slots=True)
class CopiedPaper:
    """A paper as printed; papers of an organisation have no byline."""

    title: str
    abstract: str
    byline: Byline | None = None


@dataclass(frozen=True, slots=True)
class CopiedPage:
    """A page's date, its papers in order, and how many papers could not be told apart."""

    printed: PrintedDate | None
    papers: tuple[CopiedPaper, ...]
    dropped: int


def read_page(body: bytes, where: str) -> CopiedPage:
    """Read a copied page; linear in time and memory.

    Raises:
        ParseError: the bytes are not the text of such a page.
    """
    lines = [line.strip() for line in re.split(r"\r\n|\r|\n", _decoded(body, where))]
    printed, start = _read_head(lines, where)
    papers: list[CopiedPaper] = []
    dropped = 0
    stretch: list[str] = []
    for block in (*_blocks(lines, start), None):
        if isinstance(block, str):
            stretch.append(block)
            continue
        titles, abstracts = stretch[::2], stretch[1::2]
        if len(titles) != len(abstracts) or any(len(title) > MAX_TITLE_CHARS for title in titles):
            dropped += len(titles)
        elif stretch:
            papers += map(CopiedPaper, titles[:-1], abstracts[:-1])
            papers.append(CopiedPaper(titles[-1], abstracts[-1], block))
        stretch = []
    return CopiedPage(printed, tuple(papers), dropped)


def _decoded(body: bytes, where: str) -> str:
    """Return the text: UTF-8, or UTF-16 with its mark, as editors save it."""
    wide = body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = body.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"not text in UTF-8 (byte {error.start + 1}); {_EXPECTED}"
        raise ParseError(where, problem, hint="save the page as plain text in UTF-8") from error
    if "\0" in text:
        raise ParseError(where, f"binary data; {_EXPECTED}")
    return text


def _read_head(lines: list[str], where: str) -> tuple[PrintedDate | None, int]:
    """Return the date that the head prints, and the line after the head.

    Raises:
        ParseError: this is not the top of a Daily Papers page.
    """
    top = [place for place, line in enumerate(lines) if line][:MAX_HEAD_LINES]
    named = next((place for place in top if _PAGE_NAME.fullmatch(lines[place])), None)
    printed, community, end = None, False, 0
    for place in top:
        by_community, dated = _COMMUNITY.fullmatch(lines[place]), _PAGE_DATE.fullmatch(lines[place])
        known = place == named or by_community or dated or _INVITATION.fullmatch(lines[place])
        if named is not None and place > named and not known:
            break
        community = community or by_community is not None
        printed = printed or (_printed_date(dated) if dated else None)
        end = place + 1
    if named is None or not (community or printed):
        found = f"it starts with {lines[top[0]][:60]!r}" if top else "it is empty"
        raise ParseError(where, f"{_EXPECTED}, but {found}", hint=_HINT)
    return printed, end


def _blocks(lines: list[str], at: int) -> Iterator[str | Byline]:
    """Yield each byline and each block (joined to one line) from line ``at`` on."""
    while at < len(lines):
        if not lines[at]:
            at += 1
        elif (found := _byline(lines, at)) is not None:
            byline, at = found
            yield byline
        else:
            start = at
            while at < len(lines) and lines[at] and _byline(lines, at) is None:
                at += 1
            yield " ".join(lines[start:at])


def _byline(lines: list[str], at: int) -> tuple[Byline, int] | None:
    """Read a byline on one, two or three lines, blank ones between or not, and say where the next line is."""
    if not _AUTHORS.match(lines[at]):
        return None
    text = ""
    for place in range(at, min(at + 6, len(lines))):
        text = f"{text} {lines[place]}".strip()
        if len(text) > MAX_BYLINE_CHARS:
            return None
        if match := _BYLINE.fullmatch(text):
            return Byline(int(match["authors"]), _printed_date(match), int(match["comments"] or 0)), place + 1
    return None


def _printed_date(match: re.Match[str]) -> PrintedDate | None:
    month = month_number(match["month"])
    if month is None:
        return None
    found = PrintedDate(month, int(match["day"]), int(match["year"]) if match["year"] else None)
    leap_year = 2000
    return found if found.in_year(leap_year if found.year is None else found.year) else None
