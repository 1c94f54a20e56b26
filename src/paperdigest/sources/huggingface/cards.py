"""The visible cards of a papers page: what is left when a saved or changed page has no ``data-props``.

Cards show less than the props (no author names) and repeat themselves for narrow screens, so they only
serve as a fallback. What trending cards show as the abstract can be a machine-written summary: only a
search page's cards give abstracts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import TypeVar

from bs4 import Tag

from paperdigest.latex import readable
from paperdigest.sources.dates import month_number
from paperdigest.sources.html import attribute
from paperdigest.sources.huggingface.items import Identity, Items, identify
from paperdigest.types import Entry, Paper, PaperId

__all__ = ["read_cards"]

T = TypeVar("T")

_AUTHORS = re.compile(r"(\d{1,6}) authors?")
_PUBLISHED = re.compile(r"(?:Published on )?([A-Z][a-z]{2}) (\d{1,2})(?:, (\d{4}))?")
_NUMBER = re.compile(r"(\d{1,9})(?:\.(\d{1,3}))?(k?)")
_SHORTEST_ABSTRACT = 80


def read_cards(cards: Sequence[Tag], *, listed_on: date, with_abstracts: bool) -> Items:
    """Return the entries of the cards, each paper once.

    Args:
        cards: the ``article`` elements; those that link to no paper are passed over.
        listed_on: the page's day, for dates that are printed without a year.
        with_abstracts: whether the text on a card is the paper's abstract.
    """
    entries: dict[PaperId, Entry] = {}
    size = dropped = 0
    for card in cards:
        link = card.select_one('h3 a[href*="/papers/"]')
        if link is None:
            continue
        size += 1
        identity = identify(_paper_of(link))
        title = readable(link.get_text())
        if identity is None or not title:
            dropped += 1
        elif identity.id not in entries:
            entries[identity.id] = _read_card(card, identity, title, len(entries) + 1, listed_on, with_abstracts)
    return Items(entries=tuple(entries.values()), size=size, dropped=dropped)


def _read_card(card: Tag, identity: Identity, title: str, rank: int, listed_on: date, with_abstracts: bool) -> Entry:
    texts = [text.strip("·• \n") for text in card.strings]
    paper = Paper(
        id=identity.id,
        title=title,
        abstract=_abstract(card) if with_abstracts else None,
        authors_count=_first(texts, _authors_count),
        published_at=_first(texts, lambda text: _published_at(text, listed_on)),
        version=identity.version,
        url=identity.url,
        pdf_url=identity.pdf_url,
    )
    return Entry(
        paper=paper,
        rank=rank,
        upvotes=_number(card.select_one(".leading-none")),
        comments=_number(card.select_one('a[href$="#community"]')),
    )


def _paper_of(link: Tag) -> str:
    """The id is what follows ``/papers/``; an arXiv id of the old form holds a slash."""
    path = attribute(link, "href").partition("#")[0].partition("?")[0]
    return path.partition("/papers/")[2]


def _abstract(card: Tag) -> str | None:
    found = max((readable(part.get_text()) for part in card.find_all("p")), key=len, default="")
    return found if len(found) >= _SHORTEST_ABSTRACT else None


def _first(texts: Sequence[str], read: Callable[[str], T | None]) -> T | None:
    return next((found for text in texts if (found := read(text)) is not None), None)


def _authors_count(text: str) -> int | None:
    match = _AUTHORS.fullmatch(text)
    return int(match[1]) if match else None


def _published_at(text: str, listed_on: date) -> datetime | None:
    """A date without a year lies in the page's year, or in the one before when that would be later than the page."""
    match = _PUBLISHED.fullmatch(text)
    month = month_number(match[1]) if match else None
    if match is None or month is None:
        return None
    day = int(match[2])
    for year in (int(match[3]),) if match[3] else (listed_on.year, listed_on.year - 1):
        try:
            found = datetime(year, month, day, tzinfo=UTC)
        except ValueError:
            continue
        if match[3] or found.date() <= listed_on:
            return found
    return None


def _number(tag: Tag | None) -> int | None:
    """Read ``45`` and ``3.29k``; None for the dash of a paper without votes."""
    match = _NUMBER.fullmatch(tag.get_text().strip()) if tag else None
    if match is None or (len(match[1]) > 6 and match[3]):
        return None
    whole, decimals = int(match[1]), (match[2] or "")
    return whole * 1000 + int(decimals.ljust(3, "0")) if match[3] else whole
