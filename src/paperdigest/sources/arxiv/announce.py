"""arXiv's announcement feeds, RSS 2.0 and Atom 1.0: what is new, cross-listed and replaced in a category.

Source: arXiv help, "RSS feed specifications" and "Atom feed specifications". The feeds are rebuilt at
midnight Eastern, are empty (but valid) on weekends and holidays, and hold at most 2,000 entries.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from lxml import etree

from paperdigest.errors import ParseError
from paperdigest.identity import split_arxiv
from paperdigest.protocols import ParseContext
from paperdigest.sources.arxiv.authors import from_line
from paperdigest.sources.arxiv.calendar import announces_on, eastern_date
from paperdigest.sources.arxiv.dates import from_iso, from_mail
from paperdigest.sources.arxiv.papers import Item, listing_of, make_paper
from paperdigest.sources.arxiv.xmltree import ARXIV, ATOM, DC, load, text_of
from paperdigest.types import Listing

__all__ = ["CAP", "is_announcement", "parse", "read"]

CAP = 2000
_PREFIX = re.compile(r"\s*arXiv:(?P<id>\S+)\s+Announce Type:\s*(?P<type>[\w-]+)\s*(?:Abstract:)?\s*")
_ERROR = "Feed error for query"
_FIELDS = {
    "title": "title",
    "link": "link",
    "guid": "id",
    "description": "summary",
    "pubDate": "published",
    f"{ATOM}title": "title",
    f"{ATOM}id": "id",
    f"{ATOM}summary": "summary",
    f"{ATOM}published": "published",
    f"{ARXIV}announce_type": "announce_type",
    f"{ARXIV}journal_reference": "journal_ref",
    f"{ARXIV}DOI": "doi",
    f"{DC}creator": "creator",
}


@dataclass(slots=True)
class _Raw:
    """One entry as written."""

    fields: dict[str, str | None] = field(default_factory=dict)
    categories: list[str] = field(default_factory=list)

    def listed_on(self) -> date | None:
        moment = _moment(self.fields.get("published"))
        return eastern_date(moment) if moment else None


def parse(body: bytes, context: ParseContext) -> Listing:
    """Read an announcement feed; see `read`."""
    return read(load(body, context), context)


def is_announcement(root: etree._Element) -> bool:
    """Tell an Atom announcement feed from a reply of the API, which is Atom too."""
    title = root.findtext(f"{ATOM}title") or ""
    first = root.findtext(f"{ATOM}entry/{ATOM}id") or ""
    return "updates on arXiv.org" in title or title.startswith(_ERROR) or first.strip().startswith("oai:arXiv.org:")


def read(root: etree._Element, context: ParseContext) -> Listing:
    """Return the announced entries, dated by their own announcement date (midnight Eastern).

    Quiet without entries; partial at the cap of 2,000.

    Raises:
        ParseError: arXiv's error feed, or a feed of somebody else.
    """
    feed, entry_tag = (root, f"{ATOM}entry") if root.tag == f"{ATOM}feed" else (root.find("channel"), "item")
    if feed is None:
        raise ParseError(context.name, "is RSS without a channel", source=context.source)
    _refuse_foreign(feed, context)
    raws = [_raw(entry) for entry in feed.iterchildren(entry_tag)]
    stamp = _first(feed, "pubDate", f"{ATOM}updated", "lastBuildDate", f"{DC}date")
    channel_on = eastern_date(moment) if (moment := _moment(stamp)) else None
    entries_on = _most_common(raw.listed_on() for raw in raws)
    listed_on = context.listed_on or entries_on or channel_on
    items = [item for raw in raws if (item := _item(raw)) is not None]
    notes = []
    if entries_on and channel_on and entries_on != channel_on:
        notes.append(f"the feed is dated {channel_on}, its entries {entries_on}")
    if not raws:
        notes.append(_why_empty(listed_on))
    return listing_of(
        context,
        items,
        proved_on=entries_on or channel_on,
        dropped=len(raws) - len(items),
        gaps=(f"the feed holds {len(raws)} entries, its limit, so more may be missing",) if len(raws) >= CAP else (),
        notes=notes,
    )


def _refuse_foreign(feed: etree._Element, context: ParseContext) -> None:
    title = _first(feed, "title", f"{ATOM}title") or ""
    if title.strip().startswith(_ERROR):
        reason = " ".join((_first(feed, "description", f"{ATOM}subtitle") or "no reason given").split())
        raise ParseError(
            context.name,
            f"arXiv answered with an error feed: {reason[:300]}",
            source=context.source,
            hint="check the category",
        )
    about = f"{title} {_first(feed, 'link', f'{ATOM}id') or ''} {_first(feed, 'description', f'{ATOM}subtitle') or ''}"
    if "arxiv" not in about.lower():
        raise ParseError(context.name, "is a feed, but not arXiv's", source=context.source, hint="try --as feed")


def _raw(entry: etree._Element) -> _Raw:
    raw = _Raw()
    for child in entry.iterchildren(etree.Element):
        tag = child.tag
        if (name := _FIELDS.get(tag)) is not None:
            raw.fields[name] = text_of(child)
        elif tag in ("category", f"{ATOM}category"):
            if term := child.get("term") or (child.text or "").strip():
                raw.categories.append(term)
        elif tag == f"{ATOM}link" and child.get("rel", "alternate") == "alternate":
            raw.fields["link"] = child.get("href")
    return raw


def _item(raw: _Raw) -> Item | None:
    """Read one entry. Its date is that of the announcement, a day or more after the submission: no `published_at`."""
    fields = raw.fields
    summary = fields.get("summary") or ""
    prefix = _PREFIX.match(summary)
    announce_type = (fields.get("announce_type") or (prefix["type"] if prefix else "")).strip() or None
    candidates = (fields.get("id"), prefix["id"] if prefix else None, fields.get("link"))
    paper = make_paper(
        id_text=next((text for text in candidates if text and split_arxiv(text.strip())), "").strip(),
        title=fields.get("title"),
        abstract=summary[prefix.end() :] if prefix else summary or None,
        authors=from_line(fields.get("creator") or "", split_and=False),
        primary_category=raw.categories[0] if raw.categories else None,
        categories=raw.categories,
        journal_ref=fields.get("journal_ref"),
        doi=fields.get("doi"),
    )
    return None if paper is None else (paper, announce_type)


def _first(element: etree._Element, *tags: str) -> str | None:
    """Return the text of the first child among ``tags`` that has any."""
    return next((text for tag in tags if (text := text_of(element.find(tag)))), None)


def _moment(text: str | None) -> datetime | None:
    return from_mail(text) or from_iso(text)


def _most_common(days: Iterable[date | None]) -> date | None:
    counted = Counter(day for day in days if day is not None)
    return max(counted, key=lambda day: (counted[day], day)) if counted else None


def _why_empty(day: date | None) -> str:
    if day is not None and announces_on(day):
        return "no entries, although arXiv's calendar has an announcement that day"
    return "no announcement: weekend or holiday"
