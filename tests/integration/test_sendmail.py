"""The sendmail mailer and programs that behave as told."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from paperdigest.errors import MailError
from paperdigest.mail import BUILTIN, sendmail
from paperdigest.mail.sendmail import SendmailLane, SendmailMailer
from paperdigest.plugins import load_plugin
from paperdigest.protocols import OutgoingMessage

CONTENT = b"Subject: Papers\r\n\r\n.\r\nTwo papers.\r\n"


def mail(content: bytes = CONTENT, *, sender: str = "digest@example.org", recipient: str = "you@example.net",
         utf8: bool = False) -> OutgoingMessage:  # fmt: skip
    return OutgoingMessage(sender=sender, recipient=recipient, message_id="<1@x>", content=content, needs_smtputf8=utf8)


def yes() -> bool:
    return True


class Program:
    """A shell script in the place of sendmail, and what it was given."""

    def __init__(self, folder: Path) -> None:
        self.path, self._folder = folder / "sendmail", folder
        self.does("")

    def does(self, then: str) -> None:
        script = f'#!/bin/sh\nprintf "%s\\n" "$@" > {self._folder}/arguments\ncat > {self._folder}/letter\n{then}\n'
        self.path.write_text(script, encoding="utf-8")
        self.path.chmod(stat.S_IRWXU)

    def lane(self, **settings: object) -> SendmailLane:
        return SendmailMailer({"path": str(self.path), **settings}).lane()

    @property
    def arguments(self) -> list[str]:
        return (self._folder / "arguments").read_text(encoding="utf-8").splitlines()

    @property
    def letter(self) -> bytes | None:
        file = self._folder / "letter"
        return file.read_bytes() if file.exists() else None


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def refusal(lane: SendmailLane, message: OutgoingMessage | None = None) -> MailError:
    with pytest.raises(MailError) as caught:
        lane.send(message or mail(), yes)
    return caught.value


def test_the_program_gets_envelope_and_message(program: Program) -> None:
    with program.lane() as lane:
        assert lane.send(mail(), yes) == f"taken by {program.path}"
    assert program.arguments == ["-i", "-f", "digest@example.org", "--", "you@example.net"]
    assert program.letter == CONTENT.replace(b"\r\n", b"\n")


def test_what_the_program_says_is_kept(program: Program) -> None:
    program.does("echo queued as 4F1; printf '\\033[31m' >&2")
    assert program.lane().send(mail(), yes) == f"taken by {program.path}: queued as 4F1 [31m"


def test_text_that_is_not_ascii_is_announced(program: Program) -> None:
    program.lane().send(mail("Gödel\r\n".encode(), recipient="jürgen@example.net", utf8=True), yes)
    assert program.arguments == ["-i", "-B8BITMIME", "-f", "digest@example.org", "--", "jürgen@example.net"]


def test_the_program_is_not_started_before_leave_is_given(program: Program) -> None:
    seen: list[bytes | None] = []

    def leave() -> bool:
        seen.append(program.letter)
        return len(seen) > 1

    lane = program.lane()
    assert lane.send(mail(), leave) is None
    assert program.letter is None
    assert lane.send(mail(), leave) is not None
    assert seen == [None, None]


def test_a_ledger_that_fails_starts_no_program(program: Program) -> None:
    def broken() -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        program.lane().send(mail(), broken)
    assert program.letter is None


@pytest.mark.parametrize(
    ("code", "permanent", "status"),
    [
        (os.EX_DATAERR, True, "5.6.0"),
        (os.EX_NOUSER, True, "5.1.1"),
        (os.EX_NOHOST, True, "5.1.2"),
        *((code, False, None) for code in (os.EX_USAGE, os.EX_UNAVAILABLE, os.EX_OSERR, os.EX_OSFILE, os.EX_CANTCREAT)),
        *((code, False, None) for code in (os.EX_NOINPUT, os.EX_NOPERM, os.EX_CONFIG, 1, 2, 126, 127)),
    ],
)
def test_an_exit_code_that_tells_of_a_refusal_leaves_no_doubt(
    program: Program, code: int, permanent: bool, status: str | None
) -> None:
    program.does(f"echo no such luck >&2; exit {code}")
    error = refusal(program.lane())
    assert (error.permanent, error.systemic, error.after_dot) == (permanent, not permanent, False)
    assert (error.status, error.phase, error.code) == (status, "dot", None)
    assert f"exit code {code}: no such luck" in str(error)


@pytest.mark.parametrize("code", [os.EX_SOFTWARE, os.EX_IOERR, os.EX_TEMPFAIL, os.EX_PROTOCOL, 3, 99, 137, 255])
def test_an_exit_code_that_may_mean_taken_leaves_doubt_and_stops_the_run(program: Program, code: int) -> None:
    program.does(f"echo hm >&2; exit {code}")
    error = refusal(program.lane())
    assert (error.permanent, error.systemic, error.after_dot, error.phase) == (False, True, True, "dot")
    assert f"exit code {code}: hm" in str(error)
    assert "may have the message" in str(error)


def test_trouble_of_the_system_after_the_start_leaves_doubt(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        monkeypatch.undo()
        raise OSError(errno.EIO, "no luck")

    monkeypatch.setattr(subprocess.Popen, "wait", broken)
    error = refusal(program.lane())
    assert (error.after_dot, error.permanent, error.phase) == (True, False, "dot")
    assert "no luck" in str(error)


def test_where_exit_codes_are_thrown_away_nothing_is_started(program: Program) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        error = refusal(program.lane())
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert (error.systemic, error.permanent, error.after_dot) == (True, False, False)
    assert "SIGCHLD" in str(error)
    assert program.letter is None


def test_a_program_that_was_killed_leaves_doubt(program: Program) -> None:
    program.does("kill -9 $$")
    error = refusal(program.lane())
    assert (error.after_dot, error.permanent, error.phase) == (True, False, "dot")
    assert "signal 9" in str(error)


def test_a_program_that_never_ends_is_ended_with_all_its_helpers_and_leaves_doubt(
    program: Program, tmp_path: Path
) -> None:
    program.does(f"sleep 600 & echo $! > {tmp_path}/helper; wait")
    error = refusal(program.lane(timeout_s=0.5))
    assert (error.after_dot, error.permanent, error.phase) == (True, False, "dot")
    helper = int((tmp_path / "helper").read_text(encoding="utf-8"))
    state = Path(f"/proc/{helper}/stat")
    until = time.monotonic() + 20
    while time.monotonic() < until and state.exists() and state.read_text(encoding="utf-8").split()[2] != "Z":
        time.sleep(0.01)
    assert not state.exists() or state.read_text(encoding="utf-8").split()[2] == "Z"


def test_a_program_that_cannot_be_killed_is_not_waited_for(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.does(f"echo $$ > {tmp_path}/number; exec sleep 600")
    monkeypatch.setattr(sendmail, "KILLED_WITHIN_S", 0.1)
    with monkeypatch.context() as deaf:
        deaf.setattr(os, "killpg", lambda group, number: None)
        error = refusal(program.lane(timeout_s=0.5))
    assert (error.after_dot, error.permanent, error.systemic) == (True, False, True)
    assert "cannot be ended" in str(error)
    number = int((tmp_path / "number").read_text(encoding="utf-8"))
    os.kill(number, signal.SIGKILL)
    until = time.monotonic() + 20
    while time.monotonic() < until and Path(f"/proc/{number}").exists():
        time.sleep(0.01)
    assert not Path(f"/proc/{number}").exists(), "nobody took its exit code"


def test_a_helper_that_stays_does_not_hold_us_up(program: Program, tmp_path: Path) -> None:
    program.does(f"sleep 600 & echo $! > {tmp_path}/helper")
    assert program.lane().send(mail(), yes) == f"taken by {program.path}"
    os.kill(int((tmp_path / "helper").read_text(encoding="utf-8")), 9)


@pytest.mark.parametrize("kind", ["missing", "no program", "broken"])
def test_a_program_that_cannot_be_run_is_the_operators_trouble(program: Program, kind: str) -> None:
    if kind == "missing":
        program.path.unlink()
    elif kind == "no program":
        program.path.chmod(stat.S_IRUSR)
    else:
        program.path.write_bytes(b"#!/nowhere/at/all\n")
    if kind == "no program" and os.access(program.path, os.X_OK):
        pytest.skip("this user may run everything")
    error = refusal(program.lane())
    assert (error.permanent, error.systemic, error.after_dot) == (False, True, False)
    assert str(program.path) in str(error)


@pytest.mark.parametrize("recipient", ["-bs", "you@example.net,evil@example.org", "|sh", "a b@example.org", "-v@x;id"])
def test_an_address_that_could_become_an_option_or_two_is_refused(program: Program, recipient: str) -> None:
    assert refusal(program.lane(), mail(recipient=recipient)).permanent
    assert program.letter is None


@pytest.mark.parametrize("settings", [{"path": "sendmail"}, {"path": "/a\0b"}, {"timeout_s": 0}, {"shell": True}])
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SendmailMailer(settings)


def test_it_is_a_mailer_like_any_other() -> None:
    assert load_plugin("mailers", "sendmail", BUILTIN) is SendmailMailer
    assert SendmailMailer({}).lanes >= 1
