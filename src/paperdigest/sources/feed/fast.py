"""The quick reader: one lxml walk over a well-formed RSS 0.9x/1.0/2.0 or Atom feed.

It reads what it is sure of and hands the rest (`NotWalkableError`) to the tolerant reader; on what it
reads, both give the same fields.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from lxml import etree

from paperdigest.sources.feed.fields import MAX_ENTRIES, Markup, RawEntry, RawFeed
from paperdigest.sources.feed.links import LinkChoice, absolute, is_web
from paperdigest.sources.feed.markup import looks_like_html

__all__ = ["MAX_DEPTH", "NotWalkableError", "parse_xml", "read_fast"]

MAX_DEPTH = 100
"""Elements nested deeper than this are refused; libxml2 itself stops at 256 while it reads."""

_DEEPER = etree.XPath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")")
_CORE = (
    "http://www.w3.org/2005/atom", "http://purl.org/atom/ns#", "http://purl.org/rss/1.0/",
    "http://my.netscape.com/rdf/simple/0.9/", "http://blogs.law.harvard.edu/tech/rss",
    "http://purl.org/rss/1.0/modules/rss091#",
)  # fmt: skip
_SPACES = {
    **dict.fromkeys(_CORE, ""),
    "http://purl.org/dc/elements/1.1/": "dc:",
    "http://purl.org/dc/terms/": "dcterms:",
    "http://purl.org/rss/1.0/modules/content/": "content:",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf:",
    "http://www.w3.org/1999/xhtml": "xhtml:",
    "http://search.yahoo.com/mrss": "media:",
    "http://search.yahoo.com/mrss/": "media:",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes:",
}
_RDF_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_ROOTS = frozenset({"rss", "feed", "rdf:rdf"})
_MARKUP = {
    "title": ("title", "text"), "dc:title": ("title", "text"),
    "description": ("summary", "html"), "dc:description": ("summary", "html"),
    "summary": ("summary", "text"), "abstract": ("summary", "text"),
    "content": ("content", "text"), "content:encoded": ("content", "html"), "fullitem": ("content", "html"),
    "body": ("content", "xhtml"), "xhtml:body": ("content", "xhtml"),
}  # fmt: skip
_DATES = {
    "published": "published", "pubdate": "published", "issued": "published", "dcterms:issued": "published",
    "updated": "updated", "modified": "updated", "dc:date": "updated", "dcterms:modified": "updated",
    "lastbuilddate": "updated", "created": "created", "dcterms:created": "created",
}  # fmt: skip
_AUTHORS = frozenset({"author", "dc:creator", "dc:author"})
_CATEGORIES = frozenset({"category", "dc:subject", "keywords"})
_IDENTIFIERS = frozenset({"prism:doi", "dc:identifier"})
# Elements whose meaning depends on their neighbours; only podcasts and pictures have them.
_FOREIGN = frozenset({
    "media:title", "media:description", "media:group", "media:category", "media:keywords", "itunes:author",
    "itunes:summary", "itunes:category", "itunes:keywords", "itunes:name", "tags",
})  # fmt: skip


class NotWalkableError(Exception):
    """The text is not well-formed, or holds what only the tolerant reader understands."""


def parse_xml(text: str) -> etree._Element:
    """Parse well-formed XML without entities, network or DTD, at most `MAX_DEPTH` deep.

    Raises:
        NotWalkableError: not well-formed, or deeper.
    """
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False,
        remove_comments=True, remove_pis=True, collect_ids=False,
    )  # fmt: skip
    try:
        root = etree.fromstring(text.encode("utf-8", "surrogatepass"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotWalkableError(str(error)) from error
    if _DEEPER(root):
        raise NotWalkableError(f"nested deeper than {MAX_DEPTH}")
    return root


def read_fast(text: str) -> RawFeed:
    """Read a well-formed feed; links are resolved against ``xml:base`` only.

    Raises:
        NotWalkableError: the tolerant reader must do it.
    """
    root = parse_xml(text)
    names = _Names()
    if names[root] not in _ROOTS:
        raise NotWalkableError(f"the root element is {root.tag}")
    atom = names[root] == "feed"
    head, items = _outline(root, names)
    if sum(1 for _ in root.iter("{*}item", "{*}entry", "{*}Item", "{*}ITEM")) != len(items):
        raise NotWalkableError("entries in unusual places")
    entries = tuple(_entry(item, names, atom=atom) for item in items[:MAX_ENTRIES])
    more = len(items) - len(entries)
    note = f"only the first {MAX_ENTRIES:,} of {len(items):,} entries were read" if more else None
    return RawFeed(title=head[0], link=head[1], entries=entries, dropped=more, note=note)


class _Names(dict[str, str]):
    """Short names of elements: ``title``, ``dc:creator``; ``?`` for what is not read."""

    def __getitem__(self, element: etree._Element) -> str:  # type: ignore[override]  # keyed by the element's tag
        tag = element.tag
        name = self.get(tag)
        if name is None:
            name = self[tag] = _short_name(tag, element.prefix)
        return name


def _short_name(tag: str, prefix: str | None) -> str:
    space, brace, local = tag.rpartition("}")
    local = local.lower()
    if not brace:
        return local
    space = space[1:].lower()
    if "backend.userland.com/rss" in space:
        return local
    if "prismstandard.org/namespaces/" in space:
        return f"prism:{local}"
    short = _SPACES.get(space)
    if short is None:
        return local if prefix is None else "?"
    return short + local


def _outline(root: etree._Element, names: _Names) -> tuple[tuple[str | None, str | None], list[etree._Element]]:
    """Return the feed's own title and link, and its items in order."""
    items: list[etree._Element] = []
    title: str | None = None
    link = LinkChoice()
    for element in _head_and_items(root, names):
        name = names[element]
        if name in ("item", "entry"):
            items.append(element)
        elif name == "title" and title is None:
            title = (element.text or "").strip() or None
        elif name == "link":
            _offer(link, element)
    return (title, link.best), items


