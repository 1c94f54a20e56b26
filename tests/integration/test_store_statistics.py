"""Word counts of the archive: exact, kept up at little cost, and read in part when part is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from paperdigest.errors import StoreError
from paperdigest.store import Store, statistics
from paperdigest.store.archive import reference
from paperdigest.store.engine import connect_raw
from paperdigest.store.ranking_tables import recounts
from paperdigest.store.statistics import LONGEST_TERM, ArchiveCounts, Statistics
from paperdigest.types import Entry, PaperId
from tests.store_samples import arxiv, listing, paper


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "papers.db", create=True)
    yield opened
    opened.close()


def kept_texts(store: Store) -> list[str]:
    with store.database.reading() as connection:
        return list(connection.execute(select(recounts.c.title)).scalars())


def test_an_empty_archive_has_counts_too(store: Store) -> None:
    assert Statistics(store.database).update() == 0
    assert Statistics(store.database).load() == ArchiveCounts()


def test_a_stem_counts_once_a_paper_and_a_title_twice_in_length(store: Store) -> None:
    store.record(listing(paper("2604.00001", "Tracing the traced", abstract="Trace it")), authority=2)
    store.record(listing(paper("2604.00002", "Graphs")), authority=2)
    assert Statistics(store.database).update() == 2
    assert Statistics(store.database).load() == ArchiveCounts(
        documents=2,
        average_length=((2 * 3 + 2) + 2 * 1) / 2,
        document_frequency={"trace": 1, "the": 1, "it": 1, "graph": 1},
    )


def test_only_the_stems_asked_for_are_read(store: Store) -> None:
    told = [paper(f"2604.{number:05}", f"word{number} trace") for number in range(1200)]
    store.record(listing(*told), authority=2)
    counting = Statistics(store.database)
    counting.update()
    some = counting.load([f"word{number}" for number in range(0, 2400, 2)] + ["trace", "trace", "x" * 9999])
    assert some.document_frequency == {f"word{number}": 1 for number in range(0, 1200, 2)} | {"trace": 1200}
    assert (some.documents, some.average_length) == (1200, 4.0)
    assert counting.load([]).document_frequency == {}


def test_papers_since_the_last_count_wait_for_the_next(store: Store) -> None:
    store.record(listing(paper("2604.00001", "Graphs")), authority=2)
    counting = Statistics(store.database)
    counting.update()
    store.record(listing(paper("2604.00002", "Graphs")), authority=2)
    assert counting.load().documents == 1
    assert counting.update() == 1
    assert counting.load().document_frequency == {"graph": 2}


def test_a_changed_text_is_counted_instead_of_the_old_one(store: Store) -> None:
    store.record(listing(paper("2604.00001", "Graphs", abstract="old words")), authority=2)
    counting = Statistics(store.database)
    counting.update()
    for hours, title in enumerate(["Graphs and", "Graphs and traces"], start=1):
        store.record(listing(paper("2604.00001", title), hours=hours), authority=3)
    assert kept_texts(store) == ["Graphs"], "the text under which it was counted, not what came between"
    assert counting.update() == 1
    assert counting.load().document_frequency == dict.fromkeys(("graph", "and", "trace", "old", "word"), 1)
    assert kept_texts(store) == []


def test_a_paper_that_was_joined_with_another_is_counted_no_more(store: Store) -> None:
    doi = PaperId(scheme="doi", local="10.1000/one")
    store.record(listing(paper("2604.00001", "Graphs")), authority=2)
    other = paper("2604.00001", "Traces")
    store.record(listing(Entry(paper=type(other)(id=doi, title="Traces")), source="feed"), authority=1)
    counting = Statistics(store.database)
    counting.update()
    assert counting.load().document_frequency == {"graph": 1, "trace": 1}
    store.record(listing(paper("2604.00001", "Graphs", aliases=(doi,)), hours=1), authority=2)
    assert store.counts()["papers"] == 1
    assert store.check() == ()
    counting.update()
    assert counting.load() == ArchiveCounts(documents=1, average_length=2.0, document_frequency={"graph": 1})
    assert store.check() == ()


def test_votes_and_other_news_keep_no_text(store: Store) -> None:
    store.record(listing(Entry(paper=paper(), upvotes=1)), authority=2)
    Statistics(store.database).update()
    store.record(listing(Entry(paper=paper(comment="12 pages"), upvotes=5), hours=1), authority=2)
    assert kept_texts(store) == []


def test_a_paper_that_is_not_counted_yet_keeps_no_text(store: Store) -> None:
    store.record(listing(paper("2604.00001", "Graphs")), authority=2)
    store.record(listing(paper("2604.00001", "Traces"), hours=1), authority=2)
    assert kept_texts(store) == []


def test_what_a_kill_left_uncounted_is_counted_next_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.record(listing(*[paper(f"2604.{number:05}", "Graphs") for number in range(10)]), authority=2)
    monkeypatch.setattr(statistics, "BATCH", 4)
    apply, batches = statistics._apply, iter(range(10))

    def killed(*told: object) -> None:
        apply(*told)  # type: ignore[arg-type]  # passed through
        if next(batches) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(statistics, "_apply", killed)
    counting = Statistics(store.database)
    with pytest.raises(KeyboardInterrupt):
        counting.update()
    assert counting.load().document_frequency == {"graph": 4}, "whole batches or nothing"
    assert store.check() == ()
    assert counting.update() == 6
    assert counting.load().document_frequency == {"graph": 10}


def test_with_other_rules_for_words_everything_is_counted_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.record(listing(paper("2604.00001", "Graphs")), authority=2)
    counting = Statistics(store.database)
    counting.update()
    with connect_raw(store.path) as raw:
        raw.execute("UPDATE term_statistics SET term = 'graphs'")
    monkeypatch.setattr(statistics, "_rules", lambda: "others")
    assert counting.update() == 1
    assert counting.load().document_frequency == {"graph": 1}


def test_a_run_of_letters_that_is_no_word_is_not_counted(store: Store) -> None:
    long, longest = "x" * (LONGEST_TERM + 1), "z" * LONGEST_TERM
    store.record(listing(paper("2604.00001", f"{long} {longest}")), authority=2)
    counting = Statistics(store.database)
    counting.update()
    assert counting.load().document_frequency == {longest: 1}
    assert counting.load([long, longest]).document_frequency == {longest: 1}


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        ("UPDATE archive_statistics SET documents = 7", "5 papers more or fewer than there are in the word counts"),
        ("UPDATE term_statistics SET documents = 3", "1 words counted in no paper, or in more than there are"),
        ("UPDATE term_statistics SET documents = 0", "1 words counted in no paper, or in more than there are"),
        ("INSERT INTO recounts VALUES (77, 'a', 'b')", "1 texts to be counted again of papers that were never counted"),
    ],
)
def test_counts_that_cannot_be_are_found(store: Store, damage: str, finding: str) -> None:
    store.record(listing(paper("2604.00001", "Graph"), paper("2604.00002", "Graph")), authority=2)
    Statistics(store.database).update()
    with connect_raw(store.path) as raw:
        raw.execute(damage)
    assert finding in store.check()


def test_a_locked_database_is_said_and_nothing_is_counted(tmp_path: Path) -> None:
    from datetime import timedelta

    store = Store.open(tmp_path / "papers.db", create=True, busy_timeout=timedelta(milliseconds=1))
    store.record(listing(paper()), authority=2)
    with connect_raw(store.path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="writing"):
            Statistics(store.database).update()
        other.execute("ROLLBACK")
    assert Statistics(store.database).load() == ArchiveCounts()
    store.close()


def test_the_reference_sample_is_the_papers_seen_last(store: Store) -> None:
    for hours in range(3):
        told = [paper(f"260{hours}.0000{number}", f"T{hours}", abstract="words") for number in (2, 1)]
        store.record(listing(*told, hours=hours), authority=2)
    sample = reference(store.database, 3)
    assert [one.paper.id for one in sample] == [arxiv("2602.00001"), arxiv("2602.00002"), arxiv("2601.00001")]
    assert (sample[0].paper.title, sample[0].paper.abstract) == ("T2", "words")
    assert reference(store.database, 0) == ()
    assert len(reference(store.database, 99)) == 6
