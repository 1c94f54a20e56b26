"""Getting a listing over HTTP where one request per feed or category is enough; pages of pages: `paging`.

The parsers judge one body; here several are put together. A category that fails or lags behind makes
the listing partial and is named; the others are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from paperdigest.errors import FetchError, SourceError
from paperdigest.http import HttpClient, Request, Response
from paperdigest.protocols import FetchRequest, ParseContext
from paperdigest.sources.arxiv import addresses, listing_page
from paperdigest.sources.arxiv.calendar import latest_listing
from paperdigest.sources.arxiv.papers import KIND, Item, listing_of
from paperdigest.sources.arxiv.reading import reading
from paperdigest.sources.arxiv.settings import ArxivSettings
from paperdigest.types import Listing, ListingState, Unmodified, Validators

__all__ = ["Errand", "fetch_feed", "fetch_pages"]

_XML = "application/atom+xml, application/rss+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.8"


@dataclass(slots=True, kw_only=True)
class Errand:
    """One fetch of one source: what is asked, of whom, and what HTTP said on the way (``heard``)."""

    source: str
    settings: ArxivSettings
    client: HttpClient
    request: FetchRequest
    heard: dict[str, Validators] = field(default_factory=dict)

    @property
    def day(self) -> date:
        """The listing's day that was asked for, else the newest there is."""
        return self.request.day or latest_listing(self.request.now)

    def get(self, url: str, *, accept: str = _XML, conditional: bool = False) -> Response:
        """GET ``url``; what HTTP said is remembered, also of a failure that asks us to wait.

        Raises:
            FetchError: whatever the client could not get.
        """
        known = self.request.validators.get(url) if conditional else None
        try:
            response = self.client.get(Request(url=url, accept=accept, validators=known))
        except FetchError as error:
            stored = self.request.validators.get(url) or Validators(url=url)
            self.heard[url] = replace(stored, gone=error.gone, next_attempt_at=error.next_attempt_at)
            raise
        self.heard[url] = response.validators
        return response

    def context(self, response: Response, listed_on: date | None = None) -> ParseContext:
        """Return what a parser may know of ``response``."""
        return ParseContext(
            source=self.source, retrieved_at=response.retrieved_at, listed_on=listed_on, name=response.url
        )

    def unmodified(self, response: Response) -> Unmodified:
        """Return the answer for a 304."""
        return Unmodified(
            source=self.source,
            kind=KIND,
            listed_on=self.day,
            retrieved_at=response.retrieved_at,
            validators=tuple(self.heard.values()),
        )

    def finish(self, listing: Listing, url: str) -> Listing:
        """Return ``listing`` with its address and everything HTTP said."""
        return replace(listing, url=url, validators=tuple(self.heard.values()))


def fetch_feed(errand: Errand, parse: Callable[[bytes, ParseContext], Listing]) -> Listing | Unmodified:
    """Get the one announcement feed of all categories; it is dated by itself, whatever day was asked for."""
    url = addresses.rss_url(errand.settings)
    response = errand.get(url, conditional=True)
    if response.unmodified:
        return errand.unmodified(response)
    return errand.finish(parse(response.body, errand.context(response)), url)


def fetch_pages(errand: Errand) -> Listing | Unmodified:
    """Get the page of new papers of each category.

    Raises:
        SourceError: not one page could be had and read.
    """
    urls = [addresses.listing_url(errand.settings, category) for category in errand.settings.category]
    listings: list[Listing] = []
    failures: list[SourceError] = []
    for url in urls:
        try:
            response = errand.get(url, accept="text/html", conditional=len(urls) == 1)
            if response.unmodified:
                return errand.unmodified(response)
            context = errand.context(response)
            with reading(context):
                listings.append(replace(listing_page.parse(response.body, context), url=url))
        except SourceError as error:
            failures.append(error)
    if not listings:
        raise failures[0]
    return errand.finish(_joined(errand, listings, [str(error) for error in failures]), urls[0])


def _joined(errand: Errand, listings: Sequence[Listing], gaps: list[str]) -> Listing:
    """Put the pages of several categories together, each paper once, leaving out those of an older day."""
    newest = max(listing.listed_on for listing in listings)
    current = [listing for listing in listings if listing.listed_on == newest]
    gaps += [f"{one.url} still shows {one.listed_on}" for one in listings if one.listed_on != newest]
    if len(current) == 1 and not gaps:
        return current[0]
    gaps += [f"{one.url}: {one.note}" for one in current if one.state is ListingState.PARTIAL]
    items: list[Item] = [(entry.paper, entry.announce_type) for one in current for entry in one.entries]
    distinct = len({paper.id for paper, _ in items})
    announced = sum(one.announced_count or 0 for one in current) - (len(items) - distinct)
    # What single pages lack is among the gaps already, so their sum is not compared once more.
    context = ParseContext(source=errand.source, retrieved_at=current[-1].retrieved_at, listed_on=newest)
    return listing_of(
        context,
        items,
        proved_on=newest,
        announced=announced,
        counted=announced,
        dropped=sum(one.dropped for one in current),
        gaps=gaps,
    )
