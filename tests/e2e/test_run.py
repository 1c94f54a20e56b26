"""`run` as a process of its own: it beats, obeys signals, shares the work, and outlives what goes wrong around it."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any, Self

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from paperdigest.testing.replay import ReplayServer, Reply
from tests.e2e.conftest import Person

BEAT_S = 5
PATIENCE_S = 60.0


def feed(first: int = 1, count: int = 3) -> bytes:
    """Return a feed with papers of these numbers."""
    items = "".join(
        f"<item><title>Tracing requirement {number}</title><link>https://example.org/papers/{number}</link>"
        f"<description>We trace requirement {number} through layers of software.</description></item>"
        for number in range(first, first + count)
    )
    return f'<rss version="2.0"><channel><title>Papers</title>{items}</channel></rss>'.encode()


def eventually(holds: Callable[[], object], what: str) -> None:
    """Wait until something holds; a beat may lie in between."""
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until, f"waited too long until {what}"
        time.sleep(0.05)


class Daemon:
    """A running `run`, with what it says."""

    def __init__(self, home: Path, name: str = "daemon", **environment: str) -> None:
        self._said = home / f"{name}.log"
        command = [sys.executable, "-m", "paperdigest", "run"]
        with self._said.open("wb") as log:
            self.process = subprocess.Popen(
                command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=log
            )

    @property
    def said(self) -> str:
        return self._said.read_text(encoding="utf-8")

    def ends(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)


@contextmanager
def daemon(person: Person, name: str = "daemon", **environment: str) -> Iterator[Daemon]:
    running = Daemon(person.home, name, **environment)
    try:
        eventually(lambda: "running, process" in running.said or running.process.poll() is not None, "it runs")
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


@pytest.fixture
def source() -> Iterator[ReplayServer]:
    with ReplayServer() as server:
        server.answer("/papers", Reply(body=feed(), headers={"Content-Type": "application/rss+xml"}))
        yield server


def settings(person: Person, *sources: str, **tables: dict[str, object]) -> None:
    """Write settings: a feed for each URL, and tables by name, ``__`` for a dot."""
    text = "" if sources else "sources = []\n"
    for number, url in enumerate(sources):
        text += f'[[sources]]\nname = "feed{number}"\nkind = "feed"\nallow_private = true\nurl = "{url}"\n'
    tables.setdefault("run", {}).setdefault("heartbeat_s", BEAT_S)
    for name, table in tables.items():
        text += f"[{name.replace('__', '.')}]\n"
        text += "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
    person.settings(text)


def started(person: Person, *sources: str, **tables: dict[str, object]) -> Person:
    """Return a person whose database is there, with a few papers."""
    settings(person, *sources, **tables)
    assert person.types("init").code == 0
    (person.home / "papers.xml").write_bytes(feed())
    assert person.types("fetch", "--from", "papers.xml", "--as", "feed").code == 0
    return person


def subscribe(person: Person, count: int) -> list[str]:
    emails = [f"reader{number}@example.org" for number in range(count)]
    for email in emails:
        arguments = ("--topic", "trace", "--at", "00:00", "--tz", "UTC", "--confirmed")
        assert person.types("subscriber", "add", email, *arguments).code == 0
    return emails


def rows(person: Person, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(person.database) as connection:
        return connection.execute(query).fetchall()


def recipients(mails: list[Path]) -> Counter[str]:
    return Counter(str(message_from_bytes(mail.read_bytes())["To"]) for mail in mails)


class SlowServer:
    """A mail server that takes its time with every message, and notes the Message-ID before it answers."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.taken = seconds, list[str]()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        import asyncio

        assert isinstance(envelope.content, bytes)
        self.taken.append(str(message_from_bytes(envelope.content)["Message-ID"]))
        await asyncio.sleep(self.seconds)
        return "250 2.0.0 taken"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._controller.stop()


