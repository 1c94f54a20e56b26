"""The figures for Prometheus, as a page and as a file."""

from __future__ import annotations

import socket
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from paperdigest import metrics
from paperdigest.errors import UsageError
from paperdigest.metrics import Figures, Page, SourceFigure

NOON = datetime(2026, 4, 15, 12, 0, tzinfo=UTC)
FIGURES = Figures(
    version="1.2.3",
    at=NOON,
    sources=(SourceFigure(source='my "feed"', state="complete", listings=3, read_at=NOON),),
    papers={'my "feed"': 40},
    deliveries={"sent": 5, "in_doubt": 1},
    queued=2,
    bounces={"gone": 4},
    is_breaker_open=True,
    runs={"send": (NOON, 1.5, False)},
    alarms=("source x",),
)


def values(text: str) -> dict[tuple[str, str], float]:
    """Read the figures as Prometheus does: by name and the labels' values."""
    return {
        (sample.name, " ".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_file_holds_what_prometheus_reads(tmp_path: Path) -> None:
    path = tmp_path / "paperdigest.prom"
    metrics.write(path, FIGURES)
    found = values(path.read_text(encoding="utf-8"))
    assert found["paperdigest_deliveries", "in_doubt"] == 1
    assert found["paperdigest_papers_fetched_total", 'my "feed"'] == 40
    assert found["paperdigest_listing_timestamp_seconds", 'my "feed" complete'] == NOON.timestamp()
    assert found["paperdigest_breaker_open", ""] == 1
    assert found["paperdigest_run_success", "send"] == 0
    assert found["paperdigest_run_seconds", "send"] == 1.5
    assert found["paperdigest_alarm", "source x"] == 1
    assert found["paperdigest_queue_depth", ""] == 2


def test_the_file_is_replaced_whole_and_others_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "paperdigest.prom"
    metrics.write(path, FIGURES)
    with path.open(encoding="utf-8") as reader:  # the collector, in the middle of reading
        metrics.write(path, Figures(version="2", at=NOON))
        assert values(reader.read())["paperdigest_build_info", "1.2.3"] == 1
    assert path.stat().st_mode & 0o777 == 0o644
    assert [one.name for one in tmp_path.iterdir()] == ["paperdigest.prom"]


def test_a_file_that_cannot_be_written_is_said_in_words_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"metrics\.file"):
        metrics.write(tmp_path / "missing" / "x.prom", FIGURES)
    (tmp_path / "folder.prom").mkdir()
    with pytest.raises(UsageError, match=r"folder\.prom"):
        metrics.write(tmp_path / "folder.prom", FIGURES)
    assert [one.name for one in tmp_path.iterdir()] == ["folder.prom"]


def test_the_page_shows_what_it_was_given_last_and_only_on_this_machine() -> None:
    page = Page(0)
    with page.served() as port:
        page.show(Figures(version="old", at=NOON))
        page.show(FIGURES)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
            found = values(reply.read().decode())
    assert found["paperdigest_build_info", "1.2.3"] == 1
    assert ("paperdigest_build_info", "old") not in found


def test_a_port_that_is_taken_is_said_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=str(port)), Page(port).served():
            pass
