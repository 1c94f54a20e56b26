"""The query language: words, phrases, and refusals that point at the column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdigest.errors import QueryError
from paperdigest.query import Keyword, parse_query


def test_words_and_phrases_are_told_apart() -> None:
    assert parse_query('trace "software traceability"').keywords == (
        Keyword(("trace",)),
        Keyword(("software", "traceability")),
    )


def test_the_same_keyword_twice_counts_once() -> None:
    assert parse_query("trace trace").keywords == (Keyword(("trace",)),)


@pytest.mark.parametrize("text", ["state-of-the-art", "C++", "f(x)", "GPT-4o", "R^2D2", "don't", "TCP/IP", "a=b"])
def test_signs_inside_a_word_are_part_of_it(text: str) -> None:
    assert parse_query(text).keywords == (Keyword((text,)),)


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("", 1, "empty"),
        ("   ", 1, "empty"),
        ('trace "open', 7, "never closed"),
        ('""', 1, "empty phrase"),
        ("a +must", 3, "'+'"),
        ("a -never", 3, "'-'"),
        ("=EXACT", 1, "'='"),
        ("b title:x", 3, "field"),
        ("trac*", 5, "prefixes"),
        ("trace^2", 7, "prefixes"),
        ("( a )", 1, "no letter"),
        ("x " * 1001, 1, "longer"),
        (" ".join(f"w{i}" for i in range(101)), 1, "more than 100"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_column(text: str, column: int, says: str) -> None:
    with pytest.raises(QueryError, match=says.replace("+", r"\+")) as caught:
        parse_query(text)
    assert caught.value.column == column
    assert str(caught.value).splitlines()[2].index("^") == column + 1


@given(st.text(max_size=200))
def test_every_text_is_a_query_that_prints_back_or_a_query_error(text: str) -> None:
    try:
        query = parse_query(text)
    except QueryError as error:
        assert error.column >= 1
        return
    assert parse_query(str(query)) == query
