"""The arXiv source: reads every form arXiv gives its listings in, and fetches four of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar

from paperdigest.errors import ParseError, SourceError
from paperdigest.http import HttpClient
from paperdigest.protocols import FetchRequest, ParseContext
from paperdigest.sources.arxiv import announce, atom, calendar, listing_page, mail, oai
from paperdigest.sources.arxiv.fetching import Errand, fetch_feed, fetch_pages
from paperdigest.sources.arxiv.paging import fetch_api, fetch_oai
from paperdigest.sources.arxiv.reading import reading
from paperdigest.sources.arxiv.settings import ArxivSettings
from paperdigest.sources.arxiv.xmltree import ATOM, check_size, load, local_name
from paperdigest.types import ANNOUNCE_TYPES, Listing, Unmodified

__all__ = ["ArxivSource"]

_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|h\d|dl|div)\b", re.IGNORECASE)
_SNIFF_BYTES = 2048


class ArxivSource:
    """arXiv, asked by announcement feed (default), listing page, query API or OAI-PMH.

    `parse` takes whatever arXiv gives, by the look of it: API replies, announcement feeds (RSS and
    Atom), the page of new papers, OAI-PMH replies and records, and announcement mails.
    """

    kind: ClassVar[str] = "arxiv"
    authority: ClassVar[int] = 3
    group: ClassVar[str] = "arxiv.org"

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self.name = name
        self.settings = ArxivSettings.model_validate(dict(settings))

    def parse(self, body: bytes, context: ParseContext) -> Listing:
        """Read ``body``, whichever of arXiv's formats it is in.

        Raises:
            ParseError: it is in none of them, damaged, or arXiv's report of an error.
        """
        with reading(context):
            return self._keep(_read(body, context))

    def fetch(self, client: HttpClient, request: FetchRequest) -> Listing | Unmodified:
        """Get the listing of ``request.day``, or the current one where only that can be had.

        Raises:
            SourceError: nothing could be had and read, or no category is configured.
        """
        errand = Errand(source=self.name, settings=self.settings, client=client, request=request)
        if not self.settings.category and self.settings.query is None:
            raise SourceError(
                "no category is configured", source=self.name, hint='set e.g. category = "cs.SE" for this source'
            )
        match self.settings.via:
            case "rss":
                found = fetch_feed(errand, self.parse)
            case "listing":
                found = fetch_pages(errand)
            case "api":
                found = fetch_api(errand)
            case "oai":
                found = fetch_oai(errand)
        return found if isinstance(found, Unmodified) else self._keep(found)

    def announces_on(self, day: date) -> bool:
        """Say whether arXiv has a listing dated ``day`` (its date as printed: US Eastern)."""
        return calendar.announces_on(day)

    def has_days(self) -> bool:
        """Say whether past days can be asked for: only of the API and of OAI-PMH."""
        return self.settings.via in ("api", "oai")

    def _keep(self, listing: Listing) -> Listing:
        """Leave out the entries whose announce type is not wanted; entries without a type stay."""
        wanted = self.settings.announce_types
        if len(wanted) == len(ANNOUNCE_TYPES):
            return listing
        kept = tuple(entry for entry in listing.entries if entry.announce_type in (None, *wanted))
        if len(kept) == len(listing.entries):
            return listing
        left_out = len(listing.entries) - len(kept)
        remark = f"{left_out} entries left out by announce_types"
        announced = listing.announced_count
        return replace(
            listing,
            entries=kept,
            announced_count=None if announced is None else max(0, announced - left_out),
            note=f"{listing.note}; {remark}" if listing.note else remark,
        )


def _read(body: bytes, context: ParseContext) -> Listing:
    head = body[:_SNIFF_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
    check_size(body, context)
    if _HTML.match(head) or (head.startswith(b"<") and _HTML.search(head) and not head.startswith(b"<?xml")):
        return listing_page.parse(body, context)
    if head.startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
        return _read_xml(body, context)
    if mail.looks_like_mail(body.decode("utf-8", "replace")):
        return mail.parse(body, context)
    raise ParseError(
        context.name,
        "is in none of arXiv's formats (API reply, feed, listing page, OAI-PMH, announcement mail)",
        source=context.source,
    )


def _read_xml(body: bytes, context: ParseContext) -> Listing:
    root = load(body, context)
    match local_name(root):
        case "feed" if root.tag == f"{ATOM}feed":
            return announce.read(root, context) if announce.is_announcement(root) else atom.read(root, context)
        case "rss":
            return announce.read(root, context)
        case "OAI-PMH" | "record":
            return oai.read(root, context)
        case "html":
            return listing_page.parse(body, context)
        case other:
            raise ParseError(context.name, f"has the root element <{other}>, none of arXiv's", source=context.source)
