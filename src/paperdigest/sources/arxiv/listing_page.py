"""The page ``arxiv.org/list/CATEGORY/new``: three sections, each proving how many entries it has.

"Showing new listings for Wednesday, 12 August 2026", then "New submissions (showing 79 of 79 entries)",
"Cross submissions (…)" and "Replacement submissions (…)".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from lxml import etree

from paperdigest.errors import ParseError
from paperdigest.protocols import ParseContext
from paperdigest.sources.arxiv.authors import author
from paperdigest.sources.arxiv.dates import from_words
from paperdigest.sources.arxiv.papers import Item, listing_of, make_paper, midnight
from paperdigest.sources.arxiv.xmltree import check_size
from paperdigest.types import Author, Listing

__all__ = ["parse"]

_HEAD = re.compile(r"showing new listings for\s", re.IGNORECASE)
_SECTION = re.compile(
    r"(?P<kind>new|cross|replacement)[\s-]*(?:submissions|lists|listings|s\b)?.*?"
    r"\((?:continued,\s*)?showing\s+(?:first\s+|last\s+)?(?P<shown>\d{1,6})\s+of\s+(?P<total>\d{1,6})\s+entr",
    re.IGNORECASE | re.DOTALL,
)
_HEADING_CHARS = 300
_TYPES = {"new": "new", "cross": "cross", "replacement": "replace"}
_TOTAL = re.compile(r"total of (\d{1,6}) entries", re.IGNORECASE)
_ABS = re.compile(r"(?:https?://[a-z.]*arxiv\.org)?/abs/(?P<id>\S+)", re.IGNORECASE)
_VERSION = re.compile(r"/(?:html|pdf|abs)/[^?#\s]*v([1-9]\d{0,3})\b")
_CATEGORY = re.compile(r"\(([a-z][a-z-]*(?:\.[A-Za-z][A-Za-z-]*)?)\)")
_LINK_WORDS = re.compile(r"\s*this (?:https?|ftp) URL\s*", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True, slots=True)
class _Section:
    announce_type: str
    total: int


def parse(body: bytes, context: ParseContext) -> Listing:
    """Return the page's entries; complete when every section's count is met and the page is whole.

    Raises:
        ParseError: no head and no section: a challenge, login or error page, or a changed layout.
    """
    check_size(body, context)
    root = _tree(body, context)
    sections: list[_Section] = []
    items: list[Item] = []
    listed_on: date | None = None
    dropped = pages_total = 0
    headed = quiet = False
    for element in root.iter("h3", "dt", "p", "div"):
        if element.tag == "dt":
            item = _item(element, sections[-1].announce_type if sections else None, listed_on or context.listed_on)
            items += [item] if item else []
            dropped += item is None
        elif element.tag == "h3":
            text = (_text(element) or "")[:_HEADING_CHARS]
            if _HEAD.search(text):
                headed, listed_on = True, from_words(text)
            elif match := _SECTION.search(text):
                sections.append(_Section(_TYPES[match["kind"].lower()], int(match["total"])))
        elif element.tag == "p" and not len(element):
            quiet = quiet or (element.text or "").strip().lower().startswith("no updates")
        elif element.get("class") == "paging":
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


def _tree(body: bytes, context: ParseContext) -> etree._Element:
    text = _CONTROL.sub(" ", body.decode("utf-8", "replace"))
    parser = etree.HTMLParser(
        encoding="utf-8", no_network=True, huge_tree=False, remove_comments=True, remove_pis=True, recover=True
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.LxmlError, ValueError) as error:
        raise ParseError(context.name, f"cannot be read as a web page: {error}", source=context.source) from error
    if root is None:
        raise ParseError(context.name, "is an empty web page", source=context.source)
    return root


def _item(dt: etree._Element, announce_type: str | None, listed_on: date | None) -> Item | None:
    """Read one ``<dt>`` (identifier, links) with the ``<dd>`` that follows it (metadata)."""
    dd = dt.getnext()
    if dd is None or dd.tag != "dd":
        return None
    id_text, version = "", None
    for link in dt.iter("a"):
        href = link.get("href") or ""
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
        published_at=midnight(listed_on) if listed_on and announce_type == "new" else None,
        primary_category=categories[0] if categories else None,
        categories=categories,
        comment=_text(parts.get("list-comments")),
        journal_ref=_text(parts.get("list-journal-ref")),
    )
    return None if paper is None else (paper, announce_type)


def _parts(dd: etree._Element) -> dict[str, etree._Element]:
    """Return the metadata's blocks by the class that names them; the abstract is the plain ``<p>``."""
    found: dict[str, etree._Element] = {}
    for block in dd.iter("div", "p"):
        if block.tag == "p":
            found.setdefault("abstract", block)
            continue
        for name in (block.get("class") or "").split():
            if name.startswith("list-"):
                found.setdefault(name, block)
    return found


def _authors(block: etree._Element | None) -> tuple[Author, ...]:
    if block is None:
        return ()
    found = (author(name) for link in block.iter("a") if (name := _text(link)))
    return tuple(one for one in found if one is not None)


def _text(block: etree._Element | None) -> str | None:
    """Return a block's text without its label; line breaks are spaces, "this https URL" is the URL itself."""
    if block is None:
        return None
    pieces: list[str] = []
    for event, element in etree.iterwalk(block, events=("start", "end")):
        if event == "end":
            pieces.append((element.tail or "") if element is not block else "")
        elif element.tag == "br":
            pieces.append(" ")
        elif element.get("class") != "descriptor":
            text = element.text or ""
            pieces.append(element.get("href") or text if element.tag == "a" and _LINK_WORDS.fullmatch(text) else text)
    return "".join(pieces).strip() or None
