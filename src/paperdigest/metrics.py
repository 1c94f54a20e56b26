"""Figures for Prometheus: as a page on the loopback interface, or as a file for the node exporter's collector.

All of them come from the database, so that it does not matter which process did the work, or whether it lives.
Moments are given as such (``…_timestamp_seconds``): an age would stand still when nobody writes it any more.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from paperdigest.errors import UsageError

__all__ = ["Figures", "Page", "SourceFigure", "write"]

Labels = TypeVar("Labels", bound=tuple[str, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFigure:
    """The listings of one source in one state, and when the last of them was read."""

    source: str
    state: str
    listings: int
    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is shown. ``runs``: by kind, when the last one ended, how many seconds it took, whether it was whole."""

    version: str
    at: datetime
    sources: Sequence[SourceFigure] = ()
    papers: Mapping[str, int] = field(default_factory=dict)
    deliveries: Mapping[str, int] = field(default_factory=dict)
    queued: int = 0
    bounces: Mapping[str, int] = field(default_factory=dict)
    is_breaker_open: bool = False
    runs: Mapping[str, tuple[datetime, float, bool]] = field(default_factory=dict)
    alarms: Sequence[str] = ()


class _Collected(Collector):
    """Shows the figures it was given last."""

    def __init__(self) -> None:
        self.figures: Figures | None = None

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics; none before there are figures."""
        if self.figures is not None:
            yield from _metrics(self.figures)


class Page:
    """The page of a process that runs on, at ``http://127.0.0.1:PORT/metrics``; shows what it was given last."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._collected = _Collected()

    def show(self, figures: Figures) -> None:
        """Show these from now on."""
        self._collected.figures = figures

    @contextmanager
    def served(self) -> Iterator[int]:
        """Serve the page in a thread of its own, and yield its port.

        Raises:
            UsageError: the port is taken.
        """
        registry = CollectorRegistry()
        registry.register(self._collected)
        try:
            server, thread = start_http_server(self._port, addr="127.0.0.1", registry=registry)
        except OSError as error:
            problem = f"port {self._port} of 127.0.0.1 cannot be served: {error.strerror}"
            raise UsageError(problem, "Set metrics.port to another one, or to 0") from error
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()
            _wait_for(thread)


def _wait_for(thread: threading.Thread) -> None:
    thread.join(5)


def write(path: Path, figures: Figures) -> None:
    """Write the figures to a file, whole or not at all: the collector may read it at any moment.

    Raises:
        UsageError: it cannot be written.
    """
    registry = CollectorRegistry()
    collected = _Collected()
    collected.figures = figures
    registry.register(collected)
    content = generate_latest(registry)
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            temporary = Path(folder) / path.name
            temporary.write_bytes(content)
            temporary.chmod(0o644)  # the exporter is somebody else
            temporary.replace(path)
    except OSError as error:
        problem = f"the figures cannot be written to {path}: {error.strerror}"
        raise UsageError(problem, "Correct metrics.file") from error


def _metrics(figures: Figures) -> Iterator[Metric]:
    yield _gauge("build_info", "The version that counted.", {(figures.version,): 1.0}, "version")
    yield _gauge("figures_timestamp_seconds", "When these figures were taken.", {(): figures.at.timestamp()})
    yield _gauge(
        "listings",
        "Stored listings by source and state.",
        {(one.source, one.state): one.listings for one in figures.sources},
        "source",
        "state",
    )
    read = {(one.source, one.state): one.read_at.timestamp() for one in figures.sources}
    help_ = "When a listing of that state was last read from a source."
    yield _gauge("listing_timestamp_seconds", help_, read, "source", "state")
    entries = {(source,): count for source, count in figures.papers.items()}
    yield _counter("papers_fetched", "Papers in the listings of a source.", entries, "source")
    states = {(state,): count for state, count in figures.deliveries.items()}
    yield _gauge("deliveries", "Deliveries by state; in_doubt may or may not have arrived.", states, "state")
    yield _gauge("queue_depth", "Deliveries that wait to be tried now.", {(): figures.queued})
    kinds = {(kind,): count for kind, count in figures.bounces.items()}
    yield _counter("bounces", "What came back, by kind.", kinds, "kind")
    yield _gauge("breaker_open", "1 while no mail is tried because mail was refused.", {(): figures.is_breaker_open})
    ended = {(kind,): at.timestamp() for kind, (at, _, _) in figures.runs.items()}
    yield _gauge("run_timestamp_seconds", "When the last run of a kind ended.", ended, "kind")
    yield _gauge("run_seconds", "How long it took.", {(k,): s for k, (_, s, _) in figures.runs.items()}, "kind")
    whole = {(kind,): good for kind, (_, _, good) in figures.runs.items()}
    yield _gauge("run_success", "1 when it came to its own end.", whole, "kind")
    alarms = {(name,): 1 for name in figures.alarms}
    yield _gauge("alarm", "1 for each trouble that the operator must know of.", alarms, "name")


def _gauge(name: str, help_: str, values: Mapping[Labels, float], *labels: str) -> Metric:
    family = GaugeMetricFamily(f"paperdigest_{name}", help_, labels=labels)
    for key, value in values.items():
        family.add_metric(key, float(value))
    return family


def _counter(name: str, help_: str, values: Mapping[Labels, float], *labels: str) -> Metric:
    family = CounterMetricFamily(f"paperdigest_{name}", help_, labels=labels)
    for key, value in values.items():
        family.add_metric(key, float(value))
    return family
