"""What a query is made of: keywords, clauses and the query, each printing itself as it would be typed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from paperdigest.query.fields import Field, reads_as_field

__all__ = [
    "LEAST_WEIGHT",
    "MOST_WEIGHT",
    "OPERATORS",
    "WEIGHT_END",
    "Clause",
    "Field",
    "Form",
    "Keyword",
    "Occur",
    "Query",
    "is_balanced",
]

LEAST_WEIGHT, MOST_WEIGHT = 0.01, 100.0
"""The bounds of a clause's weight."""

OPERATORS = frozenset(("AND", "OR", "NOT"))
"""What other search engines read as operators: alone and in capitals they are no words, unless quoted."""

WEIGHT_END = re.compile(r"\^(?:[-+]?(?:[0-9][0-9.]*|\.[0-9.]+)(?:e[-+]?[0-9]+)?|[-+]?(?:inf|nan)|)\Z", re.IGNORECASE)
"""A weight, good or bad, at the end of a word; ``R^2D2`` has none."""

_SIGNS_AT_START = tuple("+-=(^*")


class Form(StrEnum):
    """How a keyword's words are compared with those of a paper."""

    STEMMED = "stemmed"  # trace: and its inflections
    PREFIX = "prefix"  # trac*: what begins so
    EXACT = "exact"  # =TRACE: letter by letter, case and accents included


class Occur(StrEnum):
    """What a clause asks of a paper."""

    MAY = "may"
    MUST = "must"
    NEVER = "never"


@dataclass(frozen=True, slots=True, order=True)
class Keyword:
    """One word, or the words of a phrase in order, as typed (never empty): what is scored, once per batch."""

    words: tuple[str, ...]
    form: Form = Form.STEMMED
    field: Field | None = None

    @property
    def is_phrase(self) -> bool:
        """True when the words must stand next to each other."""
        return len(self.words) > 1

    @property
    def is_strict(self) -> bool:
        """True when only papers that match count: the reader has said precisely what is meant.

        A plain word or phrase also ranks papers that share some of its words or are near in meaning.
        """
        return self.form is not Form.STEMMED or self.field is not None

    def __str__(self) -> str:
        text = " ".join(self.words)
        is_operator = text in OPERATORS and self.form is Form.STEMMED and not self.field
        if self.is_phrase or is_operator or (self.form is not Form.PREFIX and _means_more_unquoted(text)):
            text = f'"{text}"'
        text = f"={text}" if self.form is Form.EXACT else f"{text}*" if self.form is Form.PREFIX else text
        return f"{self.field.value}:{text}" if self.field else text


@dataclass(frozen=True, slots=True)
class Clause:
    """One keyword, or the alternatives of an ``( a OR b )`` group of which the best counts."""

    keywords: tuple[Keyword, ...]
    occur: Occur = Occur.MAY
    weight: float = 1.0

    def __str__(self) -> str:
        sign = {Occur.MAY: "", Occur.MUST: "+", Occur.NEVER: "-"}[self.occur]
        text = " OR ".join(str(keyword) for keyword in self.keywords)
        text = f"({text})" if len(self.keywords) > 1 else text
        return f"{sign}{text}" + (f"^{repr(self.weight).removesuffix('.0')}" if self.weight != 1 else "")


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query; ``str()`` prints it so that it parses to the same query again."""

    clauses: tuple[Clause, ...] = ()

    @property
    def scored(self) -> tuple[Clause, ...]:
        """Return the clauses that add to a score: all but those with ``-``."""
        return tuple(clause for clause in self.clauses if clause.occur is not Occur.NEVER)

    @property
    def keywords(self) -> tuple[Keyword, ...]:
        """Return the distinct keywords that are scored, in order of first use."""
        return tuple(dict.fromkeys(keyword for clause in self.scored for keyword in clause.keywords))

    def __str__(self) -> str:
        return " ".join(str(clause) for clause in self.clauses)


def _means_more_unquoted(word: str) -> bool:
    """Say whether a word reads as something else, or as less, when it stands without quotes."""
    return (
        word.startswith(_SIGNS_AT_START)
        or "*" in word
        or reads_as_field(word) is not None
        or WEIGHT_END.search(word) is not None
        or not is_balanced(word)
    )


def is_balanced(word: str) -> bool:
    """Say whether each parenthesis of a word has its other half in it."""
    depth = 0
    for char in word:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return False
    return depth == 0
