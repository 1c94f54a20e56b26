"""Bounces, complaints and erasure as the operator meets them."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from paperdigest.bounces.addresses import bounce_address, unsubscribe_address
from paperdigest.store import Store
from paperdigest.tokens import Tokens
from tests import bounce_samples as sample
from tests.e2e.conftest import Person
from tests.e2e.test_two_senders import SAMPLE

NOON = "2026-04-14T12:00Z"
WHO = "you@example.org"


def tokens(person: Person) -> Tokens:
    key = person.home / "data" / "paperdigest" / "secret.key"
    return Tokens([key.read_text(encoding="ascii").strip().encode()])


def mailed(person: Person, *more: str) -> str:
    """Somebody gets a digest; return the address at which its bounces arrive."""
    person.types("--now", NOON, "init")
    person.types("--now", NOON, "fetch", "--from", SAMPLE, "--as", "huggingface")
    for email in (WHO, *more):
        assert person.types("--now", NOON, "subscriber", "add", email, "--topic", "trace", "--confirmed").code == 0
    assert person.types("--now", NOON, "send", "--json").json["sent"] == 1 + len(more)
    with sqlite3.connect(person.database) as connection:
        wanted = """SELECT v.id FROM deliveries v JOIN digests d ON d.id = v.digest_id
                    JOIN subscribers s ON s.id = d.subscriber_id WHERE s.email = ?"""
        number = connection.execute(wanted, [WHO]).fetchone()[0]
    return bounce_address(tokens(person), number, "bounces.example.net")


def test_a_bounce_is_taken_in_and_ends_the_mails(person: Person) -> None:
    verp = mailed(person)
    result = person.types("--now", NOON, "bounce", "--json", stdin=sample.postfix(verp))
    assert (result.code, result.json["gone"], result.json["suppressed"]) == (0, 1, 1)
    assert person.types("bounce", "--json", stdin=sample.postfix(verp)).json["duplicate"] == 1
    shown = person.types("subscriber", "show", WHO)
    assert "no mail goes to this address since 2026-04-14: its server said that there is no such mailbox" in shown.out
    assert "active, suppressed since 2026-04-14" in shown.out
    assert f"subscriber unsuppress {WHO}" in shown.out
    assert "--confirmed" not in shown.out
    assert person.types("subscriber", "show", WHO, "--json").json["suppressed"]["reason"] == "gone"
    # The next day nothing is planned for them.
    sent = person.types("--now", "2026-04-15T12:00Z", "send", "--json").json
    assert (sent["planned"], sent["sent"]) == (0, 0)


def test_the_recipient_may_be_told_by_the_mail_server(person: Person) -> None:
    verp = mailed(person)
    told = sample.postfix("undisclosed-recipients:;")
    assert person.types("bounce", "--recipient", verp, "--json", stdin=told).json["gone"] == 1


def test_a_list_says_to_whom_no_mail_goes(person: Person) -> None:
    verp = mailed(person, "ben@example.org")
    assert "suppressed" not in person.types("subscriber", "list").out
    person.types("--now", NOON, "bounce", stdin=sample.postfix(verp))
    listed = person.types("subscriber", "list")
    (row,) = (line for line in listed.out.splitlines() if WHO in line)
    assert "active, suppressed since 2026-04-14" in row
    assert "subscriber show EMAIL" in listed.out
    found = {
        one["email"]: one["suppressed"] for one in person.types("subscriber", "list", "--json").json["subscribers"]
    }
    assert found["ben@example.org"] is None
    assert (found[WHO]["reason"], found[WHO]["since_at"][:10]) == ("gone", "2026-04-14")


def test_whoever_complained_has_to_confirm_anew(person: Person) -> None:
    verp = mailed(person)
    person.types("--now", NOON, "bounce", stdin=sample.complaint("fbl@example.net", sample.returned_mail(verp)))
    shown = person.types("subscriber", "show", WHO).out
    assert f"subscriber unsuppress {WHO} and subscriber set {WHO} --confirmed" in shown
    assert person.types("subscriber", "unsuppress", WHO).code == 0
    assert person.types("subscriber", "set", WHO, "--confirmed").out.splitlines()[0].split()[1] == "active"


def test_a_suppressed_address_is_added_again_only_at_the_operator_s_word(person: Person) -> None:
    verp = mailed(person)
    person.types("bounce", stdin=sample.complaint("fbl@example.net", sample.returned_mail(verp)))
    assert person.types("subscriber", "show", WHO, "--json").json["status"] == "unsubscribed"
    assert person.types("subscriber", "remove", WHO).code == 0
    add = ("subscriber", "add", "You@Example.org", "--topic", "trace", "--confirmed")
    refused = person.types(*add)
    assert refused.code == 2
    assert "they told their provider that it is spam" in refused.err
    assert "--lift" in refused.err
    assert person.types(*add, "--lift").code == 0
    assert person.types("subscriber", "show", "You@example.org", "--json").json["suppressed"] is None


def test_a_suppression_is_lifted_by_hand(person: Person) -> None:
    verp = mailed(person)
    person.types("bounce", stdin=sample.postfix(verp))
    lifted = person.types("subscriber", "unsuppress", WHO, "--json").json
    assert lifted["lifted"]["reason"] == "gone"
    assert person.types("subscriber", "unsuppress", WHO, "--json").json["lifted"] is None
    assert "was not suppressed" in person.types("subscriber", "unsuppress", WHO).out
    assert person.types("subscriber", "show", WHO, "--json").json["suppressed"] is None


def test_an_address_whose_rest_is_over_is_like_any_other(person: Person) -> None:
    verp = mailed(person)
    person.types("--now", NOON, "bounce", stdin=sample.postfix(verp))
    with sqlite3.connect(person.database) as connection:
        rest = "UPDATE suppressions SET reason = 'suspended', until_at = replace(since_at, '2026-04-14', '2026-05-14')"
        connection.execute(rest)
    for now, is_suppressed in (("2026-05-13T00:00Z", True), ("2026-05-15T00:00Z", False)):
        shown = person.types("--now", now, "subscriber", "show", WHO, "--json").json
        assert (shown["suppressed"] is not None) is is_suppressed
    person.types("subscriber", "remove", WHO)
    add = ("subscriber", "add", WHO, "--topic", "trace")
    assert person.types("--now", "2026-05-13T00:00Z", *add).code == 2
    assert person.types("--now", "2026-05-15T00:00Z", *add).code == 0


def test_a_mail_to_the_address_to_unsubscribe_unsubscribes(person: Person) -> None:
    mailed(person)
    with sqlite3.connect(person.database) as connection:
        number = connection.execute("SELECT id FROM subscribers").fetchone()[0]
    wish = sample.wish(unsubscribe_address(tokens(person), number, "bounces.example.net"))
    assert person.types("bounce", "--json", stdin=wish).json["unsubscribed"] == 1
    assert person.types("subscriber", "show", WHO, "--json").json["status"] == "unsubscribed"


def remove_database(person: Person) -> None:
    person.database.unlink()


def damage_database(person: Person) -> None:
    person.database.write_bytes(b"this is no database" * 1000)


def bad_settings(person: Person) -> None:
    person.settings("[mail]\nnonsense = 1\n")


@pytest.mark.parametrize("harm", [remove_database, damage_database, bad_settings])
def test_whatever_is_wrong_the_mail_server_keeps_the_message(person: Person, harm: Callable[[Person], None]) -> None:
    verp = mailed(person)
    harm(person)
    result = person.types("bounce", stdin=sample.postfix(verp))
    assert result.code == 75
    assert result.err.startswith("paperdigest: ")
    assert "Traceback" not in result.err


def test_a_locked_database_is_a_reason_to_try_again(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    verp = mailed(person)
    opened = Store.open
    impatient = staticmethod(
        lambda url, create=False: opened(url, create=create, busy_timeout=timedelta(milliseconds=50))
    )
    monkeypatch.setattr(Store, "open", impatient)
    with sqlite3.connect(person.database, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        assert person.types("bounce", stdin=sample.postfix(verp)).code == 75
        other.execute("ROLLBACK")
    assert person.types("bounce", "--json", stdin=sample.postfix(verp)).json["gone"] == 1


def test_what_tells_nothing_is_taken_all_the_same(person: Person) -> None:
    mailed(person)
    for content in (b"", b"hello\n", b"\0" * 3_000_000):
        result = person.types("bounce", "--json", stdin=content)
        assert (result.code, result.json["ignored"]) == (0, 1)


@pytest.mark.parametrize(("domain", "told"), [("", 1), ("bounces.example.net", 0)])
def test_who_has_no_domain_for_bounces_hears_why_a_report_tells_nothing(
    person: Person, tmp_path: Path, domain: str, told: int
) -> None:
    mailed(person)
    person.settings(f'[mail.bounces]\ndomain = "{domain}"\n')
    folder = tmp_path / "Bounces"
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True)
    for name in ("1", "2"):
        (folder / "new" / name).write_bytes(sample.postfix(WHO))
    result = person.types("bounce", "--maildir", str(folder), "--json")
    assert (result.code, result.json["ignored"]) == (0, 2)
    assert [problem.partition(" is not set")[0] for problem in result.json["problems"]] == told * [
        "mail.bounces.domain"
    ]


def test_a_maildir_is_taken_in(person: Person, tmp_path: Path) -> None:
    verp = mailed(person)
    for name in ("new", "cur", "tmp"):
        (tmp_path / "Bounces" / name).mkdir(parents=True)
    (tmp_path / "Bounces" / "new" / "1").write_bytes(sample.postfix(verp))
    result = person.types("bounce", "--maildir", str(tmp_path / "Bounces"))
    assert (result.code, result.out) == (0, "1 read: 1 gone, 1 suppressed\n")
    assert (tmp_path / "Bounces" / "cur" / "1:2,S").exists()


def test_wishes_that_exclude_each_other_are_refused(person: Person, tmp_path: Path) -> None:
    assert person.types("bounce", "--maildir", str(tmp_path), "--imap").code == 2
    assert person.types("bounce", "--maildir", str(tmp_path)).code == 4  # no database yet
    mailed(person)
    assert person.types("bounce", "--maildir", str(tmp_path)).code == 2
    refused = person.types("bounce", "--imap")
    assert refused.code == 2
    assert "mail.bounces.imap_host" in refused.err


def test_a_storm_is_shown_and_ended(person: Person) -> None:
    others = [f"reader{number}@example.org" for number in range(7)]
    mailed(person, *others)
    assert person.types("--now", NOON, "bounce", "--storm", "show").out == "there is no bounce storm\n"
    signer = tokens(person)
    for number in range(1, 7):
        told = sample.postfix(
            bounce_address(signer, number, "x.example"), diagnostic="", recipient=address(person, number)
        )
        assert person.types("--now", NOON, "bounce", stdin=told).code == 0
    shown = person.types("--now", NOON, "bounce", "--storm", "show", "--json").json
    assert shown["storm"]["held"] == 6
    assert "--storm dismiss" in person.types("--now", NOON, "bounce", "--storm", "show").out
    ended = person.types("--now", NOON, "bounce", "--storm", "accept", "--json").json
    assert (ended["suppressed"], ended["ended"]) == (6, True)
    assert person.types("--now", NOON, "bounce", "--storm", "dismiss").out == "there is no bounce storm\n"


def address(person: Person, delivery: int) -> str:
    with sqlite3.connect(person.database) as connection:
        wanted = """SELECT s.email FROM deliveries v JOIN digests d ON d.id = v.digest_id
                    JOIN subscribers s ON s.id = d.subscriber_id WHERE v.id = ?"""
        return str(connection.execute(wanted, [delivery]).fetchone()[0])


def everything(person: Person) -> bytes:
    """All the bytes of the database: its file, and what SQLite keeps beside it."""
    files = sorted(person.database.parent.glob(f"{person.database.name}*"))
    return b"".join(file.read_bytes() for file in files).lower()


@pytest.mark.parametrize("command", [("remove",), ("erase", "--yes")])
def test_of_who_is_removed_no_byte_of_the_address_stays(person: Person, command: tuple[str, ...]) -> None:
    """Whatever happened before: digests, likes, bounces whose words name them, a complaint."""
    verp = mailed(person)
    like = ("subscriber", "like", WHO, "url:https://example.org/none")
    person.types(*like)
    told = sample.postfix(verp, status="5.2.2", diagnostic=f"smtp; 552 5.2.2 <{WHO}> mailbox of {WHO} is full")
    assert person.types("bounce", stdin=told).code == 0
    person.types("bounce", stdin=sample.complaint("fbl@example.net", sample.returned_mail(verp)))
    assert WHO.encode() in everything(person)
    assert person.types("subscriber", *command, WHO).code == 0
    assert WHO.encode() not in everything(person)
    assert b"you" not in b"".join(
        dump(person, name) for name in ("subscribers", "bounces", "suppressions", "deliveries")
    )
    # The complaint is still known, as a hash.
    assert person.types("subscriber", "add", WHO, "--topic", "trace").code == 2


def dump(person: Person, name: str) -> bytes:
    with sqlite3.connect(person.database) as connection:
        return repr(connection.execute(f"SELECT * FROM {name}").fetchall()).encode()


def test_erasing_leaves_nothing_behind_while_another_program_has_the_database_open(person: Person) -> None:
    """A reader keeps the log of changes alive: what was in it must go nevertheless."""
    mailed(person)
    other = sqlite3.connect(person.database)
    other.execute("SELECT count(*) FROM subscribers").fetchone()
    other.commit()
    try:
        erased = person.types("subscriber", "erase", WHO, "--yes", "--json").json
        assert WHO.encode() not in everything(person)
    finally:
        other.close()
    assert erased["erased"]["digests"] == 1
    assert not erased["hash_kept"]


def test_of_who_is_erased_the_reasons_go_too_and_what_others_were_shown_stays(person: Person) -> None:
    mailed(person, "other@example.org")
    own = ("--topic", "quietlyprivate=trace", "--confirmed")
    assert person.types("--now", NOON, "subscriber", "add", "third@example.org", *own).code == 0
    assert person.types("--now", NOON, "send", "--json").json["sent"] == 1
    assert b"quietlyprivate" in everything(person)
    assert person.types("subscriber", "erase", "third@example.org", "--yes").code == 0
    assert b"quietlyprivate" not in everything(person)
    assert person.types("subscriber", "erase", WHO, "--yes").code == 0
    assert person.types("db", "check").code == 0
    assert person.types("outbox", "show", "2", "--json").json["papers"]


def test_everything_that_is_stored_about_somebody_is_handed_out(person: Person) -> None:
    verp = mailed(person, "other@example.org")
    person.types("bounce", stdin=sample.postfix(verp, status="5.2.2", diagnostic="smtp; 552 5.2.2 full"))
    exported = person.types("subscriber", "export", WHO).json
    stored = exported["stored"]
    assert {"subscribers", "topics", "digests", "digest_items", "deliveries", "bounces"} <= stored.keys()
    assert [row["email"] for row in stored["subscribers"]] == [WHO]
    assert [row["query"] for row in stored["topics"]] == ["trace"]
    assert len(stored["deliveries"]) == 1
    assert stored["bounces"][0]["status"] == "5.2.2"
    assert "other@example.org" not in json.dumps(exported)
    for command in ("export", "erase"):
        assert person.types("subscriber", command, "nobody@example.org").code == 4


def test_a_mail_server_s_pipe_works_as_documented(person: Person) -> None:
    verp = mailed(person)
    command = [sys.executable, "-m", "paperdigest", "bounce", "--recipient", verp]
    result = subprocess.run(command, input=sample.gmail(verp), env=dict(os.environ), capture_output=True, check=False)
    assert (result.returncode, result.stdout) == (0, b"1 read: 1 gone, 1 suppressed\n"), result.stderr


def test_a_message_of_any_length_is_read_to_its_end(person: Person) -> None:
    """A mail server takes a pipe that closes early for a failure."""
    verp = mailed(person)
    with subprocess.Popen(
        [sys.executable, "-m", "paperdigest", "bounce"],
        env=dict(os.environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(sample.postfix(verp) + b"x" * 3_000_000)  # raises when it cannot be written
        process.stdin.close()
        assert process.stdout.read() == b"1 read: 1 gone, 1 suppressed\n"
    assert process.returncode == 0
