"""Alarms: what raises them, that they are told once and again after a day, and that telling harms nothing."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from paperdigest.app import alarms as looking
from paperdigest.app.running import Running, owner
from paperdigest.app.telling import tell
from paperdigest.app.watching import Watch
from paperdigest.config import Settings
from paperdigest.errors import FetchError
from paperdigest.http.posting import post_json
from paperdigest.mail.dkim_keys import dns_record, make_key
from paperdigest.store import Store
from paperdigest.store.alarming import clear_alarm, raise_alarm
from paperdigest.store.alarms import AGAIN, CALM, Alarms
from paperdigest.store.claims import Outcome
from paperdigest.store.digests import Digests
from paperdigest.store.ledger import Ledger
from paperdigest.store.marks import Marks
from paperdigest.store.operation_tables import pauses
from paperdigest.store.pauses import Pauses
from paperdigest.store.runs import SEND, Runs
from paperdigest.store.subscribers import Subscribers
from paperdigest.types import (
    DeliveryState,
    Digest,
    Listing,
    ListingState,
    MailPhase,
    Period,
    Subscriber,
    SubscriberStatus,
)
from tests.dkim_oracle import believes

NOON = datetime(2026, 4, 15, 12, 0, tzinfo=UTC)  # a Wednesday
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "p.db", create=True)
    yield store
    store.close()


class Receiver:
    """Takes what is posted to it, and answers with ``status``."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []
        self.status = 204
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(receiver.status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_arguments: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    @contextmanager
    def listening(self) -> Iterator[Receiver]:
        thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()
            thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().listening() as receiver:
        yield receiver


def settings(store: Store, *, mail_dkim: Mapping[str, str] | None = None, **tables: Any) -> Settings:
    folder = store.path.parent
    mail = {
        "from": "Digest <digest@example.org>",
        "maildir": {"path": str(folder / "Maildir")},
        "dkim": dict(mail_dkim or {}),
    }
    source = {"name": "hf", "kind": "huggingface"}
    tables = {"sources": (source,), "mail": mail, "path": folder / "config.toml", **tables}
    return Settings.model_validate(tables)


def listing(day: date, state: ListingState, *, at: datetime | None = None, note: str | None = None) -> Listing:
    moment = at or datetime(day.year, day.month, day.day, 9, 0, tzinfo=UTC)
    return Listing(
        source="hf",
        kind="huggingface",
        listed_on=day,
        retrieved_at=moment,
        state=state,
        period=Period.DAY,
        entries=(),
        note=note,
        announced_count=0,
    )


def found(store: Store, now: datetime, **tables: Any) -> dict[str, str]:
    wanted = settings(store, **tables)
    told = looking.troubles(wanted, store, Running(wanted, store, lambda: now), now)
    assert [name for name in told if not looking.knows(name)] == []  # else nobody would ever take it back
    return told


def mails(store: Store) -> list[Any]:
    new = store.path.parent / "Maildir" / "new"
    return [message_from_bytes(path.read_bytes()) for path in sorted(new.glob("*"))]


# What raises them


def test_a_source_that_gives_nothing_new_for_two_days_is_an_alarm(store: Store) -> None:
    monday = date(2026, 4, 13)
    store.record(listing(monday, ListingState.COMPLETE), authority=2)
    assert found(store, datetime(2026, 4, 14, 12, 0, tzinfo=UTC)) == {}
    store.record(listing(date(2026, 4, 15), ListingState.STALE, note="the same again"), authority=2)
    told = found(store, NOON)
    assert list(told) == ["source hf"]
    assert "2026-04-13" in told["source hf"]
    assert "the same again" in told["source hf"]
    assert found(store, NOON, alarms={"stale_days": 3}) == {}


def test_a_weekend_is_no_silence(store: Store) -> None:
    store.record(listing(date(2026, 4, 10), ListingState.COMPLETE), authority=2)  # a Friday
    assert found(store, datetime(2026, 4, 13, 4, 0, tzinfo=UTC)) == {}


def test_a_source_that_failed_for_a_day_is_an_alarm_and_for_an_hour_it_is_not(store: Store) -> None:
    yesterday = NOON - DAY
    store.record(listing(yesterday.date(), ListingState.COMPLETE, at=yesterday), authority=2)
    failed = listing(NOON.date(), ListingState.FAILED, at=NOON, note="hf: no connection")
    store.record(failed, authority=2)
    assert found(store, NOON - MINUTE) == {}
    assert "no connection" in found(store, NOON + MINUTE)["source hf"]


def test_a_source_that_never_worked_is_an_alarm_at_once_and_a_disabled_one_never(store: Store) -> None:
    store.record(listing(NOON.date(), ListingState.FAILED, at=NOON, note="hf: 404"), authority=2)
    assert "404" in found(store, NOON)["source hf"]
    assert found(store, NOON, sources=({"name": "hf", "kind": "huggingface", "enabled": False},)) == {}


def test_a_feed_that_is_silent_is_no_trouble(store: Store) -> None:
    feed = {"name": "hf", "kind": "feed", "url": "https://example.org/feed"}
    store.record(listing(date(2026, 3, 1), ListingState.COMPLETE), authority=1)
    assert found(store, NOON, sources=(feed,)) == {}


def test_a_send_that_did_not_finish_is_an_alarm(store: Store) -> None:
    Runs(store.database).begin(SEND, owner=owner().rsplit(":", 1)[0] + ":gone", now=NOON)
    assert "did not finish" in found(store, NOON)["run send"]


def test_subscribers_that_are_lost_in_planning_are_an_alarm_until_a_run_finds_them_again(store: Store) -> None:
    runs = Runs(store.database)
    first = runs.begin(SEND, owner="x", now=NOON)
    runs.finish(first, now=NOON, detail={"alarm": "ALARM: 3 subscribers were due, but 2 are accounted for"})
    assert "3 subscribers" in found(store, NOON)["planning"]
    second = runs.begin(SEND, owner="x", now=NOON + MINUTE)
    runs.finish(second, now=NOON + MINUTE, detail={})
    assert found(store, NOON + MINUTE) == {}


def pause(store: Store, name: str) -> None:
    row = {"name": name, "since_at": NOON, "until_at": NOON + timedelta(hours=1), "reason": "535 no such user"}
    with store.database.writing() as connection:
        connection.execute(pauses.insert().values(**row))


def test_a_breaker_is_an_alarm_until_a_mail_is_taken_and_a_held_storm_is_not_ours(store: Store) -> None:
    pause(store, "mail")
    pause(store, "suppressing")
    assert found(store, NOON) == {"mail": "nothing is sent before 2026-04-15 13:00Z: 535 no such user"}
    later = found(store, NOON + timedelta(hours=1))
    assert later == {"mail": "nothing has been taken since 2026-04-15 12:00Z: 535 no such user"}
    Pauses(store.database).end()
    assert found(store, NOON + timedelta(hours=1)) == {}


def test_mails_that_wait_for_a_server_and_mails_that_were_given_up_are_alarms(store: Store) -> None:
    who = Subscriber(email="a@example.org", status=SubscriberStatus.ACTIVE, created_at=NOON)
    digest = Digest(subscriber=Subscribers(store.database).add(who), edition=NOON.date(), composed_at=NOON)
    expires = NOON + timedelta(hours=36)
    Digests(store.database).add_many([digest], message_id=lambda _, number: f"<{number}@x>", expires_at=expires)
    with Marks(store.database, lambda: NOON) as marks:
        (claim,) = Ledger(store.database).claim(NOON, owner="test")
        no_connection = Outcome(
            state=DeliveryState.DEFERRED, phase=MailPhase.CONNECT, detail="no connection", next_attempt_at=NOON + MINUTE
        )
        assert marks.settle(claim, no_connection).result()
    assert found(store, NOON + MINUTE) == {}
    later = found(store, NOON + timedelta(hours=2))
    assert later == {"mail": "mail has waited since 2026-04-15 12:00Z: no connection"}
    assert Ledger(store.database).expire(expires) == 1
    assert list(found(store, expires)) == ["given up"]
    assert found(store, expires + timedelta(days=1)) == {}


def test_a_disk_that_is_nearly_full_is_an_alarm(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "_LEAST_FREE_BYTES", 10**18)
    assert "MB are free" in found(store, NOON)["disk"]


# When they are told


def told(alarms: Alarms, now: datetime, *, is_told: bool = True) -> list[tuple[str, bool]]:
    claimed = alarms.claim_untold(now)
    alarms.was_told(claimed, now, is_told=is_told)
    return [(one.name, one.is_over) for one in claimed]


def everything(_name: str) -> bool:
    return True


def test_an_alarm_is_told_once_again_after_a_day_and_once_when_it_is_over(store: Store) -> None:
    alarms = Alarms(store.database)
    alarms.reconcile({"disk": "full"}, now=NOON, knows=everything)
    assert told(alarms, NOON) == [("disk", False)]
    alarms.reconcile({"disk": "fuller"}, now=NOON + MINUTE, knows=everything)
    assert told(alarms, NOON + MINUTE) == []
    assert told(alarms, NOON + AGAIN) == [("disk", False)]
    over = NOON + AGAIN + CALM
    alarms.reconcile({}, now=over, knows=everything)
    assert alarms.standing() == ()
    assert told(alarms, over) == [("disk", True)]
    assert told(alarms, over + AGAIN) == []


def test_what_comes_and_goes_is_told_once_an_hour_at_most(store: Store) -> None:
    alarms = Alarms(store.database)
    told_of = []
    for minute in range(120):
        now = NOON + minute * MINUTE
        alarms.reconcile({"disk": "full"} if minute % 2 == 0 else {}, now=now, knows=everything)
        told_of += told(alarms, now)
    assert told_of == [("disk", False), ("disk", True), ("disk", False)]


def test_what_was_over_before_anybody_was_told_is_never_told(store: Store) -> None:
    alarms = Alarms(store.database)
    alarms.reconcile({"disk": "full"}, now=NOON, knows=everything)
    alarms.reconcile({}, now=NOON, knows=everything)
    assert told(alarms, NOON) == []


def test_what_could_not_be_told_is_tried_again_also_that_it_is_over(store: Store) -> None:
    alarms = Alarms(store.database)
    alarms.reconcile({"disk": "full"}, now=NOON, knows=everything)
    assert told(alarms, NOON, is_told=False) == told(alarms, NOON + MINUTE) == [("disk", False)]
    alarms.reconcile({}, now=NOON + MINUTE, knows=everything)
    over = NOON + MINUTE + CALM
    assert told(alarms, over, is_told=False) == told(alarms, over + MINUTE) == [("disk", True)]


def test_of_two_who_look_at_once_one_tells(store: Store) -> None:
    alarms, other = Alarms(store.database), Alarms(store.database)
    alarms.reconcile({"disk": "full"}, now=NOON, knows=everything)
    assert len(alarms.claim_untold(NOON) + other.claim_untold(NOON)) == 1


def test_alarms_of_others_are_told_but_not_taken_back(store: Store) -> None:
    alarms = Alarms(store.database)
    with store.database.writing() as connection:
        raise_alarm(connection, "bounce storm", "too many", NOON)
    alarms.reconcile({}, now=NOON, knows=looking.knows)
    assert told(alarms, NOON) == [("bounce storm", False)]
    with store.database.writing() as connection:
        clear_alarm(connection, "bounce storm")
    assert told(alarms, NOON + CALM) == [("bounce storm", True)]


# How they are told


def look(store: Store, now: datetime, **tables: Any) -> None:
    wanted = settings(store, **tables)
    Watch(wanted, store, lambda: now, Running(wanted, store, lambda: now)).look()


def broken(store: Store) -> None:
    store.record(listing(NOON.date(), ListingState.FAILED, at=NOON, note="hf: <404> & more"), authority=2)


def test_the_operator_gets_one_mail_and_one_call(store: Store, receiver: Receiver) -> None:
    broken(store)
    tables = {"alarms": {"email": "ops@example.org", "webhook": receiver.url}}
    look(store, NOON, **tables)
    look(store, NOON + MINUTE, **tables)
    (mail,) = mails(store)
    assert mail["To"] == "ops@example.org"
    assert "source hf" in mail["Subject"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "<404> & more" in mail.get_payload(0).get_payload(decode=True).decode()
    assert "&lt;404&gt; &amp; more" in mail.get_payload(1).get_payload(decode=True).decode()
    (body,) = receiver.bodies
    assert body["alarms"] == [
        {
            "name": "source hf",
            "detail": "hf could not be read so far: <404> & more",
            "since": "2026-04-15T12:00:00Z",
            "over": False,
        }
    ]
    assert "source hf" in body["text"]


def test_alarms_are_signed_by_the_keys_of_digests(store: Store) -> None:
    folder = store.path.parent
    zone = {
        "rsa._domainkey.example.org": dns_record(make_key(folder / "rsa.pem")),
        "ed._domainkey.example.org": dns_record(make_key(folder / "ed.pem", "ed25519")),
    }
    dkim = {"selector": "rsa", "key_file": "rsa.pem", "ed25519_selector": "ed", "ed25519_key_file": "ed.pem"}
    broken(store)
    look(store, NOON, alarms={"email": "ops@example.org"}, mail_dkim=dkim)
    (mail,) = (folder / "Maildir" / "new").iterdir()
    assert [believes(mail.read_bytes(), zone, number) for number in range(2)] == [True, True]


def test_an_alarm_arrives_when_the_key_that_signs_is_gone(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    broken(store)
    look(store, NOON, alarms={"email": "ops@example.org"}, mail_dkim={"selector": "pd", "key_file": "gone.pem"})
    (mail,) = mails(store)
    assert mail["DKIM-Signature"] is None
    assert "mail.dkim.key_file" in caplog.text


def test_that_mail_is_broken_is_not_told_by_mail(store: Store, receiver: Receiver) -> None:
    pause(store, "mail")
    look(store, NOON, alarms={"email": "ops@example.org", "webhook": receiver.url})
    assert mails(store) == []
    assert [one["name"] for one in receiver.bodies[0]["alarms"]] == ["mail"]


def test_with_mail_alone_the_news_waits_until_mail_works_again(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    pause(store, "mail")
    broken(store)
    tables = {"alarms": {"email": "ops@example.org"}}
    look(store, NOON, **tables)
    assert mails(store) == []
    assert "535 no such user" in caplog.text
    Pauses(store.database).end()
    look(store, NOON + 2 * timedelta(hours=1), **tables)
    (mail,) = mails(store)
    assert "source hf" in mail["Subject"]


def test_a_webhook_that_refuses_or_sends_elsewhere_is_tried_again_and_fails_nothing(
    store: Store, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    broken(store)
    tables = {"alarms": {"webhook": receiver.url}}
    for minute, status in enumerate((500, 302, 204, 204)):
        receiver.status = status
        look(store, NOON + minute * MINUTE, **tables)
    assert len(receiver.bodies) == 3
    assert "the answer was 500" in caplog.text


def test_one_way_that_works_is_enough(store: Store, receiver: Receiver) -> None:
    broken(store)
    receiver.status = 500
    tables = {"alarms": {"email": "ops@example.org", "webhook": receiver.url}}
    look(store, NOON, **tables)
    look(store, NOON + MINUTE, **tables)
    assert (len(mails(store)), len(receiver.bodies)) == (1, 1)


def test_a_name_that_leads_into_the_local_network_is_not_called(receiver: Receiver) -> None:
    url = receiver.url.replace("127.0.0.1", "hooks.example.org")
    with pytest.raises(FetchError, match=r"refused|not an address of the public"):
        post_json(url, b"{}", allow_private=False, deadline_s=5, resolver=lambda _host, _port: ["127.0.0.1"])
    assert receiver.bodies == []


def test_a_webhook_that_never_answers_is_given_up(store: Store) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(FetchError):
            post_json(url, b"{}", allow_private=True, deadline_s=0.2)


def test_without_any_way_the_log_is_the_way(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    broken(store)
    look(store, NOON)
    look(store, NOON + MINUTE)
    assert caplog.text.count("alarm: source hf") == 1


def test_what_is_tried_again_and_again_is_logged_once_a_process(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    broken(store)
    wanted = settings(store, alarms={"webhook": "http://127.0.0.1:1/"})
    logged: dict[str, str] = {}
    for minute in range(3):
        now = NOON + minute * MINUTE
        Watch(wanted, store, lambda now=now: now, Running(wanted, store, lambda now=now: now), logged).look()  # type: ignore[misc]  # mypy gives up on defaults of lambdas
    assert caplog.text.count("alarm: source hf") == 1
    assert caplog.text.count("could not be told by webhook") == 3


def test_a_database_that_cannot_be_asked_fails_nothing(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    store.path.unlink()
    store.path.write_bytes(b"not a database" * 100)
    with caplog.at_level(logging.ERROR):
        look(store, NOON)
    assert "could not look for troubles" in caplog.text
    assert tell(settings(store), (), NOON, is_mail_broken=False, logged={})
