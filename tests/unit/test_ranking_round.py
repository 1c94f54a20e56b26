"""From scores to what one subscriber is shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from paperdigest.errors import ModelError, QueryError
from paperdigest.protocols import Encoder
from paperdigest.query import Keyword
from paperdigest.ranking import Archive, ArchiveStatistics, Corpus, Options, Ranker
from paperdigest.ranking.calibration import JOINED, LEXICAL, SEMANTIC
from paperdigest.ranking.explaining import explain
from paperdigest.ranking.scores import FOLLOWED, KeywordScores
from paperdigest.types import (
    Appearance,
    Author,
    Judgement,
    Paper,
    PaperId,
    Placement,
    Ranking,
    RankRequest,
    StoredPaper,
    Subscriber,
    Topic,
)
from tests.word_encoder import WordEncoder

if TYPE_CHECKING:
    from numpy.typing import NDArray

TODAY = datetime(2026, 4, 14, 6, tzinfo=UTC)
FILLER = ["graphs", "models", "networks", "images", "robots", "speech", "proofs", "logic", "vision", "agents"]


def paper(name: str, title: str, abstract: str | None = None, *, days_ago: float = 0, **more: Any) -> StoredPaper:
    upvotes = more.pop("upvotes", None)
    return StoredPaper(
        paper=Paper(id=PaperId(scheme="test", local=name), title=title, abstract=abstract, **more),
        first_seen_at=TODAY - timedelta(days=days_ago),
        entries=(Appearance(source="hf", listed_on=TODAY.date(), upvotes=upvotes),),
    )


def archive_papers() -> list[StoredPaper]:
    return [
        paper(f"old-{number:03}", f"On {first} and {second}", f"We study {second} with {first}.", days_ago=30)
        for number, (first, second) in enumerate((a, b) for a in FILLER for b in FILLER if a != b)
    ]


PAPERS = (
    paper("a", "Trace links in software", "We trace requirements.", authors=(Author(name="Jane Doe"),)),
    paper("b", "Provenance of data", "Lineage is told.", categories=("cs.SE",)),
    paper("c", "Robots that see", "A trace of vision."),
    paper("d", "TRACE: a benchmark", None),
    paper("e", "Speech and images", "Nothing of the kind."),
)


def ranker(
    papers: Sequence[StoredPaper] = PAPERS, *, encoder: Encoder | None = None, options: Options | None = None
) -> Ranker:
    known = [*archive_papers(), *papers]
    archive = Archive(ArchiveStatistics.of(known), Corpus(known, encoder))
    return Ranker(Corpus(papers, encoder), archive, encoder, options)


def request(*topics: Topic, **more: Any) -> RankRequest:
    places = more.pop("max_papers", 10)
    values: dict[str, Any] = {
        "subscriber": Subscriber(email="reader@example.org", topics=topics, max_papers=places),
        "edition": date(2026, 4, 14),
        "since": TODAY - timedelta(days=7),
        "new_since": TODAY - timedelta(days=1),
        **more,
    }
    return RankRequest(**values)


def topic(query: str, **more: Any) -> Topic:
    return Topic(name=more.pop("name", query or "examples"), query=query, **more)


def names(ranking: Ranking) -> list[str]:
    return [one.stored.paper.id.local for one in ranking.ranked]


def test_by_words_alone_only_papers_with_a_word_are_ranked() -> None:
    ranking = ranker().rank(request(topic("trace")))
    assert sorted(names(ranking)) == ["a", "c", "d"]
    assert ranking.method == "by words alone"
    assert ranking.considered == len(PAPERS)


def test_with_vectors_papers_near_in_meaning_are_ranked_too() -> None:
    ranking = ranker(encoder=WordEncoder()).rank(request(topic("trace")))
    assert set(names(ranking)) == {"a", "b", "c", "d", "e"}
    order = names(ranking)
    assert order.index("b") < order.index("e")
    by_name = {one.stored.paper.id.local: one for one in ranking.ranked}
    assert "close to *trace*" in [reason.text for reason in by_name["b"].reasons]
    assert ranking.method == "by words and vectors (words/for-tests)"


@pytest.mark.parametrize("encoder", [None, WordEncoder()])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("=TRACE", ["d"]),
        ("title:trace", ["a", "d"]),
        ("provenanc*", ["b"]),
        ("author:doe", ["a"]),
        ("cat:cs.SE", ["b"]),
        ("+trace -robots", ["a", "d"]),
        ("+(provenance OR vision)", ["b", "c"]),
    ],
)
def test_what_is_said_precisely_is_meant_precisely(encoder: Encoder | None, query: str, expected: list[str]) -> None:
    assert sorted(names(ranker(encoder=encoder).rank(request(topic(query))))) == expected


def test_a_followed_author_outranks_words() -> None:
    ranking = ranker().rank(request(topic('software author:"Doe, J." vision')))
    assert names(ranking)[0] == "a"
    (reason,) = (one for one in ranking.ranked[0].reasons if "follow" in one.text)
    assert reason.text == "by *Doe, J.*, whom you follow"
    assert reason.contribution in (FOLLOWED, FOLLOWED / 2)


def test_a_demanded_category_adds_nothing_to_what_is_looked_for() -> None:
    plain = ranker().rank(request(topic("provenance"))).ranked[0]
    filtered = ranker().rank(request(topic("provenance +cat:cs.SE", name="provenance"))).ranked[0]
    assert filtered.score == plain.score


def test_a_group_counts_its_best_alternative_once() -> None:
    apart = ranker().rank(request(topic("provenance lineage"))).ranked[0]
    group = ranker().rank(request(topic("(provenance OR lineage)"))).ranked[0]
    alone = max(ranker().rank(request(topic(word))).ranked[0].score for word in ("provenance", "lineage"))
    assert group.score == alone < apart.score


def test_a_clause_weight_and_a_topic_weight_scale_the_raw_score() -> None:
    def raw(wanted: Topic) -> float:
        scored = ranker().round([request(wanted)])
        return float(scored.raw(wanted, request(wanted))[2][0])

    assert raw(topic("trace^2")) == pytest.approx(2 * raw(topic("trace")))
    assert raw(topic("trace", weight=3)) == pytest.approx(3 * raw(topic("trace")))


def test_best_clause_and_half_the_positive_others() -> None:
    wanted = request(topic("trace"), topic("software"), topic("trace software"))
    scored = ranker().round([wanted])
    one, two, both = (float(scored.raw(each, wanted)[2][0]) for each in wanted.subscriber.topics)
    assert both == pytest.approx(max(one, two) + 0.5 * min(one, two))


@pytest.mark.parametrize("encoder", [None, WordEncoder()])
def test_a_score_depends_on_no_other_paper_of_the_day(encoder: Encoder | None) -> None:
    known = [*archive_papers(), *PAPERS]
    archive = Archive(ArchiveStatistics.of(known), Corpus(known, encoder))
    wanted = request(topic("trace software"))
    together = {
        one.stored.paper.id: one for one in Ranker(Corpus(PAPERS, encoder), archive, encoder).rank(wanted).ranked
    }
    for stored in PAPERS:
        alone = Ranker(Corpus([stored], encoder), archive, encoder).rank(wanted).ranked
        assert (
            [one.score for one in alone] == [together[stored.paper.id].score] if stored.paper.id in together else True
        )


def test_a_threshold_keeps_weak_matches_out_and_a_topic_may_have_its_own() -> None:
    scores = sorted(one.score for one in ranker().rank(request(topic("trace"))).ranked)
    strict = ranker(options=Options(threshold=scores[-1])).rank(request(topic("trace")))
    assert [one.score for one in strict.ranked] == [scores[-1]]
    own = ranker(options=Options(threshold=0.999)).rank(request(topic("trace", threshold=0.0)))
    assert len(own.ranked) == 3


def test_seen_and_old_papers_are_out_and_waiting_ones_are_marked() -> None:
    papers = [*PAPERS, paper("w", "A trace that waited", days_ago=3), paper("o", "An old trace", days_ago=9)]
    seen = frozenset({PaperId(scheme="test", local="a")})
    ranking = ranker(papers).rank(request(topic("trace"), seen=seen))
    assert sorted(names(ranking)) == ["c", "d", "w"]
    assert {one.placement for one in ranking.ranked if one.stored.paper.id.local == "w"} == {Placement.WAITED}
    assert names(ranking)[-1] == "w", "what waited comes after what is new"


def test_however_good_what_waited_is_it_crowds_out_nothing_new() -> None:
    def noise(name: str) -> str:
        return " ".join(f"{name}x{number}" for number in range(40))

    old = [paper(f"w{n:02}", "Trace links trace", f"We trace a trace {noise(f'w{n}')}", days_ago=3) for n in range(60)]
    new = [paper(f"z{n}", f"On graphs {n}", f"A long text that says trace once {noise(f'z{n}')}") for n in range(5)]
    small, big = request(topic("trace")), request(topic("trace"), max_papers=30)
    one = ranker([*old, *new])
    assert {name for name in names(one.rank(small)) if name.startswith("z")} == {"z0", "z1", "z2", "z3", "z4"}
    for asked, answer in one.rank_all([small, big]):
        assert answer == one.rank(asked), "who else asks changes nothing"


def test_a_paper_of_two_topics_stands_once_and_names_the_other() -> None:
    ranking = ranker().rank(request(topic("trace"), topic("requirements", name="needs")))
    found = next(one for one in ranking.ranked if one.stored.paper.id.local == "a")
    assert {found.topic, *found.also} == {"trace", "needs"}
    assert names(ranking).count("a") == 1


def test_a_minor_topic_keeps_its_place() -> None:
    loud = [paper(f"l{number}", "Trace trace", f"trace number {FILLER[number]}") for number in range(9)]
    ranking = ranker([*loud, paper("z", "On provenance", "Of lineage.")]).rank(
        request(topic("trace", quota=0.8), topic("provenance", quota=0.2), max_papers=5)
    )
    assert "z" in names(ranking)


@pytest.mark.parametrize("encoder", [None, WordEncoder()])
@pytest.mark.parametrize("query", ["trace", '"software links" trace', "=TRACE author:doe", "(a OR trace)^2 vision"])
def test_the_reasons_add_up_to_the_raw_score(encoder: Encoder | None, query: str) -> None:
    wanted = request(topic(query, weight=1.5), judgements=JUDGED)
    scored = ranker(encoder=encoder, options=Options(popularity=0.4)).round([wanted])
    for stored in scored.corpus.papers:
        (one,) = explain(scored, wanted, stored).topics
        if math.isfinite(one.raw):
            assert math.fsum(reason.contribution for reason in one.reasons) == pytest.approx(one.raw, abs=1e-3)


JUDGED = tuple(
    Judgement(
        paper_id=PaperId(scheme="test", local=f"j{number}"),
        title=title,
        abstract=abstract,
        liked=liked,
        judged_at=TODAY - timedelta(days=2),
    )
    for number, (title, abstract, liked) in enumerate(
        [
            ("Robots in vision", "robots that look, and vision", True),
            ("Vision for robots", "vision and robots", True),
            ("On speech", "speech and nothing else", False),
        ]
    )
)


def test_likes_lift_papers_like_them_and_a_lesson_is_told_once() -> None:
    wanted = request(topic("trace"), judgements=JUDGED)
    before = {one.stored.paper.id.local: one.score for one in ranker().rank(request(topic("trace"))).ranked}
    taught = ranker().rank(wanted)
    after = {one.stored.paper.id.local: one.score for one in taught.ranked}
    assert after["c"] - before["c"] > after["a"] - before["a"]
    (verdict,) = taught.verdicts
    assert verdict.kept and verdict.after > verdict.before
    assert (verdict.topic, verdict.judgements) == ("trace", len(JUDGED))
    assert any("because you liked" in note for note in taught.notes)
    again = ranker().rank(replace(wanted, kept=frozenset({"trace"})))
    assert {one.stored.paper.id.local: one.score for one in again.ranked} == after
    assert not again.verdicts


def test_likes_bring_papers_that_have_none_of_the_words_but_not_those_that_are_kept_out() -> None:
    plain, strict = topic("requirements"), topic("+requirements", name="demanded")
    likes = {"judgements": JUDGED[:2], "kept": frozenset({"requirements", "demanded"})}
    assert "c" in names(ranker().rank(request(plain, **likes)))
    assert names(ranker().rank(request(strict, **likes))) == ["a"]
    assert names(ranker().rank(request(topic("=requirements"), **likes))) == ["a"]


def test_what_does_not_help_is_not_kept() -> None:
    unhelpful = replace(request(topic("trace"), judgements=JUDGED), kept=frozenset[str]())
    plain = ranker().rank(request(topic("trace")))
    ranking = ranker().rank(unhelpful)
    assert [one.score for one in ranking.ranked] == [one.score for one in plain.ranked]
    assert [note.split(",")[0] for note in ranking.notes] == ["trace: your likes change nothing yet"]


def test_a_topic_may_be_made_of_examples_alone() -> None:
    ranking = ranker().rank(request(topic("", name="mine"), judgements=JUDGED))
    assert names(ranking)[0] == "c"
    assert "like" in ranking.ranked[0].reasons[0].text
    # There is no query to be weighed against: one like says as much as it can, not a sixth of it.
    alone = ranker().rank(request(topic("", name="mine"), judgements=JUDGED[:1], kept=frozenset({"mine"})))
    beside = ranker().rank(request(topic("trace"), judgements=JUDGED[:1], kept=frozenset({"trace"})))
    mine, traced = (next(one for one in found.ranked if one.stored.paper.id.local == "c") for found in (alone, beside))
    learned = [sum(one.contribution for one in found.reasons if "like" in one.text) for found in (mine, traced)]
    assert learned[0] > 2 * learned[1] > 0


def test_upvotes_are_a_small_reason_of_their_own() -> None:
    papers = [paper("p", "A trace", "x"), paper("q", "A trace", "x", upvotes=40)]
    assert names(ranker(papers).rank(request(topic("trace")))) == ["p", "q"]
    ranking = ranker(papers, options=Options(popularity=0.5)).rank(request(topic("trace")))
    assert names(ranking) == ["q", "p"]
    assert "40 upvotes" in [reason.text for reason in ranking.ranked[0].reasons]


def test_subscribers_are_ranked_together_as_alone_and_a_bad_query_stops_nobody() -> None:
    requests = [
        request(topic("trace software")),
        request(topic('"open')),
        request(topic("vision", weight=2), topic("(trace OR provenance) -robots")),
        request(topic("trace"), judgements=JUDGED),
        request(topic("trace software"), since=TODAY - timedelta(days=3)),
        request(topic("trace"), seen=frozenset({PaperId(scheme="test", local="a")})),
    ]
    for encoder in (None, WordEncoder()):
        one = ranker(encoder=encoder)
        answers = {id(asked): answer for asked, answer in one.rank_all(requests)}
        assert isinstance(answers.pop(id(requests[1])), QueryError)
        for asked in requests:
            if id(asked) in answers:
                assert answers[id(asked)] == one.rank(asked)


def test_every_match_is_highlighted() -> None:
    (found,) = (one for one in ranker().rank(request(topic("trace"))).ranked if one.stored.paper.id.local == "a")
    assert [(one.field, one.start, one.end) for one in found.highlights] == [("title", 0, 5), ("abstract", 3, 8)]


@pytest.mark.parametrize("encoder", [None, WordEncoder()])
@pytest.mark.parametrize("query", ["cat:cs.SE", "author:doe", "source:hf"])
def test_a_filter_alone_shows_what_it_asks_for_whatever_the_threshold(encoder: Encoder | None, query: str) -> None:
    assert ranker(encoder=encoder, options=Options(threshold=0.9)).rank(request(topic(query))).ranked


def test_a_subscriber_without_topics_gets_nothing_and_stops_nobody() -> None:
    answers = [answer for _, answer in ranker().rank_all([request(), request(topic("trace"))])]
    assert [len(answer.ranked) for answer in answers if isinstance(answer, Ranking)] == [0, 3]


def test_a_keyword_that_the_model_cannot_take_is_ranked_by_words() -> None:
    class Fussy(WordEncoder):
        def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
            if "trace" in texts:
                raise ModelError("the model stumbles over a text", "Install it anew")
            return super().encode(texts)

    ranking = ranker(encoder=Fussy()).rank(request(topic("trace")))
    assert ranking.method == "by words alone"
    assert ranking == ranker().rank(request(topic("trace")))


def test_small_blocks_give_the_same_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [request(topic(query)) for query in ("trace", "software", "vision speech", "trace")]
    expected = [answer for _, answer in ranker(encoder=WordEncoder()).rank_all(requests)]
    monkeypatch.setattr("paperdigest.ranking.ranker.BLOCK_BYTES", 1)
    assert [answer for _, answer in ranker(encoder=WordEncoder()).rank_all(requests)] == expected


def test_a_paper_that_may_not_be_shown_as_new_is_told_so() -> None:
    wanted = request(topic("trace"), seen=frozenset({PAPERS[0].paper.id}))
    scored = ranker().round([wanted])
    assert "new version" in explain(scored, wanted, PAPERS[0], is_news=False).verdict


@pytest.mark.parametrize(
    ("name", "more", "says"),
    [
        ("a", {}, "place 1 of the digest"),
        ("e", {}, "no topic says anything"),
        ("a", {"seen": frozenset({PaperId(scheme="test", local="a")})}, "sent to them, or judged by them"),
        ("a", {"since": TODAY + timedelta(days=1)}, "before the days that count"),
        ("c", {"max_papers": 1}, "the places went to others"),
    ],
)
def test_a_verdict_is_given_on_every_paper(name: str, more: dict[str, Any], says: str) -> None:
    wanted = request(topic("trace"), **more)
    scored = ranker().round([replace(wanted, since=TODAY - timedelta(days=7))])
    stored = next(one for one in PAPERS if one.paper.id.local == name)
    assert says in explain(scored, wanted, stored).verdict


def twins() -> list[StoredPaper]:
    words = " ".join(f"word{number}" for number in range(40))
    best = [paper(name, "Trace of a trace", f"We trace a trace by its trace {words}") for name in ("s", "t")]
    return [*best, paper("u", "On robots", "They leave a trace.")]


def test_a_near_duplicate_steps_back_in_a_digest_and_is_told_so() -> None:
    wanted = request(topic("trace"), max_papers=2)
    scored = ranker(twins()).round([wanted])
    assert names(scored.rank(wanted)) == ["s", "u"]
    assert "says nearly the same as place 1" in explain(scored, wanted, twins()[1]).verdict


def test_a_plain_list_is_in_the_order_of_scores() -> None:
    listed = ranker(twins(), options=Options(is_digest=False)).rank(request(topic("trace")))
    assert names(listed) == ["s", "t", "u"]
    assert [one.score for one in listed.ranked] == sorted((one.score for one in listed.ranked), reverse=True)


def test_the_joined_reason_names_the_words() -> None:
    ranking = ranker(encoder=WordEncoder()).rank(request(topic("trace software")))
    texts = {reason.text for one in ranking.ranked for reason in one.reasons}
    assert "close to *trace* and *software* together" in texts
    many = ranker(encoder=WordEncoder()).rank(request(topic("trace software vision speech")))
    texts = {reason.text for one in many.ranked for reason in one.reasons}
    assert "close to *trace* and *software* and *vision* and others together" in texts


def test_a_paper_below_the_threshold_is_told_so() -> None:
    scored = ranker(options=Options(threshold=0.9999)).round([request(topic("trace"))])
    assert "below the least score" in explain(scored, request(topic("trace")), PAPERS[0]).verdict


def test_a_withdrawn_paper_is_told_so() -> None:
    gone = paper("g", "Trace", withdrawn=True)
    wanted = request(topic("vision"))
    assert "withdrawn" in explain(ranker([gone]).round([wanted]), wanted, gone).verdict


@pytest.mark.parametrize("calibration", [JOINED, LEXICAL, SEMANTIC])
def test_the_map_to_the_unit_interval_is_monotone_and_has_an_inverse(calibration: Any) -> None:
    raws = [-1e9, -50.0, -1.0, 0.0, calibration.middle, 9.0, 1e9]
    units = [calibration.unit(raw) for raw in raws]
    assert units == sorted(units)
    assert units[4] == 0.5
    assert calibration.unit(-math.inf) == 0 or calibration.unit(-math.inf) < 1e-300
    assert calibration.raw(calibration.unit(2.0)) == pytest.approx(2.0)
    assert calibration.raw(0) == -math.inf
    assert calibration.raw(1) == math.inf


def test_keywords_that_nobody_has_score_finitely() -> None:
    for encoder in (None, WordEncoder()):
        corpus = Corpus(PAPERS, encoder)
        empty = Archive(ArchiveStatistics(), Corpus([], encoder))
        scores = KeywordScores([Keyword(("zebra",)), Keyword(("the",)), Keyword(("…",))], corpus, empty, encoder)
        assert not np.isnan(scores.standard).any()
        assert (scores.standard < np.inf).all()
