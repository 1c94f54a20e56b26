"""Delivering over real sockets: what the ledger says after each kind of trouble (mail servers are scripted)."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from math import inf
from pathlib import Path

import pytest

from paperdigest.errors import ConfigError, MailError, Problem, RenderError, StoreError
from paperdigest.mail.smtp import SmtpMailer
from paperdigest.pipeline import delivering, feeding, lanes
from paperdigest.pipeline.breaking import FIRST_PAUSE, LONGEST_PAUSE, Breaker, next_pause
from paperdigest.pipeline.delivering import DeliveryTerms, deliver
from paperdigest.pipeline.feeding import Finish
from paperdigest.pipeline.lanes import content_hash
from paperdigest.pipeline.pacing import Pace
from paperdigest.protocols import BeforeFinal, OutgoingMessage
from paperdigest.store.digests import Digests
from paperdigest.store.ledger import Ledger
from paperdigest.store.marks import Intent, Marks
from paperdigest.store.pauses import Pause, Pauses
from paperdigest.store.subscribers import Subscribers
from paperdigest.types import Delivery, Digest, MailPhase, SubscriberStatus
from tests.delivery_desk import NOON, Desk, open_desk, people
from tests.own_lane import OwnLane
from tests.scripted_smtp import Deed
from tests.written import written


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(tmp_path / "p.db") as opened:
        yield opened


@pytest.mark.parametrize(
    ("command", "answer", "state", "is_blamed"),
    [
        ("MAIL", b"451 4.3.0 later", "deferred", False),
        ("MAIL", b"550 Sender verify failed", "deferred", False),
        ("MAIL", b"553 5.1.0 Sender denied", "deferred", False),
        ("RCPT", b"450 4.2.0 greylisted, try again in 300 seconds", "deferred", False),
        ("RCPT", b"452 4.2.2 full", "deferred", False),
        ("RCPT", b"550 5.1.1 no such user", "failed", True),
        ("RCPT", b"552 5.2.2 full", "failed", True),
        ("RCPT", b"550 5.7.1 we do not like you", "deferred", False),
        ("RCPT", b"550 relay not permitted", "deferred", False),
        ("DATA", b"451 4.3.0 later", "deferred", False),
        ("DATA", b"554 5.6.0 malformed", "failed", False),
        ("DOT", b"451 4.3.0 later", "deferred", False),
        ("DOT", b"421 4.7.0 too fast", "deferred", False),
        ("DOT", b"550 5.7.1 spam", "deferred", False),
        ("DOT", b"554 5.3.4 too large", "failed", False),
    ],
)
def test_a_refusal_becomes_the_right_state_and_blames_the_right_one(
    desk: Desk, command: str, answer: bytes, state: str, is_blamed: bool
) -> None:
    desk.plan(*people(3))
    desk.server.next(command, answer)
    report = desk.deliver()
    assert desk.counts == {"sent": 2, state: 1}
    assert (report.sent, getattr(report, state)) == (2, 1)
    assert desk.refused == ([1] if is_blamed else [])
    assert len(desk.server.messages) == 2 + (command == "DOT")


@pytest.mark.parametrize(
    ("command", "deed", "state"), [("DATA", Deed.DROP, "deferred"), ("DOT", Deed.DROP, "in_doubt")]
)
def test_a_line_lost_before_the_dot_is_no_doubt_and_after_it_is(
    desk: Desk, command: str, deed: Deed, state: str
) -> None:
    desk.plan(*people(2))
    desk.server.next(command, deed)
    desk.deliver()
    assert desk.counts == {"sent": 1, state: 1}


def test_a_greylisted_mail_goes_when_the_server_said(desk: Desk) -> None:
    desk.plan(*people(1))
    desk.server.next("RCPT", b"450 4.2.0 greylisted, try again in 90 seconds")
    desk.deliver()
    desk.now += timedelta(seconds=89)
    assert desk.deliver().sent == 0
    desk.now += timedelta(seconds=2)
    assert desk.deliver().sent == 1


def test_a_mail_in_doubt_is_sent_again_as_it_was(desk: Desk) -> None:
    desk.plan(*people(1))
    desk.server.next("DOT", Deed.DROP)
    assert desk.deliver().in_doubt == 1
    desk.now += timedelta(minutes=6)
    assert desk.deliver().sent == 1
    assert len(desk.server.messages) == 2
    assert len(set(desk.server.messages)) == 1


@pytest.mark.parametrize("is_changed", [False, True])
def test_a_copy_of_what_a_dead_process_left_in_doubt_is_told_when_it_is_no_true_copy(
    desk: Desk, is_changed: bool
) -> None:
    desk.plan(*people(1))
    (claim,) = Ledger(desk.store.database).claim(desk.now, owner="who dies")
    digest = Digests(desk.store.database).get_many([claim.delivery.digest_id])[claim.delivery.digest_id]
    message = desk.render(digest, claim.delivery)
    with Marks(desk.store.database, lambda: desk.now) as marks:
        assert marks.intend(claim, content_hash(message.content)) is Intent.GRANTED
    desk.now += timedelta(minutes=6)
    assert desk.deliver().in_doubt == 1
    if is_changed:
        other = replace(message, content=message.content + b"PS\r\n")
        desk.render = lambda digest, delivery: other  # type: ignore[method-assign]  # the templates of today
    desk.now += timedelta(minutes=12)
    report = desk.deliver()
    assert report.sent == 1
    assert [problem for problem in report.problems if "not as it was" in problem] == report.problems
    assert bool(report.problems) is is_changed
    assert desk.server.messages[0].count(claim.delivery.message_id.encode()) == 1


def test_the_head_of_a_signed_message_tells_it_from_others_and_all_of_an_unsigned_one() -> None:
    signed, plain = b"DKIM-Signature: bh=%b;\r\nTo: a\r\n\r\n%b\r\n", b"To: a\r\n\r\n%b\r\n"
    first = content_hash(signed % (b"1", b"one"))
    assert first == content_hash(signed % (b"1", b"one"))
    assert len({first, content_hash(signed % (b"2", b"two"))}) == 2
    assert content_hash(plain % b"one") != content_hash(plain % b"two")
    assert len(first) == 16


def test_many_refusals_of_us_stop_all_sending_for_a_while_and_then_twice_as_long(desk: Desk) -> None:
    desk.plan(*people(40))
    for _ in range(40):
        desk.server.next("RCPT", b"550 5.7.26 unauthenticated")
    report = desk.deliver()
    assert report.sent == 0
    assert report.deferred < 20  # it did not go through the whole list
    assert "failed" not in desk.counts
    pause = Pauses(desk.store.database).last()
    assert pause is not None and "5.7.26" in pause.reason and pause.length == FIRST_PAUSE
    seen = len(desk.server.commands)
    assert "nothing is sent before" in desk.deliver().problems[0]
    assert len(desk.server.commands) == seen
    desk.now += FIRST_PAUSE + timedelta(minutes=10)
    desk.deliver()
    again = Pauses(desk.store.database).last()
    assert again is not None and again.length == 2 * FIRST_PAUSE
    desk.server._script.clear()
    desk.now += timedelta(hours=2)
    assert desk.deliver().sent == 40
    assert Pauses(desk.store.database).last() is None


@pytest.mark.parametrize("answer", [b"535 5.7.8 no", b"454 4.7.0 not now", b"534 5.7.9 too weak", b"530 5.7.0 first"])
def test_a_refused_login_is_tried_once_and_blames_nobody(desk: Desk, answer: bytes) -> None:
    desk.plan(*people(20))
    desk.settings = {"connections": 8, "user": "me", "password": "wrong"}
    for _ in range(20):
        desk.server.next("EHLO", b"250-scripted.test\r\n250 AUTH PLAIN")
        desk.server.next("AUTH", answer)
    desk.deliver()
    assert sum(command.startswith("AUTH") for command in desk.server.commands) == 1
    assert (desk.counts, desk.refused) == ({"planned": 19, "deferred": 1}, [])
    assert Pauses(desk.store.database).last() is not None


def test_a_server_without_encryption_makes_all_sending_pause_and_gets_no_mail(desk: Desk) -> None:
    desk.plan(*people(5))
    desk.settings = {"tls": "starttls"}
    desk.deliver()
    assert (desk.counts, desk.refused) == ({"planned": 4, "deferred": 1}, [])
    assert Pauses(desk.store.database).last() is not None
    assert not any(command.startswith("MAIL") for command in desk.server.commands)


def test_a_login_that_fails_in_the_middle_stops_there(desk: Desk) -> None:
    desk.plan(*people(10))
    desk.settings = {"connections": 1, "user": "me", "password": "once good", "max_messages_per_connection": 3}
    for _ in range(10):
        desk.server.next("EHLO", b"250-scripted.test\r\n250 AUTH PLAIN")
    desk.server.next("AUTH", b"235 2.7.0 ok", b"535 5.7.8 expired")
    report = desk.deliver()
    assert (report.sent, report.deferred, report.released) == (3, 1, 6)
    assert desk.counts == {"sent": 3, "deferred": 1, "planned": 6}
    assert desk.refused == []


def test_no_connection_at_all_ends_the_run_and_leaves_the_rest_untried(desk: Desk) -> None:
    desk.plan(*people(5))
    desk.settings = {"port": 1}
    assert desk.deliver().deferred == 1
    assert desk.counts == {"planned": 4, "deferred": 1}
    assert Pauses(desk.store.database).last() is None
    desk.settings = {}
    desk.now += timedelta(minutes=7)
    assert desk.deliver().sent == 5


def test_a_throttled_domain_waits_and_the_others_go(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: Counter[str] = Counter()

    class Counting(Pace):
        def accepted(self, domain: str) -> None:
            taken[domain] += 1
            super().accepted(domain)

    monkeypatch.setattr(delivering, "Pace", Counting)
    desk.plan(*people(8, "slow.example"), *people(3, "quick.example"))
    desk.server.next("RCPT", b"450 4.7.28 too many")
    desk.terms = DeliveryTerms(max_per_domain_per_s=1000)
    begun = time.monotonic()
    desk.seconds = lambda: (time.monotonic() - begun) * 100
    report = desk.deliver()
    assert (report.deferred, report.sent, report.slowed) == (1, 10, 1)
    asked = ["slow" in command for command in desk.server.commands if command.startswith("RCPT")]
    assert asked.index(False) < 5, "what was on its way at the complaint may go on, and no more"
    assert asked[-1]
    assert taken == {"slow.example": 7, "quick.example": 3}


def test_a_relay_that_throttles_after_five_gets_everything_in_the_end_once(desk: Desk) -> None:
    desk.plan(*people(40))
    desk.settings = {"connections": 2, "max_messages_per_connection": 10}
    desk.server.next("RCPT", *([b"250 2.1.5 ok"] * 5 + [b"450 4.7.28 too many"] * 8))
    begun = time.monotonic()
    desk.seconds = lambda: (time.monotonic() - begun) * 2000
    slowed = 0
    for _ in range(12):
        report = desk.deliver()
        slowed += report.slowed
        assert report.sent == 0 or report.per_s > 0
        desk.now += timedelta(minutes=12)
    assert slowed == 8
    assert desk.counts == {"sent": 40}
    assert Counter(Counter(desk.server.messages).values()) == {1: 40}
    assert desk.refused == []


def test_a_run_that_has_had_its_time_leaves_the_rest_to_the_next(desk: Desk) -> None:
    desk.plan(*people(100))
    desk.seconds = lambda: len(desk.server.messages)
    desk.at_most_s = 20
    report = desk.deliver()
    assert 20 <= report.sent < 90
    assert desk.counts == {"sent": report.sent, "planned": 100 - report.sent}
    desk.at_most_s = inf
    assert desk.deliver().sent == 100 - report.sent
    assert Counter(Counter(desk.server.messages).values()) == {1: 100}


def test_several_lanes_send_everything_once(desk: Desk) -> None:
    desk.plan(*people(60))
    desk.settings = {"connections": 6}
    assert desk.deliver().sent == 60
    assert desk.server.connections > 1
    assert Counter(Counter(desk.server.messages).values()) == {1: 60}


def test_a_wish_to_stop_gives_back_what_was_not_begun(desk: Desk) -> None:
    desk.plan(*people(10))
    stop = threading.Event()
    render = desk.render

    def stopping(digest: Digest, delivery: Delivery) -> OutgoingMessage:
        if delivery.id == 4:
            stop.set()
        return render(digest, delivery)

    desk.render = stopping  # type: ignore[method-assign]  # the same desk, interrupted
    report = desk.deliver(stop)
    assert report.sent + report.released == 10
    assert desk.counts["sent"] == report.sent == len(desk.server.messages)
    assert desk.counts.keys() == {"sent", "planned"}
    assert desk.deliver().sent == 10 - report.sent


@pytest.mark.parametrize("is_once", [False, True])
def test_what_was_sent_is_written_down_although_nothing_can_be_given_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, is_once: bool
) -> None:
    desk.plan(*people(60))
    desk.settings = {"connections": 6}
    stop, scripted, dots = threading.Event(), desk.server.scripted, itertools.count()

    def slow(command: str) -> bytes | Deed | None:
        if command == "DOT" and (number := next(dots)) > 20:
            stop.set()
            time.sleep(0.5 if number % 2 else 0)
        return scripted(command)

    release = Ledger.release

    def refuse(*_: object, **__: object) -> int:
        if is_once:
            monkeypatch.setattr(Ledger, "release", release)
        raise StoreError("another program has been writing to the database for too long")

    monkeypatch.setattr(desk.server, "scripted", slow)
    monkeypatch.setattr(Ledger, "release", refuse)
    with pytest.raises(StoreError, match="another program"):
        desk.deliver(stop)
    assert desk.counts["sent"] == len(desk.server.messages)
    assert desk.counts.keys() == {"sent", "planned" if is_once else "leased"}


@pytest.mark.parametrize(("stops_within_s", "tries"), [(0, 1), (20, 2)])
def test_who_waits_for_the_end_of_a_run_waits_for_a_locked_database_but_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, stops_within_s: float, tries: int
) -> None:
    desk.plan(*people(30))
    stop = threading.Event()
    tried: list[int] = []

    def locked(_: object, claims: Sequence[object], **__: object) -> int:
        tried.append(len(claims))
        raise StoreError("another program has been writing to the database for too long")

    def stopping(command: str) -> None:
        stop.set()

    monkeypatch.setattr(desk.server, "scripted", stopping)
    monkeypatch.setattr(delivering, "STOPS_WITHIN_S", stops_within_s)
    monkeypatch.setattr(Ledger, "release", locked)
    with pytest.raises(StoreError, match="another program"):
        desk.deliver(stop)
    assert len(tried) == tries


def test_a_wish_to_stop_does_not_wait_for_servers_that_say_nothing_after_the_dot(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "STOPS_WITHIN_S", 0.3)
    desk.plan(*people(20))
    desk.settings = {"connections": 4, "timeout_s": 60}
    stop, scripted, dots = threading.Event(), desk.server.scripted, itertools.count()

    def silent(command: str) -> bytes | Deed | None:
        if command == "DOT" and (number := next(dots)) > 2:
            if number == 6:  # now all four connections are silent
                stop.set()
            return Deed.HANG
        return scripted(command)

    monkeypatch.setattr(desk.server, "scripted", silent)
    report = desk.deliver(stop)
    assert (report.sent, report.released) == (3, 13)
    assert desk.counts == {"sent": 3, "sending": 4, "planned": 13}
    monkeypatch.setattr(desk.server, "scripted", scripted)
    desk.now += timedelta(hours=1)
    again = desk.deliver()
    assert (again.in_doubt, again.sent) == (4, 13)
    desk.now += timedelta(hours=1)
    assert desk.deliver().sent == 4


def test_who_unsubscribes_while_the_mail_is_on_its_way_gets_none(desk: Desk) -> None:
    desk.plan(*people(2))
    subscribers = Subscribers(desk.store.database)
    render = desk.render

    def slow(digest: Digest, delivery: Delivery) -> OutgoingMessage:
        if delivery.id == 1:
            subscribers.remove("reader1@example.org")
        return render(digest, delivery)

    desk.render = slow  # type: ignore[method-assign]  # the same desk, with somebody who leaves
    assert desk.deliver().sent == 1
    assert len(desk.server.messages) == 1


def test_who_leaves_while_a_letter_waits_for_long_gets_none(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.plan(*people(2))
    subscribers = Subscribers(desk.store.database)
    leaving, ask = subscribers.get("reader1@example.org"), Marks.wanting

    def ask_and_lose_one(marks: Marks, subscriber_ids: Sequence[int]) -> set[int]:
        found = ask(marks, subscriber_ids)
        subscribers.update(replace(leaving, status=SubscriberStatus.UNSUBSCRIBED))
        return found

    monkeypatch.setattr(Marks, "wanting", ask_and_lose_one)
    monkeypatch.setattr(lanes, "ASK_AGAIN_S", -1.0)
    report = desk.deliver()
    assert (report.sent, report.skipped) == (1, 1)
    assert not any("reader1" in command for command in desk.server.commands)


def test_who_has_another_address_since_the_plan_gets_nothing_at_the_old_one(desk: Desk) -> None:
    desk.plan(*people(2))
    subscribers = Subscribers(desk.store.database)
    subscribers.update(replace(subscribers.get("reader0@example.org"), email="moved@example.org"))
    report = desk.deliver()
    assert (report.sent, report.skipped) == (1, 1)
    assert not any("reader0" in command or "moved" in command for command in desk.server.commands)


@pytest.mark.parametrize("greeting", [b"421 4.7.0 too many connections", Deed.DROP])
def test_a_server_with_few_connections_gets_everything_over_those(desk: Desk, greeting: bytes | Deed) -> None:
    desk.plan(*people(60))
    desk.settings = {"connections": 8}
    usual = b"220 scripted.test ESMTP"
    desk.server.next("GREETING", usual, usual, *[greeting] * 40)
    report = desk.deliver()
    assert (report.sent, report.deferred, report.released) == (60, 0, 0)
    assert desk.server.connections < 12  # those that were refused are not asked for again and again
    assert desk.counts == {"sent": 60}


def test_when_the_last_connection_is_refused_too_the_run_ends(desk: Desk) -> None:
    desk.plan(*people(6))
    desk.settings = {"connections": 3, "max_messages_per_connection": 2}
    desk.server.next("GREETING", b"220 scripted.test ESMTP", *[b"421 4.7.0 busy"] * 9)
    report = desk.deliver()
    assert (report.sent, report.deferred) == (2, 1)
    assert desk.counts["planned"] == 3


def test_a_slow_answer_beside_a_run_that_ends_is_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "STOPS_WITHIN_S", 0.0)
    monkeypatch.setattr(delivering, "_TICK_S", 0.01)
    desk.plan(*people(3))

    class Slow(OwnLane):
        """Two lanes: an answer comes late, while the other lane has trouble that is the operator's."""

        lanes = 2

        def __init__(self) -> None:
            self.at_dot, self.in_trouble = threading.Event(), threading.Event()

        def send(self, message: OutgoingMessage, before_final: BeforeFinal) -> str | None:
            if message.recipient.startswith("reader2"):
                assert self.at_dot.wait(10)
                self.in_trouble.set()
                raise MailError("535 no", permanent=False, systemic=True, phase=MailPhase.LOGIN)
            assert before_final()
            if message.recipient.startswith("reader1"):
                self.at_dot.set()
                assert self.in_trouble.wait(10)
                time.sleep(0.2)  # longer than somebody who wants to stop would wait
            return "taken"

    report = deliver(desk.store, Slow(), written(desk.render), clock=lambda: desk.now)
    assert (report.sent, report.deferred, report.in_doubt) == (2, 1, 0)
    assert desk.counts == {"sent": 2, "deferred": 1}


