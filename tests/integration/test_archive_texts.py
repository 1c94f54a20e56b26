"""The archive's words are the same, counted from whole papers or from the stream of texts."""

from __future__ import annotations

from pathlib import Path

from paperdigest.ranking import ArchiveStatistics
from paperdigest.store import Store
from paperdigest.store.archive import texts
from tests.store_samples import listing, paper


def test_the_stream_of_texts_counts_like_the_whole_papers(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "papers.db", create=True)
    store.record(
        listing(*(paper(f"2604.0{number:04d}", f"Tracing {number % 7}") for number in range(1, 1200))), authority=2
    )
    whole = ArchiveStatistics.of(store.search(None, limit=2**31).papers)
    assert ArchiveStatistics.of(texts(store.database)) == whole
    assert whole.documents == 1199
    store.close()
