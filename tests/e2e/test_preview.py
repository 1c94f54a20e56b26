"""A preview shows what would be sent now, or says that nothing would be, and why."""

from __future__ import annotations

import email
import email.policy

import pytest

from paperdigest.bounces.addresses import bounce_address
from tests import bounce_samples as sample
from tests.e2e.conftest import Person
from tests.e2e.test_bounce_command import tokens
from tests.e2e.test_first_digest import TUESDAY_NOON, subscribed

EMAIL = "you@example.org"
AT_NOON = ("--now", TUESDAY_NOON)
QUIET = "46 papers came since Tuesday, 7 April, but nothing matched your topic."


@pytest.fixture
def quiet(person: Person) -> Person:
    """Papers have come, and none of them matches."""
    subscribed(person)
    assert person.types(*AT_NOON, "subscriber", "set", EMAIL, "--topic", "xylophone").code == 0
    return person


def test_on_a_quiet_day_the_note_is_previewed_as_it_is_sent(quiet: Person) -> None:
    quiet.types(*AT_NOON, "subscriber", "set", EMAIL, "--on-empty", "note")
    previewed = quiet.types(*AT_NOON, "digest", EMAIL)
    assert QUIET in previewed.out
    assert previewed.err == ""
    told = quiet.types(*AT_NOON, "digest", EMAIL, "--json").json
    assert (told["quiet"], told["obstacles"]) == ([QUIET], [])
    assert quiet.types(*AT_NOON, "send", "--json").json["notes"] == 1
    message = email.message_from_bytes(quiet.mails[0].read_bytes(), policy=email.policy.default)
    body = message.get_body(("plain",))
    assert body is not None
    sent, shown = body.get_content().splitlines(), previewed.out.splitlines()
    assert QUIET in sent
    assert sent == [line for line in shown if "Only the preview says so" not in line]


def test_who_wants_no_note_would_get_nothing(quiet: Person) -> None:
    previewed = quiet.types(*AT_NOON, "digest", EMAIL)
    assert (previewed.code, previewed.out) == (0, "")
    assert "no mail would be sent: on a quiet day they want none" in previewed.err
    assert "--on-empty note" in previewed.err
    assert QUIET in previewed.err
    told = quiet.types(*AT_NOON, "digest", EMAIL, "--json").json
    assert told["quiet"] == [QUIET]
    assert len(told["obstacles"]) == 1


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("subscriber", "pause", EMAIL), "they are paused (subscriber resume you@example.org)"),
        (("subscriber", "pause", EMAIL, "--until", "2026-05-01"), "they are paused until 2026-05-01"),
        (("send",), "their digest of 2026-04-14 was sent (outbox show 1)"),
    ],
)
def test_what_keeps_a_digest_from_being_sent_is_told(person: Person, command: tuple[str, ...], why: str) -> None:
    subscribed(person)
    before = person.types(*AT_NOON, "digest", EMAIL)
    assert (before.err, "AutoDiff" in before.out) == ("", True)
    assert person.types(*AT_NOON, *command).code == 0
    assert f"no mail would be sent: {why}" in person.types(*AT_NOON, "digest", EMAIL).err


def test_nothing_would_go_to_a_suppressed_or_unconfirmed_address(person: Person) -> None:
    subscribed(person)
    person.types(*AT_NOON, "subscriber", "add", "new@example.org", "--topic", "trace")
    told = person.types(*AT_NOON, "digest", "new@example.org").err
    assert "they have not confirmed their address" in told
    person.types(*AT_NOON, "send")
    verp = bounce_address(tokens(person), 1, "bounces.example.net")
    person.types(*AT_NOON, "bounce", stdin=sample.postfix(verp))
    told = person.types("--now", "2026-04-15T12:00Z", "digest", EMAIL).err
    assert "no mail goes to this address since 2026-04-14" in told
    assert "subscriber unsuppress you@example.org" in told