def test_it_fetches_and_sends_and_ends_by_sigterm(person: Person, source: ReplayServer) -> None:
    started(person, source.url("/papers"))
    subscribe(person, 2)
    with daemon(person) as running:
        eventually(lambda: len(person.mails) == 2, "the digests are there")
        eventually(lambda: rows(person, "SELECT 1 FROM runs WHERE kind = 'send' AND finished_at > ''"), "a run is over")
        assert running.ends() == 0
    assert source.requests
    assert "example.org" not in running.said, "an address is in the log"
    assert not rows(person, "SELECT 1 FROM runs WHERE finished_at IS NULL")
    assert rows(person, "SELECT DISTINCT json_extract(detail, '$.sources[0]') FROM runs WHERE kind = 'fetch'")


def test_sigterm_in_the_middle_of_sending_finishes_what_is_in_flight(person: Person) -> None:
    with SlowServer(0.3) as server:
        smtp = {"host": "127.0.0.1", "port": server.port, "tls": "none", "connections": 2}
        started(person, mail={"mailer": "smtp", "from": "d@example.org"}, mail__smtp=smtp)
        people = subscribe(person, 30)
        with daemon(person) as running:
            eventually(lambda: len(server.taken) >= 3, "some mails are on their way")
            assert running.ends() == 0
        taken = len(server.taken)
        assert taken < len(people), "it had finished before it was told to stop"
        states = dict(rows(person, "SELECT state, count(*) FROM deliveries GROUP BY state"))
        assert states.get("sent") == taken, "what the server took is written down as sent"
        assert set(states) <= {"sent", "planned", "deferred"}, "a lease was kept, or something is in doubt"
        server.seconds = 0
        with daemon(person) as running:
            eventually(lambda: len(server.taken) >= len(people), "the rest is sent")
            assert running.ends() == 0
    assert len(set(server.taken)) == len(server.taken) == len(people)


def test_killed_it_goes_on_where_it_was_and_the_operator_hears_of_it(person: Person) -> None:
    with SlowServer(0.3) as server:
        smtp = {"host": "127.0.0.1", "port": server.port, "tls": "none", "connections": 1}
        started(person, mail={"mailer": "smtp", "from": "d@example.org"}, mail__smtp=smtp)
        subscribe(person, 6)
        with daemon(person) as running:
            eventually(lambda: len(server.taken) >= 2, "some mails are on their way")
            running.process.kill()
            running.process.wait()
        found = person.types("run", "--once")
        assert found.code == 0
    assert rows(person, "SELECT count(*) FROM runs WHERE finished_at IS NULL") == [(1,)]


def test_who_looks_on_from_outside_during_a_long_run_takes_nothing_from_it(person: Person) -> None:
    with SlowServer(0.6) as server:
        smtp = {"host": "127.0.0.1", "port": server.port, "tls": "none", "connections": 1}
        started(person, mail={"mailer": "smtp", "from": "d@example.org"}, mail__smtp=smtp)
        people = subscribe(person, 20)
        with daemon(person) as running:
            eventually(lambda: len(server.taken) * server.seconds > 1.3 * BEAT_S, "a beat fell into the sending")
            files = Path(f"/proc/{running.process.pid}/fd")
            for _ in range(2):
                assert person.types("outbox").code == 0
                held = [str(one.readlink()) for one in files.iterdir()]
                assert [one for one in held if "paperdigest.db" in one]
                assert not [one for one in held if "(deleted)" in one], "it writes into a file that nobody else sees"
            assert rows(person, "SELECT count(*) FROM deliveries WHERE state = 'sent'") >= [(len(server.taken) - 2,)]
            running.process.kill()
            running.process.wait()
        server.seconds = 0
        later = f"{datetime.now(UTC) + timedelta(minutes=10):%Y-%m-%dT%H:%MZ}"
        assert person.types("--now", later, "send").code == 0
    assert len(set(server.taken)) == len(people)
    assert len(server.taken) <= len(people) + 1, "more than the one in doubt came twice"
    assert person.types("db", "check").code == 0


