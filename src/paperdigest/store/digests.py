"""Digests in the database: frozen once, under the key (subscriber, edition)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, insert, select

from paperdigest.errors import NotFoundError
from paperdigest.store.delivery_tables import deliveries, digest_items, digests
from paperdigest.store.engine import Database
from paperdigest.store.freezing import freeze, thaw
from paperdigest.store.tables import paper_keys, papers
from paperdigest.types import DeliveryState, Digest

__all__ = ["Digests", "Shown"]

_LOST = (DeliveryState.FAILED.value, DeliveryState.EXPIRED.value, DeliveryState.SKIPPED.value)
"""What ends so has not been seen."""

_REVISED = "revised"
"""How a new version of a liked paper is placed, beside the members of `types.Placement`."""

_SENT_KEYS = """
SELECT DISTINCT k2.key FROM digests d
JOIN digest_items i ON i.digest_id = d.id
JOIN paper_keys k ON k.key = i.paper_key
JOIN paper_keys k2 ON k2.paper_id = k.paper_id
JOIN deliveries v ON v.digest_id = d.id
WHERE d.subscriber_id = ? AND v.state NOT IN ('failed', 'expired', 'skipped')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """That a subscriber was shown a paper: in which edition last, and its highest version (None: never said)."""

    edition: date
    version: int | None


class Digests:
    """The digests of one database. Every method may raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, digest: Digest, *, message_id: Callable[[int], str], expires_at: datetime) -> bool:
        """Freeze a digest, its items and its delivery in one transaction.

        Args:
            digest: what was chosen; its subscriber is stored.
            message_id: makes the Message-ID from the digest's number.
            expires_at: when to give up delivering it.

        Returns:
            False when this subscriber has a digest for this edition already: then nothing is changed.
        """
        with self._database.writing() as connection:
            known = select(digests.c.id).where(
                digests.c.subscriber_id == digest.subscriber.id, digests.c.edition == digest.edition
            )
            if connection.execute(known).first() is not None:
                return False
            row = {
                "subscriber_id": digest.subscriber.id,
                "edition": digest.edition,
                "composed_at": digest.composed_at,
                "considered": digest.considered,
                "frozen": freeze(digest),
            }
            number = connection.execute(insert(digests).values(row).returning(digests.c.id)).scalar_one()
            if items := _items(digest, number):
                connection.execute(insert(digest_items), items)
            connection.execute(
                insert(deliveries).values(
                    digest_id=number,
                    state=DeliveryState.PLANNED.value,
                    attempts=0,
                    message_id=message_id(number),
                    next_attempt_at=digest.composed_at,
                    expires_at=expires_at,
                    lease_epoch=0,
                )
            )
            return True

    def get(self, number: int) -> Digest:
        """Return the frozen digest with that number.

        Raises:
            NotFoundError: there is none (the subscriber was removed).
        """
        with self._database.reading() as connection:
            frozen = connection.execute(select(digests.c.frozen).where(digests.c.id == number)).scalar()
        if frozen is None:
            raise NotFoundError("digest", str(number))
        return thaw(frozen, number=number)

    def covered_until(self, subscriber_id: int) -> datetime | None:
        """Return when the newest digest was composed that reached, or may reach, a subscriber."""
        newest = (
            select(digests.c.composed_at)
            .join(deliveries, deliveries.c.digest_id == digests.c.id)
            .where(digests.c.subscriber_id == subscriber_id, deliveries.c.state.not_in(_LOST))
        )
        with self._database.reading() as connection:
            return connection.execute(newest.order_by(digests.c.edition.desc()).limit(1)).scalar()

    def latest_edition(self, subscriber_id: int) -> date | None:
        """Return the newest edition that was planned for a subscriber."""
        newest = select(digests.c.edition).where(digests.c.subscriber_id == subscriber_id)
        with self._database.reading() as connection:
            return connection.execute(newest.order_by(digests.c.edition.desc()).limit(1)).scalar()

    def latest(self, subscriber_id: int) -> Digest | None:
        """Return the newest digest of a subscriber."""
        newest = select(digests.c.id).where(digests.c.subscriber_id == subscriber_id)
        with self._database.reading() as connection:
            number = connection.execute(newest.order_by(digests.c.edition.desc()).limit(1)).scalar()
        return None if number is None else self.get(number)

    def sent_keys(self, subscriber_id: int) -> frozenset[str]:
        """Return every identifier of every paper that went, or is on its way, to a subscriber.

        A paper of a digest that failed or expired has not been seen: it may come again.
        """
        with self._database.reading() as connection:
            return frozenset(connection.exec_driver_sql(_SENT_KEYS, (subscriber_id,)).scalars())

    def shown(self, subscriber_id: int) -> dict[str, Shown]:
        """Return what a subscriber was shown, or is about to be, by the identifier each paper is known by now."""
        key = func.coalesce(papers.c.key, digest_items.c.paper_key)
        wanted = (
            select(key, func.max(digests.c.edition), func.max(digest_items.c.version))
            .select_from(digest_items)
            .join(digests, digests.c.id == digest_items.c.digest_id)
            .join(deliveries, deliveries.c.digest_id == digests.c.id)
            .outerjoin(paper_keys, paper_keys.c.key == digest_items.c.paper_key)
            .outerjoin(papers, papers.c.id == paper_keys.c.paper_id)
            .where(digests.c.subscriber_id == subscriber_id, deliveries.c.state.not_in(_LOST))
            .group_by(key)
            .order_by(key)
        )
        with self._database.reading() as connection:
            found = connection.execute(wanted).all()
        return {one: Shown(edition=edition, version=version) for one, edition, version in found}


def _items(digest: Digest, number: int) -> list[dict[str, Any]]:
    """Return the rows of a digest's papers: the ranked ones, then the revised ones that are not among them."""
    rows: list[dict[str, Any]] = [
        {
            "paper_key": str(ranked.stored.paper.id),
            "placement": ranked.placement.value,
            "propensity": ranked.propensity,
            "score": ranked.score,
            "topic": ranked.topic,
            "version": ranked.stored.paper.version,
        }
        for ranked in digest.ranked
    ]
    chosen = {row["paper_key"] for row in rows}
    unranked = {"placement": _REVISED, "propensity": None, "score": None, "topic": None}
    revised = {str(stored.paper.id): stored.paper.version for stored in digest.revised}
    rows += [unranked | {"paper_key": key, "version": of} for key, of in revised.items() if key not in chosen]
    return [row | {"digest_id": number, "position": position} for position, row in enumerate(rows, start=1)]
