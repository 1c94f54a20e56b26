"""Retry-After and RateLimit, read as moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdigest.http.waits import LONGEST_WAIT, not_before

NOW = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)


def wait(status: int, **headers: str) -> float | None:
    moment = not_before(status, {name.replace("_", "-"): value for name, value in headers.items()}, NOW)
    return None if moment is None else (moment - NOW).total_seconds()


@pytest.mark.parametrize("status", [429, 503, 500, 403, 301])
@pytest.mark.parametrize(
    "value",
    ["120", " 120 ", "Wed, 15 Apr 2026 06:02:00 GMT", "Wednesday, 15-Apr-26 06:02:00 GMT", "Wed Apr 15 06:02:00 2026"],
)
def test_retry_after_counts_in_all_its_forms_on_every_failure(status: int, value: str) -> None:
    assert wait(status, retry_after=value) == 120


@pytest.mark.parametrize("status", [200, 304])
def test_retry_after_does_not_count_on_a_success(status: int) -> None:
    assert wait(status, retry_after="120") is None


@pytest.mark.parametrize(
    "value", ["", "soon", "-5", "0", "1.5", "Wed, 15 Apr 2026 05:00:00 GMT", "Wed, 99 Foo", "²", "١"]
)
def test_what_cannot_be_read_or_has_passed_asks_for_nothing(value: str) -> None:
    assert wait(503, retry_after=value) is None


@pytest.mark.parametrize("value", ["604801", "9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_nobody_silences_us_for_longer_than_a_week(value: str) -> None:
    assert wait(503, retry_after=value) == LONGEST_WAIT.total_seconds() == timedelta(days=7).total_seconds()


@pytest.mark.parametrize(
    ("status", "value", "seconds"),
    [
        (429, '"api";r=0;t=123', 123),
        (429, '"pages";r=3;t=7', 7),
        (429, '"resolvers"; t=9', 9),
        (200, '"api";r=0;t=123', 123),
        (200, '"api";r=17;t=123', None),
        (200, '"api";r=17;t=123, "pages";r=0;t=5', 5),
        (200, '"api";r=0;t=10, "pages";r=0;t=5', 10),
        (200, '"api";t=5', None),
        (200, '"api";r=0', None),
        (200, '"api";r=0;t=' + "9" * 18, LONGEST_WAIT.total_seconds()),
        (200, "nonsense", None),
    ],
)
def test_a_used_up_window_means_wait_until_it_is_reset(status: int, value: str, seconds: float | None) -> None:
    assert wait(status, ratelimit=value) == seconds


def test_the_later_of_two_moments_holds() -> None:
    assert wait(429, ratelimit='"api";r=0;t=10', retry_after="20") == 20
    assert wait(429, ratelimit='"api";r=0;t=30', retry_after="20") == 30


def test_a_429_that_says_nothing_means_five_minutes_and_a_503_nothing() -> None:
    assert wait(429) == wait(429, retry_after="nonsense") == 300
    assert wait(503) is None


@given(st.integers(100, 599), st.text(max_size=60), st.text(max_size=60))
def test_any_header_gives_a_moment_within_a_week_or_none(status: int, retry_after: str, ratelimit: str) -> None:
    moment = not_before(status, {"retry-after": retry_after, "ratelimit": ratelimit}, NOW)
    assert moment is None or NOW < moment <= NOW + LONGEST_WAIT
