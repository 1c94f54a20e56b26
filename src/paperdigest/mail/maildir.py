"""Digests as files in a Maildir: no mail server, no account (https://cr.yp.to/proto/maildir.html)."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from paperdigest.errors import MailError
from paperdigest.failpoints import failpoint
from paperdigest.protocols import BeforeFinal, OutgoingMessage

__all__ = ["MaildirLane", "MaildirMailer", "MaildirSettings"]

_END = re.compile("[:,]")  # what a reader appends to a name begins so
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_IN_THE_WAY = frozenset({errno.EEXIST, errno.ENOTDIR})


def _a_path(value: str) -> str:
    if "\0" in value:
        raise ValueError("a path holds no NUL character")
    return value


class MaildirSettings(BaseModel):
    """Settings of the ``maildir`` mailer: ``path`` is the Maildir, made when it does not exist."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Annotated[str, Field(min_length=1), AfterValidator(_a_path)]


class MaildirMailer:
    """Files each message under ``new/``, durably: it is on the disk before `MaildirLane.send` returns."""

    lanes = 1

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._path = Path(MaildirSettings.model_validate(dict(settings)).path).expanduser()

    def lane(self) -> MaildirLane:
        """Return a writer into the Maildir."""
        return MaildirLane(self._path)

    def check(self) -> None:
        """Make the Maildir where it is missing, and see that it can be written (see `CheckableMailer`)."""
        self.lane().check()


class MaildirLane:
    """One writer into a Maildir.

    A file's name comes from the Message-ID alone, so the same message sent again is found and left as it
    is, also when a mail reader has moved it to ``cur/`` and flagged it. Files are as sent, CRLF included.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: set[str] | None = None  # what may be there already; read once, a Maildir may hold many

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing is kept open."""

    def check(self) -> None:
        """Make the Maildir where it is missing, and see that it can be written.

        Raises:
            MailError: it cannot.
        """
        try:
            self._open()
            with tempfile.TemporaryFile(dir=self._path / "tmp"):
                pass
        except OSError as error:
            raise MailError(self._problem(error), permanent=False, systemic=True) from error

    def send(self, message: OutgoingMessage, before_final: BeforeFinal) -> str | None:
        """File the message, and return where it is; None when ``before_final`` said no.

        Raises:
            MailError: it could not be written; never permanent.
        """
        name = f"paperdigest.{sha256(message.message_id.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"
        try:
            if self._known is None:
                self._known = self._open()
            if (there := self._find(name)) is not None:
                return f"already there: {there}" if before_final() else None
            self._known.add(name)
            final = self._file(name, message.content, before_final)
        except OSError as error:
            self._known = None
            raise MailError(self._problem(error), permanent=False, systemic=True) from error
        return None if final is None else f"filed as {final}"

    def _open(self) -> set[str]:
        """Make the folders where they are missing; return the names in them, without what readers append."""
        for folder in (self._path, *(self._path / part for part in ("tmp", "new", "cur"))):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        there = (entry.name for part in ("new", "cur") for entry in (self._path / part).iterdir())
        return {_END.split(name, maxsplit=1)[0] for name in there}

    def _find(self, name: str) -> Path | None:
        # new/ first: readers move messages from there to cur/, so looking the other way round could miss one.
        if (fresh := self._path / "new" / name).exists():
            return fresh
        if self._known is None or name not in self._known:
            return None
        for folder in ("new", "cur"):
            with os.scandir(self._path / folder) as entries:
                for entry in entries:
                    if entry.name == name or entry.name.startswith((f"{name}:", f"{name},")):
                        return Path(entry.path)
        return None

    def _file(self, name: str, content: bytes, before_final: BeforeFinal) -> Path | None:
        descriptor, temporary = tempfile.mkstemp(prefix=f"{name}.", dir=self._path / "tmp")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if not before_final():
                Path(temporary).unlink()
                return None
            final = Path(temporary).rename(self._path / "new" / name)
            failpoint("after_dot")
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        _sync_folder(final.parent)
        return final

    def _problem(self, error: OSError) -> str:
        if error.errno in _FULL:
            why = "the disk is full (or the quota used up); make room and send again"
        elif error.errno in _FORBIDDEN:
            why = "writing there is not permitted; change its owner or mode, or the setting mail.maildir.path"
        elif error.errno in _IN_THE_WAY:
            why = "a file stands where a folder should be; set mail.maildir.path to another place"
        else:
            why = error.strerror or type(error).__name__
        return f"the message could not be filed in the Maildir {self._path}: {why}"


def _sync_folder(folder: Path) -> None:
    """Make the new name itself durable: fsync of the file alone does not."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
