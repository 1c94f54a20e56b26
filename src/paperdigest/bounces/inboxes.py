"""Where bounces wait: a Maildir, or a folder on an IMAP server.

A message is marked when it has been dealt with; after a crash in between it is given out again, which is harmless.
"""

from __future__ import annotations

import imaplib
import ssl
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from paperdigest.bounces.reading import MAX_BYTES
from paperdigest.errors import MailError, UsageError

__all__ = ["MAX_MESSAGES", "Arrived", "ImapFolder", "Inbox", "MaildirFolder"]

MAX_MESSAGES = 10_000
"""More are left for the next run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A message that waits; ``name`` is the folder's own name of it, ``content`` None when it cannot be had."""

    name: str
    content: bytes | None


class Inbox(Protocol):
    """A place where messages wait."""

    def arrived(self) -> Iterator[Arrived]:
        """Give out what waits, the oldest first, `MAX_MESSAGES` at most."""

    def done(self, name: str, *, is_odd: bool = False) -> None:
        """Mark a message as dealt with; ``is_odd`` flags it for a person to look at."""


class MaildirFolder:
    """A Maildir: from ``new`` to ``cur``, as a mail program does it."""

    def __init__(self, path: Path) -> None:
        self._new, self._cur = path / "new", path / "cur"
        if not self._new.is_dir():
            raise UsageError(f"{path} is no Maildir", "Name a folder with the folders new, cur and tmp in it")

    def arrived(self) -> Iterator[Arrived]:
        """Give out what waits in ``new``.

        Raises:
            UsageError: the folder cannot be read.
        """
        try:
            names = sorted(path.name for path in self._new.iterdir() if not path.name.startswith("."))
        except OSError as error:
            raise UsageError(f"{self._new} cannot be read: {error.strerror}") from error
        for name in names[:MAX_MESSAGES]:
            with suppress(FileNotFoundError):  # another run was faster
                yield Arrived(name=name, content=_file(self._new / name))

    def done(self, name: str, *, is_odd: bool = False) -> None:
        """Move a message to ``cur``, as seen, or as flagged too.

        Raises:
            UsageError: it cannot be moved.
        """
        seen = self._cur / f"{name.partition(':')[0]}:2,{'FS' if is_odd else 'S'}"
        try:
            self._cur.mkdir(exist_ok=True)
            (self._new / name).rename(seen)
        except FileNotFoundError:
            pass  # another run was faster
        except OSError as error:
            raise UsageError(f"{self._new / name} cannot be moved to cur: {error.strerror}") from error


def _file(path: Path) -> bytes | None:
    """Return what a file holds, no more than is read anyway; None when it is no plain file, or not for us."""
    if not stat.S_ISREG(path.lstat().st_mode):  # a pipe would hold us up for ever
        return None
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except PermissionError:
        return None


class ImapFolder:
    """A folder on an IMAP server (RFC 3501): what is not seen yet; a context manager. Only over TLS (RFC 8314).

    Args:
        host: its name, which its certificate must bear.
        port: 993.
        user: the account.
        password: its password.
        folder: usually INBOX.
        context: how certificates are verified.
        timeout_s: for each answer.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        user: str,
        password: str,
        folder: str,
        context: ssl.SSLContext | None = None,
        timeout_s: float = 60,
    ) -> None:
        self._where, self._folder, self._timeout_s = f"{host}:{port}", folder, timeout_s
        self._address, self._account = (host, port), (user, password)
        self._context = context or ssl.create_default_context()
        self._server: imaplib.IMAP4 | None = None

    def __enter__(self) -> Self:
        """Connect, log in and open the folder.

        Raises:
            MailError: in words.
        """
        with self._translated():
            host, port = self._address
            server = imaplib.IMAP4_SSL(host, port, ssl_context=self._context, timeout=self._timeout_s)
            self._server = server
        try:
            with self._translated():
                server.login(*self._account)
                _fine(server.select(_quoted(self._folder)))
        except MailError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        server, self._server = self._server, None
        if server is not None:
            try:
                with suppress(imaplib.IMAP4.error, OSError):
                    server.logout()
            finally:
                with suppress(OSError):
                    server.shutdown()  # after a lost connection, logging out has closed nothing

    def arrived(self) -> Iterator[Arrived]:
        """Give out what is not seen yet.

        Raises:
            MailError: in words.
        """
        server = self._opened()
        with self._translated():
            numbers = _fine(server.uid("SEARCH", "UNSEEN"))
        waiting = (numbers[0] or b"").split() if numbers else []
        for number in waiting[:MAX_MESSAGES]:
            with self._translated():
                # PEEK: it is seen when it has been dealt with, not before. No more than is read anyway.
                parts = _fine(server.uid("FETCH", number.decode("ascii"), f"(BODY.PEEK[]<0.{MAX_BYTES}>)"))
            content = next((part[1] for part in parts if isinstance(part, tuple)), None)
            yield Arrived(name=number.decode("ascii"), content=content)

    def done(self, name: str, *, is_odd: bool = False) -> None:
        """Mark a message as seen, or as flagged too.

        Raises:
            MailError: in words.
        """
        with self._translated():
            flags = r"(\Seen \Flagged)" if is_odd else r"(\Seen)"
            _fine(self._opened().uid("STORE", name, "+FLAGS.SILENT", flags))

    def _opened(self) -> imaplib.IMAP4:
        assert self._server is not None, "entered before it is used"
        return self._server

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            problem = f"{self._where} cannot prove who it is ({error.verify_message}); nothing was sent to it"
            raise MailError(problem, permanent=False, systemic=True) from error
        except imaplib.IMAP4.error as error:
            raise MailError(f"{self._where} refuses: {_words(error)}", permanent=False, systemic=True) from error
        except OSError as error:
            said = error.strerror or str(error) or "no answer"
            raise MailError(f"{self._where} cannot be reached: {said}", permanent=False, systemic=True) from error


def _fine(answer: tuple[str, list[Any]]) -> list[Any]:
    """Return the parts of a good answer: bytes, None, or pairs of bytes where there is a literal."""
    state, parts = answer
    if state != "OK":
        raise imaplib.IMAP4.error(b" ".join(part for part in parts if isinstance(part, bytes)))
    return parts


def _words(error: imaplib.IMAP4.error) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _quoted(folder: str) -> str:
    """Return a folder's name as a quoted string (RFC 3501, 4.3)."""
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
