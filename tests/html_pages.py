"""Reads a rendered page as a strict browser does: any parse error raises."""

from __future__ import annotations

from collections.abc import Iterator

import html5lib
from lxml import etree

_FRAME = '<table role="presentation" width="640" align="center" cellpadding="0" cellspacing="0" border="0">'
FOR_OUTLOOK = (f"[if mso]>{_FRAME}<tr><td><![endif]", "[if mso]></td></tr></table><![endif]")
"""Comments that one mail program reads: a frame that keeps the page at its width."""


def parsed(html: str) -> etree._Element:
    """Parse with the HTML standard's algorithm, refusing what it calls a parse error."""
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("lxml"), strict=True, namespaceHTMLElements=False)
    root: etree._Element = parser.parse(html).getroot()
    return root


def elements(root: etree._Element) -> Iterator[etree._Element]:
    """Yield all elements in document order; a comment not for Outlook or an instruction is a fault."""
    for node in root.iter():
        if isinstance(node, etree._Comment) and node.text in FOR_OUTLOOK:
            continue
        assert isinstance(node.tag, str), f"not an element: {node!r}"
        yield node


def tags(root: etree._Element) -> list[str]:
    return [str(node.tag) for node in elements(root)]


def words(node: etree._Element) -> str:
    """The text of an element on one line."""
    return " ".join("".join(str(text) for text in node.itertext()).split())


def hrefs(root: etree._Element) -> list[str]:
    return [str(node.get("href")) for node in elements(root) if node.get("href") is not None]


def only(root: etree._Element, tag: str) -> etree._Element:
    (found,) = root.iter(tag)
    return found


def of_class(root: etree._Element, name: str) -> list[etree._Element]:
    return [node for node in elements(root) if name in str(node.get("class", "")).split()]
