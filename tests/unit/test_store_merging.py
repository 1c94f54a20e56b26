"""Which of several observations of a paper is believed, field by field."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from paperdigest.store.matching import groups
from paperdigest.store.merging import Knowledge, best_key, join
from paperdigest.store.observing import observe
from paperdigest.store.tables import from_stored, to_stored
from paperdigest.types import Paper
from tests.store_samples import listing, named, paper

OLD, NEW = datetime(2023, 5, 1, tzinfo=UTC), datetime(2026, 4, 14, tzinfo=UTC)


def known(one: Paper, *, authority: int = 2, hours: int = 0, source: str = "hf") -> Knowledge:
    [(_, observation)] = observe(listing(one, hours=hours, source=source), authority)
    return observation.knowledge(observation.keys())


def test_the_archive_is_believed_before_an_index_that_spoke_later() -> None:
    archive = known(paper(title="As the authors wrote it"), authority=3)
    index = known(paper(title="As someone copied it"), authority=2, hours=5)
    assert join(archive, index).fields.title[0] == "As the authors wrote it"


def test_a_higher_authority_is_believed_before_a_newer_version() -> None:
    curated = known(paper(title="As the index has it", abstract="Ours."), authority=2)
    linked = known(paper(title="As a feed calls it", abstract="Theirs.", version=1), authority=1, hours=5)
    joined = join(curated, linked)
    assert (joined.fields.title[0], joined.fields.abstract) == ("As the index has it", ("Ours.", None))
    assert joined.versions.keys() == {1}, "that there is a first version is still known"


def test_a_newer_version_is_believed_before_a_later_sight() -> None:
    second = known(paper(title="Second", version=2))
    assert join(second, known(paper(title="First", version=1), hours=5)).fields.title[0] == "Second"


def test_the_later_of_equals_is_believed() -> None:
    assert join(known(paper(title="Old")), known(paper(title="New"), hours=1)).fields.title[0] == "New"


def test_a_missing_value_never_replaces_one_that_is_known() -> None:
    full = known(paper(abstract="We study.", url="https://a.example/", categories=("cs.SE",), comment="9 pages"))
    bare = known(paper(version=3), authority=3, hours=9)
    joined = join(full, bare).fields
    assert (joined.abstract, joined.url) == (("We study.", None), "https://a.example/")
    assert (joined.categories, joined.comment) == (("cs.SE",), "9 pages")


def test_names_are_believed_before_a_bare_count() -> None:
    names = known(paper(authors=named("Ada Lovelace")), authority=0)
    count = known(paper(authors_count=7), authority=3, hours=9)
    assert join(names, count).fields.authors == ((("Ada Lovelace", None),), 1)
    assert join(count, names).fields.authors == ((("Ada Lovelace", None),), 1)


def test_of_the_highest_authority_the_earliest_publication_counts() -> None:
    first = known(paper(published_at=OLD, version=1), authority=3)
    replacement = known(paper(published_at=NEW, version=2), authority=3, hours=1)
    feed = known(paper(published_at=datetime(1970, 1, 1, tzinfo=UTC)), authority=1)
    assert join(join(first, replacement), feed).fields.published_at == to_stored(OLD)


def test_a_withdrawal_holds_until_a_newer_version_says_otherwise() -> None:
    present = known(paper(version=1), authority=3)
    withdrawn = known(paper(version=2, withdrawn=True), authority=3)
    index = known(paper(), authority=2, hours=9)
    assert join(join(present, withdrawn), index).fields.withdrawn
    assert not join(withdrawn, known(paper(version=3), authority=3)).fields.withdrawn


def test_the_first_sight_of_a_version_is_kept_with_its_source() -> None:
    early, late = known(paper(version=1), source="hf"), known(paper(version=1), source="arxiv", hours=3)
    assert join(late, early).versions == {1: (early.first_seen_at, "hf")}
    assert join(late, known(paper(version=2), hours=5)).versions.keys() == {1, 2}


def test_joining_is_idempotent_and_symmetrical() -> None:
    one = known(paper(abstract="x", version=2), authority=1)
    other = known(paper(title="T", comment="y"), authority=3, hours=1)
    assert join(one, one) == one
    assert join(one, other) == join(other, one) == join(join(one, other), one)


@pytest.mark.parametrize(
    ("keys", "best"),
    [
        (["url:https://a.example/", "doi:10.1000/x", "arxiv:2604.00001"], "arxiv:2604.00001"),
        (["title:a-b", "url:https://a.example/"], "url:https://a.example/"),
        (["openreview:abc", "url:https://a.example/", "key:a|b|2026"], "openreview:abc"),
        (["doi:10.1000/b", "doi:10.1000/a"], "doi:10.1000/a"),
    ],
)
def test_a_paper_goes_by_its_strongest_identifier(keys: list[str], best: str) -> None:
    assert best_key(keys) == best


def test_sharing_a_key_is_closed_transitively() -> None:
    found = groups([("a", "b"), ("c", "d"), ("e",), ("b", "c")])
    assert sorted(sorted(map(str, part)) for part in found) == [["a", "b", "c", "d"], ["e"]]


def test_a_stored_moment_sorts_as_text_and_comes_back() -> None:
    moments = [OLD, NEW, NEW.replace(microsecond=1), datetime(1, 1, 1, tzinfo=UTC)]
    assert sorted(map(to_stored, moments)) == [to_stored(moment) for moment in sorted(moments)]
    assert [from_stored(to_stored(moment)) for moment in moments] == moments
    assert {len(to_stored(moment)) for moment in moments} == {27}


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="aware UTC"):
        to_stored(datetime(2026, 4, 15))  # noqa: DTZ001  the point of the test


def test_a_digest_tells_papers_apart_by_any_field() -> None:
    plain = paper()
    variants = [
        plain,
        replace(plain, title="Other"),
        replace(plain, comment="x"),
        replace(plain, journal_ref="x"),
        replace(plain, withdrawn=True),
        replace(plain, version=1),
        replace(plain, aliases=(paper("2604.00002").id,)),
        replace(plain, authors_count=3),
    ]
    assert len({known(one).lead[3] for one in variants}) == len(variants)
