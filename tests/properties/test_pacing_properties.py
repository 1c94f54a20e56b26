"""However mail comes, no pace is exceeded; who complains gets less, who does not gets everything."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from paperdigest.pipeline.pacing import BURST_S, FORGIVEN_S, HEARD_S, MOST_DOMAINS, SLOWEST, Bucket, Pace


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(st.floats(0.5, 50), st.lists(st.floats(0, 3), max_size=60))
def test_a_bucket_gives_no_more_than_its_rate_and_one_burst(rate: float, gaps: list[float]) -> None:
    bucket, now, taken = Bucket(rate, 0.0), 0.0, 0
    for gap in gaps:
        now += gap
        while not bucket.wait(now):
            bucket.take(now)
            taken += 1
        assert taken <= rate * now + max(1.0, rate * BURST_S) + 1e-6


@given(st.floats(0.5, 50))
def test_who_waits_as_long_as_told_may_go(rate: float) -> None:
    bucket, now = Bucket(rate, 0.0), 0.0
    for _ in range(100):
        now += bucket.wait(now) + 1e-9
        assert bucket.wait(now) <= 1e-6
        bucket.take(now)
    assert now <= 100 / rate + 1e-6


def test_without_a_limit_nobody_waits() -> None:
    pace = Pace(0, 0, Clock())
    for _ in range(1000):
        assert pace.wait("example.org") == 0
        pace.take("example.org")


def test_a_limit_for_one_domain_holds_up_no_other() -> None:
    pace = Pace(0, 1, Clock())
    pace.take("slow.example")
    assert 0 < pace.wait("slow.example") <= 1
    assert pace.wait("other.example") == 0


def test_a_limit_for_all_holds_up_everybody() -> None:
    pace = Pace(1, 0, Clock())
    pace.take("a.example")
    assert 0 < pace.wait("b.example") <= 1


def rate_of(pace: Pace, clock: Clock, domain: str, seconds: float) -> float:
    """Send as fast as it may go, all of it taken, and return how many a second that was."""
    sent, end = 0, clock.now + seconds
    while clock.now < end:
        if wait := pace.wait(domain):
            clock.now += wait
            continue
        pace.take(domain)
        pace.accepted(domain)
        sent += 1
        clock.now += 0.01
    return sent / seconds


def test_a_complaint_halves_the_pace_and_patience_brings_it_back() -> None:
    clock = Clock()
    pace = Pace(0, 0, clock)
    assert rate_of(pace, clock, "big.example", 10) > 90
    pace.throttled("big.example")
    assert pace.wait("other.example") == 0
    first = rate_of(pace, clock, "big.example", 2)
    assert first < 65
    for _ in range(5):
        pace.throttled("big.example")
        clock.now += HEARD_S
    slow = rate_of(pace, clock, "big.example", 60)
    later = rate_of(pace, clock, "big.example", 60)
    assert SLOWEST <= slow < later < first
    clock.now += FORGIVEN_S
    rate_of(pace, clock, "big.example", 3)
    assert pace.wait("big.example") == 0


@given(st.integers(1, 40))
def test_however_often_they_complain_one_mail_a_minute_still_goes(complaints: int) -> None:
    clock = Clock()
    pace = Pace(0, 0, clock)
    pace.take("x.example")
    for _ in range(complaints):
        pace.throttled("x.example")
        clock.now += HEARD_S
    assert pace.wait("x.example") <= 1 / SLOWEST + 1e-6


def test_a_complaint_about_everything_slows_everything() -> None:
    clock = Clock()
    pace = Pace(0, 0, clock)
    assert rate_of(pace, clock, "a.example", 10) > 90
    pace.throttled(None)
    assert rate_of(pace, clock, "b.example", 2) < 65


def test_complaints_about_mails_that_were_on_their_way_together_are_one() -> None:
    clock = Clock()
    pace = Pace(0, 0, clock)
    rate_of(pace, clock, "big.example", 10)
    for _ in range(64):
        pace.throttled("big.example")
    assert pace.rate("big.example") > 40


def test_a_limit_that_was_never_reached_is_not_what_is_halved() -> None:
    clock = Clock()
    pace = Pace(0, 1000, clock)
    for _ in range(10):
        pace.take("slow.example")
        clock.now += 1
    pace.throttled("slow.example")
    assert pace.rate("slow.example") <= 0.5


@settings(deadline=None, max_examples=25)
@given(st.floats(0.3, 40), st.sampled_from([0.0, 500.0]))
def test_with_a_server_that_takes_so_many_a_second_the_pace_settles_below(limit: float, most: float) -> None:
    clock = Clock()
    pace, server = Pace(0, most, clock), Bucket(limit, clock.now)
    taken = refused = 0
    end, begun = clock.now + 1800, clock.now + 300
    while clock.now < end:
        if wait := pace.wait("big.example"):
            clock.now += wait
            continue
        pace.take("big.example")
        is_late = clock.now > begun
        if server.wait(clock.now):
            pace.throttled("big.example")
            refused += is_late
        else:
            server.take(clock.now)
            pace.accepted("big.example")
            taken += is_late
        clock.now += 0.002
    assert taken / (end - begun) >= 0.5 * limit
    assert refused <= 0.15 * taken


def test_domains_without_number_are_forgotten_when_idle_and_not_when_slow() -> None:
    clock = Clock()
    pace = Pace(0, 0, clock)
    pace.take("slow.example")
    pace.throttled("slow.example")
    for number in range(5 * MOST_DOMAINS):
        pace.take(f"d{number}.example")
        clock.now += 0.02
    assert len(pace._domains) <= MOST_DOMAINS + 1
    assert pace.rate("slow.example") > 0
