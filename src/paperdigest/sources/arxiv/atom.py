"""The Atom reply of arXiv's query API, in the layouts of 2025 and 2026.

Source: arXiv API user's manual, "Details of Atom results returned" and "Errors".
"""

from __future__ import annotations

from lxml import etree

from paperdigest.errors import ParseError
from paperdigest.protocols import ParseContext
from paperdigest.sources.arxiv.authors import author
from paperdigest.sources.arxiv.dates import from_iso
from paperdigest.sources.arxiv.papers import Item, listing_of, make_paper
from paperdigest.sources.arxiv.xmltree import ARXIV, ATOM, load, text_of
from paperdigest.types import Author, Listing, Period

__all__ = ["parse", "read"]

_OPENSEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"
_ENTRY = f"{ATOM}entry"
_AUTHOR = f"{ATOM}author"
_CATEGORY = f"{ATOM}category"
_PRIMARY = f"{ARXIV}primary_category"
_NAME = f"{ATOM}name"
_AFFILIATION = f"{ARXIV}affiliation"
_FIELDS = {
    f"{ATOM}id": "id",
    f"{ATOM}title": "title",
    f"{ATOM}summary": "summary",
    f"{ATOM}published": "published",
    f"{ATOM}updated": "updated",
    f"{ARXIV}comment": "comment",
    f"{ARXIV}journal_ref": "journal_ref",
    f"{ARXIV}doi": "doi",
}


def parse(body: bytes, context: ParseContext) -> Listing:
    """Read an API reply; see `read`."""
    return read(load(body, context), context)


def read(root: etree._Element, context: ParseContext) -> Listing:
    """Return the entries of a reply.

    A query has no announcement day: unless a day was asked for, the listing is a search of the UTC day
    the reply was made. It is complete when this one reply holds all of ``totalResults``.

    Raises:
        ParseError: an error reply (with arXiv's own message), or a feed that is no API reply.
    """
    items: list[Item] = []
    dropped = 0
    for entry in root.iterchildren(_ENTRY):
        item = _item(entry)
        if item is not None:
            items.append(item)
        else:
            _refuse_error(entry, context)
            dropped += 1
    total = _number(root.findtext(f"{_OPENSEARCH}totalResults"))
    if total is None and not items:
        raise ParseError(context.name, "is an Atom feed, but not a reply of arXiv's API", source=context.source)
    updated = from_iso(root.findtext(f"{ATOM}updated"))
    return listing_of(
        context,
        items,
        proved_on=updated.date() if updated else None,
        period=Period.SEARCH,
        announced=total,
        dropped=dropped,
        notes=() if items or dropped else ("arXiv found nothing",),
    )


def _item(entry: etree._Element) -> Item | None:
    """Read one entry in a single walk over its children."""
    fields: dict[str, str | None] = {}
    authors: list[Author] = []
    categories: list[str] = []
    primary: str | None = None
    for child in entry:
        tag = child.tag
        if tag == _AUTHOR:
            if (one := _author(child)) is not None:
                authors.append(one)
        elif (name := _FIELDS.get(tag)) is not None:
            fields[name] = text_of(child)
        elif tag == _CATEGORY:
            if term := child.get("term"):
                categories.append(term)
        elif tag == _PRIMARY:
            primary = child.get("term")
    paper = make_paper(
        id_text=fields.get("id") or "",
        title=fields.get("title"),
        abstract=fields.get("summary"),
        authors=tuple(authors),
        published_at=from_iso(fields.get("published")),
        updated_at=from_iso(fields.get("updated")),
        primary_category=primary,
        categories=categories,
        comment=fields.get("comment"),
        journal_ref=fields.get("journal_ref"),
        doi=fields.get("doi"),
    )
    return None if paper is None else (paper, None)


def _author(element: etree._Element) -> Author | None:
    name = affiliation = None
    for child in element:
        if child.tag == _NAME:
            name = child.text
        elif child.tag == _AFFILIATION:
            affiliation = child.text
    return author(name, affiliation) if name else None


def _refuse_error(entry: etree._Element, context: ParseContext) -> None:
    """Raise when the entry that is no paper is arXiv's way of reporting an error."""
    title = (entry.findtext(f"{ATOM}title") or "").strip()
    if title == "Error" or "/api/errors" in (entry.findtext(f"{ATOM}id") or ""):
        message = " ".join((entry.findtext(f"{ATOM}summary") or "no reason given").split())
        raise ParseError(
            context.name,
            f"arXiv answered with an error: {message[:300]}",
            source=context.source,
            hint="correct the query or the identifiers",
        )


def _number(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
