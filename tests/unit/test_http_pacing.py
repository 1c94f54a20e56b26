"""Politeness: turns, intervals, windows, and pauses that outlive the client."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import pytest

from paperdigest.errors import FetchError
from paperdigest.http.pacing import DEFAULT_RULES, HostRule, Pacer
from paperdigest.testing.manual_time import ManualTime

API = "https://huggingface.co/api/daily_papers?date=2026-04-15"
PAGE = "https://huggingface.co/papers"
ARXIV = ("https://export.arxiv.org/api/query", "https://rss.arxiv.org/atom/cs", "https://arxiv.org/list/cs.SE/new")


@pytest.fixture
def world() -> ManualTime:
    return ManualTime()


@pytest.fixture
def pacer(world: ManualTime) -> Pacer:
    return make(world)


def make(world: ManualTime, **more: object) -> Pacer:
    options: dict[str, object] = {"rules": DEFAULT_RULES, "waits": {}, "monotonic": world.monotonic, **more}
    return Pacer(clock=world.clock, sleep=world.sleep, **options)  # type: ignore[arg-type]  # options vary by test


def ask(pacer: Pacer, url: str) -> float:
    with pacer.slot(url, asked=url, limit=2) as slept:
        return slept


@pytest.mark.parametrize(
    ("url", "group"),
    [
        *((url, "arxiv.org") for url in ARXIV),
        ("https://ARXIV.org./abs/1", "arxiv.org"),
        ("http://rss.arxiv.org:8080/", "arxiv.org"),
        ("https://notarxiv.org/", "notarxiv.org"),
        ("https://arxiv.org.example/", "arxiv.org.example"),
        (API, "huggingface.co"),
        ("http://127.0.0.1:8001/a", "127.0.0.1:8001"),
        ("http://Example.ORG/a", "example.org"),
    ],
)
def test_hosts_are_grouped_by_who_runs_them(pacer: Pacer, url: str, group: str) -> None:
    assert pacer.group(url) == group


def test_all_arxiv_hosts_together_are_asked_every_three_seconds(pacer: Pacer, world: ManualTime) -> None:
    starts = []
    for url in ARXIV * 2:
        with pacer.slot(url, asked=url, limit=2):
            starts.append(world.monotonic())
            world.advance(1)
    assert starts == [0, 3, 6, 9, 12, 15]
    assert world.slept == [2] * 5


def test_a_slow_reply_needs_no_further_pause(pacer: Pacer, world: ManualTime) -> None:
    with pacer.slot(ARXIV[0], asked="", limit=2):
        world.advance(10)
    assert ask(pacer, ARXIV[1]) == 0
    assert world.slept == []


def test_other_hosts_are_asked_without_a_pause(pacer: Pacer, world: ManualTime) -> None:
    assert [ask(pacer, "https://example.org/") for _ in range(3)] == [0, 0, 0]
    assert world.slept == []


def most_at_once(pacer: Pacer, urls: tuple[str, ...], limit: int) -> int:
    """Ask from many threads; every holder waits until as many others hold as ever will."""
    lock, active, most = threading.Lock(), 0, 0
    full = threading.Event()
    expected = min(limit, len(urls))

    def hold(url: str) -> None:
        nonlocal active, most
        with pacer.slot(url, asked=url, limit=limit):
            with lock:
                active += 1
                most = max(most, active)
                if active == expected:
                    full.set()
            assert full.wait(5)
            with lock:
                active -= 1

    with ThreadPoolExecutor(len(urls)) as pool:
        for future in [pool.submit(hold, url) for url in urls]:
            future.result()
    return most


def test_arxiv_gets_one_connection_over_all_its_hosts(pacer: Pacer) -> None:
    with ExitStack() as stack:
        stack.enter_context(pacer.slot(ARXIV[0], asked="", limit=9))
        blocked = threading.Thread(target=ask, args=(pacer, ARXIV[1]))
        blocked.start()
        blocked.join(0.05)
        assert blocked.is_alive()
    blocked.join(5)
    assert not blocked.is_alive()


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_any_other_host_gets_as_many_as_the_client_allows(pacer: Pacer, limit: int) -> None:
    assert most_at_once(pacer, ("https://example.org/a",) * 8, limit) == limit


def test_all_waiting_for_a_turn_is_told_so_that_it_is_not_the_servers(world: ManualTime) -> None:
    entered = threading.Event()
    waited: list[float] = []

    def monotonic() -> float:
        seconds = world.monotonic()
        if threading.current_thread() is blocked:
            entered.set()
        return seconds

    pacer = make(world, monotonic=monotonic)
    blocked = threading.Thread(target=lambda: waited.append(ask(pacer, ARXIV[0])))
    with pacer.slot(ARXIV[0], asked="", limit=1):
        blocked.start()
        assert entered.wait(5)
        world.advance(100)
    blocked.join(5)
    assert waited == [100]


def test_a_turn_is_given_back_after_an_error(pacer: Pacer) -> None:
    for _ in range(3):
        with pytest.raises(KeyError), pacer.slot(ARXIV[0], asked="", limit=1):
            raise KeyError
    assert ask(pacer, ARXIV[0]) == 3


# --- windows


@pytest.mark.parametrize(("url", "allowed", "other"), [(API, 500, PAGE), (PAGE, 100, API)])
def test_a_used_up_window_refuses_until_its_first_request_is_five_minutes_old(
    pacer: Pacer, world: ManualTime, url: str, allowed: int, other: str
) -> None:
    ask(pacer, url)
    world.advance(100)
    for _ in range(allowed - 1):
        ask(pacer, url)
    with pytest.raises(FetchError, match=f"the {allowed} requests that huggingface.co allows in 5 minutes") as caught:
        ask(pacer, url)
    assert caught.value.next_attempt_at == world.clock() + timedelta(seconds=200)
    assert not caught.value.permanent
    assert world.slept == []
    ask(pacer, other)
    world.advance(200)
    ask(pacer, url)
    with pytest.raises(FetchError) as caught:
        ask(pacer, url)
    assert caught.value.next_attempt_at == world.clock() + timedelta(seconds=100)


def test_a_used_up_window_is_known_to_the_next_run(pacer: Pacer, world: ManualTime) -> None:
    for _ in range(100):
        ask(pacer, PAGE)
    with pytest.raises(FetchError):
        ask(pacer, PAGE)
    assert pacer.waits == {"huggingface.co:pages": world.clock() + timedelta(seconds=300)}
    with pytest.raises(FetchError, match="asked for a pause"):
        ask(make(world, waits=pacer.waits), PAGE)


# --- waits


def test_a_group_that_wants_a_pause_is_refused_at_once_also_by_the_next_run(pacer: Pacer, world: ManualTime) -> None:
    until = world.clock() + timedelta(hours=1)
    pacer.put_off(ARXIV[0], until)
    for later in (pacer, make(world, waits=pacer.waits)):
        with pytest.raises(FetchError, match=r"arxiv\.org asked for a pause.*07:00:00Z") as caught:
            ask(later, ARXIV[1])
        assert (caught.value.next_attempt_at, caught.value.url) == (until, ARXIV[1])
        ask(later, API)
    assert world.slept == []
    world.advance(3600)
    assert ask(pacer, ARXIV[1]) == 0
    assert pacer.waits == {}


def test_of_two_pauses_the_later_one_holds(pacer: Pacer, world: ManualTime) -> None:
    until = world.clock() + timedelta(hours=1)
    pacer.put_off(ARXIV[0], until)
    pacer.put_off(ARXIV[1], until - timedelta(minutes=30))
    assert pacer.waits == {"arxiv.org": until}


def test_a_stored_pause_is_no_longer_than_a_week(world: ManualTime) -> None:
    pacer = make(world, waits={"arxiv.org": world.clock() + timedelta(days=365)})
    assert pacer.waits == {"arxiv.org": world.clock() + timedelta(days=7)}


def test_the_one_who_waits_for_a_turn_hears_of_a_pause_before_asking(world: ManualTime) -> None:
    pacer = make(world, rules=(HostRule(domain="slow.test", connections=1, interval_s=60),))
    url = "https://slow.test/"
    outcome: list[object] = []

    def second() -> None:
        try:
            outcome.append(ask(pacer, url))
        except FetchError as error:
            outcome.append(error)

    with pacer.slot(url, asked=url, limit=1):
        waiting = threading.Thread(target=second)
        waiting.start()
        pacer.put_off(url, world.clock() + timedelta(minutes=5))
    waiting.join(5)
    assert isinstance(outcome[0], FetchError)
    assert world.slept == []


@pytest.fixture(autouse=True)
def _no_thread_is_left_over() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() <= before
