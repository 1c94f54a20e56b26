"""Settings to objects: sources and mailers by their registered names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from paperdigest import mail, sources
from paperdigest.config import Settings, SourceSettings, load_settings, problems_of
from paperdigest.errors import ConfigError, PluginError, Problem, UsageError
from paperdigest.pipeline.fetching import ConfiguredSource
from paperdigest.plugins import known_plugins, load_plugin
from paperdigest.protocols import Mailer, Source

__all__ = [
    "check_mailer",
    "configured_sources",
    "make_mailer",
    "make_reader",
    "make_source",
    "read_settings",
    "smtp_settings",
]

_AROUND = ("name", "kind", "enabled", "allow_private", "fetch_at")
"""The keys of a ``[[sources]]`` table that are not the source's own."""


def read_settings(path: Path | None) -> Settings:
    """Read the settings and let every plug-in check its own keys, so that all mistakes come at once.

    Raises:
        ConfigError: with every mistake under its key path.
    """
    return load_settings(path, check=_plugin_problems)


def make_source(name: str, kind: str, own: Mapping[str, Any]) -> Source:
    """Make one source from its own settings.

    Raises:
        PluginError: the kind is unknown or cannot be loaded.
        ConfigError: its settings cannot be used.
    """
    cls = load_plugin("sources", kind, sources.BUILTIN)
    try:
        return cast("Source", cls(name, own))
    except ValidationError as error:
        raise ConfigError(f"source {name!r}", problems_of(error)) from error


def make_reader(kind: str) -> Source:
    """Make a source of that kind that only parses documents had by other means; it is named after its kind.

    Raises:
        PluginError: the kind is unknown or cannot be loaded.
        ConfigError: the kind cannot do without settings of its own.
    """
    try:
        return make_source(kind, kind, {})
    except ConfigError:
        # A kind that needs to know where it lives is given an address that nobody will ever answer (RFC 6761, 6.4).
        return make_source(kind, kind, {"url": "https://documents.invalid/"})


def configured_sources(settings: Settings, names: tuple[str, ...]) -> tuple[ConfiguredSource, ...]:
    """Make the named sources, or all that are enabled.

    Raises:
        UsageError: a name that is not configured.
    """
    known = {table.name: table for table in settings.sources}
    for name in names:
        if name not in known:
            raise UsageError(f"no source is named {name!r}", f"Configured: {', '.join(known) or 'none'}")
    chosen = [known[name] for name in names] if names else [table for table in settings.sources if table.enabled]
    return tuple(_configured(table) for table in chosen)


def make_mailer(settings: Settings) -> Mailer:
    """Make the mailer that ``[mail] mailer`` names, from the table of its own name.

    Raises:
        PluginError, ConfigError: unknown mailer; settings it cannot use.
    """
    name = settings.mail.mailer
    own: dict[str, Any] = {}
    if name == "maildir":
        own = {"path": str(settings.file(settings.mail.maildir.path, "Maildir"))}
    elif name == "smtp":
        own = smtp_settings(settings)
    elif name == "sendmail":
        own = settings.mail.sendmail.model_dump()
    elif name != "console":
        own = dict((settings.mail.model_extra or {}).get(name, {}))
    try:
        return cast("Mailer", load_plugin("mailers", name, mail.BUILTIN)(own))
    except ValidationError as error:
        raise ConfigError(str(settings.path or "settings"), problems_of(error, f"mail.{name}")) from error


def smtp_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings of the ``smtp`` mailer, with files found and the password read.

    Raises:
        ConfigError: the file of the password cannot be read.
    """
    own = settings.mail.smtp.model_dump(exclude={"password_file"})
    for key in ("ca_file", "token_file"):
        own[key] = str(settings.file(own[key], "")) if own[key] else ""
    if (password := settings.secret("PAPERDIGEST_SMTP_PASSWORD", settings.mail.smtp.password_file)) is not None:
        own["password"] = password.get_secret_value()
    return own


def check_mailer(settings: Settings) -> None:
    """Let the configured mailer check its settings, secrets included; nothing is connected.

    Raises:
        PluginError, ConfigError: it could not be made for `send` either.
    """
    make_mailer(settings)


def _configured(table: SourceSettings) -> ConfiguredSource:
    return ConfiguredSource(source=make_source(table.name, table.kind, table.own), allow_private=table.allow_private)


def _plugin_problems(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Find in the raw tables the mistakes that only plug-ins know."""
    tables = raw.get("sources", [])
    for index, table in enumerate(tables if isinstance(tables, list) else []):
        if isinstance(table, dict) and isinstance(table.get("kind"), str):
            yield from _source_problems(f"sources[{index}]", table)
    mailer = raw.get("mail", {}).get("mailer") if isinstance(raw.get("mail"), dict) else None
    if isinstance(mailer, str) and mailer not in (known := known_plugins("mailers", mail.BUILTIN)):
        yield Problem("mail.mailer", f"{mailer!r} is not known; known: {', '.join(known)}")


def _source_problems(key: str, table: Mapping[str, Any]) -> Iterator[Problem]:
    own = {name: value for name, value in table.items() if name not in _AROUND}
    try:
        load_plugin("sources", table["kind"], sources.BUILTIN)(str(table.get("name", "unnamed")), own)
    except PluginError as error:
        yield Problem(f"{key}.kind", str(error))
    except ValidationError as error:
        yield from problems_of(error, key)
