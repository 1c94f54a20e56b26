"""Why a paper stood in a digest, and what a subscriber was shown, can be asked of the database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from paperdigest.errors import StoreError
from paperdigest.store import Store
from paperdigest.store.digests import Digests, Shown
from paperdigest.store.engine import connect_raw
from paperdigest.store.standing import Standings
from paperdigest.store.subscribers import Subscribers
from paperdigest.types import (
    DeliveryState,
    Digest,
    Paper,
    PaperId,
    Placement,
    RankedPaper,
    StoredPaper,
    Subscriber,
    SubscriberStatus,
    Topic,
)
from tests import ledger_samples
from tests.store_samples import DAY, MOMENT, listing, paper

DOI = PaperId(scheme="doi", local="10.1000/one")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "papers.db", create=True)
    yield opened
    opened.close()


@pytest.fixture
def who(store: Store) -> Subscriber:
    active = SubscriberStatus.ACTIVE
    return Subscribers(store.database).add(Subscriber(email="you@example.org", status=active, created_at=MOMENT))


def ranked(one: Paper, score: float = 0.5, **fields: object) -> RankedPaper:
    stored = StoredPaper(paper=one, first_seen_at=MOMENT)
    return RankedPaper(stored=stored, score=score, topic="trace", **fields)  # type: ignore[arg-type]  # keywords are checked by the call


def plan(store: Store, who: Subscriber, *papers: RankedPaper, days: int = 0, revised: tuple[Paper, ...] = ()) -> None:
    """Plan a digest of the edition ``days`` after the first."""
    made = Digest(
        subscriber=who,
        edition=DAY + timedelta(days=days),
        composed_at=MOMENT,
        ranked=papers,
        revised=tuple(StoredPaper(paper=one, first_seen_at=MOMENT) for one in revised),
    )
    later = MOMENT + timedelta(days=30)
    assert Digests(store.database).add(made, message_id=lambda number: f"<{number}@x>", expires_at=later)


def settle(store: Store, state: DeliveryState) -> None:
    assert ledger_samples.settle(store, ledger_samples.claim_one(store, MOMENT), state, MOMENT)


def test_why_each_paper_was_chosen_can_be_asked_of_the_database(store: Store, who: Subscriber) -> None:
    plan(
        store,
        who,
        ranked(paper("2604.00001", version=3), 0.75),
        ranked(paper("2604.00002"), 0.5, placement=Placement.WAITED),
        ranked(paper("2604.00003", version=1), 0.25, placement=Placement.EXPLORED, propensity=0.05),
        revised=(paper("2604.00004", version=2), paper("2604.00001", version=3), paper("2604.00004", version=2)),
    )
    columns = "paper_key, position, placement, propensity, score, topic, version"
    with connect_raw(store.path) as raw:
        assert raw.execute(f"SELECT {columns} FROM digest_items ORDER BY position").fetchall() == [
            ("arxiv:2604.00001", 1, "new", None, 0.75, "trace", 3),
            ("arxiv:2604.00002", 2, "waited", None, 0.5, "trace", None),
            ("arxiv:2604.00003", 3, "explored", 0.05, 0.25, "trace", 1),
            ("arxiv:2604.00004", 4, "revised", None, None, None, 2),
        ]
    digest = Digests(store.database).latest(who.id)
    assert digest is not None
    assert [one.propensity for one in digest.ranked] == [None, None, 0.05]
    assert len(digest.revised) == 3


def test_one_paper_ranked_twice_is_our_mistake_and_nothing_is_stored(store: Store, who: Subscriber) -> None:
    with pytest.raises(StoreError, match="mistake in paperdigest"):
        plan(store, who, ranked(paper()), ranked(paper()))
    assert Digests(store.database).latest(who.id) is None


def test_what_was_shown_is_told_with_the_last_edition_and_the_highest_version(store: Store, who: Subscriber) -> None:
    plan(store, who, ranked(paper("2604.00001", version=1)), ranked(paper("2604.00002")))
    plan(store, who, days=1, revised=(paper("2604.00001", version=3),))
    plan(store, who, days=2, revised=(paper("2604.00001", version=2),))
    assert Digests(store.database).shown(who.id) == {
        "arxiv:2604.00001": Shown(edition=DAY + timedelta(days=2), version=3),
        "arxiv:2604.00002": Shown(edition=DAY, version=None),
    }
    other = Subscribers(store.database).add(replace(who, email="other@example.org"))
    assert Digests(store.database).shown(other.id) == {}


def test_what_was_shown_is_told_by_the_identifier_the_paper_has_now(store: Store, who: Subscriber) -> None:
    plan(store, who, ranked(Paper(id=DOI, title="Tracing")))
    plan(store, who, ranked(paper("2604.00001", version=2)), days=1)
    assert Digests(store.database).shown(who.id).keys() == {str(DOI), "arxiv:2604.00001"}
    store.record(listing(paper("2604.00001", aliases=(DOI,))), authority=2)
    shown = Digests(store.database).shown(who.id)
    assert shown == {"arxiv:2604.00001": Shown(edition=DAY + timedelta(days=1), version=2)}


@pytest.mark.parametrize(
    ("state", "is_shown"),
    [
        (DeliveryState.SENT, True),
        (DeliveryState.IN_DOUBT, True),
        (DeliveryState.FAILED, False),
        (DeliveryState.SKIPPED, False),
    ],
)
def test_what_never_arrived_was_not_shown(store: Store, who: Subscriber, state: DeliveryState, is_shown: bool) -> None:
    store.record(listing(paper("2604.00001"), paper("2604.00002")), authority=2)
    who = Subscribers(store.database).get(who.email)
    plan(store, who, ranked(paper("2604.00001")), revised=(paper("2604.00002"),))
    settle(store, state)
    keys = {"arxiv:2604.00001", "arxiv:2604.00002"} if is_shown else set()
    assert Digests(store.database).shown(who.id).keys() == keys
    assert Standings(store.database).sent([who.id], MOMENT) == {who.id: keys}


def test_a_topic_keeps_its_threshold_and_may_be_of_examples_alone(store: Store, who: Subscriber) -> None:
    topics = (Topic(name="a", query="b", threshold=0.0), Topic(name="liked", query=""), Topic(name="c", query="d"))
    kept = Subscribers(store.database).update(replace(who, topics=topics))
    assert kept.topics == topics
    assert repr(Subscribers(store.database).get(who.email).topics) == repr(topics)
