"""Our side of the fetching benchmark: a new store, feeds read into it, as `paperdigest.app` puts it together.

Usage: ``python -m bench._fetching DATABASE URL_WITH_A_PAIR_OF_BRACES FEEDS ENTRIES``. Exits 1 unless all was read.
"""

from __future__ import annotations

import contextlib
import sys
from datetime import UTC, datetime
from pathlib import Path

from paperdigest.http import HttpClient
from paperdigest.pipeline.fetching import ConfiguredSource, FetchReport, fetch, jobs_for
from paperdigest.query import parse_query
from paperdigest.sources.feed import FeedSource
from paperdigest.store import Store

__all__ = ["WORKERS", "fetch_feeds"]

WORKERS = 16
NOW = datetime(2026, 4, 14, 8, tzinfo=UTC)


def fetch_feeds(store: Store, url: str, feeds: int) -> FetchReport:
    """Fetch feeds from one server that is up to it: as many connections at once as there are workers."""
    sources = [
        ConfiguredSource(source=FeedSource(f"journal {number}", {"url": url.format(number)}), allow_private=True)
        for number in range(feeds)
    ]
    with HttpClient(contact=None, clock=lambda: NOW, waits=store.waits(), per_host=WORKERS) as client:
        return fetch(jobs_for(sources, store, now=NOW), store, client, now=NOW, workers=WORKERS)


def main(database: str, url: str, feeds: int, entries: int) -> int:
    """Read the feeds; say whether everything is there."""
    with contextlib.closing(Store.open(Path(database), create=True)) as store:
        report = fetch_feeds(store, url, feeds)
        found = sum(listing.new for listing in report.listings)
        searchable = store.search(parse_query("trace"), 10).total
    print(f"{found} entries, {searchable} of them found by a search")
    return 0 if report.is_good and found == feeds * entries and searchable else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
