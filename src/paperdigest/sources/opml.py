"""Subscription lists: OPML in and out, and the RDF/FOAF lists ("planets") that came before it.

Source: OPML 2.0 (http://opml.org/spec2.opml). Reading is as tolerant as feed readers' exports demand and
bounded like the reading of feeds; nothing in a list is ever fetched.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from lxml import etree

from paperdigest.errors import ParseError
from paperdigest.sources.feed.armour import armour
from paperdigest.sources.feed.fast import NotWalkableError, parse_xml
from paperdigest.sources.feed.intake import take_in
from paperdigest.sources.feed.links import is_web

__all__ = ["Outline", "read_opml", "write_opml"]

Kind = Literal["feed", "list", "page"]
Path = tuple[str, ...]

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_LISTS = frozenset({"opml", "outlinedocument", "rdf"})
_NAMED_ENTITY = re.compile(r"&(?!amp;|lt;|gt;|quot;|apos;)([A-Za-z]\w{1,30});")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_MAX_LEVELS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One line of a subscription list.

    ``kind``: a ``feed``; another ``list`` that this one includes (listed, never followed); or a ``page``
    that was subscribed to without its feed being known. ``url`` is that of the feed, list or page.
    ``categories`` are paths, outermost group first.
    """

    url: str
    title: str | None = None
    html_url: str | None = None
    categories: tuple[Path, ...] = ()
    kind: Kind = "feed"


def read_opml(body: bytes, where: str = "input") -> tuple[Outline, ...]:
    """Read a subscription list; a URL that stands in several groups comes once, with all its categories.

    Lines without an http(s) URL are left out. A list without a body, or with an empty one, is empty.

    Raises:
        ParseError: no subscription list, or a hostile one.
    """
    taken = take_in(body, where, what="subscription list")
    if taken.root == "{":
        raise ParseError(where, "JSON, not a subscription list")
    try:
        root = parse_xml(taken.text)
    except NotWalkableError:
        root = _recovered(taken.text, where)
    found = [*_outlines(root), *_foaf(root)]
    if not found and taken.root not in _LISTS:
        raise ParseError(where, f"XML, but no subscription list: the root element is <{taken.root}>")
    return _merged(found)


def write_opml(outlines: Iterable[Outline], title: str = "paperdigest") -> bytes:
    """Write OPML 2.0 that `read_opml` reads back: same feeds, titles, pages and categories.

    Groups become nested outlines; a feed of several categories stands in each of them.
    """
    opml = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(opml, "head"), "title").text = _clean(title)
    body = etree.SubElement(opml, "body")
    groups: dict[Path, etree._Element] = {(): body}
    for outline in outlines:
        for path in outline.categories or ((),):
            etree.SubElement(_group(groups, path[:_MAX_LEVELS]), "outline", _attributes(outline))
    return etree.tostring(opml, encoding="utf-8", xml_declaration=True, pretty_print=True)


