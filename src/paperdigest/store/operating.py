"""The figures of operation: what an operator watches, by one query each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from paperdigest.store.delivery_tables import deliveries, digests
from paperdigest.store.engine import Database
from paperdigest.store.operation_tables import bounces
from paperdigest.store.tables import from_stored, to_stored
from paperdigest.types import DeliveryState, MailPhase

__all__ = ["Operating", "SourceFigures"]

_SOURCES = """
SELECT source, state, count(*) AS listings, max(retrieved_at) AS retrieved_at, max(listed_on) AS listed_on
FROM listings GROUP BY source, state
"""
_ENTRIES = """
SELECT l.source, count(*) AS number FROM entries e JOIN listings l ON l.id = e.listing_id
WHERE e.confirmed GROUP BY l.source
"""
_WAITING = """
SELECT
  (SELECT count(*) FROM deliveries WHERE state = 'planned' AND next_attempt_at <= ?1)
  + (SELECT count(*) FROM deliveries WHERE state = 'deferred' AND next_attempt_at <= ?1)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFigures:
    """The listings of one source in one state: how many, when the last was read."""

    source: str
    state: str
    listings: int
    retrieved_at: datetime


class Operating:
    """The figures of one database. Every method may raise StoreError; ``now`` is aware UTC."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def given_up(self, since: datetime) -> int:
        """Return how many deliveries came too late, their time being over since a moment."""
        late = (deliveries.c.state == DeliveryState.EXPIRED.value, deliveries.c.expires_at > since)
        with self._database.reading() as connection:
            return connection.execute(select(func.count()).where(*late)).scalar_one()

    def unreached(self) -> tuple[datetime, str] | None:
        """Return since when a delivery has waited because the mail server could not even be asked, and why.

        None when there is none, or something was sent since it was last tried.
        """
        phases = [MailPhase.CONNECT.value, MailPhase.GREETING.value, MailPhase.HELLO.value]
        waiting = (
            select(deliveries.c.detail, digests.c.composed_at, deliveries.c.next_attempt_at)
            .join(digests, digests.c.id == deliveries.c.digest_id)
            .where(deliveries.c.state == DeliveryState.DEFERRED.value, deliveries.c.phase.in_(phases))
            .order_by(digests.c.composed_at)
            .limit(1)
        )
        sent = select(func.max(deliveries.c.sent_at, type_=deliveries.c.sent_at.type))
        with self._database.reading() as connection:
            row = connection.execute(waiting).first()
            last_sent = connection.execute(sent).scalar() if row is not None else None
        if row is None or (last_sent is not None and last_sent > row.composed_at):
            return None
        return row.composed_at, row.detail or "no connection"

    def undecided(self, now: datetime) -> int:
        """Return how many deliveries are in doubt whose wait is over: no policy will decide about them."""
        over = (deliveries.c.state == DeliveryState.IN_DOUBT.value, deliveries.c.next_attempt_at <= now)
        with self._database.reading() as connection:
            return connection.execute(select(func.count()).where(*over)).scalar_one()

    def queued(self, now: datetime) -> int:
        """Return how many deliveries wait to be tried now."""
        with self._database.reading() as connection:
            return int(connection.exec_driver_sql(_WAITING, (to_stored(now),)).scalar_one())

    def bounces(self) -> Mapping[str, int]:
        """Return how many reports of each kind have come in."""
        counted = select(bounces.c.kind, func.count().label("number")).group_by(bounces.c.kind)
        with self._database.reading() as connection:
            return {row.kind: row.number for row in connection.execute(counted)}

    def sources(self) -> tuple[SourceFigures, ...]:
        """Return the listings by source and state."""
        with self._database.reading() as connection:
            rows = connection.exec_driver_sql(_SOURCES).all()
        return tuple(
            SourceFigures(
                source=row.source,
                state=row.state,
                listings=row.listings,
                retrieved_at=from_stored(row.retrieved_at),
            )
            for row in rows
        )

    def entries(self) -> Mapping[str, int]:
        """Return how many entries each source's listings hold."""
        with self._database.reading() as connection:
            return {row.source: row.number for row in connection.exec_driver_sql(_ENTRIES)}
