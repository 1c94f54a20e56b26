"""Names of authors from what feeds put into their author fields."""

from __future__ import annotations

import re
from collections.abc import Sequence

from paperdigest.types import Author

__all__ = ["author_names"]

_EMAIL = re.compile(r"(?:mailto:)?[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", re.IGNORECASE)
_EMPTY = re.compile(r"\(\s*\)|<\s*>|\[\s*\]|&lt;\s*&gt;")
_WRAPPED = re.compile(r"\((?P<name>[^()]+)\)")
_AFFILIATED = re.compile(r"(?P<name>[^()]+?)\s*\((?P<affiliation>[^()]{2,}(?:\([^()]*\)[^()]*)?)\)")
_AND = re.compile(r",?\s+(?:and|&)\s+")
_MAX_CHARS = 64 * 1024
_MAX_AUTHORS = 5000


def author_names(fields: Sequence[str]) -> tuple[Author, ...]:
    """Return one author per name, in order, without repeats.

    Several fields are one author each; a single field may join several by ``;``, ``and`` or commas
    (``Last, First`` is one name). ``mail (Name)`` and ``Name <mail>`` give the name; an address alone gives
    nobody. ``Name (Institute)`` is a name and an affiliation.
    """
    names = _split(fields[0]) if len(fields) == 1 else fields
    people = tuple(filter(None, map(_person, names[:_MAX_AUTHORS])))
    same_names = len({person.name for person in people}) < len(people)
    return tuple(dict.fromkeys(people)) if same_names else people


def _person(text: str) -> Author | None:
    text = text[:500]
    if "@" in text:
        text = _EMPTY.sub("", _EMAIL.sub("", text)).strip()
        if (wrapped := _WRAPPED.fullmatch(text)) is not None:
            text = wrapped["name"]
    if "  " in text or not text.isprintable():
        text = " ".join(text.split())
    text = text.strip(" ,;")
    if "(" in text and (affiliated := _AFFILIATED.fullmatch(text)) is not None:
        return Author(name=affiliated["name"], affiliation=affiliated["affiliation"])
    return Author(name=text) if text else None


def _split(text: str) -> list[str]:
    text = " ".join(text[:_MAX_CHARS].split())
    if ";" in text:
        return text.split(";")
    parts = [part for chunk in _AND.split(text) for part in _split_commas(chunk)]
    # "Last, First" has a part of one word; "Ada Lovelace, Alan Turing" has none.
    if len(parts) > 1 and all(" " in part.strip() for part in parts):
        return parts
    return _AND.split(text) if _AND.search(text) and all(len(p.split()) > 1 for p in _AND.split(text)) else [text]


def _split_commas(text: str) -> list[str]:
    """Split at commas outside brackets: affiliations hold commas too."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")" and depth > 0)
        if char == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]
