"""What readers with the same topics share while they are ranked changes nothing of what each gets."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from paperdigest.protocols import Encoder
from paperdigest.ranking import Archive, ArchiveStatistics, Corpus, Options, Ranker
from paperdigest.ranking import round as rounds
from paperdigest.types import Paper, PaperId, Ranking, RankRequest, StoredPaper, Subscriber, Topic
from tests.properties.test_ranking_properties import NOW, encoders, papers

KINDS = (
    (Topic(name="software", query="software", threshold=0.0),),
    (Topic(name="software", query="software", weight=2.0, threshold=0.0),),
    (Topic(name="trace", query="trace graph", threshold=0.0), Topic(name="both", query="software graph")),
)


@st.composite
def crowds(draw: st.DrawFn) -> tuple[tuple[StoredPaper, ...], list[RankRequest]]:
    """Papers that came on three days, and readers of few kinds of topics who know different ones of them."""
    found = tuple(
        StoredPaper(
            paper=replace(one.paper, title=f"software {one.paper.title}"),
            first_seen_at=NOW + timedelta(days=draw(st.integers(0, 2))),
        )
        for one in draw(papers(max_size=10))
    )
    requests = []
    for number in range(1, draw(st.integers(2, 8)) + 1):
        known = draw(st.sampled_from([0, 0, 1, 2]))
        subscriber = Subscriber(
            id=number,
            email=f"{number}@example.org",
            topics=draw(st.sampled_from(KINDS)),
            max_papers=draw(st.sampled_from([2, 5, 6])),
        )
        requests.append(
            RankRequest(
                subscriber=subscriber,
                edition=date(2026, 4, draw(st.sampled_from([16, 17]))),
                since=NOW,
                new_since=NOW + timedelta(hours=draw(st.sampled_from([0, 1, 24, 30]))),
                seen=frozenset(one.paper.id for one in found[:known]),
            )
        )
    return found, requests


@settings(deadline=None, max_examples=150)
@given(crowds(), encoders, st.sampled_from([(1, 1), (2, 3), (250, 8000)]), st.booleans())
def test_a_crowd_gets_what_each_would_get_alone(
    crowd: tuple[tuple[StoredPaper, ...], list[RankRequest]],
    encoder: Encoder | None,
    remembered: tuple[int, int],
    explore: bool,
) -> None:
    found, requests = crowd
    archive = Archive(ArchiveStatistics.of(found), Corpus(found, encoder))

    def ranker() -> Ranker:
        return Ranker(Corpus(found, encoder), archive, encoder, Options(explore=explore, threshold=0.01))

    choices, shown = remembered
    with mock.patch.object(rounds, "CHOICES", choices), mock.patch.object(rounds, "SHOWN", shown):
        together = {one.subscriber.id: ranking for one, ranking in ranker().rank_all(requests)}
    assert together == {one.subscriber.id: ranker().rank(one) for one in requests}


def alike(count: int) -> tuple[StoredPaper, ...]:
    """Papers that one topic likes nearly as much as each other."""
    return tuple(
        StoredPaper(
            paper=Paper(id=PaperId(scheme="test", local=f"{n:02}"), title=f"software {n}", abstract="a word " * n),
            first_seen_at=NOW,
        )
        for n in range(count)
    )


def readers(found: tuple[StoredPaper, ...], count: int) -> list[RankRequest]:
    """Readers of one topic; each knows some more papers than the one before, and then it starts anew."""
    topic = Topic(name="software", query="software")
    return [
        RankRequest(
            subscriber=Subscriber(id=number, email=f"{number}@example.org", topics=(topic,), max_papers=5),
            edition=NOW.date(),
            since=NOW,
            new_since=NOW,
            seen=frozenset(one.paper.id for one in found[: number % 8]),
        )
        for number in range(1, count + 1)
    ]


def test_the_lot_of_each_is_weighed_by_their_own_pool() -> None:
    found = alike(16)
    archive = Archive(ArchiveStatistics.of(found), Corpus(found))
    ranker = Ranker(Corpus(found), archive, None, Options(explore=True))
    asked = readers(found, 80)
    together = [ranking for _, ranking in ranker.rank_all(asked)]
    assert together == [ranker.rank(one) for one in asked]
    drawn = {
        (one.ranked[-1].stored.paper.id, one.ranked[-1].propensity) for one in together if isinstance(one, Ranking)
    }
    assert len(drawn) > len({paper_id for paper_id, _ in drawn}) > 1


def test_readers_of_the_same_topic_get_the_same_objects() -> None:
    found = alike(4)
    archive = Archive(ArchiveStatistics.of(found), Corpus(found))
    asked = [replace(one, seen=frozenset[PaperId]()) for one in readers(found, 2)]
    first, second = (ranking for _, ranking in Ranker(Corpus(found), archive).rank_all(asked))
    assert isinstance(first, Ranking) and isinstance(second, Ranking)
    assert len(first.ranked) == 4
    assert all(one is other for one, other in zip(first.ranked, second.ranked, strict=True))
