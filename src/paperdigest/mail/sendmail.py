"""Digests handed to the mail program of this machine, as Postfix, Exim, OpenSMTPD and msmtp install it."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from paperdigest.errors import MailError
from paperdigest.failpoints import failpoint
from paperdigest.mail.envelope import refuse_unsendable
from paperdigest.mail.headers import clean_line
from paperdigest.protocols import BeforeFinal, OutgoingMessage
from paperdigest.types import MailPhase

__all__ = ["SendmailLane", "SendmailMailer", "SendmailSettings"]

_MAX_WORDS = 2000
_MAX_SHOWN = 300

_EXITS: dict[int, tuple[str, bool, str | None]] = {
    os.EX_USAGE: ("it did not understand the command line", False, None),
    os.EX_DATAERR: ("it does not like the message", True, "5.6.0"),
    os.EX_NOUSER: ("there is no such user", True, "5.1.1"),
    os.EX_NOHOST: ("there is no such host", True, "5.1.2"),
    os.EX_UNAVAILABLE: ("mail cannot be taken now", False, None),
    os.EX_SOFTWARE: ("it failed", False, None),
    os.EX_OSERR: ("the system failed", False, None),
    os.EX_OSFILE: ("a file of the system is missing", False, None),
    os.EX_CANTCREAT: ("the queue cannot be written", False, None),
    os.EX_IOERR: ("reading or writing failed", False, None),
    os.EX_TEMPFAIL: ("mail cannot be taken now", False, None),
    os.EX_PROTOCOL: ("another server broke the protocol", False, None),
    os.EX_NOPERM: ("it is not permitted", False, None),
    os.EX_CONFIG: ("it is set up wrongly", False, None),
}
"""Exit code (sysexits.h) to what it means, whether for good, and the status for it (RFC 3463)."""


def _an_absolute_path(value: str) -> str:
    if "\0" in value or not os.path.isabs(value):  # noqa: PTH117  a string is kept, as it was written
        raise ValueError("write the program's whole path, such as /usr/sbin/sendmail")
    return value


class SendmailSettings(BaseModel):
    """Settings of the ``sendmail`` mailer: the program's ``path``, and how long it may take over a message."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Annotated[str, AfterValidator(_an_absolute_path)] = "/usr/sbin/sendmail"
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60


class SendmailMailer:
    """Runs ``sendmail -i -f SENDER -- RECIPIENT`` for each message."""

    lanes = 4  # a start of the program is mostly waiting for its disk

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = SendmailSettings.model_validate(dict(settings))

    def lane(self) -> SendmailLane:
        """Return one place for the program to run in."""
        return SendmailLane(self._settings)


class SendmailLane:
    """Runs the program, one message after the other.

    The program takes the end of its input for the end of the message, and the system ends that input when we are
    killed: written through a pipe, half a message would go out then, and none of it would be known. So the whole of it
    is put into a file without a name first, and the program is started only after leave was given.
    """

    def __init__(self, settings: SendmailSettings) -> None:
        self._settings = settings

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing is kept open."""

    def send(self, message: OutgoingMessage, before_final: BeforeFinal) -> str | None:
        """Hand over one message; lines end in LF for the program, which sends them with CR LF again.

        Raises:
            MailError: by exit code, see sysexits.h: ``permanent`` for a user or host that does not exist and a
                message that is refused as such, else the operator's trouble. ``after_dot`` when the program was killed
                or took too long: it may have queued the message.
        """
        refuse_unsendable(message)
        path = self._settings.path
        if not os.access(path, os.X_OK):
            raise _trouble(f"{path} is not there or cannot be run; see mail.sendmail.path", MailPhase.CONNECT)
        try:
            with tempfile.TemporaryFile() as letter, tempfile.TemporaryFile() as words:
                letter.write(message.content.replace(b"\r\n", b"\n"))
                letter.seek(0)
                if not before_final():
                    return None
                code = self._run(self._command(message), letter, words)
                said = _said(words)
        except OSError as error:
            raise _trouble(f"{path} could not be run: {error.strerror}", MailPhase.BODY) from error
        if code == os.EX_OK:
            return f"taken by {path}" + (f": {said}" if said else "")
        raise self._refusal(code, said)

    def _command(self, message: OutgoingMessage) -> list[str]:
        eight_bit = [] if message.content.isascii() else ["-B8BITMIME"]
        return [self._settings.path, "-i", *eight_bit, "-f", message.sender, "--", message.recipient]

    def _run(self, command: list[str], letter: IO[bytes], words: IO[bytes]) -> int:
        """Return the exit code; negative: killed by that signal."""
        with subprocess.Popen(  # noqa: S603  no shell; the addresses were checked
            command, stdin=letter, stdout=words, stderr=words, start_new_session=True, cwd="/"
        ) as process:
            failpoint("after_dot")
            try:
                return process.wait(self._settings.timeout_s)
            except subprocess.TimeoutExpired as error:
                took = f"{command[0]} took longer than {self._settings.timeout_s:g} s and was ended"
                problem = f"{took}; it may have the message"
                raise MailError(problem, permanent=False, after_dot=True, phase=MailPhase.DOT) from error
            finally:
                if process.poll() is None:  # we are the ones to go
                    with suppress(OSError):  # it has become somebody else's
                        os.killpg(process.pid, signal.SIGKILL)  # its helpers, too

    def _refusal(self, code: int, said: str) -> MailError:
        path = self._settings.path
        if code < 0:
            problem = f"{path} was killed by signal {-code}; it may have the message"
            return MailError(problem, permanent=False, after_dot=True, phase=MailPhase.DOT)
        meaning, permanent, status = _EXITS.get(code, ("it failed", False, None))
        problem = f"{path}: {meaning} (exit code {code}{': ' + said if said else ''})"
        return MailError(problem, permanent=permanent, systemic=not permanent, phase=MailPhase.DOT, status=status)


def _said(words: IO[bytes]) -> str:
    """Return what the program said; that it cannot be read changes nothing about the message."""
    with suppress(OSError):
        words.seek(0)
        return clean_line(words.read(_MAX_WORDS).decode("utf-8", "replace"))[:_MAX_SHOWN]
    return ""


def _trouble(problem: str, phase: MailPhase) -> MailError:
    return MailError(problem, permanent=False, systemic=True, phase=phase)
