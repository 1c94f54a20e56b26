"""The connection to the database: one SQLite file in WAL mode, every write one immediate transaction.

Other modules of the store ask a `Database` for ``reading()`` or ``writing()`` and get a SQLAlchemy
connection inside a transaction; what SQLite complains about leaves as `StoreError` in plain words.
"""

from __future__ import annotations

import contextlib
import math
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import cast
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.pool import QueuePool

from paperdigest.errors import StoreError

__all__ = ["BUSY_TIMEOUT", "Database", "Turns", "connect_raw", "database_path", "translated"]

BUSY_TIMEOUT = timedelta(seconds=10)
"""How long a connection waits for another writer before it gives up."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _LATELY_S = 0.0005, 0.002, 0.1

_BEGIN = "paperdigest_begin"

_BUSY = "another program has been writing to {path} for too long", "Wait until it has finished and try again"
_WORDS = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_PROTOCOL: _BUSY,  # so many wanted to write that one never had its turn
    sqlite3.SQLITE_LOCKED: ("{path} is locked by this very program", "Try again"),
    sqlite3.SQLITE_READONLY: (
        "{path} or its folder may not be written",
        "Give the user that runs paperdigest the right to write both the file and its folder",
    ),
    sqlite3.SQLITE_FULL: ("there is no space left for {path}", "Free some space; nothing half-written was kept"),
    sqlite3.SQLITE_IOERR: ("the disk refused to read or write {path} ({error})", "Check the disk, then the database"),
    sqlite3.SQLITE_CORRUPT: (
        "{path} is damaged ({error})",
        "Restore a backup, or see what is left with `paperdigest db check`",
    ),
    sqlite3.SQLITE_NOTADB: ("{path} is not a database", "Point `url` in [store] at another file"),
    sqlite3.SQLITE_CANTOPEN: ("{path} cannot be opened", "Check that its folder exists and may be read and written"),
    sqlite3.SQLITE_PERM: ("{path} may not be opened", "Check the rights of the file and its folder"),
    sqlite3.SQLITE_CONSTRAINT: (
        "{path} refused a row ({error})",
        "This is a mistake in paperdigest; nothing was stored. Please report it",
    ),
}


def database_path(url_or_path: str | Path) -> Path:
    """Return the file that a path or a ``sqlite:///`` URL names.

    Raises:
        StoreError: a URL of another kind of database.
    """
    text = str(url_or_path)
    if text.startswith("sqlite:///"):
        text = text.removeprefix("sqlite:///")
    elif "://" in text:
        scheme = text.partition("://")[0]
        raise StoreError(f"{scheme!r} databases are not supported", "Name a file, or write sqlite:///FILE")
    if text in ("", ":memory:"):
        raise StoreError("the database must be a file", "Name a file, or write sqlite:///FILE")
    return Path(text).expanduser()


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn every SQLite and SQLAlchemy complaint about ``path`` into a `StoreError` (the one such place)."""
    try:
        yield
    except ProgrammingError:
        raise  # a statement that cannot be right is our bug, not the database's state
    except DBAPIError as error:
        if not isinstance(error.orig, sqlite3.Error):
            raise
        raise _in_words(path, error.orig) from error
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.Error as error:
        raise _in_words(path, error) from error


def _in_words(path: Path, error: sqlite3.Error) -> StoreError:
    # The low byte of an extended code is the primary one (manual: "Result and Error Codes", 2).
    code = getattr(error, "sqlite_errorcode", None)
    problem, hint = _WORDS.get(
        (code or 0) & 0xFF, ("{path} cannot be used ({error})", "Look at it with `paperdigest db check`")
    )
    told = f"{error}, {name}" if (name := getattr(error, "sqlite_errorname", None)) else str(error)
    return StoreError(problem.format(path=path, error=told), hint)


def connect_raw(path: Path, *, mode: str = "rw", busy_timeout: timedelta = BUSY_TIMEOUT) -> sqlite3.Connection:
    """Open ``path`` without SQLAlchemy, in autocommit, with our pragmas. ``mode``: ``ro``, ``rw`` or ``rwc``."""
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}",
        uri=True,
        timeout=busy_timeout.total_seconds(),
        isolation_level=None,  # no hidden BEGIN: transactions are begun by `Database` alone
        check_same_thread=False,  # the pool lends a connection to one thread at a time
    )
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")  # a commit survives a power cut
    return connection


