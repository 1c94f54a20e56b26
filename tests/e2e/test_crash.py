"""The crash matrix in small: senders killed, doubled and stopped; nothing is lost, and no copy comes unannounced."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

# In a process of its own: it forks, and a test runner has threads.
MATRIX = """
import dataclasses, json, random, sys
from bench import crash
scenario = crash.scenarios(int(sys.argv[2]), random.Random(sys.argv[1]))[sys.argv[1]]
print(json.dumps(dataclasses.asdict(crash.judge(scenario, int(sys.argv[3])))))
"""
STOPS = """
import dataclasses, functools, json, random, sys
from bench import _stopping, crash
scenario = functools.partial(_stopping.stopped, draw=random.Random(4), moments=sys.argv[1:])
print(json.dumps(dataclasses.asdict(crash.judge(scenario, 300, speed=_stopping.STOP_SPEED))))
"""


@pytest.mark.parametrize(
    ("scenario", "kills", "digests"),
    [("random kills", 5, 300), ("two daemons", 16, 300)],
)
def test_killed_senders_lose_nothing_and_copies_are_those_in_doubt(scenario: str, kills: int, digests: int) -> None:
    verdict = judged(MATRIX, scenario, str(kills), str(digests))
    assert verdict["kills"] >= 1
    assert verdict["arrived"] == digests
    assert wrong(verdict) == {}
    assert verdict["twice"] <= verdict["doubts"] <= 4 * (verdict["kills"] + 1)


def test_a_sender_stopped_beyond_its_lease_sends_nothing_when_it_goes_on() -> None:
    # Stopped when the intent is durable; when the lease was looked at for the last time; when the mail is out.
    verdict = judged(STOPS, "after_group_commit:1", "after_intent:1", "after_dot:1")
    assert verdict["at_moment"] == 3
    assert verdict["arrived"] == 300
    assert wrong(verdict) == {}
    assert verdict["late"] == 0
    assert verdict["watched"] == 1  # the second
    assert 1 <= verdict["twice"] <= verdict["doubts"]


def judged(program: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    verdict: dict[str, Any] = json.loads(done.stdout)
    return verdict


def wrong(verdict: dict[str, Any]) -> dict[str, object]:
    """Return what must not be."""
    return {name: verdict[name] for name in ("lost", "outside_doubt", "altered", "unsound") if verdict[name]}