@pytest.mark.parametrize("connections", [1, 4])
def test_a_pause_that_a_run_began_stands_though_mails_under_way_are_taken(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, connections: int
) -> None:
    desk.plan(*people(80))
    desk.settings = {"connections": connections}
    scripted, numbers = desk.server.scripted, itertools.count()

    def choosy(command: str) -> bytes | Deed | None:
        if command == "RCPT" and next(numbers) % 3 == 0:
            return b"550 5.7.26 unauthenticated"
        return scripted(command)

    monkeypatch.setattr(desk.server, "scripted", choosy)
    report = desk.deliver()
    assert report.sent and report.released
    pause = Pauses(desk.store.database).last()
    assert pause is not None and "5.7.26" in pause.reason
    assert "nothing is sent before" in desk.deliver().problems[0]


def test_a_pause_that_another_process_began_stands(desk: Desk) -> None:
    desk.plan(*people(2))
    pauses = Pauses(desk.store.database)
    pauses.start(Pause(since_at=NOON - timedelta(hours=1), until_at=NOON - timedelta(minutes=45), reason="over"))
    theirs = Pause(since_at=NOON, until_at=NOON + timedelta(minutes=30), reason="535 no")

    class Late(OwnLane):
        def send(self, message: OutgoingMessage, before_final: BeforeFinal) -> str | None:
            if message.recipient.startswith("reader0"):
                pauses.start(theirs)
            return "taken" if before_final() else None

    assert deliver(desk.store, Late(), written(desk.render), clock=lambda: desk.now).sent == 2
    assert pauses.last() == theirs


