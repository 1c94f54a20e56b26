"""Upvotes, for their age."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from paperdigest.ranking.popularity import popularity, popularity_reason
from paperdigest.types import Appearance, Paper, PaperId, StoredPaper

NOW = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)


def voted(*votes: tuple[int | None, int]) -> StoredPaper:
    """A paper with (upvotes, days since the listing) of each entry."""
    entries = tuple(
        Appearance(source=f"s{number}", listed_on=date(2026, 4, 15) - timedelta(days=days), upvotes=upvotes)
        for number, (upvotes, days) in enumerate(votes)
    )
    paper = Paper(id=PaperId(scheme="arxiv", local="2604.00001"), title="A paper")
    return StoredPaper(paper=paper, first_seen_at=NOW, entries=entries)


def test_popularity_grows_with_upvotes_and_fades_with_age() -> None:
    values = [popularity(voted((upvotes, 0)), NOW) for upvotes in (0, 1, 5, 20, 50)]
    assert values == sorted(set(values))
    assert values[0] == 0
    assert values[-1] == 1
    ages = [popularity(voted((40, days)), NOW) for days in (0, 1, 3, 10, 400)]
    assert ages == sorted(set(ages), reverse=True)
    assert popularity(voted((49, 1)), NOW) == popularity(voted((98, 3)), NOW)


@pytest.mark.parametrize(
    ("votes", "expected"),
    [((), 0.0), (((None, 0),), 0.0), (((-3, 0),), 0.0), (((10**18, 0),), 1.0), (((50, -2),), 1.0)],
)
def test_odd_votes_give_a_number_between_0_and_1(votes: tuple[tuple[int | None, int], ...], expected: float) -> None:
    assert popularity(voted(*votes), NOW) == expected


def test_the_entry_that_says_most_counts() -> None:
    assert popularity(voted((3, 0), (40, 1)), NOW) == popularity(voted((40, 1)), NOW)


def test_it_is_a_reason_of_its_own() -> None:
    reason = popularity_reason(voted((3, 0), (42, 1)), NOW, 0.5)
    assert reason is not None
    assert (reason.text, reason.keyword) == ("42 upvotes", "popularity")
    assert reason.contribution == pytest.approx(0.5 * popularity(voted((42, 1)), NOW))
    one = popularity_reason(voted((1, 0)), NOW, 1.0)
    assert one is not None and one.text == "1 upvote"


@pytest.mark.parametrize("weight", [0.0, 0.3])
def test_what_adds_nothing_is_no_reason(weight: float) -> None:
    assert popularity_reason(voted(), NOW, weight) is None
    assert popularity_reason(voted((0, 0)), NOW, weight) is None
    assert popularity_reason(voted((5, 0)), NOW, 0.0) is None
