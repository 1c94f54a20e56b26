"""Papers as the store gives them back: a few queries for any number of papers, never one per paper."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from paperdigest.store.merging import MATCH_PREFIX
from paperdigest.store.tables import from_stored, to_stored
from paperdigest.types import Appearance, Author, Paper, PaperId, StoredPaper

__all__ = ["first_seen_between", "is_index_behind", "load_papers", "number_of"]

_PAPERS = """
SELECT id, key, first_seen_at, version, withdrawn, authors_count, published_at, updated_at, url, pdf_url, code_url,
  primary_category, categories, comment, journal_ref, title, title_source, abstract, abstract_source
FROM papers WHERE id IN (SELECT value FROM json_each(?))
"""
_AUTHORS = """
SELECT paper_id, name, affiliation FROM authors WHERE paper_id IN (SELECT value FROM json_each(?))
ORDER BY paper_id, position
"""
_KEYS = "SELECT paper_id, key FROM paper_keys WHERE paper_id IN (SELECT value FROM json_each(?)) ORDER BY key"
_APPEARANCES = """
SELECT e.paper_id, l.source, l.listed_on, e.rank, e.upvotes, e.comments, e.announce_type
FROM entries e JOIN listings l ON l.id = e.listing_id
WHERE e.paper_id IN (SELECT value FROM json_each(?)) AND e.confirmed
ORDER BY l.listed_on, l.source, l.period
"""
_FIRST_SEEN = """
SELECT id FROM papers WHERE first_seen_at >= ? AND first_seen_at < ?
ORDER BY first_seen_at DESC, published_at DESC, key LIMIT ?
"""
_LATEST_POSSIBLE = "9999-12-31T23:59:59.999999Z"


def is_index_behind(connection: Connection) -> bool:
    """Say whether papers wait to be indexed (see `indexing`)."""
    query = "SELECT (SELECT max(id) FROM papers) > (SELECT coalesce(max(id), 0) FROM paper_search_docsize)"
    return bool(connection.exec_driver_sql(query).scalar_one())


def first_seen_between(
    connection: Connection, since: datetime, until: datetime | None, limit: int | None
) -> tuple[StoredPaper, ...]:
    """Return the papers that the store first saw in [since, until), newest first."""
    end = to_stored(until) if until else _LATEST_POSSIBLE
    found = connection.exec_driver_sql(_FIRST_SEEN, (to_stored(since), end, -1 if limit is None else limit))
    return load_papers(connection, list(found.scalars()))


def number_of(connection: Connection, key: str) -> int | None:
    """Return the row of the paper that ``key`` ever named, or None."""
    found = connection.exec_driver_sql("SELECT paper_id FROM paper_keys WHERE key = ?", (key,))
    number: int | None = found.scalar_one_or_none()
    return number


def numbers_of(connection: Connection, keys: Sequence[str]) -> list[int]:
    """Return the rows of the papers that ``keys`` ever named, ascending and each once; unknown ones are left out."""
    query = "SELECT DISTINCT paper_id FROM paper_keys WHERE key IN (SELECT value FROM json_each(?)) ORDER BY paper_id"
    return list(connection.exec_driver_sql(query, (json.dumps(keys),)).scalars())


def load_papers(connection: Connection, numbers: Sequence[int]) -> tuple[StoredPaper, ...]:
    """Return papers by their rows, in the order given."""
    wanted = (json.dumps(numbers),)

    def grouped(query: str) -> dict[int, list[Any]]:
        rows: dict[int, list[Any]] = {}
        for number, *values in connection.exec_driver_sql(query, wanted):
            rows.setdefault(number, []).append(values)
        return rows

    authors, keys, appearances = grouped(_AUTHORS), grouped(_KEYS), grouped(_APPEARANCES)
    found = {
        row[0]: _stored_paper(row, authors.get(row[0], ()), keys.get(row[0], ()), appearances.get(row[0], ()))
        for row in connection.exec_driver_sql(_PAPERS, wanted)
    }
    return tuple(found[number] for number in numbers)


def _stored_paper(
    row: Sequence[Any], authors: Sequence[Any], keys: Sequence[Any], appearances: Sequence[Any]
) -> StoredPaper:
    _, key, first_seen_at, version, withdrawn, count, published_at, updated_at, *rest = row
    url, pdf_url, code_url, primary, categories, comment, journal_ref, *texts = rest
    title, title_source, abstract, abstract_source = texts
    paper = Paper(
        id=PaperId.parse(key),
        title=title,
        abstract=abstract,
        title_source=title_source,
        abstract_source=abstract_source,
        authors=tuple([Author(name=name, affiliation=affiliation) for name, affiliation in authors]),
        authors_count=count,
        published_at=from_stored(published_at) if published_at else None,
        updated_at=from_stored(updated_at) if updated_at else None,
        version=version,
        url=url,
        pdf_url=pdf_url,
        code_url=code_url,
        primary_category=primary,
        categories=tuple(json.loads(categories)) if categories else (),
        comment=comment,
        journal_ref=journal_ref,
        withdrawn=bool(withdrawn),
        aliases=tuple([PaperId.parse(k) for (k,) in keys if k != key and not k.startswith(MATCH_PREFIX)]),
    )
    return StoredPaper(
        paper=paper,
        first_seen_at=from_stored(first_seen_at),
        entries=tuple([_appearance(values) for values in appearances]),
    )


def _appearance(values: Sequence[Any]) -> Appearance:
    source, listed_on, rank, upvotes, comments, announce_type = values
    return Appearance(
        source=source,
        listed_on=date.fromisoformat(listed_on),
        rank=rank,
        upvotes=upvotes,
        comments=comments,
        announce_type=announce_type,
    )
