"""Raw fields of any arXiv format made into a `Paper`, and papers into a `Listing` with its state.

Every fallback that is about arXiv's metadata, not about one format, stands here once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from paperdigest.errors import ParseError
from paperdigest.identity import doi_id, split_arxiv
from paperdigest.latex import may_hold_tex, readable
from paperdigest.protocols import ParseContext
from paperdigest.sources.arxiv.withdrawn import says_withdrawn
from paperdigest.sources.dates import days_in_name
from paperdigest.types import ANNOUNCE_TYPES, Author, Entry, Listing, ListingState, Paper, PaperId, Period

__all__ = ["KIND", "Item", "listing_of", "make_paper"]

KIND = "arxiv"
Item = tuple[Paper, str | None]
"""A paper and its announce type."""

_MAX_CHARS = {"title": 4_000, "abstract": 64_000, "comment": 4_000, "journal_ref": 2_000}


def make_paper(
    *,
    id_text: str,
    title: str | None,
    abstract: str | None = None,
    authors: tuple[Author, ...] = (),
    version: int | None = None,
    published_at: datetime | None = None,
    updated_at: datetime | None = None,
    primary_category: str | None = None,
    categories: Iterable[str] = (),
    comment: str | None = None,
    journal_ref: str | None = None,
    doi: str | None = None,
    withdrawn: bool = False,
) -> Paper | None:
    """Return the paper, or None when it has no arXiv id or no title: such an entry counts as dropped.

    ``published_at`` is taken for the first version's date only if it is not later than the month in
    the arXiv id, otherwise it is a later version's.
    """
    split = split_arxiv(id_text)
    if split is None or title is None:
        return None
    local, id_version = split
    title_text, title_source = _readable("title", title)
    if title_text is None:
        return None
    abstract_text, abstract_source = _readable("abstract", abstract)
    comment_text, _ = _readable("comment", comment)
    if published_at is not None and not _may_be_first(local, published_at):
        updated_at, published_at = updated_at or published_at, None
    return Paper(
        id=PaperId(scheme="arxiv", local=local),
        title=title_text,
        abstract=abstract_text,
        title_source=title_source,
        abstract_source=abstract_source,
        authors=authors,
        published_at=published_at,
        updated_at=updated_at,
        version=id_version or version,
        url=f"https://arxiv.org/abs/{local}",
        pdf_url=f"https://arxiv.org/pdf/{local}",
        primary_category=primary_category,
        categories=tuple(dict.fromkeys(categories)),
        comment=comment_text,
        journal_ref=_readable("journal_ref", journal_ref)[0],
        withdrawn=withdrawn or says_withdrawn(comment_text, abstract_text),
        aliases=_aliases(local, doi) if doi else (),
    )


def listing_of(
    context: ParseContext,
    items: Iterable[Item],
    *,
    proved_on: date | None,
    period: Period = Period.DAY,
    announced: int | None = None,
    counted: int | None = None,
    dropped: int = 0,
    gaps: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Listing:
    """Return the listing of ``items``, each paper once, ranked as they stand.

    The day is the one asked for, else ``proved_on``, else a date in the name, else that of retrieval
    (UTC). Without gaps it is complete, or quiet when it is empty.

    Args:
        context: source, name, day.
        items: papers in the source's order.
        proved_on: the day the body itself proves.
        period: what it covers; a search becomes a day's listing when a day was asked for.
        announced: the source's own count.
        counted: what to compare it with, if not the number of different papers and dropped entries.
        dropped: entries that could not be read.
        gaps: reasons why something must be missing; any makes the listing partial.
        notes: further remarks.

    Raises:
        ParseError: there were entries, and none of them could be read.
    """
    unique: dict[PaperId, Item] = {}
    for item in items:
        unique.setdefault(item[0].id, item)
    if dropped and not unique:
        raise ParseError(context.name, f"none of its {dropped} entries is an arXiv paper", source=context.source)
    found = len(unique) + dropped if counted is None else counted
    reasons = list(gaps)
    if dropped:
        reasons.append(f"{dropped} of {len(unique) + dropped} entries could not be read")
    if announced is not None and found < announced:
        reasons.append(f"{found} of {announced} announced entries")
    elif announced is not None and not reasons:
        announced = min(announced, len(unique))  # met, though a paper stood twice or a record was deleted
    remarks = [*reasons, *notes]
    if (asked := context.listed_on) and proved_on not in (None, asked) and period is Period.DAY:
        remarks.append(f"dated {asked} as asked, the body says {proved_on}")
    empty = ListingState.QUIET if not unique else ListingState.COMPLETE
    return Listing(
        source=context.source,
        kind=KIND,
        listed_on=asked or proved_on or next(days_in_name(context.name), None) or context.retrieved_at.date(),
        retrieved_at=context.retrieved_at,
        state=ListingState.PARTIAL if reasons else empty,
        entries=tuple(_entry(rank, item) for rank, item in enumerate(unique.values(), 1)),
        period=Period.DAY if asked is not None and period is Period.SEARCH else period,
        announced_count=announced,
        dropped=dropped,
        note="; ".join(remarks) or None,
    )


def _entry(rank: int, item: Item) -> Entry:
    paper, kind = item
    return Entry(paper=paper, rank=rank, announce_type=kind if kind in ANNOUNCE_TYPES else None)


def _readable(field: str, raw: str | None) -> tuple[str | None, str | None]:
    """Return the readable text and, when TeX was changed in it, the source on one line."""
    if raw is None:
        return None, None
    if len(raw) > (limit := _MAX_CHARS[field]):
        raw = raw[:limit] + "…"
    source = " ".join(raw.split())
    if _is_plain(source):
        return source or None, None
    text = readable(source)
    return text or None, source if text != source else None


def _is_plain(text: str) -> bool:
    """Say whether `readable` would return collapsed ``text`` as it is: most are plain, and looking is cheap."""
    return text.isprintable() and not may_hold_tex(text)


def _aliases(local: str, doi: str) -> tuple[PaperId, ...]:
    """Return the DOIs in ``doi`` (there can be several, parted by spaces), without arXiv's own."""
    found = (doi_id(one) for one in doi.split()[:5])
    return tuple(dict.fromkeys(one for one in found if one is not None and one.local != local))


def _may_be_first(local: str, moment: datetime) -> bool:
    """Say whether a first version can be of ``moment``: ids carry the month of the first announcement."""
    digits = local.rpartition("/")[2]
    year, month = int(digits[:2]), int(digits[2:4])
    year += 1900 if year >= 91 else 2000
    return (moment.year, moment.month) <= (year, month)
