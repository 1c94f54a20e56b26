"""Likes and dislikes in the database: one per subscriber, topic and paper, the newest.

A judgement names its paper by the identifier it was said of. When papers are joined later, both their judgements
are of the one paper: they are read under its present identifier, and the newest counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select
from sqlalchemy.engine import RowMapping

from paperdigest.errors import NotFoundError
from paperdigest.store.chunking import chunks
from paperdigest.store.delivery_tables import subscribers
from paperdigest.store.engine import Database
from paperdigest.store.ranking_tables import judgements
from paperdigest.store.tables import paper_keys, papers
from paperdigest.types import Judgement, PaperId

__all__ = ["Judgements"]


class Judgements:
    """The judgements of one database. Every method may raise StoreError; writers are all or nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, subscriber_ids: Iterable[int]) -> dict[int, tuple[Judgement, ...]]:
        """Return what each of the subscribers said, oldest first; an empty tuple for who said nothing.

        A judgement's ``paper_id`` is the one its paper is known by now.
        """
        found: dict[int, tuple[Judgement, ...]] = {}
        with self._database.reading() as connection:
            for chunk in chunks(dict.fromkeys(subscriber_ids)):
                said: dict[int, list[RowMapping]] = {number: [] for number in chunk}
                for row in connection.execute(_rows(chunk)).mappings():
                    said[row["subscriber_id"]].append(row)
                found.update((number, _valid(rows)) for number, rows in said.items())
        return found

    def add(self, subscriber_id: int, said: Sequence[Judgement]) -> int:
        """Store judgements; return how many are of a paper and topic not judged before.

        Of two judgements of one paper and topic the newer one stays, of two of the same moment the one given last.

        Raises:
            NotFoundError: there is no such subscriber.
        """
        with self._database.writing() as connection:
            if connection.execute(select(subscribers.c.id).where(subscribers.c.id == subscriber_id)).first() is None:
                raise NotFoundError("subscriber", str(subscriber_id), "See `paperdigest subscriber list`")
            rows = [_row(subscriber_id, one) for one in said]
            known = _present_keys(connection, [row["paper_key"] for row in rows])
            stored = {(row["topic"], row["key"]): row for row in connection.execute(_rows([subscriber_id])).mappings()}
            winners: dict[tuple[str | None, str], dict[str, Any]] = {}
            for row in rows:
                place = (row["topic"], known.get(row["paper_key"], row["paper_key"]))
                before = winners.get(place) or stored.get(place)
                if before is None or row["judged_at"] >= before["judged_at"]:
                    winners[place] = row
            for topic, key in winners:
                _remove(connection, subscriber_id, key, topic)
            if winners:
                connection.execute(insert(judgements), [row for _, row in sorted(winners.items(), key=_place)])
            return len(winners.keys() - stored.keys())

    def remove(self, subscriber_id: int, paper_key: str, topic: str | None) -> int:
        """Forget what was said of a paper, by whatever identifier, for that topic (None: for all); return how many."""
        with self._database.writing() as connection:
            key = _present_keys(connection, [paper_key]).get(paper_key, paper_key)
            return _remove(connection, subscriber_id, key, topic)


def _rows(subscriber_ids: Sequence[int]) -> Select[Any]:
    """Select the judgements with the present ``key`` of each paper, the newest last."""
    return (
        select(judgements, func.coalesce(papers.c.key, judgements.c.paper_key).label("key"))
        .outerjoin(paper_keys, paper_keys.c.key == judgements.c.paper_key)
        .outerjoin(papers, papers.c.id == paper_keys.c.paper_id)
        .where(judgements.c.subscriber_id.in_(subscriber_ids))
        .order_by(judgements.c.judged_at, judgements.c.id)
    )


def _valid(rows: Iterable[RowMapping]) -> tuple[Judgement, ...]:
    latest = {(row["topic"], row["key"]): row for row in rows}
    ordered = sorted(latest.values(), key=lambda row: (row["judged_at"], row["key"], row["topic"] or ""))
    return tuple(
        Judgement(
            paper_id=PaperId.parse(row["key"]),
            title=row["title"],
            abstract=row["abstract"],
            liked=row["liked"],
            judged_at=row["judged_at"],
            topic=row["topic"],
            origin=row["origin"],
        )
        for row in ordered
    )


def _present_keys(connection: Connection, keys: Iterable[str]) -> dict[str, str]:
    """Return the identifier by which each paper is known now; of papers that are stored."""
    now: dict[str, str] = {}
    columns = select(paper_keys.c.key, papers.c.key).join(papers, papers.c.id == paper_keys.c.paper_id)
    for chunk in chunks(dict.fromkeys(keys)):
        now.update(connection.execute(columns.where(paper_keys.c.key.in_(chunk))).tuples().all())
    return now


def _remove(connection: Connection, subscriber_id: int, key: str, topic: str | None) -> int:
    """Delete the judgements of a paper under any of its identifiers; ``key`` is the present one."""
    aliases = select(paper_keys.c.key).where(
        paper_keys.c.paper_id == select(papers.c.id).where(papers.c.key == key).scalar_subquery()
    )
    gone = delete(judgements).where(
        judgements.c.subscriber_id == subscriber_id,
        judgements.c.topic.is_not_distinct_from(topic),
        (judgements.c.paper_key == key) | judgements.c.paper_key.in_(aliases),
    )
    return connection.execute(gone).rowcount


def _row(subscriber_id: int, one: Judgement) -> dict[str, Any]:
    return {
        "subscriber_id": subscriber_id,
        "topic": one.topic,
        "paper_key": _writable(str(one.paper_id)),
        "title": _writable(one.title),
        "abstract": None if one.abstract is None else _writable(one.abstract),
        "liked": one.liked,
        "judged_at": one.judged_at,
        "origin": one.origin,
    }


def _writable(text: str) -> str:
    """Return the text with "?" for half characters, which no database takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _place(winner: tuple[tuple[str | None, str], dict[str, Any]]) -> tuple[str, str]:
    (topic, key), _ = winner
    return key, topic or ""
