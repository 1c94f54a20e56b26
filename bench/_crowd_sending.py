"""Plan and deliver to everybody in a folder, in a process of its own: ``python -m bench._crowd_sending FOLDER PORT``.

It is the application's own ``send``. Prints JSON: for planning and for delivering the processor and wall seconds, and
the most memory the process had in it; and what the ledger says in the end.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import ParamSpec, TypedDict, TypeVar
from unittest import mock

from bench._crowd_memory import peak
from bench._real_crowd import NOW
from bench._waiting import settings
from paperdigest.app.application import App
from paperdigest.pipeline import delivering, planning
from paperdigest.store.ledger import Ledger

__all__ = ["Sent", "Spent"]

_Asked = ParamSpec("_Asked")
_Given = TypeVar("_Given")


class Spent(TypedDict):
    """What a use case took: seconds, and the most memory of the process while it ran, in bytes."""

    cpu_s: float
    wall_s: float
    memory: int


class Sent(TypedDict):
    """What came of it. ``before``: the most memory of the process until it began, in bytes."""

    before: int
    planning: Spent
    delivering: Spent
    planned: int
    sent: int
    states: dict[str, int]
    problems: list[str]


def main(arguments: list[str]) -> None:
    """Send, and say what it took."""
    folder, port = Path(arguments[0]), int(arguments[1])
    begun = time.monotonic()

    def clock() -> datetime:
        return NOW + timedelta(seconds=time.monotonic() - begun)

    spent: dict[str, Spent] = {}
    with closing(App.open(settings(folder, port), clock=clock)) as app:
        before = peak()
        with (
            mock.patch.object(planning, "plan", _watched(planning.plan, spent)),
            mock.patch.object(delivering, "deliver", _watched(delivering.deliver, spent)),
        ):
            report = app.send()
        found: Sent = {
            "before": before,
            "planning": spent["plan"],
            "delivering": spent["deliver"],
            "planned": report.planned,
            "sent": report.sent,
            "states": {state: count for state, count in Ledger(app.store.database).counts().items() if count},
            "problems": list(report.problems),
        }
    print(json.dumps(found))


def _watched(case: Callable[_Asked, _Given], spent: dict[str, Spent]) -> Callable[_Asked, _Given]:
    @functools.wraps(case)
    def watched(*args: _Asked.args, **named: _Asked.kwargs) -> _Given:
        _forget_peak()
        cpu, wall = time.process_time(), time.perf_counter()
        given = case(*args, **named)
        spent[case.__name__] = {
            "cpu_s": time.process_time() - cpu,
            "wall_s": time.perf_counter() - wall,
            "memory": peak(),
        }
        return given

    return watched


def _forget_peak() -> None:
    """Let Linux count the most memory from now on (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


if __name__ == "__main__":
    main(sys.argv[1:])
