"""The source ``huggingface``: what was listed on huggingface.co/papers on a day.

API manual: huggingface_hub, ``HfApi.list_daily_papers`` (``GET /api/daily_papers`` with ``date=``, ``p=``
from 0 and ``limit=`` up to 100; a weekend day gives ``[]``, a future one an error).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from paperdigest.errors import ParseError
from paperdigest.http import HttpClient, Request, Response
from paperdigest.protocols import FetchRequest, ParseContext
from paperdigest.sources.huggingface.days import span_in_url
from paperdigest.sources.huggingface.listing import read_listing
from paperdigest.types import Entry, Listing, ListingState, PaperId, Period, Unmodified

__all__ = ["HuggingFaceSource"]

_MAX_PAGES = 20
_SATURDAY = 5


class Settings(BaseModel):
    """The source's own keys of the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(
        default="https://huggingface.co/api/daily_papers",
        description="the API, or a page: .../papers/date/{day}, .../papers/trending, .../papers?q=trace",
    )
    limit: int = Field(default=100, ge=1, le=100, description="entries per request; the API's maximum is 100")

    @field_validator("url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an http or https URL")
        return value


class HuggingFaceSource:
    """Hugging Face Daily Papers, by the JSON API or by its pages."""

    kind: ClassVar[str] = "huggingface"
    authority: ClassVar[int] = 2

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self.name = name
        self.settings = Settings.model_validate(dict(settings))
        self._page_url = self.settings.url if _is_page(self.settings.url) else None

    def parse(self, body: bytes, context: ParseContext) -> Listing:
        """Read a body of the JSON API or a page of the site, whichever it is.

        Raises:
            ParseError: it is neither, is damaged, or proves to be of another day than asked for.
        """
        listing, _ = read_listing(body, context)
        return listing

    def fetch(self, client: HttpClient, request: FetchRequest) -> Listing | Unmodified:
        """Get the listing of ``request.day`` (None: of today, UTC), page by page while full pages come.

        Raises:
            FetchError: no usable reply; a day in the future is answered so.
            ParseError: the reply is of another day, or no listing.
        """
        day = request.day or request.now.date()
        if self._page_url is not None:
            return self._fetch_page(client, request, self._page_url, day)
        return self._fetch_api(client, request, day)

    def announces_on(self, day: date) -> bool | None:
        """Weekdays; holidays are not in any calendar. None for a page that is no day's (trending, search)."""
        return day.weekday() < _SATURDAY if self.has_days() else None

    def has_days(self) -> bool:
        """Past days can be asked for, of the API and of the day pages."""
        return self._page_url is None or "{day}" in self._page_url

    def _fetch_page(self, client: HttpClient, request: FetchRequest, template: str, day: date) -> Listing | Unmodified:
        url = template.replace("{day}", day.isoformat())
        response = client.get(Request(url=url, accept="text/html", validators=request.validators.get(url)))
        if response.unmodified:
            return self._unmodified(response, day)
        _check_final_url(response, url, day if self.has_days() else None)
        asked = day if self.has_days() else None
        listing, _ = read_listing(response.body, self._context(response, response.url, asked))
        return replace(listing, validators=(response.validators,))

    def _fetch_api(self, client: HttpClient, request: FetchRequest, day: date) -> Listing | Unmodified:
        entries: dict[PaperId, Entry] = {}
        first: tuple[Response, Listing] | None = None
        dropped = 0
        for page in range(_MAX_PAGES):
            url = self._api_url(day, page)
            known = request.validators.get(url) if page == 0 else None
            response = client.get(Request(url=url, accept="application/json", validators=known))
            if response.unmodified:
                return self._unmodified(response, day)
            _check_final_url(response, url, day)
            listing, size = read_listing(response.body, self._context(response, url, day))
            first = first or (response, listing)
            dropped += listing.dropped
            for entry in listing.entries:
                entries.setdefault(entry.paper.id, entry)
            if size < self.settings.limit:
                return _joined(first, tuple(entries.values()), dropped, is_one_page=page == 0)
        cut = f"stopped after {_MAX_PAGES} full pages of {self.settings.limit}"
        assert first is not None  # _MAX_PAGES is above 0
        return _joined(first, tuple(entries.values()), dropped, cut)

    def _api_url(self, day: date, page: int) -> str:
        """The first page has no ``p=``, so that its address stays the one a person would ask for."""
        parts = urlsplit(self.settings.url)
        query = [*parse_qsl(parts.query), ("date", day.isoformat()), ("limit", str(self.settings.limit))]
        if page:
            query.append(("p", str(page)))
        return urlunsplit(parts._replace(query=urlencode(query)))

    def _context(self, response: Response, name: str, day: date | None) -> ParseContext:
        return ParseContext(source=self.name, retrieved_at=response.retrieved_at, listed_on=day, name=name)

    def _unmodified(self, response: Response, day: date) -> Unmodified:
        return Unmodified(
            source=self.name,
            kind=self.kind,
            listed_on=day,
            retrieved_at=response.retrieved_at,
            validators=(response.validators,),
        )


def _is_page(url: str) -> bool:
    """Tell the site's pages from its API: everything that is not below ``/papers`` is the API."""
    path = urlsplit(url).path
    return "/api/" not in path and "papers" in path.split("/")


def _check_final_url(response: Response, asked_url: str, day: date | None) -> None:
    """A day without a listing is redirected to the newest one, or to the period that was looked at last."""
    if day is None or response.url == asked_url:
        return
    span = span_in_url(response.url)
    if span is not None and (span.period is not Period.DAY or span.starts_on != day):
        found = span.starts_on or f"the {span.period} listing"
        raise ParseError(asked_url, f"asked for {day}, but was led to {found}: {response.url}")


def _joined(
    first: tuple[Response, Listing],
    entries: tuple[Entry, ...],
    dropped: int,
    cut: str | None = None,
    *,
    is_one_page: bool = False,
) -> Listing:
    """One listing of all pages, in the order in which they came.

    The first page's ETag says nothing of the others: of several pages none is kept.
    """
    response, listing = first
    known = response.validators if is_one_page else replace(response.validators, etag=None, last_modified=None)
    ranked = tuple(replace(entry, rank=rank) for rank, entry in enumerate(entries, 1))
    if not entries and not dropped:
        return replace(listing, validators=(known,))
    state, note = (ListingState.PARTIAL, cut or listing.note) if cut or dropped else (ListingState.COMPLETE, None)
    if dropped and not cut:
        note = f"{dropped} entries without id or title were dropped"
    return replace(listing, entries=ranked, dropped=dropped, state=state, note=note, validators=(known,))
