"""The crash matrix in small: senders killed, doubled and stopped; nothing is lost, and no copy comes unannounced."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# In a process of its own: it forks, and a test runner has threads.
MATRIX = """
import dataclasses, json, random, sys
from bench import crash
scenario = crash.scenarios(int(sys.argv[2]), random.Random(sys.argv[1]))[sys.argv[1]]
print(json.dumps(dataclasses.asdict(crash.judge(scenario, int(sys.argv[3])))))
"""


@pytest.mark.parametrize(
    ("scenario", "kills", "digests"),
    [("random kills", 5, 300), ("two daemons", 16, 300), ("stopped beyond the lease", 1, 300)],
)
def test_killed_senders_lose_nothing_and_copies_are_those_in_doubt(scenario: str, kills: int, digests: int) -> None:
    command = [sys.executable, "-c", MATRIX, scenario, str(kills), str(digests)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    verdict = json.loads(done.stdout)
    assert verdict["kills"] >= 1
    assert verdict["arrived"] == digests
    wrong = {name: verdict[name] for name in ("lost", "outside_doubt", "altered", "unsound")}
    assert wrong == {"lost": 0, "outside_doubt": 0, "altered": 0, "unsound": []}
    assert verdict["twice"] <= verdict["doubts"] <= 4 * (verdict["kills"] + 1)
