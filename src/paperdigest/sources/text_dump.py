"""The source ``text-dump``: the plain text of a Daily Papers page as people copy it (grammar: `text_page`).

A copied page has no paper ids, author names or votes, and no count of its own. Its listing is a search
(the order is relevance, the papers are of any date), complete when the page was read to its end and every
block found its place, else partial.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar

from paperdigest.errors import ParseError
from paperdigest.identity import title_id
from paperdigest.latex import readable
from paperdigest.protocols import ParseContext
from paperdigest.sources.dates import days_in_name
from paperdigest.sources.one_url import OneUrlSource
from paperdigest.sources.text_page import Byline, CopiedPage, CopiedPaper, PrintedDate, read_page
from paperdigest.types import Entry, Listing, ListingState, Paper, PaperId, Period

__all__ = ["TextDumpSource"]

_TOMORROW = timedelta(days=1)
"""It may be tomorrow already where the page was copied."""


class TextDumpSource(OneUrlSource):
    """Copied text, usually from a file; with ``url``, from wherever somebody keeps it."""

    kind: ClassVar[str] = "text-dump"
    authority: ClassVar[int] = 0
    accept: ClassVar[str | None] = "text/plain, */*;q=0.1"

    def parse(self, body: bytes, context: ParseContext) -> Listing:
        """Read a copied page.

        The day is the one that was asked for, else the page's own date; `_page_day` says of which year.

        Raises:
            ParseError: the bytes are not the text of such a page, or no paper can be told in it.
        """
        page = read_page(body, context.name)
        page_day = _page_day(page, context)
        entries = _entries(page.papers, page_day)
        if not entries:
            problem = "the head of a Daily Papers page, but no title with an abstract below it"
            raise ParseError(context.name, problem, hint="copy the whole page")
        note = "a copied page has no count of its own; read to its end"
        if page.dropped:
            note = f"{page.dropped} papers left out: a title or an abstract is missing, and nobody can tell which"
        return Listing(
            source=context.source,
            kind=self.kind,
            listed_on=context.listed_on or page_day,
            retrieved_at=context.retrieved_at,
            state=ListingState.PARTIAL if page.dropped else ListingState.COMPLETE,
            entries=entries,
            period=Period.SEARCH,
            dropped=page.dropped,
            note=note,
        )


def _page_day(page: CopiedPage, context: ParseContext) -> date:
    """Return the page's date with its year, never a day to come.

    The year is the printed one, else the one that brings the date nearest before the day that was asked
    for, else that of an agreeing date in the file's name, else the first one after the newest year in a
    byline (bylines print a year only when it is not the page's own), else the latest possible.
    """
    asked, today, printed = context.listed_on, context.retrieved_at.date(), page.printed
    if printed is None:
        return asked or today
    if printed.year is not None:
        return printed.in_year(printed.year) or today
    if asked is not None:
        return _latest(printed, asked, slack=_TOMORROW)
    for named in days_in_name(context.name, joined=True):
        if (named.month, named.day) == (printed.month, printed.day):
            return named
    dates = [paper.byline.printed for paper in page.papers if paper.byline and paper.byline.printed]
    years = [found.year for found in dates if found.year is not None]
    for year in range(max(years) + 1, today.year + 2) if years else ():
        if (day := printed.in_year(year)) is not None and day - today <= _TOMORROW:
            return day
    return _latest(printed, today, slack=_TOMORROW)


def _latest(printed: PrintedDate, limit: date, slack: timedelta = timedelta()) -> date:
    """Return the last such day not more than ``slack`` after ``limit``; 29 February comes within eight years."""
    days = (printed.in_year(year) for year in range(limit.year + 1, limit.year - 9, -1))
    return next((day for day in days if day is not None and day - limit <= slack), limit)


def _entries(papers: Iterable[CopiedPaper], page_day: date) -> tuple[Entry, ...]:
    """Return one entry for each different paper, ranked as they stand."""
    found: dict[PaperId, Entry] = {}
    for copied in papers:
        title, abstract = readable(copied.title), readable(copied.abstract)
        paper_id = title_id(title)
        if not title or paper_id in found:
            continue
        byline = copied.byline
        paper = Paper(
            id=paper_id,
            title=title,
            abstract=abstract or None,
            title_source=copied.title if copied.title != title else None,
            abstract_source=copied.abstract if copied.abstract != abstract else None,
            authors_count=byline.authors if byline else None,
            published_at=_published_at(byline, page_day),
        )
        found[paper_id] = Entry(paper=paper, rank=len(found) + 1, comments=byline.comments if byline else None)
    return tuple(found.values())


def _published_at(byline: Byline | None, page_day: date) -> datetime | None:
    if byline is None or byline.printed is None:
        return None
    printed = byline.printed
    day = _latest(printed, page_day) if printed.year is None else printed.in_year(printed.year)
    return datetime.combine(day, time(), UTC) if day else None
