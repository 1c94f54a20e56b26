"""A database of real days and a crowd that asks for what they are about, everybody due at once.

The papers are those of the last 200 real days where those lie beside the checkout, else of generated ones. There are
500 distinct sets of one to three topics of two words each, and few of them are asked for by many.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from bench._crowd import zipf
from bench._listings import daily_listings
from paperdigest.mail.dkim_keys import make_key
from paperdigest.store import Store
from paperdigest.store.engine import connect_raw
from paperdigest.store.tables import to_stored
from paperdigest.types import Listing

__all__ = ["NOW", "TOPIC_SETS", "add_readers", "fill_days"]

NOW = datetime(2026, 5, 1, 6, tzinfo=UTC)
"""The morning after the last of the days, which is that of the real ones."""

TOPIC_SETS = 500
_DAYS = 200
_WORDS = slice(50, 1050)
"""Of the words that stand in most papers; those before them stand in nearly all."""

_READERS = """
INSERT INTO subscribers (id, email, name, status, days, at, tz, max_papers, created_at)
VALUES (?, ?, ?, 'active', '0123456', '05:00', 'UTC', 10, ?)
"""
_TOPICS = "INSERT INTO topics (subscriber_id, position, name, query, weight, threshold) VALUES (?, ?, ?, ?, 1, 0)"

_TopicSet = tuple[str, ...]


def fill_days(folder: Path) -> tuple[_TopicSet, ...]:
    """Write keys and a database that has the days and no subscribers; return the sets of topics to be asked for."""
    make_key(folder / "rsa.pem")
    (folder / "secret.key").write_text("0123456789abcdef" * 4 + "\n", encoding="ascii")
    listings = daily_listings()[0][-_DAYS:]
    later = NOW.date() - timedelta(days=1) - listings[-1].listed_on
    store = Store.open(folder / "papers.db", create=True)
    for one in listings:
        moved = replace(one, listed_on=one.listed_on + later, retrieved_at=one.retrieved_at + later)
        store.record(moved, authority=2)
    store.close()
    return _topic_sets(listings)


def add_readers(folder: Path, count: int, asked: Sequence[_TopicSet]) -> None:
    """Add so many subscribers, with addresses at a few dozen domains."""
    draw = random.Random(count)
    of = draw.choices(range(len(asked)), weights=zipf(len(asked), flat=len(asked) / 20).tolist(), k=count)
    created = to_stored(datetime.combine(NOW.date(), time.min, UTC) - timedelta(days=10))
    with closing(connect_raw(folder / "papers.db")) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            _READERS,
            ((n, f"reader{n}@mail{n % 40}.example.net", f"Reader {n}", created) for n in range(1, count + 1)),
        )
        connection.executemany(
            _TOPICS,
            (
                (number, position, query, query)
                for number, chosen in enumerate(of, start=1)
                for position, query in enumerate(asked[chosen], start=1)
            ),
        )
        connection.execute("COMMIT")


def _topic_sets(listings: Sequence[Listing]) -> tuple[_TopicSet, ...]:
    said: Counter[str] = Counter()
    for listing in listings:
        for entry in listing.entries:
            said.update(set(re.findall(r"\b[a-z]{5,}\b", (entry.paper.abstract or "").lower())))
    words = [word for word, _ in said.most_common(_WORDS.stop)][_WORDS]
    draw = random.Random(500)
    made: dict[_TopicSet, None] = {}
    while len(made) < TOPIC_SETS:
        made[tuple(" ".join(draw.sample(words, 2)) for _ in range(draw.randint(1, 3)))] = None
    return tuple(made)
