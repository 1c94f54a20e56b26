"""`merging.Knowledge` to rows and back: papers, provenance, authors, keys, versions.

Plain SQL on the driver's cursor, many rows at a time: this is the path of every fetch, and going through
SQLAlchemy's statement objects costs more than SQLite itself. Lists of values travel as one JSON argument.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from sqlite3 import Cursor
from typing import Any

from paperdigest.store.merging import Fields, Knowledge, Stamp, best_key

__all__ = ["load_knowledge", "next_paper_id", "save_changed", "save_new"]

_INSERT_PAPER = """
INSERT INTO papers (
  id, key, first_seen_at, version, withdrawn, authors_count, published_at, updated_at, url,
  pdf_url, code_url, primary_category, categories, comment, journal_ref, title, title_source, abstract, abstract_source
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_UPDATE_PAPER = """
UPDATE papers SET
  key = ?2, first_seen_at = ?3, version = ?4, withdrawn = ?5, authors_count = ?6, published_at = ?7,
  updated_at = ?8, url = ?9, pdf_url = ?10, code_url = ?11, primary_category = ?12, categories = ?13,
  comment = ?14, journal_ref = ?15, title = ?16, title_source = ?17, abstract = ?18, abstract_source = ?19
WHERE id = ?1
"""
_LOAD_PAPERS = """
SELECT v.authority, v.version, v.observed_at, v.digest, v.stamps, p.id, p.first_seen_at, p.withdrawn,
  p.authors_count, p.published_at, p.updated_at, p.url, p.pdf_url, p.code_url, p.primary_category, p.categories,
  p.comment, p.journal_ref, p.title, p.title_source, p.abstract, p.abstract_source
FROM papers p JOIN provenance v ON v.paper_id = p.id WHERE p.id IN (SELECT value FROM json_each(?))
"""
_INSERT_AUTHOR = "INSERT INTO authors (paper_id, position, name, affiliation) VALUES (?, ?, ?, ?)"
_INSERT_KEY = "INSERT INTO paper_keys (key, paper_id) VALUES (?, ?)"
_UPSERT_PROVENANCE = (
    "INSERT INTO provenance (paper_id, authority, version, observed_at, digest, stamps) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (paper_id) DO UPDATE SET authority = excluded.authority, version = excluded.version,"
    " observed_at = excluded.observed_at, digest = excluded.digest, stamps = excluded.stamps"
)
_UPSERT_VERSION = (
    "INSERT INTO versions (paper_id, version, first_seen_at, source) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (paper_id, version) DO UPDATE SET first_seen_at = excluded.first_seen_at, source = excluded.source"
)


def next_paper_id(cursor: Cursor) -> int:
    """Return the first number that no paper has or ever had."""
    row = cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = 'papers'").fetchone()
    return row[0] + 1 if row else 1


def save_new(cursor: Cursor, papers: Mapping[int, Knowledge]) -> None:
    """Insert papers under the given numbers."""
    cursor.executemany(_INSERT_PAPER, [_paper_row(number, known) for number, known in papers.items()])
    cursor.executemany(_INSERT_KEY, sorted([(key, number) for number, known in papers.items() for key in known.keys]))
    _save_details(cursor, papers)


def save_changed(cursor: Cursor, papers: Mapping[int, tuple[Knowledge, Knowledge]]) -> None:
    """Update papers from what was stored to what is known now; of an equal part nothing is written.

    The texts must have left the search index before (`indexing.delete_texts`).
    """
    after = {number: new for number, (_, new) in papers.items()}
    rows = [(_paper_row(number, old), _paper_row(number, new)) for number, (old, new) in papers.items()]
    cursor.executemany(_UPDATE_PAPER, [new for old, new in rows if old != new])
    cursor.executemany(
        _INSERT_KEY, sorted([(key, number) for number, (old, new) in papers.items() for key in new.keys - old.keys])
    )
    stale = [number for number, (old, new) in papers.items() if old.fields.authors != new.fields.authors]
    cursor.executemany("DELETE FROM authors WHERE paper_id = ?", [(number,) for number in stale])
    _save_details(cursor, after, authors_of=set(stale))


def _save_details(cursor: Cursor, papers: Mapping[int, Knowledge], authors_of: set[int] | None = None) -> None:
    cursor.executemany(
        _INSERT_AUTHOR,
        [
            (number, position, name, affiliation)
            for number, known in papers.items()
            if known.fields.authors is not None and (authors_of is None or number in authors_of)
            for position, (name, affiliation) in enumerate(known.fields.authors[0], start=1)
        ],
    )
    cursor.executemany(
        _UPSERT_PROVENANCE,
        [(number, *known.lead, _stamps_text(known.stamps)) for number, known in papers.items()],
    )
    cursor.executemany(
        _UPSERT_VERSION,
        [(number, version, *sight) for number, known in papers.items() for version, sight in known.versions.items()],
    )


def _paper_row(number: int, known: Knowledge) -> tuple[object, ...]:
    fields = known.fields
    abstract, abstract_source = fields.abstract or (None, None)
    return (
        number,
        best_key(known.keys),
        known.first_seen_at,
        max(known.versions, default=0) or None,
        fields.withdrawn,
        fields.authors[1] if fields.authors else None,
        fields.published_at,
        fields.updated_at,
        fields.url,
        fields.pdf_url,
        fields.code_url,
        fields.primary_category,
        json.dumps(fields.categories) if fields.categories else None,
        fields.comment,
        fields.journal_ref,
        *fields.title,
        abstract,
        abstract_source,
    )


def _stamps_text(stamps: Mapping[int, Stamp]) -> str | None:
    if not stamps:
        return None
    return json.dumps({Fields._fields[index]: stamp for index, stamp in sorted(stamps.items())})


def load_knowledge(cursor: Cursor, numbers: Iterable[int]) -> dict[int, Knowledge]:
    """Read papers back as they were saved, in four queries however many there are."""
    wanted = json.dumps(sorted(numbers))
    authors: dict[int, list[tuple[str, str | None]]] = {}
    for number, name, affiliation in cursor.execute(
        "SELECT paper_id, name, affiliation FROM authors WHERE paper_id IN (SELECT value FROM json_each(?))"
        " ORDER BY paper_id, position",
        (wanted,),
    ):
        authors.setdefault(number, []).append((name, affiliation))
    keys: dict[int, list[str]] = {}
    for key, number in cursor.execute(
        "SELECT key, paper_id FROM paper_keys WHERE paper_id IN (SELECT value FROM json_each(?))", (wanted,)
    ):
        keys.setdefault(number, []).append(key)
    versions: dict[int, dict[int, tuple[str, str]]] = {}
    for number, version, seen, source in cursor.execute(
        "SELECT paper_id, version, first_seen_at, source FROM versions"
        " WHERE paper_id IN (SELECT value FROM json_each(?))",
        (wanted,),
    ):
        versions.setdefault(number, {})[version] = (seen, source)
    known = {}
    for row in cursor.execute(_LOAD_PAPERS, (wanted,)).fetchall():
        authority, version, observed_at, digest, stamps, number, first_seen_at, *values = row
        known[number] = Knowledge(
            fields=_fields_from(values, tuple(authors.get(number, ()))),
            lead=(authority, version, observed_at, digest),
            stamps=_stamps_from(stamps),
            keys=frozenset(keys.get(number, ())),
            versions=versions.get(number, {}),
            first_seen_at=first_seen_at,
        )
    return known


def _fields_from(values: Sequence[Any], names: tuple[tuple[str, str | None], ...]) -> Fields:
    withdrawn, count, published_at, updated_at, url, pdf_url, code_url, primary, categories, *texts = values
    comment, journal_ref, title, title_source, abstract, abstract_source = texts
    return Fields(
        (title, title_source),
        None if abstract is None else (abstract, abstract_source),
        None if count is None else (names, count),
        published_at,
        updated_at,
        url,
        pdf_url,
        code_url,
        primary,
        tuple(json.loads(categories)) if categories else None,
        comment,
        journal_ref,
        bool(withdrawn),
    )


def _stamps_from(text: str | None) -> dict[int, Stamp]:
    if text is None:
        return {}
    return {Fields._fields.index(name): (s[0], s[1], s[2], s[3]) for name, s in json.loads(text).items()}
