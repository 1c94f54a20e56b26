"""Digests handed to the mail program of this machine, as Postfix, Exim, OpenSMTPD and msmtp install it."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
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

KILLED_WITHIN_S = 5.0
"""How long a killed program is waited for: one that hangs in the kernel, on a dead disk, does not die."""

_REFUSED: dict[int, tuple[str, bool, str | None]] = {
    1: ("it did not accept the message", False, None),
    2: ("it did not accept the message", False, None),
    os.EX_USAGE: ("it did not understand the command line", False, None),
    os.EX_DATAERR: ("it does not like the message", True, "5.6.0"),
    os.EX_NOINPUT: ("it could not read the message", False, None),
    os.EX_NOUSER: ("there is no such user", True, "5.1.1"),
    os.EX_NOHOST: ("there is no such host", True, "5.1.2"),
    os.EX_UNAVAILABLE: ("mail cannot be taken now", False, None),
    os.EX_OSERR: ("the system failed", False, None),
    os.EX_OSFILE: ("a file of the system is missing", False, None),
    os.EX_CANTCREAT: ("the queue cannot be written", False, None),
    os.EX_NOPERM: ("it is not permitted", False, None),
    os.EX_CONFIG: ("it is set up wrongly", False, None),
    126: ("it cannot be executed", False, None),
    127: ("something that it needs is missing", False, None),
}
"""Exit codes that say that the message was not taken (sysexits.h; 126 and 127 are a shell's): what they mean, whether
for good, and the status for it (RFC 3463). Every other one is in doubt.

- 1 and 2 are Exim's (specification, ``-oee``): an error while the message was being received.
- 75, EX_TEMPFAIL. For Postfix (``sendmail.c``: the queue file could not be written) and msmtp (a server asked for
  patience) it was not taken. But OpenSMTPD, when its daemon does not run, puts the message into its offline queue and
  says 75 (``enqueue.c``), and the manual of Sendmail reads "queued" (its program says 0 in that case, ``finis()`` of
  ``main.c``). Taken for a refusal, a stopped OpenSMTPD would get a copy at every retry.
- 74 and 76, EX_IOERR and EX_PROTOCOL: msmtp hands the message to a server itself, and says so when that is lost or
  talks nonsense, also after the final dot. 70, EX_SOFTWARE: so does OpenSMTPD.
"""


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

    def check(self) -> None:
        """See that the program is there (see `CheckableMailer`)."""
        self.lane().check()


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
            MailError: by exit code, see `_REFUSED`: ``permanent`` for a user or host that does not exist and a
                message that is refused as such, else the operator's trouble. ``after_dot`` for everything that happens
                once the program runs and is no such code: it has the whole message, and may have queued it.
        """
        refuse_unsendable(message)
        self.check()
        try:
            with tempfile.TemporaryFile() as letter, tempfile.TemporaryFile() as words:
                letter.write(message.content.replace(b"\r\n", b"\n"))
                letter.seek(0)
                if not before_final():
                    return None
                code = self._run(self._command(message), letter, words)
                said = _said(words)
        except OSError as error:
            raise _trouble(f"{self._settings.path} could not be run: {error.strerror}", MailPhase.BODY) from error
        if code == os.EX_OK:
            return f"taken by {self._settings.path}" + (f": {said}" if said else "")
        raise self._refusal(code, said)

    def check(self) -> None:
        """Find out what can be known before anything is begun.

        Raises:
            MailError: the program is not there, or could not be heard.
        """
        path = self._settings.path
        if not os.access(path, os.X_OK):
            raise _trouble(f"{path} is not there or cannot be run; see mail.sendmail.path", MailPhase.CONNECT)
        if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:  # inherited; the system then keeps no exit codes
            problem = f"whoever started paperdigest lets it ignore SIGCHLD: what {path} answers could not be known"
            raise _trouble(f"{problem}. Start it without that", MailPhase.CONNECT)

    def _command(self, message: OutgoingMessage) -> list[str]:
        eight_bit = [] if message.content.isascii() else ["-B8BITMIME"]
        return [self._settings.path, "-i", *eight_bit, "-f", message.sender, "--", message.recipient]

    def _run(self, command: list[str], letter: IO[bytes], words: IO[bytes]) -> int:
        """Return the exit code; negative: killed by that signal.

        Raises:
            OSError: the program could not be started.
            MailError: in doubt.
        """
        process = subprocess.Popen(  # noqa: S603  no shell; the addresses were checked
            command, stdin=letter, stdout=words, stderr=words, start_new_session=True, cwd="/"
        )
        failpoint("after_dot")
        has_ended = True
        try:
            return process.wait(self._settings.timeout_s)
        except subprocess.TimeoutExpired:
            pass
        except OSError as error:
            raise self._doubt(f"could not be waited for: {error.strerror}", systemic=True) from error
        finally:
            has_ended = _end(process)  # it took too long, or we are the ones to go
        took = f"took longer than {self._settings.timeout_s:g} s and {'was' if has_ended else 'cannot be'} ended"
        raise self._doubt(took, systemic=not has_ended)

    def _refusal(self, code: int, said: str) -> MailError:
        if code < 0:
            return self._doubt(f"was killed by signal {-code}")
        coded = f"exit code {code}{': ' + said if said else ''}"
        if code not in _REFUSED:
            return self._doubt(f"ended with {coded}", systemic=True)
        meaning, permanent, status = _REFUSED[code]
        problem = f"{self._settings.path}: {meaning} ({coded})"
        return MailError(problem, permanent=permanent, systemic=not permanent, phase=MailPhase.DOT, status=status)

    def _doubt(self, problem: str, *, systemic: bool = False) -> MailError:
        told = f"{self._settings.path} {problem}; it may have the message"
        return MailError(told, permanent=False, after_dot=True, systemic=systemic, phase=MailPhase.DOT)


def _end(process: subprocess.Popen[bytes]) -> bool:
    """Kill a program that still runs, with its helpers; False when it has not ended soon."""
    if process.poll() is not None:
        return True
    with suppress(OSError):  # it has become somebody else's
        os.killpg(process.pid, signal.SIGKILL)
    try:
        process.wait(KILLED_WITHIN_S)
    except subprocess.TimeoutExpired:
        # Somebody has to take its exit code when it ends after all.
        threading.Thread(target=process.wait, name="sendmail that hangs", daemon=True).start()
        return False
    return True


def _said(words: IO[bytes]) -> str:
    """Return what the program said; that it cannot be read changes nothing about the message."""
    with suppress(OSError):
        words.seek(0)
        return clean_line(words.read(_MAX_WORDS).decode("utf-8", "replace"))[:_MAX_SHOWN]
    return ""


def _trouble(problem: str, phase: MailPhase) -> MailError:
    return MailError(problem, permanent=False, systemic=True, phase=phase)