def test_sighup_puts_good_settings_in_force_and_refuses_bad_ones(person: Person) -> None:
    started(person)
    subscribe(person, 1)
    with daemon(person) as running:
        eventually(lambda: len(person.mails) == 1, "the digest is there")
        person.settings("[run]\nheartbeat_s = 5\n[mail]\nmailer = 'pigeon'\n[digest]\nmax_papers = 0\n")
        running.process.send_signal(signal.SIGHUP)
        eventually(lambda: "refused" in running.said, "bad settings are refused")
        assert "mail.mailer" in running.said
        assert "digest.max_papers" in running.said
        before = rows(person, "SELECT count(*) FROM runs WHERE kind = 'send'")
        eventually(lambda: rows(person, "SELECT count(*) FROM runs WHERE kind = 'send'") > before, "it goes on")
        settings(person, log={"format": "json"})
        running.process.send_signal(signal.SIGHUP)
        eventually(lambda: "in force from the next beat" in running.said, "good ones are taken")
        last = json.loads(running.said.splitlines()[-1])
        assert last["level"] == "INFO"
        assert running.ends(signal.SIGINT) == 0


def test_two_daemons_and_cron_at_once_send_everything_once(person: Person, source: ReplayServer) -> None:
    started(person, source.url("/papers"))
    people = subscribe(person, 12)
    with daemon(person, "one") as one, daemon(person, "two") as two:
        cron = [
            subprocess.Popen(
                [sys.executable, "-m", "paperdigest", "send", "--json"],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=dict(os.environ),
            )
            for _ in range(2)
        ]
        sent_by_cron = [json.loads(process.communicate(timeout=60)[0])["sent"] for process in cron]
        eventually(lambda: len(person.mails) >= len(people), "everybody has a digest")
        time.sleep(BEAT_S + 1)  # one more beat of both
        assert (one.ends(), two.ends()) == (0, 0)
    assert recipients(person.mails) == Counter(people)
    sent = sum(
        row[0] or 0 for row in rows(person, "SELECT json_extract(detail, '$.sent') FROM runs WHERE kind = 'send'")
    )
    assert sent == len(people), (sent, sent_by_cron)  # a Maildir files a message once, however often it is handed over
    asked = [request for request in source.requests if request.path == "/papers"]
    assert len(asked) == 1, "two daemons fetched the same source at the same time"


def test_a_database_that_vanishes_stops_the_sending_and_not_the_process(person: Person) -> None:
    started(person)
    with daemon(person) as running:
        eventually(lambda: rows(person, "SELECT 1 FROM runs WHERE kind = 'send' AND finished_at > ''"), "a run is over")
        kept = person.home / "kept"
        kept.mkdir()
        for file in person.database.parent.glob("paperdigest.db*"):
            file.rename(kept / file.name)
        eventually(lambda: "could not send" in running.said, "it says that there is none")
        assert not person.database.exists(), "an empty database was made in its place"
        for file in kept.iterdir():
            file.rename(person.database.parent / file.name)
        people = subscribe(person, 1)
        eventually(lambda: recipients(person.mails) == Counter(people), "it goes on when it is back")
        assert running.ends() == 0


def test_a_damaged_database_sends_nothing_and_says_so(person: Person) -> None:
    started(person)
    subscribe(person, 1)
    person.database.write_bytes(person.database.read_bytes()[:4096] + b"\0" * 40_000)
    found = person.types("run", "--once")
    assert found.code == 4
    assert person.mails == []


def test_once_tells_by_its_exit_code_that_a_mail_was_given_up(person: Person) -> None:
    started(person)
    subscribe(person, 1)
    assert person.types("send", "--json").json["sent"] == 1
    with closing(sqlite3.connect(person.database)) as connection, connection:
        connection.execute("UPDATE deliveries SET state = 'deferred', sent_at = NULL, expires_at = '2020-01-01'")
    assert person.types("run", "--once").code == 5
    assert person.types("run", "--once").code == 0


def test_without_a_database_it_does_not_start(person: Person) -> None:
    settings(person)
    found = person.types("run")
    assert found.code == 4
    assert "paperdigest init" in found.err


