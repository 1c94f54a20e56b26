"""What an operator is told of by name is explained under that name."""

from __future__ import annotations

import ast
import re

from paperdigest.app.alarms import NAMES, knows
from paperdigest.store.bounces import REFUSED
from paperdigest.store.storms import ALARM
from tests.conftest import ROOT

TABLE = re.compile(r"^\| alarm \| when \|\n\|---\|---\|\n((?:\|.*\n)+)", re.MULTILINE)
SOURCES = ROOT / "src" / "paperdigest"


def documented() -> list[str]:
    table = TABLE.search((ROOT / "docs" / "how-to" / "watch-it.md").read_text(encoding="utf-8"))
    assert table is not None
    return [name for row in table[1].splitlines() for name in re.findall(r"`([^`]+)`", row.split("|")[1])]


def test_the_alarms_of_the_docs_are_those_of_the_program() -> None:
    assert sorted(documented()) == sorted(NAMES)


def test_every_alarm_is_taken_back_by_whoever_raises_it() -> None:
    assert {name for name in NAMES if not knows(name)} == {REFUSED, ALARM}


def test_alarms_are_raised_in_no_other_places() -> None:
    """A new place that raises alarms has to put their names where the docs are compared with them."""
    raising = {
        str(path.relative_to(SOURCES))
        for path in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "raise_alarm"
    }
    assert raising == {"store/alarms.py", "store/bounces.py", "store/storms.py"}
