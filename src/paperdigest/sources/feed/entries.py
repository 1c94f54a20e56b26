"""From a feed's raw fields to papers: which identifier, which text, which date."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from paperdigest.identity import doi_id, normalise_url, split_arxiv, title_id, url_id
from paperdigest.latex import may_hold_tex, readable
from paperdigest.sources.feed.authors import author_names
from paperdigest.sources.feed.blob import unpack
from paperdigest.sources.feed.dates import parse_date
from paperdigest.sources.feed.fields import RawEntry, RawFeed
from paperdigest.sources.feed.links import absolute, is_web
from paperdigest.sources.feed.markup import plain
from paperdigest.types import Entry, Paper, PaperId

__all__ = ["Read", "read_entries"]

_LATEST = timedelta(days=731)
"""Dates later than this after the retrieval are typing errors; journals do date issues months ahead."""

_SENTENCE = re.compile(r".{1,80}?[.!?](?=\s|\Z)")
_CUT_SHORT = ("…", "...", "[...]", "[…]")
_MAX_TITLE_CHARS = 1000
_MAX_ID_CHARS = 1000


@dataclass(frozen=True, slots=True)
class Read:
    """The entries of a feed in its order, each paper once, and how many could not be made a paper of."""

    entries: tuple[Entry, ...]
    dropped: int


@dataclass(frozen=True, slots=True)
class _Place:
    """What all entries of a feed share."""

    base: str
    retrieved_at: datetime
    shared_links: frozenset[str] = field(default_factory=frozenset)
    shared_guids: frozenset[str] = field(default_factory=frozenset)


def read_entries(feed: RawFeed, base: str, retrieved_at: datetime) -> Read:
    """Make papers of a feed's entries; a later entry with the id of an earlier one is left out.

    Relative links are resolved against the feed's own link (feeds are often served by another host than the
    pages), and when it gives none against ``base``, the URL it came from or empty.
    """
    base = absolute(feed.link, base) if feed.link else base
    place = _Place(base, retrieved_at, _shared_links(feed, base), _shared_guids(feed))
    found: dict[PaperId, Entry] = {}
    dropped = 0
    for rank, raw in enumerate(feed.entries, start=1):
        entry = _entry(raw, place, rank)
        if entry is None:
            dropped += 1
        else:
            found.setdefault(entry.paper.id, entry)
    return Read(tuple(found.values()), dropped)


def _shared_links(feed: RawFeed, base: str) -> frozenset[str]:
    """Return links that identify nothing: the feed's own page, and those that several different entries carry."""
    different = {(raw.link, raw.guid, raw.title) for raw in feed.entries if raw.link}
    counts = Counter(link for link, _, _ in different)
    shared = {absolute(link, base) for link, count in counts.items() if count > 1}
    return frozenset(filter(None, map(normalise_url, {*shared, base})))


def _shared_guids(feed: RawFeed) -> frozenset[str]:
    """Return guids that identify nothing: entries that differ in both title and link carry them.

    One entry that stands twice, with its title mended or its link decorated, keeps its guid.
    """
    counts = Counter(raw.guid for raw in feed.entries if raw.guid)
    titles: dict[str, set[object]] = {guid: set() for guid, count in counts.items() if count > 1}
    links: dict[str, set[str]] = {guid: set() for guid in titles}
    for raw in feed.entries if titles else ():
        if raw.guid in titles:
            titles[raw.guid].add(raw.title)
            links[raw.guid].add(raw.link or "")
    return frozenset(guid for guid in titles if len(titles[guid]) > 1 and len(links[guid]) > 1)


