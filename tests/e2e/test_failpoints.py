"""`send` dies at every named moment; the next one finishes its work, and what was planned is what arrives."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime

import pytest

from paperdigest.failpoints import ENVIRONMENT, NAMES, arm
from paperdigest.store.engine import connect_raw
from tests.e2e.conftest import Person
from tests.e2e.test_two_senders import NOON, crowded, recipients

LATER = ("2026-04-14T12:06Z", "2026-04-14T12:20Z", "2026-04-14T13:00Z")
"""Beyond the lease of the dead, and beyond the wait of what is in doubt."""


@pytest.mark.parametrize("moment", NAMES)
def test_a_sender_that_dies_at_a_named_moment_loses_nothing(person: Person, moment: str) -> None:
    crowded(person, people=3)
    command = [sys.executable, "-m", "paperdigest", "--now", NOON, "send", "--json"]
    died = subprocess.run(
        command, check=False, env={**os.environ, ENVIRONMENT: moment}, capture_output=True, timeout=120
    )
    assert died.returncode == -9, died.stderr
    with closing(connect_raw(person.database)) as connection:
        states = Counter(state for (state,) in connection.execute("SELECT state FROM deliveries"))
    assert states["sending"] <= 1  # one connection, one mail in the window
    sent = [person.types("--now", now, "send", "--json").json for now in LATER]
    assert sum(report["failed"] + report["expired"] for report in sent) == 0
    assert recipients(person.mails) == Counter({f"reader{number}@example.org": 1 for number in range(3)})
    assert person.types("db", "check").code == 0
    with closing(connect_raw(person.database)) as connection:
        assert connection.execute("SELECT count(*) FROM deliveries WHERE state = 'sent'").fetchone() == (3,)
        editions = connection.execute("SELECT DISTINCT edition, composed_at FROM digests").fetchall()
    planned_first = moment != "before_plan_commit"
    composed = datetime.fromisoformat(editions[0][1]).astimezone(UTC)
    assert (composed.minute == 0) is planned_first  # what was planned before the kill is what arrives


def test_a_moment_that_does_not_exist_is_refused() -> None:
    for text in ("nowhere", "after_claim:x", "after_claim:-1"):
        with pytest.raises(ValueError, match="names are"):
            arm(text)
    arm(None)