def test_bad_settings_do_not_start(person: Person) -> None:
    started(person)
    person.settings("[mail]\nmailer = 'smtp'\n[mail.smtp]\nuser = 'me'\n")
    assert person.types("run").code == 2


def test_a_clock_that_stands_still_is_for_one_beat_only(person: Person) -> None:
    started(person)
    found = person.types("--now", "2026-04-15T12:00Z", "run")
    assert found.code == 2
    assert "--once" in found.err
    assert person.types("--now", "2026-04-15T12:00Z", "run", "--once").code == 0


def test_a_supervisor_hears_that_it_is_ready_alive_and_stopping(person: Person) -> None:
    started(person)
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(person.home / "notify"))
        supervisor.settimeout(0.1)
        over = threading.Event()

        def listen() -> None:
            while not over.is_set():
                try:
                    heard.append(supervisor.recv(4096).decode())
                except TimeoutError:
                    continue

        listener = threading.Thread(target=listen)
        listener.start()
        environment = {"NOTIFY_SOCKET": str(person.home / "notify"), "WATCHDOG_USEC": "400000"}
        with daemon(person, **environment) as running:
            eventually(lambda: heard.count("WATCHDOG=1") >= 2, "it says that it is alive")
            assert running.ends() == 0
        over.set()
        listener.join()
    assert heard[0].startswith("READY=1")
    assert "STOPPING=1" in heard


def test_after_three_days_without_power_there_is_one_fetch_and_one_digest(person: Person, source: ReplayServer) -> None:
    settings(person, source.url("/papers"))
    monday, friday = "2026-04-13T12:00Z", "2026-04-17T12:00Z"
    assert person.types("--now", monday, "init").code == 0
    arguments = ("--topic", "trace", "--days", "daily", "--confirmed")
    assert person.types("--now", monday, "subscriber", "add", "a@example.org", *arguments).code == 0
    assert person.types("--now", monday, "run", "--once").code == 0
    assert len(person.mails) == 1, "the papers of the fetch are in the digest of the same beat"
    source.answer("/papers", Reply(body=feed(101), headers={"Content-Type": "application/rss+xml"}))
    for _ in range(3):
        assert person.types("--now", friday, "run", "--once").code == 0
    assert len(source.requests) == 2
    assert rows(person, "SELECT edition FROM digests ORDER BY edition") == [("2026-04-13",), ("2026-04-17",)]
    assert len(person.mails) == 2


def test_a_clock_that_jumps_back_and_forth_sends_no_edition_twice(person: Person, source: ReplayServer) -> None:
    started(person, source.url("/papers"))
    subscribe(person, 1)
    today = time.strftime("%Y-%m-%d", time.gmtime())
    moments = [f"{today}T10:00Z", f"{today}T11:00Z", f"{today}T08:00Z", f"{today}T12:00Z", f"{today}T11:30Z"]
    for moment in moments:
        assert person.types("--now", moment, "run", "--once").code == 0
    assert rows(person, "SELECT count(*), count(DISTINCT edition) FROM digests") == [(1, 1)]
    assert len(person.mails) == 1


def test_a_network_that_is_down_leaves_the_other_sources_and_is_said(person: Person, source: ReplayServer) -> None:
    settings(person, source.url("/papers"), "http://127.0.0.1:1/papers")
    assert person.types("init").code == 0
    people = subscribe(person, 2)
    assert person.types("subscriber", "set", people[1], "--topic", "zebrafish", "--on-empty", "note").code == 0
    found = person.types("run", "--once")
    assert found.code == 3
    assert "fetched feed1" in found.err
    assert "alarm: source feed1" in found.err
    states = dict(rows(person, "SELECT source, state FROM listings"))
    assert states["feed1"] == "failed"
    assert states["feed0"] != "failed"
    by_person = {str((mail := message_from_bytes(path.read_bytes()))["To"]): mail for path in person.mails}
    assert set(by_person) == set(people)
    parts = [part.get_payload(decode=True) for part in by_person[people[1]].walk() if not part.is_multipart()]
    assert b"feed1 could not be read" in b"".join(part for part in parts if isinstance(part, bytes))
