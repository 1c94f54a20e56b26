"""Jobs across hosts: beside each other, in turn within a host, errors as values."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from paperdigest.errors import FetchError, ParseError
from paperdigest.http import HttpClient, Job, batches_by_host, run_by_host
from paperdigest.http.parallel import _Board


def job(name: str, run: Callable[[], int] = lambda: 1, group: str | None = None, at_once: int = 1) -> Job[int]:
    return Job(name=name, run=run, group=group, at_once=at_once)


def note(ran: list[int]) -> int:
    ran.append(1)
    return len(ran)


def done(event: threading.Event) -> int:
    event.set()
    return 1


def test_every_job_has_one_outcome() -> None:
    outcomes = list(run_by_host((job(str(n), lambda n=n: n, group=str(n % 7)) for n in range(100)), workers=8))  # type: ignore[misc]  # a default binds n
    assert sorted((int(outcome.name), outcome.value) for outcome in outcomes) == [(n, n) for n in range(100)]
    assert all(outcome.error is None for outcome in outcomes)


def test_no_jobs_have_no_outcomes() -> None:
    assert list(run_by_host([])) == []


def test_groups_run_beside_each_other() -> None:
    barrier = threading.Barrier(5)
    outcomes = list(run_by_host([job(str(n), lambda: barrier.wait(5), group=str(n)) for n in range(5)], workers=5))
    assert {outcome.value for outcome in outcomes} == {0, 1, 2, 3, 4}


def test_jobs_of_nobody_in_particular_run_beside_each_other() -> None:
    barrier = threading.Barrier(5)
    assert len(list(run_by_host([job(str(n), lambda: barrier.wait(5)) for n in range(5)], workers=5))) == 5


def test_jobs_of_one_group_run_in_turn_and_in_order() -> None:
    lock, order = threading.Lock(), []

    def run(number: int) -> int:
        assert lock.acquire(blocking=False)
        order.append(number)
        lock.release()
        return number

    jobs = [job(str(n), lambda n=n: run(n), group="arxiv.org") for n in range(50)]  # type: ignore[misc]  # a default binds n
    assert all(outcome.error is None for outcome in run_by_host(jobs, workers=8))
    assert order == list(range(50))


def test_a_group_may_run_several_jobs_at_once() -> None:
    barrier = threading.Barrier(3)
    jobs = [job(str(n), lambda: barrier.wait(5), group="example.org", at_once=3) for n in range(6)]
    assert len(list(run_by_host(jobs, workers=8))) == 6


def test_a_slow_group_does_not_hold_up_the_others() -> None:
    others_done = threading.Event()
    slow = [job(f"slow{n}", lambda: int(others_done.wait(5)), group="slow") for n in range(3)]
    names = []
    for outcome in run_by_host([*slow, *(job(str(n), group=str(n)) for n in range(20))], workers=2):
        names.append(outcome.name)
        if len(names) == 20:
            others_done.set()
    assert sorted(names[20:]) == ["slow0", "slow1", "slow2"]


def test_what_is_done_with_an_outcome_holds_up_no_job() -> None:
    second_done = threading.Event()
    jobs = [job("1", group="g"), job("2", lambda: done(second_done), group="g")]
    outcomes = run_by_host(jobs, workers=1)
    next(outcomes)
    assert second_done.wait(5)
    assert len(list(outcomes)) == 1


@pytest.mark.parametrize("error", [FetchError("https://a.test/", "down"), ParseError("body", "not a feed")])
def test_a_source_error_is_a_value(error: FetchError | ParseError) -> None:
    def fail() -> int:
        raise error

    outcomes = {outcome.name: outcome for outcome in run_by_host([job("bad", fail), job("good")])}
    assert outcomes["bad"].error is error
    assert outcomes["good"].value == 1


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Happens when no further job is to start."""
    event, stop = threading.Event(), _Board.stop

    def stop_and_tell(board: _Board[int]) -> None:
        stop(board)
        event.set()

    monkeypatch.setattr(_Board, "stop", stop_and_tell)
    return event


def test_any_other_exception_stops_the_other_threads_too(stopped: threading.Event) -> None:
    def fail() -> int:
        raise ZeroDivisionError

    ran: list[int] = []
    others = [
        job("0", lambda: int(stopped.wait(5)), group="g"),
        *(job(str(n), lambda: note(ran), group="g") for n in range(9)),
    ]
    with pytest.raises(ZeroDivisionError):
        list(run_by_host([job("bad", fail), *others], workers=2))
    assert ran == []


def test_any_other_exception_stops_the_run_and_is_raised_here() -> None:
    def fail() -> int:
        raise ZeroDivisionError

    ran: list[int] = []
    later = [job(str(n), lambda: note(ran), group="g") for n in range(100)]
    with pytest.raises(ZeroDivisionError):
        list(run_by_host([job("bad", fail, group="g"), *later], workers=1))
    assert ran == []


def test_whoever_stops_listening_stops_the_jobs(stopped: threading.Event) -> None:
    ran: list[int] = []
    jobs = [job("0", group="g"), job("1", lambda: int(stopped.wait(5)), group="g")]
    jobs += [job(str(n), lambda: note(ran), group="g") for n in range(2, 50)]
    outcomes = run_by_host(jobs, workers=2)
    next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]  # it is a generator
    assert ran == []


def test_a_client_knows_the_group_of_a_job() -> None:
    client = HttpClient(contact=None, clock=lambda: datetime(2026, 4, 15, tzinfo=UTC))
    arxiv = client.job("a", "https://rss.arxiv.org/atom/cs", lambda: 1)
    other = client.view(per_host=16).job("b", "http://127.0.0.1:8000/", lambda: 1)
    assert (arxiv.group, arxiv.at_once) == ("arxiv.org", 1)
    assert (other.group, other.at_once) == ("127.0.0.1:8000", 16)


def test_what_came_while_the_caller_was_busy_comes_at_once() -> None:
    ran: list[int] = []
    all_done = threading.Event()

    def last() -> int:
        all_done.set()
        return 9

    jobs = [job("first", group="g"), *(job(str(n), lambda: note(ran), group="g") for n in range(8))]
    batches = batches_by_host([*jobs, job("last", last, group="g")], workers=1)
    first = next(batches)
    assert all_done.wait(5)
    rest = list(batches)
    names = [outcome.name for batch in (first, *rest) for outcome in batch]
    assert names == ["first", *map(str, range(8)), "last"]
    assert len(rest) <= 2


def test_a_batch_has_an_end() -> None:
    batches = batches_by_host([job(str(n)) for n in range(200)], workers=4)
    assert max(len(batch) for batch in batches) <= 64
