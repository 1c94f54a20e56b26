"""The command ``db``: check, back up, prune and upgrade the database."""

from __future__ import annotations

from pathlib import Path

import click

from paperdigest.cli.output import as_json, json_option
from paperdigest.cli.session import Session, pass_session

__all__ = ["db"]


@click.group()
def db() -> None:
    """Check, back up, prune and upgrade the database."""


@db.command("check")
@json_option
@pass_session
def db_check(session: Session, as_json_: bool) -> None:
    """Verify the file, its indexes and paperdigest's own invariants; exit code 4 when something is wrong."""
    app = session.app()
    findings = app.store.check()
    counts = app.store.counts()
    if as_json_:
        as_json({"database": str(app.store_path), "findings": list(findings), "counts": counts})
    else:
        for finding in findings:
            click.echo(f"WRONG  {finding}")
        click.echo(f"{app.store_path}: {'no problem found' if not findings else f'{len(findings)} findings'}")
        click.echo("  " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    if findings:
        raise click.exceptions.Exit(4)


@db.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE when it exists.")
@json_option
@pass_session
def db_backup(session: Session, file: Path, force: bool, as_json_: bool) -> None:
    """Copy the database to FILE, safely while others write, and verify the copy."""
    app = session.app()
    app.store.backup(file, force=force)
    size = file.stat().st_size
    if as_json_:
        as_json({"database": str(app.store_path), "backup": str(file), "bytes": size})
    else:
        click.echo(f"{file}: {size / 1e6:.1f} MB, verified")


@db.command("prune")
@json_option
@pass_session
def db_prune(session: Session, as_json_: bool) -> None:
    """Remove texts that only the digests of removed subscribers showed, and vectors of texts that nobody has."""
    from paperdigest.store.pruning import prune

    app = session.app()
    pruned = prune(app.store.database)
    if as_json_:
        as_json({"database": str(app.store_path), "fragments": pruned.fragments, "vectors": pruned.vectors})
    else:
        click.echo(f"{app.store_path}: {pruned.fragments} texts of digests and {pruned.vectors} vectors removed")


@db.command("upgrade")
@json_option
@pass_session
def db_upgrade(session: Session, as_json_: bool) -> None:
    """Bring an older database to this version's schema; a backup is made first."""
    from paperdigest.app import upgrade_store

    upgraded = upgrade_store(session.settings)
    if as_json_:
        as_json(
            {"from": upgraded.found, "to": upgraded.now, "backup": str(upgraded.backup) if upgraded.backup else None}
        )
    elif upgraded.found == upgraded.now:
        click.echo(f"the database is at schema {upgraded.now} already")
    else:
        click.echo(f"schema {upgraded.found} → {upgraded.now}; the old database is kept as {upgraded.backup}")
