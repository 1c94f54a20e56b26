"""Marks of deliveries under way: durable before anybody goes on, many in one commit, refused when they must be."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from paperdigest.errors import StoreError
from paperdigest.store import Store, open_database
from paperdigest.store.claims import LEASE, Intent, Outcome, new_owner
from paperdigest.store.engine import connect_raw
from paperdigest.store.ledger import Ledger
from paperdigest.store.marks import Marks
from paperdigest.store.outbox import Outbox
from paperdigest.store.subscribers import Subscribers
from paperdigest.types import DeliveryState, MailPhase
from paperdigest.waiting import Signal, alone
from tests.ledger_samples import HASH, NOW, SENT, Clock, claim_one, plan, row, states

LETTER = ("b+token@bounces.example.org", b"Subject: papers\r\n\r\nTracing.\r\n")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "papers.db", create=True)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def execute(store: Store, statement: str, *values: object) -> None:
    with contextlib.closing(connect_raw(store.path)) as connection:
        connection.execute(statement, values)


def unsubscribe(store: Store) -> None:
    execute(store, "UPDATE subscribers SET status = 'unsubscribed'")


def pause(store: Store) -> None:
    execute(store, "UPDATE subscribers SET status = 'paused'")


def suppress_for_good(store: Store) -> None:
    execute(store, "INSERT INTO suppressions VALUES (x'00', 1, 'gone', '2026-04-01T00:00:00.000000Z', NULL, NULL)")


def suppress_until_tomorrow(store: Store) -> None:
    until = "2026-04-16T00:00:00.000000Z"
    execute(store, "INSERT INTO suppressions VALUES (x'00', 1, 'suspended', '2026-04-01', ?, NULL)", until)


def suppress_until_yesterday(store: Store) -> None:
    until = "2026-04-14T00:00:00.000000Z"
    execute(store, "INSERT INTO suppressions VALUES (x'00', 1, 'suspended', '2026-04-01', ?, NULL)", until)


def suppress_another(store: Store) -> None:
    execute(store, "INSERT INTO suppressions VALUES (x'00', NULL, 'gone', '2026-04-01', NULL, NULL)")


def change_address(store: Store) -> None:
    execute(store, "UPDATE subscribers SET email = 'elsewhere@example.org'")


def erase(store: Store) -> None:
    Subscribers(store.database).remove("reader0@example.org")


@pytest.mark.parametrize(
    ("change", "is_wanted", "intent"),
    [
        (unsubscribe, False, Intent.UNWANTED),
        (pause, False, Intent.UNWANTED),
        (suppress_for_good, False, Intent.UNWANTED),
        (suppress_until_tomorrow, False, Intent.UNWANTED),
        (change_address, True, Intent.UNWANTED),
        (erase, False, Intent.LOST),
        (suppress_until_yesterday, True, Intent.GRANTED),
        (suppress_another, True, Intent.GRANTED),
    ],
)
def test_a_wish_counts_until_the_final_dot(
    store: Store, clock: Clock, change: Callable[[Store], None], is_wanted: bool, intent: Intent
) -> None:
    plan(store)
    claim = claim_one(store)
    with Marks(store.database, clock) as marks:
        assert marks.wanting([claim.delivery.subscriber_id, 10**6]) == {claim.delivery.subscriber_id}
        change(store)
        assert bool(marks.wanting([claim.delivery.subscriber_id])) is is_wanted
        assert marks.intend(claim, HASH) is intent
        if intent is Intent.UNWANTED:
            skipped = Outcome(state=DeliveryState.SKIPPED, detail="unsubscribed")
            assert marks.settle(claim, skipped).result()
            assert row(store, claim.delivery.id)["state"] == "skipped"


def test_an_intent_is_durable_when_it_returns(store: Store, clock: Clock) -> None:
    plan(store)
    claim = claim_one(store)
    with Marks(store.database, clock) as marks:
        clock.move(minutes=1)
        assert marks.intend(claim, HASH) is Intent.GRANTED
        found = row(store, claim.delivery.id)
    assert (found["state"], found["content_hash"]) == ("sending", HASH)
    assert found["lease_until"] == "2026-04-15T06:06:00.000000Z"


def test_every_mark_is_flushed_to_the_disk(store: Store, clock: Clock) -> None:
    with Marks(store.database, clock) as marks:
        (level,) = marks._writer.execute("PRAGMA synchronous").fetchone()
    assert level == 2  # FULL


def test_marks_that_come_while_another_writes_share_a_commit(store: Store, clock: Clock) -> None:
    plan(store, 9)
    claims = Ledger(store.database).claim(NOW, owner="test")
    with (
        Marks(store.database, clock) as marks,
        contextlib.closing(connect_raw(store.path)) as other,
        ThreadPoolExecutor(9) as pool,
    ):
        other.execute("BEGIN IMMEDIATE")
        first = pool.submit(marks.intend, claims[0], HASH)
        while marks._queue or not marks._under_way:  # the writer has taken it and waits for the lock
            threading.Event().wait(0.001)
        rest = [pool.submit(marks.intend, claim, HASH) for claim in claims[1:]]
        while len(marks._queue) < 8:
            threading.Event().wait(0.001)
        assert not first.done()
        other.execute("COMMIT")
        assert {intent.result() for intent in (first, *rest)} == {Intent.GRANTED}
        assert (marks.marks, marks.commits) == (9, 2)


def test_one_refused_mark_does_not_harm_the_others_of_its_commit(store: Store, clock: Clock) -> None:
    plan(store, 8)
    claims = Ledger(store.database).claim(NOW, owner="test")
    execute(store, "UPDATE subscribers SET status = 'unsubscribed' WHERE id = 2")
    execute(store, "UPDATE deliveries SET lease_epoch = 7 WHERE id = 3")
    with Marks(store.database, clock) as marks, ThreadPoolExecutor(8) as pool:
        with contextlib.closing(connect_raw(store.path)) as other:
            other.execute("BEGIN IMMEDIATE")
            futures = [pool.submit(marks.intend, claim, HASH) for claim in claims]
            while len(marks._queue) + len(marks._under_way) < 8:
                threading.Event().wait(0.001)
            other.execute("COMMIT")
        granted = [future.result() for future in futures]
    expected = [Intent.GRANTED] * 8
    expected[1:3] = Intent.UNWANTED, Intent.LOST
    assert granted == expected
    assert sorted(states(store.path).values()) == ["leased"] * 2 + ["sending"] * 6


def test_marks_are_made_in_the_order_in_which_they_came(store: Store, clock: Clock) -> None:
    plan(store)
    claim = claim_one(store)
    with contextlib.closing(connect_raw(store.path)) as other, Marks(store.database, clock) as marks:
        other.execute("BEGIN IMMEDIATE")
        deferred = Outcome(state=DeliveryState.DEFERRED, next_attempt_at=NOW)
        first = marks.settle(claim, deferred)
        second = marks.settle(claim, Outcome(state=DeliveryState.FAILED))
        other.execute("COMMIT")
        assert (first.result(), second.result()) == (True, False)
    assert states(store.path) == {1: "deferred"}


def test_fifty_lanes_mark_two_hundred_deliveries_each_once(store: Store, clock: Clock) -> None:
    plan(store, 200)
    claims = Ledger(store.database).claim(NOW, owner="test", limit=200)
    with Marks(store.database, clock) as marks:

        def lane(number: int) -> list[Signal[bool]]:
            return [
                marks.settle(claim, SENT) for claim in claims[number::50] if marks.intend(claim, HASH) is Intent.GRANTED
            ]

        with ThreadPoolExecutor(50) as pool:
            settled = [future.result() for futures in pool.map(lane, range(50)) for future in futures]
        assert settled == [True] * 200
        assert marks.marks == 400
        assert marks.commits < 400
    assert Ledger(store.database).counts()["sent"] == 200


def test_what_is_queued_is_written_before_the_writer_stops(store: Store, clock: Clock) -> None:
    plan(store, 20)
    claims = Ledger(store.database).claim(NOW, owner="test")
    with Marks(store.database, clock) as marks:
        for claim in claims:
            marks.settle(claim, Outcome(state=DeliveryState.FAILED, code=550))
    assert set(states(store.path).values()) == {"failed"}
    with pytest.raises(StoreError, match="the run is over"):
        marks.intend(claims[0], HASH)


def test_an_outcome_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not what becomes of an attempt"):
        Outcome(state=DeliveryState.LEASED)
    with pytest.raises(ValueError, match="moment of the next attempt"):
        Outcome(state=DeliveryState.DEFERRED)


@pytest.mark.parametrize("state", [DeliveryState.SENT, DeliveryState.IN_DOUBT])
def test_nothing_is_sent_or_in_doubt_without_an_intent(store: Store, clock: Clock, state: DeliveryState) -> None:
    plan(store)
    claim = claim_one(store)
    later = NOW if state is DeliveryState.IN_DOUBT else None
    with Marks(store.database, clock) as marks:
        assert not marks.settle(claim, Outcome(state=state, next_attempt_at=later)).result()
    assert states(store.path) == {1: "leased"}


def test_what_is_being_sent_cannot_be_skipped(store: Store, clock: Clock) -> None:
    plan(store)
    claim = claim_one(store)
    with Marks(store.database, clock) as marks:
        marks.intend(claim, HASH)
        assert not marks.settle(claim, Outcome(state=DeliveryState.SKIPPED)).result()
    assert states(store.path) == {1: "sending"}


def test_attempts_that_did_not_succeed_are_recorded(store: Store, clock: Clock) -> None:
    plan(store)
    first = claim_one(store)
    hostile = "451 4.7.1 try \ud800 later " + "x" * 5000
    deferred = Outcome(
        state=DeliveryState.DEFERRED,
        phase=MailPhase.RCPT,
        code=451,
        status="4.7.1",
        detail=hostile,
        next_attempt_at=NOW,
    )
    with Marks(store.database, clock) as marks:
        assert marks.settle(first, deferred).result()
        second = claim_one(store)
        assert marks.intend(second, HASH) is Intent.GRANTED
        assert marks.settle(second, SENT).result()
    (attempt,) = Outbox(store.database).attempts(1)
    assert (attempt.number, attempt.state, attempt.phase) == (1, DeliveryState.DEFERRED, MailPhase.RCPT)
    assert (attempt.code, attempt.status, attempt.ended_at) == (451, "4.7.1", NOW)
    assert attempt.detail == hostile[:1000].replace("\ud800", "?")


def test_the_letter_is_kept_while_in_doubt_and_dropped_when_settled(store: Store, clock: Clock) -> None:
    plan(store)
    ledger, claim = Ledger(store.database), claim_one(store)
    doubt = Outcome(state=DeliveryState.IN_DOUBT, phase=MailPhase.DOT, next_attempt_at=NOW, letter=LETTER)
    with Marks(store.database, clock) as marks:
        marks.intend(claim, HASH)
        assert marks.settle(claim, doubt).result()
        assert ledger.letter(1) == LETTER
        ledger.recover(NOW, on_in_doubt="resend", wait=lambda _: timedelta(0))
        again = claim_one(store)
        assert again.delivery.content_hash == HASH
        deferred = Outcome(state=DeliveryState.DEFERRED, next_attempt_at=NOW, letter=LETTER)
        assert marks.settle(again, deferred).result()
        assert ledger.letter(1) == LETTER
        last = claim_one(store)
        marks.intend(last, HASH)
        assert marks.settle(last, SENT).result()
    assert ledger.letter(1) is None


def test_a_refused_message_is_not_compared_with_the_next_one(store: Store, clock: Clock) -> None:
    plan(store)
    claim = claim_one(store)
    with Marks(store.database, clock) as marks:
        marks.intend(claim, HASH)
        refused = Outcome(state=DeliveryState.DEFERRED, phase=MailPhase.DOT, code=451, next_attempt_at=NOW)
        assert marks.settle(claim, refused).result()
    assert claim_one(store).delivery.content_hash is None


@pytest.mark.parametrize("looks", [1, 2])
@pytest.mark.parametrize("late", [timedelta(0), timedelta(hours=1)])
def test_who_was_stopped_between_the_commit_and_the_dot_does_not_send_it(
    store: Store, looks: int, late: timedelta
) -> None:
    plan(store)
    claim = claim_one(store)
    moments = iter([NOW] * looks)  # at the commit; and as the watchdog is about to be set
    with Marks(store.database, lambda: next(moments, NOW + LEASE + late)) as marks:
        assert marks.intend(claim, HASH) is Intent.LOST
    assert states(store.path) == {1: "deferred"}
    assert [one.state for one in Outbox(store.database).attempts(1)] == [DeliveryState.DEFERRED]


def test_who_is_stopped_between_that_look_and_the_dot_is_ended_before_it_goes_on(store: Store, clock: Clock) -> None:
    plan(store)
    claim = claim_one(store)
    with Marks(store.database, clock) as marks:

        async def watched() -> tuple[Intent, float]:
            return await marks.intending(claim, HASH), signal.getitimer(signal.ITIMER_REAL)[0]

        intent, left_s = alone(watched())
    assert intent is Intent.GRANTED
    assert LEASE.total_seconds() - 1 < left_s <= LEASE.total_seconds()
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_outcomes_are_written_once_the_database_allows_it(store: Store, clock: Clock) -> None:
    plan(store, 2)
    impatient = open_database(store.path, busy_timeout=timedelta(milliseconds=10))
    first, second = Ledger(impatient).claim(NOW, owner="test")
    with contextlib.closing(connect_raw(store.path)) as other, Marks(impatient, clock) as marks:
        assert marks.intend(first, HASH) is Intent.GRANTED
        other.execute("BEGIN IMMEDIATE")
        sent = marks.settle(first, SENT)
        with pytest.raises(StoreError, match="has been writing to"):
            marks.intend(second, HASH)
        assert not sent.is_set
        other.execute("ROLLBACK")
        assert sent.result(10)
        assert marks.intend(second, HASH) is Intent.GRANTED
    impatient.close()
    assert states(store.path) == {1: "sent", 2: "sending"}


def test_an_outcome_that_cannot_be_written_is_told_in_the_end(store: Store, clock: Clock) -> None:
    plan(store)
    impatient = open_database(store.path, busy_timeout=timedelta(milliseconds=10))
    (claim,) = Ledger(impatient).claim(NOW, owner="test")
    with contextlib.closing(connect_raw(store.path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with Marks(impatient, clock, patience_s=0.01) as marks:
            sent = marks.settle(claim, SENT)
        with pytest.raises(StoreError, match="for too long"):
            sent.result()
        other.execute("ROLLBACK")
    impatient.close()


def test_a_lost_writer_leaves_nobody_waiting(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("a defect")

    plan(store)
    claim = claim_one(store)
    seen: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda told: seen.append(told.exc_type.__name__))
    with Marks(store.database, broken) as marks:  # type: ignore[arg-type]  # a clock that fails
        with pytest.raises(StoreError, match="written down any more"):
            marks.intend(claim, HASH)
        with pytest.raises(StoreError, match="the run is over"):
            marks.intend(claim, HASH)
    assert seen == ["ZeroDivisionError"]
    assert states(store.path) == {1: "leased"}


def test_no_two_runs_have_the_same_name() -> None:
    assert len({new_owner() for _ in range(100)}) == 100


def test_a_late_word_among_others_is_refused_alone(store: Store, clock: Clock) -> None:
    plan(store, 3)
    ledger = Ledger(store.database)
    late, good = ledger.claim(NOW, owner="test", limit=2)
    with Marks(store.database, clock) as marks, contextlib.closing(connect_raw(store.path)) as other:
        assert [marks.intend(claim, HASH) for claim in (late, good)] == [Intent.GRANTED] * 2
        execute(store, "UPDATE deliveries SET lease_until = ? WHERE id = ?", "2026-04-15", late.delivery.id)
        ledger.recover(NOW, on_in_doubt="resend", wait=lambda _: timedelta(0))
        again = claim_one(store)
        assert again.delivery.id == late.delivery.id
        assert marks.intend(again, b"another message!") is Intent.GRANTED
        other.execute("BEGIN IMMEDIATE")
        settled = [marks.settle(claim, SENT) for claim in (late, good)]
        other.execute("COMMIT")
        assert [future.result() for future in settled] == [False, True]
        assert row(store, late.delivery.id)["state"] == "sending"
        assert marks.settle(again, SENT).result()
