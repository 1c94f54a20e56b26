"""The query language for whatever is typed: read and printed back, or refused in words."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from paperdigest.errors import QueryError
from paperdigest.query import Occur, parse_query
from paperdigest.query.syntax import LEAST_WEIGHT, MOST_WEIGHT

PIECES = [
    "trace", "C++", "AND", "OR", "NOT", "or", " ", " ", " ", "  ", "\n", '"', '"', "“", "”", "(", ")", "( ", " )",
    " OR ", "+", "-", "=", "*", "^", "^2", "^0.5", "^1e1", "^1e9", ":", "title:", "Abstract:", "author:", "cat:",
    "source:", "auther:", "x:", "http://x.org", ".", ",", "é", "²", "\x00", "\ud800", "cs.SE", "cs.*", "a", "b", "1",
]  # fmt: skip
typed = st.one_of(st.text(max_size=100), st.lists(st.sampled_from(PIECES), max_size=14).map("".join))


@settings(max_examples=500)
@given(typed)
@example("(a OR b")
@example('="AND"^2.50')
def test_every_text_is_a_query_that_prints_back_or_a_query_error(text: str) -> None:
    try:
        query = parse_query(text)
    except QueryError as error:
        assert 1 <= error.column <= len(text) + 1
        assert error.hint
        assert str(error)
        return
    assert parse_query(str(query)) == query
    assert str(parse_query(str(query))) == str(query)
    assert query.scored
    for clause in query.clauses:
        assert clause.keywords
        assert LEAST_WEIGHT <= clause.weight <= MOST_WEIGHT
        assert clause.occur is not Occur.NEVER or clause.weight == 1
        assert all(any(char.isalnum() for char in word) for keyword in clause.keywords for word in keyword.words[:1])


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_white_space_around_a_query_means_nothing(text: str) -> None:
    def read(typed: str) -> object:
        try:
            return parse_query(typed)
        except QueryError as error:
            return error.problem

    assert read(f" {text}\n") == read(text)