def test_a_damaged_row_or_kept_letter_holds_up_no_other(desk: Desk) -> None:
    desk.plan(*people(4))
    with desk.store.database.recording() as cursor:
        cursor.execute("UPDATE deliveries SET phase = 'weird' WHERE id = 2")
        cursor.execute("UPDATE deliveries SET content_hash = zeroblob(16), phase = 'dot' WHERE id = 3")
        cursor.execute("INSERT INTO letters (delivery_id, sender, content) VALUES (3, 'a@x.example', zeroblob(9))")
    report = desk.deliver()
    assert (report.sent, report.failed) == (3, 1)
    assert report.problems[0] == "delivery 2 failed: its row is damaged; see `paperdigest db check`"
    assert desk.counts == {"sent": 3, "failed": 1}


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE deliveries SET attempts = 'some' WHERE id <= 3",
        "UPDATE deliveries SET state = 'sending', lease_until = '2020', attempts = 'some' WHERE id <= 3",
        "UPDATE deliveries SET message_id = CAST(message_id AS BLOB) WHERE id <= 3",
        "UPDATE deliveries SET lease_epoch = 'first' WHERE id <= 3",
        "UPDATE subscribers SET email = CAST(email AS BLOB) WHERE id <= 3",
        "UPDATE digests SET frozen = replace(hex(zeroblob(100000)), '0', '[') WHERE id <= 3",
    ],
)
def test_rows_that_nobody_can_read_end_no_run(desk: Desk, damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "BATCH", 3)  # so that one batch is of nothing else
    desk.plan(*people(5))
    with desk.store.database.recording() as cursor:
        cursor.execute(damage)
    report = desk.deliver()
    assert report.sent == 2
    if report.in_doubt:  # what was under way is decided first, and later
        desk.now += timedelta(minutes=10)
        report = desk.deliver()
    assert report.failed == 3
    assert len(report.problems) == 3
    assert desk.counts == {"sent": 2, "failed": 3}


