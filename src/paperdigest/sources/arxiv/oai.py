"""OAI-PMH: Dublin Core, ``arXiv`` and ``arXivRaw`` records, in lists and single.

Source: OAI-PMH 2.0, sections 2.5 (records, deleted ones), 3.5 (flow control) and 3.6 (errors); arXiv help,
"Open Archives Initiative". A datestamp is the day a record was last changed, whatever changed in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from lxml import etree

from paperdigest.errors import ParseError
from paperdigest.identity import doi_id, split_arxiv
from paperdigest.protocols import ParseContext
from paperdigest.sources.arxiv.authors import author, from_family_first, from_line
from paperdigest.sources.arxiv.dates import from_iso, from_mail
from paperdigest.sources.arxiv.papers import Item, listing_of, make_paper
from paperdigest.sources.arxiv.xmltree import DC, load, local_name, text_of
from paperdigest.types import Author, Listing, Paper, Period

__all__ = ["Page", "listing_of_pages", "parse", "read", "read_page"]

_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_COMMENT = "Comment:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One reply: its papers and how it hangs together with the others of the list.

    ``complete_size`` is the whole list's size where arXiv says it (not since 2025); ``token`` asks for
    the next page. ``days`` are the datestamps met; ``asked`` the range that was asked for.
    """

    items: tuple[Item, ...] = ()
    deleted: int = 0
    dropped: int = 0
    token: str | None = None
    complete_size: int | None = None
    days: frozenset[date] = frozenset()
    asked: tuple[date | None, date | None] = (None, None)

    @property
    def records(self) -> int:
        """How many records the reply holds, deleted and unreadable ones too."""
        return len(self.items) + self.deleted + self.dropped


def parse(body: bytes, context: ParseContext) -> Listing:
    """Read one reply or one bare record; see `read`."""
    return read(load(body, context), context)


def read(root: etree._Element, context: ParseContext) -> Listing:
    """Return the records of one reply.

    Raises:
        ParseError: an OAI error other than ``noRecordsMatch``, or no record at all.
    """
    return listing_of_pages([read_page(root, context)], context)


def listing_of_pages(pages: Sequence[Page], context: ParseContext, gaps: Sequence[str] = ()) -> Listing:
    """Join the pages of one list (or of the lists of several sets) into a listing.

    A list of one day is that day's; anything else (a range, a single record) is a search. Deleted
    records are skipped and counted in the note: nothing stored is deleted for them.
    """
    days = frozenset(day for page in pages for day in page.days)
    deleted = sum(page.deleted for page in pages)
    start, until = pages[0].asked
    one_day = start if start is not None and days <= {start} and until in (None, start) else None
    return listing_of(
        context,
        (item for page in pages for item in page.items),
        proved_on=one_day or max(days, default=start),
        period=Period.DAY if one_day is not None else Period.SEARCH,
        announced=pages[0].complete_size if len(pages) == 1 else None,
        counted=sum(page.records for page in pages),
        dropped=sum(page.dropped for page in pages),
        gaps=gaps or (("more pages follow",) if pages[-1].token else ()),
        notes=(f"{deleted} deleted records skipped",) if deleted else (),
    )


def read_page(root: etree._Element, context: ParseContext) -> Page:
    """Read one reply without judging it.

    Raises:
        ParseError: as `read`.
    """
    error = root.find(f"{_OAI}error")
    if error is not None:
        return _refused(root, error, context)
    records = list(root.iter(f"{_OAI}record", "record"))
    if not records:
        raise ParseError(context.name, "is an OAI-PMH reply without records", source=context.source)
    items: list[Item] = []
    days: set[date] = set()
    deleted = 0
    for record in records:
        header = _child(record, "header")
        stamp = from_iso(_text(header, "datestamp"))
        if stamp is not None:
            days.add(stamp.date())
        if header is not None and header.get("status") == "deleted":
            deleted += 1
        elif (item := _item(record, header)) is not None:
            items.append(item)
    token = next(root.iter(f"{_OAI}resumptionToken", "resumptionToken"), None)
    return Page(
        items=tuple(items),
        deleted=deleted,
        dropped=len(records) - deleted - len(items),
        token=((token.text or "").strip() or None) if token is not None else None,
        complete_size=_size(token),
        days=frozenset(days),
        asked=_asked(root),
    )


def _refused(root: etree._Element, error: etree._Element, context: ParseContext) -> Page:
    code = error.get("code") or "no code"
    if code == "noRecordsMatch":
        return Page(asked=_asked(root))
    message = " ".join((text_of(error) or "no reason given").split())[:300]
    raise ParseError(context.name, f"arXiv refused the OAI-PMH request ({code}): {message}", source=context.source)


def _asked(root: etree._Element) -> tuple[date | None, date | None]:
    request = root.find(f"{_OAI}request")
    if request is None:
        return None, None
    start, until = from_iso(request.get("from")), from_iso(request.get("until"))
    return start.date() if start else None, until.date() if until else None


def _size(token: etree._Element | None) -> int | None:
    size = (token.get("completeListSize") or "").strip() if token is not None else ""
    return int(size) if size.isascii() and size.isdigit() and len(size) < 10 else None


