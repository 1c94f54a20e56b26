"""Plan a made-up crowd in a process of its own: ``python -m bench._planned_crowd SUBSCRIBERS QUERIES [DAYS]``.

Prints JSON, one object a day: processor seconds, digests planned, and the most memory that planning ever held beyond
what the process had before the crowd was looked at.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from bench._crowd import PAPERS, papers, zipf
from bench._crowd_memory import peak
from paperdigest.app.ranking import Rankings
from paperdigest.config import Settings
from paperdigest.pipeline.planning import PlanReport, Terms, plan
from paperdigest.store import Store
from paperdigest.store.tables import to_stored
from paperdigest.types import Digest, Entry, Listing, ListingState, Paper, PaperId

MORNING = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)
OLDER = 1500
NEW_EACH_DAY = 100
WORDS_EACH, COMMON = 3, 2000
DAY = timedelta(days=1)


def main(arguments: list[str]) -> None:
    """Make the crowd, plan each day, print what it took."""
    crowd, queries, days = int(arguments[0]), int(arguments[1]), int(arguments[2]) if len(arguments) > 2 else 1
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "papers.db", create=True)
        made = [stored.paper for stored in papers()]
        _record(store, _copies(made, OLDER), MORNING - 30 * DAY)
        _record(store, made, MORNING - timedelta(hours=2))
        _subscribe(store, crowd, queries, made)
        before = peak()
        for day in range(days):
            if day:
                _sent(store)
                _record(store, _copies(made, NEW_EACH_DAY, day), MORNING + day * DAY - timedelta(hours=2))
            start = time.process_time()
            report = _planned(store, MORNING + day * DAY)
            spent = time.process_time() - start
            assert report.problems == (), report.problems
            found = {"planned": report.planned, "excluded": dict(report.excluded), "cpu_s": round(spent, 3)}
            print(
                json.dumps(found | {"memory": peak() - before, "process": peak(), "database": _size(store)}), flush=True
            )
        store.close()


def _planned(store: Store, now: datetime) -> PlanReport:
    rankings = Rankings(Settings(), store, None)

    def message_id(digest: Digest, number: int) -> str:
        return f"<{digest.edition:%Y%m%d}.{number}.0123456789abcdef0123@example.org>"

    terms = Terms(queue=7 * DAY, expires_after=timedelta(hours=36))
    return plan(store, lambda some: rankings.ranker(some).rank_all, message_id, terms, now=now)


def _copies(made: list[Paper], count: int, day: int = 0) -> Iterator[Paper]:
    """Yield other papers of the same words, in another order."""
    draw = np.random.default_rng(100 + day)
    for number in range(count):
        one = made[number % PAPERS]
        words = (one.abstract or "").split()
        draw.shuffle(words)
        local = f"{2500 + day}.{number:05}"
        title = " ".join(words[:10])
        yield replace(one, id=PaperId(scheme="arxiv", local=local), title=title, abstract=" ".join(words))


def _record(store: Store, some: Iterable[Paper], at: datetime) -> None:
    entries = tuple(Entry(paper=one) for one in some)
    store.record(
        Listing(
            source="crowd",
            kind="huggingface",
            listed_on=at.date(),
            retrieved_at=at,
            state=ListingState.COMPLETE,
            entries=entries,
        ),
        authority=2,
    )


def _subscribe(store: Store, crowd: int, queries: int, made: list[Paper]) -> None:
    """Add subscribers of one topic each; a few queries are asked by many, as words are said."""
    draw = np.random.default_rng(8)
    said = Counter(word for one in made for word in (one.abstract or "").split())
    words = [word for word, _ in said.most_common(COMMON)]
    asked = [" ".join(draw.choice(words, WORDS_EACH, replace=False)) for _ in range(queries)]
    shares = zipf(queries, flat=queries / 20)
    of = draw.choice(queries, crowd, p=shares).tolist()
    created = to_stored(MORNING - 10 * DAY)
    with store.database.recording() as cursor:
        cursor.executemany(
            "INSERT INTO subscribers (id, email, status, days, at, tz, max_papers, created_at)"
            " VALUES (?, ?, 'active', '0123456', '05:00', 'UTC', 10, ?)",
            ((number, f"reader{number}@example.org", created) for number in range(1, crowd + 1)),
        )
        cursor.executemany(
            "INSERT INTO topics (subscriber_id, position, name, query, weight, threshold) VALUES (?, 1, ?, ?, 1, 0)",
            ((number, asked[query], asked[query]) for number, query in enumerate(of, start=1)),
        )


def _sent(store: Store) -> None:
    with store.database.recording() as cursor:
        cursor.execute("UPDATE deliveries SET state = 'sent' WHERE state = 'planned'")


def _size(store: Store) -> int:
    return sum(one.stat().st_size for one in store.path.parent.glob(f"{store.path.name}*"))


if __name__ == "__main__":
    main(sys.argv[1:])
