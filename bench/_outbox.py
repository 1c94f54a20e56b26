"""A database with many deliveries that wait, made by plain SQL, and the lanes that mark them."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from paperdigest.store import Database, Store, open_database
from paperdigest.store.claims import Claim, Intent, Outcome, new_owner
from paperdigest.store.engine import connect_raw
from paperdigest.store.ledger import Ledger
from paperdigest.store.marks import Marks
from paperdigest.types import DeliveryState

__all__ = ["MOMENT", "claimed", "clock", "filled", "in_lanes"]

MOMENT = datetime(2026, 4, 15, 6, tzinfo=UTC)
_SINCE, _UNTIL = "2026-04-15T06:00:00.000000Z", "2026-04-16T18:00:00.000000Z"

_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
_ROWS = (
    f"""{_NUMBERS} INSERT INTO subscribers (id, email, status, days, at, tz, max_papers, created_at)
        SELECT i, 'reader' || i || '@example.org', 'active', '01234', '07:00', 'UTC', 10, '{_SINCE}' FROM n""",
    f"""{_NUMBERS} INSERT INTO digests (id, subscriber_id, edition, composed_at, considered, frozen)
        SELECT i, i, '2026-04-15', '{_SINCE}', 100, '{{}}' FROM n""",
    f"""{_NUMBERS} INSERT INTO deliveries
        (id, digest_id, state, attempts, message_id, next_attempt_at, expires_at, lease_epoch)
        SELECT i, i, 'planned', 0, '<20260415.' || i || '.0123456789abcdef0123@example.org>', '{_SINCE}', '{_UNTIL}', 0
        FROM n""",
)


def clock() -> datetime:
    """Return always the same moment."""
    return MOMENT + timedelta(seconds=1)


def filled(path: Path, count: int) -> Database:
    """Make a database in which ``count`` deliveries are due."""
    store = Store.open(path, create=True)
    with closing(connect_raw(path)) as connection:
        for statement in _ROWS:
            connection.execute(statement, (count,))
    return store.database


def claimed(database: Database, count: int, owner: str = "bench") -> list[Claim]:
    """Claim so many, fifty at a time."""
    ledger, found = Ledger(database), list[Claim]()
    while len(found) < count:
        found += ledger.claim(clock(), owner=owner, limit=min(50, count - len(found)))
    return found


def in_lanes(lanes: int, claims: list[Claim], work: Callable[[Claim], object]) -> None:
    """Do the work for each claim in so many threads."""
    waiting = deque(claims)

    def lane() -> None:
        while waiting:
            try:
                claim = waiting.popleft()
            except IndexError:
                return
            work(claim)

    threads = [threading.Thread(target=lane) for _ in range(lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def work(path: Path, lanes: int) -> tuple[int, float]:
    """Deliver what is due until nothing is; return how many that were, and the longest wait for an intent."""
    database, owner = open_database(path), new_owner()
    ledger, count, waits = Ledger(database), 0, [0.0]
    with Marks(database, clock) as marks:

        def deliver(claim: Claim) -> None:
            start = time.perf_counter()
            assert marks.intend(claim, bytes(16)) is Intent.GRANTED
            waits.append(time.perf_counter() - start)
            marks.settle(claim, Outcome(state=DeliveryState.SENT))

        while claims := ledger.claim(clock(), owner=owner, limit=100):
            count += len(claims)
            in_lanes(lanes, list(claims), deliver)
    database.close()
    return count, max(waits)


if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()
    print(*work(Path(sys.argv[1]), int(sys.argv[2])), flush=True)
