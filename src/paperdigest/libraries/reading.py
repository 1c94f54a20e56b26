"""Bytes of a collection of references: which encoding, which format, how large."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator

from paperdigest.errors import ParseError
from paperdigest.libraries import bibtex, ris, spreadsheet
from paperdigest.libraries.examples import Library, Record, library_of

__all__ = ["MAX_BYTES", "MAX_EXAMPLES", "read_library"]

MAX_BYTES = 32 * 1024 * 1024
"""Larger files are refused; a thousand references with abstracts have two megabytes."""

MAX_EXAMPLES = 500
"""So many of the newest are used: what was read longest ago says least of today."""

MAX_RECORDS = 20_000
"""Entries of a file; a reader's whole library rarely has five thousand."""

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_BIBTEX = re.compile(r"@\s*\w+\s*[{(]")
_SMALLER = "Export only the collection that matters"
_NEXT_STEP = "Export it as BibTeX (.bib), Zotero CSV or RIS"


def read_library(body: bytes, where: str = "input", *, limit: int = MAX_EXAMPLES) -> Library:
    """Read a collection of references; the format is seen from the text, not from the name.

    Args:
        body: the file, in UTF-8 or UTF-16 with a byte order mark, UTF-8, or else Windows-1252.
        where: the file's name, for messages.
        limit: how many examples at most; the newest are taken.

    Raises:
        ParseError: too large, or none of the formats.
    """
    if len(body) > MAX_BYTES:
        raise ParseError(where, f"larger than {MAX_BYTES >> 20} MB", hint=_SMALLER)
    text = _decoded(body)
    found = _format(text)
    if found is not None:
        kind, records = found
        if kind == "bibtex" and text.count("@") > 5 * MAX_RECORDS:
            raise ParseError(where, f"more than {MAX_RECORDS:,} entries", hint=_SMALLER)
        return library_of(kind, _bounded(records(text), where), limit)
    if not text.strip("\ufeff \t\n"):
        raise ParseError(where, "empty", hint=_NEXT_STEP)
    raise ParseError(where, "neither BibTeX nor RIS nor a CSV with a column Title", hint=_NEXT_STEP)


def _format(text: str) -> tuple[str, Callable[[str], Iterator[Record]]] | None:
    if ris.looks_like_ris(text):
        return "ris", ris.records
    # A table may mention an entry of BibTeX, and BibTeX has no header with titles.
    if spreadsheet.header_of(text) is not None and not text.lstrip("\ufeff \t\n").startswith(("@", "%")):
        return "csv", spreadsheet.records
    return ("bibtex", bibtex.records) if _BIBTEX.search(text) else None


def _bounded(records: Iterator[Record], where: str) -> Iterator[Record]:
    for number, record in enumerate(records, start=1):
        if number > MAX_RECORDS:
            raise ParseError(where, f"more than {MAX_RECORDS:,} entries", hint=_SMALLER)
        yield record


def _decoded(body: bytes) -> str:
    """Return the text with newlines alone, and without what no text has."""
    return _text(body).replace("\0", " ").replace("\r\n", "\n").replace("\r", "\n")


def _text(body: bytes) -> str:
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")
