"""The source ``text-dump``: the plain text of a Daily Papers page as people copy it.

Grammar; blocks are separated by blank lines, a block's own line breaks are wrapping::

    page    := head paper*
    head    := lines from the page's top, among them "Daily Papers", "by AK and the research community"
               and the page's date ("Apr 14"), in any order; what stands before "Daily Papers" is skipped
    paper   := title abstract [byline]
    byline  := "• N authors" LF "·" LF date [comments]
    date    := "Mon D, YYYY" | "Mon D"        without a year: the page's own year

Titles and abstracts look alike, so the alternation decides. Between two bylines there must be an even
number of blocks; where it is odd, or a "title" is far too long for one, nobody can tell which block is
missing: that stretch is dropped and counted, and the next byline starts afresh.

A copied page has no paper ids, author names or votes, and no count of its own. Its listing is a search
(the order is relevance, the papers are of any date), complete when the page was read to its end and every
block found its place, else partial.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from paperdigest.errors import ParseError, SourceError
from paperdigest.http import HttpClient, Request
from paperdigest.identity import title_id
from paperdigest.latex import readable
from paperdigest.protocols import FetchRequest, ParseContext
from paperdigest.types import Entry, Listing, ListingState, Paper, PaperId, Period, Unmodified

__all__ = ["TextDumpSettings", "TextDumpSource"]

MAX_TITLE_CHARS = 400
MAX_HEAD_LINES = 80
MAX_BYLINE_CHARS = 80
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = r"(?P<month>[A-Z][a-z]{2})[a-z]{0,6}\.?\s+(?P<day>\d{1,2})(?:,\s*(?P<year>\d{4}))?"
_PAGE_DATE = re.compile(_DATE)
_AUTHORS = re.compile(r"[•∙·*]\s*\d{1,6}\s+authors?\b")
_BYLINE = re.compile(rf"[•∙·*]\s*(?P<authors>\d{{1,6}})\s+authors?\s*[·•∙]\s*{_DATE}(?:\s+(?P<comments>\d{{1,6}}))?")
_NAME_DATE = re.compile(r"(?<!\d)(20\d\d)-?(\d\d)-?(\d\d)(?!\d)")
_PAGE_NAME = "daily papers"
_COMMUNITY = re.compile(r"(?:(?:by\s*)?AK\s+)?and the research community", re.IGNORECASE)
_INVITATION = re.compile(r"new|get trending papers in your email inbox.{0,20}|subscribe|by|(?:by\s*)?AK", re.IGNORECASE)
_TOMORROW = timedelta(days=1)  # it may be tomorrow where the page was copied
_EXPECTED = "expected the text of a Daily Papers page"


class TextDumpSettings(BaseModel):
    """The keys of a ``text-dump`` source. Without ``url`` it reads files only."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    url: str | None = Field(default=None, pattern=r"^https?://[^\s/]+", max_length=2000)