def _recovered(text: str, where: str) -> etree._Element:
    """Parse broken XML as far as it goes; several documents in a row count as one."""
    safe = armour(_NAMED_ENTITY.sub(_character, text), where)
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True
    )
    try:
        return etree.fromstring(f"<opml>{safe.text}</opml>".encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ParseError(where, f"too broken to be read as a subscription list ({error})"[:300]) from error


def _character(match: re.Match[str]) -> str:
    char = html.unescape(match[0])
    return char if char != match[0] and "<" not in char and "&" not in char else f"&amp;{match[1]};"


def _local(element: etree._Element) -> str:
    # str(): what stands for a reference to an unknown entity has a function for its tag.
    return str(element.tag).rpartition("}")[2].lower()


def _outlines(root: etree._Element) -> Iterator[Outline]:
    """Yield the lines of every outline in the document, wherever it stands."""
    todo: list[tuple[etree._Element, Path]] = [(root, ())]
    while todo:
        element, path = todo.pop()
        inner = path
        if _local(element) == "outline":
            fields = {str(name).lower(): _clean(str(value)) for name, value in element.attrib.items()}
            title = fields.get("text") or fields.get("title")
            if (outline := _outline(fields, title, path)) is not None:
                yield outline
            elif title and len(element):
                inner = (*path, title)
        todo.extend((child, inner) for child in reversed(element))


def _outline(fields: dict[str, str], title: str | None, path: Path) -> Outline | None:
    kind = fields.get("type", "").lower()
    feed, page, target = fields.get("xmlurl"), fields.get("htmlurl"), fields.get("url")
    categories = ((path,) if path else ()) + _category_paths(fields.get("category", ""))
    if is_web(feed):
        is_list = kind == "source"
        page = page if is_web(page) else None
        return Outline(url=feed, title=title, html_url=page, categories=categories, kind="list" if is_list else "feed")
    if kind in ("include", "link") and is_web(target):
        return Outline(url=target, title=title, categories=categories, kind="list")
    if kind in ("", "rss", "pie", "atom") and is_web(page):
        return Outline(url=page, title=title, html_url=page, categories=categories, kind="page")
    return None


def _category_paths(text: str) -> tuple[Path, ...]:
    """Read a ``category`` attribute: comma-separated, levels parted by slashes."""
    paths = (tuple(filter(None, (_clean(level) for level in path.split("/")))) for path in text.split(","))
    return tuple(dict.fromkeys(filter(None, paths)))


def _foaf(root: etree._Element) -> Iterator[Outline]:
    """Yield feeds, people's lists and pages of an RDF/FOAF document."""
    if _local(root) != "rdf" and not any(_local(child) == "rdf" for child in root):
        return
    for element in root.iter():
        name = _local(element)
        about = _clean(element.get(f"{_RDF}about", ""))
        resource = _clean(element.get(f"{_RDF}resource", ""))
        if name == "channel" and is_web(about):
            yield _foaf_line(element, about, "feed")
        elif name == "feed" and is_web(resource):
            yield _foaf_line(element, resource, "feed")
        elif name == "seealso" and is_web(resource) and any(_local(a) == "knows" for a in element.iterancestors()):
            yield _foaf_line(element, resource, "list")
        elif name == "document" and is_web(about) and not any(_is_feed(inner) for inner in element.iter()):
            yield _foaf_line(element, about, "page")


def _is_feed(element: etree._Element) -> bool:
    return _local(element) == "channel" and is_web(_clean(element.get(f"{_RDF}about", "")))


def _foaf_line(element: etree._Element, url: str, kind: Kind) -> Outline:
    title, groups = None, []
    for ancestor in element.iterancestors():
        if _local(ancestor) == "group" and (name := _foaf_name(ancestor)):
            groups.append((name,))
        elif title is None and _local(ancestor) in ("agent", "person"):
            title = _foaf_name(ancestor)
    return Outline(url=url, title=title, categories=tuple(groups), kind=kind)


def _foaf_name(element: etree._Element) -> str | None:
    names = {_local(child): _clean(child.text or "") for child in element}
    return names.get("name") or names.get("member_name") or None


def _merged(found: Iterable[Outline]) -> tuple[Outline, ...]:
    """Keep the first of each URL and kind, with the categories of all, and a title where any has one."""
    merged: dict[tuple[str, str], Outline] = {}
    for outline in found:
        first = merged.setdefault((outline.kind, outline.url), outline)
        categories = tuple(dict.fromkeys((*first.categories, *outline.categories)))
        title, page = first.title or outline.title, first.html_url or outline.html_url
        merged[outline.kind, outline.url] = replace(first, title=title, html_url=page, categories=categories)
    return tuple(merged.values())


def _group(groups: dict[Path, etree._Element], path: Path) -> etree._Element:
    if path not in groups:
        groups[path] = etree.SubElement(_group(groups, path[:-1]), "outline", text=_clean(path[-1]))
    return groups[path]


def _attributes(outline: Outline) -> dict[str, str]:
    fields = {"type": "include" if outline.kind == "list" else "rss", "text": outline.title or ""}
    fields[{"feed": "xmlUrl", "list": "url", "page": "htmlUrl"}[outline.kind]] = outline.url
    if outline.kind == "feed" and outline.html_url:
        fields["htmlUrl"] = outline.html_url
    return {name: _clean(value) for name, value in fields.items()}


def _clean(text: str) -> str:
    return " ".join(_UNPRINTABLE.sub(" ", text).split())
