"""Deliveries that wait, and a clock that stands still, for tests of the ledger and its marks."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from paperdigest.store import Store
from paperdigest.store.claims import Claim, Intent, Outcome
from paperdigest.store.digests import Digests
from paperdigest.store.engine import connect_raw
from paperdigest.store.ledger import Ledger
from paperdigest.store.marks import Marks
from paperdigest.store.subscribers import Subscribers
from paperdigest.types import DeliveryState, Digest, MailPhase, Subscriber, SubscriberStatus, Topic

NOW = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)
HASH = b"0123456789abcdef"
SENT = Outcome(state=DeliveryState.SENT, code=250, status="2.0.0", detail="250 2.0.0 queued")


@dataclass(slots=True)
class Clock:
    """A clock that is moved by hand."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


def wait(_attempts: int) -> timedelta:
    return timedelta(minutes=5)


def plan(store: Store, count: int = 1, *, at: datetime = NOW) -> list[Subscriber]:
    """Plan an empty digest each for so many new subscribers."""
    subscribers, digests = Subscribers(store.database), Digests(store.database)
    found = []
    for _ in range(count):
        reader = Subscriber(
            email=f"reader{len(subscribers.all())}@example.org",
            status=SubscriberStatus.ACTIVE,
            created_at=at,
            topics=(Topic(name="trace", query="trace"),),
        )
        stored = subscribers.add(reader)
        made = Digest(subscriber=stored, edition=at.date(), composed_at=at)
        assert digests.add(made, message_id=lambda number: f"<{number}@x>", expires_at=at + timedelta(hours=36))
        found.append(stored)
    return found


def claim_one(store: Store, now: datetime = NOW, owner: str = "test") -> Claim:
    (claim,) = Ledger(store.database).claim(now, owner=owner, limit=1)
    return claim


def settle(store: Store, claim: Claim, outcome: Outcome | DeliveryState, now: datetime = NOW) -> bool:
    """Settle a claim as one would who delivers: what needs the dot gets its intent first."""
    if isinstance(outcome, DeliveryState):
        again = now + wait(1) if outcome in (DeliveryState.DEFERRED, DeliveryState.IN_DOUBT) else None
        outcome = Outcome(state=outcome, detail="so it was", next_attempt_at=again, phase=MailPhase.DOT)
    with Marks(store.database, lambda: now) as marks:
        if outcome.state in (DeliveryState.SENT, DeliveryState.IN_DOUBT):
            assert marks.intend(claim, HASH) is Intent.GRANTED
        return marks.settle(claim, outcome).result()


def states(path: Path) -> dict[int, str]:
    """The state of each delivery, by number."""
    with contextlib.closing(connect_raw(path, mode="ro")) as connection:
        return dict(connection.execute("SELECT id, state FROM deliveries").fetchall())


def row(store: Store, number: int) -> dict[str, object]:
    """A delivery's row."""
    with contextlib.closing(connect_raw(store.path, mode="ro")) as connection:
        cursor = connection.execute("SELECT * FROM deliveries WHERE id = ?", (number,))
        names = [column[0] for column in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))
