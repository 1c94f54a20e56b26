"""What one run of the command line holds: settings, the moment, the open application."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paperdigest.errors import UsageError

if TYPE_CHECKING:
    from paperdigest.app import App
    from paperdigest.config import Settings

__all__ = ["Session", "clean_lines", "pass_session", "writing_to"]


@dataclass(slots=True)
class Session:
    """Opens things when they are first needed, so that `config check` needs no database."""

    config_file: str | None = None
    now_text: str | None = None
    verbose: bool = False
    _app: App | None = field(default=None, init=False)
    _settings: Settings | None = field(default=None, init=False)

    @property
    def now(self) -> datetime:
        """Return the moment of this run in UTC: ``--now``, else the clock."""
        return datetime.now(UTC) if self.now_text is None else parse_moment(self.now_text)

    @property
    def settings(self) -> Settings:
        """Return the checked settings.

        Raises:
            ConfigError: with all mistakes.
        """
        if self._settings is None:
            from paperdigest.app import read_settings

            self._settings = read_settings(Path(self.config_file) if self.config_file else None)
        return self._settings

    def app(self, *, create: bool = False) -> App:
        """Open the application; ``create`` makes a database that is not there yet.

        Raises:
            ConfigError, StoreError, PluginError: in words.
        """
        if self._app is None:
            from paperdigest.app import App

            clock = None if self.now_text is None else (lambda moment=self.now: moment)
            self._app = App.open(self.settings, create=create, clock=clock)
            if self._app.created:
                self.say(f"created the database {self._app.store_path}")
        return self._app

    def say(self, text: str) -> None:
        """Tell the person something that is not the result: on standard error, harmless to their terminal."""
        click.echo(clean_lines(text), err=True)

    def close(self) -> None:
        """Close what was opened."""
        if self._app is not None:
            self._app.close()


pass_session = click.make_pass_decorator(Session)


@contextmanager
def writing_to(place: str | Path) -> Iterator[None]:
    """Say in words that a place cannot be written.

    Raises:
        UsageError: for any trouble of the file system.
    """
    try:
        yield
    except OSError as error:
        raise UsageError(f"{place} cannot be written: {error.strerror or error}", "Name another place") from error


def clean_lines(text: str) -> str:
    """Take control characters out of each line: what a server says must not drive the reader's terminal."""
    return "\n".join("".join(char if char.isprintable() else " " for char in line) for line in text.split("\n"))


def parse_moment(text: str) -> datetime:
    """Read an ISO 8601 moment; without a zone it is UTC, a date alone is its midnight.

    Raises:
        UsageError: it is not one.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--now: {text!r} is no ISO 8601 moment", "Write it like 2026-04-15T06:00:00Z") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
