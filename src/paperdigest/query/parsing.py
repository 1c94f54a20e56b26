"""The query language of topics and searches: words and quoted phrases.

Grammar (EBNF)::

    query   = { keyword } ;
    keyword = word | phrase ;
    phrase  = '"' word { word } '"' ;
    word    = letters and digits, with . - ' + # / inside ;

Keywords add up: any may match. Signs that a later grammar gives a meaning to (``+must``, ``-never``,
``=EXACT``, ``field:``, ``word^2``, ``prefix*``, parentheses) are refused with their column rather
than silently ignored.
"""

from __future__ import annotations

import re

from paperdigest.errors import QueryError
from paperdigest.query.syntax import Clause, Keyword, Query

__all__ = ["parse_query"]

MAX_QUERY_CHARS = 2000
MAX_KEYWORDS = 100
_TOKEN = re.compile(r'\s+|"(?P<phrase>[^"]*)"|(?P<quote>")|(?P<word>[^\s"]+)')
_RESERVED_START = {"+": "must", "-": "never", "=": "exact", "(": "grouping", ")": "grouping"}
_FIELD = re.compile(r"(title|abstract|author|cat|source):", re.IGNORECASE)


def parse_query(text: str) -> Query:
    """Read a query.

    Raises:
        QueryError: empty, unclosed quote, reserved sign, or too long; names the column.
    """
    if len(text) > MAX_QUERY_CHARS:
        raise QueryError(text[:60] + "…", 1, f"longer than {MAX_QUERY_CHARS} characters", "Split it into topics")
    keywords: dict[Keyword, None] = {}
    for token in _TOKEN.finditer(text):
        column = token.start() + 1
        if token["quote"]:
            raise QueryError(text, column, "this quote is never closed", 'Write a phrase as "software traceability"')
        if token["phrase"] is not None:
            words = tuple(token["phrase"].split())
            if not any(_has_letters(word) for word in words):
                raise QueryError(text, column, "an empty phrase matches nothing", "Put words between the quotes")
            keywords[Keyword(words)] = None
        elif word := token["word"]:
            _refuse_reserved(text, column, word)
            keywords[Keyword((word,))] = None
    if not keywords:
        raise QueryError(text, 1, "the query is empty", 'Write words or "a phrase", e.g. trace')
    if len(keywords) > MAX_KEYWORDS:
        raise QueryError(text, 1, f"more than {MAX_KEYWORDS} keywords", "Split it into topics")
    return Query(tuple(Clause((keyword,)) for keyword in keywords))


def _has_letters(word: str) -> bool:
    return any(char.isalnum() for char in word)


def _refuse_reserved(text: str, column: int, word: str) -> None:
    """Refuse what looks like an operator; words such as ``state-of-the-art`` and ``C++`` pass."""
    plain = "Write plain words and quoted phrases"
    if word[0] in _RESERVED_START and len(word) > 1:
        raise QueryError(text, column, f"{word[0]!r} ({_RESERVED_START[word[0]]}) is not understood yet", plain)
    if match := _FIELD.match(word):
        raise QueryError(text, column, f"the field {match[0]!r} is not understood yet", plain)
    if word[-1] == "*" or re.search(r"\^[\d.]+\Z", word):
        raise QueryError(text, column + len(word) - 1, "prefixes and weights are not understood yet", plain)
    if not _has_letters(word):
        raise QueryError(text, column, f"{word!r} has no letter or digit", plain)
