"""The ledger: one digest per subscriber and edition, one owner at a time, no outcome ever overwritten."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from paperdigest.errors import AlreadyExistsError, NotFoundError, UsageError
from paperdigest.identity import title_id
from paperdigest.pipeline.delivering import backoff
from paperdigest.store import Store
from paperdigest.store.claims import Intent, Outcome, Recovered
from paperdigest.store.digests import Digests
from paperdigest.store.engine import connect_raw
from paperdigest.store.freezing import freeze, thaw
from paperdigest.store.ledger import DUE, HEARTBEATS, LEASE, MAX_DOUBTFUL, Ledger
from paperdigest.store.marks import Marks
from paperdigest.store.outbox import Outbox
from paperdigest.store.standing import Standings
from paperdigest.store.subscribers import Subscribers
from paperdigest.types import (
    Appearance,
    Author,
    DeliveryState,
    Digest,
    Paper,
    RankedPaper,
    Reason,
    Schedule,
    StoredPaper,
    Subscriber,
    SubscriberStatus,
    Topic,
)
from tests.ledger_samples import HASH, SENT, Clock, claim_one, row, settle
from tests.store_samples import listing

NOW = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)
LATER = NOW + LEASE + timedelta(seconds=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "papers.db", create=True)
    yield opened
    opened.close()


def subscriber(email: str = "you@example.org", **more: object) -> Subscriber:
    fields: dict[str, object] = {
        "status": SubscriberStatus.ACTIVE,
        "created_at": NOW,
        "topics": (Topic(name="trace", query="trace", weight=2.0, quota=0.5),),
        "schedule": Schedule(days=frozenset({0, 4}), tz="Europe/Berlin", pause_until=date(2026, 5, 1)),
    }
    return Subscriber(email=email, **{**fields, **more})  # type: ignore[arg-type]  # the fields are given by keyword


def digest(to: Subscriber) -> Digest:
    paper = Paper(
        id=title_id("Tracing"),
        title="Tracing",
        authors=(Author(name="Ada", affiliation="Home"),),
        published_at=NOW,
        aliases=(title_id("Other"),),
        categories=("cs.SE",),
    )
    entry = Appearance(source="hf", listed_on=NOW.date(), upvotes=0)
    reason = Reason(text="title matches *Tracing*", keyword="trace", contribution=1.5, where="title")
    ranked = RankedPaper(
        stored=StoredPaper(paper=paper, first_seen_at=NOW, entries=(entry,)),
        score=0.5,
        topic="trace",
        reasons=(reason,),
    )
    return Digest(subscriber=to, edition=NOW.date(), composed_at=NOW, ranked=(ranked,), considered=7)


def planned(store: Store, email: str = "you@example.org", **more: object) -> Subscriber:
    stored = Subscribers(store.database).add(subscriber(email, **more))
    added = Digests(store.database).add(
        digest(stored), message_id=lambda number: f"<{number}@x>", expires_at=NOW + timedelta(hours=36)
    )
    assert added
    return stored


def test_a_subscriber_is_stored_as_given_and_known_by_one_spelling(store: Store) -> None:
    stored = Subscribers(store.database).add(subscriber("You@EXAMPLE.org"))
    assert replace(stored, id=0) == subscriber("You@example.org")
    assert Subscribers(store.database).get("You@Example.ORG") == stored


def test_an_address_is_stored_once(store: Store) -> None:
    Subscribers(store.database).add(subscriber())
    with pytest.raises(AlreadyExistsError, match="subscriber set"):
        Subscribers(store.database).add(subscriber("you@EXAMPLE.org"))


@pytest.mark.parametrize("email", ["you@", "a b@example.org", "you@-example.org", "b@y>\r\nRCPT TO:<evil@x"])
def test_what_is_no_address_is_refused(store: Store, email: str) -> None:
    with pytest.raises((UsageError, ValueError)):
        Subscribers(store.database).add(subscriber(email))
    assert Subscribers(store.database).all() == ()


def test_a_change_replaces_all_but_the_moment_of_creation(store: Store) -> None:
    known = Subscribers(store.database).add(subscriber())
    changed = replace(known, name="You", topics=(Topic(name="a", query="b"),), created_at=LATER)
    assert Subscribers(store.database).update(changed) == replace(changed, created_at=NOW)


def test_removing_a_subscriber_leaves_nothing_of_them(store: Store) -> None:
    gone = planned(store)
    Subscribers(store.database).remove(gone.email)
    assert Digests(store.database).latest(gone.id) is None
    assert sum(Ledger(store.database).counts().values()) == 0
    with pytest.raises(NotFoundError):
        Subscribers(store.database).remove(gone.email)


def test_a_frozen_digest_thaws_to_the_same_digest(store: Store) -> None:
    made = digest(Subscribers(store.database).add(subscriber(name="Ærø")))
    assert thaw(freeze(made), number=3) == replace(made, id=3)


def test_one_digest_per_subscriber_and_edition(store: Store) -> None:
    who = planned(store)
    again = Digests(store.database).add(digest(who), message_id=lambda number: f"<{number}@y>", expires_at=NOW)
    assert not again
    assert Ledger(store.database).counts()["planned"] == 1
    latest = Digests(store.database).latest(who.id)
    assert latest is not None
    assert latest.edition == NOW.date()


def test_of_many_who_plan_at_once_one_wins(store: Store) -> None:
    who = Subscribers(store.database).add(subscriber())
    wins: list[bool] = []

    def work(number: int) -> None:
        wins.append(Digests(store.database).add(digest(who), message_id=lambda n: f"<{n}.{number}@x>", expires_at=NOW))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wins) == [False] * 7 + [True]


def test_a_claim_is_given_once(store: Store) -> None:
    planned(store)
    claim = claim_one(store)
    assert (claim.delivery.email, claim.delivery.attempts, claim.epoch) == ("you@example.org", 1, 1)
    assert claim.delivery.state is DeliveryState.LEASED
    assert Ledger(store.database).claim(NOW, owner="other") == ()


def test_of_many_who_claim_at_once_each_row_goes_to_one(store: Store) -> None:
    for number in range(12):
        planned(store, f"reader{number}@example.org")
    claimed: list[int] = []

    def work() -> None:
        while claims := Ledger(store.database).claim(NOW, owner="t", limit=2):
            claimed.extend(claim.delivery.id for claim in claims)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(set(claimed))
    assert len(claimed) == 12


def test_a_delivery_is_settled_once_and_stays_so(store: Store) -> None:
    who = planned(store)
    claim = claim_one(store)
    assert settle(store, claim, SENT)
    with Marks(store.database, lambda: NOW) as marks:
        assert marks.intend(claim, HASH) is Intent.LOST
        assert not marks.settle(claim, Outcome(state=DeliveryState.FAILED)).result()
    delivery = Ledger(store.database).of(who.id)[NOW.date()]
    assert (delivery.state, delivery.sent_at, delivery.detail) == (DeliveryState.SENT, NOW, SENT.detail)
    assert (delivery.code, delivery.status, delivery.content_hash) == (250, "2.0.0", HASH)


def test_who_was_paused_beyond_the_lease_starts_and_settles_nothing_any_more(store: Store) -> None:
    planned(store)
    ledger = Ledger(store.database)
    paused = claim_one(store)
    assert ledger.recover(LATER, on_in_doubt="resend", wait=backoff) == Recovered(planned=1)
    with Marks(store.database, lambda: LATER) as marks:
        assert marks.intend(paused, HASH) is Intent.LOST
        other = claim_one(store, LATER)
        assert marks.intend(paused, HASH) is Intent.LOST
        assert not marks.settle(paused, Outcome(state=DeliveryState.FAILED)).result()
        assert marks.intend(other, HASH) is Intent.GRANTED
        assert not marks.settle(paused, SENT).result()
        assert marks.settle(other, SENT).result()


def test_a_lease_that_is_over_is_over_even_when_nobody_took_it(store: Store) -> None:
    planned(store)
    claim = claim_one(store)
    with Marks(store.database, lambda: NOW + LEASE) as marks:
        assert marks.intend(claim, HASH) is Intent.LOST
    assert Ledger(store.database).heartbeat(NOW + LEASE, owner="test") == 0


def test_a_lease_that_still_runs_is_left_alone(store: Store) -> None:
    planned(store)
    claim = claim_one(store)
    soon = NOW + LEASE - timedelta(seconds=1)
    assert Ledger(store.database).recover(soon, on_in_doubt="resend", wait=backoff) == Recovered()
    assert settle(store, claim, SENT, soon)


def test_a_heartbeat_renews_what_is_leased_or_being_sent_by_its_owner_alone(store: Store) -> None:
    for number in range(4):
        planned(store, f"reader{number}@example.org")
    ledger = Ledger(store.database)
    ours = ledger.claim(NOW, owner="we", limit=3)
    theirs = ledger.claim(NOW, owner="they", limit=3)
    with Marks(store.database, lambda: NOW) as marks:
        marks.intend(ours[0], HASH)
        marks.intend(ours[1], HASH)
        assert marks.settle(ours[1], SENT).result()
    soon = NOW + LEASE - timedelta(seconds=1)
    assert ledger.heartbeat(soon, owner="we") == 2
    assert ledger.recover(LATER, on_in_doubt="hold", wait=backoff) == Recovered(planned=len(theirs))


@pytest.mark.parametrize(
    ("policy", "state"),
    [("resend", DeliveryState.DEFERRED), ("hold", DeliveryState.IN_DOUBT), ("assume_sent", DeliveryState.SENT)],
)
def test_a_delivery_in_doubt_goes_the_way_of_the_policy_when_its_wait_is_over(
    store: Store, policy: str, state: DeliveryState
) -> None:
    who = planned(store)
    ledger, claim = Ledger(store.database), claim_one(store)
    with Marks(store.database, lambda: NOW) as marks:
        marks.intend(claim, HASH)
    assert ledger.recover(LATER, on_in_doubt=policy, wait=backoff) == Recovered(in_doubt=1)
    assert ledger.of(who.id)[NOW.date()].state is DeliveryState.IN_DOUBT
    decided = ledger.recover(LATER + backoff(1), on_in_doubt=policy, wait=backoff)
    assert decided == Recovered(resending=policy == "resend", assumed=policy == "assume_sent")
    assert ledger.of(who.id)[NOW.date()].state is state


def test_a_policy_that_does_not_exist_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="resend, hold or assume_sent"):
        Ledger(store.database).recover(NOW, on_in_doubt="guess", wait=backoff)


@pytest.mark.parametrize(
    ("state", "code"), [(DeliveryState.SENT, 250), (DeliveryState.DEFERRED, 451), (DeliveryState.FAILED, 550)]
)
def test_a_late_answer_ends_the_doubt_while_nobody_has_tried_again(
    store: Store, state: DeliveryState, code: int
) -> None:
    planned(store)
    ledger, claim = Ledger(store.database), claim_one(store)
    with Marks(store.database, lambda: NOW) as marks:
        marks.intend(claim, HASH)
    ledger.recover(LATER, on_in_doubt="resend", wait=backoff)
    later = None if state is DeliveryState.SENT else LATER
    with Marks(store.database, lambda: LATER) as marks:
        assert marks.settle(claim, Outcome(state=state, code=code, next_attempt_at=later)).result()
    assert row(store, claim.delivery.id)["state"] == state.value
    assert [one.state for one in Outbox(store.database).attempts(claim.delivery.id)] == [state]


def test_only_attempts_that_ended_in_doubt_count_towards_giving_up(store: Store) -> None:
    planned(store)
    ledger, clock, outcomes = Ledger(store.database), Clock(), list[DeliveryState]()
    while claims := ledger.claim(clock.now, owner="test"):
        state = DeliveryState.DEFERRED if len(outcomes) % 2 == 0 else DeliveryState.IN_DOUBT
        settle(store, claims[0], state, clock.now)
        outcomes.append(state)
        clock.move(minutes=6)
        ledger.recover(clock.now, on_in_doubt="resend", wait=backoff)
    assert outcomes.count(DeliveryState.IN_DOUBT) == MAX_DOUBTFUL
    assert outcomes.count(DeliveryState.DEFERRED) == MAX_DOUBTFUL
    assert ledger.counts()["in_doubt"] == 1


def test_what_is_in_doubt_when_its_time_is_over_is_not_sent_again(store: Store) -> None:
    planned(store)
    settle(store, claim_one(store), DeliveryState.IN_DOUBT)
    late = NOW + timedelta(hours=36)
    ledger = Ledger(store.database)
    assert ledger.recover(late, on_in_doubt="resend", wait=backoff) == Recovered()
    assert ledger.expire(late) == 0
    assert ledger.counts()["in_doubt"] == 1


def test_a_lease_given_before_the_clock_was_set_back_a_day_is_over(store: Store) -> None:
    for number in range(2):
        planned(store, f"reader{number}@example.org")
    ledger = Ledger(store.database)
    claims = ledger.claim(NOW, owner="test")
    with Marks(store.database, lambda: NOW) as marks:
        marks.intend(claims[0], HASH)
    back = NOW - timedelta(days=1)
    assert ledger.recover(back, on_in_doubt="hold", wait=backoff) == Recovered(planned=1, in_doubt=1)


def test_what_could_not_be_delivered_in_time_expires(store: Store) -> None:
    who = planned(store)
    ledger = Ledger(store.database)
    late = NOW + timedelta(hours=36)
    assert ledger.expire(late - timedelta(seconds=1)) == 0
    assert ledger.claim(late, owner="t") == ()
    assert ledger.expire(late) == 1
    assert ledger.of(who.id)[NOW.date()].state is DeliveryState.EXPIRED


def test_a_deferred_delivery_waits_for_its_moment(store: Store) -> None:
    planned(store)
    ledger = Ledger(store.database)
    settle(store, claim_one(store), DeliveryState.DEFERRED)
    soon = NOW + timedelta(minutes=5)
    assert ledger.claim(soon - timedelta(seconds=1), owner="t") == ()
    assert claim_one(store, soon).delivery.attempts == 2


def test_claims_given_back_untried_are_as_they_were(store: Store) -> None:
    for number in range(2):
        planned(store, f"reader{number}@example.org")
    ledger = Ledger(store.database)
    settle(store, claim_one(store), DeliveryState.DEFERRED)
    before = ledger.counts()
    later = NOW + timedelta(minutes=5)
    claims = ledger.claim(later, owner="test")
    assert ledger.release(claims, next_attempt_at=later) == 2
    assert ledger.counts() == before
    assert {claim.delivery.attempts for claim in ledger.claim(later, owner="test")} == {1, 2}
    assert ledger.release(claims, next_attempt_at=later) == 0


def test_the_longest_waiting_come_first_whether_tried_before_or_not(store: Store) -> None:
    for number in range(3):
        planned(store, f"reader{number}@example.org")
    with contextlib.closing(connect_raw(store.path)) as connection:
        for number, state, minute in ((1, "planned", 3), (2, "deferred", 1), (3, "planned", 2)):
            change = "UPDATE deliveries SET state = ?, next_attempt_at = ? WHERE id = ?"
            connection.execute(change, (state, f"2026-04-15T05:0{minute}:00.000000Z", number))
    claims = [claim_one(store).delivery.id for _ in range(3)]
    assert claims == [2, 3, 1]


def test_each_question_of_the_ledger_is_answered_by_the_index_of_its_state(store: Store) -> None:
    def plan_of(statement: str, **values: object) -> list[tuple[int, str]]:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
        return [(parent, detail) for _, parent, _, detail in rows]

    with contextlib.closing(connect_raw(store.path)) as connection:
        due = plan_of(DUE, now="", limit=50)
        assert not [detail for _, detail in due if detail.startswith("SCAN deliveries")]
        sorts = {parent for parent, detail in due if "TEMP B-TREE" in detail}
        for state in ("planned", "deferred"):
            search = f"SEARCH deliveries USING INDEX ix_deliveries_{state} (next_attempt_at<?)"
            (parent,) = [parent for parent, detail in due if detail == search]
            assert parent not in sorts  # read in the index's order; what is sorted is fifty rows, not all that wait
        for state, heartbeat in zip(("leased", "sending"), HEARTBEATS, strict=True):
            ((_, detail),) = plan_of(heartbeat, now="", until="", me="")
            assert f"USING INDEX ix_deliveries_{state} (lease_until>?)" in detail


def sent(store: Store, who: Subscriber) -> frozenset[str]:
    """The papers that planning holds for known to them."""
    return Standings(store.database).sent([who.id], NOW - timedelta(days=60))[who.id]


@pytest.mark.parametrize("state", [DeliveryState.FAILED, DeliveryState.SKIPPED, DeliveryState.EXPIRED])
def test_papers_of_what_did_not_arrive_come_with_the_next_digest(store: Store, state: DeliveryState) -> None:
    store.record(listing(Paper(id=title_id("Tracing"), title="Tracing")), authority=2)
    who = planned(store)
    digests, ledger = Digests(store.database), Ledger(store.database)
    assert sent(store, who) == {str(title_id("Tracing"))}
    if state is DeliveryState.EXPIRED:
        ledger.expire(NOW + timedelta(hours=36))
    else:
        settle(store, claim_one(store), state)
    assert sent(store, who) == frozenset()
    assert digests.shown(who.id) == {}


@pytest.mark.parametrize("state", [DeliveryState.SENT, DeliveryState.IN_DOUBT, DeliveryState.DEFERRED])
def test_papers_of_what_arrived_or_may_yet_do_not_come_again(store: Store, state: DeliveryState) -> None:
    store.record(listing(Paper(id=title_id("Tracing"), title="Tracing")), authority=2)
    who = planned(store)
    settle(store, claim_one(store), state)
    assert sent(store, who) == {str(title_id("Tracing"))}


def test_old_attempts_of_what_is_settled_are_forgotten(store: Store) -> None:
    for number in range(2):
        planned(store, f"reader{number}@example.org")
    ledger = Ledger(store.database)
    settle(store, claim_one(store), DeliveryState.FAILED)
    settle(store, claim_one(store), DeliveryState.DEFERRED)
    assert ledger.prune(NOW) == 0
    assert ledger.prune(NOW + timedelta(seconds=1)) == 1
    assert len(Outbox(store.database).attempts(2)) == 1
