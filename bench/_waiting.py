"""A folder in which digests wait to be delivered: settings, keys, a database; and a sink that takes the mail.

Each digest has 20 of 60 papers of real days, where those lie beside the checkout, in an order of its own, and a reader
of its own. A share of papers that recurs this much is what a list on one subject has in a day.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import IO

from bench._listings import daily_listings
from paperdigest.config import Settings
from paperdigest.mail.dkim_keys import make_key
from paperdigest.store import Store
from paperdigest.store.digests import Digests
from paperdigest.store.engine import connect_raw
from paperdigest.types import (
    Appearance,
    Digest,
    Highlight,
    RankedPaper,
    Reason,
    StoredPaper,
    Subscriber,
    SubscriberStatus,
    Topic,
)

__all__ = ["EDITION", "NOW", "counting_sink", "fill", "made", "settings", "sink", "wait_again"]

NOW = datetime(2026, 4, 15, 6, tzinfo=UTC)
EDITION = date(2026, 4, 15)
PAPERS, EACH = 60, 20
_TOPICS = ("graph learning", "causal models", "language")
_CHUNK = 500

_SUBSCRIBERS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO subscribers (id, email, name, status, days, at, tz, max_papers, created_at)
SELECT i, 'reader' || i || '@example.net', 'Reader ' || i, 'active', '01234', '07:00', 'UTC', 20,
    '2026-04-01T00:00:00.000000Z' FROM n
"""
_AGAIN = """
UPDATE deliveries SET state = 'planned', attempts = 0, sent_at = NULL, lease_owner = NULL, lease_until = NULL,
  content_hash = NULL, phase = NULL, code = NULL, status = NULL, detail = NULL
"""


def fill(folder: Path, count: int) -> None:
    """Write keys and a database with so many digests that are due."""
    make_key(folder / "rsa.pem")
    (folder / "secret.key").write_text("0123456789abcdef" * 4 + "\n", encoding="ascii")
    store = Store.open(folder / "papers.db", create=True)
    with closing(connect_raw(folder / "papers.db")) as connection:
        connection.execute(_SUBSCRIBERS, (count,))
    digests, waiting = Digests(store.database), made(count)
    for chunk in iter(lambda: [one for _, one in zip(range(_CHUNK), waiting, strict=False)], []):
        digests.add_many(
            chunk,
            message_id=lambda _, number: f"<20260415.{number}.0123456789abcdef0123@digest.example.org>",
            expires_at=NOW + timedelta(hours=36),
        )
    store.close()


def wait_again(folder: Path) -> None:
    """Let all deliveries of a folder be due as if nothing had been tried."""
    with closing(connect_raw(folder / "papers.db")) as connection:
        connection.execute(_AGAIN)


def made(count: int) -> Iterator[Digest]:
    """Yield so many digests, of the readers 1, 2, 3."""
    papers, draw = _papers(), random.Random(15042026)
    for number in range(1, count + 1):
        chosen = sorted(draw.sample(papers, EACH), key=lambda one: (_TOPICS.index(one.topic), -one.score))
        yield Digest(
            subscriber=_reader(number),
            edition=EDITION,
            composed_at=NOW - timedelta(minutes=1),
            ranked=tuple(chosen),
            considered=214,
            id=number,
        )


def settings(folder: Path, port: int, *, connections: int = 8) -> Settings:
    """Return the settings of a folder whose mail goes to a port of this machine, by so many connections."""
    smtp = {
        "host": "127.0.0.1",
        "port": port,
        "tls": "none",
        "connections": connections,
        "max_messages_per_connection": 1000,
    }
    given = {
        "store": {"url": "papers.db"},
        "web": {"base_url": "https://digest.example.org"},
        "digest": {"postal_address": "Example Lane 1, 12345 Example Town"},
        "mail": {
            "mailer": "smtp",
            "from": "Paper digest <papers@digest.example.org>",
            "secret_key_file": "secret.key",
            "smtp": smtp,
            "dkim": {"domain": "digest.example.org", "selector": "pd", "key_file": "rsa.pem"},
            "bounces": {"domain": "bounce.example.org"},
        },
    }
    return Settings.model_validate(given).model_copy(update={"path": folder / "config.toml"})


@contextmanager
def sink() -> Iterator[int]:
    """Run Postfix's ``smtp-sink`` and yield its port.

    Raises:
        FileNotFoundError: it is not installed (Debian: the package postfix).
    """
    with _sink(subprocess.DEVNULL) as port:
        yield port


@contextmanager
def counting_sink(counts: Path) -> Iterator[tuple[int, Callable[[], int]]]:
    """Run a `sink` and yield its port and what says how many messages it has taken.

    Args:
        counts: a file for what it says of them, some dozen bytes a message.
    """
    with counts.open("wb") as file, _sink(file, "-c") as port:
        yield port, lambda: _last_count(counts)


def _last_count(counts: Path) -> int:
    found = re.findall(rb"mesg=(\d+)", counts.read_bytes()[-1000:])
    return int(found[-1]) if found else 0


@contextmanager
def _sink(output: int | IO[bytes], *options: str) -> Iterator[int]:
    program = shutil.which("smtp-sink", path="/usr/sbin:/usr/local/sbin:/usr/bin:/bin")
    if program is None:
        raise FileNotFoundError("smtp-sink is not installed (Debian: the package postfix)")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    command = [program, *user, *options, "-m", "512", f"127.0.0.1:{port}", "1024"]
    with subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL) as process:
        try:
            _await(port)
            yield port
        finally:
            process.terminate()


def _await(port: int) -> None:
    until = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def _reader(number: int) -> Subscriber:
    return Subscriber(
        id=number,
        email=f"reader{number}@example.net",
        name=f"Reader {number}",
        status=SubscriberStatus.ACTIVE,
        topics=tuple(Topic(name=name, query=name) for name in _TOPICS),
        max_papers=EACH,
    )


@cache
def _papers() -> Sequence[RankedPaper]:
    entries = [entry for listing in daily_listings()[0][-30:] for entry in listing.entries if entry.paper.abstract]
    return [
        RankedPaper(
            stored=StoredPaper(
                paper=entry.paper,
                first_seen_at=NOW,
                entries=(Appearance(source="huggingface", listed_on=EDITION, rank=entry.rank, upvotes=entry.upvotes),),
            ),
            score=round(0.99 - number / 100, 3),
            topic=_TOPICS[number % len(_TOPICS)],
            reasons=(
                Reason(text="title has *graph*", keyword="graph", contribution=2.0, where="title"),
                Reason(text="abstract is near to *learning*", keyword="learning", contribution=1.0, where="abstract"),
            ),
            highlights=(Highlight(field="abstract", start=10, end=20),),
        )
        for number, entry in enumerate(entries[:PAPERS])
    ]
