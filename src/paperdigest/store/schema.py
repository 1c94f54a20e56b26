"""Opening, creating and upgrading the database file; everything that is not ours is refused in words.

``PRAGMA application_id`` says that a file is paperdigest's, ``PRAGMA user_version`` which schema it has, so
that opening a current database costs two reads and no migration machinery. A new database is made from
`tables.metadata`; an older one is brought up by alembic (``migrations/``). A test keeps the two equal.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection

from paperdigest.errors import SchemaVersionError, StoreError
from paperdigest.store import copying, delivery_tables, operation_tables, ranking_tables
from paperdigest.store.engine import BUSY_TIMEOUT, Database, connect_raw, database_path, translated
from paperdigest.store.tables import metadata

__all__ = ["APPLICATION_ID", "HEAD", "REVISIONS", "SEARCH_DDL", "Upgraded", "open_database", "upgrade"]

_ALL_TABLES = (metadata, delivery_tables.deliveries, ranking_tables.vectors, operation_tables.runs)
"""Importing a module is what adds its tables to `metadata`."""

APPLICATION_ID = int.from_bytes(b"pdig", "big")
REVISIONS: tuple[str, ...] = ("0001", "0002", "0003")
"""Every migration, oldest first; the place in it (from 1) is the file's ``user_version``."""

HEAD = REVISIONS[-1]
MIGRATIONS = Path(__file__).parent / "migrations"

SEARCH_DDL = (
    """
    CREATE VIEW paper_texts AS
    SELECT id, title, abstract, (
      SELECT group_concat(name, '; ') FROM (
        SELECT name FROM authors WHERE paper_id = papers.id ORDER BY position
      )
    ) AS authors
    FROM papers
    """,
    # External content: the index holds no second copy of the texts. It is kept up by `indexing` alone, one
    # statement for many papers: a trigger would make FTS5 write out a segment for every single row.
    # Raised and lowered digits end a word: "VLM" finds "VLM²-Bench".
    """
    CREATE VIRTUAL TABLE paper_search USING fts5(
      title, abstract, authors, content='paper_texts', content_rowid='id',
      tokenize="porter unicode61 remove_diacritics 2 separators '⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ₀₁₂₃₄₅₆₇₈₉'"
    )
    """,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """What `upgrade` did: schema before and after, and the copy of the old database (None: nothing to do)."""

    found: str
    now: str
    backup: Path | None = None


def open_database(url_or_path: str | Path, *, create: bool = False, busy_timeout: timedelta = BUSY_TIMEOUT) -> Database:
    """Open the database after making sure that it is ours, whole enough to read, and current.

    Args:
        url_or_path: a file, or ``sqlite:///FILE``.
        create: make the file (and its folder) when it is missing or empty.
        busy_timeout: how long to wait for other writers.

    Raises:
        StoreError: missing, not ours, damaged, or not readable and writable; nothing was changed.
        SchemaVersionError: another version of paperdigest made it.
    """
    path = database_path(url_or_path)
    version = _inspect(path)
    if version == 0:
        if not create:
            state = "is empty" if path.exists() else "does not exist"
            raise StoreError(f"the database {path} {state}", "Create it with `paperdigest init`")
        _create(path, busy_timeout)
    elif version != len(REVISIONS):
        raise _wrong_version(path, version)
    if not (_may_write(path) and _may_write(path.parent)):
        raise StoreError(
            f"{path} or its folder may not be written",
            "Give the user that runs paperdigest the right to write both the file and its folder",
        )
    _use_wal(path, busy_timeout)
    return Database(path, busy_timeout=busy_timeout)


def upgrade(url_or_path: str | Path, *, busy_timeout: timedelta = BUSY_TIMEOUT) -> Upgraded:
    """Bring an older database to the current schema, all or nothing, after copying it to a file beside it.

    Raises:
        StoreError: as `open_database`; the database is as it was.
    """
    path = database_path(url_or_path)
    version = _inspect(path)
    if version == 0:
        raise StoreError(f"the database {path} does not exist or is empty", "Create it with `paperdigest init`")
    if version > len(REVISIONS):
        raise _wrong_version(path, version)
    found = REVISIONS[version - 1]
    if found == HEAD:
        return Upgraded(found=found, now=HEAD)
    backup = _free_name(path, found)
    copying.copy_database(path, backup)
    database = Database(path, busy_timeout=busy_timeout)
    try:
        with database.writing() as connection:
            _migrate(connection)
            mark_current(connection)
    finally:
        database.close()
    return Upgraded(found=found, now=HEAD, backup=backup)


def mark_current(connection: Connection) -> None:
    """Write into the file that it is ours and of the current schema (part of the transaction)."""
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.exec_driver_sql(f"PRAGMA user_version = {len(REVISIONS)}")


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _inspect(path: Path) -> int:
    """Return the schema's number, 0 for a missing or empty file, without changing a byte.

    Only SQLite ever opens the file: whoever closes it, takes all locks away that connections of the same process have
    on it (POSIX), and other processes then delete the WAL into which these go on writing ("How To Corrupt An SQLite
    Database File", 2.2).
    """
    try:
        if path.is_dir():
            raise StoreError(f"{path} is a folder, not a database", "Name a file in it")
        if not path.exists() or path.stat().st_size == 0:
            return 0
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}", "Check the rights of file and folder") from error
    if not os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
        raise StoreError(f"{path} cannot be read", "Check the rights of file and folder")
    with translated(path), contextlib.closing(connect_raw(path)) as connection:
        ours = connection.execute("PRAGMA application_id").fetchone()[0]
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if ours == 0 and not tables:
        return 0
    if ours != APPLICATION_ID or version < 1:
        raise StoreError(
            f"{path} is a database of another program", "Point `url` in [store] at a file of paperdigest's own"
        )
    if version == len(REVISIONS) and (missing := set(metadata.tables) - tables):
        raise StoreError(f"{path} is damaged: without {', '.join(sorted(missing))}", "Restore a backup")
    return version


