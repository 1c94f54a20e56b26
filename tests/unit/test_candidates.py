"""Seen papers never return; liked ones that changed get a line of their own; withdrawn ones are no news."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from paperdigest.pipeline.candidates import (
    MAX_REVISED,
    is_news,
    liked_papers,
    papers_by_name,
    revised_papers,
    seen_papers,
)
from paperdigest.store.digests import Shown
from paperdigest.types import Appearance, Judgement, PaperId, StoredPaper
from tests.digest_samples import NOW, paper

SHOWN_ON = date(2026, 4, 10)
LIKED_AT = datetime(2026, 4, 11, 8, tzinfo=UTC)


def stored(number: int = 1, *announced: str | None, **fields: object) -> StoredPaper:
    """A paper with one entry a type of announcement, one day after the other from 13 April."""
    entries = tuple(
        Appearance(source="arxiv", listed_on=date(2026, 4, 13 + place), announce_type=one)
        for place, one in enumerate(announced)
    )
    return StoredPaper(paper=paper(number, **fields), first_seen_at=NOW, entries=entries)


def judged(number: int = 1, *, liked: bool = True, hours: int = 0, topic: str | None = None) -> Judgement:
    one = paper(number)
    at = LIKED_AT + timedelta(hours=hours)
    return Judgement(paper_id=one.id, title=one.title, liked=liked, judged_at=at, topic=topic)


def shown(version: int | None, number: int = 1) -> dict[str, Shown]:
    return {str(paper(number).id): Shown(edition=SHOWN_ON, version=version)}


def updated(day: int) -> datetime:
    return datetime(2026, 4, day, 12, tzinfo=UTC)


# News


@pytest.mark.parametrize(
    ("announced", "news"),
    [
        ((), True),
        ((None,), True),
        (("new",), True),
        (("cross",), True),
        (("replace",), False),
        (("replace-cross", "replace"), False),
        (("new", "replace"), True),
        (("replace", None), True),
    ],
)
def test_a_paper_met_only_as_a_new_version_is_no_news(announced: tuple[str | None, ...], news: bool) -> None:
    assert is_news(stored(1, *announced)) is news


def test_a_withdrawn_paper_is_no_news() -> None:
    assert not is_news(stored(1, "new", withdrawn=True))


# Seen


def test_what_was_sent_or_judged_is_seen_whichever_way_it_was_judged() -> None:
    papers = papers_by_name(stored(number) for number in range(1, 6))
    sent = frozenset({str(paper(1).id), "doi:10.1/other"})
    known = seen_papers(papers, sent, [judged(2), judged(3, liked=False), judged(9)])
    assert known == {paper(1).id, paper(2).id, paper(3).id}


def test_nothing_is_seen_by_somebody_new() -> None:
    assert seen_papers(papers_by_name([stored()]), frozenset(), ()) == frozenset()


def test_what_was_sent_under_another_name_is_seen() -> None:
    doi = PaperId(scheme="doi", local="10.1/one")
    papers = papers_by_name([stored(1, aliases=(doi,)), stored(2)])
    assert seen_papers(papers, {str(doi)}, ()) == {paper(1).id}
    liked = replace(judged(), paper_id=doi)
    assert seen_papers(papers, (), [liked]) == {paper(1).id}


# Likes


def test_the_newest_judgement_of_a_paper_counts() -> None:
    assert liked_papers([judged(hours=0), judged(liked=False, hours=1)]) == {}
    again = judged(hours=2)
    assert liked_papers([again, judged(liked=False, hours=1)]) == {again.paper_id: again}


@pytest.mark.parametrize("first", [True, False])
def test_of_two_of_one_moment_the_dislike_counts(first: bool) -> None:
    assert liked_papers([judged(liked=first, topic="a"), judged(liked=not first, topic="b")]) == {}


# New versions


@pytest.mark.parametrize(
    ("before", "fields", "told"),
    [
        (1, {"version": 2}, True),
        (2, {"version": 2, "updated_at": updated(14)}, False),
        (3, {"version": 2, "updated_at": updated(14)}, False),
        (2, {"version": None, "updated_at": updated(14)}, False),
        (None, {"version": 2, "updated_at": updated(11)}, True),
        (None, {"version": 2, "updated_at": updated(10)}, False),
        (None, {"version": 2}, False),
        (None, {"version": 1, "updated_at": updated(14)}, False),
        (None, {"version": None, "updated_at": updated(14)}, False),
    ],
)
def test_a_version_is_new_when_it_is_above_the_one_shown(
    before: int | None, fields: dict[str, object], told: bool
) -> None:
    one = stored(1, **fields)
    assert revised_papers([one], shown(before), [judged()]) == ((one,) if told else ())


@pytest.mark.parametrize(("day", "told"), [(11, False), (12, True)])
def test_an_example_that_was_never_shown_counts_from_the_day_it_was_liked(day: int, told: bool) -> None:
    one = stored(version=2, updated_at=updated(day))
    assert bool(revised_papers([one], {}, [judged()])) is told


def test_the_listing_of_a_replacement_says_when_a_paper_changed_too() -> None:
    assert revised_papers([stored(1, "new", version=2)], shown(None), [judged()]) == ()
    replaced = stored(1, "new", "replace", version=2)
    assert revised_papers([replaced], shown(None), [judged()]) == (replaced,)


@pytest.mark.parametrize("before", [None, 1])
@pytest.mark.parametrize(("day", "told"), [(10, False), (11, True)])
def test_a_liked_paper_that_was_withdrawn_since_is_told_once(before: int | None, day: int, told: bool) -> None:
    one = stored(withdrawn=True, version=1, updated_at=updated(day))
    assert bool(revised_papers([one], shown(before), [judged()])) is told


def test_only_liked_papers_come_back() -> None:
    papers = [stored(number, version=2) for number in (1, 2, 3)]
    versions = shown(1, 1) | shown(1, 2) | shown(1, 3)
    found = revised_papers(papers, versions, [judged(1), judged(2, liked=False)])
    assert [one.paper.id for one in found] == [paper(1).id]


def test_the_newest_changes_come_first_and_the_rest_with_the_next_digest() -> None:
    papers = [stored(number, version=2, updated_at=updated(1 + number)) for number in range(1, 16)]
    versions: dict[str, Shown] = {}
    for number in range(1, 16):
        versions |= shown(1, number)
    likes = [judged(number) for number in range(1, 16)]
    found = revised_papers(papers, versions, likes)
    assert found == tuple(reversed(papers[-MAX_REVISED:]))
    assert found == revised_papers(reversed(papers), versions, reversed(likes))
    told = {str(one.paper.id): Shown(edition=SHOWN_ON, version=2) for one in found}
    assert revised_papers(papers, versions | told, likes) == tuple(reversed(papers[:5]))
