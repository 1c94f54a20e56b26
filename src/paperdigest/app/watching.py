"""After every run: look for troubles, tell the operator, and give out the figures. Nothing here fails the run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from paperdigest import __version__, metrics
from paperdigest.app.alarms import DEFECT, knows, troubles
from paperdigest.app.bounces import bounces_of
from paperdigest.app.running import Running
from paperdigest.app.telling import tell
from paperdigest.config import Settings
from paperdigest.errors import PaperDigestError
from paperdigest.metrics import Figures, SourceFigure
from paperdigest.store import Store
from paperdigest.store.alarms import Alarms
from paperdigest.store.ledger import Ledger
from paperdigest.store.operating import Operating
from paperdigest.store.pauses import MAIL, Pauses
from paperdigest.store.runs import FETCH, SEND

__all__ = ["Watch"]

_LOG = logging.getLogger(__name__)


class Watch:
    """Watches an open application. ``logged``: what the process has said before (see `tell`)."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Callable[[], datetime],
        running: Running,
        logged: dict[str, str] | None = None,
    ) -> None:
        self._settings, self._store, self._clock, self._running = settings, store, clock, running
        self._logged = {} if logged is None else logged
        self._alarms = Alarms(store.database)

    def look(self, *, defect: str | None = None) -> Figures | None:
        """Look for troubles and tell of them; write the figures and return them, where the settings want them.

        What goes wrong is logged.

        Args:
            defect: that a defect of our own stopped the last run, in words.
        """
        try:
            self._look_for_troubles(defect)
            wanted = self._settings.metrics
            if not wanted.file and not wanted.port:
                return None
            figures = self.figures()
            if wanted.file:
                metrics.write(self._settings.file(wanted.file, ""), figures)
        except (PaperDigestError, OSError) as error:
            _LOG.error("could not look for troubles: %s", error)
            return None
        return figures

    def _look_for_troubles(self, defect: str | None) -> None:
        now = self._clock()
        bounces_of(self._settings, self._store).tidy(now)
        found = troubles(self._settings, self._store, self._running, now)
        if defect is not None:
            found[DEFECT] = defect
        self._alarms.reconcile(found, now=now, knows=knows)
        if claimed := self._alarms.claim_untold(now):
            is_told = tell(self._settings, claimed, now, is_mail_broken=MAIL in found, logged=self._logged)
            self._alarms.was_told(claimed, now, is_told=is_told)

    def figures(self) -> Figures:
        """Return the figures of this moment.

        Raises:
            StoreError: the database cannot be asked.
        """
        now, operating = self._clock(), Operating(self._store.database)
        last = {kind: run for kind in (FETCH, SEND) if (run := self._running.last(kind)) is not None}
        return Figures(
            version=__version__,
            at=now,
            sources=tuple(
                SourceFigure(source=one.source, state=one.state, listings=one.listings, read_at=one.retrieved_at)
                for one in operating.sources()
            ),
            papers=operating.entries(),
            deliveries=Ledger(self._store.database).counts(),
            queued=operating.queued(now),
            bounces=operating.bounces(),
            is_breaker_open=any(pause.name == MAIL for pause in Pauses(self._store.database).open(now)),
            runs={
                kind: (run.finished_at, (run.finished_at - run.started_at).total_seconds(), run.is_whole)
                for kind, run in last.items()
                if run.finished_at is not None
            },
            alarms=tuple(one.name for one in self._alarms.standing()),
        )
