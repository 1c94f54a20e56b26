"""The parser of the query language; what each part means to a paper is in `matching`.

Grammar (EBNF; ``space`` is any white space, and stands between clauses)::

    query        = clause { space clause } ;
    clause       = [ "+" | "-" ] ( keyword | group ) [ weight ] ;
    group        = [ field ] "(" alternative { space "OR" space alternative } ")" ;
    alternative  = keyword | group ;
    keyword      = [ field ] ( [ "=" ] ( word | phrase ) | word "*" ) ;
    field        = ( "title" | "abstract" | "author" | "cat" | "source" ) ":" ;
    phrase       = '"' word { space word } '"' ;
    weight       = "^" number ;
    number       = digits, with "." and "e": finite, from 0.01 to 100 ;
    word         = any run of characters without white space and quotes, with a letter or digit in it ;

Signs are operators only at those places: ``state-of-the-art``, ``C++``, ``f(x)``, ``R^2D2``, ``a=b`` and
``http://example.org`` are words. In quotes every sign is plain, and “typographic” quotes are quotes. Fields
are read in any case; OR only in capitals. A group within a group joins it; a field before a group is the
field of each keyword in it; ``cat:cs.*`` is ``cat:cs``. What is said twice counts once, with the stronger
sign and the larger weight. What cannot be meant is refused with its column and a hint, never ignored.
"""

from __future__ import annotations

import re
from dataclasses import replace
from math import isfinite
from typing import NoReturn

from paperdigest.errors import QueryError
from paperdigest.query.fields import Field, near_field, reads_as_field
from paperdigest.query.syntax import (
    LEAST_WEIGHT,
    MOST_WEIGHT,
    OPERATORS,
    WEIGHT_END,
    Clause,
    Form,
    Keyword,
    Occur,
    Query,
    is_balanced,
)
from paperdigest.query.text import words as words_of

__all__ = ["MAX_KEYWORDS", "MAX_QUERY_CHARS", "parse_query"]

MAX_QUERY_CHARS = 2000
MAX_KEYWORDS = 100
MAX_DEPTH = 20
"""How deep groups may lie in one another; nobody writes three."""

_QUOTES = str.maketrans(dict.fromkeys("“”„‟＂", '"'))
_FIELDS = {field.value: field for field in Field}
_OCCUR = {"+": Occur.MUST, "-": Occur.NEVER}
_OR = re.compile(r'OR(?=[\s()"]|\Z)')
_WRONG_OR = re.compile(r"(?:or|Or|\|\|?|,)(?=\s|\Z)")
_NUMBER = re.compile(r"\^([^\s()]*)")
_INSTEAD = {
    "AND": "Did you mean +word? Papers need every word with + before it",
    "OR": "Words already add up, any may match; alternatives of which the best counts are ( a OR b )",
    "NOT": "Did you mean -word? Papers with it are left out",
    "&&": "Did you mean +word? Papers need every word with + before it",
    "||": "Alternatives are written ( a OR b )",
}
_LITERAL = "In quotes every sign is plain"


def parse_query(text: str) -> Query:
    """Read a query; ``parse_query(str(query)) == query`` for whatever this returns.

    Raises:
        QueryError: it cannot be meant as written; names the column and says what to write instead.
    """
    if len(text) > MAX_QUERY_CHARS:
        raise QueryError(text[:60] + "…", 1, f"longer than {MAX_QUERY_CHARS} characters", "Split it into topics")
    reader = _Reader(text)
    query = Query(_joined(reader, reader.clauses()))
    if not query.clauses:
        reader.fail(0, "the query is empty", 'Write words or "a phrase", e.g. trace')
    if not query.scored:
        reader.fail(0, "there is nothing to look for, only what to leave out", "Add what you want: trace -hardware")
    if sum(len(clause.keywords) for clause in query.clauses) > MAX_KEYWORDS:
        reader.fail(0, f"more than {MAX_KEYWORDS} keywords", "Split it into topics")
    return query


def _joined(reader: _Reader, clauses: list[tuple[int, Clause]]) -> tuple[Clause, ...]:
    """Join clauses that say the same twice; refuse those that contradict each other."""
    found: dict[frozenset[Keyword], Clause] = {}
    for place, clause in clauses:
        key = frozenset(clause.keywords)
        before = found.setdefault(key, clause)
        if (before.occur is Occur.NEVER) != (clause.occur is Occur.NEVER):
            reader.fail(place, "the same is wanted and left out", "Keep one of the two")
        occur = Occur.MUST if Occur.MUST in (before.occur, clause.occur) else before.occur
        found[key] = replace(before, occur=occur, weight=max(before.weight, clause.weight))
    return tuple(found.values())


