"""From a file to checked settings, with every mistake at once."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from platformdirs import user_config_path
from pydantic import ValidationError

from paperdigest.config.mail import MailSettings
from paperdigest.config.settings import Settings
from paperdigest.errors import ConfigError, Problem

__all__ = ["default_config_path", "load_settings", "problems_of"]

Check = Callable[[Mapping[str, Any]], Iterable[Problem]]

_UNKNOWN = "is not a setting; see config.example.toml for all of them"
_SECRETS = ("password", "secret_key", "token", "api_key")


def default_config_path() -> Path:
    """Return ``$PAPERDIGEST_CONFIG`` or the XDG place of config.toml."""
    named = os.environ.get("PAPERDIGEST_CONFIG")
    return Path(named) if named else user_config_path("paperdigest") / "config.toml"


def load_settings(path: Path | None = None, check: Check | None = None, besides: Check | None = None) -> Settings:
    """Read and check the settings.

    Args:
        path: the file, None for the default place.
        check: finds mistakes that only plug-ins know (a source's own keys) in the raw tables, so that
            they are reported together with ours.
        besides: finds what is wrong with the things that settings name; asked only when there is another mistake.

    Raises:
        ConfigError: with every mistake, each under its key path (``sources[1].category``).
    """
    found = path or default_config_path()
    if path is None and not os.environ.get("PAPERDIGEST_CONFIG") and not found.exists():
        return Settings()
    raw = _read_toml(found)
    problems = [*_unknown_in_mail(raw), *_secrets_in(raw), *(check(raw) if check else ())]
    settings = None
    try:
        settings = Settings.model_validate({**raw, "path": found.absolute()})
    except ValidationError as error:
        problems = [*problems_of(error), *problems]
    if settings is None or problems:
        raise ConfigError(str(found), _once([*problems, *(besides(raw) if besides else ())]))
    return settings


def _once(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return what is wrong with each key once: in the words of whoever knows most of it, which is the last."""
    return tuple({problem.key: problem for problem in problems}.values())


def _unknown_in_mail(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Find the keys of ``[mail]`` that nobody reads; a mailer that is a plug-in has a table of its own name."""
    table = raw.get("mail")
    if not isinstance(table, dict):
        return
    for key, value in table.items():
        if key in MailSettings.own_keys() or key == table.get("mailer"):
            continue
        unknown = f"is the table of no mailer in use (mail.mailer = {table.get('mailer', 'maildir')!r})"
        yield Problem(f"mail.{key}", unknown if isinstance(value, dict) else _UNKNOWN)


def problems_of(error: ValidationError, prefix: str = "") -> tuple[Problem, ...]:
    """Turn pydantic's errors into ours, with key paths as a person would write them."""
    return tuple(Problem(_key_path(item["loc"], prefix), _in_words(item)) for item in error.errors(include_url=False))


def _key_path(location: tuple[int | str, ...], prefix: str) -> str:
    path = prefix
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path or "settings"


def _in_words(item: Any) -> str:
    if item["type"] == "extra_forbidden":
        return _UNKNOWN
    if item["type"] == "string_pattern_mismatch":
        return f"{item['input']!r} does not have the form that config.example.toml shows"
    if item["type"] == "missing":
        return "is missing"
    message = item["msg"].removeprefix("Value error, ")
    given = item["input"]
    return (
        f"{message}, not {given!r}"
        if isinstance(given, str | int | float) and item["type"] != "value_error"
        else message
    )


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError as error:
        hint = Problem("file", "does not exist; `paperdigest init` writes one")
        raise ConfigError(str(path), (hint,)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), (Problem("file", f"cannot be read: {error}"),)) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), (Problem("TOML", str(error)),)) from error


def _secrets_in(raw: Any, key: str = "") -> Iterator[Problem]:
    """Find secrets written into the settings, where backups and colleagues would read them."""
    if isinstance(raw, dict):
        for name, value in raw.items():
            yield from _secrets_in(value, f"{key}.{name}" if key else name)
    elif isinstance(raw, list):
        for index, value in enumerate(raw):
            yield from _secrets_in(value, f"{key}[{index}]")
    elif (name := key.rpartition(".")[2]) in _SECRETS:
        yield Problem(key, f"secrets do not belong into the settings: use {name}_file or the environment")
