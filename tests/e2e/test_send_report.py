"""What `send` says of itself, to people and to programs."""

from __future__ import annotations

import socket
import sqlite3
from contextlib import closing

import pytest

from tests.e2e.conftest import Person
from tests.e2e.test_first_digest import TUESDAY_NOON, subscribed
from tests.scripted_smtp import ScriptedSmtp


def crowd(person: Person) -> Person:
    """Somebody with a paper, somebody who wants a note, and somebody who gets nothing."""
    subscribed(person)
    for email, options in (("quiet@example.org", ("--on-empty", "note")), ("none@example.org", ())):
        added = ("subscriber", "add", email, "--topic", "xylophone", "--confirmed", *options)
        assert person.types("--now", TUESDAY_NOON, *added).code == 0
    return person


def relayed_by(person: Person, port: int) -> None:
    person.settings(
        f'[mail]\nmailer = "smtp"\n[mail.smtp]\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nconnections = 1\n'
    )


def test_programs_learn_why_nothing_was_sent_to_whom(person: Person) -> None:
    crowd(person)
    report = person.types("--now", TUESDAY_NOON, "send", "--json").json
    assert (report["planned"], report["sent"], report["notes"], report["excluded"]) == (2, 2, 1, 1)
    assert report["reasons"] == {"nothing matched": 1}
    assert (report["problems"], report["slowed"], report["waiting"], report["held"]) == ([], 0, 0, 0)
    assert report["per_s"] > 0


def test_people_learn_the_same(person: Person) -> None:
    crowd(person)
    told = person.types("--now", TUESDAY_NOON, "send").out
    assert told.startswith("2 planned (1 only to say why there is nothing), 2 sent")
    assert "1 without a digest: nothing matched" in told
    assert "patience" not in told


def test_what_went_wrong_is_told_to_programs_without_addresses(person: Person) -> None:
    subscribed(person)
    with ScriptedSmtp() as server:
        server.next("RCPT", b"550 5.1.1 you@example.org is unknown here")
        relayed_by(person, server.port)
        result = person.types("--now", TUESDAY_NOON, "send", "--json")
    assert (result.code, result.json["failed"]) == (5, 1)
    (problem,) = result.json["problems"]
    assert "5.1.1" in problem
    assert "@" not in problem


def test_that_servers_asked_for_patience_is_told(person: Person) -> None:
    crowd(person)
    with ScriptedSmtp() as server:
        server.next("RCPT", b"450 4.7.1 more slowly, please")
        relayed_by(person, server.port)
        result = person.types("--now", TUESDAY_NOON, "send")
    assert "servers asked for patience once" in result.out


def test_speed_is_told_beside_what_was_sent(person: Person) -> None:
    crowd(person)
    assert " a second)" in person.types("--now", TUESDAY_NOON, "send").out
    assert " a second)" not in person.types("--now", TUESDAY_NOON, "send").out


def test_mail_goes_to_an_address_in_any_script(person: Person) -> None:
    subscribed(person)
    who = "j\u00fcrgen@example.org"
    assert person.types("subscriber", "remove", "you@example.org").code == 0
    assert person.types("--now", TUESDAY_NOON, "subscriber", "add", who, "--topic", "trace", "--confirmed").code == 0
    with ScriptedSmtp("8BITMIME", "SMTPUTF8") as server:
        relayed_by(person, server.port)
        assert person.types("--now", TUESDAY_NOON, "send", "--json").json["sent"] == 1
        assert f"RCPT TO:<{who}>" in server.commands
    headers = person.types("outbox", "show", "1", "--json").json["headers"]
    assert ["To", who] in headers


def test_a_server_without_smtputf8_is_no_reason_to_stop(person: Person) -> None:
    subscribed(person)
    added = ("subscriber", "add", "j\u00fcrgen@example.org", "--topic", "trace", "--confirmed")
    assert person.types("--now", TUESDAY_NOON, *added).code == 0
    with ScriptedSmtp("8BITMIME") as server:
        relayed_by(person, server.port)
        result = person.types("--now", TUESDAY_NOON, "send", "--json")
    assert (result.json["sent"], result.json["failed"]) == (1, 1)
    assert "SMTPUTF8" in result.json["problems"][0]
    assert "alarm" not in result.err


@pytest.mark.parametrize("was", ["deferred", "leased"])
def test_what_a_dead_run_left_goes_with_the_next_edition(person: Person, was: str) -> None:
    subscribed(person)
    with closing(socket.create_server(("127.0.0.1", 0))) as nobody:
        nobody_s_port = nobody.getsockname()[1]
    relayed_by(person, nobody_s_port)
    assert person.types("--now", TUESDAY_NOON, "send", "--json").json["planned"] == 1
    with closing(sqlite3.connect(person.database)) as database, database:
        lease = "'it', '2026-04-14T12:05:00.000000Z'" if was == "leased" else "NULL, NULL"
        database.execute(f"UPDATE deliveries SET state = ?, (lease_owner, lease_until) = ({lease})", (was,))
        database.execute("DELETE FROM pauses")
    with ScriptedSmtp() as server:
        relayed_by(person, server.port)
        result = person.types("--now", "2026-04-15T12:00Z", "send", "--json")
        assert len(server.messages) == 1
    report = result.json
    assert (result.code, report["planned"], report["sent"], report["expired"], report["taken_over"]) == (0, 1, 1, 0, 1)


def test_people_are_told_that_a_digest_took_another_s_place(person: Person) -> None:
    subscribed(person)
    with closing(socket.create_server(("127.0.0.1", 0))) as nobody:
        relayed_by(person, nobody.getsockname()[1])
    person.types("--now", TUESDAY_NOON, "send")
    assert "1 that still waited taken over" in person.types("--now", "2026-04-15T12:00Z", "send").out