class _Reader:
    """One pass over a query; ``at`` is the place of the next character."""

    def __init__(self, text: str) -> None:
        self._shown = "".join(char if char.isprintable() else " " for char in text)
        self.text = text.translate(_QUOTES)
        self.at = 0
        self.depth = 0

    def fail(self, place: int, problem: str, hint: str) -> NoReturn:
        """Refuse the query.

        Raises:
            QueryError: always; ``place`` counts from 0, its column from 1.
        """
        raise QueryError(self._shown, place + 1, problem, hint)

    def clauses(self) -> list[tuple[int, Clause]]:
        """Read to the end: each clause with its place."""
        found: list[tuple[int, Clause]] = []
        self._skip_space()
        while self.at < len(self.text):
            if self._next == ")":
                self.fail(self.at, "this ) closes nothing", f"Write ( a OR b ). {_LITERAL}")
            found.append((self.at, self._clause()))
            self._need_end()
            self._skip_space()
        return found

    @property
    def _next(self) -> str:
        return self.text[self.at : self.at + 1]

    def _skip_space(self) -> None:
        while self._next.isspace():
            self.at += 1

    def _is_at_end_of_word(self) -> bool:
        return not self._next or self._next.isspace()

    def _need_end(self) -> None:
        if self._is_at_end_of_word() or self._next == ")":
            return
        if self._next == "*":
            self.fail(self.at, "a phrase has no prefix", "Write one word before *, e.g. trac*")
        self.fail(self.at, "here a space is missing", "Put a space between keywords")

    def _clause(self) -> Clause:
        place = self.at
        occur = _OCCUR.get(self._next, Occur.MAY)
        if occur is not Occur.MAY:
            self.at += 1
            sign = self.text[place]
            if self._next and self._next in "+-":
                self.fail(self.at, f"{self._next!r} follows {sign!r}", f"Write one sign: {sign}word. {_LITERAL}")
            if self._is_at_end_of_word():
                self.fail(place, f"{sign!r} stands alone", f"Write {sign}word, without a space. {_LITERAL}")
        keywords = self._alternative(None)
        weight = self._weight(occur)
        return Clause(tuple(dict.fromkeys(keywords)), occur, weight)

    def _weight(self, occur: Occur) -> float:
        if (match := _NUMBER.match(self.text, self.at)) is None:
            return 1.0
        place, self.at = self.at, match.end()
        if self.depth or occur is Occur.NEVER:
            where = "in a group, whose best alternative counts" if self.depth else "of what is left out"
            self.fail(place, f"a weight {where} says nothing", "Write ( a OR b )^2, or word^2")
        try:
            weight = float(match[1]) if match[1].isascii() and "_" not in match[1] else -1.0
        except ValueError:
            weight = -1.0
        if not (isfinite(weight) and LEAST_WEIGHT <= weight <= MOST_WEIGHT):
            bounds = f"from {LEAST_WEIGHT:g} to {MOST_WEIGHT:g}"
            self.fail(place, f"a weight is a number {bounds}", f"Write word^2 or word^0.5. {_LITERAL}")
        return weight

    def _alternative(self, outer: Field | None) -> list[Keyword]:
        """Read a keyword, or a group of them, each in ``outer`` or a field of its own."""
        if outer is not None:
            self._refuse_field_within(outer)
        field = self._field()
        if field is not None:
            self._need_keyword_after(field)
        if self._next == "(":
            return self._group(field or outer)
        return [self._keyword(field or outer)]

    def _field(self) -> Field | None:
        """Read ``title:`` and its like."""
        name = reads_as_field(self.text, self.at)
        if name is None:
            return None
        if name.lower() not in _FIELDS:
            near = near_field(name)
            hint = f"Did you mean {near.value}:?" if near else f"The fields are {', '.join(f'{f}:' for f in _FIELDS)}."
            self.fail(self.at, f"there is no field {name}:", f"{hint} {_LITERAL}")
        self.at += len(name) + 1
        return _FIELDS[name.lower()]

    def _need_keyword_after(self, field: Field) -> None:
        name = field.value
        if self._is_at_end_of_word() or self._next == ")":
            self.fail(self.at - 1, f"nothing follows {name}:", f"Write {name}:word, without a space")
        if self._next in "+-":
            self.fail(self.at, f"{self._next!r} stands before the field", f"Write {self._next}{name}:word")
        self._refuse_field_within(field)

    def _refuse_field_within(self, outer: Field) -> None:
        if (name := reads_as_field(self.text, self.at)) is not None:
            hint = f"Write {outer.value}:word {name}:word. {_LITERAL}"
            self.fail(self.at, f"{name}: within {outer.value}:", hint)

    def _group(self, field: Field | None) -> list[Keyword]:
        opened = self.at
        self.at += 1
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(opened, f"groups in groups, more than {MAX_DEPTH} deep", "One group does: ( a OR b OR c )")
        found = self._group_member(field, opened)
        while self._next != ")":
            match = _OR.match(self.text, self.at)
            if match is None:
                wrong = _WRONG_OR.match(self.text, self.at)
                here = f"{wrong[0]!r} is not OR" if wrong else "the alternatives of a group have OR between them"
                self.fail(self.at, here, "Write ( a OR b ); what papers need besides stands outside: +c ( a OR b )")
            self.at = match.end()
            found += self._group_member(field, opened)
        self.at += 1
        self.depth -= 1
        return found

    def _group_member(self, field: Field | None, opened: int) -> list[Keyword]:
        """Read one alternative and the space around it."""
        self._skip_space()
        if self._next in "+-" and self._next:
            self.fail(self.at, f"{self._next!r} within a group", f"Write it before the group: {self._next}( a OR b )")
        if self._next == ")" or _OR.match(self.text, self.at):
            self.fail(self.at, "here an alternative is missing", "Write ( a OR b )")
        if self._next:
            found = self._alternative(field)
            self._weight(Occur.MAY)
            self._need_end()
            self._skip_space()
        if not self._next:
            self.fail(opened, "this ( is never closed", f"Write ( a OR b ). {_LITERAL}")
        return found

    def _keyword(self, field: Field | None) -> Keyword:
        place = self.at
        form = Form.STEMMED
        if self._next == "=":
            self.at += 1
            form = Form.EXACT
            self._check_after_equals(place)
        if self._next == '"':
            return Keyword(self._phrase(), form, field)
        word = self._word(place, form, field)
        if word.endswith("*"):
            return _prefix(word[:-1], field)
        return Keyword((word,), form, field)

    def _check_after_equals(self, place: int) -> None:
        if self._is_at_end_of_word() or self._next in "()":
            self.fail(place, "nothing follows =", 'Write =WORD or ="Exact Phrase", without a space')
        if (name := reads_as_field(self.text, self.at)) is not None:
            self.fail(place, f"= stands before {name}:", f"Write {name}:=WORD. {_LITERAL}")
        if self._next in "+-=":
            self.fail(self.at, f"{self._next!r} follows =", f'Write ="{self._next}word". {_LITERAL}')

    def _phrase(self) -> tuple[str, ...]:
        place = self.at
        end = self.text.find('"', place + 1)
        if end < 0:
            self.fail(place, "this quote is never closed", 'Write a phrase as "software traceability"')
        found = tuple(self.text[place + 1 : end].split())
        if not words_of(" ".join(found)):
            self.fail(place, "an empty phrase matches nothing", "Put words between the quotes")
        self.at = end + 1
        return found

    def _word(self, place: int, form: Form, field: Field | None) -> str:
        """Read a word (with its ``*``, without its weight) and refuse what only looks like one."""
        start = self.at
        self.at = end = self._end_of_word()
        word = self.text[start:end]
        if (weight := WEIGHT_END.search(word)) is not None:
            self.at = start + weight.start()
            word = word[: weight.start()]
        if form is Form.STEMMED and field is None and word in OPERATORS and self.text[place - 1 : place] not in _OCCUR:
            self.fail(place, f"{word} is not an operator here", f'{_INSTEAD[word]}. The word itself is "{word}"')
        if not word and weight is not None:
            self.fail(place, "a weight stands apart from its word", 'Write word^2 or "a phrase"^2, without a space')
        if not words_of(word):
            hint = _INSTEAD.get(word, f"Write plain words, or quote them. {_LITERAL}")
            self.fail(place, f"{word!r} has no letter or digit", hint)
        if "*" in word:
            self._check_star(start, word, form, field)
        return word

    def _end_of_word(self) -> int:
        depth = 0
        for place in range(self.at, len(self.text)):
            char = self.text[place]
            depth += (char == "(") - (char == ")")
            if depth < 0 or char == '"' or char.isspace():
                return place
        return len(self.text)

    def _check_star(self, start: int, word: str, form: Form, field: Field | None) -> None:
        star = word.index("*")
        if form is Form.EXACT:
            self.fail(start + star, "an exact word has no prefix", f'Write trac*, or ="{word}" for the sign itself')
        if star < len(word) - 1:
            self.fail(start + star, "* stands at the end of a word", f'Write trac*, or "{word}" for the sign itself')
        if not is_balanced(word):
            self.fail(start, "a parenthesis without its other half", f'Write trac*. {_LITERAL}: "{word}"')
        if not words_of(word[star - 1]) and not (field is Field.CATEGORY and word[star - 1] == "."):
            self.fail(start + star, "* follows a letter or digit", f'Write trac*, or ="{word}" for the sign itself')


def _prefix(word: str, field: Field | None) -> Keyword:
    if field is Field.CATEGORY and word.endswith("."):
        return Keyword((word[:-1],), Form.STEMMED, field)
    return Keyword((word,), Form.PREFIX, field)
