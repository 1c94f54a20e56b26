"""The texts of the archive without authors, entries or keys: all as a stream, or the newest as a sample."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select

from paperdigest.store.engine import Database
from paperdigest.store.tables import papers
from paperdigest.types import Paper, PaperId, StoredPaper

__all__ = ["reference", "texts"]

_AT_ONCE = 1000
_TEXTS = select(papers.c.key, papers.c.title, papers.c.abstract, papers.c.first_seen_at)


def texts(database: Database) -> Iterator[StoredPaper]:
    """Yield every paper with its title and abstract alone, in any order.

    Raises:
        StoreError: the database cannot be read.
    """
    with database.reading() as connection:
        found = connection.execution_options(yield_per=_AT_ONCE).execute(_TEXTS)
        for key, title, abstract, first_seen_at in found:
            yield _text(key, title, abstract, first_seen_at)


def reference(database: Database, limit: int) -> tuple[StoredPaper, ...]:
    """Return the ``limit`` papers first seen last, with title and abstract alone: the newest first, then by identifier.

    Raises:
        StoreError: the database cannot be read.
    """
    order = (papers.c.first_seen_at.desc(), papers.c.key)
    chosen = select(papers.c.id).order_by(*order).limit(limit)  # by itself, so that no text is sorted in vain
    with database.reading() as connection:
        return tuple(_text(*row) for row in connection.execute(_TEXTS.where(papers.c.id.in_(chosen)).order_by(*order)))


def _text(key: str, title: str, abstract: str | None, first_seen_at: datetime) -> StoredPaper:
    scheme, _, local = key.partition(":")
    paper = Paper(id=PaperId(scheme=scheme, local=local), title=title, abstract=abstract)
    return StoredPaper(paper=paper, first_seen_at=first_seen_at)
