"""References in a table: Zotero's CSV export, and any CSV with a column of titles.

Source: RFC 4180, as far as exports keep to it; Zotero's CSV translator for the names of the columns.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from paperdigest.libraries.examples import Record, first_of, names_of

__all__ = ["header_of", "records"]

_DELIMITERS = ",;\t|"
_TITLES = ("title", "article title", "document title")
_LEAST_LIMIT = 131_072


def header_of(text: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the delimiter and the names of the columns, lower-case; None when there is no column of titles."""
    line = text.lstrip("\ufeff \t\n").split("\n", 1)[0][:10_000]
    for delimiter in _DELIMITERS:
        names = tuple(_name(cell) for cell in next(csv.reader([line], delimiter=delimiter), []))
        if any(title in names for title in _TITLES):
            return delimiter, names
    return None


def records(text: str) -> Iterator[Record]:
    """Yield a record for each row behind the header; a row that cannot be read is a problem of its own."""
    header = header_of(text)
    if header is None:
        return
    delimiter, names = header
    # The limit is the module's, and of long notes an export may hold one.
    limit = csv.field_size_limit()
    csv.field_size_limit(max(_LEAST_LIMIT, len(text) + 1))
    try:
        reader = csv.reader(io.StringIO(text.lstrip("\ufeff \t\n"), newline=""), delimiter=delimiter)
        next(reader, None)
        for row in reader:
            if any(cell.strip() for cell in row):
                yield _record(f"line {reader.line_num}", names, row)
    except csv.Error as error:
        yield Record(where=f"line {reader.line_num}", problem=f"broken CSV ({error})")
    finally:
        csv.field_size_limit(limit)


def _record(where: str, names: Sequence[str], row: Sequence[str]) -> Record:
    if len(row) < 2 <= len(names):
        return Record(where=where, problem="a row of another table")
    cells = _cells(names, row)
    return Record(
        where=where,
        title=first_of(cells, *_TITLES),
        abstract=first_of(cells, "abstract note", "abstract"),
        authors=names_of(first_of(cells, "author", "authors")),
        date=first_of(cells, "date", "publication year", "year"),
        added=first_of(cells, "date added"),
        identifiers=tuple(cells.get(name, "") for name in ("arxiv", "arxiv id", "doi", "url", "link")),
        mentions=tuple(cells.get(name, "") for name in ("extra", "publication title", "report number", "number")),
    )


def _cells(names: Sequence[str], row: Sequence[str]) -> Mapping[str, str]:
    cells: dict[str, str] = {}
    for name, cell in zip(names, row, strict=False):
        cells.setdefault(name, cell)
    return cells


def _name(cell: str) -> str:
    return " ".join(cell.strip(" \"'\ufeff").lower().replace("_", " ").split())
