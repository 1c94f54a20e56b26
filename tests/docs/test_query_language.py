"""The reference page of the query language says what the parser and the matcher do."""

from __future__ import annotations

import re

import pytest

from paperdigest.errors import QueryError
from paperdigest.query import parse_query, parsing
from paperdigest.query.matching import Document, matches
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "reference" / "query-language.md").read_text("utf-8")


def rows(head: str) -> list[tuple[str, ...]]:
    """The rows of the table whose first line is ``head``."""
    (table,) = re.findall(rf"^{re.escape(head)}\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table.splitlines()]


def test_the_grammar_is_that_of_the_parser() -> None:
    (grammar,) = re.findall(r"```ebnf\n(.*?)```", PAGE, re.DOTALL)
    stated = [line.strip() for line in (parsing.__doc__ or "").splitlines() if re.match(r"    \w+ +=", line)]
    assert grammar.splitlines() == stated
    assert len(stated) == 10


@pytest.mark.parametrize("row", rows("| write | means |"), ids=lambda row: row[0])
def test_every_example_is_a_query(row: tuple[str, ...]) -> None:
    query = row[0].strip("`")
    if query.startswith("-"):
        query = f"something {query}"
    assert parse_query(str(parse_query(query))) == parse_query(query)


@pytest.mark.parametrize("row", rows("| query | column | hint |"), ids=lambda row: row[0])
def test_every_refusal_is_as_shown(row: tuple[str, ...]) -> None:
    with pytest.raises(QueryError) as caught:
        parse_query(row[0].strip("`"))
    assert (str(caught.value.column), row[2] in str(caught.value.hint)) == (row[1], True)


def test_the_refusal_shown_in_full_is_what_is_printed() -> None:
    (shown,) = re.findall(r"\$ paperdigest papers '([^']*)'\n(.*?)```", PAGE, re.DOTALL)
    with pytest.raises(QueryError) as caught:
        parse_query(shown[0])
    assert str(caught.value) == shown[1].rstrip("\n")


@pytest.mark.parametrize("row", rows("| `author:` | finds | does not find |"), ids=lambda row: row[0])
def test_every_author_is_found_as_shown(row: tuple[str, ...]) -> None:
    query = parse_query(row[0].strip("`"))
    assert all(matches(query, Document(authors=(name,))) for name in row[1].split("; "))
    assert not any(matches(query, Document(authors=(name,))) for name in row[2].split("; "))
