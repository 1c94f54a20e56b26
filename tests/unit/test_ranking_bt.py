"""The lexical score: its formula on small tables, and reasons in words of the text."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from paperdigest.query import Keyword
from paperdigest.ranking import ArchiveStatistics, BtScorer
from paperdigest.ranking.bt import K1
from paperdigest.types import Paper, PaperId, StoredPaper

TRACE = Keyword(("trace",))
PHRASE = Keyword(("software", "traceability"))


def paper(title: str, abstract: str | None = None, *, name: str = "x") -> StoredPaper:
    return StoredPaper(
        paper=Paper(id=PaperId(scheme="test", local=name), title=title, abstract=abstract),
        first_seen_at=datetime(2026, 4, 14, tzinfo=UTC),
    )


@pytest.fixture
def scorer() -> BtScorer:
    return BtScorer(
        ArchiveStatistics(
            documents=1000,
            average_length=10,
            document_frequency={"trace": 99, "softwar": 200, "traceabl": 4, "the": 1000},
        )
    )


def one(scorer: BtScorer, keyword: Keyword, stored: StoredPaper) -> float:
    return float(scorer.score([keyword], [stored])[0, 0])


def test_the_archive_is_counted_with_the_title_twice_and_each_paper_once() -> None:
    statistics = ArchiveStatistics.of(
        [paper("Trace traces", "a trace"), paper("Nothing", None), paper("x", "tracing x")]
    )
    assert statistics.documents == 3
    assert statistics.average_length == pytest.approx((6 + 2 + 4) / 3)
    assert statistics.document_frequency == {"trace": 2, "a": 1, "noth": 1, "x": 1}


def test_an_impossible_archive_is_refused() -> None:
    for documents, length in ((-1, 1.0), (1, -1.0), (1, math.nan), (1, math.inf)):
        with pytest.raises(ValueError, match="an archive has"):
            ArchiveStatistics(documents=documents, average_length=length)


def test_a_word_scores_by_the_formula(scorer: BtScorer) -> None:
    stored = paper("Trace it", "two traces here and more words")  # length 2 * 2 + 6 = 10, tf 2 * 1 + 1 = 3
    idf = math.log(1 + (1000 - 99 + 0.5) / 99.5)
    assert one(scorer, TRACE, stored) == pytest.approx(idf * 3 / (3 + K1))


def test_a_word_in_the_title_counts_like_two_in_the_abstract(scorer: BtScorer) -> None:
    assert one(scorer, TRACE, paper("trace", "some words")) == one(scorer, TRACE, paper("", "trace trace some words"))


def test_a_longer_paper_needs_more_hits(scorer: BtScorer) -> None:
    assert one(scorer, TRACE, paper("x", "trace")) > one(scorer, TRACE, paper("x", "trace " + "word " * 50)) > 0


def test_a_rare_word_tells_more_than_a_common_one(scorer: BtScorer) -> None:
    both = paper("x", "software traceability")
    assert one(scorer, Keyword(("traceability",)), both) > one(scorer, Keyword(("software",)), both)


def test_a_word_in_every_paper_still_counts_as_it_was_asked_for(scorer: BtScorer) -> None:
    assert scorer.statistics.idf("the") == 1
    assert one(scorer, Keyword(("the",)), paper("the end", "x y z v u w")) == pytest.approx(2 / (2 + K1))


def test_any_word_of_a_keyword_may_match_and_the_phrase_earns_half_of_the_most(scorer: BtScorer) -> None:
    together = one(scorer, PHRASE, paper("x", "a software traceability y"))
    apart = one(scorer, PHRASE, paper("x", "a traceability software y"))
    single = one(scorer, PHRASE, paper("x", "a software mode y"))
    most = scorer.statistics.idf("softwar") + scorer.statistics.idf("traceabl")
    assert together == pytest.approx(apart + 0.5 * most)
    assert apart > single > 0


@pytest.mark.parametrize(
    ("title", "abstract"),
    [("On Software\nTraceability", None), ("x", "the soft software-traceability"), ("software", "Software, Traceable")],
)
def test_the_phrase_may_stand_in_either_field_with_any_punctuation(
    scorer: BtScorer, title: str, abstract: str | None
) -> None:
    assert any(reason.text.startswith("phrase *") for reason in scorer.explain(PHRASE, paper(title, abstract)))


def test_a_phrase_does_not_reach_from_title_to_abstract(scorer: BtScorer) -> None:
    reasons = scorer.explain(PHRASE, paper("about software", "traceability"))
    assert [reason.text for reason in reasons] == ["title matches *software*", "abstract has *traceability*"]


def test_a_word_typed_twice_counts_twice(scorer: BtScorer) -> None:
    stored = paper("x", "trace")
    assert one(scorer, Keyword(("trace", "graph", "trace")), stored) == 2 * one(scorer, TRACE, stored)


def test_a_substring_is_no_match(scorer: BtScorer) -> None:
    stored = paper("Storage coverage", "fragments and leverage")
    assert one(scorer, Keyword(("rag",)), stored) == 0
    assert scorer.explain(Keyword(("rag",)), stored) == ()


def test_scores_have_a_row_for_each_keyword_and_a_column_for_each_paper(scorer: BtScorer) -> None:
    scores = scorer.score([TRACE, PHRASE, TRACE], [paper("trace"), paper("software traceability", name="y")])
    assert scores.shape == (3, 2)
    assert scores.dtype == np.float64
    assert (scores > 0).tolist() == [[True, False], [False, True], [True, False]]
    assert scores[0].tolist() == scores[2].tolist()


def test_nothing_to_score_is_fine(scorer: BtScorer) -> None:
    assert scorer.score([], [paper("trace")]).shape == (0, 1)
    assert scorer.score([TRACE], []).shape == (1, 0)
    assert scorer.score([Keyword(("…",))], [paper("", "")]).tolist() == [[0.0]]


def test_an_empty_archive_gives_finite_scores() -> None:
    scorer = BtScorer(ArchiveStatistics())
    assert 0 < one(scorer, PHRASE, paper("software traceability")) < 10


def test_an_impossible_count_is_taken_as_no_or_every_paper() -> None:
    statistics = ArchiveStatistics(documents=9, average_length=3, document_frequency={"trace": 99, "graph": -99})
    assert statistics.idf("trace") == 1
    assert statistics.idf("graph") == statistics.idf("unknown") == pytest.approx(math.log(1 + 9.5 / 0.5))


def test_the_reasons_say_field_form_and_number(scorer: BtScorer) -> None:
    stored = paper("Software Traceability", "It TRACES the trace; software-traceability. Tracing traces, traced.")
    found = [(reason.text, reason.where, reason.keyword) for reason in scorer.explain(PHRASE, stored)]
    assert found == [
        ("phrase *Software Traceability* in the title", "title", '"software traceability"'),
        ("title matches *Software*", "title", '"software traceability"'),
        ("abstract has *software*", "abstract", '"software traceability"'),
        ("title matches *Traceability*", "title", '"software traceability"'),
        ("abstract has *traceability*", "abstract", '"software traceability"'),
    ]
    (many,) = scorer.explain(TRACE, stored)
    assert many.text == "abstract has *TRACES*, *trace*, *Tracing*, … (5x)"
    (three,) = scorer.explain(TRACE, paper("x", "trace traces tracing"))
    assert three.text == "abstract has *trace*, *traces*, *tracing* (3x)"
    (two,) = scorer.explain(TRACE, paper("x", "trace, trace"))
    assert two.text == "abstract has *trace* (2x)"


def test_title_and_abstract_share_a_word_in_proportion(scorer: BtScorer) -> None:
    title, abstract = scorer.explain(TRACE, paper("trace", "trace trace x"))
    assert title.contribution == pytest.approx(abstract.contribution)
    assert title.contribution + abstract.contribution == pytest.approx(
        one(scorer, TRACE, paper("trace", "trace trace x"))
    )
