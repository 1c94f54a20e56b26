"""The commands ``init`` and ``config``."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import click

from paperdigest.cli.output import as_json, json_option
from paperdigest.cli.session import Session, pass_session, writing_to
from paperdigest.config import Settings, default_config_path
from paperdigest.errors import ConfigError, Problem, RenderError

__all__ = ["config", "init"]


@click.command()
@json_option
@pass_session
def init(session: Session, as_json_: bool) -> None:
    """Write config.toml, the database and a key, so that everything works.

    No account and no server is needed: papers go into a SQLite file, digests into a Maildir, both in
    the XDG data directory. What is there already is kept; running it twice is harmless.
    """
    path = Path(session.config_file) if session.config_file else default_config_path()
    wrote = not path.exists()
    if wrote:
        with writing_to(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files("paperdigest").joinpath("config.example.toml").read_bytes())
    session.config_file = str(path)
    app = session.app(create=True)
    app.ensure_secret_key()
    result = {
        "config": str(path),
        "config_written": wrote,
        "database": str(app.store_path),
        "mailer": app.settings.mail.mailer,
        "maildir": str(app.maildir_path) if app.settings.mail.mailer == "maildir" else None,
    }
    if as_json_:
        as_json(result)
        return
    click.echo(f"settings  {path} {'(written)' if wrote else '(kept)'}")
    click.echo(f"database  {result['database']}")
    click.echo(f"digests   {result['maildir'] or result['mailer']}")
    click.echo("next      paperdigest fetch")
    click.echo("          paperdigest subscriber add you@example.org --topic 'trace' --confirmed")
    click.echo("          paperdigest send")


@click.group()
def config() -> None:
    """Show and check the settings."""


@config.command("show")
@json_option
@pass_session
def config_show(session: Session, as_json_: bool) -> None:
    """Print the settings in force, defaults included, secrets masked."""
    shown = session.settings.masked()
    if as_json_:
        as_json(shown)
        return
    click.echo(f"# from {session.settings.path or 'the defaults'}")
    for key, value in flatten(shown):
        click.echo(f"{key} = {json.dumps(value, ensure_ascii=False)}")


@config.command("check")
@json_option
@pass_session
def config_check(session: Session, as_json_: bool) -> None:
    """Report every mistake in the settings at once; exit code 2 when there is one."""
    from paperdigest.app import check_mail

    try:
        settings = session.settings
        check_mail(settings)
        _check_templates(settings)
    except ConfigError as error:
        if as_json_:
            problems = [{"key": problem.key, "message": problem.message} for problem in error.problems]
            as_json({"path": error.path, "problems": problems})
        raise
    where = str(settings.path) if settings.path else "the defaults"
    if as_json_:
        as_json({"path": str(settings.path) if settings.path else None, "problems": []})
    else:
        click.echo(f"{where}: no problem found")


def _check_templates(settings: Settings) -> None:
    """Write the sample by the operator's own templates, if there are any.

    Raises:
        ConfigError: one of them is broken.
    """
    if not settings.digest.templates:
        return
    from paperdigest.app.letters import Letters

    try:
        Letters(settings).check()
    except RenderError as error:
        problem = Problem("digest.templates", str(error))
        raise ConfigError(str(settings.path or "the defaults"), (problem,)) from error


def flatten(value: object, key: str = "") -> list[tuple[str, object]]:
    """Turn nested tables into (key path, value) rows."""
    if isinstance(value, dict):
        return [row for name, part in value.items() for row in flatten(part, f"{key}.{name}" if key else name)]
    if isinstance(value, list | tuple):
        return [row for index, part in enumerate(value) for row in flatten(part, f"{key}[{index}]")]
    return [(key, value)]
