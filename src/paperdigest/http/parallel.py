"""Many jobs at once, across hosts: one slow or paced host does not hold up the others."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Generic, TypeVar

from paperdigest.errors import SourceError

__all__ = ["Job", "Outcome", "batches_by_host", "run_by_host"]

MAX_BATCH = 64
"""How many outcomes are handed on at once, at most."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Generic[T]):
    """Something to be run that asks one host ``group``, of whose jobs at most ``at_once`` run together.

    `HttpClient.job` makes the job of one URL; ``group`` is None for a job that asks nobody, or nobody in
    particular.
    """

    name: str
    run: Callable[[], T]
    group: str | None = None
    at_once: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Generic[T]):
    """How a job ended: with a value, or with the SourceError that it raised."""

    name: str
    value: T | None = None
    error: SourceError | None = None


def run_by_host(jobs: Iterable[Job[T]], *, workers: int = 16) -> Iterator[Outcome[T]]:
    """Run jobs in threads, groups beside each other, and yield the outcomes as they come.

    Jobs of one group start in the order given. What is done with an outcome holds up no job. When the
    caller stops early, or a job raises anything but a SourceError, no further job is started; those
    that run are waited for, and the exception is raised here.
    """
    with closing(batches_by_host(jobs, workers=workers)) as batches:
        for batch in batches:
            yield from batch


def batches_by_host(jobs: Iterable[Job[T]], *, workers: int = 16) -> Generator[tuple[Outcome[T], ...]]:
    """Run jobs as `run_by_host` does and yield all the outcomes that have come since, at least one.

    For a caller who is slower than the jobs and for whom many outcomes at once are less work.
    """
    board = _Board(jobs)
    outcomes: SimpleQueue[Outcome[T] | None] = SimpleQueue()

    def work() -> None:
        while (taken := board.take()) is not None:
            group, job = taken
            try:
                outcomes.put(_run(job))
            finally:
                board.give_back(group)

    def ended(worker: Future[None]) -> None:
        if worker.exception() is not None:
            board.stop()
        outcomes.put(None)

    count = max(1, min(workers, board.size))
    with ThreadPoolExecutor(count, thread_name_prefix="fetch") as pool:
        running = [pool.submit(work) for _ in range(count)]
        for worker in running:
            worker.add_done_callback(ended)
        try:
            while count:
                come = [outcomes.get()]
                while len(come) < MAX_BATCH and not outcomes.empty():
                    come.append(outcomes.get())  # nobody else takes any
                count -= come.count(None)
                if batch := tuple(outcome for outcome in come if outcome is not None):
                    yield batch
        finally:
            board.stop()
    for worker in running:
        worker.result()


def _run(job: Job[T]) -> Outcome[T]:
    try:
        return Outcome(name=job.name, value=job.run())
    except SourceError as error:
        return Outcome(name=job.name, error=error)


class _Board(Generic[T]):
    """The jobs that wait, by group, and the groups that may start one now, in turn."""

    def __init__(self, jobs: Iterable[Job[T]]) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[str, deque[Job[T]]] = {}
        for number, job in enumerate(jobs):
            self._waiting.setdefault(self._group(job, number), deque()).append(job)
        self._active = dict.fromkeys(self._waiting, 0)
        self._ready = deque(self._waiting)
        self.size = sum(map(len, self._waiting.values()))
        self._left = self.size

    @staticmethod
    def _group(job: Job[T], number: int) -> str:
        return f"\n{number}" if job.group is None else job.group

    def take(self) -> tuple[str, Job[T]] | None:
        """Wait for a job that may start now, and its group; None when there will be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready or not self._left)
            if not self._left:
                return None
            group = self._ready.popleft()
            job = self._waiting[group].popleft()
            self._left -= 1
            self._active[group] += 1
            self._offer(group)
            if not self._left:
                self._changed.notify_all()
            return group, job

    def give_back(self, group: str) -> None:
        """Let the group start another job."""
        with self._changed:
            self._active[group] -= 1
            self._offer(group)

    def stop(self) -> None:
        """Let no further job start."""
        with self._changed:
            self._left = 0
            self._changed.notify_all()

    def _offer(self, group: str) -> None:
        queue = self._waiting[group]
        if queue and self._active[group] < queue[0].at_once and group not in self._ready:
            self._ready.append(group)
            self._changed.notify()
