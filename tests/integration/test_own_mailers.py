"""Delivering by mailers of third parties: whatever they do, no mail is lost, and no other waits for one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from paperdigest.errors import MailError, PluginError, StoreError
from paperdigest.mail.smtp import AsyncSmtpLane, SmtpLane, SmtpMailer
from paperdigest.pipeline import lanes
from paperdigest.pipeline.delivering import deliver
from paperdigest.protocols import BeforeFinal, OutgoingMessage
from paperdigest.types import MailPhase
from paperdigest.waiting import OwnThread
from tests.delivery_desk import Desk, open_desk, people
from tests.own_lane import OwnLane
from tests.written import written


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(tmp_path / "p.db") as opened:
        yield opened


def test_a_mailer_that_gets_no_connection_leaves_no_thread(desk: Desk) -> None:
    class Unable(OwnLane):
        lanes = 2

        def __enter__(self) -> Self:
            raise MailError("no connection", permanent=False, systemic=True, phase=MailPhase.CONNECT)

    desk.plan(*people(2))
    before = set(threading.enumerate())
    with pytest.raises(MailError, match="no connection"):
        deliver(desk.store, Unable(), written(desk.render), clock=lambda: desk.now)
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive(), thread.name


def test_a_mailer_that_does_not_ask_sends_one_mail_and_ends_the_run(desk: Desk) -> None:
    class Rash(OwnLane):
        sent = 0

        def send(self, message: OutgoingMessage, before_final: BeforeFinal) -> str | None:
            self.sent += 1
            return "taken"

    desk.plan(*people(3))
    rash = Rash()
    with pytest.raises(PluginError, match="before_final"):
        deliver(desk.store, rash, written(desk.render), clock=lambda: desk.now)
    assert desk.counts["sent"] == rash.sent


@pytest.mark.parametrize("overrides", ["lane", "async_lane", "both"])
def test_a_mailer_derived_from_ours_is_used_by_what_it_has_of_its_own(desk: Desk, overrides: str) -> None:
    used: list[str] = []

    class Own(SmtpMailer):
        def lane(self) -> SmtpLane:
            used.append("lane")
            return SmtpLane(super().async_lane())

    class OwnAsync(SmtpMailer):
        def async_lane(self) -> AsyncSmtpLane:
            used.append("async_lane")
            return super().async_lane()

    class Both(Own, OwnAsync):
        def async_lane(self) -> AsyncSmtpLane:
            return OwnAsync.async_lane(self)

    desk.plan(*people(2))
    settings = {"host": "127.0.0.1", "port": desk.server.port, "tls": "none", "connections": 1}
    mailer = {"lane": Own, "async_lane": OwnAsync, "both": Both}[overrides](settings)
    assert deliver(desk.store, mailer, written(desk.render), clock=lambda: desk.now).sent == 2
    assert used == ["lane" if overrides == "lane" else "async_lane"]


def test_no_lane_is_opened_while_a_run_ends(desk: Desk) -> None:
    desk.plan(*people(20))
    stop, opened = threading.Event(), list[str]()

    class Counting(OwnLane):
        lanes = 4

        def __enter__(self) -> Self:
            opened.append("in")
            return self

        def __exit__(self, *exc: object) -> None:
            opened.append("out")

        def send(self, message: OutgoingMessage, before_final: BeforeFinal) -> str | None:
            stop.set()
            time.sleep(0.05)
            return "taken" if before_final() else None

    assert deliver(desk.store, Counting(), written(desk.render), clock=lambda: desk.now, stop=stop).sent
    assert opened.count("in") == opened.count("out")


def test_a_message_on_which_a_plug_in_fails_holds_up_no_other(desk: Desk) -> None:
    desk.plan(*people(12))
    lanes_made: list[int] = []

    class Choking(OwnLane):
        def __enter__(self) -> Self:
            lanes_made.append(1)
            return self

        def send(self, message: OutgoingMessage, before_final: BeforeFinal) -> str | None:
            if message.recipient.startswith("reader0"):
                raise ValueError(message.recipient)
            is_wanted = before_final()
            if message.recipient.startswith("reader1@"):
                raise ValueError(message.recipient)
            return "taken" if is_wanted else None

    report = deliver(desk.store, Choking(), written(desk.render), clock=lambda: desk.now)
    assert desk.counts == {"sent": 10, "deferred": 1, "in_doubt": 1}
    assert len(lanes_made) == 3
    assert "delivery 1 deferred: the mailer failed: ValueError; see the log" in report.problems


@pytest.mark.parametrize("is_doubtful", [False, True])
def test_a_mailer_that_always_fails_ends_the_run(desk: Desk, is_doubtful: bool) -> None:
    desk.plan(*people(50))

    class Broken(OwnLane):
        def send(self, message: OutgoingMessage, before_final: BeforeFinal) -> str | None:
            if is_doubtful:
                before_final()
            raise KeyError(message.recipient)

    report = deliver(desk.store, Broken(), written(desk.render), clock=lambda: desk.now)
    assert desk.counts == {"in_doubt" if is_doubtful else "deferred": lanes.FAULTS_IN_A_ROW, "planned": 47}
    assert report.released > 0
    report = deliver(desk.store, Broken(), written(desk.render), clock=lambda: desk.now)
    assert report.released == report.in_doubt == report.deferred == 0  # all have to wait


def test_a_lane_that_failed_and_cannot_be_closed_ends_alone(desk: Desk) -> None:
    desk.plan(*people(20))

    class Choking(OwnLane):
        lanes = 2

        has_failed = False

        def __exit__(self, *exc: object) -> None:
            if self.has_failed:
                self.has_failed = False
                raise ConnectionResetError("gone")

        def send(self, message: OutgoingMessage, before_final: BeforeFinal) -> str | None:
            if message.recipient.startswith("reader3@"):
                self.has_failed = True
                raise KeyError(message.recipient)
            return "taken" if before_final() else None

    deliver(desk.store, Choking(), written(desk.render), clock=lambda: desk.now)
    assert desk.counts == {"sent": 19, "deferred": 1}


def test_lanes_that_end_by_faults_hide_nothing_of_the_others(desk: Desk) -> None:
    desk.plan(*people(4))
    together = threading.Barrier(3)

    class Faulty(OwnLane):
        """Three lanes, of which two break; the third hears a little later that a mailbox is gone."""

        lanes = 3

        def send(self, message: OutgoingMessage, before_final: BeforeFinal) -> str | None:
            if message.recipient.startswith("reader0"):
                assert before_final()
                return "taken"
            together.wait(10)
            if message.recipient.startswith("reader3"):
                time.sleep(0.2)
                raise MailError("no such user", permanent=True, phase=MailPhase.RCPT, code=550, status="5.1.1")
            raise StoreError(message.recipient, "")

    with pytest.raises(StoreError, match="reader"):
        deliver(desk.store, Faulty(), written(desk.render), clock=lambda: desk.now, terms=desk.terms)
    assert desk.counts == {"sent": 1, "leased": 2, "failed": 1}
    assert desk.refused == [4]


@pytest.mark.parametrize("begins", ["by a refused connection", "without a thread"])
def test_a_lane_more_that_cannot_begin_leaves_the_work_to_the_others(
    desk: Desk, begins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.plan(*people(30))
    begun: list[OwnLane] = []

    class NoMore(OwnThread):
        def __init__(self, name: str) -> None:
            if begun:
                raise RuntimeError("can't start new thread")
            super().__init__(name)

    class Single(OwnLane):
        lanes = 4

        def __enter__(self) -> Self:
            if begun:
                raise ConnectionRefusedError("one connection is enough")
            begun.append(self)
            return self

        def send(self, message: OutgoingMessage, before_final: BeforeFinal) -> str | None:
            return "taken" if before_final() else None

    if begins == "without a thread":
        monkeypatch.setattr(lanes, "OwnThread", NoMore)
    deliver(desk.store, Single(), written(desk.render), clock=lambda: desk.now)
    assert len(begun) == 1
    assert desk.counts == {"sent": 30}


def test_the_first_lane_that_cannot_begin_ends_the_run(desk: Desk) -> None:
    desk.plan(*people(3))

    class Closed(OwnLane):
        def __enter__(self) -> Self:
            raise ConnectionRefusedError("nobody is there")

    with pytest.raises(ConnectionRefusedError):
        deliver(desk.store, Closed(), written(desk.render), clock=lambda: desk.now)
    assert set(desk.counts) <= {"planned", "leased"}


@pytest.mark.parametrize(("asks", "state"), [(False, "deferred"), (True, "in_doubt")])
def test_a_lane_that_gives_a_message_up_by_itself_is_told_as_a_fault(desk: Desk, asks: bool, state: str) -> None:
    desk.plan(*people(2))

    class Silent(OwnLane):
        def send(self, message: OutgoingMessage, before_final: BeforeFinal) -> str | None:
            if message.recipient.startswith("reader0"):
                if asks:
                    before_final()
                return None
            return "taken" if before_final() else None

    report = deliver(desk.store, Silent(), written(desk.render), clock=lambda: desk.now)
    assert desk.counts == {"sent": 1, state: 1}
    assert report.problems == [f"delivery 1 {state.replace('_', ' ')}: the mailer failed: RuntimeError; see the log"]
