"""The page ``arxiv.org/list/CATEGORY/new``: three sections, each proving how many entries it has.

"Showing new listings for Wednesday, 12 August 2026", then "New submissions (showing 79 of 79 entries)",
"Cross submissions (…)" and "Replacement submissions (…)".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice

from bs4.element import NavigableString, Tag

from paperdigest.errors import ParseError
from paperdigest.protocols import ParseContext
from paperdigest.sources.arxiv.authors import author
from paperdigest.sources.arxiv.dates import from_words
from paperdigest.sources.arxiv.papers import Item, listing_of, make_paper
from paperdigest.sources.html import attribute, soup
from paperdigest.types import Author, Listing

__all__ = ["parse"]

_HEAD = re.compile(r"showing new listings for\s", re.IGNORECASE)
_SECTION = re.compile(
    r"(?P<kind>new|cross|replacement)[\s-]*(?:submissions|lists|listings|s\b)?.*?"
    r"\((?:continued,\s*)?showing\s+(?:first\s+|last\s+)?(?P<shown>\d{1,6})\s+of\s+(?P<total>\d{1,6})\s+entr",
    re.IGNORECASE | re.DOTALL,
)
_HEADING_CHARS = 300
_MAX_PARTS = 30_000  # elements and texts looked at in one block, as blocks can stand in blocks
_TYPES = {"new": "new", "cross": "cross", "replacement": "replace"}
_TOTAL = re.compile(r"total of (\d{1,6}) entries", re.IGNORECASE)
_ABS = re.compile(r"(?:https?://[a-z.]*arxiv\.org)?/abs/(?P<id>\S+)", re.IGNORECASE)
_VERSION = re.compile(r"/(?:html|pdf|abs)/[^?#\s]{0,100}v([1-9]\d{0,3})\b")
_CATEGORY = re.compile(r"\(([a-z][a-z-]*(?:\.[A-Za-z][A-Za-z-]*)?)\)")
_LINK_WORDS = re.compile(r"\s*this (?:https?|ftp) URL\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Section:
    announce_type: str
    total: int


def parse(body: bytes, context: ParseContext) -> Listing:
    """Return the page's entries; complete when every section's count is met and the page is whole.

    Raises:
        ParseError: no head and no section: a challenge, login or error page, or a changed layout; see `soup` too.
    """
    page = soup(body, context.name)
    sections: list[_Section] = []
    items: list[Item] = []
    listed_on: date | None = None
    dropped = pages_total = 0
    headed = quiet = False
    for element in page.descendants:
        if not isinstance(element, Tag):
            continue
        if element.name == "dt":
            item = _item(element, sections[-1].announce_type if sections else None)
            items += [item] if item else []
            dropped += item is None
        elif element.name == "h3":
            text = (_text(element) or "")[:_HEADING_CHARS]
            if _HEAD.search(text):
                headed, listed_on = True, from_words(text)
            elif match := _SECTION.search(text):
                sections.append(_Section(_TYPES[match["kind"].lower()], int(match["total"])))
        elif element.name == "p":
            quiet = quiet or (element.string or "").strip().lower().startswith("no updates")
        elif element.name == "div" and attribute(element, "class") == "paging":
            pages_total = max([pages_total, *map(int, _TOTAL.findall((_text(element) or "")[:_HEADING_CHARS]))])
    if not sections and not (headed and quiet):
        raise ParseError(
            context.name,
            "is a web page, but not arXiv's listing of new papers: its sections are missing",
            source=context.source,
            hint="a challenge or login page, or a changed layout",
        )
    whole = body.rstrip()[-7:].lower() == b"</html>"
    return listing_of(
        context,
        items,
        proved_on=listed_on,
        announced=max(sum(section.total for section in sections), pages_total),
        counted=len(items) + dropped,
        dropped=dropped,
        gaps=() if whole else ("the page is cut off",),
        notes=("arXiv says: no updates",) if quiet and not items else (),
    )


def _item(dt: Tag, announce_type: str | None) -> Item | None:
    """Read one ``<dt>`` (identifier, links) with the ``<dd>`` that follows it (metadata).

    The page is dated by the announcement, a day or more after the submission: no `published_at`.
    """
    dd = dt.find_next_sibling(True)
    if not isinstance(dd, Tag) or dd.name != "dd":
        return None
    id_text, version = "", None
    for link in _tags(dt, "a"):
        href = attribute(link, "href")
        if not id_text and (match := _ABS.match(href)):
            id_text = match["id"]
        elif match := _VERSION.search(href):
            version = int(match[1])
    parts = _parts(dd)
    subjects = _text(parts.get("list-subjects")) or ""
    categories = _CATEGORY.findall(subjects)
    paper = make_paper(
        id_text=id_text,
        title=_text(parts.get("list-title")),
        abstract=_text(parts.get("abstract")),
        authors=_authors(parts.get("list-authors")),
        version=version,
        primary_category=categories[0] if categories else None,
        categories=categories,
        comment=_text(parts.get("list-comments")),
        journal_ref=_text(parts.get("list-journal-ref")),
    )
    return None if paper is None else (paper, announce_type)


def _parts(dd: Tag) -> dict[str, Tag]:
    """Return the metadata's blocks by the class that names them; the abstract is the plain ``<p>``."""
    found: dict[str, Tag] = {}
    for block in _tags(dd, "div", "p"):
        if block.name == "p":
            found.setdefault("abstract", block)
            continue
        for name in attribute(block, "class").split():
            if name.startswith("list-"):
                found.setdefault(name, block)
    return found


def _authors(block: Tag | None) -> tuple[Author, ...]:
    if block is None:
        return ()
    found = (author(name) for link in _tags(block, "a") if (name := _text(link)))
    return tuple(one for one in found if one is not None)


def _tags(block: Tag, *names: str) -> Iterator[Tag]:
    for part in islice(block.descendants, _MAX_PARTS):
        if isinstance(part, Tag) and part.name in names:
            yield part


def _text(block: Tag | None) -> str | None:
    """Return a block's text without its label; line breaks are spaces, "this https URL" is the URL itself."""
    if block is None:
        return None
    pieces: list[str] = []
    for part in islice(block.descendants, _MAX_PARTS):
        if isinstance(part, NavigableString):
            pieces.append(_words(part))
        elif isinstance(part, Tag) and part.name == "br":
            pieces.append(" ")
    return "".join(pieces).strip() or None


def _words(text: NavigableString) -> str:
    around = text.parent
    if around is None or text.previous_sibling is not None:
        return text
    if around.name == "a" and _LINK_WORDS.fullmatch(text):
        return attribute(around, "href") or text
    return "" if attribute(around, "class") == "descriptor" else text
