"""kill -9 in the middle of a large fetch: the database stays sound, and the next run completes it."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from paperdigest.store import Store
from paperdigest.testing.replay import ReplayServer, Reply

KILLS = 20
KILLS_A_HOME = 5
PAPERS_A_DAY = 25
DATES = [day for n in range(84) if (day := date(2026, 1, 5) + timedelta(days=n)).weekday() < 5]


def item(day: int, place: int) -> dict[str, object]:
    number = f"26{day % 12 + 1:02d}.{day * PAPERS_A_DAY + place:05d}"
    text = f"We trace requirement {place} of day {day} through {place % 7} layers of software. " * 8
    return {
        "paper": {
            "id": number,
            "title": f"Tracing requirement {place} on day {day} across systems",
            "summary": text,
            "authors": [
                {"name": f"Author {place} of {day}", "hidden": False},
                {"name": "Ada Lovelace", "hidden": False},
            ],
            "publishedAt": "2026-01-01T10:00:00.000Z",
            "upvotes": place,
        },
        "numComments": day % 3,
    }


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The settings of a source on loopback that has many days, each with papers and an ETag of its own."""
    with ReplayServer() as server:
        for place, day in enumerate(DATES):
            body = json.dumps([item(place, number) for number in range(PAPERS_A_DAY)]).encode()
            server.answer(f"/api?date={day}&limit=100", Reply(body=body, etag=f'"{place}"'))
        path = tmp_path_factory.mktemp("settings") / "config.toml"
        path.write_text(
            f'[[sources]]\nname = "hf"\nkind = "huggingface"\nallow_private = true\nurl = "{server.url("/api")}"\n',
            encoding="utf-8",
        )
        yield path


def command(settings: Path) -> list[str]:
    program = [sys.executable, "-m", "paperdigest", "--config", str(settings), "--now", "2026-09-01T12:00Z"]
    return [*program, "fetch", "hf", "--since", str(DATES[0]), "--until", str(DATES[-1]), "--json"]


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "XDG_DATA_HOME": str(home / "data"), "XDG_CONFIG_HOME": str(home / "config")}


def database(home: Path) -> Path:
    return home / "data" / "paperdigest" / "paperdigest.db"


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Everything a reader could see, without row numbers, which depend on the order of writing."""
    queries = {
        "papers": "SELECT key, title, abstract, published_at, first_seen_at FROM papers ORDER BY key",
        "keys": "SELECT k.key, p.key FROM paper_keys k JOIN papers p ON p.id = k.paper_id ORDER BY 1, 2",
        "authors": "SELECT p.key, a.position, a.name FROM authors a JOIN papers p ON p.id = a.paper_id ORDER BY 1, 2",
        "listings": "SELECT source, period, listed_on, state, announced_count FROM listings ORDER BY 1, 2, 3",
        "entries": "SELECT l.listed_on, p.key, e.rank, e.upvotes, e.comments FROM entries e "
        "JOIN papers p ON p.id = e.paper_id JOIN listings l ON l.id = e.listing_id ORDER BY 1, 2",
        "votes": "SELECT l.listed_on, p.key, v.upvotes, v.comments, v.observed_at FROM votes v "
        "JOIN papers p ON p.id = v.paper_id JOIN listings l ON l.id = v.listing_id ORDER BY 1, 2, 3, 4",
        "validators": "SELECT url, etag, last_modified, moved_to, gone FROM validators ORDER BY url",
        "search": "SELECT count(*) FROM paper_search WHERE paper_search MATCH 'trace'",
    }
    with sqlite3.connect(path) as connection:
        return {name: connection.execute(query).fetchall() for name, query in queries.items()}


def findings(path: Path) -> tuple[str, ...]:
    if not path.exists() or path.stat().st_size == 0:
        return ()  # killed before anything was written: an empty file counts as none
    store = Store.open(path, create=True)
    try:
        return store.check()
    finally:
        store.close()


@pytest.mark.slow
def test_killed_twenty_times_the_next_run_completes_the_same_database(settings: Path, tmp_path: Path) -> None:
    calm = tmp_path / "calm"
    started = time.monotonic()
    subprocess.run(command(settings), env=environment(calm), check=True, capture_output=True, timeout=300)
    whole_s = time.monotonic() - started
    expected = contents(database(calm))
    assert len(expected["papers"]) == len(DATES) * PAPERS_A_DAY
    moments = random.Random(20260415)
    killed = homes = 0
    while killed < KILLS:
        homes += 1
        home = tmp_path / f"home{homes}"
        for _ in range(KILLS_A_HOME):
            process = subprocess.Popen(
                command(settings), env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            try:
                process.wait(timeout=moments.uniform(0.1, 0.9) * whole_s)
                break  # it has ended before its moment came: this home is complete
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                killed += 1
            assert findings(database(home)) == ()
        subprocess.run(command(settings), env=environment(home), check=True, capture_output=True, timeout=300)
        assert findings(database(home)) == ()
        assert contents(database(home)) == expected
    assert killed >= KILLS
