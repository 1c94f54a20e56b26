"""Queries in the language of SQLite FTS5: for keywords that the index decides, and to narrow down the others.

Every word stands in quotes and holds nothing but letters and digits, so none of them is ever an operator.

Source: SQLite FTS5, 3 (full-text query syntax).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice, product

from paperdigest.query import Clause, Field, Form, Keyword, Occur, Query
from paperdigest.query.text import words

__all__ = ["COLUMNS", "any_of", "candidates", "demanded", "is_decided"]

COLUMNS: dict[Field | None, str] = {None: "{title abstract}", Field.TITLE: "{title}", Field.ABSTRACT: "{abstract}"}
"""The fields that the index has, and their names in it."""

_OTHER_SPELLINGS = (("ffi", "ﬃ"), ("ffl", "ﬄ"), ("ff", "ﬀ"), ("fi", "ﬁ"), ("fl", "ﬂ"), ("ss", "ß"))
"""What `query.text` takes apart and the index keeps as it is printed."""

_MOST_SPELLINGS = 16


def is_decided(keyword: Keyword) -> bool:
    """Say whether the index alone decides which papers a keyword matches."""
    return keyword.form is Form.STEMMED and keyword.field in COLUMNS


def any_of(keywords: Iterable[Keyword]) -> str | None:
    """Return what matches each paper that one of the keywords of title and abstract may match (see `candidates`)."""
    return _joined(" OR ", [found for keyword in keywords if (found := candidates(keyword))])


def candidates(keyword: Keyword) -> str | None:
    """Return what matches every paper with a stemmed or exact keyword in title or abstract, None for no paper.

    Of a prefix it matches most, as the index holds stems: good enough to order papers by.
    """
    found = words(" ".join(keyword.words))
    if not found or keyword.field not in COLUMNS:
        return None
    star = " *" if keyword.form is Form.PREFIX else ""
    spellings = islice(product(*map(_spellings, found)), _MOST_SPELLINGS)
    phrases = " OR ".join(f'"{" ".join(spelling)}"{star}' for spelling in spellings)
    return f"{COLUMNS[keyword.field]} : ({phrases})"


def demanded(query: Query) -> str | None:
    """Return what papers must match when it is more than ``any_of(query.keywords)``; for decided keywords only."""
    musts = [clause for clause in query.clauses if clause.occur is Occur.MUST]
    nevers = [keyword for clause in query.clauses if clause.occur is Occur.NEVER for keyword in clause.keywords]
    wanted = _joined(" AND ", [_clause(clause) for clause in musts]) or any_of(query.keywords)
    unwanted = any_of(nevers)
    if unwanted and wanted:
        return f"({wanted}) NOT ({unwanted})"
    return wanted if musts else None


def _clause(clause: Clause) -> str:
    return any_of(clause.keywords) or '""'  # an empty phrase matches nothing


def _joined(sign: str, parts: list[str]) -> str | None:
    return sign.join(f"({part})" for part in parts) if parts else None


def _spellings(word: str) -> tuple[str, ...]:
    """Return a word as folded and as it may be printed with ligatures."""
    found = [word]
    for letters, sign in _OTHER_SPELLINGS:
        if letters in word:
            found += [spelling.replace(letters, sign) for spelling in found if letters in spelling]
    return tuple(found[:_MOST_SPELLINGS])
