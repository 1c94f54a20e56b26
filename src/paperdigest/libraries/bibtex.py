"""BibTeX and BibLaTeX, as Zotero, JabRef, Google Scholar and people write them.

Source: BibTeX's own documentation (O. Patashnik, "BibTeXing", 1988); bibtexparser 2 does the splitting, which is
linear and goes on behind a broken entry.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

from bibtexparser.entrypoint import parse_string
from bibtexparser.model import DuplicateBlockKeyBlock, DuplicateFieldKeyBlock, Entry, ParsingFailedBlock

from paperdigest.libraries.examples import Record, first_of, names_of

__all__ = ["records"]

# It warns of each broken entry; we count them and say so ourselves.
logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)

_PIECES = re.compile(r'"([^"]*)"|\{([^{}]*)\}|([^\s#"{}]+)')


def records(text: str) -> Iterator[Record]:
    """Yield every entry, and a problem for each one that is broken, in the order of the file."""
    library = parse_string(text)
    for block in library.blocks:
        if isinstance(block, Entry):
            yield _record(block)
        elif isinstance(block, DuplicateBlockKeyBlock | DuplicateFieldKeyBlock) and isinstance(
            block.ignore_error_block, Entry
        ):
            yield _record(block.ignore_error_block)
        elif isinstance(block, ParsingFailedBlock):
            yield Record(where=f"line {(block.start_line or 0) + 1}", problem="broken BibTeX")


def _record(entry: Entry) -> Record:
    fields: dict[str, str] = {}
    for one in entry.fields:
        fields.setdefault(str(one.key).strip().lower(), _value(str(one.value)))
    archive = first_of(fields, "archiveprefix", "eprinttype").lower()
    is_arxiv = archive in ("", "arxiv")
    return Record(
        where=f"{entry.key}, line {(entry.start_line or 0) + 1}",
        title=": ".join(part for part in (fields.get("title", ""), fields.get("subtitle", "")) if part.strip()),
        abstract=fields.get("abstract", ""),
        authors=names_of(first_of(fields, "author", "editor")),
        date=first_of(fields, "date", "year"),
        added=first_of(fields, "timestamp", "date-added", "dateadded"),
        identifiers=(*((fields.get("eprint", ""),) * is_arxiv), fields.get("doi", ""), fields.get("url", "")),
        mentions=tuple(fields.get(name, "") for name in ("journal", "number", "note", "howpublished", "publisher")),
    )


def _value(raw: str) -> str:
    """Join what ``#`` joins; abbreviations that the file does not define stand for themselves."""
    raw = raw.strip()
    if raw.startswith(('"', "{")) and "#" in raw:
        return "".join(next(filter(None, piece), "") for piece in _PIECES.findall(raw))
    return raw[1:-1] if len(raw) > 1 and raw[0] == raw[-1] == '"' else raw
