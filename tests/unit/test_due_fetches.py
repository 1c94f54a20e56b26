"""When a source is to be fetched."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from paperdigest.app.running import due_since, is_dead, owner

TIMES = ("05:00", "11:00", "23:30")
MOMENTS = st.integers(0, 365 * 86_400).map(lambda s: datetime(2026, 1, 2, tzinfo=UTC) + timedelta(seconds=s))


def test_the_newest_time_of_the_day_counts() -> None:
    assert due_since(TIMES, datetime(2026, 4, 15, 11, 0, tzinfo=UTC)) == datetime(2026, 4, 15, 11, 0, tzinfo=UTC)
    assert due_since(TIMES, datetime(2026, 4, 15, 10, 59, tzinfo=UTC)) == datetime(2026, 4, 15, 5, 0, tzinfo=UTC)


def test_before_the_first_time_of_a_day_it_is_yesterdays_last() -> None:
    assert due_since(TIMES, datetime(2026, 3, 1, 4, 0, tzinfo=UTC)) == datetime(2026, 2, 28, 23, 30, tzinfo=UTC)


def test_without_times_nothing_is_ever_due() -> None:
    assert due_since((), datetime(2026, 4, 15, tzinfo=UTC)) is None


@given(MOMENTS, st.sets(st.times().map(lambda at: f"{at:%H:%M}"), min_size=1))
def test_it_is_past_and_less_than_a_day_ago(now: datetime, times: set[str]) -> None:
    since = due_since(tuple(times), now)
    assert since is not None
    assert now - timedelta(days=1) < since <= now
    assert f"{since:%H:%M}" in times


def test_this_process_is_alive_and_an_earlier_one_of_its_number_is_not() -> None:
    assert not is_dead(owner())
    assert is_dead(f"{socket.gethostname()}:{os.getpid()}:0000")


def test_a_process_that_has_ended_is_dead_and_one_elsewhere_unknown() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert is_dead(f"{socket.gethostname()}:{ended.pid}:0000")
    assert not is_dead(f"{socket.gethostname()}:{os.getppid()}:0000")
    assert not is_dead(f"another.example.org:{ended.pid}:0000")
    assert not is_dead("nonsense")
    assert not is_dead(f"{socket.gethostname()}:{10**12}:0000")
