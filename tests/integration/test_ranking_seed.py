"""The seed page: sixteen papers found for "trace", ranked for what a person may have meant."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from paperdigest.protocols import Encoder
from paperdigest.ranking import Archive, ArchiveStatistics, Corpus, Ranker
from paperdigest.semantic import InstalledEncoder
from paperdigest.types import Paper, PaperId, RankedPaper, RankRequest, StoredPaper, Subscriber, Topic

NOW = datetime(2026, 4, 14, tzinfo=UTC)
TRACE_OF_THE_HESSIAN = 1


@pytest.fixture(scope="module")
def seed(shared: Path) -> tuple[StoredPaper, ...]:
    """The page cut at its titles: each abstract is the paragraph below. Numbers are the papers' places."""
    folder = shared / "data" / "seed-trace"
    lines = (folder / "seed.txt").read_text("utf-8").splitlines()
    titles = [paper["title"] for paper in json.loads((folder / "expected.json").read_text("utf-8"))["papers"]]
    return tuple(
        StoredPaper(
            paper=Paper(
                id=PaperId(scheme="seed", local=f"{number:02}"), title=title, abstract=lines[lines.index(title) + 2]
            ),
            first_seen_at=NOW,
        )
        for number, title in enumerate(titles, start=1)
    )


def ranked_for(query: str, seed: tuple[StoredPaper, ...], encoder: Encoder | None = None) -> tuple[RankedPaper, ...]:
    corpus = Corpus(seed, encoder)
    archive = Archive(ArchiveStatistics.of(seed), corpus)
    subscriber = Subscriber(email="reader@example.org", topics=(Topic(name="seed", query=query),))
    asked = RankRequest(subscriber=subscriber, edition=date(2026, 4, 14), since=NOW, new_since=NOW, places=100)
    return Ranker(corpus, archive, encoder).rank(asked).ranked


def places(ranked: tuple[RankedPaper, ...]) -> list[int]:
    return [int(entry.stored.paper.id.local) for entry in ranked]


def test_software_traceability_puts_the_two_papers_about_it_first(seed: tuple[StoredPaper, ...]) -> None:
    ranked = ranked_for('"software traceability"', seed)
    assert set(places(ranked)[:2]) == {4, 7}
    assert TRACE_OF_THE_HESSIAN not in places(ranked)
    assert ranked[0].reasons[0].text == "phrase *Software Traceability* in the title"


def test_with_the_model_the_false_friend_is_in_the_last_third(seed: tuple[StoredPaper, ...], model: Path) -> None:
    order = places(ranked_for('"software traceability"', seed, InstalledEncoder(model)))
    assert len(order) == 16
    assert set(order[:2]) == {4, 7}
    assert order.index(TRACE_OF_THE_HESSIAN) >= 16 - 16 // 3 - 1


def test_trace_finds_the_thirteen_papers_with_a_form_of_the_word(seed: tuple[StoredPaper, ...]) -> None:
    ranked = ranked_for("trace", seed)
    assert sorted(places(ranked)) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 16]
    assert ranked[-1].score > 0.05, "a page found for the word does not make it worthless"


def test_the_acronym_is_found_alone(seed: tuple[StoredPaper, ...]) -> None:
    for entry in ranked_for("=TRACE", seed):
        assert "TRACE" in f"{entry.stored.paper.title} {entry.stored.paper.abstract}"
        assert all("TRACE" in reason.text for reason in entry.reasons if reason.where)


def test_every_place_for_trace_is_explained_by_a_word_of_the_text(seed: tuple[StoredPaper, ...]) -> None:
    for entry in ranked_for("trace", seed):
        assert entry.deciding
        for reason in entry.deciding:
            text = entry.stored.paper.title if reason.where == "title" else entry.stored.paper.abstract
            assert reason.text.split("*")[1] in (text or "")


def test_retrieval_finds_three(seed: tuple[StoredPaper, ...]) -> None:
    assert places(ranked_for("retrieval", seed))[0] == 6
    assert sorted(places(ranked_for("retrieval", seed))) == [4, 6, 15]


def test_with_the_model_every_place_is_explained(seed: tuple[StoredPaper, ...], model: Path) -> None:
    for query in ("trace", '"software traceability"'):
        ranked = ranked_for(query, seed, InstalledEncoder(model))
        assert len(ranked) == 16
        assert all(entry.deciding for entry in ranked)
