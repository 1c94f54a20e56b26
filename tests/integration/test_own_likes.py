"""A subscriber's own likes, each held back in turn and ranked among the archive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from paperdigest.app.own_likes import AT_MOST, OwnLikes, own_likes
from paperdigest.app.ranking import Rankings
from paperdigest.config import Settings
from paperdigest.store import Store
from paperdigest.store.judgements import Judgements
from paperdigest.store.subscribers import Subscribers
from paperdigest.types import Judgement, Paper, Subscriber, Topic
from tests.store_samples import DAY, MOMENT, arxiv, listing, named, paper

# All have the word "study", none but those of one kind another one, and all are of one length.
BEES = [paper(f"2604.1{number:04}", f"Study sleeping bees hive{number}") for number in range(8)]
STARS = [paper(f"2604.2{number:04}", f"Study drifting galaxies star{number}") for number in range(8)]
OTHERS = [paper(f"2604.3{number:04}", f"Study proving lemma case{number}") for number in range(24)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "paperdigest.db", create=True)
    store.record(listing(*BEES, *STARS, *OTHERS), authority=2)
    yield store
    store.close()


def said(one: Paper, *, liked: bool = True, topic: str | None = None, minutes: int = 0) -> Judgement:
    return Judgement(
        paper_id=one.id,
        title=one.title,
        abstract=one.abstract,
        liked=liked,
        judged_at=MOMENT + timedelta(minutes=minutes),
        topic=topic,
    )


def measured(store: Store, judgements: Sequence[Judgement], *queries: str) -> OwnLikes:
    topics = tuple(Topic(name=f"t{number}", query=query) for number, query in enumerate(queries))
    reader = Subscribers(store.database).add(Subscriber(email="you@example.org", topics=topics, created_at=MOMENT))
    Judgements(store.database).add(reader.id, judgements)
    return own_likes(store, Rankings(Settings(), store, None), reader, DAY)


def test_a_like_does_not_teach_what_is_asked_of_it(store: Store) -> None:
    (topic,) = measured(store, [said(BEES[0]), said(STARS[0])], "").topics
    assert topic.learned is not None
    # All they share is "study", as with everything else: seven of the other's kind stand before it, then 24 whose
    # other words are commoner, so that "study" is more of them, and of its own seven half.
    assert topic.learned.mrr == pytest.approx(1 / (1 + 7 + 24 + 7 / 2))
    assert topic.learned.recall_10 == 0
    assert topic.keywords is None


def test_likes_of_one_kind_find_each_other_where_keywords_do_not(store: Store) -> None:
    found = measured(store, [said(one) for one in BEES], "study")
    (topic,) = found.topics
    assert topic.keywords is not None and topic.learned is not None and topic.compared is not None
    assert found.papers == 32
    assert topic.learned.percentile == topic.learned.recall_10 == 1
    assert topic.keywords.percentile == 0.5
    assert (topic.compared.wins, topic.compared.losses) == (8, 0)
    assert topic.note is None


def test_judged_papers_are_no_rivals_and_judgements_of_other_topics_teach_nothing(store: Store) -> None:
    judgements = [
        *(said(one, topic="t0") for one in BEES[:4]),
        *(said(one, topic="t1") for one in STARS[:4]),
        said(OTHERS[0], liked=False, topic="t0"),
    ]
    found = measured(store, judgements, "bees", "")
    bees, stars = found.topics
    assert found.papers == 40 - 9
    assert (bees.likes, bees.dislikes, stars.likes, stars.dislikes) == (4, 1, 4, 0)
    assert bees.keywords is not None and stars.learned is not None
    # Four bees are left unjudged, and equal to the held back one as far as the word goes.
    assert bees.keywords.mrr == pytest.approx(1 / 3)
    assert stars.learned.percentile > 0.85
    assert bees.note == "only 4 likes: the figures may be chance"


def test_a_like_that_was_never_fetched_is_ranked_by_its_own_text(store: Store) -> None:
    outside = [
        Paper(id=arxiv(f"1901.0000{number}"), title=f"Lemma {number}", abstract="A proof.") for number in range(5)
    ]
    (topic,) = measured(store, [said(one) for one in outside], "lemma").topics
    assert topic.keywords is not None
    assert topic.keywords.percentile > 0.9


def test_authors_of_the_archive_count_as_in_a_digest(store: Store) -> None:
    more = [paper(f"2604.4{number:04}", f"On {number}", authors=named("Jane Doe")) for number in range(3)]
    store.record(listing(*more, hours=1, source="other"), authority=2)
    (topic,) = measured(store, [said(BEES[0])], 'author:"Jane Doe" bees').topics
    assert topic.keywords is not None
    # The three of the author stand before the bee, and of the other seven bees half.
    assert topic.keywords.mrr == pytest.approx(1 / (1 + 3 + 7 / 2))


def test_a_like_of_the_archive_is_ranked_with_its_authors(store: Store) -> None:
    by_her = paper("2604.40000", "On nothing else", authors=named("Jane Doe"))
    store.record(listing(by_her, hours=1, source="other"), authority=2)
    (topic,) = measured(store, [said(by_her)], 'author:"Jane Doe" bees').topics
    assert topic.keywords is not None
    assert topic.keywords.mrr == 1


def test_only_the_newest_of_very_many_likes_are_held_back(store: Store) -> None:
    many = [
        said(Paper(id=arxiv(f"1901.{number:05}"), title=f"Proof {number}"), minutes=number)
        for number in range(AT_MOST + 7)
    ]
    (topic,) = measured(store, many, "proof").topics
    assert (topic.likes, topic.tried) == (AT_MOST + 7, AT_MOST)


def test_without_an_archive_the_next_step_is_said(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "empty.db", create=True)
    (topic,) = measured(store, [said(BEES[0]), said(BEES[1])], "bees").topics
    store.close()
    assert topic.note is not None and "paperdigest fetch" in topic.note
    assert topic.keywords is None and topic.learned is None
