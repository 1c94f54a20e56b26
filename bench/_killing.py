"""Senders that are forked, warm, and killed: a life takes milliseconds to begin, so that hundreds can be taken.

Time runs fifty times as fast for all of them (the wall clock, the monotonic one and the watchdog's timer alike): a
lease of five minutes is over in six seconds. Nothing else about them is other than in the product.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from bench._waiting import NOW, settings
from paperdigest import failpoints, watchdog
from paperdigest.app import plugging
from paperdigest.app.letters import Letters
from paperdigest.pipeline import delivering
from paperdigest.store import Store
from paperdigest.store.ledger import Ledger

__all__ = ["LANES", "OPEN", "SPEED", "Sender", "fork", "kill"]

SPEED = 50
LANES = 4
OPEN = ("planned", "leased", "sending", "deferred", "in_doubt")
"""The states of a delivery that is not settled."""


class Sender:
    """The real thing: letters, ledger, lanes and SMTP client, on one folder and one mail server."""

    def __init__(self, folder: Path, port: int, speed: float = SPEED) -> None:
        self.folder, self._begun, self._speed = folder, time.time(), speed
        found = settings(folder, port)
        smtp = found.mail.smtp.model_copy(update={"connections": LANES})
        self._settings = found.model_copy(update={"mail": found.mail.model_copy(update={"smtp": smtp})})
        self.letters = Letters(self._settings)
        self.letters.check()

    def clock(self) -> datetime:
        return NOW + timedelta(seconds=self._elapsed())

    def _elapsed(self) -> float:
        return (time.time() - self._begun) * self._speed

    def once(self) -> int:
        """Deliver what is due, as cron does, and return how many deliveries are not settled."""
        store = Store.open(self.folder / "papers.db")
        vars(watchdog)["_setitimer"] = lambda which, seconds, _=0: signal.setitimer(which, seconds / self._speed)
        try:
            mailer = plugging.make_mailer(self._settings)
            delivering.deliver(
                store, mailer, self.letters.begin, clock=self.clock, monotonic=self._elapsed, stop=threading.Event()
            )
            counts = Ledger(store.database).counts()
        finally:
            store.close()
        return sum(counts[state] for state in OPEN)

    def until_done(self) -> None:
        """Deliver again and again until all is settled, as a daemon does."""
        while self.once():
            time.sleep(0.02)


def fork(work: Callable[[], object], failpoint: str | None = None, *, stops: bool = False) -> int:
    """Start a process that does some work, and return its number once it is about to begin.

    Args:
        work: what it does.
        failpoint: where it is killed, see `failpoints.arm`.
        stops: it is stopped there instead, and can go on.
    """
    ready, told = os.pipe()
    number = os.fork()
    if number:
        os.close(told)
        os.read(ready, 1)
        os.close(ready)
        return number
    code = 1
    try:
        os.close(ready)
        if failpoint is not None:
            failpoints.arm(failpoint)
        if stops:
            vars(signal)["SIGKILL"] = signal.SIGSTOP  # which the failpoints of this one process name
        os.write(told, b"r")
        work()
        code = 0
    except BaseException as error:  # noqa: BLE001  a forked process must not go on into its parent's work
        print(f"a sender ended by itself: {type(error).__name__}: {error}", file=sys.stderr)
    finally:
        os._exit(code)


def kill(number: int) -> bool:
    """Kill a process if it still lives; return whether it had to be."""
    found, _ = os.waitpid(number, os.WNOHANG)
    if found:
        return False
    os.kill(number, signal.SIGKILL)
    os.waitpid(number, 0)
    return True
