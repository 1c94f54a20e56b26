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

_Place = tuple[str, str]
"""A topic's name, empty for all topics, and the identifier by which a paper is known now: one judgement each."""


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
            stored = _stored(connection, subscriber_id)
            rows = [_row(subscriber_id, one) for one in said]
            known = _present_keys(connection, [row["paper_key"] for row in rows])
            winners: dict[_Place, dict[str, Any]] = {}
            for row in rows:
                place = (row["topic"] or "", known.get(row["paper_key"], row["paper_key"]))
                before = winners.get(place) or (stored[place][-1] if place in stored else None)
                if before is None or row["judged_at"] >= before["judged_at"]:
                    winners[place] = row
            _delete(connection, [row["id"] for place in winners.keys() & stored.keys() for row in stored[place]])
            if winners:
                connection.execute(insert(judgements), [winners[place] for place in sorted(winners)])
            return len(winners.keys() - stored.keys())

    def remove(self, subscriber_id: int, paper_key: str, topic: str | None) -> int:
        """Forget what was said of a paper, by whatever identifier, for that topic (None: for all).

        Returns:
            1, or 0 when nothing was said of it.
        """
        said_of = _writable(paper_key)
        with self._database.writing() as connection:
            place = (_writable(topic or ""), _present_keys(connection, [said_of]).get(said_of, said_of))
            rows = _stored(connection, subscriber_id).get(place, [])
            _delete(connection, [row["id"] for row in rows])
        return int(bool(rows))


def _stored(connection: Connection, subscriber_id: int) -> dict[_Place, list[RowMapping]]:
    """Return the rows of each place, the newest last; there are several where papers were joined since."""
    found: dict[_Place, list[RowMapping]] = {}
    for row in connection.execute(_rows([subscriber_id])).mappings():
        found.setdefault((row["topic"] or "", row["key"]), []).append(row)
    return found


def _delete(connection: Connection, numbers: Sequence[int]) -> None:
    for chunk in chunks(numbers):
        connection.execute(delete(judgements).where(judgements.c.id.in_(chunk)))


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
        now.update(connection.execute(columns.where(paper_keys.c.key.in_(chunk))).all())
    return now


def _row(subscriber_id: int, one: Judgement) -> dict[str, Any]:
    return {
        "subscriber_id": subscriber_id,
        "topic": _writable(one.topic or "") or None,
        "paper_key": _writable(str(one.paper_id)),
        "title": _writable(one.title),
        "abstract": _writable(one.abstract) if one.abstract is not None else None,
        "liked": one.liked,
        "judged_at": one.judged_at,
        "origin": _writable(one.origin),
    }


def _writable(text: str) -> str:
    """Return the text with "?" for half characters, which no database takes."""
    return text.encode("utf-8", "replace").decode("utf-8")
