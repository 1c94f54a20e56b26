"""The store is a function of the set of listings: order, repetition and batching change nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paperdigest.store import Store
from paperdigest.types import Author, Entry, Listing, ListingState, Paper, PaperId, Period, Validators
from tests.store_samples import DAY, MOMENT, picture

IDS = [
    PaperId(scheme="arxiv", local="2604.00001"),
    PaperId(scheme="arxiv", local="2604.00002"),
    PaperId(scheme="doi", local="10.1000/one"),
    PaperId(scheme="url", local="https://example.org/one"),
    PaperId(scheme="url", local="https://example.org/two"),
    PaperId(scheme="title", local="a-title-of-some-length-abcdef012345"),
]
TEXTS = [None, "alpha", "beta"]
MOMENTS = [None, datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 6, 1, 12, tzinfo=UTC)]
few = st.sampled_from

papers = st.builds(
    Paper,
    id=few(IDS),
    title=few(["A title of some length", "Another title of some length", "0"]),
    title_source=few(TEXTS),
    abstract=few(TEXTS),
    abstract_source=few(TEXTS),
    authors=few([(), (Author(name="Ada Lovelace"),), (Author(name="A. Turing", affiliation="NPL"), Author(name="G"))]),
    authors_count=few([None, 2, 7]),
    published_at=few(MOMENTS),
    updated_at=few(MOMENTS),
    version=few([None, 1, 2]),
    url=few(TEXTS),
    categories=few([(), ("cs.SE",), ("cs.SE", "cs.AI")]),
    comment=few(TEXTS),
    withdrawn=st.booleans(),
    aliases=st.lists(few(IDS), max_size=2, unique=True).map(tuple),
)
hours = st.integers(0, 3).map(lambda count: MOMENT + timedelta(hours=count))
validators = st.builds(
    Validators, url=st.just("https://a.example/"), etag=few([None, '"1"', '"2"']), gone=st.booleans()
)


@st.composite
def readings(draw: st.DrawFn) -> list[tuple[Listing, int]]:
    """Listings, each with an authority, over a few papers: the same ones are seen again and again."""
    pool = draw(st.lists(papers, min_size=1, max_size=4))
    entries = st.builds(
        Entry,
        paper=few(pool),
        rank=few([None, 1, 2]),
        upvotes=few([None, 0, 3]),
        comments=few([None, 0, 1]),
        announce_type=few([None, "new", "cross"]),
    )
    listings = st.builds(
        Listing,
        source=few(["hf", "arxiv"]),
        kind=st.just("kind"),
        listed_on=few([DAY, DAY - timedelta(days=1)]),
        period=few([Period.DAY, Period.WEEK]),
        retrieved_at=hours,
        state=few(list(ListingState)),
        entries=st.lists(entries, max_size=4).map(tuple),
        announced_count=few([None, 3, 5]),
        dropped=few([0, 1]),
        note=few(TEXTS),
        validators=st.lists(validators, max_size=1).map(tuple),
    )
    return draw(st.lists(st.tuples(listings, few([2, 2, 3])), min_size=1, max_size=6))


def recorded(together: bool, *rounds: Sequence[tuple[Listing, int]]) -> str:
    """What a fresh store holds after the rounds; it must be sound, too."""
    memory = Path("/dev/shm")  # where there is one: otherwise every commit waits for the disk
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        store = Store.open(Path(folder) / "papers.db", create=True)
        try:
            for one_round in rounds:
                if together:
                    store.record_all(one_round)
                else:
                    for listing, authority in one_round:
                        store.record(listing, authority=authority)
            assert store.check() == ()
            return picture(store)
        finally:
            store.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(readings(), st.randoms(use_true_random=False))
def test_recording_in_any_order_gives_the_same_store(told, random) -> None:  # type: ignore[no-untyped-def]  # hypothesis
    shuffled = list(told)
    random.shuffle(shuffled)
    expected = recorded(False, told)
    assert recorded(False, shuffled) == expected
    assert recorded(True, shuffled) == expected
    middle = random.randint(0, len(told))
    assert recorded(True, told[:middle], told[middle:]) == expected


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(readings())
def test_recording_twice_changes_nothing(told: Sequence[tuple[Listing, int]]) -> None:
    assert recorded(False, told, told) == recorded(False, told)
