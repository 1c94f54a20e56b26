"""From nothing to a delivered digest, and never a second one."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from numpy.typing import NDArray

from paperdigest.errors import MailError
from paperdigest.mail.maildir import MaildirLane
from paperdigest.protocols import BeforeFinal, OutgoingMessage
from paperdigest.query import Keyword
from paperdigest.ranking import BtScorer, Corpus
from tests.e2e.conftest import Person

SAMPLE = str(files("paperdigest").joinpath("sample/daily-papers.html"))
TUESDAY_NOON = "2026-04-14T12:00Z"
SENT = {"planned", "sent", "deferred", "failed", "expired", "skipped", "in_doubt", "excluded"}


def subscribed(person: Person, *more: str) -> Person:
    person.types("--now", TUESDAY_NOON, "init")
    assert person.types("--now", TUESDAY_NOON, "fetch", "--from", SAMPLE, "--as", "huggingface").code == 0
    arguments = ("subscriber", "add", "you@example.org", "--topic", "trace", "--confirmed", *more)
    result = person.types("--now", TUESDAY_NOON, *arguments)
    assert result.code == 0, result.err
    return person


def test_send_twice_sends_once(person: Person) -> None:
    subscribed(person)
    first = person.types("--now", TUESDAY_NOON, "send", "--json").json
    second = person.types("--now", TUESDAY_NOON, "send", "--json").json
    assert set(first) >= SENT
    assert (first["planned"], first["sent"]) == (1, 1)
    assert (second["planned"], second["sent"]) == (0, 0)
    assert len(person.mails) == 1


def test_the_mail_is_one_that_a_mail_program_understands(person: Person) -> None:
    subscribed(person)
    person.types("--now", TUESDAY_NOON, "send")
    message = email.message_from_bytes(person.mails[0].read_bytes(), policy=email.policy.default)
    assert message["To"] == "you@example.org"
    assert "trace" in message["Subject"]
    assert message.get_content_type() == "multipart/alternative"
    parts = [part.get_content() for part in message.iter_parts()]
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    for part in parts:
        assert "Trace is the New AutoDiff" in part


def test_what_was_sent_does_not_come_again_the_next_day(person: Person) -> None:
    subscribed(person)
    person.types("--now", TUESDAY_NOON, "send")
    tomorrow = person.types("--now", "2026-04-15T12:00Z", "send", "--json").json
    still_unsent = person.types("--now", "2026-04-15T12:00Z", "digest", "you@example.org", "--format", "json").json
    sent = len(person.mails)
    assert (tomorrow["sent"], sent) == (1, 2)
    assert still_unsent["ranked"] == []
    first, second = (mail.read_text(encoding="utf-8", errors="replace") for mail in person.mails)
    assert ("AutoDiff" in first) != ("AutoDiff" in second)


def test_a_pending_subscriber_gets_nothing(person: Person) -> None:
    subscribed(person)
    person.types("--now", TUESDAY_NOON, "subscriber", "add", "new@example.org", "--topic", "trace")
    report = person.types("--now", TUESDAY_NOON, "send", "--json").json
    assert report["sent"] == 1


def test_nothing_is_sent_before_the_hour(person: Person) -> None:
    subscribed(person, "--at", "18:00", "--tz", "Europe/Berlin")
    assert person.types("--now", "2026-04-14T15:59Z", "send", "--json").json["sent"] == 0
    assert person.types("--now", "2026-04-14T16:00Z", "send", "--json").json["sent"] == 1


def test_a_preview_stores_and_sends_nothing(person: Person) -> None:
    subscribed(person)
    for form in ("text", "html", "eml", "json"):
        shown = person.types("--now", TUESDAY_NOON, "digest", "you@example.org", "--format", form)
        assert "AutoDiff" in shown.out
    assert person.mails == []
    assert person.types("--now", TUESDAY_NOON, "send", "--json").json["sent"] == 1


def test_a_dry_run_says_what_would_be_and_does_nothing(person: Person) -> None:
    subscribed(person)
    assert person.types("--now", TUESDAY_NOON, "send", "--dry-run", "--json").json["planned"] == 1
    assert person.mails == []
    assert person.types("--now", TUESDAY_NOON, "send", "--json").json["sent"] == 1


def test_a_dry_run_counts_what_waits_for_delivery(person: Person) -> None:
    subscribed(person)
    person.settings('[mail]\nmailer = "smtp"\n[mail.smtp]\nhost = "127.0.0.1"\nport = 1\ntls = "none"\n')
    person.types("--now", TUESDAY_NOON, "send")
    later = person.types("--now", "2026-04-14T13:00Z", "send", "--dry-run")
    assert "1 more would be tried" in later.out


def test_a_broken_template_stops_the_run_before_anything_is_planned(person: Person) -> None:
    subscribed(person)
    template = person.home / "templates" / "mail" / "digest.txt.j2"
    template.parent.mkdir(parents=True)
    template.write_text("{{ digest.no_such_thing }}", encoding="utf-8")
    person.settings(f'[digest]\ntemplates = "{person.home}/templates"\n')
    broken = person.types("--now", TUESDAY_NOON, "send")
    assert broken.code == 5
    assert "digest.txt.j2" in broken.err
    person.settings("")
    assert person.types("--now", TUESDAY_NOON, "send", "--json").json["planned"] == 1


def test_the_demo_writes_a_digest_in_three_forms_and_touches_nothing_else(person: Person) -> None:
    result = person.types("demo", "--out", str(person.home / "out"), "--json")
    shown = person.types("demo", "--out", str(person.home / "out"))
    assert result.code == shown.code == 0
    assert sorted(path.name for path in (person.home / "out").iterdir()) == ["digest.eml", "digest.html", "digest.txt"]
    assert all(str(person.home / "out" / name) in shown.out for name in ("digest.eml", "digest.html", "digest.txt"))
    assert result.json["listing"]["entries"] > 40
    assert result.json["ranked"][0]["reasons"]
    assert not person.database.exists()


def test_subscribers_can_be_changed_listed_shown_and_removed(person: Person) -> None:
    subscribed(person)
    changed = person.types(
        "subscriber", "set", "you@example.org", "--days", "mon-fri", "--topic", "se=traceability", "--json"
    )
    assert changed.json["days"] == ["mon", "tue", "wed", "thu", "fri"]
    (topic,) = changed.json["topics"]
    assert topic == {"name": "se", "query": "traceability", "weight": 1.0, "quota": None, "threshold": None}
    assert [one["email"] for one in person.types("subscriber", "list", "--json").json["subscribers"]] == [
        "you@example.org"
    ]
    assert person.types("subscriber", "show", "you@example.org").code == 0
    assert person.types("subscriber", "remove", "you@example.org").code == 0
    assert person.types("subscriber", "show", "you@example.org").code == 4


def test_an_address_that_differs_by_case_alone_is_the_same_mailbox(person: Person) -> None:
    person.types("init")
    add = ("--topic", "trace", "--confirmed")
    assert person.types("subscriber", "add", "you@example.org", *add).code == 0
    found = person.types("subscriber", "add", "YOU@Example.org", *add)
    assert found.code == 4
    assert "'you@example.org' is stored already" in found.err
    assert person.types("subscriber", "add", "your@example.org", *add).code == 0


def test_the_same_address_cannot_subscribe_twice(person: Person) -> None:
    subscribed(person)
    same = person.types("subscriber", "add", "you@EXAMPLE.org", "--topic", "x")
    assert same.code == 4
    assert "subscriber set" in same.err


def test_however_many_subscribe_each_keyword_is_scored_once(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    subscribed(person)
    person.types("--now", TUESDAY_NOON, "subscriber", "add", "b@example.org", "--topic", "trace", "--confirmed")
    scored: list[int] = []
    rows = BtScorer.rows

    def counted(self: BtScorer, keywords: Sequence[Keyword], corpus: Corpus) -> Iterator[NDArray[np.float64]]:
        scored.append(len(keywords))
        return rows(self, keywords, corpus)

    monkeypatch.setattr(BtScorer, "rows", counted)
    assert person.types("--now", TUESDAY_NOON, "send", "--json").json["sent"] == 2
    assert scored == [1, 1], "once among the archive's papers and once among the candidates"


def test_a_mail_goes_again_as_it_went_first_whatever_was_set_since(person: Person) -> None:
    subscribed(person)
    sent: list[OutgoingMessage] = []
    lost = MailError("no answer", permanent=False, after_dot=True)

    def drops(_: MaildirLane, message: OutgoingMessage, before_final: BeforeFinal) -> str:
        assert before_final()
        sent.append(message)
        raise lost

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(MaildirLane, "send", drops)
        assert person.types("--now", TUESDAY_NOON, "send", "--json").json["in_doubt"] == 1
        person.settings('[digest]\ntitle = "Another"\n[mail]\nfrom = "Other <other@example.net>"\n')
        assert person.types("--now", "2026-04-14T12:30Z", "send", "--json").json["in_doubt"] == 1
    first, second = sent
    assert first == replace(second, has_safe_lines=True)  # what was kept is looked at again
