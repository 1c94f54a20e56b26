"""Feeds for the fetching benchmark, and ``python -m bench._feeds`` to serve them from a process of its own.

The server prints its port, then answers every line on its standard input with the bytes it has sent so far.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import accumulate

from paperdigest.testing.replay import ReplayServer, Reply

__all__ = ["feed_path", "main"]

_TEXT = "ka lo mi ren tus var del pho qua sti bra neo ter gal lum trace model graph prove bind"
_SYLLABLES = _TEXT.split()
_VOCABULARY, _TITLE_WORDS, _SUMMARY_WORDS, _MAX_AUTHORS = 12_000, 9, 130, 6
_NOW = datetime(2026, 4, 14, 6, tzinfo=UTC)
_HEADERS = {  # what a web server says besides; it counts among the bytes
    "Date": format_datetime(_NOW, usegmt=True),
    "Server": "nginx",
    "Content-Type": "application/xml; charset=utf-8",
    "Last-Modified": format_datetime(_NOW, usegmt=True),
    "Cache-Control": "max-age=3600",
    "Vary": "Accept-Encoding",
}


def feed_path(number: int | str) -> str:
    """Return the path of a feed."""
    return f"/journal-{number}/feed.xml"


def main(feeds: int, entries: int, delay_s: float) -> None:
    """Serve ``feeds`` feeds of ``entries`` entries each, every reply after ``delay_s``, until the input ends."""
    draw = _Draw(20260414)
    with ReplayServer() as server:
        for number in range(feeds):
            make = _atom if number % 2 else _rss
            body = make(number, entries, draw).encode()
            etag = f'"{number:08x}-{len(body):x}"'
            server.answer(feed_path(number), Reply(body=body, etag=etag, headers=_HEADERS, delay_s=delay_s))
        print(server.port, flush=True)
        for _ in sys.stdin:
            print(server.bytes_sent, flush=True)


class _Draw(random.Random):
    """Draws words as often as in a language: the second one half as often as the first, and so on (Zipf's law)."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._words = list(dict.fromkeys("".join(self.choices(_SYLLABLES, k=size)) for size in self._sizes()))
        self._weights = list(accumulate(1 / rank for rank in range(1, len(self._words) + 1)))

    def _sizes(self) -> Iterator[int]:
        return (self.randrange(1, 5) for _ in range(_VOCABULARY))

    def words(self, count: int) -> str:
        """Return words with a space between each two."""
        return " ".join(self.choices(self._words, cum_weights=self._weights, k=count))


def _rss(number: int, entries: int, draw: _Draw) -> str:
    items = "".join(
        f"<item><title>{_title(draw)}</title><link>{_link(number, entry)}</link>"
        f'<guid isPermaLink="false">urn:journal-{number}:{entry}</guid>'
        f"<description>&lt;p&gt;{_summary(draw)}&lt;/p&gt;</description>"
        + "".join(f"<dc:creator>{name}</dc:creator>" for name in _people(draw))
        + f"<pubDate>{format_datetime(_moment(entry), usegmt=True)}</pubDate></item>\n"
        for entry in range(entries)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<channel><title>Journal {number}</title><link>https://journal-{number}.example/</link>"
        f"<description>New articles</description>\n{items}</channel></rss>\n"
    )


def _atom(number: int, entries: int, draw: _Draw) -> str:
    items = "".join(
        f"<entry><id>urn:journal-{number}:{entry}</id><title>{_title(draw)}</title>"
        f'<link href="{_link(number, entry)}"/><summary>{_summary(draw)}</summary>'
        + "".join(f"<author><name>{name}</name></author>" for name in _people(draw))
        + f"<published>{_moment(entry).isoformat()}</published><updated>{_moment(entry).isoformat()}</updated>"
        f'<category term="{draw.words(1)}"/></entry>\n'
        for entry in range(entries)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>urn:journal-{number}</id><title>Journal {number}</title><updated>{_NOW.isoformat()}</updated>"
        f'<link href="https://journal-{number}.example/"/>\n{items}</feed>\n'
    )


def _title(draw: _Draw) -> str:
    return draw.words(_TITLE_WORDS).capitalize()


def _summary(draw: _Draw) -> str:
    return draw.words(_SUMMARY_WORDS) + "."


def _people(draw: _Draw) -> list[str]:
    return [f"{draw.words(1).title()} {draw.words(1).title()}" for _ in range(draw.randrange(1, _MAX_AUTHORS))]


def _link(number: int, entry: int) -> str:
    return f"https://journal-{number}.example/articles/{entry}"


def _moment(entry: int) -> datetime:
    return _NOW - timedelta(hours=entry + 1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
