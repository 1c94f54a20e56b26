"""What holds of every ranking, whatever the papers, topics and archive."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperdigest.protocols import Encoder
from paperdigest.query import Form, Keyword
from paperdigest.query.text import STOP_WORDS, stems
from paperdigest.ranking import Archive, ArchiveStatistics, BtScorer, Corpus, Options, Ranker
from paperdigest.ranking.bt import K1, B
from paperdigest.ranking.explaining import explain
from paperdigest.types import Judgement, Paper, PaperId, RankRequest, StoredPaper, Subscriber, Topic
from tests.word_encoder import WordEncoder

NOW = datetime(2026, 4, 14, tzinfo=UTC)
WORDS = (
    "trace",
    "Traces",
    "TRACED",
    "software",
    "traceability",
    "the",
    "of",
    "café",
    "x",
    "deep-learning",
    "graph",
    "lineage",
)
texts = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join) | st.text(max_size=12)
keywords = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(lambda words: Keyword(tuple(words)))
encoders = st.sampled_from([None, WordEncoder()])


@st.composite
def papers(draw: st.DrawFn, max_size: int = 7) -> tuple[StoredPaper, ...]:
    names = draw(st.lists(st.sampled_from("abcdefghij"), unique=True, max_size=max_size))
    return tuple(
        StoredPaper(
            paper=Paper(id=PaperId(scheme="test", local=name), title=draw(texts), abstract=draw(st.none() | texts)),
            first_seen_at=NOW,
        )
        for name in names
    )


queries = st.lists(
    keywords.filter(lambda keyword: "lineage" not in keyword.words).map(str)
    | st.sampled_from(["=TRACED", "trac*", "title:trace", "-lineage", "+trace", "(trace OR graph)^2", "author:doe"]),
    min_size=1,
    max_size=4,
).map(" ".join)


@st.composite
def topics(draw: st.DrawFn) -> tuple[Topic, ...]:
    return tuple(
        Topic(
            name=f"topic {number}",
            query=f"software {draw(queries)}",
            weight=draw(st.sampled_from([0.1, 1.0, 7.5])),
            quota=draw(st.sampled_from([None, 0.1, 0.5, 1.0])),
            threshold=draw(st.sampled_from([None, 0.0, 0.3])),
        )
        for number in range(draw(st.integers(0, 3)))
    )


@st.composite
def judgements(draw: st.DrawFn) -> tuple[Judgement, ...]:
    return tuple(
        Judgement(
            paper_id=PaperId(scheme="liked", local=str(number)),
            title=draw(texts),
            abstract=draw(st.none() | texts),
            liked=draw(st.booleans()),
            judged_at=NOW,
        )
        for number in range(draw(st.integers(0, 3)))
    )


archives = papers().map(ArchiveStatistics.of)


def request(wanted: tuple[Topic, ...], said: tuple[Judgement, ...] = (), places: int = 5) -> RankRequest:
    subscriber = Subscriber(email="reader@example.org", topics=wanted)
    return RankRequest(
        subscriber=subscriber, edition=date(2026, 4, 14), since=NOW, new_since=NOW, judgements=said, places=places
    )


def ranker(found: tuple[StoredPaper, ...], known: tuple[StoredPaper, ...], encoder: Encoder | None) -> Ranker:
    archive = Archive(ArchiveStatistics.of(known), Corpus(known, encoder))
    return Ranker(Corpus(found, encoder), archive, encoder, Options(explore=True, popularity=0.3, threshold=0.1))


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
        score += idf * tf / (tf + K1 * (1 - B + B * relative))
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


@given(keywords, st.sampled_from(Form), papers(), archives)
def test_the_reasons_of_a_keyword_add_up(
    keyword: Keyword, form: Form, found: tuple[StoredPaper, ...], archive: ArchiveStatistics
) -> None:
    scorer = BtScorer(archive)
    wanted = Keyword(keyword.words, form)
    for stored, raw in zip(found, scorer.score([wanted], found)[0].tolist(), strict=True):
        reasons = scorer.explain(wanted, stored)
        assert math.fsum(reason.contribution for reason in reasons) == pytest.approx(raw, abs=1e-9)
        assert all(reason.contribution > 0 for reason in reasons)
        assert bool(reasons) == (raw > 0)


@given(papers())
def test_the_archive_counts_the_same_in_any_order(found: tuple[StoredPaper, ...]) -> None:
    assert ArchiveStatistics.of(found) == ArchiveStatistics.of(found[::-1])


@settings(deadline=None, max_examples=60)
@given(topics(), judgements(), papers(), papers(), encoders, st.integers(0, 8))
def test_a_ranking_is_a_choice_of_the_papers_with_scores_that_qualify(
    wanted: tuple[Topic, ...],
    said: tuple[Judgement, ...],
    found: tuple[StoredPaper, ...],
    known: tuple[StoredPaper, ...],
    encoder: Encoder | None,
    places: int,
) -> None:
    ranking = ranker(found, known, encoder).rank(request(wanted, said, places))
    ids = [one.stored.paper.id for one in ranking.ranked]
    least = {topic.name: 0.1 if topic.threshold is None else topic.threshold for topic in wanted}
    assert len(set(ids)) == len(ids) <= places
    assert set(ids) <= {stored.paper.id for stored in found}
    assert ranking.considered == len(found)
    for one in ranking.ranked:
        assert least[one.topic] - 1e-9 <= one.score <= 1
        assert one.topic not in one.also


@settings(deadline=None, max_examples=60)
@given(topics(), judgements(), papers(), papers(), encoders)
def test_the_reasons_of_every_paper_add_up(
    wanted: tuple[Topic, ...],
    said: tuple[Judgement, ...],
    found: tuple[StoredPaper, ...],
    known: tuple[StoredPaper, ...],
    encoder: Encoder | None,
) -> None:
    asked = request(wanted, said)
    scored = ranker(found, known, encoder).round([asked])
    for stored in scored.corpus.papers:
        for one in explain(scored, asked, stored).topics:
            assert not math.isnan(one.raw)
            total = math.fsum(reason.contribution for reason in one.reasons)
            assert total == pytest.approx(one.raw if math.isfinite(one.raw) else 0, abs=1e-3, rel=1e-5)
            assert one.score == pytest.approx(scored.calibration(scored.batch.plan(one.topic.query)).unit(one.raw))


@settings(deadline=None, max_examples=60)
@given(topics(), judgements(), papers(), papers(), encoders, st.data())
def test_a_ranking_depends_neither_on_order_nor_on_the_batch(
    wanted: tuple[Topic, ...],
    said: tuple[Judgement, ...],
    found: tuple[StoredPaper, ...],
    known: tuple[StoredPaper, ...],
    encoder: Encoder | None,
    data: st.DataObject,
) -> None:
    asked = request(wanted, said)
    expected = ranker(found, known, encoder).rank(asked)
    shuffled = ranker(tuple(data.draw(st.permutations(found))), tuple(data.draw(st.permutations(known))), encoder)
    assert shuffled.rank(asked) == expected
    other = request((Topic(name="another subscriber's", query="graph x trace =TRACED"),))
    together = {id(one): answer for one, answer in shuffled.rank_all([other, asked, other])}
    assert together[id(asked)] == expected


@settings(deadline=None, max_examples=60)
@given(queries, papers(), papers())
def test_exact_scores_make_the_vectors_part_the_same_in_any_company(
    query: str, found: tuple[StoredPaper, ...], known: tuple[StoredPaper, ...]
) -> None:
    asked = request((Topic(name="one", query=f"software {query}"),))
    together = ranker(found, known, WordEncoder()).round([asked])
    plan = together.batch.plan(asked.subscriber.topics[0].query)
    for column, stored in enumerate(together.corpus.papers):
        alone = ranker((stored,), known, WordEncoder()).round([asked])
        one = alone.batch.raw(alone.batch.plan(asked.subscriber.topics[0].query))
        assert np.array_equal(one, together.batch.raw(plan)[[column]])
