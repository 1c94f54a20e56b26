"""Deliver what waits in a folder, in a process of its own.

``python -m bench._delivering FOLDER PORT CONNECTIONS [PROCESSOR]``; with the number of a processor it uses that one
alone. Says ``ready`` when everything is loaded, starts at the first line it reads, and prints what it did as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

from bench._waiting import NOW, settings
from paperdigest.app import plugging
from paperdigest.app.letters import Letters
from paperdigest.config import Settings
from paperdigest.pipeline import delivering
from paperdigest.store import Store

__all__ = ["deliver"]


def main(arguments: list[str]) -> None:
    """Load, wait for the word, deliver, report."""
    folder = Path(arguments[0])
    found = settings(folder, int(arguments[1]), connections=int(arguments[2]))
    letters = Letters(found)
    letters.check()
    if len(arguments) > 3:
        os.sched_setaffinity(0, {int(arguments[3])})  # a thread that is begun later has its beginner's
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(deliver(folder, found, letters)), flush=True)


def deliver(folder: Path, found: Settings, letters: Letters) -> dict[str, float]:
    """Deliver everything, and return how much that was and what it took, in seconds."""
    store = Store.open(folder / "papers.db")
    begun, start = time.monotonic(), time.process_time()

    def clock() -> datetime:
        return NOW + timedelta(seconds=time.monotonic() - begun)

    report = delivering.deliver(
        store,
        plugging.make_mailer(found),
        letters.begin,
        clock=clock,
    )
    took = {"sent": report.sent, "cpu_s": time.process_time() - start, "wall_s": time.monotonic() - begun}
    store.close()
    assert not report.problems, report.problems[:3]
    return took


if __name__ == "__main__":
    main(sys.argv[1:])
