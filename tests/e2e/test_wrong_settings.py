"""Every mistake in the settings is told at once, those in files that they name too."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Person
from tests.e2e.test_first_digest import TUESDAY_NOON, subscribed

FILES = """
[mail]
mailer = "smtp"
secret_key_file = "short.key"
previous_key_files = ["gone.key", "picture.key"]
[mail.smtp]
user = "digest"
password_file = "gone.password"
ca_file = "gone.pem"
[mail.dkim]
key_file = "gone.dkim"
ed25519_selector = "ed"
ed25519_key_file = "short.key"
[mail.bounces]
imap_host = "imap.example.org"
imap_password_file = "gone.imap"
[digest]
templates = "gone"
"""
IN_FILES = {
    "mail.secret_key_file",
    "mail.previous_key_files[0]",
    "mail.previous_key_files[1]",
    "mail.smtp.password_file",
    "mail.dkim.key_file",
    "mail.dkim.selector",
    "mail.dkim.ed25519_key_file",
    "mail.bounces.imap_user",
    "mail.bounces.imap_password_file",
    "digest.templates",
}


@pytest.fixture
def wrong(person: Person) -> Person:
    subscribed(person)
    person.settings(FILES)
    folder = person.home / "config" / "paperdigest"
    (folder / "short.key").write_text("short", encoding="ascii")
    (folder / "picture.key").write_bytes(b"\x89PNG\xff\xfe" * 10)
    return person


def told(person: Person) -> dict[str, str]:
    result = person.types("config", "check", "--json")
    assert result.code == 2
    found: list[dict[str, Any]] = result.json["problems"]
    return {one["key"]: one["message"] for one in found}


def test_all_that_is_wrong_with_files_is_told_at_once(wrong: Person) -> None:
    found = told(wrong)
    assert set(found) == IN_FILES | {"mail.smtp.ca_file"}
    assert found["mail.smtp.password_file"].endswith("gone.password cannot be read: No such file or directory")
    assert found["mail.previous_key_files[1]"].endswith("picture.key cannot be read: it is no text")
    assert "at least 16 characters" in found["mail.secret_key_file"]


def test_it_is_told_together_with_all_other_mistakes(wrong: Person) -> None:
    wrong.settings(FILES + 'titel = "x"\n[[sources]]\nname = "a"\nkind = "feed"\n[mail.smpt]\nport = 0\n')
    assert set(told(wrong)) == IN_FILES | {"mail.smtp.ca_file", "mail.smpt", "digest.titel", "sources[0].url"}
    wrong.settings(FILES.replace('mailer = "smtp"', 'mailer = "smtp"\nmax_per_s = -1'))
    assert set(told(wrong)) == IN_FILES | {"mail.max_per_s"}


@pytest.mark.parametrize("command", [("send",), ("run", "--once")])
def test_whoever_sends_is_told_all_of_it(wrong: Person, command: tuple[str, ...]) -> None:
    result = wrong.types("--now", TUESDAY_NOON, *command)
    assert result.code == 2
    assert [key for key in IN_FILES if f"  {key}: " not in result.err] == []


def test_whoever_sends_nothing_is_not_bothered(wrong: Person) -> None:
    assert wrong.types("papers").code == 0


def test_the_environment_makes_password_files_needless(wrong: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SMTP_PASSWORD", "IMAP_PASSWORD", "SECRET_KEY"):
        monkeypatch.setenv(f"PAPERDIGEST_{name}", "0123456789abcdef")
    needless = {"mail.smtp.password_file", "mail.bounces.imap_password_file", "mail.secret_key_file"}
    assert set(told(wrong)) == IN_FILES - needless | {"mail.smtp.ca_file"}


def test_right_files_are_no_problem(person: Person) -> None:
    person.types("init")
    person.settings('[mail]\nmailer = "smtp"\n[mail.smtp]\nuser = "digest"\npassword_file = "password"\n')
    (person.home / "config" / "paperdigest" / "password").write_text("secret\n", encoding="ascii")
    assert person.types("config", "check", "--json").json["problems"] == []
