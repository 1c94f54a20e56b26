"""Is the database sound? SQLite's own checks, then what must always be true of our rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from paperdigest.store import indexing
from paperdigest.store.delivery_invariants import DELIVERY_INVARIANTS
from paperdigest.store.engine import connect_raw, translated

__all__ = ["check", "counts"]

_INVARIANTS = {
    "papers without an identifier": "SELECT count(*) FROM papers WHERE key NOT IN (SELECT key FROM paper_keys)",
    "papers known by another paper's identifier": """
        SELECT count(*) FROM papers JOIN paper_keys k ON k.key = papers.key WHERE k.paper_id <> papers.id
    """,
    "papers that stand in no listing": "SELECT count(*) FROM papers WHERE id NOT IN (SELECT paper_id FROM entries)",
    "papers of unknown origin": "SELECT count(*) FROM papers WHERE id NOT IN (SELECT paper_id FROM provenance)",
    "papers with more authors named than counted": """
        SELECT count(*) FROM papers
        WHERE coalesce(authors_count, 0) < (SELECT count(*) FROM authors WHERE paper_id = papers.id)
    """,
    "papers with a gap in their authors": """
        SELECT count(*) FROM (SELECT 1 FROM authors GROUP BY paper_id HAVING max(position) <> count(*))
    """,
    "votes that belong to no entry": """
        SELECT count(*) FROM votes v WHERE NOT EXISTS (
          SELECT 1 FROM entries e WHERE e.listing_id = v.listing_id AND e.paper_id = v.paper_id
        )
    """,
    "entries whose votes are not in the history": """
        SELECT count(*) FROM entries e WHERE (upvotes IS NOT NULL OR comments IS NOT NULL) AND NOT EXISTS (
          SELECT 1 FROM votes v WHERE v.listing_id = e.listing_id AND v.paper_id = e.paper_id
          AND v.upvotes IS e.upvotes AND v.comments IS e.comments
        )
    """,
    "papers first seen later than one of their versions": """
        SELECT count(*) FROM papers JOIN versions v ON v.paper_id = papers.id
        WHERE v.first_seen_at < papers.first_seen_at
    """,
    "papers more or fewer than there are in the word counts": """
        SELECT abs(s.documents
          - (SELECT count(*) FROM papers WHERE id <= s.counted_up_to)
          - (SELECT count(*) FROM recounts WHERE paper_id NOT IN (SELECT id FROM papers)))
        FROM (SELECT coalesce(max(documents), 0) AS documents, coalesce(max(counted_up_to), 0) AS counted_up_to
          FROM archive_statistics) s
    """,
    "words counted in no paper, or in more than there are": """
        SELECT count(*) FROM term_statistics
        WHERE documents < 1 OR documents > (SELECT coalesce(max(documents), 0) FROM archive_statistics)
    """,
    "texts to be counted again of papers that were never counted": """
        SELECT count(*) FROM recounts
        WHERE paper_id > (SELECT coalesce(max(counted_up_to), 0) FROM archive_statistics)
    """,
    "vectors of another length than their model's": """
        SELECT count(*) FROM vectors v JOIN vector_models m ON m.name = v.model
        WHERE length(v.vector) <> 2 * m.dimensions OR length(v.digest) <> 16
    """,
    "judgements of something that is no identifier": "SELECT count(*) FROM judgements WHERE paper_key NOT LIKE '_%:_%'",
    **DELIVERY_INVARIANTS,
}

_COUNTS = {
    "papers": "SELECT count(*) FROM papers",
    "entries": "SELECT count(*) FROM entries WHERE confirmed",
    "listings": "SELECT count(*) FROM listings",
    "subscribers": "SELECT count(*) FROM subscribers",
}


def check(path: Path) -> tuple[str, ...]:
    """Return what is wrong with the database, in words; empty when it is sound. Changes nothing.

    Raises:
        StoreError: it cannot even be opened.
    """
    with translated(path), closing(connect_raw(path)) as connection:
        # A damaged page may stop any of these; what was found up to there is the finding then.
        findings: list[str] = []
        try:
            findings += _file_findings(connection)
            findings += [
                f"{count} {what}" for what, query in _INVARIANTS.items() if (count := _number(connection, query))
            ]
            findings += _search_findings(connection)
        except sqlite3.DatabaseError as error:
            if (error.sqlite_errorcode & 0xFF) not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise
            findings.append(f"the file is damaged: {error}")
    return tuple(findings)


def _file_findings(connection: sqlite3.Connection) -> list[str]:
    findings = [f"the file is damaged: {text}" for (text,) in connection.execute("PRAGMA integrity_check(20)")]
    findings = [] if findings == ["the file is damaged: ok"] else findings
    broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    tables = sorted({(str(table), str(parent)) for table, _, parent, _ in broken})
    return findings + [f"rows of {table} refer to {parent} that do not exist" for table, parent in tables]


def _search_findings(connection: sqlite3.Connection) -> list[str]:
    """Compare the search index with the texts (FTS5, 6.6: rank 1 asks for the external content, too)."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        indexing.index_waiting(connection.cursor())  # for the moment only: nothing of this is kept
        connection.execute("INSERT INTO paper_search (paper_search, rank) VALUES ('integrity-check', 1)")
    except sqlite3.DatabaseError as error:
        if (error.sqlite_errorcode & 0xFF) != sqlite3.SQLITE_CORRUPT:
            raise
        return ["the search index does not fit the papers"]
    finally:
        connection.execute("ROLLBACK")
    return []


def counts(path: Path) -> dict[str, int]:
    """Return how many papers, entries, listings and subscribers there are."""
    with translated(path), closing(connect_raw(path)) as connection:
        return {name: _number(connection, query) for name, query in _COUNTS.items()}


def _number(connection: sqlite3.Connection, query: str) -> int:
    number: int = connection.execute(query).fetchone()[0]
    return number
