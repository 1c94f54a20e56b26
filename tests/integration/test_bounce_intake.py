"""Taking in what came back: only signed reports count, each of them once, and no message stops the others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from paperdigest.app.bounces import Intake
from paperdigest.app.storage import secret_key
from paperdigest.bounces.addresses import bounce_address, unsubscribe_address
from paperdigest.bounces.isolation import Isolated
from paperdigest.config import Settings
from paperdigest.errors import ConfigError, UsageError
from paperdigest.store import Store
from paperdigest.store.alarms import Alarms
from paperdigest.store.bounces import REFUSED
from paperdigest.store.subscribers import Subscribers
from paperdigest.tokens import Purpose, Tokens
from paperdigest.types import Subscriber, SubscriberStatus
from tests import bounce_samples as sample
from tests.bounce_samples import NOW, WHO

DOMAIN = "bounces.example.net"


class Office:
    """A store with a subscriber to whom a mail was sent, and what comes back."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings.model_validate({"mail": {"secret_key_file": str(folder / "key")}})
        self.store = Store.open(folder / "papers.db", create=True)
        self.tokens = Tokens([secret_key(self.settings)])
        self.who = sample.reader(self.store)
        self.delivery = sample.mailed(self.store, self.who)
        self.verp = bounce_address(self.tokens, self.delivery, DOMAIN)
        self.intake = Intake(self.settings, self.store, lambda: NOW)

    def takes(self, content: bytes, *recipients: str) -> dict[str, int]:
        """Take one message in and return what it counted as, but for how many were read."""
        with Intake(self.settings, self.store, lambda: NOW) as intake:
            intake.take(content, recipients)
            counted = {name: count for name, count in intake.report.fields().items() if name != "problems" and count}
        assert counted.pop("read") == 1
        return counted

    @property
    def subscriber(self) -> Subscriber:
        return Subscribers(self.store.database).get(WHO)

    @property
    def is_suppressed(self) -> bool:
        return self.intake.bounces.suppressions.of(WHO) is not None


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.delenv("PAPERDIGEST_SECRET_KEY", raising=False)
    opened = Office(tmp_path)
    yield opened
    opened.intake.__exit__()
    opened.store.close()


def test_a_bounce_suppresses_and_the_same_again_does_nothing(office: Office) -> None:
    assert office.takes(sample.postfix(office.verp)) == {"gone": 1, "suppressed": 1}
    assert office.is_suppressed
    assert office.takes(sample.postfix(office.verp)) == {"duplicate": 1}


@pytest.mark.parametrize("make", [sample.postfix, sample.exchange, sample.gmail, sample.qmail, sample.exim_of_old])
def test_forged_bounces_of_every_form_suppress_nobody(office: Office, make: object) -> None:
    forged = bounce_address(Tokens([b"what an attacker guesses"]), office.delivery, DOMAIN)
    assert callable(make)
    assert office.takes(make(forged)) == {"forged": 1}
    assert office.takes(make("papers@example.net")) == {"ignored": 1}
    assert not office.is_suppressed


def test_a_flood_of_forged_bounces_suppresses_nobody(office: Office) -> None:
    forger = Tokens([b"what an attacker guesses"])
    for number in range(200):
        told = sample.postfix(bounce_address(forger, number, DOMAIN))
        office.intake.take(told)
    assert (office.intake.report.forged, office.intake.report.suppressed) == (200, 0)
    assert not office.is_suppressed


def test_a_bounce_of_a_forwarded_mail_counts_a_day(office: Office) -> None:
    assert office.takes(sample.postfix(office.verp, recipient="stranger@example.com")) == {"mailbox": 1}
    assert not office.is_suppressed


def test_a_mail_that_is_still_being_tried_and_a_holiday_are_nothing(office: Office) -> None:
    assert office.takes(sample.postfix(office.verp, action="delayed", status="4.4.1")) == {"delayed": 1}
    assert office.takes(sample.holiday_notice(office.verp)) == {"ignored": 1}
    assert office.takes(sample.postfix(office.verp, action="delivered", status="2.0.0", diagnostic="")) == {
        "ignored": 1
    }


def test_a_refusal_of_our_mail_blames_nobody(office: Office) -> None:
    told = sample.postfix(office.verp, status="5.7.26", diagnostic="smtp; 550 5.7.26 not authenticated")
    assert office.takes(told) == {"sender": 1}
    assert not office.is_suppressed


def test_a_complaint_unsubscribes_and_suppresses(office: Office) -> None:
    told = sample.complaint("fbl@example.net", sample.returned_mail(office.verp))
    assert office.takes(told) == {"complaint": 1, "suppressed": 1}
    assert office.subscriber.status is SubscriberStatus.UNSUBSCRIBED
    assert office.is_suppressed
    assert office.takes(told) == {"duplicate": 1}


def test_a_complaint_known_by_its_link_alone_counts_as_well(office: Office) -> None:
    link = f"List-Unsubscribe: <https://example.net/u/{office.tokens.sign(Purpose.UNSUBSCRIBE, office.who.id)}>\r\n"
    told = sample.complaint("fbl@example.net", link + sample.returned_mail())
    assert office.takes(told) == {"complaint": 1, "suppressed": 1}
    assert office.takes(told) == {"duplicate": 1}


