"""The peer: the ``reader`` library reads the same feeds; run by the Python of an environment that has it.

Usage: ``python _reader_peer.py DATABASE URL_WITH_A_PAIR_OF_BRACES FEEDS ENTRIES``. Exits 1 unless all was read.
"""

from __future__ import annotations

import sys

from reader import make_reader


def main(database: str, url: str, feeds: int, entries: int) -> int:
    """Add the feeds, read them, bring the search up to date; say whether everything is there."""
    reader = make_reader(database)
    for number in range(feeds):
        reader.add_feed(url.format(number))
    reader.enable_search()
    reader.update_feeds()
    reader.update_search()
    found = reader.get_entry_counts().total
    searchable = reader.search_entry_counts("trace").total
    reader.close()
    print(f"{found} entries, {searchable} of them found by a search")
    return 0 if found == feeds * entries and searchable else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
