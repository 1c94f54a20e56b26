"""Searching: exactly the papers that `query.matching` says a query matches, best first.

A query of plain words and phrases, whatever its signs, is one full-text query. For any other each keyword is looked
up by itself (`row_sets`), and the sets are put together.

Papers in whose texts the words stand come first, by ``bm25`` with the title counted twice (ties by key); those
that only match by author, category or source follow, newest first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from operator import and_, or_

from sqlalchemy import Connection

from paperdigest.query import Clause, Form, Keyword, Occur, Query
from paperdigest.store import full_text
from paperdigest.store.reading import load_papers
from paperdigest.store.row_sets import Rows, looked_up, read_through
from paperdigest.types import StoredPaper

__all__ = ["SearchResult", "search"]

_NEWEST = "SELECT id FROM papers ORDER BY first_seen_at DESC, published_at DESC, key LIMIT ? OFFSET ?"
_NEWEST_OF = """
SELECT id FROM papers WHERE id IN (SELECT value FROM json_each(?)) ORDER BY first_seen_at DESC, published_at DESC, key
"""
_BEST = """
SELECT paper_search.rowid FROM paper_search JOIN papers ON papers.id = paper_search.rowid
WHERE paper_search MATCH ? {} ORDER BY bm25(paper_search, 2.0, 1.0, 1.0), papers.key LIMIT ? OFFSET ?
"""
# The + keeps SQLite from asking the index anew for each row.
_FILTER = "AND +paper_search.rowid IN (SELECT rowid FROM paper_search WHERE paper_search MATCH ?)"
_COUNT = "SELECT count(*) FROM paper_search WHERE paper_search MATCH ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """One page of a search: ``total`` counts every match, ``papers`` holds the page, best first."""

    total: int
    papers: tuple[StoredPaper, ...]


def search(connection: Connection, query: Query | None, *, limit: int, offset: int = 0) -> SearchResult:
    """Find the papers that match, best first, or without a query the newest first."""
    if query is None:
        total = int(connection.exec_driver_sql("SELECT count(*) FROM papers").scalar_one())
        numbers = list(connection.exec_driver_sql(_NEWEST, (limit, offset)).scalars())
    elif all(full_text.is_decided(keyword) for clause in query.clauses for keyword in clause.keywords):
        total, numbers = _search_index(connection, query, limit, offset)
    else:
        matching = _matching(connection, query)
        total = len(matching)
        numbers = list(islice(_in_order(connection, query, matching), offset, offset + limit))
    return SearchResult(total=total, papers=load_papers(connection, numbers))


def _search_index(connection: Connection, query: Query, limit: int, offset: int) -> tuple[int, list[int]]:
    best, demanded = full_text.any_of(query.keywords), full_text.demanded(query)
    if best is None:
        return 0, []
    total = int(connection.exec_driver_sql(_COUNT, (demanded or best,)).scalar_one())
    statement = _BEST.format(_FILTER if demanded else "")
    parameters = (best, demanded, limit, offset) if demanded else (best, limit, offset)
    return total, list(connection.exec_driver_sql(statement, parameters).scalars())


def _matching(connection: Connection, query: Query) -> Rows:
    """Return the papers that match: every must, no never, and any clause that adds to a score."""
    keywords = dict.fromkeys(keyword for clause in query.clauses for keyword in clause.keywords)
    prefixes = [keyword for keyword in keywords if keyword.form is Form.PREFIX and keyword.field in full_text.COLUMNS]
    known = looked_up(connection, [keyword for keyword in keywords if keyword not in prefixes])
    known |= read_through(connection, prefixes, _demanded(query, known))
    found = reduce(or_, (_rows_of(clause, known) for clause in query.scored), Rows())
    nevers = (_rows_of(clause, known) for clause in query.clauses if clause.occur is Occur.NEVER)
    demanded = _demanded(query, known)
    return (found if demanded is None else found & demanded) - reduce(or_, nevers, Rows())


def _demanded(query: Query, known: Mapping[Keyword, Rows]) -> Rows | None:
    """Return the papers that match every must that can be told by what is known; None when there is none such."""
    musts = [clause for clause in query.clauses if clause.occur is Occur.MUST and known.keys() >= set(clause.keywords)]
    return reduce(and_, (_rows_of(clause, known) for clause in musts)) if musts else None


def _rows_of(clause: Clause, known: Mapping[Keyword, Rows]) -> Rows:
    return reduce(or_, (known[keyword] for keyword in clause.keywords), Rows())


def _in_order(connection: Connection, query: Query, matching: Rows) -> Iterator[int]:
    """Yield the papers of ``matching``, best first."""
    ranked: list[int] = []
    if len(matching) and (best := full_text.any_of(query.keywords)) is not None:
        for number in matching.only(connection.exec_driver_sql(_BEST.format(""), (best, -1, 0)).scalars()):
            ranked.append(number)
            yield number
    rest = list(matching - Rows.of(ranked))
    if rest:
        yield from connection.exec_driver_sql(_NEWEST_OF, (json.dumps(rest),)).scalars()
