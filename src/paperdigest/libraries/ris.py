"""RIS, which most reference managers and publishers write.

Source: Research Information Systems, "RIS format specifications" (2011).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from paperdigest.libraries.examples import Record, names_of

__all__ = ["looks_like_ris", "records"]

_LINE = re.compile(r"([A-Z][A-Z0-9])  ?-(?: (.*))?\Z")


def looks_like_ris(text: str) -> bool:
    """Say whether the first line that is not blank opens a RIS record."""
    return re.match(r"[\ufeff\s]*TY  ?-", text[:10_000]) is not None


def records(text: str) -> Iterator[Record]:
    """Yield a record for each ``TY`` … ``ER``; a missing ``ER`` ends at the next ``TY`` or the end of the text."""
    fields: dict[str, list[list[str]]] = {}
    opened = 0
    last: list[str] = []
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        match = _LINE.match(line.rstrip())
        if match is None:
            if opened and line.strip():
                last.append(line.strip())  # a long value goes on
            continue
        tag, value = match[1], (match[2] or "").strip()
        if tag in ("TY", "ER") and opened:
            yield _record(opened, fields)
            fields, opened = {}, 0
        last = [value]
        if tag == "TY":
            opened = number
        elif opened:
            fields.setdefault(tag, []).append(last)
    if opened:
        yield _record(opened, fields)


def _record(line: int, parts: dict[str, list[list[str]]]) -> Record:
    fields = {tag: [" ".join(value) for value in values] for tag, values in parts.items()}

    def first(*tags: str) -> str:
        return next((value for tag in tags for value in fields.get(tag, ()) if value), "")

    names = [name for tag in ("AU", "A1") for name in fields.get(tag, ())]
    return Record(
        where=f"line {line}",
        title=first("TI", "T1", "CT"),
        abstract=first("AB", "N2"),
        authors=names_of(" ; ".join(names)),
        date=first("DA", "PY", "Y1").replace("/", "-").strip("-"),
        identifiers=(first("DO"), *fields.get("UR", ()), *fields.get("L2", ())),
        mentions=tuple(value for tag in ("AN", "M1", "M3", "N1", "T2", "JO", "PB") for value in fields.get(tag, ())),
    )
