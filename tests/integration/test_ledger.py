"""The ledger: one digest per subscriber and edition, one owner at a time, no outcome ever overwritten."""

from __future__ import annotations

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
from paperdigest.store.digests import Digests
from paperdigest.store.freezing import freeze, thaw
from paperdigest.store.ledger import LEASE, Claim, Ledger
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
from tests.store_samples import listing

NOW = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)
LATER = NOW + LEASE + timedelta(seconds=1)
LETTER = ("paperdigest@x", b"Subject: papers\r\n")


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


def claim_one(ledger: Ledger, now: datetime = NOW) -> Claim:
    (claim,) = ledger.claim(now, owner="test")
    return claim


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
    assert Digests(store.database).latest_edition(who.id) == NOW.date()


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
    ledger = Ledger(store.database)
    claim = claim_one(ledger)
    assert (claim.delivery.email, claim.delivery.attempts, claim.epoch) == ("you@example.org", 1, 1)
    assert ledger.claim(NOW, owner="other") == ()


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
    ledger = Ledger(store.database)
    claim = claim_one(ledger)
    assert ledger.mark_sending(claim, LETTER, now=NOW)
    assert ledger.settle(claim, DeliveryState.SENT, now=NOW, detail="250 ok")
    assert not ledger.settle(claim, DeliveryState.FAILED, now=NOW)
    delivery = ledger.of(who.id)[NOW.date()]
    assert (delivery.state, delivery.sent_at, delivery.detail) == (DeliveryState.SENT, NOW, "250 ok")


def test_who_was_paused_beyond_the_lease_changes_nothing_any_more(store: Store) -> None:
    planned(store)
    ledger = Ledger(store.database)
    paused = claim_one(ledger)
    ledger.recover(LATER, on_in_doubt="resend", wait=backoff)
    other = claim_one(ledger, LATER)
    assert not ledger.mark_sending(paused, LETTER, now=LATER)
    assert not ledger.settle(paused, DeliveryState.SENT, now=LATER)
    assert ledger.mark_sending(other, LETTER, now=LATER)


def test_a_lease_that_still_runs_is_left_alone(store: Store) -> None:
    planned(store)
    ledger = Ledger(store.database)
    claim = claim_one(ledger)
    ledger.recover(NOW + LEASE - timedelta(seconds=1), on_in_doubt="resend", wait=backoff)
    assert ledger.mark_sending(claim, LETTER, now=NOW)


@pytest.mark.parametrize(
    ("policy", "state"),
    [("resend", DeliveryState.DEFERRED), ("hold", DeliveryState.IN_DOUBT), ("assume_sent", DeliveryState.SENT)],
)
def test_a_delivery_in_doubt_goes_the_way_of_the_policy_when_its_wait_is_over(
    store: Store, policy: str, state: DeliveryState
) -> None:
    who = planned(store)
    ledger = Ledger(store.database)
    ledger.mark_sending(claim_one(ledger), LETTER, now=NOW)
    assert ledger.recover(LATER, on_in_doubt=policy, wait=backoff).in_doubt == 1
    assert ledger.of(who.id)[NOW.date()].state is DeliveryState.IN_DOUBT
    ledger.recover(LATER + backoff(1), on_in_doubt=policy, wait=backoff)
    assert ledger.of(who.id)[NOW.date()].state is state


def test_what_could_not_be_delivered_in_time_expires(store: Store) -> None:
    who = planned(store)
    ledger = Ledger(store.database)
    late = NOW + timedelta(hours=36)
    assert ledger.expire(late - timedelta(seconds=1)) == 0
    assert ledger.expire(late) == 1
    assert ledger.of(who.id)[NOW.date()].state is DeliveryState.EXPIRED
    assert ledger.claim(late, owner="t") == ()


def test_a_deferred_delivery_waits_for_its_moment(store: Store) -> None:
    planned(store)
    ledger = Ledger(store.database)
    soon = NOW + timedelta(minutes=5)
    ledger.settle(claim_one(ledger), DeliveryState.DEFERRED, now=NOW, next_attempt_at=soon)
    assert ledger.claim(soon - timedelta(seconds=1), owner="t") == ()
    assert claim_one(ledger, soon).delivery.attempts == 2


@pytest.mark.parametrize(
    ("state", "is_sent"),
    [
        (DeliveryState.SENT, True),
        (DeliveryState.IN_DOUBT, True),
        (DeliveryState.FAILED, False),
        (DeliveryState.SKIPPED, False),
    ],
)
def test_only_what_may_have_arrived_counts_as_sent(store: Store, state: DeliveryState, is_sent: bool) -> None:
    store.record(listing(Paper(id=title_id("Tracing"), title="Tracing")), authority=2)
    who = planned(store)
    ledger = Ledger(store.database)
    ledger.settle(claim_one(ledger), state, now=NOW)
    assert (str(title_id("Tracing")) in Digests(store.database).sent_keys(who.id)) is is_sent


def test_sending_starts_the_lease_anew_even_when_the_batch_has_used_it_up(store: Store) -> None:
    who = planned(store)
    ledger = Ledger(store.database)
    assert ledger.mark_sending(claim_one(ledger), LETTER, now=LATER)
    assert ledger.recover(LATER + LEASE - timedelta(seconds=1), on_in_doubt="resend", wait=backoff).in_doubt == 0
    assert ledger.of(who.id)[NOW.date()].state is DeliveryState.SENDING


def test_the_first_letter_is_kept_until_the_delivery_is_over(store: Store) -> None:
    planned(store)
    ledger = Ledger(store.database)
    claim = claim_one(ledger)
    ledger.mark_sending(claim, LETTER, now=NOW)
    ledger.settle(claim, DeliveryState.DEFERRED, now=NOW, next_attempt_at=NOW)
    again = claim_one(ledger)
    ledger.mark_sending(again, ("other@x", b"other"), now=NOW)
    assert ledger.letter(claim.delivery.id) == LETTER
    ledger.settle(again, DeliveryState.SENT, now=NOW)
    assert ledger.letter(claim.delivery.id) is None
