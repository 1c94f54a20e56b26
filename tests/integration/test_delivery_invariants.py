"""``db check`` finds every way in which the ledger could contradict itself, and nothing in a ledger that works."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from paperdigest.store import Store
from paperdigest.store.delivery_invariants import DELIVERY_INVARIANTS
from paperdigest.store.engine import connect_raw
from paperdigest.store.ledger import Ledger
from paperdigest.store.marks import Marks
from paperdigest.types import DeliveryState
from tests.ledger_samples import HASH, NOW, plan, settle, wait

DAMAGE = {
    "digests without a delivery": "DELETE FROM deliveries WHERE id = 1",
    "digests that cannot be read": "UPDATE digests SET frozen = '{' WHERE id = 1",
    "papers of digests whose text is missing": """
        INSERT INTO digest_items (digest_id, paper_key, position, fragment) VALUES (1, 'arxiv:2604.00001', 1, x'00')
    """,
    "digests with a gap in their papers": """
        INSERT INTO digest_items (digest_id, paper_key, position) VALUES (1, 'arxiv:2604.00001', 2)
    """,
    "texts of digests that cannot be read": "INSERT INTO fragments VALUES (x'00', 'text')",
    "sent deliveries without the moment": "UPDATE deliveries SET sent_at = NULL WHERE state = 'sent'",
    "deliveries with a moment of sending that were not sent": "UPDATE deliveries SET sent_at = '2026' WHERE id = 1",
    "deliveries under way without a lease": "UPDATE deliveries SET lease_owner = NULL WHERE state = 'leased'",
    "deliveries with a lease that are not under way": "UPDATE deliveries SET lease_until = '2026' WHERE id = 1",
    "deliveries tried more often than they were claimed": "UPDATE deliveries SET attempts = 9 WHERE id = 1",
    "deliveries that came to an end without an attempt": "UPDATE deliveries SET state = 'skipped' WHERE id = 1",
    "attempts that nobody made": "INSERT INTO attempts VALUES (1, 1, '2026', 'failed', NULL, NULL, NULL, NULL)",
    "letters kept of deliveries that are settled": "INSERT INTO letters SELECT id, 'a@b', x'00' FROM deliveries"
    " WHERE state = 'sent'",
    "bounces of mails to somebody else": "INSERT INTO bounces VALUES (1, 2, 1, '2026', 'gone', NULL, NULL)",
    "suppressed addresses that are no hash": "INSERT INTO suppressions VALUES (x'00', 1, 'gone', '2026', NULL, NULL)",
    "runs whose report cannot be read": "INSERT INTO runs VALUES (1, 'send', 'me', '2026', NULL, '{')",
}
"""How each finding comes about; two cannot: a unique key forbids one, the other has a test of its own."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """One delivery of each state, the way they come about."""
    opened = Store.open(tmp_path / "papers.db", create=True)
    plan(opened, 9)
    ledger = Ledger(opened.database)
    claims = ledger.claim(NOW, owner="test", limit=8)
    ends = (DeliveryState.SENT, DeliveryState.DEFERRED, DeliveryState.FAILED)
    for claim, state in zip(claims, (*ends, DeliveryState.SKIPPED, DeliveryState.IN_DOUBT), strict=False):
        settle(opened, claim, state)
    with Marks(opened.database, lambda: NOW) as marks:
        marks.intend(claims[5], HASH)
    ledger.release([claims[7]], next_attempt_at=NOW)
    yield opened
    opened.close()


def test_a_ledger_that_works_has_no_findings(store: Store) -> None:
    counts = Ledger(store.database).counts()
    assert {state for state, count in counts.items() if count} == set(counts) - {"expired"}
    assert store.check() == ()


@pytest.mark.parametrize("finding", DAMAGE)
def test_each_contradiction_is_found(store: Store, finding: str) -> None:
    with contextlib.closing(connect_raw(store.path)) as connection:
        number = connection.execute("SELECT id FROM deliveries WHERE state = 'planned' ORDER BY id").fetchone()[0]
        connection.execute(
            DAMAGE[finding].replace("id = 1", f"id = {number}").replace("VALUES (1, 1,", f"VALUES ({number}, 1,")
        )
    assert [found.partition(" ")[2] for found in store.check() if finding in found] == [finding]


def test_what_is_being_sent_must_be_known(store: Store) -> None:
    with contextlib.closing(connect_raw(store.path)) as connection:
        connection.execute("INSERT INTO fragments VALUES (x'00', '{}')")
        connection.execute(
            "INSERT INTO digest_items (digest_id, paper_key, position, fragment)"
            " SELECT digest_id, 'arxiv:2604.00001', 1, x'00' FROM deliveries WHERE state = 'sending'"
        )
        assert store.check() == ()
        connection.execute("UPDATE deliveries SET content_hash = NULL WHERE state = 'sending'")
    assert store.check() == ("1 deliveries being sent of which nothing is known",)


def test_no_invariant_is_without_its_damage() -> None:
    own = {
        "digests beside another one of the same subscriber and edition",
        "deliveries being sent of which nothing is known",
    }
    assert set(DAMAGE) | own == set(DELIVERY_INVARIANTS)


def test_recovering_and_expiring_leave_a_sound_ledger(store: Store) -> None:
    ledger = Ledger(store.database)
    for hours in (1, 2, 40):
        now = NOW.replace(hour=6 + hours % 18, day=15 + hours // 18)
        ledger.recover(now, on_in_doubt="assume_sent", wait=wait)
        ledger.expire(now)
        assert store.check() == ()
