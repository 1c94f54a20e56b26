"""Getting a day's papers from the query API and from OAI-PMH, page after page, in bounded steps.

Once some pages are there, the failure of a later one makes the listing partial instead of losing it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from paperdigest.errors import SourceError
from paperdigest.http import Response
from paperdigest.protocols import ParseContext
from paperdigest.sources.arxiv import addresses, atom, oai
from paperdigest.sources.arxiv.calendar import submission_window
from paperdigest.sources.arxiv.fetching import Errand
from paperdigest.sources.arxiv.papers import listing_of
from paperdigest.sources.arxiv.reading import reading
from paperdigest.sources.arxiv.xmltree import load
from paperdigest.types import Listing, PaperId, Unmodified

__all__ = ["fetch_api", "fetch_oai"]

PAGE_SIZE = 500
OVERLAP = 5
MAX_PAGES = 100
MAX_RESULTS = 30_000


def fetch_api(errand: Errand) -> Listing | Unmodified:
    """Query what was submitted for the day's listing.

    Papers can move while we read: the pages overlap, and what was found is compared with ``totalResults``.

    Raises:
        SourceError: the first page could not be had or read.
    """
    window = submission_window(errand.day)
    if window is None:
        nothing = ParseContext(source=errand.source, retrieved_at=errand.request.now, listed_on=errand.day)
        return listing_of(nothing, (), proved_on=None, notes=("no announcement that day: weekend or holiday",))
    url = addresses.api_url(errand.settings, window=window, start=0, max_results=PAGE_SIZE)
    response = errand.get(url, conditional=True)
    if response.unmodified:
        return errand.unmodified(response)
    gaps: list[str] = []
    pages = list(_api_pages(errand, window, _api_page(errand, response), gaps))
    listing = listing_of(
        errand.context(response, errand.day),
        [(entry.paper, None) for page in pages for entry in page.entries],
        proved_on=None,
        announced=pages[-1].announced_count,
        dropped=sum(page.dropped for page in pages),
        gaps=gaps,
    )
    return errand.finish(listing, url)


def _api_pages(errand: Errand, window: tuple[datetime, datetime], page: Listing, gaps: list[str]) -> Iterator[Listing]:
    """Yield page after page, from the first one on, until nothing new comes; why it ended early goes into ``gaps``."""
    seen: set[PaperId] = set()
    start = 0
    for number in range(1, MAX_PAGES + 1):
        yield page
        new = {entry.paper.id for entry in page.entries} - seen
        seen |= new
        returned = len(page.entries) + page.dropped
        if not new or start + returned >= (page.announced_count or 0):
            return
        start += returned - OVERLAP if returned > OVERLAP else returned
        if number == MAX_PAGES or start + PAGE_SIZE > MAX_RESULTS:
            gaps.append(f"stopped after {number} pages: arXiv gives at most {MAX_RESULTS} results of a query")
            return
        try:
            page = _api_page(errand, errand.get(_api_url(errand, window, start)))
        except SourceError as error:
            gaps.append(f"the page from {start} on is missing: {error}")
            return


def _api_url(errand: Errand, window: tuple[datetime, datetime], start: int) -> str:
    return addresses.api_url(errand.settings, window=window, start=start, max_results=PAGE_SIZE)


def _api_page(errand: Errand, response: Response) -> Listing:
    context = errand.context(response)
    with reading(context):
        return atom.parse(response.body, context)


def fetch_oai(errand: Errand) -> Listing:
    """Harvest the records changed on the day, one set per category, following resumption tokens.

    Raises:
        SourceError: the first page of the first set could not be had or read.
    """
    pages: list[oai.Page] = []
    gaps: list[str] = []
    first_url = ""
    for category in errand.settings.category or (None,):
        url = addresses.oai_url(errand.settings, category=category, day=errand.day)
        first_url = first_url or url
        pages += _oai_pages(errand, url, gaps, may_fail=bool(pages))
    context = ParseContext(source=errand.source, retrieved_at=errand.request.now, listed_on=errand.day, name=first_url)
    return errand.finish(oai.listing_of_pages(pages, context, gaps=gaps), first_url)


def _oai_pages(errand: Errand, url: str, gaps: list[str], *, may_fail: bool) -> list[oai.Page]:
    """Return the pages of one set; what is missing goes into ``gaps``."""
    pages: list[oai.Page] = []
    tokens: set[str] = set()
    for _ in range(MAX_PAGES):
        try:
            response = errand.get(url, accept="text/xml, application/xml")
            context = errand.context(response)
            with reading(context):
                page = oai.read_page(load(response.body, context), context)
        except SourceError as error:
            if not (pages or may_fail):
                raise
            gaps.append(f"a page is missing: {error}")
            return pages
        pages.append(page)
        if page.token is None:
            _compare_size(pages, gaps)
            return pages
        if page.token in tokens:
            gaps.append("arXiv gave the same resumption token twice")
            return pages
        tokens.add(page.token)
        url = addresses.oai_resume_url(errand.settings, page.token)
    gaps.append(f"stopped after {MAX_PAGES} pages")
    return pages


def _compare_size(pages: list[oai.Page], gaps: list[str]) -> None:
    size = max((page.complete_size for page in pages if page.complete_size is not None), default=None)
    records = sum(page.records for page in pages)
    if size is not None and records < size:
        gaps.append(f"{records} of {size} records of a set")
