"""Runs in a real database: one fetch for any number of daemons, and what tells that one did not finish."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paperdigest.app.running import Interrupted, Running, give_up_runs, owner
from paperdigest.config import Settings
from paperdigest.errors import StoreError
from paperdigest.store import Store
from paperdigest.store.runs import FETCH, KEPT, RETRY_AFTER, SEND, Runs

NOON = datetime(2026, 4, 15, 12, 0, tzinfo=UTC)
DUE = {"hf": datetime(2026, 4, 15, 11, 0, tzinfo=UTC), "arxiv": datetime(2026, 4, 15, 5, 0, tzinfo=UTC)}
MINUTE = timedelta(minutes=1)


def living(_owner: str) -> bool:
    return False


def dead(_owner: str) -> bool:
    return True


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "p.db", create=True)
    yield store
    store.close()


@pytest.fixture
def runs(store: Store) -> Runs:
    return Runs(store.database)


def test_of_many_who_ask_at_once_one_fetches(tmp_path: Path, store: Store) -> None:
    together = threading.Barrier(6)
    begun = []

    def ask(number: int) -> None:
        mine = Store.open(store.path)
        together.wait()
        begun.append(Runs(mine.database).begin_fetch(DUE, owner=f"here:{number}:x", now=NOON, is_dead=living))
        mine.close()

    asking = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert len(begun) == 6
    assert [run.detail["sources"] for run in begun if run is not None] == [["hf", "arxiv"]]


def test_what_was_fetched_since_it_was_due_is_left_out(runs: Runs) -> None:
    early = runs.begin(FETCH, owner="cron", now=NOON - 3 * timedelta(hours=1), detail={"sources": ["hf", "arxiv"]})
    runs.finish(early, now=NOON - 2 * timedelta(hours=1), detail={})
    begun = runs.begin_fetch(DUE, owner="me", now=NOON, is_dead=living)
    assert begun is not None
    assert begun.detail["sources"] == ["hf"]


def test_three_days_of_downtime_are_one_fetch(runs: Runs) -> None:
    before = runs.begin_fetch(DUE, owner="me", now=NOON, is_dead=living)
    assert before is not None
    runs.finish(before, now=NOON, detail={})
    later = NOON + timedelta(days=3)
    due = {name: since + timedelta(days=3) for name, since in DUE.items()}
    catch_up = runs.begin_fetch(due, owner="me", now=later, is_dead=living)
    assert catch_up is not None
    runs.finish(catch_up, now=later, detail={})
    assert runs.begin_fetch(due, owner="me", now=later + MINUTE, is_dead=living) is None


def test_a_fetch_that_died_is_done_again_but_not_at_once(runs: Runs) -> None:
    assert runs.begin_fetch(DUE, owner="me", now=NOON, is_dead=living) is not None
    assert runs.begin_fetch(DUE, owner="you", now=NOON + MINUTE, is_dead=dead) is None
    assert runs.begin_fetch(DUE, owner="you", now=NOON + RETRY_AFTER, is_dead=living) is None, "it may be at it yet"
    assert runs.begin_fetch(DUE, owner="you", now=NOON + RETRY_AFTER, is_dead=dead) is not None


def test_a_fetch_that_was_stopped_by_wish_goes_on_at_once(runs: Runs) -> None:
    run = runs.begin_fetch(DUE, owner="me", now=NOON, is_dead=living)
    assert run is not None
    runs.finish(run, now=NOON, detail={"stopped": "SIGTERM"})
    assert runs.begin_fetch(DUE, owner="me", now=NOON + MINUTE, is_dead=living) is not None


def test_a_fetch_of_a_clock_that_was_a_day_ahead_counts_for_nothing(runs: Runs) -> None:
    ahead = runs.begin_fetch(DUE, owner="me", now=NOON + timedelta(days=1), is_dead=living)
    assert ahead is not None
    runs.finish(ahead, now=NOON + timedelta(days=1), detail={})
    assert runs.begin_fetch(DUE, owner="me", now=NOON, is_dead=living) is not None


def test_old_runs_are_forgotten(runs: Runs) -> None:
    old = runs.begin(SEND, owner="me", now=NOON - KEPT - MINUTE)
    runs.finish(old, now=NOON - KEPT, detail={})
    assert runs.begin_fetch(DUE, owner="me", now=NOON, is_dead=living) is not None
    assert runs.latest(SEND) == ()


def running(store: Store, now: datetime) -> Running:
    return Running(Settings(), store, lambda: now)


def test_a_run_is_seen_while_it_lasts_and_keeps_its_report(store: Store, runs: Runs) -> None:
    with running(store, NOON).recorded(SEND) as detail:
        assert runs.latest(SEND)[0].finished_at is None
        detail["sent"] = 3
    (run,) = runs.latest(SEND)
    assert run.is_whole
    assert run.detail == {"sent": 3}
    assert run.owner == owner()


def test_what_breaks_a_run_off_is_kept_without_the_address_in_it(store: Store, runs: Runs) -> None:
    def refuse() -> None:
        with running(store, NOON).recorded(SEND):
            raise StoreError("no row for jane@example.org")

    with pytest.raises(StoreError):
        refuse()
    (run,) = runs.latest(SEND)
    assert not run.is_whole
    assert run.detail == {"error": "no row for <address>"}
    assert "broken off" in (running(store, NOON).broken_off(SEND, NOON) or "")


@pytest.mark.parametrize("reason", [Interrupted, KeyboardInterrupt])
def test_a_wish_to_stop_is_no_trouble(store: Store, runs: Runs, reason: type[BaseException]) -> None:
    def stop() -> None:
        with running(store, NOON).recorded(FETCH):
            raise reason

    with pytest.raises(reason):
        stop()
    assert runs.latest(FETCH)[0].detail == {"stopped": reason.__name__}
    assert running(store, NOON).broken_off(FETCH, NOON) is None


def test_a_run_whose_process_is_gone_did_not_finish_until_another_one_does(store: Store, runs: Runs) -> None:
    here = owner().rsplit(":", 1)[0]
    runs.begin(SEND, owner=f"{here}:another life", now=NOON)
    assert "2026-04-15 12:00Z did not finish" in (running(store, NOON).broken_off(SEND, NOON) or "")
    with running(store, NOON + MINUTE).recorded(SEND):
        pass
    assert running(store, NOON).broken_off(SEND, NOON + MINUTE) is None


def test_a_run_of_another_machine_is_given_an_hour_and_ours_half_a_day(store: Store, runs: Runs) -> None:
    runs.begin(SEND, owner="elsewhere:17:x", now=NOON)
    runs.begin(FETCH, owner=owner(), now=NOON)
    found = [
        [running(store, NOON).broken_off(kind, NOON + timedelta(minutes=minutes)) is not None for kind in (SEND, FETCH)]
        for minutes in (59, 61, 12 * 60 + 1)
    ]
    assert found == [[False, False], [True, False], [True, True]]


def test_runs_that_are_left_at_the_end_are_left_by_wish(tmp_path: Path, store: Store, runs: Runs) -> None:
    runs.begin(SEND, owner=owner(), now=NOON)
    runs.begin(SEND, owner="elsewhere:17:x", now=NOON)
    give_up_runs(Settings.model_validate({"store": {"url": str(store.path)}}), NOON + MINUTE)
    assert [run.detail.get("stopped") for run in runs.latest(SEND, limit=9)] == [None, "left unfinished"]