def _wrong_version(path: Path, version: int) -> SchemaVersionError:
    if version > len(REVISIONS):
        found, problem = str(version), f"{path} was made by a newer paperdigest (schema {version}, known is {HEAD})"
        return SchemaVersionError(found, HEAD, problem, "Install that version of paperdigest or a newer one")
    found = REVISIONS[version - 1]
    problem = f"{path} was made by an older paperdigest (schema {found}, needed is {HEAD})"
    return SchemaVersionError(found, HEAD, problem, "Run `paperdigest db upgrade`; it makes a backup first")


def _create(path: Path, busy_timeout: timedelta) -> None:
    """Make all tables in one transaction; another process that does the same at once is waited for."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # It will hold addresses: for its owner alone. WAL and shared memory inherit the mode. One that is there already
        # may be in use, and is not touched (see `_inspect`).
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreError(f"{path} cannot be created: {error.strerror}", "Check the rights of its folder") from error
    database = Database(path, busy_timeout=busy_timeout)
    try:
        with database.writing() as connection:
            if connection.exec_driver_sql("PRAGMA application_id").scalar() == 0:
                create_all(connection)
    finally:
        database.close()


def _use_wal(path: Path, busy_timeout: timedelta) -> None:
    """Switch the file to WAL; no write when it is so already.

    At every opening, because the switch is no part of a transaction: a kill while creating leaves it undone, and
    so does putting a backup in the database's place. If others are at work it is left to a later opening: until
    then readers wait for writers, and that is all.
    """
    with translated(path), contextlib.closing(connect_raw(path, busy_timeout=busy_timeout)) as raw:
        try:
            raw.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise


def create_all(connection: Connection) -> None:
    """Create the current schema in an empty database."""
    metadata.create_all(connection, checkfirst=False)
    for statement in SEARCH_DDL:
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
        "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (HEAD,))
    mark_current(connection)


def _migrate(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415  slow to import, and only upgrades need it
    from alembic.config import Config  # noqa: PLC0415  as above

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _free_name(path: Path, revision: str) -> Path:
    """Return a name beside ``path`` that is not taken yet."""
    for number in range(1, 1000):
        candidate = path.with_name(f"{path.name}.schema-{revision}.{number}.backup")
        if not candidate.exists():
            return candidate
    raise StoreError(f"there are a thousand backups beside {path}", "Remove those that are not needed")
