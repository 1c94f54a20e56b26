"""Our ranking as a system to be measured: the same scores as in a digest, on collections small and real."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from paperdigest.app import evaluating
from paperdigest.app.evaluating import ProductSystem
from paperdigest.evaluation import Document, Examples, Setup, measure, read_collection
from paperdigest.query.text import words
from paperdigest.ranking import Archive, ArchiveStatistics, Corpus, Options, Round
from paperdigest.types import Judgement, Paper, PaperId, RankRequest, StoredPaper, Subscriber, Topic

THEN = datetime(2026, 4, 15, tzinfo=UTC)
VOCABULARY = ("trace", "link", "heap", "bee", "proof", "code", "sleep", "tree")


class Words:
    """An encoder that knows eight words; anything else is near to nothing."""

    name = "words/8"
    dimensions = len(VOCABULARY)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            rows[row] = [sum(found.startswith(word) for found in words(text)) for word in VOCABULARY]
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        np.divide(rows, lengths, out=rows, where=lengths > 0)
        return rows


def documents(count: int = 40) -> list[Document]:
    """Papers of two words each and an abstract for most; all different."""
    return [
        Document(
            id=f"d{number}",
            title=f"{VOCABULARY[number % 8]} {VOCABULARY[(number // 8 + number) % 8]} {number}",
            text="" if number % 5 == 0 else f"We see a {VOCABULARY[(3 * number + 1) % 8]} and software traceability.",
        )
        for number in range(count)
    ]


def stored(number: int, one: Document) -> StoredPaper:
    paper = Paper(id=PaperId(scheme="test", local=f"{number:04}"), title=one.title, abstract=one.text or None)
    return StoredPaper(paper=paper, first_seen_at=THEN)


def scores(
    topics: Sequence[tuple[str, ...]], papers: Sequence[Document], encoder: Words | None
) -> list[NDArray[np.float64]]:
    return list(ProductSystem(encoder).prepare(papers).topics(topics))


@pytest.fixture(params=[None, Words()], ids=["words alone", "with vectors"])
def encoder(request: pytest.FixtureRequest) -> Words | None:
    found: Words | None = request.param
    return found


def digest_scores(
    queries: Sequence[str], papers: Sequence[Document], encoder: Words | None
) -> list[NDArray[np.float64]]:
    """The raw scores that a digest is made of."""
    corpus = Corpus((stored(number, one) for number, one in enumerate(papers)), encoder)
    archive = Archive(ArchiveStatistics.of(corpus.papers), corpus)
    topics = tuple(Topic(name=query, query=query) for query in queries)
    request = RankRequest(
        subscriber=Subscriber(email="you@example.org", topics=topics),
        edition=date(2026, 4, 15),
        since=THEN,
        new_since=THEN,
    )
    made = Round(topics, corpus, archive, encoder, Options())
    return [made.raw(topic, request)[2] for topic in topics]


def test_topics_score_as_in_a_digest(encoder: Words | None) -> None:
    topics = [("trace",), ("software traceability",), ("heap", "code proof", "sleep"), ("trace", "link")]
    queries = ["trace", '"software traceability"', 'heap "code proof" sleep', "trace link"]
    for ours, theirs in zip(
        scores(topics, documents(), encoder), digest_scores(queries, documents(), encoder), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_examples_score_as_in_a_topic_of_examples_alone(encoder: Words | None) -> None:
    papers = documents()
    examples = Examples(
        liked=np.array([0, 8, 3]),
        disliked=np.array([5]),
        archive=np.arange(30, 9, -1),
        candidates=np.array([39, 31, 35]),
    )
    ours = ProductSystem(encoder).prepare(papers).likes(examples)
    known = [*examples.archive.tolist(), 0, 8, 3, 5]
    archive = Archive(
        ArchiveStatistics.of(stored(number, papers[number]) for number in known),
        Corpus((stored(number, papers[number]) for number in examples.archive.tolist()), encoder),
    )
    corpus = Corpus((stored(number, papers[number]) for number in (31, 35, 39)), encoder)
    topic = Topic(name="examples", query="")
    request = RankRequest(
        subscriber=Subscriber(email="you@example.org", topics=(topic,)),
        edition=date(2026, 4, 15),
        since=THEN,
        new_since=THEN,
        kept=frozenset(("examples",)),
        judgements=tuple(
            Judgement(
                paper_id=stored(number, papers[number]).paper.id,
                title=papers[number].title,
                abstract=papers[number].text or None,
                liked=number != 5,
                judged_at=THEN,
            )
            for number in (0, 8, 3, 5)
        ),
    )
    raw = Round([topic], corpus, archive, encoder, Options()).raw(topic, request)[2]
    np.testing.assert_allclose(ours, raw[[2, 0, 1]], rtol=1e-9)
    assert np.isfinite(ours).all() and len(set(ours.tolist())) == 3


def test_the_order_of_papers_and_topics_plays_no_part(encoder: Words | None) -> None:
    topics = [("trace",), ("heap", "code"), ("what of the trees and the bees that sleep there",)]
    plain = scores(topics, documents(), encoder)
    turned = scores(topics[::-1], documents()[::-1], encoder)
    for ours, theirs in zip(plain, turned[::-1], strict=True):
        np.testing.assert_array_equal(ours, theirs[::-1])


def test_topics_asked_in_small_blocks_score_the_same(encoder: Words | None, monkeypatch: pytest.MonkeyPatch) -> None:
    topics = [("trace",), ("heap", "code"), ("trace",), ("link",), ("sleep", "tree")]
    whole = scores(topics, documents(), encoder)
    monkeypatch.setattr(evaluating, "_BLOCK_BYTES", 1)
    np.testing.assert_array_equal(scores(topics, documents(), encoder), whole)


@pytest.mark.parametrize(
    "text",
    ["", "?!", "the and of", '"', 'say "trace" AND (-not', "词 тест", "trace " * 3000, "a" * 100_000, "+title:^2"],
)
def test_whatever_a_question_is_no_score_is_no_number(text: str, encoder: Words | None) -> None:
    papers = [*documents(8), Document(id="empty", title=""), Document(id="bare", title="?", text="…")]
    (found,) = scores([(text,)], papers, encoder)
    assert found.shape == (10,)
    assert not np.isnan(found).any() and not np.isposinf(found).any()


def test_typographic_quotes_in_a_keyword_are_no_syntax(encoder: Words | None) -> None:
    plain, quoted = scores([("code proof", "heap"), ('code "proof"', "“heap”")], documents(), encoder)
    np.testing.assert_array_equal(plain, quoted)


def test_by_words_alone_a_paper_without_any_is_not_shown() -> None:
    (found,) = scores([("trace",)], documents(), None)
    has_word = ["trace" in words(f"{one.title} {one.text}") for one in documents()]
    assert np.isfinite(found).tolist() == has_word


LEAST = {"inspec-terms": (0.47, 0.35, 0.62), "cacm": (0.49, 0.34, 0.64), "cisi": (0.39, 0.21, 0.44)}


@pytest.mark.real
@pytest.mark.parametrize("name", list(LEAST))
def test_words_alone_reach_on_real_questions_what_was_promised(shared: Path, name: str) -> None:
    means = measure(read_collection(shared / "collections" / name), ProductSystem(None), Setup()).means
    ndcg, precision, recall = LEAST[name]
    assert means["ndcg_10"] >= ndcg
    assert means["map"] >= precision
    assert means["recall_100"] >= recall
