"""`send` killed while it plans: a chunk is planned whole or not at all, and the next run goes on from there."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from email import message_from_bytes
from importlib.resources import files

import pytest

from tests.e2e.conftest import Person

SAMPLE = str(files("paperdigest").joinpath("sample/daily-papers.html"))
NOON = "2026-04-14T12:00Z"
PEOPLE = tuple(f"reader{number}@example.org" for number in range(9))
IN_CHUNKS_OF_FOUR = "import sys; from paperdigest.pipeline import planning; planning.TOGETHER = 4"


@pytest.mark.parametrize(
    ("moment", "planned"),
    [
        ("before_plan_commit:1", 0),
        ("before_plan_commit:2", 4),
        ("after_plan_chunk:1", 4),
        ("after_plan_chunk:2", 8),
        ("after_plan_chunk:3", 9),
    ],
)
def test_a_run_killed_while_planning_leaves_whole_chunks_and_the_next_sends_everything_once(
    person: Person, moment: str, planned: int
) -> None:
    person.types("--now", NOON, "init")
    assert person.types("--now", NOON, "fetch", "--from", SAMPLE, "--as", "huggingface").code == 0
    for email in PEOPLE:
        assert person.types("--now", NOON, "subscriber", "add", email, "--topic", "trace", "--confirmed").code == 0
    program = (
        f"{IN_CHUNKS_OF_FOUR}; from paperdigest.cli import main; sys.argv[1:] = ['--now', '{NOON}', 'send']; main()"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PAPERDIGEST_FAIL": moment},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert killed.returncode == -9, killed
    with closing(sqlite3.connect(person.database)) as raw:
        counts = [raw.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("digests", "deliveries")]
        whole = raw.execute("SELECT count(DISTINCT digest_id) FROM digest_items").fetchone()[0]
    assert [*counts, whole] == [planned] * 3
    assert person.mails == []
    report = person.types("--now", NOON, "send", "--json").json
    assert (report["planned"], report["sent"]) == (len(PEOPLE) - planned, len(PEOPLE))
    assert Counter(str(message_from_bytes(mail.read_bytes())["To"]) for mail in person.mails) == Counter(PEOPLE)
    assert person.types("db", "check").code == 0
