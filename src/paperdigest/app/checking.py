"""What is wrong with settings that only a look at files, keys and plug-ins can find: all of it, under its key path."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from paperdigest import mail, sources
from paperdigest.app import plugging, storage
from paperdigest.app.bounces import ENVIRONMENT as IMAP_PASSWORD
from paperdigest.app.signing import DKIM_KEYS
from paperdigest.config import MailSettings, Settings, default_config_path, load_settings, problems_of
from paperdigest.errors import ConfigError, PluginError, Problem, UsageError
from paperdigest.mail.dkim_keys import load_key
from paperdigest.plugins import known_plugins, load_plugin

__all__ = ["check_mail", "read_settings", "told_together"]

Tables = Mapping[str, Any]
Place = Callable[[str, str], Path]

_UNREAD = SecretStr("unread")


def read_settings(path: Path | None) -> Settings:
    """Read the settings and let every plug-in check its own keys, so that all mistakes come at once.

    Files that settings name (keys, passwords) are looked at when there is another mistake: who does not need them now
    need not be able to read them (see `check_mail`).

    Raises:
        ConfigError: with every mistake under its key path.
    """
    place = Settings(path=(path or default_config_path()).absolute()).file
    return load_settings(path, check=_plugin_problems, besides=lambda raw: _mail_problems(raw, place))


def check_mail(settings: Settings) -> None:
    """Check everything that making and sending mails needs: keys, passwords, the mailer. Nothing is connected.

    Raises:
        ConfigError: with every mistake under its key path.
    """
    problems = tuple(_mail_problems(settings.model_dump(by_alias=True), settings.file))
    if problems:
        raise ConfigError(str(settings.path or "the defaults"), problems)


@contextmanager
def told_together(settings: Settings) -> Iterator[None]:
    """Let whoever meets one mistake in the block tell of all that `check_mail` finds."""
    try:
        yield
    except ConfigError:
        check_mail(settings)
        raise


def _mail_problems(raw: Tables, place: Place) -> Iterator[Problem]:
    """Find what is wrong with files and the mailer, also when other tables cannot be used."""
    files = tuple(_file_problems(raw, place))
    yield from files
    known = {problem.key for problem in files}
    try:
        mail_settings = MailSettings.model_validate(raw.get("mail", {}))
    except ValidationError:
        return  # what is wrong there is told by whoever reads the settings
    settings = Settings(mail=mail_settings, path=place("config.toml", ""))
    password = _UNREAD if plugging.PASSWORD_FILE in known else None
    try:
        plugging.make_mailer(settings, password=password)
    except ConfigError as error:
        yield from (problem for problem in error.problems if problem.key not in known)
    except PluginError as error:
        yield Problem("mail.mailer", str(error))


def _file_problems(raw: Tables, place: Place) -> Iterator[Problem]:
    digest, mail_table = _table(raw, "digest"), _table(raw, "mail")
    if (templates := _text(digest, "templates")) and not place(templates, "").is_dir():
        yield Problem("digest.templates", f"{place(templates, '')} is no folder")
    yield from _secret_key_problems(mail_table, place)
    yield from _signing_problems(_table(mail_table, "dkim"), place)
    if mail_table.get("mailer") == "smtp":
        yield from _login_problems(_table(mail_table, "smtp"), place)
    yield from _imap_problems(_table(mail_table, "bounces"), place)


def _secret_key_problems(table: Tables, place: Place) -> Iterator[Problem]:
    own = place(_text(table, "secret_key_file"), storage.FILE)
    named = table.get("previous_key_files", ())
    previous = [one for one in named if isinstance(one, str)] if isinstance(named, list | tuple) else []
    keys = {f"mail.previous_key_files[{index}]": place(name, name) for index, name in enumerate(previous)}
    if own.exists() and not os.environ.get(storage.ENVIRONMENT):  # else it is made when it is needed
        keys["mail.secret_key_file"] = own
    for key, path in keys.items():
        if (why := _unreadable(path)) is not None:
            yield Problem(key, why)
        elif len(path.read_text(encoding="utf-8").strip()) < storage.LEAST_KEY:
            yield Problem(key, f"{path} holds no key: at least {storage.LEAST_KEY} characters are wanted")


def _signing_problems(table: Tables, place: Place) -> Iterator[Problem]:
    for selector, file in DKIM_KEYS:
        if not (name := _text(table, file)):
            continue
        if not _text(table, selector):
            yield Problem(f"mail.dkim.{selector}", f"is missing: the name under which {name} stands in the DNS")
        try:
            load_key(place(name, name))
        except UsageError as error:
            yield Problem(f"mail.dkim.{file}", str(error))


def _login_problems(table: Tables, place: Place) -> Iterator[Problem]:
    files = {"token_file": ""} | {"password_file": plugging.PASSWORD}
    for key, environment in files.items():
        name = _text(table, key)
        if name and not os.environ.get(environment) and (why := _unreadable(place(name, name))) is not None:
            yield Problem(f"mail.smtp.{key}", why)


def _imap_problems(table: Tables, place: Place) -> Iterator[Problem]:
    if not _text(table, "imap_host"):
        return
    if not _text(table, "imap_user"):
        yield Problem("mail.bounces.imap_user", "is not set")
    if os.environ.get(IMAP_PASSWORD):
        return
    name = _text(table, "imap_password_file")
    if not name:
        yield Problem("mail.bounces.imap_password_file", f"is not set, and there is no {IMAP_PASSWORD}")
    elif (why := _unreadable(place(name, name))) is not None:
        yield Problem("mail.bounces.imap_password_file", why)


def _unreadable(path: Path) -> str | None:
    try:
        path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        return f"{path} cannot be read: {reason}"
    return None


def _table(tables: Tables, name: str) -> Tables:
    found = tables.get(name)
    return found if isinstance(found, Mapping) else {}


def _text(table: Tables, key: str) -> str:
    found = table.get(key)
    return found if isinstance(found, str) else ""


def _plugin_problems(raw: Tables) -> Iterator[Problem]:
    """Find in the raw tables the mistakes that only plug-ins know."""
    tables = raw.get("sources", [])
    for index, table in enumerate(tables if isinstance(tables, list) else []):
        if isinstance(table, dict) and isinstance(table.get("kind"), str):
            yield from _source_problems(f"sources[{index}]", table)
    mailer = _table(raw, "mail").get("mailer")
    if isinstance(mailer, str) and mailer not in (known := known_plugins("mailers", mail.BUILTIN)):
        yield Problem("mail.mailer", f"{mailer!r} is not known; known: {', '.join(known)}")


def _source_problems(key: str, table: Tables) -> Iterator[Problem]:
    own = {name: value for name, value in table.items() if name not in plugging.AROUND}
    try:
        load_plugin("sources", table["kind"], sources.BUILTIN)(str(table.get("name", "unnamed")), own)
    except PluginError as error:
        yield Problem(f"{key}.kind", str(error))
    except ValidationError as error:
        yield from problems_of(error, key)
