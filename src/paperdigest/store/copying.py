"""A copy of the database while others read and write it (SQLite's online backup), verified before it counts."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from paperdigest.errors import AlreadyExistsError, StoreError
from paperdigest.store.engine import connect_raw, translated

__all__ = ["copy_database"]


def copy_database(source: Path, target: Path, *, force: bool = False) -> None:
    """Copy ``source`` to ``target``: one state of it, complete, checked, in one file without a WAL.

    The copy is made under a temporary name and moved into place at the end, so ``target`` is either the whole
    copy or what it was before.

    Raises:
        AlreadyExistsError: ``target`` exists and ``force`` is not set.
        StoreError: no space, no right to write, or the copy is not sound.
    """
    if target.exists() and not force:
        raise AlreadyExistsError("file", str(target), "Choose another name, or replace it with --force")
    if target.exists() and target.samefile(source):
        raise StoreError(f"{target} is the database itself", "Choose another name for the backup")
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error.strerror}", "Check its folder") from error
    try:
        _copy(source, partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    with contextlib.closing(connect_raw(source)) as old, contextlib.closing(connect_raw(target)) as new:
        with translated(source):
            # All pages in one step: a reader's snapshot, which no writer can make start over.
            old.backup(new)
        with translated(target):
            new.execute("PRAGMA journal_mode = DELETE")
            finding = new.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if finding != "ok":
        raise StoreError(
            f"the copy of {source} is damaged: {finding}", "Check the database with `paperdigest db check`"
        )
