"""The command ``sources``: what is configured, and whether it answers."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from paperdigest.cli.fetch import listing_fields, show
from paperdigest.cli.output import as_json, json_option, table
from paperdigest.cli.session import Session, pass_session

__all__ = ["sources"]


@click.group()
def sources() -> None:
    """List and check the configured sources; OPML in and out."""


@sources.command("list")
@json_option
@pass_session
def sources_list(session: Session, as_json_: bool) -> None:
    """Print each source with its last listing."""
    rows = session.app(create=True).sources_overview()
    if as_json_:
        as_json({"sources": [row.fields() for row in rows]})
        return
    table(
        ("source", "kind", "enabled", "last listing", "state", "note"),
        [(row.name, row.kind, "yes" if row.enabled else "no", row.listed_on, row.state, row.note) for row in rows],
        wrap=5,
    )


@sources.command("check")
@click.argument("names", metavar="[SOURCE]...", nargs=-1)
@json_option
@pass_session
def sources_check(session: Session, names: tuple[str, ...], as_json_: bool) -> None:
    """Ask each source once and say what it answers; nothing is stored. Exit code 3 when one fails."""
    report = session.app(create=True).check_sources(names)
    if as_json_:
        as_json({"listings": [listing_fields(listing) for listing in report.listings]})
    elif not report.listings:
        click.echo("no source is enabled: the settings name them in [[sources]] tables")
    else:
        show(report)
    if not report.is_good:
        raise click.exceptions.Exit(3)


@sources.command("export")
@pass_session
def sources_export(session: Session) -> None:
    """Write the feed sources as OPML on standard output."""
    from paperdigest.app import opml_of

    sys.stdout.buffer.write(opml_of(session.settings))


@sources.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def sources_import(file: Path) -> None:
    """Print the feeds of an OPML file as [[sources]] tables, to be pasted into config.toml."""
    from paperdigest.app import tables_of_opml

    click.echo(tables_of_opml(file.name, file.read_bytes()), nl=False)