def _item(record: etree._Element, header: etree._Element | None) -> Item | None:
    metadata = _child(record, "metadata")
    content = next(metadata.iterchildren(etree.Element), None) if metadata is not None else None
    reader = _READERS.get(local_name(content)) if content is not None else None
    if content is None or reader is None:
        return None
    found = reader(content, _text(header, "identifier") or "", header)
    if found is None:
        return None
    return found, "replace" if local_name(content) == "arXivRaw" and (found.version or 1) > 1 else None


def _dublin_core(content: etree._Element, identifier: str, header: etree._Element | None) -> Paper | None:
    """Read ``oai_dc``: several descriptions and identifiers, told apart by their form."""
    descriptions = _all(content, "description")
    comment = next((text.strip()[len(_COMMENT) :] for text in descriptions if text.strip().startswith(_COMMENT)), None)
    abstract = next((text for text in descriptions if not text.strip().startswith(_COMMENT)), None)
    others = [text for text in _all(content, "identifier") if split_arxiv(text) is None]
    moments = [from_iso(text) for text in _all(content, "date")]
    return make_paper(
        id_text=identifier,
        title=text_of(content.find(f"{DC}title")),
        abstract=abstract,
        authors=from_family_first(_all(content, "creator")),
        published_at=moments[0] if moments else None,
        updated_at=moments[-1] if len(moments) > 1 else None,
        categories=_categories_of_sets(header),
        comment=comment,
        journal_ref=next((text for text in others if doi_id(text) is None), None),
        doi=next((text for text in others if doi_id(text) is not None), None),
    )


def _arxiv(content: etree._Element, identifier: str, _: etree._Element | None) -> Paper | None:
    """Read the ``arXiv`` format: names in parts; a collaboration or a stray sign can stand as an author."""
    block = _child(content, "authors")
    people = [_person(person) for person in block.iterchildren(etree.Element)] if block is not None else []
    return _with_fields(
        content,
        _text(content, "id") or identifier,
        authors=tuple(person for person in people if person is not None),
        published_at=from_iso(_text(content, "created")),
        updated_at=from_iso(_text(content, "updated")),
    )


def _arxiv_raw(content: etree._Element, identifier: str, _: etree._Element | None) -> Paper | None:
    """Read ``arXivRaw``: one line of authors and every version; source type ``I`` is a withdrawal."""
    versions = [
        (int(name[1:]), element)
        for element in content.iterchildren(etree.Element)
        if local_name(element) == "version"
        and (name := element.get("version") or "")[:1] == "v"
        and name[1:].isascii()
        and name[1:].isdigit()
        and 0 < int(name[1:6]) <= 9999
    ]
    versions.sort(key=lambda version: version[0])
    first = versions[0][1] if versions and versions[0][0] == 1 else None
    last = versions[-1][1] if versions else None
    return _with_fields(
        content,
        _text(content, "id") or identifier,
        authors=from_line(_text(content, "authors") or "", split_and=True),
        version=versions[-1][0] if versions else None,
        published_at=from_mail(_text(first, "date")),
        updated_at=from_mail(_text(last, "date")),
        withdrawn="I" in (_text(last, "source_type") or ""),
    )


def _with_fields(
    content: etree._Element,
    id_text: str,
    *,
    authors: tuple[Author, ...],
    published_at: datetime | None,
    updated_at: datetime | None,
    version: int | None = None,
    withdrawn: bool = False,
) -> Paper | None:
    """Make the paper with the fields that both of arXiv's own formats write alike."""
    categories = (_text(content, "categories") or "").split()
    return make_paper(
        id_text=id_text,
        title=_text(content, "title"),
        abstract=_text(content, "abstract"),
        authors=authors,
        version=version,
        published_at=published_at,
        updated_at=updated_at,
        primary_category=categories[0] if categories else None,
        categories=categories,
        comment=_text(content, "comments"),
        journal_ref=_text(content, "journal-ref"),
        doi=_text(content, "doi"),
        withdrawn=withdrawn,
    )


_READERS: dict[str, Callable[[etree._Element, str, etree._Element | None], Paper | None]] = {
    "dc": _dublin_core,
    "arXiv": _arxiv,
    "arXivRaw": _arxiv_raw,
}


def _person(element: etree._Element) -> Author | None:
    names = (_text(element, part) for part in ("forenames", "keyname", "suffix"))
    where = [text for child in element if local_name(child) == "affiliation" and (text := text_of(child))]
    return author(" ".join(name.strip() for name in names if name), "; ".join(where) or None)


def _categories_of_sets(header: etree._Element | None) -> list[str]:
    """Return the categories that the sets name: ``cs:cs:LG`` is cs.LG, ``physics:nucl-ex`` is nucl-ex."""
    found = []
    for child in header if header is not None else ():
        parts = (text_of(child) or "").strip().split(":") if local_name(child) == "setSpec" else []
        if len(parts) == 3:
            found.append(parts[1] if parts[1] == parts[2] else f"{parts[1]}.{parts[2]}")
        elif len(parts) == 2:
            found.append(parts[1])
    return found


def _all(content: etree._Element, name: str) -> list[str]:
    return [text for element in content.iterchildren(f"{DC}{name}") if (text := text_of(element))]


def _child(element: etree._Element | None, name: str) -> etree._Element | None:
    """Return the first child of that local name, in whatever namespace (bare records have none)."""
    if element is None:
        return None
    return next((child for child in element.iterchildren(etree.Element) if local_name(child) == name), None)


def _text(element: etree._Element | None, name: str) -> str | None:
    return text_of(_child(element, name))
