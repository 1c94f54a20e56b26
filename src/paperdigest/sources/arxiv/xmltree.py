"""XML from strangers: one hardened parser. No DTD, no entities, no network, bounded depth and size."""

from __future__ import annotations

import re

from lxml import etree

from paperdigest.errors import ParseError
from paperdigest.protocols import ParseContext

__all__ = ["ARXIV", "ATOM", "DC", "check_size", "load", "local_name", "text_of"]

ATOM = "{http://www.w3.org/2005/Atom}"
ARXIV = "{http://arxiv.org/schemas/atom}"
DC = "{http://purl.org/dc/elements/1.1/}"
_DTD = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_PROLOG_BYTES = 4096
_MAX_TAGS = 2_000_000


def load(body: bytes, context: ParseContext) -> etree._Element:
    """Parse ``body`` strictly and return the root element.

    Depth is at most 256 elements and a text at most 10 MB (libxml2's own limits, never lifted).

    Raises:
        ParseError: not well-formed, too deep, or with a document type (where entity bombs live).
    """
    if _DTD.search(body, 0, _PROLOG_BYTES):
        raise _no_dtd(context)
    check_size(body, context)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise ParseError(context.name, f"is not well-formed XML: {error}", source=context.source) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise _no_dtd(context)
    return root


def check_size(body: bytes, context: ParseContext) -> None:
    """Bound the memory that a tree of ``body`` can take: tags cost a hundred times their bytes.

    Raises:
        ParseError: empty, or with millions of tags.
    """
    if not body.strip():
        hint = "arXiv does this when it is busy; try again later"
        raise ParseError(context.name, "is empty", source=context.source, hint=hint)
    if body.count(b"<") > _MAX_TAGS:
        raise ParseError(context.name, f"has more than {_MAX_TAGS} tags", source=context.source)


def text_of(element: etree._Element | None) -> str | None:
    """Return all text in ``element``, None when there is none: an empty element says nothing."""
    if element is None:
        return None
    text = "".join(map(str, element.itertext())) if len(element) else element.text
    return text if text and not text.isspace() else None


def local_name(element: etree._Element) -> str:
    """Return the tag without its namespace."""
    return element.tag.rpartition("}")[2]


def _no_dtd(context: ParseContext) -> ParseError:
    return ParseError(context.name, "declares a document type or entities, which are refused", source=context.source)
