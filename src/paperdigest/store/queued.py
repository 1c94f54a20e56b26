"""What waits in the outbox, for what, and until when: a few lines, however many deliveries there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import starmap
from typing import Any

from paperdigest.store.engine import Database
from paperdigest.store.operating import Operating
from paperdigest.store.pauses import MAIL, Pause
from paperdigest.store.suppressions import harmless
from paperdigest.store.tables import from_stored, to_stored
from paperdigest.types import DeliveryState

__all__ = ["Queued", "queued"]

# The detail names queue ids and times: what is alike is known by the codes. Beside min(), SQLite takes the other
# columns from the row that has it.
_ALIKE = """
SELECT state, count(*), min(next_attempt_at), detail FROM deliveries
WHERE state = 'deferred' OR (state = 'planned' AND (next_attempt_at > ?1 OR ?2))
GROUP BY state, phase, code, status ORDER BY 3, 2 DESC
"""
_CLAIMED = """
SELECT state, count(*), min(lease_until) FROM deliveries
WHERE state IN ('leased', 'sending') AND lease_until IS NOT NULL GROUP BY state ORDER BY 3
"""

_LONGEST = 160
_PAUSED = "all sending is paused"
_OF_A_RUN = {
    DeliveryState.LEASED: "a run has them; should it be dead, they go back to those that wait by then",
    DeliveryState.SENDING: "a run is sending them; should it be dead, they are in doubt by then",
}
_HELD_BACK = "not tried yet: held back because another one was refused, or their domain takes mail slowly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """Deliveries that wait for reasons of one kind: how many, from when on the first is tried, and what it waits for.

    Of those that a run has, ``next_attempt_at`` is the end of the first claim, which a run that lives prolongs.
    No address stands in ``reason``.
    """

    state: DeliveryState
    deliveries: int
    next_attempt_at: datetime
    reason: str


def queued(database: Database, now: datetime, pauses: Sequence[Pause]) -> tuple[Queued, ...]:
    """Return what was deferred or is due only after a while, the first to be tried first; while all is paused, all.

    Behind them, what a run has.

    Raises:
        StoreError: the database cannot be asked.
    """
    pause = next((one for one in pauses if one.name == MAIL), None)
    with database.reading() as connection:
        rows = connection.exec_driver_sql(_ALIKE, (to_stored(now), pause is not None)).all()
        claimed = connection.exec_driver_sql(_CLAIMED).all()
    return (*(_waiting(database, rows, now, pause) if rows else ()), *starmap(_claimed, claimed))


def _waiting(
    database: Database, rows: Sequence[Sequence[Any]], now: datetime, pause: Pause | None
) -> tuple[Queued, ...]:
    untried = _PAUSED if pause is not None else _why_untried(database)
    least = now if pause is None else pause.until_at
    return tuple(
        Queued(
            state=DeliveryState(state),
            deliveries=count,
            next_attempt_at=max(from_stored(moment), least),
            reason=(harmless(detail) or untried)[:_LONGEST],
        )
        for state, count, moment, detail in rows
    )


def _claimed(state: str, count: int, until: str) -> Queued:
    which = DeliveryState(state)
    return Queued(state=which, deliveries=count, next_attempt_at=from_stored(until), reason=_OF_A_RUN[which])


def _why_untried(database: Database) -> str:
    """Say why something waits of which nothing is written down: when a run ends early, it gives back what it held."""
    unreached = Operating(database).unreached()
    return f"not tried yet: {harmless(unreached[1])}" if unreached is not None else _HELD_BACK
