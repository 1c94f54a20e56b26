"""What `run` does at each heartbeat: fetch what is due, send what is due, take in what came back, look around.

What goes wrong in one step is logged, and the others are done all the same. Nothing is kept in memory from one
heartbeat to the next, so that a database that was restored, a key that was changed, or another process at work are
met as they are.

Sending to many can take hours and must hold up no fetch; but what is sent waits for the fetch that is under way, and
after days without power for the one that catches up.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from typing import TypeVar

from paperdigest.app.application import App
from paperdigest.app.bounces import Intake
from paperdigest.app.checking import check_mail
from paperdigest.app.letters import Letters
from paperdigest.app.running import Interrupted, unless_stopped
from paperdigest.app.watching import Watch
from paperdigest.config import Settings
from paperdigest.errors import PaperDigestError
from paperdigest.metrics import Figures
from paperdigest.store import Store

__all__ = ["Heartbeat", "check_settings"]

_LOG = logging.getLogger(__name__)

T = TypeVar("T")

_DELIVERED_S = 600.0
"""So long mail is delivered before it is looked again who is due: a slow server must hold up nobody else's hour."""

_COUNTED = ("planned", "sent", "deferred", "failed", "expired", "taken_over", "in_doubt")


def check_settings(settings: Settings) -> None:
    """Find out before anything is due whether these settings will do: database, keys, templates, mailer.

    Raises:
        StoreError, ConfigError, PluginError, RenderError: in words.
    """
    Store.open(settings.store_url()).close()
    check_mail(settings)
    Letters(settings).check()


class Heartbeat:
    """The work of a long-running process; each part may run in a thread of its own.

    Args:
        settings: replace them, and the next beat goes by the new ones.
        clock: the time of day, UTC.
        stop: set when somebody wishes the program to end: every part then ends as soon as nothing is half done.

    Attributes:
        first_error: what ended a part, the first time.
        is_listing_bad: a listing could not be read.
        is_mail_given_up: a mail failed for good, or its time was over.
    """

    def __init__(self, settings: Settings, clock: Callable[[], datetime], stop: threading.Event) -> None:
        self.settings, self._clock, self._stop = settings, clock, stop
        self.first_error: PaperDigestError | None = None
        self.is_listing_bad = self.is_mail_given_up = False
        self._fetching = threading.Lock()
        self._defect: str | None = None
        self._logged: dict[str, str] = {}
        self._problems: frozenset[str] = frozenset()

    def once(self) -> Figures | None:
        """Do everything once, one after the other."""
        self.send()
        return self.look()

    def fetch(self) -> None:
        """Fetch the sources that are due and that nobody else is fetching."""
        self._part("fetch", self._fetch)

    def send(self) -> None:
        """Plan and deliver what is due, after the fetch that is due or under way."""
        self.fetch()
        self._part("send", self._send)

    def look(self) -> Figures | None:
        """Take in what came back, tell the operator of troubles, and return the figures, if they are wanted."""
        self._part("take in bounces", _take_bounces)
        return self._part("look for troubles", self._look)

    def met(self, defect: BaseException) -> None:
        """Note that a beat was ended by a defect: the operator is told at the next look."""
        self._defect = f"{type(defect).__name__}: {defect}; see the log, and please report it"

    def _part(self, what: str, do: Callable[[App], T]) -> T | None:
        """Open the application for a part of the work; an expected error is logged and ends this part alone."""
        try:
            with closing(App.open(self.settings, clock=self._clock)) as app:
                return do(app)
        except Interrupted:
            _LOG.info("by wish, no more is done to %s; what was finished is stored", what)
        except PaperDigestError as error:
            _LOG.error("could not %s: %s", what, error)
            self.first_error = self.first_error or error
        return None

    def _fetch(self, app: App) -> None:
        unless = unless_stopped(self._stop.is_set)
        unless(None)
        with self._fetching:
            report = app.fetch_due(unless)
        if report is None:
            return
        self.is_listing_bad |= any(one.error for one in report.listings)
        for one in report.listings:
            level = logging.WARNING if one.error else logging.INFO
            told = one.error or one.note or "as announced"
            counted = f"{one.entries} entries, {one.new} new"
            _LOG.log(level, "fetched %s of %s: %s, %s (%s)", one.source, one.listed_on, one.state.value, counted, told)
        app.encode(app.unencoded(sum(one.new for one in report.listings)), unless)

    def _send(self, app: App) -> None:
        report = app.send(stop=self._stop, at_most_s=_DELIVERED_S)
        self.is_mail_given_up |= bool(report.failed or report.expired)
        if any(getattr(report, name) for name in _COUNTED):
            _LOG.info("%s", "; ".join(report.sentences()))
        for problem in report.problems:
            if problem not in self._problems:  # what lasts is said once
                _LOG.warning("%s", problem)
        self._problems = frozenset(report.problems)

    def _look(self, app: App) -> Figures | None:
        defect, self._defect = self._defect, None
        return Watch(app.settings, app.store, app.clock, app.running, self._logged).look(defect=defect)


def _take_bounces(app: App) -> None:
    with Intake(app.settings, app.store, app.clock) as intake:
        if not intake.take_configured():
            return
        if intake.report.read:
            _LOG.info("bounces: %s", intake.report.sentence())
        for problem in intake.report.problems:
            _LOG.warning("%s", problem)
