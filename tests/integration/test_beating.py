"""The heartbeat itself: it goes on whatever its calls do, and whatever the clock does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from paperdigest.config import Settings
from paperdigest.errors import ConfigError
from paperdigest.scheduler import Daemon, Signalled, daemon
from paperdigest.scheduler.beating import Beating
from paperdigest.scheduler.notifying import notify, watchdog_interval

PATIENCE_S = 30.0


def eventually(holds: Callable[[], object]) -> bool:
    until = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def test_a_call_that_fails_is_reported_and_called_again_and_the_others_go_on() -> None:
    defects: list[BaseException] = []
    calls: list[str] = []

    def fail() -> None:
        raise ZeroDivisionError

    beating = Beating({"good": lambda: calls.append("good"), "bad": fail}, defects.append)
    beating.start(0.1)
    assert eventually(lambda: len(defects) >= 2 and len(calls) >= 2)
    beating.stop(wait=True)
    assert {type(one) for one in defects} == {ZeroDivisionError}


def test_a_call_that_lasts_is_not_begun_a_second_time() -> None:
    running, most, go = [0], [0], threading.Event()
    beats: list[int] = []

    def last() -> None:
        running[0] += 1
        most[0] = max(most[0], running[0])
        go.wait(PATIENCE_S)
        running[0] -= 1

    beating = Beating({"long": last, "short": lambda: beats.append(1)}, lambda _defect: None)
    beating.start(0.1)
    assert eventually(lambda: len(beats) >= 3), "what lasts holds up the others"
    go.set()
    beating.stop(wait=True)
    assert most == [1]


class Beats:
    """A daemon in a thread, whose work is to count."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, read: Callable[[], Settings] | None = None) -> None:
        self.sent = self.seen = 0
        self.fails = False
        self.signalled = Signalled()
        monkeypatch.setattr(daemon, "_GLANCE", timedelta(seconds=0.05))
        settings = Settings()
        quick = settings.model_copy(update={"run": settings.run.model_copy(update={"heartbeat_s": 0.1})})
        self.daemon = Daemon(quick, read or (lambda: quick), self.signalled)
        heart = self.daemon._heart
        monkeypatch.setattr(heart, "fetch", lambda: None)
        monkeypatch.setattr(heart, "send", self._send)
        monkeypatch.setattr(heart, "look", self._look)
        self.result: bool | None = None

    def _send(self) -> None:
        self.sent += 1
        if self.fails:
            raise ZeroDivisionError("jane@example.org")

    def _look(self) -> None:
        self.seen += 1

    @contextmanager
    def going(self) -> Iterator[None]:
        def run() -> None:
            self.result = self.daemon.run()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            self.signalled.stop.set()
            self.signalled.woken.set()
            thread.join(PATIENCE_S)


@pytest.mark.parametrize("jump", [timedelta(days=-1), timedelta(days=1)])
def test_a_clock_that_jumps_by_a_day_stops_no_heart(monkeypatch: pytest.MonkeyPatch, jump: timedelta) -> None:
    beats = Beats(monkeypatch)
    with beats.going():
        assert eventually(lambda: beats.sent >= 2)
        with time_machine.travel(datetime.now(UTC) + jump, tick=True):
            before = beats.sent
            assert eventually(lambda: beats.sent >= before + 3)
        before = beats.sent
        assert eventually(lambda: beats.sent >= before + 3)
    assert beats.result is True


def test_after_some_defects_in_a_row_it_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    beats = Beats(monkeypatch)
    beats.fails = True
    with beats.going():
        assert eventually(lambda: beats.result is not None)
    assert beats.result is False
    assert beats.sent == daemon.MAX_DEFECTS


def test_a_defect_between_good_beats_is_outlived_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    beats = Beats(monkeypatch)
    with beats.going():
        for _ in range(daemon.MAX_DEFECTS):
            beats.fails = True
            before = beats.sent
            assert eventually(lambda before=before: beats.sent > before)  # type: ignore[misc]  # mypy gives up on defaults of lambdas
            beats.fails = False
            before = beats.sent
            assert eventually(lambda before=before: beats.sent > before)  # type: ignore[misc]  # as above
    assert beats.result is True
    assert "ZeroDivisionError" in (beats.daemon._heart._defect or "")


def test_settings_are_swapped_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    better = Settings.model_validate({"run": {"heartbeat_s": 7}})
    answers: list[Settings | None] = [None, better]

    def read() -> Settings:
        found = answers.pop(0)
        if found is None:
            raise ConfigError("config.toml", ())
        return found

    beats = Beats(monkeypatch, read)
    before = beats.daemon._heart.settings
    with beats.going():
        for left, wanted in ((1, before), (0, better)):
            beats.signalled.reload.set()
            beats.signalled.woken.set()
            assert eventually(lambda left=left: len(answers) == left)  # type: ignore[misc]  # as above
            assert eventually(lambda wanted=wanted: beats.daemon._heart.settings is wanted)  # type: ignore[misc]  # as above


def test_a_supervisor_that_is_not_there_is_no_trouble() -> None:
    notify("READY=1", environment={"NOTIFY_SOCKET": "/nowhere/at/all"})
    notify("READY=1", environment={})
    assert watchdog_interval({}) is None


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_it_says_that_it_lives_twice_as_often_as_asked(environment: dict[str, str], seconds: float | None) -> None:
    found = watchdog_interval(environment)
    assert (found.total_seconds() if found else None) == seconds
