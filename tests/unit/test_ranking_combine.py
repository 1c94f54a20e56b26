"""From keyword scores to the order of one subscriber."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest

from paperdigest.errors import PluginError, QueryError
from paperdigest.query import Keyword
from paperdigest.ranking import KeywordScores, rank
from paperdigest.ranking.combine import to_unit
from paperdigest.ranking.scores import keywords_of
from paperdigest.types import Paper, PaperId, Reason, StoredPaper, Topic

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TableScorer:
    """Scores by a table ``{keyword: {paper: raw score}}`` and counts what it is asked."""

    name: ClassVar[str] = "table"

    def __init__(self, table: Mapping[str, Mapping[str, float]]) -> None:
        self.table = table
        self.asked: list[tuple[int, int]] = []

    def score(self, keywords: Sequence[Keyword], papers: Sequence[StoredPaper]) -> NDArray[np.float64]:
        self.asked.append((len(keywords), len(papers)))
        return np.array([[self._one(keyword, stored) for stored in papers] for keyword in keywords], dtype=np.float64)

    def explain(self, keyword: Keyword, paper: StoredPaper) -> tuple[Reason, ...]:
        raw = self._one(keyword, paper)
        return (Reason(text=f"because of {keyword}", keyword=str(keyword), contribution=raw),) if raw else ()

    def _one(self, keyword: Keyword, stored: StoredPaper) -> float:
        return self.table.get(str(keyword), {}).get(stored.paper.id.local, 0.0)


def paper(name: str) -> StoredPaper:
    return StoredPaper(
        paper=Paper(id=PaperId(scheme="test", local=name), title=f"Paper {name}"),
        first_seen_at=datetime(2026, 4, 14, tzinfo=UTC),
    )


ABC = [paper(name) for name in "abc"]


def topic(query: str, *, weight: float = 1.0, quota: float | None = None, name: str | None = None) -> Topic:
    return Topic(name=name or query, query=query, weight=weight, quota=quota)


def test_a_raw_score_maps_to_the_unit_interval() -> None:
    assert [to_unit(raw) for raw in (0.0, 1.0, 3.0, 9.0, float("inf"))] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert 0 <= to_unit(5e-324) < to_unit(1e-300)


def test_papers_come_best_first_and_ties_by_id() -> None:
    scorer = TableScorer({"x": {"c": 2.0, "a": 1.0, "b": 2.0}})
    assert [ranked.stored.paper.id.local for ranked in rank([topic("x")], ABC, scorer=scorer, limit=9)] == [
        "b",
        "c",
        "a",
    ]


def test_ties_between_topics_go_by_id_too() -> None:
    scorer = TableScorer({"x": {"b": 1.0}, "y": {"a": 1.0, "c": 1.0}})
    ranked = rank([topic("x"), topic("y")], ABC, scorer=scorer, limit=9)
    assert [(found.stored.paper.id.local, found.topic) for found in ranked] == [("a", "y"), ("b", "x"), ("c", "y")]


def test_a_score_that_rounds_to_nothing_is_no_match() -> None:
    assert rank([topic("x")], ABC, scorer=TableScorer({"x": {"a": 1e-320}}), limit=9) == ()


def test_only_papers_with_a_match_qualify() -> None:
    ranked = rank([topic("x")], ABC, scorer=TableScorer({"x": {"b": 1.0}}), limit=9)
    assert [(found.stored.paper.id.local, found.score, found.topic) for found in ranked] == [("b", 0.25, "x")]


def test_a_topic_scores_its_best_keyword_and_half_the_others() -> None:
    scorer = TableScorer({"x": {"a": 1.0}, "y": {"a": 4.0}, "z": {"a": 2.0, "b": 4.0}})
    first, second = rank([topic("x y z")], ABC, scorer=scorer, limit=9)
    assert first.score == pytest.approx(to_unit(4 + 0.5 * (1 + 2)))
    assert second.score == pytest.approx(to_unit(4))
    assert [(reason.text, reason.contribution) for reason in first.reasons] == [
        ("because of y", 4.0),
        ("because of z", 1.0),
        ("because of x", 0.5),
    ]


def test_of_two_equal_keywords_one_is_the_best() -> None:
    (ranked,) = rank([topic("x y")], ABC, scorer=TableScorer({"x": {"a": 2.0}, "y": {"a": 2.0}}), limit=9)
    assert ranked.score == pytest.approx(to_unit(3))
    assert [reason.contribution for reason in ranked.reasons] == [2.0, 1.0]


def test_the_weight_scales_score_and_reasons() -> None:
    (ranked,) = rank([topic("x", weight=3)], ABC, scorer=TableScorer({"x": {"a": 1.0}}), limit=9)
    assert ranked.score == 0.5
    assert [reason.contribution for reason in ranked.reasons] == [3.0]


def test_a_threshold_keeps_weak_matches_out_and_lets_equal_ones_in() -> None:
    scorer = TableScorer({"x": {"a": 3.0, "b": 2.9, "c": 3.1}})
    ranked = rank([topic("x")], ABC, scorer=scorer, limit=9, threshold=0.5)
    assert [found.stored.paper.id.local for found in ranked] == ["c", "a"]


def test_a_paper_of_two_topics_stands_once_under_the_better_and_says_both() -> None:
    scorer = TableScorer({"x": {"a": 1.0, "b": 1.0}, "y": {"a": 3.0}})
    ranked = rank([topic("x", name="first"), topic("y", name="second")], ABC, scorer=scorer, limit=9)
    assert [(found.stored.paper.id.local, found.topic) for found in ranked] == [("a", "second"), ("b", "first")]
    assert [(reason.text, reason.contribution) for reason in ranked[0].reasons] == [
        ("because of y", 3.0),
        ("also matches first (0.25)", 0.0),
    ]


def test_of_two_topics_with_equal_scores_the_first_is_the_better() -> None:
    scorer = TableScorer({"x": {"a": 1.0}, "y": {"a": 1.0}})
    (ranked,) = rank([topic("y"), topic("x")], ABC, scorer=scorer, limit=9)
    assert ranked.topic == "y"


def test_topics_share_the_places_by_quota() -> None:
    papers = [paper(name) for name in "abcdefghz"]
    scorer = TableScorer({"loud": dict.fromkeys("abcdefgh", 9.0), "soft": {"z": 0.1}})
    topics = [topic("loud", quota=0.8), topic("soft", quota=0.2)]
    ranked = rank(topics, papers, scorer=scorer, limit=5)
    assert [found.stored.paper.id.local for found in ranked] == ["a", "b", "c", "d", "z"]
    assert [found.topic for found in ranked] == ["loud"] * 4 + ["soft"]


def test_a_scorer_is_asked_once_for_the_distinct_keywords_of_all_topics() -> None:
    scorer = TableScorer({"x": {"a": 1.0}})
    rank([topic("x y"), topic("y x z"), topic("x", name="again")], [*ABC, *ABC], scorer=scorer, limit=9)
    assert scorer.asked == [(3, 3)]


def test_subscribers_share_the_scores_of_a_batch() -> None:
    scorer = TableScorer({"x": {"a": 1.0, "b": 2.0}, "y": {"b": 3.0, "c": 1.0}})
    mine, yours = [topic("x")], [topic("y x")]
    scores = KeywordScores.of([*mine, *yours], ABC, scorer)
    for topics, papers in ((mine, ABC), (yours, ABC[1:]), (yours, [])):
        shared = rank(topics, papers, scorer=scorer, limit=9, scores=scores)
        assert shared == rank(topics, papers, scorer=TableScorer(scorer.table), limit=9)
    assert scorer.asked == [(2, 3)]


def test_a_paper_that_the_batch_did_not_score_is_an_error() -> None:
    scorer = TableScorer({})
    scores = KeywordScores.of([topic("x")], ABC[:1], scorer)
    with pytest.raises(KeyError):
        rank([topic("x")], ABC, scorer=scorer, limit=9, scores=scores)


def test_keywords_of_many_topics_are_listed_once() -> None:
    assert [str(keyword) for keyword in keywords_of([topic('b "a c"'), topic("a b")])] == ["b", '"a c"', "a"]


def test_the_first_paper_of_an_id_counts() -> None:
    twice = [ABC[0], StoredPaper(paper=Paper(id=ABC[0].paper.id, title="Other"), first_seen_at=ABC[0].first_seen_at)]
    (ranked,) = rank([topic("x")], twice, scorer=TableScorer({"x": {"a": 1.0}}), limit=9)
    assert ranked.stored.paper.title == "Paper a"


@pytest.mark.parametrize("limit", [0, -1])
def test_no_places_give_no_papers(limit: int) -> None:
    assert rank([topic("x")], ABC, scorer=TableScorer({"x": {"a": 1.0}}), limit=limit) == ()


def test_no_topics_or_no_papers_give_no_papers() -> None:
    scorer = TableScorer({"x": {"a": 1.0}})
    assert rank([], ABC, scorer=scorer, limit=9) == ()
    assert rank([topic("x")], [], scorer=scorer, limit=9) == ()
    assert scorer.asked == []


def test_a_topic_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(QueryError, match="never closed"):
        rank([topic('"open')], ABC, scorer=TableScorer({}), limit=9)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1.0])
def test_a_scorer_that_returns_no_usable_number_is_named(bad: float) -> None:
    with pytest.raises(PluginError, match="'table': returned a score that is negative or not finite"):
        rank([topic("x")], ABC, scorer=TableScorer({"x": {"a": bad}}), limit=9)


def test_a_scorer_that_returns_another_shape_is_named() -> None:
    class Flat(TableScorer):
        def score(self, keywords: Sequence[Keyword], papers: Sequence[StoredPaper]) -> NDArray[np.float64]:
            return super().score(keywords, papers).ravel()

    with pytest.raises(PluginError, match=r"'table': returned scores of shape \(3,\), not \(1, 3\)"):
        rank([topic("x")], ABC, scorer=Flat({}), limit=9)