def test_a_complaint_that_comes_again_by_another_way_counts_no_more_after_it_was_lifted(office: Office) -> None:
    link = f"List-Unsubscribe: <https://example.net/u/{office.tokens.sign(Purpose.UNSUBSCRIBE, office.who.id)}>\r\n"
    told = sample.complaint("fbl@example.net", link + sample.returned_mail())
    again = b"Received: from elsewhere by here\n" + told.replace(b"\r\n", b"\n")
    assert office.takes(told) == {"complaint": 1, "suppressed": 1}
    office.intake.bounces.suppressions.lift(WHO)
    assert office.takes(again) == {"duplicate": 1}
    assert not office.is_suppressed
    another = told.replace(b"Subject:", b"Date: Thu, 16 Apr 2026 06:00:00 +0000\r\nSubject:", 1)
    assert office.takes(another) == {"complaint": 1, "suppressed": 1}


def test_an_old_wish_that_is_read_again_does_not_end_a_new_subscription(office: Office) -> None:
    told = sample.wish(unsubscribe_address(office.tokens, office.who.id, DOMAIN))
    assert office.takes(told) == {"unsubscribed": 1}
    everybody = Subscribers(office.store.database)
    everybody.update(replace(office.subscriber, status=SubscriberStatus.ACTIVE))
    assert office.takes(told) == {"duplicate": 1}
    assert office.subscriber.status is SubscriberStatus.ACTIVE
    anew = b"Message-ID: <2@example.org>\r\n" + told
    assert office.takes(anew) == {"unsubscribed": 1}


def test_a_bounce_from_an_earlier_address_is_read_as_of_that_address(office: Office) -> None:
    everybody = Subscribers(office.store.database)
    everybody.update(replace(office.subscriber, email="new@example.org"))
    assert office.takes(sample.postfix(office.verp)) == {"gone": 1}
    assert office.takes(sample.postfix(office.verp)) == {"duplicate": 1}
    assert office.intake.bounces.suppressions.of("new@example.org") is None


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure"])
def test_praise_changes_nothing(office: Office, kind: str) -> None:
    told = sample.complaint("fbl@example.net", sample.returned_mail(office.verp), kind=kind)
    assert office.takes(told) == {"ignored": 1}
    assert office.subscriber.status is SubscriberStatus.ACTIVE


def test_whoever_writes_to_the_address_to_unsubscribe_is_unsubscribed(office: Office) -> None:
    told = sample.wish(unsubscribe_address(office.tokens, office.who.id, DOMAIN).upper())
    assert office.takes(told) == {"unsubscribed": 1}
    assert office.subscriber.status is SubscriberStatus.UNSUBSCRIBED
    assert not office.is_suppressed
    assert office.takes(told) == {"duplicate": 1}
    forged = unsubscribe_address(Tokens([b"what an attacker guesses"]), office.who.id, DOMAIN)
    assert office.takes(sample.wish(forged)) == {"forged": 1}


def test_a_provider_may_pass_on_the_wish(office: Office) -> None:
    told = sample.complaint("fbl@example.net", sample.returned_mail(office.verp), kind="opt-out")
    assert office.takes(told) == {"unsubscribed": 1}
    assert not office.is_suppressed


def test_what_is_said_of_somebody_who_was_removed_is_counted_and_forgotten(office: Office) -> None:
    Subscribers(office.store.database).remove(WHO)
    assert office.takes(sample.postfix(office.verp)) == {"unknown": 1}
    assert office.takes(sample.complaint("x@example.net", sample.returned_mail(office.verp))) == {"unknown": 1}
    assert office.takes(sample.wish(unsubscribe_address(office.tokens, office.who.id, DOMAIN))) == {"unknown": 1}


def test_the_envelope_s_recipient_is_enough(office: Office) -> None:
    assert office.takes(sample.postfix("undisclosed-recipients:;"), office.verp) == {"gone": 1, "suppressed": 1}


def maildir(folder: Path, **messages: bytes) -> Path:
    path = folder / "Maildir"
    for name in ("new", "cur", "tmp"):
        (path / name).mkdir(parents=True, exist_ok=True)
    for name, content in messages.items():
        (path / "new" / name).write_bytes(content)
    return path


def test_a_maildir_is_read_once(office: Office, tmp_path: Path) -> None:
    wish = sample.wish(unsubscribe_address(office.tokens, office.who.id, DOMAIN))
    path = maildir(tmp_path, a=sample.postfix(office.verp), b=wish, c=b"something else\n")
    office.intake.take_maildir(path)
    counted = office.intake.report
    assert (counted.read, counted.gone, counted.unsubscribed, counted.ignored) == (3, 1, 1, 1)
    assert sorted(file.name for file in (path / "cur").iterdir()) == ["a:2,S", "b:2,S", "c:2,S"]
    assert list((path / "new").iterdir()) == []
    office.intake.take_maildir(path)
    assert office.intake.report.read == 3