def test_a_pause_that_another_run_began_is_not_made_shorter(desk: Desk) -> None:
    desk.plan(*people(3))
    theirs = Pause(since_at=desk.now, until_at=desk.now + timedelta(hours=4), reason="535 theirs")

    def meanwhile(command: str) -> bytes | Deed | None:
        if command.startswith("MAIL"):
            Pauses(desk.store.database).start(theirs)
            return b"530 5.7.0 Authentication required"
        return None

    desk.server.scripted = meanwhile  # type: ignore[method-assign]
    desk.deliver()
    assert Pauses(desk.store.database).last() == theirs
    assert set(desk.counts) <= {"planned", "deferred"}


@pytest.mark.parametrize("when", ["begun", "finished"])
@pytest.mark.parametrize(
    ("error", "state"),
    [
        (MailError("not sendable", permanent=True), "failed"),
        (RenderError("mail/digest.html.j2", "is broken"), "deferred"),
        (ConfigError("config.toml", (Problem("mail.dkim.key_file", "cannot be read"),)), "deferred"),
        (ZeroDivisionError("our mistake about reader2@example.org"), "deferred"),
    ],
)
def test_a_letter_that_cannot_be_made_holds_up_no_other(
    desk: Desk, when: str, error: Exception, state: str, caplog: pytest.LogCaptureFixture
) -> None:
    desk.plan(*people(12))

    def broken() -> OutgoingMessage:
        raise error

    def begin(digest: Digest, delivery: Delivery) -> Finish:
        if delivery.id == 3:
            return broken() if when == "begun" else broken  # type: ignore[return-value]  # never returns
        return lambda: desk.render(digest, delivery)

    mailer = SmtpMailer({"host": "127.0.0.1", "port": desk.server.port, "tls": "none"})
    report = deliver(desk.store, mailer, begin, clock=lambda: desk.now)
    assert desk.counts == {"sent": 11, state: 1}
    assert any(problem.startswith(f"delivery 3 {state}: ") for problem in report.problems)
    assert not any("reader2@" in problem for problem in report.problems)
    is_ours = isinstance(error, ZeroDivisionError)
    assert ("please report" in caplog.text) is is_ours
    assert any("a mistake of paperdigest" in problem for problem in report.problems) is is_ours


