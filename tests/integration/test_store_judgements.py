"""Likes and dislikes: the newest of each paper and topic counts, under whatever identifier it was said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest

from paperdigest.errors import NotFoundError
from paperdigest.store import Store
from paperdigest.store.engine import connect_raw
from paperdigest.store.judgements import Judgements
from paperdigest.store.learning import Learning, Replay
from paperdigest.store.subscribers import Subscribers
from paperdigest.types import Judgement, PaperId, Subscriber
from tests.store_samples import MOMENT, arxiv, listing, paper

DOI = PaperId(scheme="doi", local="10.1000/one")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "papers.db", create=True)
    yield opened
    opened.close()


@pytest.fixture
def said(store: Store) -> Judgements:
    return Judgements(store.database)


def subscriber(store: Store, email: str = "you@example.org") -> int:
    return Subscribers(store.database).add(Subscriber(email=email, created_at=MOMENT)).id


def like(paper_id: PaperId = DOI, hours: int = 0, **fields: object) -> Judgement:
    given = {"title": "Tracing", "abstract": "We trace.", "liked": True, **fields}
    return Judgement(paper_id=paper_id, judged_at=MOMENT + timedelta(hours=hours), **given)  # type: ignore[arg-type]  # keywords are checked by the call


def test_judgements_come_back_as_given_oldest_first(store: Store, said: Judgements) -> None:
    who, other = subscriber(store), subscriber(store, "other@example.org")
    told = [
        like(hours=2),
        like(arxiv("2604.00002"), hours=1, liked=False, topic="trace", abstract=None),
        like(arxiv("2604.00001"), hours=1, origin="example"),
        like(arxiv("2604.00001"), hours=1, topic="trace"),
    ]
    assert said.add(who, told) == 4
    expected = (told[2], told[3], told[1], told[0])
    assert said.of([other, who, who]) == {other: (), who: expected}
    assert repr(said.of([who])[who]) == repr(expected), "of the same types"
    assert store.check() == ()


def test_the_order_in_which_they_are_given_does_not_matter(store: Store, said: Judgements) -> None:
    told = [like(hours=hours, liked=hours % 2 == 0) for hours in range(3)] + [like(arxiv("2604.00001"))]
    whole = set()
    for number, order in enumerate(permutations(told)):
        who = subscriber(store, f"a{number}@example.org")
        said.add(who, order[:2])
        said.add(who, order[2:])
        whole.add(said.of([who])[who])
    assert whole == {(told[3], told[2])}


def test_of_one_moment_what_is_said_last_counts(store: Store, said: Judgements) -> None:
    who = subscriber(store)
    assert said.add(who, [like(), like(liked=False)]) == 1
    assert said.add(who, [like()]) == 0
    assert said.add(who, [like(liked=False)]) == 0
    assert said.of([who])[who] == (like(liked=False),)


def test_an_older_judgement_does_not_replace_a_newer_one(store: Store, said: Judgements) -> None:
    who = subscriber(store)
    said.add(who, [like(hours=5, liked=False)])
    assert said.add(who, [like(hours=4)]) == 0
    assert said.of([who])[who] == (like(hours=5, liked=False),)


def test_topics_are_judged_apart(store: Store, said: Judgements) -> None:
    who = subscriber(store)
    assert said.add(who, [like(), like(topic="a"), like(topic="b", liked=False)]) == 3
    assert said.remove(who, str(DOI), "a") == 1
    assert said.remove(who, str(DOI), None) == 1
    assert said.of([who])[who] == (like(topic="b", liked=False),)
    assert said.add(who, [like(topic="")]) == 1
    assert said.of([who])[who] == (like(), like(topic="b", liked=False)), "no topic's name is empty"
    assert said.remove(who, str(DOI), "") == 1
    assert said.remove(who, str(DOI), None) == 0


def test_a_judgement_follows_its_paper_to_its_new_identifier(store: Store, said: Judgements) -> None:
    who = subscriber(store)
    said.add(who, [like(DOI, hours=1), like(arxiv("2604.00001"), liked=False), like(DOI, topic="a")])
    store.record(listing(paper("2604.00001", aliases=(DOI,))), authority=2)
    joined = replace(like(hours=1), paper_id=arxiv("2604.00001"))
    assert said.of([who])[who] == (replace(joined, topic="a", judged_at=MOMENT), joined)
    assert said.add(who, [like(arxiv("2604.00001"), hours=2, liked=False)]) == 0
    assert said.add(who, [like(DOI, hours=1)]) == 0, "it is older"
    found = said.of([who])[who]
    assert [one.liked for one in found] == [True, False]
    assert said.remove(who, str(DOI), None) == 1
    assert said.remove(who, str(arxiv("2604.00001")), "a") == 1
    assert said.of([who])[who] == ()


def test_of_joined_papers_the_newest_judgement_counts_and_a_newer_one_replaces_all(
    store: Store, said: Judgements
) -> None:
    who = subscriber(store)
    said.add(who, [like(arxiv("2604.00001"), hours=1), like(DOI, hours=5, liked=False)])
    store.record(listing(paper("2604.00001", aliases=(DOI,))), authority=2)
    assert said.add(who, [like(arxiv("2604.00001"), hours=3)]) == 0
    assert [one.liked for one in said.of([who])[who]] == [False], "what was said between the two is older than one"
    said.add(who, [like(PaperId(scheme="arxiv", local="2604.00001"), hours=6)])
    with connect_raw(store.path) as raw:
        assert raw.execute("SELECT paper_key, liked FROM judgements").fetchall() == [("arxiv:2604.00001", 1)]


def test_judgements_of_nobody_are_refused(store: Store, said: Judgements) -> None:
    with pytest.raises(NotFoundError, match="no subscriber '77'"):
        said.add(77, [like()])
    with pytest.raises(NotFoundError):
        said.add(77, [])


def test_who_is_removed_leaves_no_judgement(store: Store, said: Judgements) -> None:
    who, other = subscriber(store), subscriber(store, "other@example.org")
    for number in (who, other):
        said.add(number, [like()])
        Learning(store.database).save(number, [replay()])
    Subscribers(store.database).remove("you@example.org")
    with connect_raw(store.path) as raw:
        for table in ("judgements", "learning"):
            assert raw.execute(f"SELECT subscriber_id FROM {table}").fetchall() == [(other,)]


def test_a_judgement_of_nobody_is_found_by_a_check(store: Store, said: Judgements) -> None:
    said.add(subscriber(store), [like()])
    with connect_raw(store.path) as raw:
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute("UPDATE judgements SET subscriber_id = 77, paper_key = 'nothing'")
    findings = store.check()
    assert "rows of judgements refer to subscribers that do not exist" in findings
    assert "1 judgements of something that is no identifier" in findings


def test_half_characters_of_a_bibliography_are_no_obstacle(store: Store, said: Judgements) -> None:
    who = subscriber(store)
    odd = PaperId(scheme="title", local="a\ud800")
    said.add(who, [like(odd, title="a\udc00b", abstract="\ud800", topic="\ud800", origin="example\ud800")])
    (one,) = said.of([who])[who]
    assert (one.paper_id.local, one.title, one.abstract) == ("a?", "a?b", "?")
    assert said.add(who, [like(odd, topic="\ud800", hours=1)]) == 0
    assert said.remove(who, str(odd), "\ud800") == 1


def test_thousands_of_examples_are_added_at_once(store: Store, said: Judgements) -> None:
    who = subscriber(store)
    told = [like(arxiv(f"2604.{number:05}"), origin="example") for number in range(2500)]
    assert said.add(who, told) == 2500
    assert said.add(who, told) == 0
    assert said.of([who])[who] == tuple(told)
    assert said.of(range(-2000, who + 1))[who] == tuple(told)


def replay(topic: str = "trace", after: float = 0.75, **fields: object) -> Replay:
    given: dict[str, object] = {"judgements_seen": 7, "kept": True, "before": 0.5, "judged_at": MOMENT, **fields}
    return Replay(topic=topic, after=after, **given)  # type: ignore[arg-type]  # keywords are checked by the call


def test_the_latest_replays_take_the_place_of_the_earlier_ones(store: Store) -> None:
    who, other = subscriber(store), subscriber(store, "other@example.org")
    learning = Learning(store.database)
    learning.save(who, [replay("b"), replay("a", kept=False)])
    learning.save(who, [replay("c", after=1.0), replay("b", after=0.1)])
    assert learning.of([other, who]) == {other: (), who: (replay("b", after=0.1), replay("c", after=1.0))}
    learning.save(who, [])
    assert learning.of([who]) == {who: ()}