class Turns:
    """How the connections of a process take turns with other writers: nobody is kept out for long.

    SQLite's own waiting sleeps for longer and longer, up to 100 ms; whoever commits all the time then keeps the others
    out. Here a writer that waits asks every few milliseconds, and one that had to wait lately leaves a gap after each
    of its own transactions (`give_way`), in which the other gets in.
    """

    def __init__(
        self,
        patience: timedelta,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._patience_s = patience.total_seconds()
        self._monotonic, self._sleep = monotonic, sleep
        self._waited_at = -math.inf

    def begin(self, connection: sqlite3.Connection) -> None:
        """Begin a transaction that holds the write lock. The connection's own busy timeout should be 0.

        Raises:
            sqlite3.OperationalError: others wrote for longer than our patience, or any other trouble.
        """
        waited, pause = 0.0, _FIRST_PAUSE_S
        # Our own pauses are counted, not the clock's seconds: who was stopped meanwhile has not waited in vain.
        while not self._has_begun(connection, is_last=waited >= self._patience_s):
            nap = pause * random.uniform(0.5, 1.5)
            self._sleep(nap)
            waited += nap
            pause = min(pause * 1.3, _LONGEST_PAUSE_S)

    def _has_begun(self, connection: sqlite3.Connection, *, is_last: bool) -> bool:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if is_last or (error.sqlite_errorcode & 0xFF) != sqlite3.SQLITE_BUSY:
                raise
            self._waited_at = self._monotonic()
            return False
        return True

    def give_way(self) -> None:
        """Leave a gap for another writer, if there was one lately: for whoever commits all the time."""
        if self._monotonic() - self._waited_at < _LATELY_S:
            self._sleep(2 * _FIRST_PAUSE_S)


class Database:
    """An open database; made by `schema.open_database`, which has checked that it is ours and current."""

    def __init__(self, path: Path, *, busy_timeout: timedelta = BUSY_TIMEOUT) -> None:
        self.path = path
        self.busy_timeout = busy_timeout
        self.turns = Turns(busy_timeout)
        self._file = _identity(path)
        self._engine: Engine = create_engine(
            "sqlite://",
            creator=lambda: connect_raw(path, busy_timeout=busy_timeout),
            poolclass=QueuePool,  # the URL names no file, so SQLAlchemy would choose one connection per thread
            max_overflow=20,
        )
        event.listen(self._engine, "begin", self._begin)
        self._recorder: sqlite3.Connection | None = None
        self._recorder_lock = threading.Lock()

    def connect_writer(self) -> sqlite3.Connection:
        """Open a connection whose transactions are begun in `turns`.

        Its first look at the file waits like any other's: after a process was killed, somebody may be cleaning up.

        Raises:
            sqlite3.Error: it cannot be opened.
        """
        connection = connect_raw(self.path, busy_timeout=self.busy_timeout)
        connection.execute("PRAGMA busy_timeout = 0")
        return connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees one unchanging state of the database.

        Raises:
            StoreError: the database cannot be read.
        """
        with translated(self.path), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection in a transaction that holds the write lock from its start.

        All or nothing: committed when the block ends, rolled back when it raises.

        Raises:
            StoreError: another writer was too slow, no space, damaged file, …
        """
        with (
            translated(self.path),
            self._engine.connect() as connection,
            connection.execution_options(**{_BEGIN: True}).begin(),
        ):
            self.check_in_place()
            yield connection

    @contextmanager
    def recording(self) -> Iterator[sqlite3.Cursor]:
        """Yield a cursor of the driver in a transaction like that of `writing`: for the one path that is hot.

        Through SQLAlchemy a transaction of a few rows costs more than the rows.

        Raises:
            StoreError: as `writing`.
        """
        with translated(self.path), self._recorder_lock:
            if self._recorder is None:
                self._recorder = self.connect_writer()
            self.turns.begin(self._recorder)
            try:
                self.check_in_place()
                with contextlib.closing(self._recorder.cursor()) as cursor:
                    yield cursor
                self._recorder.execute("COMMIT")
            except BaseException:
                if self._recorder.in_transaction:  # a full disk, for one, has rolled back already
                    self._recorder.execute("ROLLBACK")
                raise

    def _begin(self, connection: Connection) -> None:
        if not connection.get_execution_options().get(_BEGIN):
            connection.exec_driver_sql("BEGIN")
            return
        raw = cast("sqlite3.Connection", connection.connection.driver_connection)
        raw.execute("PRAGMA busy_timeout = 0")  # readers wait as SQLite does, writers take turns
        try:
            self.turns.begin(raw)
        finally:
            raw.execute(f"PRAGMA busy_timeout = {int(self.busy_timeout.total_seconds() * 1000)}")

    def check_in_place(self) -> None:
        """Make sure that what is written now goes into the file that others see.

        Raises:
            StoreError: the file was deleted or replaced while it was open: it would take every write, and be gone.
        """
        found = _identity(self.path)
        if self._file is None:
            self._file = found
        if found is None or found != self._file:
            what = "deleted" if found is None else "replaced by another file"
            raise StoreError(
                f"{self.path} was {what} while it was in use", "Stop paperdigest, restore a backup, and start again"
            )

    def close(self) -> None:
        """Close every connection; the database can be used again, it will reconnect."""
        self._file = None
        self._engine.dispose()
        with self._recorder_lock:
            if self._recorder is not None:
                self._recorder.close()
                self._recorder = None


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
