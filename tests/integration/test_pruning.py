"""Pruning removes what nothing needs, and nothing else, whoever plans at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from paperdigest.store import Store, pruning
from paperdigest.store.digests import Digests
from paperdigest.store.engine import Database, connect_raw
from paperdigest.store.judgements import Judgements
from paperdigest.store.pruning import Pruned, prune
from paperdigest.store.subscribers import Subscribers
from paperdigest.store.vectors import Vectors, digest_of
from paperdigest.types import Digest, Judgement, RankedPaper, Subscriber
from tests import store_samples
from tests.digest_samples import paper, ranked

NOW = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)
SHARED, HERS, HIS = ranked(paper(1)), ranked(paper(2)), ranked(paper(3))
HIS_WAY = ranked(paper(2), topic="graphs", score=0.25)
"""Of a paper that she was shown for other reasons."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "papers.db", create=True)
    yield opened
    opened.close()


def joined(store: Store, email: str) -> Subscriber:
    return Subscribers(store.database).add(Subscriber(email=email, created_at=NOW))


def plan(store: Store, who: Subscriber, *papers: RankedPaper, day: int = 15) -> None:
    made = Digest(subscriber=who, edition=date(2026, 4, day), composed_at=NOW, ranked=papers, considered=9)
    expires = NOW + timedelta(hours=36)
    assert Digests(store.database).add(made, message_id=lambda number: f"<{number}@x>", expires_at=expires)


def fragments(store: Store) -> int:
    with connect_raw(store.path) as raw:
        return int(raw.execute("SELECT count(*) FROM fragments").fetchone()[0])


@pytest.mark.parametrize("at_once", [1, 2, 1000])
def test_what_only_somebody_who_is_gone_was_shown_goes(
    store: Store, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "AT_ONCE", at_once)
    she, he = joined(store, "she@example.org"), joined(store, "he@example.org")
    plan(store, she, SHARED, HERS)
    plan(store, he, SHARED, HIS, HIS_WAY)
    assert prune(store.database) == Pruned(fragments=0, vectors=0)
    Subscribers(store.database).remove("he@example.org")
    assert prune(store.database) == Pruned(fragments=3, vectors=0)
    assert prune(store.database) == Pruned(fragments=0, vectors=0)
    digest = Digests(store.database).latest(she.id)
    assert digest is not None
    assert [one.stored for one in digest.ranked] == [SHARED.stored, HERS.stored]
    assert store.check() == ()


@pytest.mark.parametrize("state", ["planned", "deferred", "in_doubt", "sent", "expired", "failed", "skipped"])
def test_whatever_became_of_a_digest_its_papers_stay(store: Store, state: str) -> None:
    plan(store, joined(store, "she@example.org"), SHARED, HERS)
    with connect_raw(store.path) as raw:
        raw.execute("UPDATE deliveries SET state = ?", (state,))
    assert prune(store.database) == Pruned(fragments=0, vectors=0)
    assert Digests(store.database).get(1).ranked[1].stored == HERS.stored


@pytest.mark.parametrize("again", [HIS, HIS_WAY])
def test_what_is_planned_meanwhile_stays(store: Store, again: RankedPaper, monkeypatch: pytest.MonkeyPatch) -> None:
    she, he = joined(store, "she@example.org"), joined(store, "he@example.org")
    plan(store, he, HIS, HIS_WAY)
    Subscribers(store.database).remove("he@example.org")
    remove = pruning._remove_fragments

    def late(database: Database, rows: list[tuple[object]], newest: int) -> int:
        plan(store, she, again)  # of the same text, frozen before
        return remove(database, rows, newest)

    monkeypatch.setattr(pruning, "_remove_fragments", late)
    assert prune(store.database).fragments == 2
    digest = Digests(store.database).latest(she.id)
    assert digest is not None
    assert digest.ranked[0].stored == again.stored
    assert store.check() == ()


def test_a_damaged_text_is_no_obstacle(store: Store) -> None:
    plan(store, joined(store, "she@example.org"), SHARED)
    plan(store, joined(store, "he@example.org"), HIS)
    Subscribers(store.database).remove("he@example.org")
    with connect_raw(store.path) as raw:
        raw.execute("UPDATE fragments SET frozen = '{' WHERE key IN (SELECT fragment FROM digest_items)")
    before = fragments(store)
    prune(store.database)
    assert 1 <= fragments(store) < before


def test_vectors_of_texts_that_nobody_has_go(store: Store) -> None:
    kept = [store_samples.paper("2604.00001", "Tracing", abstract="We trace."), store_samples.paper("2604.00002")]
    store.record(store_samples.listing(*kept), authority=2)
    she = joined(store, "she@example.org")
    liked = Judgement(paper_id=kept[0].id, title="An example", abstract="Of hers.", liked=True, judged_at=NOW)
    Judgements(store.database).add(she.id, [liked])
    texts = [*(one.text for one in kept), "An example. Of hers.", "as it was before", "a keyword"]
    vectors = Vectors(store.database)
    for model in ("one", "two"):
        vectors.put(model, {digest_of(text): np.ones(3, np.float32) for text in texts})
    assert prune(store.database) == Pruned(fragments=0, vectors=4)
    digests = [digest_of(text) for text in texts]
    assert vectors.missing("one", digests) == vectors.missing("two", digests) == tuple(digests[3:])
