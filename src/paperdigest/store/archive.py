"""The texts of the whole archive, read as a stream: counting words needs no authors, entries or keys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select

from paperdigest.store.engine import Database
from paperdigest.store.tables import papers
from paperdigest.types import Paper, PaperId, StoredPaper

__all__ = ["texts"]

_AT_ONCE = 1000


def texts(database: Database) -> Iterator[StoredPaper]:
    """Yield every paper with its title and abstract alone, in any order.

    Raises:
        StoreError: the database cannot be read.
    """
    wanted = select(papers.c.key, papers.c.title, papers.c.abstract, papers.c.first_seen_at)
    with database.reading() as connection:
        found = connection.execution_options(yield_per=_AT_ONCE).execute(wanted)
        for key, title, abstract, first_seen_at in found:
            yield _text(key, title, abstract, first_seen_at)


def _text(key: str, title: str, abstract: str | None, first_seen_at: datetime) -> StoredPaper:
    scheme, _, local = key.partition(":")
    paper = Paper(id=PaperId(scheme=scheme, local=local), title=title, abstract=abstract)
    return StoredPaper(paper=paper, first_seen_at=first_seen_at)