def test_an_alarm_whose_trouble_is_over_is_taken_back_by_the_next_intake(office: Office, tmp_path: Path) -> None:
    told = sample.postfix(office.verp, status="5.7.26", diagnostic="smtp; 550 5.7.26 not authenticated")
    office.intake.take_maildir(maildir(tmp_path, a=told))
    alarms = Alarms(office.store.database)
    assert [one.name for one in alarms.standing()] == [REFUSED]
    with Intake(office.settings, office.store, lambda: NOW + 2 * sample.DAY) as later:
        later.take_maildir(maildir(tmp_path))
    assert alarms.standing() == ()


def test_what_was_recorded_but_not_moved_is_taken_again_without_harm(office: Office, tmp_path: Path) -> None:
    office.intake.take(sample.postfix(office.verp))
    office.intake.take_maildir(maildir(tmp_path, a=sample.postfix(office.verp)))
    assert (office.intake.report.gone, office.intake.report.duplicate) == (1, 1)


def test_in_a_maildir_what_is_no_plain_file_is_left_and_named(office: Office, tmp_path: Path) -> None:
    path = maildir(tmp_path, z=sample.postfix(office.verp))
    os.mkfifo(path / "new" / "pipe")
    (path / "new" / ".hidden").write_bytes(b"")
    office.intake.take_maildir(path)
    assert (office.intake.report.unreadable, office.intake.report.gone) == (1, 1)
    assert "pipe" in office.intake.report.problems[0]
    assert (path / "new" / "pipe").exists()


def test_a_message_that_cannot_be_read_is_flagged_named_and_stops_no_other(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = maildir(tmp_path, a=b"odd", b=sample.postfix(office.verp))
    read = Isolated.read
    monkeypatch.setattr(
        Isolated, "read", lambda self, content, to: None if content == b"odd" else read(self, content, to)
    )
    office.intake.take_maildir(path)
    assert (office.intake.report.unreadable, office.intake.report.gone) == (1, 1)
    assert "a cannot be read" in office.intake.report.problems[0]
    assert sorted(file.name for file in (path / "cur").iterdir()) == ["a:2,FS", "b:2,S"]


def test_a_folder_that_is_no_maildir_is_refused(office: Office, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no Maildir"):
        office.intake.take_maildir(tmp_path / "nowhere")


def test_imap_without_settings_names_all_that_is_missing(office: Office) -> None:
    with pytest.raises(ConfigError) as caught:
        office.intake.take_imap()
    assert [one.key for one in caught.value.problems] == [
        "mail.bounces.imap_host",
        "mail.bounces.imap_user",
        "mail.bounces.imap_password_file",
    ]
    assert not office.intake.take_configured()


def test_a_configured_maildir_is_read(office: Office, tmp_path: Path) -> None:
    path = maildir(tmp_path, a=sample.postfix(office.verp))
    mail = {"secret_key_file": str(tmp_path / "key"), "bounces": {"maildir": str(path)}}
    with Intake(Settings.model_validate({"mail": mail}), office.store, lambda: NOW) as intake:
        assert intake.take_configured()
        assert intake.report.gone == 1


def test_a_bomb_takes_bounded_time_and_the_next_message_is_read(office: Office) -> None:
    """The worst that we could make within the bounds of the reader: many parts, and lines that look like delimiters."""
    opened = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (one, one) for one in range(38))
    bomb = (
        f"To: {office.verp}\n".encode() + opened + b"Content-Type: text/plain\n\n" + (b"--zz\n" + b"a\n" * 200) * 1900
    )
    assert office.takes(bomb) == {"ignored": 1}
    assert office.takes(sample.postfix(office.verp)) == {"gone": 1, "suppressed": 1}


def test_a_message_that_takes_too_long_is_given_up_and_the_next_is_read() -> None:
    with Isolated(time_limit_s=0.0) as hasty:
        assert hasty.read(sample.postfix("someone@example.org")) is None
        assert hasty.read(sample.postfix("someone@example.org")) is None
    with Isolated() as patient:
        assert patient.read(sample.postfix("someone@example.org")) is not None


def test_the_reader_that_died_is_started_again() -> None:
    with Isolated() as reader:
        assert reader.read(b"") is not None
        process = reader._process
        assert process is not None
        process.kill()
        process.wait()
        assert reader.read(b"") is None
        assert reader.read(b"") is not None


def test_the_reader_in_its_own_process_says_what_it_says_here() -> None:
    from paperdigest.bounces.reading import read

    to = f"b+{'a' * 36}@x"
    messages = [
        sample.postfix(to),
        sample.exim(to),
        sample.complaint(to, sample.returned_mail(to)),
        sample.wish(to),
        b"",
    ]
    with Isolated() as reader:
        for content in messages:
            assert reader.read(content, ("Ünser <you@example.org>",)) == read(content, ("Ünser <you@example.org>",))


def test_the_reader_gets_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERDIGEST_SECRET_KEY", "do not tell")
    with Isolated() as reader:
        reader.read(b"")
        assert reader._process is not None
        assert b"do not tell" not in Path(f"/proc/{reader._process.pid}/environ").read_bytes()