class TextDumpSource:
    """Copied text; it may come on any day, and past days cannot be asked for."""

    kind: ClassVar[str] = "text-dump"
    authority: ClassVar[int] = 0

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self.name = name
        self.settings = TextDumpSettings.model_validate(dict(settings))

    def parse(self, body: bytes, context: ParseContext) -> Listing:
        """Read a copied page; the day is its own date, the year by what else is known (see `_page_day`).

        Raises:
            ParseError: the bytes are not the text of such a page, or no paper can be told in it.
        """
        lines = _Lines(_decoded(body, context.name))
        printed = _read_head(lines, context.name)
        papers, dropped = _read_papers(lines)
        page_day = _page_day(printed, papers, context)
        entries = _entries(papers, page_day)
        if not entries:
            problem = "the head of a Daily Papers page, but no title with an abstract after it"
            raise ParseError(context.name, problem, hint="copy the whole page")
        note = "a copied page has no count of its own; read to its end"
        if dropped:
            note = f"{dropped} papers left out: a title or an abstract is missing between two bylines"
        return Listing(
            source=context.source,
            kind=self.kind,
            listed_on=context.listed_on or page_day,
            retrieved_at=context.retrieved_at,
            state=ListingState.PARTIAL if dropped else ListingState.COMPLETE,
            entries=entries,
            period=Period.SEARCH,
            dropped=dropped,
            note=note,
        )

    def fetch(self, client: HttpClient, request: FetchRequest) -> Listing | Unmodified:
        """Get the text from the configured ``url`` and parse it.

        Raises:
            SourceError: no ``url`` is configured; FetchError or ParseError.
        """
        url = self.settings.url
        if url is None:
            raise SourceError(
                "a text-dump source without url reads files only",
                source=self.name,
                hint=f"use `paperdigest fetch --from FILE --as {self.kind}`, or set its url",
            )
        response = client.get(Request(url=url, accept="text/plain, */*;q=0.1", validators=request.validators.get(url)))
        if response.unmodified:
            return Unmodified(
                source=self.name,
                kind=self.kind,
                listed_on=request.day or response.retrieved_at.date(),
                retrieved_at=response.retrieved_at,
                validators=(response.validators,),
            )
        context = ParseContext(
            source=self.name, retrieved_at=response.retrieved_at, listed_on=request.day, name=response.url
        )
        return replace(self.parse(response.body, context), url=url, validators=(response.validators,))

    def announces_on(self, day: date) -> bool:  # noqa: ARG002 - the protocol asks; copied text has no calendar
        """Return True: text may be copied on any day."""
        return True

    def has_days(self) -> bool:
        """Return False: a copied page is what it was when it was copied."""
        return False


@dataclass(frozen=True, slots=True)
class _PrintedDate:
    month: int
    day: int
    year: int | None

    def in_year(self, year: int) -> date | None:
        try:
            return date(year, self.month, self.day)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class _Byline:
    authors: int
    printed: _PrintedDate | None
    comments: int


@dataclass(frozen=True, slots=True)
class _RawPaper:
    title: str
    abstract: str
    byline: _Byline | None


class _Lines:
    """The text's lines without white space at their ends, blank ones kept as "", and a place in them."""

    def __init__(self, text: str) -> None:
        self.lines = [line.strip() for line in re.split(r"\r\n|\r|\n", text)]
        self.at = 0

    def blocks(self) -> Iterator[str | _Byline]:
        """Yield each byline and each block (joined to one line) from here to the end."""
        while self.at < len(self.lines):
            if not self.lines[self.at]:
                self.at += 1
            elif (found := self._byline(self.at)) is not None:
                byline, self.at = found
                yield byline
            else:
                start = self.at
                while self.at < len(self.lines) and self.lines[self.at] and self._byline(self.at) is None:
                    self.at += 1
                yield " ".join(self.lines[start : self.at])

    def _byline(self, at: int) -> tuple[_Byline, int] | None:
        """Read a byline on one, two or three lines, blank ones between or not, and say where the next line is."""
        if not _AUTHORS.match(self.lines[at]):
            return None
        text = ""
        for place in range(at, min(at + 6, len(self.lines))):
            text = f"{text} {self.lines[place]}".strip()
            if len(text) > MAX_BYLINE_CHARS:
                return None
            if match := _BYLINE.fullmatch(text):
                return _Byline(int(match["authors"]), _printed_date(match), int(match["comments"] or 0)), place + 1
        return None


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


def _read_head(lines: _Lines, where: str) -> _PrintedDate | None:
    """Step over the page's head and return the date it prints.

    Raises:
        ParseError: this is not the top of a Daily Papers page.
    """
    top = [place for place, line in enumerate(lines.lines) if line][:MAX_HEAD_LINES]
    named = next((place for place in top if " ".join(lines.lines[place].split()).casefold() == _PAGE_NAME), None)
    printed, community, end = None, False, 0
    for place in top:
        line = lines.lines[place]
        by_community, dated = _COMMUNITY.fullmatch(line), _PAGE_DATE.fullmatch(line)
        community = community or by_community is not None
        printed = printed or (_printed_date(dated) if dated else None)
        if named is not None and place > named and not (by_community or dated or _INVITATION.fullmatch(line)):
            break
        end = place + 1
    if named is None or not (community or printed):
        start = " ".join(lines.lines[top[0]][:60].split()) if top else ""
        found = f"it starts with {start!r}" if start else "it is empty"
        hint = 'its top has the lines "Daily Papers", "by AK and the research community" and a date such as "Apr 14"'
        raise ParseError(where, f"{_EXPECTED}, but {found}", hint=hint)
    lines.at = end
    return printed


