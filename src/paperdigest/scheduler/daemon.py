"""The long-running process: beats, obeys signals, and watches the clock.

``SIGTERM`` and ``SIGINT`` end it within half a minute: messages in flight are finished, what was claimed and not begun
is given back. ``SIGHUP`` reads the settings again; settings that cannot be used are refused as a whole, with the reason
in the log, and the old ones stay in force.

A defect of our own ends the call that met it; the next beat starts anew, with nothing in memory that could be broken.
After some in a row the process gives up: whoever started it starts it again, or sees that it cannot be helped.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import FrameType

from paperdigest.app.heartbeat import Heartbeat
from paperdigest.app.running import give_up_runs
from paperdigest.config import Settings
from paperdigest.errors import PaperDigestError
from paperdigest.metrics import Page
from paperdigest.scheduler.beating import Beating
from paperdigest.scheduler.notifying import notify, watchdog_interval

__all__ = ["Daemon", "Signalled"]

_LOG = logging.getLogger(__name__)

PATIENCE_S = 25.0
"""How long the work under way may take to end after SIGTERM; then it is left, as if by kill -9, which harms nothing."""

MAX_DEFECTS = 5
"""So many defects without a good beat between them, and the process ends."""

_GLANCE = timedelta(seconds=5)


@dataclass(slots=True)
class Signalled:
    """What signals have asked for."""

    stop: threading.Event = field(default_factory=threading.Event)
    reload: threading.Event = field(default_factory=threading.Event)
    woken: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take SIGTERM, SIGINT and SIGHUP while the block runs; only the main thread may."""
        wishes = {signal.SIGTERM: self.stop, signal.SIGINT: self.stop, signal.SIGHUP: self.reload}

        def note(number: int, _frame: FrameType | None) -> None:
            wishes[signal.Signals(number)].set()
            self.woken.set()

        before = {number: signal.signal(number, note) for number in wishes}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Daemon:
    """Runs until it is told to stop.

    Args:
        settings: to begin with; they have been checked.
        read: reads and checks the settings anew, and puts in force what does not concern the heartbeat (the log).
        signalled: what signals ask for.
        clock: the time of day, UTC.
        monotonic: seconds that no setting of the clock changes.
    """

    def __init__(
        self,
        settings: Settings,
        read: Callable[[], Settings],
        signalled: Signalled,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read, self._signalled = read, signalled
        self._clock, self._monotonic = clock, monotonic
        self._heart = Heartbeat(settings, clock, signalled.stop)
        self._page = Page(settings.metrics.port)
        self._defects = 0

    def run(self) -> bool:
        """Beat until told to stop; False when defects ended it.

        Raises:
            UsageError: the port of the metrics is taken.
        """
        if self._heart.settings.metrics.port:
            with self._page.served():
                return self._run()
        return self._run()

    def _run(self) -> bool:
        calls = {"fetch": self._heart.fetch, "send": self._send, "look": self._look}
        beating = Beating(calls, self._met)
        beating.start(self._heart.settings.run.heartbeat_s)
        _LOG.info("running, process %d, one beat every %d s", os.getpid(), self._heart.settings.run.heartbeat_s)
        notify("READY=1", "STATUS=running")
        self._wait(beating)
        notify("STOPPING=1")
        _LOG.info("stopping; the work under way is brought to an end")
        self._end(beating)
        return self._defects < MAX_DEFECTS

    def _wait(self, beating: Beating) -> None:
        """Wait for signals and serve them; keep an eye on the clock."""
        watchdog = watchdog_interval()
        glance = min(_GLANCE, watchdog or _GLANCE).total_seconds()
        offset = self._offset()
        while not self._signalled.stop.is_set():
            self._signalled.woken.wait(glance)
            self._signalled.woken.clear()
            if watchdog is not None:
                notify("WATCHDOG=1")
            if self._signalled.reload.is_set():
                self._signalled.reload.clear()
                self._reload(beating)
            if abs(self._offset() - offset) > _GLANCE.total_seconds():
                # A beat that is planned for tomorrow's date would otherwise be waited for, for a day.
                _LOG.warning("the clock was set by %.0f s", self._offset() - offset)
                beating.at_once(self._heart.settings.run.heartbeat_s)
            offset = self._offset()

    def _offset(self) -> float:
        return self._clock().timestamp() - self._monotonic()

    def _reload(self, beating: Beating) -> None:
        notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        old = self._heart.settings
        try:
            new = self._read()
        except PaperDigestError as error:
            _LOG.error("the settings were read again and refused; the old ones stay in force: %s", error)
        else:
            self._heart.settings = new
            _LOG.info("the settings were read again and are in force from the next beat on")
            if new.metrics.port != old.metrics.port:
                _LOG.warning("metrics.port changes only when paperdigest is started again")
            beating.at_once(new.run.heartbeat_s)
        notify("READY=1")

    def _end(self, beating: Beating) -> None:
        """Let the work under way end, for as long as we have; then end without it."""
        ended = threading.Thread(target=beating.stop, kwargs={"wait": True}, name="ending", daemon=True)
        ended.start()
        ended.join(PATIENCE_S)
        if ended.is_alive():
            _LOG.warning("the work under way did not end in %.0f s and is left; nothing of it is lost", PATIENCE_S)
            give_up_runs(self._heart.settings, self._clock())
            logging.shutdown()
            os._exit(0)  # threads that wait for somebody else's answer would keep the process

    def _send(self) -> None:
        self._heart.send()
        self._defects = 0

    def _look(self) -> None:
        figures = self._heart.look()
        if figures is not None:
            self._page.show(figures)

    def _met(self, defect: BaseException) -> None:
        self._heart.met(defect)
        self._defects += 1
        if self._defects >= MAX_DEFECTS:
            _LOG.critical("%d defects in a row: paperdigest ends", self._defects)
            self._signalled.stop.set()
            self._signalled.woken.set()
