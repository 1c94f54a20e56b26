"""The word counts of the store are those of a fresh count, whatever was recorded, joined and counted in between."""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paperdigest.query.text import stems
from paperdigest.store import Store, statistics
from paperdigest.store.archive import texts
from paperdigest.store.statistics import ArchiveCounts, Statistics
from paperdigest.types import Entry, Listing, ListingState, Paper, PaperId
from tests.store_samples import listing

IDS = [
    PaperId(scheme="arxiv", local="2604.00001"),
    PaperId(scheme="arxiv", local="2604.00002"),
    PaperId(scheme="doi", local="10.1000/one"),
    PaperId(scheme="url", local="https://example.org/one"),
]
WORDS = ["trace", "Tracing", "graph", "café", "of"]
sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
papers = st.builds(
    Paper,
    id=st.sampled_from(IDS),
    title=sentences,
    abstract=st.none() | sentences,
    version=st.sampled_from([None, 1, 2]),
    aliases=st.lists(st.sampled_from(IDS), max_size=2, unique=True).map(tuple),
)
readings = st.builds(
    lambda found, hours: listing(*[Entry(paper=one) for one in found], hours=hours, state=ListingState.PARTIAL),
    st.lists(papers, max_size=4),
    st.integers(0, 9),
)
steps = st.lists(readings | st.just("count"), max_size=12)


@contextlib.contextmanager
def a_store() -> Iterator[Store]:
    memory = Path("/dev/shm")  # where there is one: otherwise every commit waits for the disk
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        store = Store.open(Path(folder) / "papers.db", create=True)
        try:
            yield store
        finally:
            store.close()


def counted_afresh(store: Store) -> ArchiveCounts:
    """The definition, as slow and plain as can be."""
    frequency: Counter[str] = Counter()
    documents = length = 0
    for stored in texts(store.database):
        title, abstract = stems(stored.paper.title), stems(stored.paper.abstract or "")
        documents, length = documents + 1, length + 2 * len(title) + len(abstract)
        frequency.update({*title, *abstract})
    average = length / documents if documents else 0.0
    return ArchiveCounts(documents=documents, average_length=average, document_frequency=dict(frequency))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps, st.sampled_from([1, 2, 1000]))
def test_after_any_history_the_counts_are_those_of_a_fresh_count(told: list[Listing | str], at_once: int) -> None:
    with a_store() as store, pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "BATCH", at_once)
        counting = Statistics(store.database)
        for step in told:
            if isinstance(step, Listing):
                store.record(step, authority=2)
            else:
                counting.update()
                assert counting.load() == counted_afresh(store)
            assert store.check() == ()
        counting.update()
        assert counting.load() == counted_afresh(store)
        assert counting.update() == 0, "and then there is nothing left to count"