def _read_papers(lines: _Lines) -> tuple[list[_RawPaper], int]:
    """Return the papers in order, and how many could not be told apart."""
    papers: list[_RawPaper] = []
    dropped = 0
    stretch: list[str] = []
    for block in (*lines.blocks(), None):
        if isinstance(block, str):
            stretch.append(block)
            continue
        titles, abstracts = stretch[::2], stretch[1::2]
        if len(titles) != len(abstracts) or any(len(title) > MAX_TITLE_CHARS for title in titles):
            dropped += len(titles)
        else:
            pairs = list(zip(titles, abstracts, strict=True))
            papers += [_RawPaper(*pair, byline=None) for pair in pairs[:-1]]
            papers += [_RawPaper(*pair, byline=block) for pair in pairs[-1:]]
        stretch = []
    return papers, dropped


def _printed_date(match: re.Match[str]) -> _PrintedDate | None:
    month = match["month"].casefold()
    if month not in _MONTHS:
        return None
    found = _PrintedDate(_MONTHS.index(month) + 1, int(match["day"]), int(match["year"]) if match["year"] else None)
    return found if found.in_year(found.year or 2000) else None


def _page_day(printed: _PrintedDate | None, papers: Iterable[_RawPaper], context: ParseContext) -> date:
    """Return the page's date with its year.

    The year is the printed one, else the one that brings the date nearest before the day that was asked
    for, else that of an agreeing date in the file's name, else the first after the newest dated byline
    (bylines print a year only when it is not the page's own), else the latest. Never a day to come.
    """
    asked, today = context.listed_on, context.retrieved_at.date()
    if printed is None:
        return asked or today
    if printed.year is not None:
        return printed.in_year(printed.year) or today
    if asked is not None:
        return _latest(printed, asked, slack=_TOMORROW)
    for match in _NAME_DATE.finditer(context.name):
        if (int(match[2]), int(match[3])) == (printed.month, printed.day):
            return printed.in_year(int(match[1])) or today
    dates = [paper.byline.printed for paper in papers if paper.byline and paper.byline.printed]
    years = [found.year for found in dates if found.year is not None]
    for year in range(max(years) + 1, today.year + 2) if years else ():
        if (day := printed.in_year(year)) is not None and day - today <= _TOMORROW:
            return day
    return _latest(printed, today, slack=_TOMORROW)


def _latest(printed: _PrintedDate, limit: date, slack: timedelta = timedelta()) -> date:
    """Return the last such day not more than ``slack`` after ``limit``; 29 February comes within eight years."""
    days = (printed.in_year(year) for year in range(limit.year + 1, limit.year - 9, -1))
    return next((day for day in days if day is not None and day - limit <= slack), limit)


def _entries(papers: Iterable[_RawPaper], page_day: date) -> tuple[Entry, ...]:
    """Return one entry for each different paper, ranked as they stand."""
    found: dict[PaperId, Entry] = {}
    for raw in papers:
        title, abstract = readable(raw.title), readable(raw.abstract)
        paper_id = title_id(title)
        if not title or paper_id in found:
            continue
        found[paper_id] = Entry(
            rank=len(found) + 1,
            comments=raw.byline.comments if raw.byline else None,
            paper=Paper(
                id=paper_id,
                title=title,
                abstract=abstract or None,
                title_source=raw.title if raw.title != title else None,
                abstract_source=raw.abstract if raw.abstract != abstract else None,
                authors_count=raw.byline.authors if raw.byline else None,
                published_at=_published_at(raw.byline, page_day),
            ),
        )
    return tuple(found.values())


def _published_at(byline: _Byline | None, page_day: date) -> datetime | None:
    if byline is None or byline.printed is None:
        return None
    printed = byline.printed
    day = printed.in_year(printed.year) if printed.year is not None else _latest(printed, page_day)
    return datetime.combine(day, time(), UTC) if day is not None else None
