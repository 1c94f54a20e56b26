"""The beat itself: APScheduler calls functions every so many seconds, each in a thread of its own.

Nothing else is asked of it. What is due is decided by the database and in UTC, because a calendar in a scheduler fires
twice, or never, on the days when clocks change, and two schedulers fire everything twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

__all__ = ["Beating"]

_LOG = logging.getLogger(__name__)


class Beating:
    """Calls functions at once, and then at every beat, unless the call before is still at it.

    Args:
        calls: by name.
        on_defect: told of every exception that one of them lets out; called in its thread.
    """

    def __init__(self, calls: Mapping[str, Callable[[], object]], on_defect: Callable[[BaseException], None]) -> None:
        self._calls, self._on_defect = calls, on_defect
        self._scheduler = BackgroundScheduler(
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(max(1, len(calls)))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )
        self._scheduler.add_listener(self._failed, EVENT_JOB_ERROR)

    def start(self, seconds: float) -> None:
        """Begin to beat."""
        for name, call in self._calls.items():
            now = datetime.now(UTC)
            self._scheduler.add_job(call, _every(seconds), id=name, next_run_time=now)
        self._scheduler.start()

    def at_once(self, seconds: float) -> None:
        """Beat at once, and every so many seconds from now on: the settings, or the clock, have changed."""
        for name in self._calls:
            self._scheduler.reschedule_job(name, trigger=_every(seconds))
            self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))

    def stop(self, *, wait: bool) -> None:
        """Beat no more; with ``wait`` return when the last calls have."""
        self._scheduler.shutdown(wait=wait)

    def _failed(self, event: JobExecutionEvent) -> None:
        error = event.exception
        _LOG.critical("a defect of paperdigest in %r", event.job_id, exc_info=error)
        self._on_defect(error)


def _every(seconds: float) -> IntervalTrigger:
    return IntervalTrigger(seconds=seconds, timezone=UTC)