def _entry(raw: RawEntry, place: _Place, rank: int) -> Entry | None:
    link = absolute(raw.link, place.base) if raw.link else None
    text = _abstract(raw)
    blob = unpack(text) if text else None
    abstract = blob.abstract if blob else ""
    title = plain(raw.title) if raw.title else ""
    title = title[:_MAX_TITLE_CHARS] or _title_from(abstract) or raw.guid or link or ""
    if not title.strip():
        return None
    ids, version = _ids(raw, link, title, place)
    authors = author_names(raw.authors or ((blob.authors,) if blob and blob.authors else ()))
    published, updated = _dates(raw, place.retrieved_at)
    readable_title = readable(title)
    readable_abstract = readable(abstract) if may_hold_tex(abstract) else abstract  # on one line already
    paper = Paper(
        id=ids[0],
        title=readable_title,
        title_source=title if title != readable_title else None,
        abstract=readable_abstract or None,
        abstract_source=abstract if abstract != readable_abstract else None,
        authors=authors,
        published_at=published,
        updated_at=updated,
        version=version,
        url=_page(link, raw.guid, ids[0]),
        categories=_categories(raw.categories),
        aliases=tuple(ids[1:]),
    )
    return Entry(
        paper=paper,
        rank=rank,
        upvotes=blob.upvotes if blob else None,
        announce_type=blob.announce_type if blob else None,
    )


def _abstract(raw: RawEntry) -> str:
    """Return the summary, or the content when there is no summary or it is visibly cut short."""
    summary = plain(raw.summary) if raw.summary else ""
    if raw.content is None or (summary and not summary.endswith(_CUT_SHORT)):
        return summary
    content = plain(raw.content)
    return content if len(content) > len(summary) else summary


def _title_from(text: str) -> str:
    """Return the first sentence when it has at most 80 characters, else the words that fit into 80."""
    if (sentence := _SENTENCE.match(text)) is not None:
        return sentence[0]
    if len(text) <= 80:
        return text
    return text[:80].rpartition(" ")[0] + " …" if " " in text[:80] else text[:80]


def _ids(raw: RawEntry, link: str | None, title: str, place: _Place) -> tuple[list[PaperId], int | None]:
    """Return the identifiers, strongest first (arXiv, DOI, page, guid, else the title's), and the arXiv version.

    At most one arXiv id and one DOI: two of a kind would join two papers.
    """
    arxiv = version = doi = None
    own_guid = None if raw.guid in place.shared_guids else raw.guid
    for text in dict.fromkeys((own_guid, link, *raw.identifiers)):
        # Not from bare digits: any feed may number its items "2104.12255".
        if not text or len(text) > _MAX_ID_CHARS or not (":" in text or "/" in text):
            continue
        if (known := split_arxiv(text)) is not None:
            arxiv, version = arxiv or known[0], version or known[1]
        elif "10." in text:
            doi = doi_id(text) or doi
    own = PaperId(scheme="arxiv", local=arxiv) if arxiv else None
    page = _web_id(link, place) if link and own is None else None
    guid = _web_id(own_guid, place) if own_guid and own_guid != link and own is None else None
    found = [one for one in (own, doi, page, guid) if one is not None]
    return list(dict.fromkeys(found)) if len(found) > 1 else found or [title_id(title)], version


def _web_id(url: str, place: _Place) -> PaperId | None:
    """Return what `url_id` gives for a page; ``url`` is known to hold no arXiv id if it has up to 1000 characters."""
    normal = normalise_url(url) if is_web(url) else None
    if normal is None or normal in place.shared_links:
        return None
    if len(url) > _MAX_ID_CHARS or "10." in url:
        return url_id(url)
    return PaperId(scheme="url", local=normal)


def _page(link: str | None, guid: str | None, paper_id: PaperId) -> str | None:
    for url in (link, guid):
        if url and is_web(url):
            return url
    if paper_id.scheme == "arxiv":
        return f"https://arxiv.org/abs/{paper_id.local}"
    return f"https://doi.org/{paper_id.local}" if paper_id.scheme == "doi" else None


def _dates(raw: RawEntry, retrieved_at: datetime) -> tuple[datetime | None, datetime | None]:
    """Return published and updated; the only date there is counts as the day of publication."""
    latest = retrieved_at + _LATEST
    published, updated = parse_date(raw.published, not_after=latest), parse_date(raw.updated, not_after=latest)
    return published or updated, updated


def _categories(terms: Iterable[str]) -> tuple[str, ...]:
    cleaned = (" ".join(term.split())[:200] for term in terms)
    return tuple(dict.fromkeys(filter(None, cleaned)))[:100]
