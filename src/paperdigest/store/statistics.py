"""How common each word is in the archive: counted once per paper, exactly, and kept up as papers change.

For every counted paper the distinct stems of title and abstract count one document each, and its length (in words,
those of the title twice) adds to the total. All of it are sums of integers, so after any history of recording,
joining and counting they are those of a fresh count of the same papers.

What is counted needs little book-keeping: papers are numbered upwards and counted in that order. When the text of a
counted paper changes or the paper is joined with another, recording keeps the old text (`recounting`); the next
`Statistics.update` takes it out again and counts the new one.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from itertools import chain

import Stemmer
from sqlalchemy import Connection, delete, func, insert, select, text, update

from paperdigest.query.text import Document, stems
from paperdigest.store.chunking import chunks
from paperdigest.store.engine import Database
from paperdigest.store.ranking_tables import archive_statistics, recounts, term_statistics
from paperdigest.store.tables import papers

__all__ = ["ArchiveCounts", "Statistics"]

BATCH = 1000
"""Papers in one transaction: some 0.2 s, during which others may read but not write."""

LONGEST_TERM = 500
"""A longer run of letters and digits is no word, and PostgreSQL could not index it (2,704 bytes)."""

_ADD = text(
    "INSERT INTO term_statistics (term, documents) VALUES (:term, :documents)"
    " ON CONFLICT (term) DO UPDATE SET documents = term_statistics.documents + excluded.documents"
)
_DROP = text("DELETE FROM term_statistics WHERE term = :term AND documents = 0")
_PROBE = "Tracing traced traces, tracéabilité 迹 ﬁeld state-of-the-art naïve 2x² Straße ΣΟΦΌΣ s"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveCounts:
    """The number of counted papers, their mean length in words, and in how many of them each stem stands."""

    documents: int = 0
    average_length: float = 0.0
    document_frequency: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Change:
    """What is to be added to the stored sums; papers that are taken out count negatively."""

    terms: Counter[str] = field(default_factory=Counter)
    documents: int = 0
    length: int = 0

    def count(self, title: str, abstract: str | None, sign: int = 1) -> None:
        document = Document(stems(title), stems(abstract or ""))
        self.documents += sign
        self.length += sign * document.length
        for term in {term for term in chain(document.title, document.abstract) if len(term) <= LONGEST_TERM}:
            self.terms[term] += sign


class Statistics:
    """The word counts of one database. Every method may raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def update(self) -> int:
        """Count the papers that are not counted yet and recount those that changed; return how many it looked at.

        In transactions of `BATCH` papers, so memory is bounded; one that is interrupted is taken up by the next.
        With nothing to do it reads two rows and writes nothing.
        """
        done = 0
        while self._is_behind():
            with self._database.writing() as connection:
                _start(connection)
                done += _recount(connection) or _count_new(connection)
        return done

    def mark(self) -> tuple[int, ...]:
        """Return some numbers that are others after every `update` that counted anything new."""
        columns = archive_statistics.c
        newest = select(columns.counted_up_to, columns.documents, columns.total_length)
        with self._database.reading() as connection:
            return tuple(connection.execute(newest).one_or_none() or ())

    def load(self, terms: Iterable[str] | None = None) -> ArchiveCounts:
        """Return the counts as of the last `update`; of the given stems alone, when some are given.

        A stem that stands in no paper is not in the result.
        """
        columns = select(term_statistics.c.term, term_statistics.c.documents)
        found: dict[str, int] = {}
        with self._database.reading() as connection:
            size = connection.execute(
                select(archive_statistics.c.documents, archive_statistics.c.total_length)
            ).one_or_none()
            if terms is None:
                found.update(iter(connection.execute(columns)))
            else:
                for chunk in chunks(sorted({term for term in terms if len(term) <= LONGEST_TERM})):
                    wanted = columns.where(term_statistics.c.term.in_(chunk))
                    found.update(iter(connection.execute(wanted)))
        documents, length = size or (0, 0)
        return ArchiveCounts(
            documents=documents,
            average_length=length / documents if documents else 0.0,
            document_frequency=found,
        )

    def _is_behind(self) -> bool:
        with self._database.reading() as connection:
            newest = connection.execute(select(func.max(papers.c.id))).scalar() or 0
            row = connection.execute(
                select(archive_statistics.c.counted_up_to, archive_statistics.c.counted_by)
            ).one_or_none()
            if row is None:
                return newest > 0
            waiting = connection.execute(select(recounts.c.paper_id).limit(1)).first()
            return newest > row.counted_up_to or row.counted_by != _rules() or waiting is not None


@cache
def _rules() -> str:
    """Return a mark of the rules by which texts become stems: with other rules everything is counted anew."""
    told = (stems(_PROBE), unicodedata.unidata_version, Stemmer.version(), LONGEST_TERM)
    return blake2b(repr(told).encode(), digest_size=16).hexdigest()


def _start(connection: Connection) -> None:
    """Make sure that there are sums, and that they were counted by our rules."""
    # The lock is for databases that know many writers at once; SQLite knows one.
    counted_by = connection.execute(select(archive_statistics.c.counted_by).with_for_update()).scalar()
    if counted_by == _rules():
        return
    for table in (archive_statistics, term_statistics, recounts):
        connection.execute(delete(table))
    row = {"id": 1, "documents": 0, "total_length": 0, "counted_up_to": 0, "counted_by": _rules()}
    connection.execute(insert(archive_statistics).values(row))


def _recount(connection: Connection) -> int:
    """Take old texts out and count the present ones in their place; return how many."""
    wanted = select(recounts).order_by(recounts.c.paper_id).limit(BATCH)
    old = connection.execute(wanted).all()
    if not old:
        return 0
    change = _Change()
    for _, title, abstract in old:
        change.count(title, abstract, sign=-1)
    for chunk in chunks(number for number, _, _ in old):
        present = select(papers.c.title, papers.c.abstract).where(papers.c.id.in_(chunk))
        for title, abstract in connection.execute(present):
            change.count(title, abstract)
        connection.execute(delete(recounts).where(recounts.c.paper_id.in_(chunk)))
    _apply(connection, change)
    return len(old)


def _count_new(connection: Connection) -> int:
    """Count the next papers; return how many."""
    up_to = connection.execute(select(archive_statistics.c.counted_up_to)).scalar_one()
    wanted = select(papers.c.id, papers.c.title, papers.c.abstract).where(papers.c.id > up_to)
    found = connection.execute(wanted.order_by(papers.c.id).limit(BATCH)).all()
    change = _Change()
    for _, title, abstract in found:
        change.count(title, abstract)
    _apply(connection, change)
    if found:
        connection.execute(update(archive_statistics).values(counted_up_to=found[-1][0]))
    return len(found)


def _apply(connection: Connection, change: _Change) -> None:
    terms = sorted((term, count) for term, count in change.terms.items() if count)
    if terms:
        connection.execute(_ADD, [{"term": term, "documents": count} for term, count in terms])
    if fewer := [{"term": term} for term, count in terms if count < 0]:
        connection.execute(_DROP, fewer)
    connection.execute(
        update(archive_statistics).values(
            documents=archive_statistics.c.documents + change.documents,
            total_length=archive_statistics.c.total_length + change.length,
        )
    )
