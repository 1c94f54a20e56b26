"""Fields, and reading ``title:`` and its like: names in any case, near misses told, other colons left alone."""

from __future__ import annotations

import re
from difflib import get_close_matches
from enum import StrEnum

__all__ = ["Field", "name_before_colon", "near_field", "reads_as_field"]


class Field(StrEnum):
    """Where a keyword must stand; without one: in the title or the abstract."""

    TITLE = "title"
    ABSTRACT = "abstract"
    AUTHOR = "author"
    CATEGORY = "cat"
    SOURCE = "source"


_LIKENESS = 0.75
"""How alike (`difflib`, 0 to 1) a name must be to a field's to be taken for a slip of the pen."""

_OTHER_NAMES = {
    "abs": Field.ABSTRACT,
    "summary": Field.ABSTRACT,
    "ti": Field.TITLE,
    "au": Field.AUTHOR,
    "authors": Field.AUTHOR,
    "name": Field.AUTHOR,
    "category": Field.CATEGORY,
    "categories": Field.CATEGORY,
    "subject": Field.CATEGORY,
    "feed": Field.SOURCE,
}
"""What other search engines call our fields."""

_FIELDS = {field.value: field for field in Field}
_NAME = re.compile(r"([A-Za-z]{1,40}):")


def name_before_colon(text: str, at: int = 0) -> str | None:
    """Return the letters before a colon when ``text[at:]`` begins so, else None."""
    match = _NAME.match(text, at)
    return match[1] if match else None


def near_field(name: str) -> Field | None:
    """Return the field whose name is meant by another search engine's, or by a slip of the pen, else None."""
    lower = name.lower()
    near = get_close_matches(lower, list(_FIELDS), n=1, cutoff=_LIKENESS)
    return _OTHER_NAMES.get(lower) or (_FIELDS[near[0]] if near else None)


def reads_as_field(text: str, at: int = 0) -> str | None:
    """Return the name at ``text[at:]`` that a reader takes for a field's, right or wrong; None when it is a word.

    So are all names of fields and what is near to one, unless nothing follows (``Name: …`` of a pasted
    text), and every name before a quote or parenthesis. ``http://example.org`` and ``a:b`` are words.
    """
    name = name_before_colon(text, at)
    if name is None:
        return None
    rest = text[at + len(name) + 1 : at + len(name) + 2]
    if name.lower() in _FIELDS or (rest in ('"', "(") and rest):
        return name
    return name if rest and not rest.isspace() and near_field(name) else None
