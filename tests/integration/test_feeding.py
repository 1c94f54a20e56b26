"""What the feeder finds to send when some domains are slow: no other waits, nothing is lost, nobody waits for ever."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from paperdigest.errors import StoreError
from paperdigest.pipeline.feeding import BATCH, MOST_HELD, PATIENCE_S, REST, Feeder
from paperdigest.pipeline.pacing import HEARD_S, Pace
from paperdigest.protocols import OutgoingMessage
from paperdigest.store import Store
from paperdigest.store.digests import Digests
from paperdigest.store.engine import connect_raw
from paperdigest.store.ledger import Ledger
from paperdigest.store.subscribers import Subscribers
from paperdigest.types import (
    Delivery,
    DeliveryState,
    Digest,
)
from tests.delivery_desk import NOON, people, plan
from tests.written import written


class Desk:
    """A ledger and a feeder, with clocks that are turned by hand."""

    def __init__(self, path: Path) -> None:
        self.store = Store.open(path, create=True)
        self.ledger, self.seconds = Ledger(self.store.database), 0.0
        self.pace = Pace(0, 0, lambda: self.seconds)
        self.lost: list[int] = []
        self.spoilt: list[int] = []
        self.settled: list[tuple[int, DeliveryState]] = []
        self.made: list[int] = []

    @property
    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    def feeder(self, *, per_domain: float = 0, most_held: int = MOST_HELD) -> Feeder:
        self.pace = Pace(0, per_domain, lambda: self.seconds)
        return Feeder(
            self.ledger,
            Digests(self.store.database),
            written(self.render),
            self.pace,
            owner="me",
            lease=timedelta(minutes=50),
            clock=lambda: self.now,
            monotonic=lambda: self.seconds,
            settle=lambda claim, outcome: self.settled.append((claim.delivery.id, outcome.state)),
            lose=lambda claim: self.lost.append(claim.delivery.id),
            spoil=self.spoilt.append,
            tell=lambda problem: None,
            most_held=most_held,
        )

    def render(self, digest: Digest, delivery: Delivery) -> OutgoingMessage:
        self.made.append(delivery.id)
        return OutgoingMessage(sender="a@x", recipient=delivery.email, message_id=delivery.message_id, content=b"")

    def plan(self, *emails: str) -> None:
        plan(self.store, emails)

    def run(self, feeder: Feeder, seconds: float, *, is_taken: bool = True) -> Counter[str]:
        """Take what may go for some time, settle it, and return how many went to each domain."""
        found: Counter[str] = Counter()
        end = self.seconds + seconds
        while self.seconds < end and not feeder.is_empty:
            if (letter := feeder.next()) is not None:
                domain = letter.finish().recipient.partition("@")[2]
                found[domain] += 1
                if is_taken:
                    self.pace.accepted(domain)
            elif feeder.is_waiting:
                self.seconds += 0.5
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path / "p.db")
    yield opened
    opened.store.close()


def test_many_for_a_slow_domain_hold_up_no_other(desk: Desk) -> None:
    desk.plan(*people(3 * BATCH, "big.example"), *people(5, "small.example"))
    feeder = desk.feeder(per_domain=2)
    first = desk.run(feeder, 5)
    assert first["small.example"] == 5
    assert first["big.example"] <= 2 * 5 + 2
    rest = desk.run(feeder, 1000)
    assert rest["big.example"] + first["big.example"] == 3 * BATCH
    assert desk.seconds == pytest.approx(3 * BATCH / 2, rel=0.05)  # at the pace that was allowed, without a gap


@pytest.mark.parametrize(
    ("broken", "most_held", "seconds"),
    [
        ("digests", MOST_HELD, 0),  # of a batch
        ("digests", MOST_HELD, 5),  # of one that was held back
        ("second batch", 20, 0),  # of which many are about to be given back
        ("release", 20, 0),
        ("release", MOST_HELD, 5),  # those of a domain that became too slow
        ("letter", MOST_HELD, 0),
    ],
)
def test_a_database_that_fails_makes_it_forget_no_claim(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, broken: str, most_held: int, seconds: float
) -> None:
    desk.plan(*people(2 * BATCH, "big.example"))
    feeder = desk.feeder(per_domain=2, most_held=most_held)
    desk.run(feeder, seconds)

    def refused(*_: object, **__: object) -> None:
        raise StoreError("the database is locked")

    get_many, batches = Digests.get_many, itertools.count(1)

    def refused_later(digests: Digests, numbers: Sequence[int]) -> dict[int, Digest]:
        if len(numbers) != 1 and next(batches) == 2:
            refused()
        return get_many(digests, numbers)

    if broken == "digests":
        monkeypatch.setattr(Digests, "get_many", refused)
    elif broken == "second batch":
        monkeypatch.setattr(Digests, "get_many", refused_later)
    else:
        monkeypatch.setattr(desk.ledger, broken, refused)
    if broken == "letter":
        with closing(connect_raw(desk.store.path)) as connection:
            connection.execute("UPDATE deliveries SET content_hash = x'00'")
    if broken == "release" and seconds:
        desk.pace.throttled("big.example")
        monkeypatch.setattr(desk.pace, "wait", lambda domain=None: PATIENCE_S + 1 if domain else 0)
        desk.seconds += 1
    with pytest.raises(StoreError, match="locked"):
        desk.run(feeder, 5)
    with closing(connect_raw(desk.store.path)) as connection:
        claimed = [number for (number,) in connection.execute("SELECT id FROM deliveries WHERE state = 'leased'")]
    assert sorted([*(claim.delivery.id for claim in feeder.rest()), *desk.made]) == sorted(claimed)
    assert feeder.rest() == []


def test_what_was_begun_is_not_among_the_rest(desk: Desk) -> None:
    desk.plan(*people(3, "big.example"))
    feeder = desk.feeder()
    begun = feeder.next()
    assert begun is not None
    assert begun.claim not in feeder.rest()


def test_more_than_may_be_held_are_given_back_and_go_later(desk: Desk) -> None:
    desk.plan(*people(3 * BATCH, "big.example"), *people(5, "small.example"))
    feeder = desk.feeder(per_domain=2, most_held=20)
    first = desk.run(feeder, 3)
    assert first["small.example"] == 5
    assert desk.ledger.counts()["planned"] > BATCH
    sent = first["big.example"]
    for _ in range(40):
        sent += desk.run(feeder, 1000)["big.example"]
        desk.seconds += 10
    assert sent == 3 * BATCH
    assert desk.ledger.counts()["leased"] == 3 * BATCH + 5  # each was claimed once in the end, and none is left


def test_a_domain_that_is_too_slow_is_left_to_later_runs(desk: Desk) -> None:
    count = BATCH + 30
    desk.plan(*people(count, "angry.example"), *people(5, "small.example"))
    feeder = desk.feeder()
    letter = feeder.next()
    assert letter is not None and letter.finish().recipient.endswith("angry.example")
    for _ in range(20):
        desk.pace.throttled("angry.example")
        desk.seconds += HEARD_S
    begun = desk.seconds
    found = desk.run(feeder, 300, is_taken=False)
    assert desk.seconds - begun <= 2  # nobody waits for them
    assert found["small.example"] == 5
    assert found["angry.example"] <= 2
    assert feeder.is_empty
    left = desk.ledger.counts()["planned"]
    assert left == count - 1 - found["angry.example"]
    assert desk.ledger.waiting(desk.now) == 0
    desk.seconds += REST.total_seconds()
    assert desk.ledger.waiting(desk.now) == left


def test_a_limit_for_all_claims_no_more_than_goes(desk: Desk) -> None:
    desk.plan(*people(3 * BATCH, "big.example"))
    desk.feeder()
    feeder = desk.feeder()
    desk.pace = feeder._pace = Pace(1, 0, lambda: desk.seconds)
    assert desk.run(feeder, 20)["big.example"] <= 22
    assert desk.ledger.counts()["leased"] == BATCH


def test_who_is_removed_while_held_back_stops_nobody(desk: Desk) -> None:
    desk.plan(*people(4, "big.example"))
    feeder = desk.feeder(per_domain=1)
    assert feeder.next() is not None
    assert feeder.next() is None
    Subscribers(desk.store.database).remove("reader1@big.example")
    with desk.store.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM digests WHERE id = 3")
    assert desk.run(feeder, 30)["big.example"] >= 1
    assert 3 in desk.lost
    assert feeder.is_empty


def test_what_came_to_no_letter_is_handed_over_whole(desk: Desk) -> None:
    desk.plan(*people(10, "big.example"), *people(10, "small.example"))
    feeder = desk.feeder(per_domain=1)
    sent = [feeder.next() for _ in range(4)]
    rest = feeder.rest()
    gone = [letter.claim for letter in sent if letter is not None]
    assert sorted(claim.delivery.id for claim in (*rest, *gone)) == list(range(1, 21))
    assert feeder.rest() == []


def test_a_dry_ledger_is_not_asked_all_the_time(desk: Desk) -> None:
    feeder = desk.feeder()
    assert [feeder.is_empty, feeder.next(), feeder.is_empty] == [False, None, True]  # at first nobody has looked
    desk.plan(*people(1, "late.example"))
    assert feeder.next() is None
    desk.seconds += 1
    assert feeder.next() is not None
