"""Several `send` at once, and `send` killed in the middle: everybody gets one digest, once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from email import message_from_bytes
from importlib.resources import files
from pathlib import Path

from tests.e2e.conftest import Person

SAMPLE = str(files("paperdigest").joinpath("sample/daily-papers.html"))
NOON = "2026-04-14T12:00Z"
PEOPLE = tuple(f"reader{number}@example.org" for number in range(24))


def crowded(person: Person, people: int = len(PEOPLE)) -> Person:
    person.types("--now", NOON, "init")
    assert person.types("--now", NOON, "fetch", "--from", SAMPLE, "--as", "huggingface").code == 0
    for email in PEOPLE[:people]:
        assert person.types("--now", NOON, "subscriber", "add", email, "--topic", "trace", "--confirmed").code == 0
    return person


def sender(now: str) -> subprocess.Popen[bytes]:
    """Start `send` in a process of its own; the person's folders come with the environment."""
    command = [sys.executable, "-m", "paperdigest", "--now", now, "send", "--json"]
    return subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def recipients(mails: list[Path]) -> Counter[str]:
    return Counter(str(message_from_bytes(mail.read_bytes())["To"]) for mail in mails)


def test_three_senders_at_once_send_everything_once(person: Person) -> None:
    crowded(person)
    running = [sender(NOON) for _ in range(3)]
    finished = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], finished
    reports = [json.loads(out) for out, _ in finished]
    # A Maildir files the same message once even when it is handed over twice, so the reports are counted as well.
    assert sum(report["planned"] for report in reports) == len(PEOPLE)
    assert sum(report["sent"] for report in reports) == len(PEOPLE)
    assert recipients(person.mails) == Counter(PEOPLE)


def test_killed_senders_lose_nothing_and_the_next_one_finishes(person: Person) -> None:
    crowded(person)
    caught = []
    for minute, mails in ((0, 1), (6, 5), (12, 6), (18, 13)):  # further apart than a lease, so that each may take over
        process = sender(f"2026-04-14T12:{minute:02d}Z")
        while process.poll() is None and len(person.mails) < mails:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.001)
        process.kill()
        process.communicate()
        caught.append(len(person.mails))
    assert caught[0] < len(PEOPLE), "the first sender had finished before it was killed"
    last = person.types("--now", "2026-04-14T13:00Z", "send", "--json").json
    assert (last["failed"], last["deferred"]) == (0, 0)
    assert recipients(person.mails) == Counter(PEOPLE)
    assert person.types("db", "check").code == 0
