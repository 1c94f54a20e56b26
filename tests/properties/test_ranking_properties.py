"""What holds of every ranking, whatever the papers, topics and archive."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdigest.query import Keyword, parse_query
from paperdigest.query.text import STOP_WORDS, stems
from paperdigest.ranking import ArchiveStatistics, BtScorer, KeywordScores, rank
from paperdigest.ranking.combine import to_unit
from paperdigest.types import Paper, PaperId, StoredPaper, Topic

WORDS = ("trace", "Traces", "TRACED", "software", "traceability", "the", "of", "café", "x", "deep-learning", "graph")
texts = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join) | st.text(max_size=12)
keywords = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(lambda words: Keyword(tuple(words)))


@st.composite
def papers(draw: st.DrawFn, max_size: int = 7) -> tuple[StoredPaper, ...]:
    names = draw(st.lists(st.sampled_from("abcdefghij"), unique=True, max_size=max_size))
    return tuple(
        StoredPaper(
            paper=Paper(id=PaperId(scheme="test", local=name), title=draw(texts), abstract=draw(st.none() | texts)),
            first_seen_at=datetime(2026, 4, 14, tzinfo=UTC),
        )
        for name in names
    )


@st.composite
def topics(draw: st.DrawFn) -> tuple[Topic, ...]:
    return tuple(
        Topic(
            name=f"topic {number}",
            query=" ".join(str(keyword) for keyword in draw(st.lists(keywords, min_size=1, max_size=3))),
            weight=draw(st.sampled_from([0.1, 1.0, 7.5])),
            quota=draw(st.sampled_from([None, 0.1, 0.5, 1.0])),
        )
        for number in range(draw(st.integers(0, 3)))
    )


archives = papers().map(ArchiveStatistics.of)


def reference(keyword: Keyword, stored: StoredPaper, archive: ArchiveStatistics) -> float:
    """BM25 with title twice and phrase bonus, as slowly and plainly as it can be written."""
    title, abstract = list(stems(stored.paper.title)), list(stems(stored.paper.abstract or ""))
    text = title + title + abstract
    plain = [word for part in keyword.words for word in part.replace("é", "e").lower().split("-")]
    query = [stems(word)[0] for word in plain if word not in STOP_WORDS] or [stems(word)[0] for word in plain]
    score = bonus = 0.0
    for word in query:
        df = archive.document_frequency.get(word, 0)
        idf = max(1, math.log(1 + (archive.documents - df + 0.5) / (df + 0.5)))
        relative = len(text) / archive.average_length if archive.average_length else 1
        tf = text.count(word)
        score += idf * tf / (tf + 1.2 * (1 - 0.75 + 0.75 * relative))
        bonus += 0.5 * idf
    run = f" {' '.join(stems(word)[0] for word in plain)} "
    has_phrase = 2 <= len(plain) <= 5 and any(run in f" {' '.join(field)} " for field in (title, abstract))
    return score + bonus * has_phrase


@given(st.lists(keywords, max_size=4), papers(), archives)
def test_the_scores_are_those_of_a_plain_reference(
    wanted: list[Keyword], found: tuple[StoredPaper, ...], archive: ArchiveStatistics
) -> None:
    scores = BtScorer(archive).score(wanted, found)
    expected = [[reference(keyword, stored, archive) for stored in found] for keyword in wanted]
    assert scores.tolist() == [pytest.approx(row, abs=1e-12) for row in expected]


@given(keywords, papers(), archives)
def test_a_score_depends_neither_on_order_nor_on_the_other_papers(
    keyword: Keyword, found: tuple[StoredPaper, ...], archive: ArchiveStatistics
) -> None:
    scorer = BtScorer(archive)
    together = scorer.score([keyword], found)[0].tolist()
    assert scorer.score([keyword], found[::-1])[0].tolist() == together[::-1]
    assert [scorer.score([keyword], [stored])[0, 0] for stored in found] == together


@given(keywords, papers(), archives)
def test_the_reasons_of_a_score_add_up(
    keyword: Keyword, found: tuple[StoredPaper, ...], archive: ArchiveStatistics
) -> None:
    scorer = BtScorer(archive)
    for stored, raw in zip(found, scorer.score([keyword], found)[0].tolist(), strict=True):
        reasons = scorer.explain(keyword, stored)
        assert math.fsum(reason.contribution for reason in reasons) == pytest.approx(raw, abs=1e-9)
        assert all(reason.contribution > 0 for reason in reasons)
        assert bool(reasons) == (raw > 0)


@given(papers())
def test_the_archive_counts_the_same_in_any_order(found: tuple[StoredPaper, ...]) -> None:
    assert ArchiveStatistics.of(found) == ArchiveStatistics.of(found[::-1])


@given(topics(), papers(), archives, st.integers(0, 8), st.sampled_from([0.0, 0.2, 0.5]))
def test_a_ranking_is_a_sorted_choice_of_the_papers(
    wanted: tuple[Topic, ...], found: tuple[StoredPaper, ...], archive: ArchiveStatistics, limit: int, threshold: float
) -> None:
    ranked = rank(wanted, found, scorer=BtScorer(archive), limit=limit, threshold=threshold)
    ids = [entry.stored.paper.id for entry in ranked]
    assert len(set(ids)) == len(ids) <= limit
    assert set(ids) <= {stored.paper.id for stored in found}
    assert sorted(ranked, key=lambda entry: (-entry.score, entry.stored.paper.id)) == list(ranked)
    assert all(entry.score > 0 and threshold <= entry.score <= 1 for entry in ranked)


@given(topics(), papers(), archives, st.integers(0, 8))
def test_a_ranking_fills_the_places_as_far_as_there_are_matches(
    wanted: tuple[Topic, ...], found: tuple[StoredPaper, ...], archive: ArchiveStatistics, limit: int
) -> None:
    scorer = BtScorer(archive)
    everything = rank(wanted, found, scorer=scorer, limit=100)
    assert len(rank(wanted, found, scorer=scorer, limit=limit)) == min(limit, len(everything))


@given(topics(), papers(), archives)
def test_every_paper_stands_under_its_best_topic_and_its_reasons_add_up(
    wanted: tuple[Topic, ...], found: tuple[StoredPaper, ...], archive: ArchiveStatistics
) -> None:
    scorer = BtScorer(archive)
    for entry in rank(wanted, found, scorer=scorer, limit=100):
        raws = {topic.name: raw_of(topic, entry.stored, scorer) for topic in wanted}
        assert raws[entry.topic] == pytest.approx(max(raws.values()))
        total = math.fsum(reason.contribution for reason in entry.reasons)
        assert total == pytest.approx(raws[entry.topic], abs=1e-9)
        assert entry.score == pytest.approx(to_unit(total))
        also = [reason for reason in entry.reasons if reason.text.startswith("also matches ")]
        assert len(also) == sum(raw > 0 for raw in raws.values()) - 1


def raw_of(topic: Topic, stored: StoredPaper, scorer: BtScorer) -> float:
    scores = sorted(scorer.score(parse_query(topic.query).keywords, [stored])[:, 0].tolist())
    best: float = scores.pop()
    return topic.weight * (best + 0.5 * math.fsum(scores))


@given(topics(), papers(), archives, st.integers(0, 8), st.data())
def test_a_ranking_depends_neither_on_order_nor_on_the_batch(
    wanted: tuple[Topic, ...],
    found: tuple[StoredPaper, ...],
    archive: ArchiveStatistics,
    limit: int,
    data: st.DataObject,
) -> None:
    scorer = BtScorer(archive)
    expected = rank(wanted, found, scorer=scorer, limit=limit)
    shuffled: Sequence[StoredPaper] = data.draw(st.permutations(found))
    assert rank(wanted, shuffled, scorer=scorer, limit=limit) == expected
    others = (Topic(name="another subscriber's", query="graph x trace"), *wanted)
    scores = KeywordScores.of(others, [*shuffled, *data.draw(papers())], scorer)
    assert rank(wanted, shuffled, scorer=scorer, limit=limit, scores=scores) == expected
