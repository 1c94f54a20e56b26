"""The source ``feed``: any RSS 0.9x, 1.0, 2.0, Atom or JSON Feed at a URL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from paperdigest.errors import ParseError
from paperdigest.http import HttpClient, Request
from paperdigest.protocols import FetchRequest, ParseContext
from paperdigest.sources.dates import days_in_name
from paperdigest.sources.feed.entries import read_entries
from paperdigest.sources.feed.fast import NotWalkableError, read_fast
from paperdigest.sources.feed.fields import RawFeed
from paperdigest.sources.feed.intake import MAX_BODY_BYTES, take_in
from paperdigest.sources.feed.json_feed import read_json_feed
from paperdigest.sources.feed.links import is_web
from paperdigest.sources.feed.tolerant import read_tolerant
from paperdigest.types import Entry, Listing, ListingState, Unmodified, Validators

__all__ = ["FeedSettings", "FeedSource", "parse_feed", "read_feed"]

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)
_ROOTS = frozenset({"rss", "feed", "rdf", "channel"})
_ARXIV_ERROR = "feed error for query"


class FeedSettings(BaseModel):
    """The keys of a ``feed`` source: where it is, and what to call it."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    url: str = Field(pattern=r"^https?://[^\s/]+", max_length=2000)
    title: str | None = None


class FeedSource:
    """A feed: it keeps no calendar and no past days; what it holds now is the listing."""

    kind: ClassVar[str] = "feed"
    authority: ClassVar[int] = 1

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self.name = name
        self.settings = FeedSettings.model_validate(dict(settings))

    def fetch(self, client: HttpClient, request: FetchRequest) -> Listing | Unmodified:
        """Get the feed, conditionally when it was asked for before, and parse it.

        Raises:
            SourceError: FetchError or ParseError.
        """
        url = self.settings.url
        known = request.validators.get(url)
        response = client.get(Request(url=url, accept=ACCEPT, validators=known, max_body_bytes=MAX_BODY_BYTES))
        listed_on = request.day or response.retrieved_at.date()
        if response.unmodified:
            return Unmodified(
                source=self.name, kind=self.kind, listed_on=listed_on,
                retrieved_at=response.retrieved_at, validators=(response.validators,),
            )  # fmt: skip
        context = ParseContext(
            source=self.name, retrieved_at=response.retrieved_at, listed_on=listed_on, name=response.url
        )
        return parse_feed(response.body, context, validators=(response.validators,))

    def parse(self, body: bytes, context: ParseContext) -> Listing:
        """Turn the bytes of a feed into a listing, in bounded time and memory.

        Raises:
            ParseError: no feed, a hostile one, or an error that came as a feed.
        """
        return parse_feed(body, context)

    def announces_on(self, day: date) -> None:
        """Return None: a feed speaks when it likes."""

    def has_days(self) -> bool:
        """Return False: a feed holds its newest entries only."""
        return False


def parse_feed(body: bytes, context: ParseContext, validators: tuple[Validators, ...] = ()) -> Listing:
    """Read a feed's bytes; see `FeedSource.parse`.

    The listing is complete when the feed was read to its end and every entry became a paper or repeats
    one, quiet when it has no entries, partial otherwise; ``note`` says why.
    """
    base = context.name if is_web(context.name) else ""
    feed = read_feed(body, context.name)
    _refuse_error_feeds(feed, context.name)
    read = read_entries(feed, base, context.retrieved_at)
    dropped = feed.dropped + read.dropped
    notes = [feed.note] if feed.note else []
    if read.dropped:
        notes.append(f"{read.dropped} entries without title, link, id and text were left out")
    return Listing(
        source=context.source,
        kind=FeedSource.kind,
        listed_on=_listed_on(context),
        retrieved_at=context.retrieved_at,
        state=_state(read.entries, whole=not dropped and not notes),
        entries=read.entries,
        dropped=dropped,
        note="; ".join(notes) or ("the feed has no entries" if not read.entries else None),
        url=base or None,
        validators=validators,
    )


def read_feed(body: bytes, where: str) -> RawFeed:
    """Choose the reader by what the bytes are: JSON Feed, the quick walk, or the tolerant reader.

    Raises:
        ParseError: no feed, or a hostile one.
    """
    taken = take_in(body, where)
    if taken.root == "{":
        return read_json_feed(taken.text, where)
    try:
        feed = read_fast(taken.text)
    except NotWalkableError:
        feed = read_tolerant(taken.text, where)
    named = feed.title is not None or feed.link is not None
    if not feed.entries and (taken.root not in _ROOTS or (taken.root == "rdf" and not named)):
        raise ParseError(where, f"XML, but no feed: the root element is <{taken.root}>, and there are no entries")
    return feed


def _state(entries: tuple[Entry, ...], *, whole: bool) -> ListingState:
    if not whole:
        return ListingState.PARTIAL
    return ListingState.COMPLETE if entries else ListingState.QUIET


def _listed_on(context: ParseContext) -> date:
    """Return the day that was asked for, else a date in the file's name, else the UTC day of the retrieval."""
    if context.listed_on is not None:
        return context.listed_on
    return next(days_in_name(context.name), context.retrieved_at.date())


def _refuse_error_feeds(feed: RawFeed, where: str) -> None:
    """Refuse errors that come dressed as a feed with status 200 (arXiv's RSS and its API do that)."""
    title = (feed.title or "").casefold()
    if title.startswith(_ARXIV_ERROR) and not feed.entries:
        raise ParseError(where, f"an error, not a feed: {feed.title!r}", hint="check the URL")
    if len(feed.entries) == 1 and "arxiv.org/api/errors" in (feed.entries[0].guid or ""):
        summary = feed.entries[0].summary
        raise ParseError(where, f"an error, not a feed: {(summary.value if summary else feed.title)!r}")
