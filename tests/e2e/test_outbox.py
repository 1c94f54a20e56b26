"""An operator asks what became of mails, and has some tried again."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
from pathlib import Path

import pytest

from tests.e2e.conftest import Person
from tests.e2e.test_first_digest import TUESDAY_NOON, subscribed

LATER = "2026-04-14T13:00Z"


def change(database: Path, statement: str, *values: object) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute(statement, values)
        connection.commit()


def sent(person: Person) -> Person:
    subscribed(person)
    assert person.types("--now", TUESDAY_NOON, "send").code == 0
    return person


def doubtful(person: Person) -> Person:
    """A process stopped after the final dot, half an hour ago."""
    sent(person)
    leased = "state = 'sending', lease_owner = 'dead', lease_until = '2026-04-14T12:05:00.000000Z', sent_at = NULL"
    change(person.database, f"UPDATE deliveries SET {leased}")
    assert person.types("--now", "2026-04-14T12:30Z", "send", "--json").json["in_doubt"] == 1
    return person


def test_an_empty_outbox_says_so(person: Person) -> None:
    person.types("--now", TUESDAY_NOON, "init")
    shown = person.types("--now", TUESDAY_NOON, "outbox", "--json").json
    assert set(shown["counts"].values()) == {0}
    assert (shown["due"], shown["oldest_at"], shown["pauses"]) == (0, None, [])
    assert "nothing is in doubt" in person.types("outbox", "doubt").out


def test_the_outbox_counts_what_is_in_each_state(person: Person) -> None:
    sent(person)
    change(person.database, "UPDATE deliveries SET state = 'deferred', sent_at = NULL")
    change(
        person.database,
        "INSERT INTO pauses VALUES ('mail', '2026-04-14T12:00:00.000000Z', '2026-04-14T14:00:00.000000Z', '535 no')",
    )
    shown = person.types("--now", LATER, "outbox", "--json").json
    assert (shown["counts"]["deferred"], shown["due"]) == (1, 1)
    assert shown["oldest_at"] == "2026-04-14T12:00:00Z"
    assert [pause["reason"] for pause in shown["pauses"]] == ["535 no"]
    told = person.types("--now", LATER, "outbox").out
    assert "1 wait for that, or for paperdigest outbox resume" in told
    assert "all sending is paused, since 2026-04-14 12:00 UTC until 2026-04-14 14:00 UTC: 535 no" in told


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("leased", "a run has them; should it be dead, they go back to those that wait by then"),
        ("sending", "a run is sending them; should it be dead, they are in doubt by then"),
    ],
)
def test_what_a_run_has_says_until_when_its_claim_holds(person: Person, state: str, reason: str) -> None:
    sent(person)
    until = "2026-04-14T12:05:00.000000Z"
    change(person.database, "UPDATE deliveries SET state = ?, lease_until = ?, sent_at = NULL", state, until)
    (waiting,) = person.types("--now", TUESDAY_NOON, "outbox", "--json").json["waiting"]
    expected = {"state": state, "deliveries": 1, "next_attempt_at": "2026-04-14T12:05:00Z", "reason": reason}
    assert waiting == expected
    shown = person.types("--now", TUESDAY_NOON, "outbox").out
    assert "2026-04-14 12:05 UTC" in shown


def test_what_waits_for_a_server_says_what_for_and_until_when(person: Person) -> None:
    """Nobody listens: one delivery was tried, the others were given back untried."""
    subscribed(person)
    for name in ("ben", "eve"):
        added = ("subscriber", "add", f"{name}@example.org", "--topic", "trace", "--confirmed")
        assert person.types("--now", TUESDAY_NOON, *added).code == 0
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    person.settings(f'[mail]\nmailer = "smtp"\n[mail.smtp]\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\n')
    assert person.types("--now", TUESDAY_NOON, "send", "--json").json["deferred"] == 1
    shown = person.types("--now", TUESDAY_NOON, "outbox", "--json").json
    untried, tried = sorted(shown["waiting"], key=lambda one: one["state"], reverse=True)
    assert (untried["state"], untried["deliveries"]) == ("planned", 2)
    assert untried["reason"].startswith(f"not tried yet: no connection to 127.0.0.1:{port}")
    assert (tried["state"], tried["deliveries"]) == ("deferred", 1)
    assert tried["reason"].startswith(f"no connection to 127.0.0.1:{port}")
    assert all("2026-04-14T12:0" in one["next_attempt_at"] for one in shown["waiting"])
    told = person.types("--now", TUESDAY_NOON, "outbox").out
    assert "2026-04-14 12:05 UTC  not tried yet: no connection" in told


def test_while_all_sending_is_paused_nothing_is_tried_before_its_end(person: Person) -> None:
    sent(person)
    later = "next_attempt_at = '2026-04-14T12:00:00.000000Z'"
    change(person.database, f"UPDATE deliveries SET state = 'planned', detail = NULL, sent_at = NULL, {later}")
    assert person.types("--now", LATER, "outbox", "--json").json["waiting"] == []
    change(
        person.database,
        "INSERT INTO pauses VALUES ('mail', '2026-04-14T12:00:00.000000Z', '2026-04-14T14:00:00.000000Z', '535 no')",
    )
    (waiting,) = person.types("--now", LATER, "outbox", "--json").json["waiting"]
    assert waiting == {
        "state": "planned",
        "deliveries": 1,
        "next_attempt_at": "2026-04-14T14:00:00Z",
        "reason": "all sending is paused",
    }


def test_alike_refusals_of_many_are_one_line_without_addresses(person: Person) -> None:
    sent(person)
    copied = """
    INSERT INTO deliveries (digest_id, state, attempts, message_id, next_attempt_at, expires_at, lease_epoch)
    SELECT digest_id + {n}, 'deferred', 1, '<{n}>', '2026-04-14T13:{n}:00.000000Z', expires_at, 0 FROM deliveries
    WHERE id = 1"""
    change(person.database, "PRAGMA foreign_keys = OFF")
    for n in (31, 32, 33):
        change(person.database, copied.format(n=n))
        refused = "code = 451, status = '4.7.1', phase = 'rcpt'"
        change(
            person.database,
            f"UPDATE deliveries SET {refused}, detail = ? WHERE message_id = ?",
            f"451 4.7.1 <you@example.org> greylisted, queue id {n}",
            f"<{n}>",
        )
    (waiting,) = person.types("--now", LATER, "outbox", "--json").json["waiting"]
    assert (waiting["deliveries"], waiting["next_attempt_at"]) == (3, "2026-04-14T13:31:00Z")
    assert waiting["reason"] == "451 4.7.1 <<address>> greylisted, queue id 31"


def test_what_is_in_doubt_is_listed_with_what_to_do(person: Person) -> None:
    doubtful(person)
    (doubt,) = person.types("--now", "2026-04-14T12:31Z", "outbox", "doubt", "--json").json["doubts"]
    assert (doubt["id"], doubt["email"], doubt["attempts"], doubt["doubts"]) == (1, "you@example.org", 1, 1)
    assert doubt["since_at"] == "2026-04-14T12:30:00Z"
    assert doubt["advice"] == "will be sent again, as it was, from 2026-04-14 12:35 UTC on"
    told = person.types("--now", "2026-04-14T12:31Z", "outbox", "doubt").out
    assert "you@example.org" in told
    person.settings('[mail]\non_in_doubt = "hold"\n')
    (held,) = person.types("--now", LATER, "outbox", "doubt", "--json").json["doubts"]
    assert held["advice"].endswith("then paperdigest outbox arrived 1, or retry 1")
    person.settings("")
    late = person.types("--now", "2026-04-16T12:00Z", "outbox", "doubt", "--json").json["doubts"]
    assert late[0]["advice"].startswith("not sent again by itself (its time is over)")


def test_what_nobody_delivered_in_time_is_counted_as_expired_by_the_run_that_finds_it(person: Person) -> None:
    sent(person)
    waiting = "state = 'deferred', attempts = 1, sent_at = NULL, detail = 'later'"
    change(person.database, f"UPDATE deliveries SET {waiting}")
    assert person.types("--now", "2026-04-17T12:00Z", "send", "--json").json["expired"] == 1
    (row,) = person.types("outbox", "failed", "--json").json["deliveries"]
    assert (row["state"], row["detail"]) == ("expired", "later")


def test_a_dry_run_leaves_what_a_dead_run_left(person: Person) -> None:
    sent(person)
    leased = "state = 'sending', lease_owner = 'dead', lease_until = '2026-04-14T12:05:00.000000Z', sent_at = NULL"
    change(person.database, f"UPDATE deliveries SET {leased}")
    assert person.types("--now", LATER, "send", "--dry-run", "--json").json["in_doubt"] == 0
    assert person.types("--now", LATER, "outbox", "--json").json["counts"]["sending"] == 1


def test_a_doubt_is_tried_again_by_hand_whatever_the_policy(person: Person) -> None:
    doubtful(person)
    person.settings('[mail]\non_in_doubt = "hold"\n')
    assert person.types("--now", LATER, "send", "--json").json["sent"] == 0
    assert person.types("--now", LATER, "outbox", "retry", "--doubt", "--json").json["retried"] == [1]
    assert person.types("--now", LATER, "send", "--json").json["sent"] == 1
    assert len(person.mails) == 1  # the same message: the Maildir has it once


def test_a_doubt_that_came_counts_as_sent_and_is_never_tried_again(person: Person) -> None:
    doubtful(person)
    told = person.types("--now", LATER, "outbox", "arrived", "1")
    assert (told.code, told.out.strip()) == (0, "1 in doubt no more: sent")
    shown = person.types("--now", LATER, "outbox", "show", "1", "--json").json["delivery"]
    assert (shown["state"], shown["sent_at"]) == ("sent", "2026-04-14T12:30:00Z")
    assert "nothing is in doubt" in person.types("--now", LATER, "outbox", "doubt").out
    assert person.types("--now", LATER, "send", "--json").json["sent"] == 0
    assert person.types("db", "check").code == 0
    again = person.types("--now", LATER, "outbox", "arrived", "1", "--json")
    assert (again.code, again.json) == (
        4,
        {"arrived": [], "refused": [{"id": 1, "reason": "is not in doubt, but sent"}]},
    )


@pytest.mark.parametrize("state", ["failed", "expired"])
def test_what_was_given_up_is_listed_with_the_reason(person: Person, state: str) -> None:
    sent(person)
    assert "nothing failed" in person.types("outbox", "failed").out
    refused = "phase = 'rcpt', code = 550, status = '5.1.1', detail = 'no such user', sent_at = NULL"
    change(person.database, f"UPDATE deliveries SET state = '{state}', {refused}")
    (row,) = person.types("outbox", "failed", "--json").json["deliveries"]
    assert (row["id"], row["email"], row["state"], row["code"]) == (1, "you@example.org", state, 550)
    told = person.types("outbox", "failed").out
    assert all(word in told for word in ("you@example.org", state, "rcpt 550 5.1.1 no such user"))
    assert "paperdigest outbox failed" in person.types("outbox").out


def test_a_pause_is_ended_by_hand_when_its_reason_is_mended(person: Person) -> None:
    sent(person)
    assert "sending is not paused" in person.types("--now", LATER, "outbox", "resume").out
    until = "2026-04-14T14:00:00.000000Z"
    change(person.database, f"UPDATE deliveries SET state = 'planned', sent_at = NULL, next_attempt_at = '{until}'")
    change(person.database, f"INSERT INTO pauses VALUES ('mail', '2026-04-14T12:00:00.000000Z', '{until}', '535 no')")
    assert person.types("--now", LATER, "send", "--json").json["sent"] == 0
    told = person.types("--now", LATER, "outbox", "retry", "1").out
    assert "paused until 2026-04-14 14:00 UTC; to end that: paperdigest outbox resume" in told
    change(person.database, f"UPDATE deliveries SET next_attempt_at = '{until}'")
    assert "it rested for: 535 no" in person.types("--now", LATER, "outbox", "resume").out
    assert person.types("--now", LATER, "send", "--json").json["sent"] == 1


@pytest.mark.parametrize(
    ("deferral", "hastened"),
    [
        ("state = 'deferred', phase = 'connect', detail = 'refused'", 1),
        ("state = 'deferred', phase = 'rcpt', code = 550, status = '5.7.1'", 1),
        ("state = 'deferred', phase = 'mail', code = 451", 1),
        ("state = 'planned'", 1),
        ("state = 'deferred', phase = 'rcpt', code = 450, status = '4.2.0'", 0),
        ("state = 'sent', phase = 'connect'", 0),
    ],
)
def test_what_waited_because_of_us_is_due_when_the_operator_says_so(
    person: Person, deferral: str, hastened: int
) -> None:
    sent(person)
    change(person.database, f"UPDATE deliveries SET {deferral}, next_attempt_at = '2026-04-14T14:00:00.000000Z'")
    waits = person.types("--now", LATER, "send")
    assert ("1 left to a later run" in waits.out) is not deferral.startswith("state = 'sent'")
    found = person.types("--now", LATER, "outbox", "resume", "--json").json
    assert found == {"ended": None, "hastened": hastened}
    assert person.types("--now", LATER, "send", "--json").json["sent"] == hastened


def test_what_was_sent_is_never_tried_again(person: Person) -> None:
    sent(person)
    result = person.types("--now", LATER, "outbox", "retry", "1", "--json")
    assert result.code == 4
    assert result.json["retried"] == []
    assert result.json["refused"][0]["reason"].startswith("was sent at 2026-04-14 12:00")
    assert "is never sent twice" in person.types("--now", LATER, "outbox", "retry", "1").err


def test_what_failed_or_expired_can_be_tried_again(person: Person) -> None:
    sent(person)
    for mail in person.mails:
        mail.unlink()
    change(person.database, "UPDATE deliveries SET state = 'failed', sent_at = NULL")
    late = "2026-04-18T12:00Z"  # long after it would have expired
    assert person.types("--now", late, "outbox", "retry", "--failed", "--json").json["retried"] == [1]
    assert person.types("--now", late, "send", "--json").json["sent"] >= 1
    assert person.types("--now", late, "outbox", "show", "1", "--json").json["delivery"]["state"] == "sent"


GONE = "INSERT INTO suppressions SELECT zeroblob(32), 1, 'gone', '2026-04-14T12:10:00.000000Z', NULL, '5.1.1'"


@pytest.mark.parametrize("statement", [GONE, "UPDATE subscribers SET status = 'unsubscribed'"])
def test_what_would_go_to_nobody_is_left_out(person: Person, statement: str) -> None:
    sent(person)
    change(person.database, "UPDATE deliveries SET state = 'failed', sent_at = NULL")
    change(person.database, statement)
    every = ("--now", LATER, "outbox", "retry", "--failed")
    assert person.types(*every, "--json").json == {"retried": [], "refused": [], "left_out": 1}
    assert "1 left out: their subscribers are suppressed or not active" in person.types(*every).out
    named = person.types("--now", LATER, "outbox", "retry", "1")
    assert (named.code, "goes to nobody" in named.err) == (4, True)


def test_everything_about_a_delivery_is_shown(person: Person) -> None:
    doubtful(person)
    shown = person.types("--now", LATER, "outbox", "show", "1", "--json").json
    assert shown["delivery"]["state"] == "in_doubt"
    assert shown["delivery"]["email"] == "you@example.org"
    assert [one["state"] for one in shown["attempts"]] == ["in_doubt"]
    assert any("Trace is the New AutoDiff" in one["title"] for one in shown["papers"])
    headers = dict(shown["headers"])
    assert headers["Message-ID"] == shown["delivery"]["message_id"]
    told = person.types("--now", LATER, "outbox", "show", "1").out
    assert "in_doubt" in told
    assert "Subject: " in told


def test_questions_without_sense_are_refused_in_words(person: Person) -> None:
    sent(person)
    assert "no delivery '7' is stored" in person.types("outbox", "show", "7").err
    assert "no delivery '7' is stored" in person.types("outbox", "retry", "1", "7").err
    for arguments, problem in (((), "nothing is named"), (("1", "--failed"), "named at once")):
        result = person.types("outbox", "retry", *arguments)
        assert (result.code, problem in result.err) == (2, True)
    assert person.types("outbox", "--json", "doubt").code == 2


def test_a_delivery_whose_row_is_damaged_hides_no_other(person: Person) -> None:
    sent(person)
    added = ("subscriber", "add", "ben@example.org", "--topic", "trace", "--confirmed")
    assert person.types("--now", TUESDAY_NOON, *added).code == 0
    assert person.types("--now", TUESDAY_NOON, "send", "--json").json["sent"] == 1
    change(person.database, "UPDATE deliveries SET state = 'failed', detail = 'no such user'")
    change(person.database, "UPDATE deliveries SET expires_at = 'some day' WHERE id = 1")
    shown = person.types("--now", LATER, "outbox", "failed")
    assert (shown.code, "no such user" in shown.out) == (0, True)