def test_an_interrupt_while_a_letter_is_made_ends_the_run_and_gives_it_back(desk: Desk) -> None:
    desk.plan(*people(3))

    def interrupted() -> OutgoingMessage:
        raise KeyboardInterrupt

    mailer = SmtpMailer({"host": "127.0.0.1", "port": desk.server.port, "tls": "none"})
    with pytest.raises(KeyboardInterrupt):
        deliver(desk.store, mailer, lambda *_: interrupted, clock=lambda: desk.now)
    assert desk.server.messages == []
    assert set(desk.counts) <= {"planned", "leased"}


def test_many_letters_that_cannot_be_made_do_not_keep_a_run_from_stopping(desk: Desk) -> None:
    desk.plan(*people(150))
    stop = threading.Event()

    def broken(digest: Digest, delivery: Delivery) -> OutgoingMessage:
        stop.set()
        raise RenderError("mail/digest.html.j2", "is broken")

    desk.render = broken  # type: ignore[method-assign]  # the same desk, with a broken template
    report = desk.deliver(stop)
    assert report.deferred <= 20
    assert report.deferred + report.released == 100  # the one batch that was claimed
    assert set(desk.counts) == {"planned", "deferred"}


def test_one_refusal_of_us_is_told_and_blames_nobody(desk: Desk) -> None:
    desk.plan(*people(3))
    desk.server.next("RCPT", b"550 5.7.26 unauthenticated")
    desk.deliver()
    assert (desk.told, desk.refused) == ([1], [])
    assert Pauses(desk.store.database).last() is None


def test_a_server_that_wants_a_login_makes_all_sending_pause(desk: Desk) -> None:
    desk.plan(*people(3))
    desk.server.next("MAIL", b"530 5.7.0 Authentication required")
    desk.deliver()
    pause = Pauses(desk.store.database).last()
    assert pause is not None
    assert "Authentication required" in pause.reason
    assert desk.counts == {"deferred": 1, "planned": 2}


def test_the_breaker_opens_at_a_fifth_of_ten_at_least() -> None:
    breaker = Breaker()
    assert [breaker.count(refused=True) for _ in range(9)] == [False] * 9
    assert breaker.count(refused=True)
    calm = Breaker()
    for _ in range(50):
        calm.count(refused=False)
    assert [calm.count(refused=True) for _ in range(10)] == [False] * 9 + [True]
    assert [next_pause(None), next_pause(FIRST_PAUSE), next_pause(LONGEST_PAUSE)] == [
        FIRST_PAUSE,
        2 * FIRST_PAUSE,
        LONGEST_PAUSE,
    ]