def _head_and_items(root: etree._Element, names: _Names) -> Iterator[etree._Element]:
    for child in root:
        if names[child] == "channel":
            yield from child
        else:
            yield child


@dataclass(slots=True)
class _Draft:
    guid: str | None = None
    permalink: str | None = None
    link: LinkChoice = field(default_factory=LinkChoice)
    markup: dict[str, Markup] = field(default_factory=dict)
    dates: dict[str, str] = field(default_factory=dict)
    authors: list[str] = field(default_factory=list)
    identifiers: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)


def _entry(item: etree._Element, names: _Names, *, atom: bool) -> RawEntry:
    draft = _Draft(guid=item.get(_RDF_ABOUT))
    for child in item:
        name = names.get(child.tag) or names[child]
        if name in _AUTHORS:
            draft.authors.append(_author(child, names))
        elif (markup := _MARKUP.get(name)) is not None:
            _take_markup(draft, child, *markup, atom=atom)
        elif name == "link":
            _offer(draft.link, child)
        elif name in ("guid", "id"):
            _take_guid(draft, child)
        elif (date := _DATES.get(name)) is not None:
            draft.dates[date] = _text(child)
        elif name in _CATEGORIES:
            draft.categories.append((child.get("term") or child.text or "").strip())
        elif name in _IDENTIFIERS:
            draft.identifiers.append(_text(child))
        elif name in _FOREIGN:
            raise NotWalkableError(f"entries hold {name}")
    return _finished(draft)


def _finished(draft: _Draft) -> RawEntry:
    return RawEntry(
        guid=draft.guid or None,
        link=draft.link.best or draft.permalink,
        title=draft.markup.get("title"),
        summary=draft.markup.get("summary"),
        content=draft.markup.get("content"),
        authors=tuple(filter(None, draft.authors)),
        published=draft.dates.get("published") or draft.dates.get("created"),
        updated=draft.dates.get("updated"),
        identifiers=tuple(filter(None, draft.identifiers)) if draft.identifiers else (),
        categories=tuple(dict.fromkeys(filter(None, draft.categories))),
    )


def _take_guid(draft: _Draft, element: etree._Element) -> None:
    """Keep the last; unless it says ``isPermaLink="false"``, a URL in it is the page when no link is given."""
    guid = _text(element)
    if guid and element.get("isPermaLink", element.get("ispermalink", "true")) == "true":
        if not guid.startswith(("https://", "http://")):
            guid = absolute(guid, element.base)
        draft.permalink = guid if is_web(guid) else None
    draft.guid = guid or draft.guid


def _take_markup(draft: _Draft, element: etree._Element, target: str, default: str, *, atom: bool) -> None:
    """Keep the first that is not empty; a second summary is content."""
    if target in draft.markup:
        target = "content" if target == "summary" else target
        if target in draft.markup:
            return
    markup = _markup(element, default, atom=atom)
    if markup.value and not markup.value.isspace():
        draft.markup[target] = markup


def _markup(element: etree._Element, default: str, *, atom: bool) -> Markup:
    kind = element.get("type", default).lower()
    text = element.text or ""
    if len(element):
        if (sole := _escaped_in_div(element, kind)) is not None:
            return Markup(sole, html=True)
        inner = "".join(etree.tostring(child, encoding="unicode", with_tail=True) for child in element)
        return Markup(escape(text) + inner, html=True)
    if (kind == "html" or (kind == "text" and atom)) and element.get("mode") is None:
        return Markup(text, html=kind == "html")
    if kind in ("xhtml", "application/xhtml+xml"):
        return Markup(text)
    if element.get("mode") == "base64" or not (
        kind in ("text", "plain", "html") or kind.startswith("text/") or kind.endswith(("+xml", "/xml"))
    ):
        text = _unpacked(text)
    if kind in ("html", "text/html"):
        return Markup(text, html=True)
    guess = kind in ("text", "plain", "text/plain") and not atom
    return Markup(text, html=guess and looks_like_html(text.strip()))


def _escaped_in_div(element: etree._Element, kind: str) -> str | None:
    """Return escaped markup that stands inside one real ``div``, an error of a well-known blog service."""
    div = element[0]
    if kind not in ("html", "text/html") or len(element) > 1 or len(div) or not str(div.tag).endswith("div"):
        return None
    return (element.text or "") + (div.text or "") + (div.tail or "")


def _unpacked(text: str) -> str:
    try:
        return base64.decodebytes(text.encode()).decode()
    except (binascii.Error, UnicodeError):
        return text


def _author(element: etree._Element, names: _Names) -> str:
    if not len(element):
        return _text(element)
    for child in element:
        if (names.get(child.tag) or names[child]) == "name":
            return _text(child)
    return ""


def _offer(choice: LinkChoice, element: etree._Element) -> None:
    href = (element.get("href") or element.get("url") or element.get("uri") or element.text or "").strip()
    if href:
        attributes = element.get("rel"), element.get("type")
        choice.offer(href, *attributes, base=lambda: element.base)


def _text(element: etree._Element) -> str:
    text = "".join(map(str, element.itertext())) if len(element) else element.text
    return text.strip() if text else ""
