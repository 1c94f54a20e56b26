"""The command ``run``."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paperdigest.cli.session import Session, pass_session
from paperdigest.errors import UsageError

if TYPE_CHECKING:
    from paperdigest.config import Settings

__all__ = ["run"]

_EX_SOFTWARE = 70


@click.command()
@click.option("--once", is_flag=True, help="Do what is due now, once, and exit.")
@pass_session
def run(session: Session, once: bool) -> None:
    """Fetch, send and take in bounces whenever something is due, until told to stop.

    The same as `fetch` and `send` from cron; both at once, or two of it, do no harm. SIGTERM ends it within half a
    minute, SIGHUP makes it read the settings again, or refuse them and go on with the old ones. What it does is
    said on standard error. Exit code 0 after a signal, 70 after repeated defects; with --once that of the first
    error, else 5 when a mail was given up, else 3 when a listing could not be read.
    """
    if session.now_text is not None and not once:
        raise UsageError(
            "--now holds the clock still, and `run` waits for it to move", "Add --once, or leave --now out"
        )
    settings = _checked(session.settings)
    if once:
        _once(session, settings)
        return
    from paperdigest.scheduler import Daemon, Signalled

    signalled = Signalled()
    with signalled.listening():
        if not Daemon(settings, lambda: _read_again(session), signalled).run():
            raise click.exceptions.Exit(_EX_SOFTWARE)


def _once(session: Session, settings: Settings) -> None:
    from paperdigest.app.heartbeat import Heartbeat

    heart = Heartbeat(settings, lambda: session.now, threading.Event())
    heart.once()
    if heart.first_error is not None:
        raise click.exceptions.Exit(heart.first_error.exit_code)
    if heart.is_mail_given_up:
        raise click.exceptions.Exit(5)
    if heart.is_listing_bad:
        raise click.exceptions.Exit(3)


def _read_again(session: Session) -> Settings:
    from paperdigest.app import read_settings

    return _checked(read_settings(Path(session.config_file) if session.config_file else None))


def _checked(settings: Settings) -> Settings:
    """Let everything that is made from the settings check them; then put the log in force.

    Raises:
        ConfigError, PluginError, RenderError, StoreError: in words.
    """
    from paperdigest import logs
    from paperdigest.app.heartbeat import check_settings

    check_settings(settings)
    logs.configure(settings.log.format)
    return settings
