"""Settings to objects: sources and mailers by their registered names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pydantic import SecretStr, ValidationError

from paperdigest import mail, sources
from paperdigest.config import Settings, SourceSettings, problems_of
from paperdigest.errors import ConfigError, UsageError
from paperdigest.pipeline.fetching import ConfiguredSource
from paperdigest.plugins import load_plugin
from paperdigest.protocols import Mailer, Source

__all__ = [
    "AROUND",
    "PASSWORD",
    "PASSWORD_FILE",
    "configured_sources",
    "make_mailer",
    "make_reader",
    "make_source",
    "smtp_settings",
]

AROUND = ("name", "kind", "enabled", "allow_private", "fetch_at")
"""The keys of a ``[[sources]]`` table that are not the source's own."""

PASSWORD = "PAPERDIGEST_SMTP_PASSWORD"  # noqa: S105  the name of the variable that holds it
PASSWORD_FILE = "mail.smtp.password_file"  # noqa: S105  the key path of the setting


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


def make_mailer(settings: Settings, *, password: SecretStr | None = None) -> Mailer:
    """Make the mailer that ``[mail] mailer`` names, from the table of its own name.

    Args:
        settings: say which.
        password: in place of the configured one, which is not read then.

    Raises:
        PluginError, ConfigError: unknown mailer; settings it cannot use.
    """
    name = settings.mail.mailer
    own: dict[str, Any] = {}
    if name == "maildir":
        own = {"path": str(settings.file(settings.mail.maildir.path, "Maildir"))}
    elif name == "smtp":
        own = smtp_settings(settings, password=password)
    elif name == "sendmail":
        own = settings.mail.sendmail.model_dump()
    elif name != "console":
        own = dict((settings.mail.model_extra or {}).get(name, {}))
    try:
        return cast("Mailer", load_plugin("mailers", name, mail.BUILTIN)(own))
    except ValidationError as error:
        raise ConfigError(str(settings.path or "settings"), problems_of(error, f"mail.{name}")) from error


def smtp_settings(settings: Settings, *, password: SecretStr | None = None) -> dict[str, Any]:
    """Return the settings of the ``smtp`` mailer, with files found and the password read, unless it is given.

    Raises:
        ConfigError: the file of the password cannot be read.
    """
    own = settings.mail.smtp.model_dump(exclude={"password_file"})
    for key in ("ca_file", "token_file"):
        own[key] = str(settings.file(own[key], "")) if own[key] else ""
    found = password or settings.secret(PASSWORD, settings.mail.smtp.password_file, key=PASSWORD_FILE)
    if found is not None:
        own["password"] = found.get_secret_value()
    return own


def _configured(table: SourceSettings) -> ConfiguredSource:
    return ConfiguredSource(source=make_source(table.name, table.kind, table.own), allow_private=table.allow_private)
