"""Judgements of stored papers, and topics seeded with examples."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paperdigest.app.feedback import Feedback, Seeds
from paperdigest.errors import NotFoundError, ParseError, UsageError
from paperdigest.store import Store
from paperdigest.store.subscribers import Subscribers
from paperdigest.types import Judgement, PaperId, Subscriber, Topic
from tests.store_samples import listing, named, paper

NOW = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)
TRACING = paper("2305.17490", "Recovering trace links", abstract="We recover links.", authors=named("Jane Doe"))
STARS = paper("2305.00001", "Galaxies in a survey", abstract="Spectra.", authors=named("Doe, J.", "Bob Roe"))
AGAIN = paper("2305.00002", "Recovering trace links again", authors=named("Bob Roe"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "paperdigest.db", create=True)
    store.record(listing(TRACING, STARS, AGAIN), authority=2)
    yield store
    store.close()


@pytest.fixture
def reader(store: Store) -> Subscriber:
    topics = (Topic(name="links", query="trace"), Topic(name="stars", query=""))
    return Subscribers(store.database).add(Subscriber(email="you@example.org", topics=topics, created_at=NOW))


@pytest.fixture
def feedback(store: Store) -> Feedback:
    return Feedback(store, lambda: NOW)


@pytest.mark.parametrize(
    "text",
    [
        "arxiv:2305.17490",
        "2305.17490v3",
        "https://arxiv.org/abs/2305.17490",
        "https://huggingface.co/papers/2305.17490",
        " 10.48550/arXiv.2305.17490 ",
        "Recovering trace links",
        "RECOVERING Trace, links!",
    ],
)
def test_a_paper_is_found_by_whatever_names_it(feedback: Feedback, text: str) -> None:
    assert feedback.find(text).paper.title == "Recovering trace links"


def test_a_piece_of_a_title_must_mean_one_paper(feedback: Feedback) -> None:
    assert feedback.find("links again").paper.id == AGAIN.id
    with pytest.raises(UsageError, match=r"2 stored papers are titled like 'trace links'.*arxiv:2305"):
        feedback.find("trace links")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("arxiv:2604.99999", "api/query?id_list=2604.99999"),
        ("doi:10.1000/x", "--examples FILE"),
        ("https://example.org/x", "--examples FILE"),
        ("quantum gravity", "paperdigest papers"),
        ("...", "paperdigest papers"),
    ],
)
def test_what_is_not_stored_is_refused_with_the_next_step(feedback: Feedback, text: str, hint: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        feedback.find(text)
    assert hint in str(caught.value)


def test_judgements_are_kept_with_the_text_of_the_paper(feedback: Feedback, reader: Subscriber) -> None:
    feedback.judge(reader, ["2305.17490"], liked=True, topic="links")
    feedback.judge(reader, ["2305.00001"], liked=False)
    disliked, liked = sorted(feedback.of(reader), key=lambda one: one.liked)
    assert (liked.title, liked.abstract, liked.topic, liked.origin) == (
        "Recovering trace links",
        "We recover links.",
        "links",
        "reader",
    )
    assert (disliked.paper_id, disliked.topic, disliked.judged_at) == (STARS.id, None, NOW)


def test_of_several_papers_all_or_none_are_judged(feedback: Feedback, reader: Subscriber) -> None:
    with pytest.raises(NotFoundError):
        feedback.judge(reader, ["2305.17490", "2604.99999"], liked=True)
    with pytest.raises(UsageError, match="Topics: links, stars"):
        feedback.judge(reader, ["2305.17490"], liked=True, topic="other")
    assert feedback.of(reader) == ()


def test_a_judgement_is_taken_back_by_id_title_or_alias(feedback: Feedback, reader: Subscriber) -> None:
    feedback.judge(reader, ["2305.17490", "2305.00001"], liked=True, topic="links")
    feedback.judge(reader, ["2305.00001"], liked=True)
    feedback.judge(reader, ["2305.00002"], liked=False)
    gone = feedback.withdraw(reader, ["https://arxiv.org/abs/2305.17490", "galaxies"], liked=True)
    assert len(gone) == 3
    assert [one.paper_id for one in feedback.of(reader)] == [AGAIN.id]
    with pytest.raises(NotFoundError, match="no like"):
        feedback.withdraw(reader, ["2305.00002"], liked=True)
    with pytest.raises(NotFoundError, match="no dislike"):
        feedback.withdraw(reader, ["2305.00002"], liked=False, topic="links")


def test_an_example_that_no_source_listed_is_taken_back_too(feedback: Feedback, reader: Subscriber) -> None:
    elsewhere = Judgement(
        paper_id=PaperId(scheme="doi", local="10.1000/x"), title="Elsewhere", liked=True, judged_at=NOW, topic="links"
    )
    feedback.add(reader, [elsewhere])
    assert feedback.withdraw(reader, ["https://doi.org/10.1000/X", "elsewhere"], liked=True) == (elsewhere,)
    assert feedback.of(reader) == ()


def test_topics_are_seeded_with_papers_and_files(
    feedback: Feedback, reader: Subscriber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("refs.bib").write_text(
        "@article{a, title={Recovering trace links}, eprint={2305.17490}}\n"
        "@article{b, title={Elsewhere}, abstract={Text.}}\n@article{c, year=2020}\n"
    )
    seeds = Seeds(likes=("links=2305.00002",), dislikes=("2305.00001",), files=("links=refs.bib",))
    seeded = feedback.seeded(reader.topics, seeds)
    assert seeded.notes == ("refs.bib: 2 examples (bibtex)", "refs.bib: 1 skipped: without a title (first: c, line 3)")
    assert feedback.of(reader) == ()
    assert feedback.add(reader, seeded.judgements) == 4
    said = {(str(one.paper_id), one.liked, one.topic, one.abstract) for one in feedback.of(reader)}
    assert ("arxiv:2305.17490", True, "links", "We recover links.") in said
    assert ("arxiv:2305.00002", True, "links", None) in said
    assert ("arxiv:2305.00001", False, "stars", "Spectra.") in said  # the only topic without a query
    assert {one.origin for one in feedback.of(reader)} == {"example"}
    assert feedback.add(reader, ()) == 0


def test_an_authors_own_papers_are_likes(feedback: Feedback, reader: Subscriber) -> None:
    seeded = feedback.seeded(reader.topics, Seeds(authors=('stars="Bob Roe"',)))
    assert {one.paper_id for one in seeded.judgements} == {STARS.id, AGAIN.id}
    assert seeded.notes == ('"Bob Roe": 2 stored papers',)
    with pytest.raises(NotFoundError, match="--examples FILE"):
        feedback.seeded(reader.topics, Seeds(authors=("Zoe Nobody",)))


def test_which_topic_is_meant_must_be_clear(feedback: Feedback) -> None:
    two = (Topic(name="a", query="x"), Topic(name="b", query="y"))
    with pytest.raises(UsageError, match=r"could be for any of 'a', 'b'\. Write TOPIC=2305\.17490"):
        feedback.seeded(two, Seeds(likes=("2305.17490",)))
    with pytest.raises(UsageError, match="no topic"):
        feedback.seeded((), Seeds(likes=("2305.17490",)))
    (said,) = feedback.seeded(two[:1], Seeds(likes=("https://arxiv.org/abs/2305.17490?x=1",))).judgements
    assert (said.topic, said.paper_id) == ("a", PaperId(scheme="arxiv", local="2305.17490"))


def test_a_file_that_cannot_be_used_is_refused(feedback: Feedback, reader: Subscriber, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        feedback.seeded(reader.topics, Seeds(files=(str(tmp_path / "missing.bib"),)))
    (tmp_path / "letter.txt").write_text("Dear Jane,")
    with pytest.raises(ParseError, match="neither BibTeX"):
        feedback.seeded(reader.topics, Seeds(files=(str(tmp_path / "letter.txt"),)))
