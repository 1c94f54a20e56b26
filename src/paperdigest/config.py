"""The settings, as frozen values checked all at once.

Where they come from: ``--config FILE``, else ``$PAPERDIGEST_CONFIG``, else
``$XDG_CONFIG_HOME/paperdigest/config.toml``; a missing default file means the defaults, a missing named
file is a mistake. Secrets come from the environment or from files only and print as ``********``.

All sizes and durations carry their unit in the key.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_config_path, user_data_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from paperdigest.errors import ConfigError, Problem

__all__ = ["Settings", "SourceSettings", "data_dir", "default_config_path", "load_settings"]

Check = Callable[[Mapping[str, Any]], Iterable[Problem]]

_APP = "paperdigest"
_SECRETS = ("password", "secret_key", "token", "api_key")


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class StoreSettings(_Table):
    """Where papers, subscribers and the delivery ledger are kept."""

    url: str = ""


class FetchSettings(_Table):
    """How listings are asked for."""

    contact: str = ""
    deadline_s: Annotated[float, Field(gt=0, le=3600)] = 60
    max_body_mb: Annotated[float, Field(gt=0, le=1024)] = 32
    workers: Annotated[int, Field(ge=1, le=128)] = 16
    repair_days: Annotated[int, Field(ge=0, le=60)] = 7

    @field_validator("contact")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not value.isascii() or not value.isprintable() or set("()<>\\") & set(value):
            raise ValueError("write a mail address or a web page in plain ASCII, without brackets")
        return value


class SourceSettings(BaseModel):
    """One ``[[sources]]`` table; keys that are not named here are the source's own."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    kind: str
    enabled: bool = True
    allow_private: bool = False

    @property
    def own(self) -> Mapping[str, Any]:
        """The keys that only this kind of source understands."""
        return dict(self.model_extra or {})


class RankingSettings(_Table):
    """What is good enough for a digest."""

    threshold: Annotated[float, Field(ge=0, lt=1)] = 0.1
    queue_days: Annotated[int, Field(ge=1, le=60)] = 7
    explore: bool = True
    popularity: Annotated[float, Field(ge=0, le=2)] = 0


class SemanticSettings(_Table):
    """The vector model; used as soon as it is installed."""

    enabled: bool = True
    folder: str = ""
    threads: Annotated[int, Field(ge=1, le=64)] = 2


class DigestSettings(_Table):
    """What a digest looks like."""

    max_papers: Annotated[int, Field(ge=1, le=100)] = 10
    title: Annotated[str, Field(min_length=1, max_length=60)] = "paperdigest"
    templates: str = ""
    postal_address: str = ""


class MaildirSettings(_Table):
    """Digests as files in a Maildir."""

    path: str = ""


class SmtpSettings(_Table):
    """A mail server that relays our mail."""

    host: str = "localhost"
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    user: str = ""
    password_file: str = ""
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60
    ca_file: str = ""


class MailSettings(_Table):
    """How digests leave."""

    mailer: str = "maildir"
    from_: Annotated[str, Field(alias="from")] = "paperdigest <paperdigest@localhost>"
    expires_after_h: Annotated[float, Field(gt=0, le=24 * 14)] = 36
    on_in_doubt: Literal["resend", "hold", "assume_sent"] = "resend"
    secret_key_file: str = ""
    maildir: MaildirSettings = MaildirSettings()
    smtp: SmtpSettings = SmtpSettings()
    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)

    @field_validator("from_")
    @classmethod
    def _one_address(cls, value: str) -> str:
        address = parseaddr(value)[1]
        if "@" not in address or not address.isascii() or not value.isprintable():
            raise ValueError("write one address: Name <name@example.org> (a domain with accents as its xn-- form)")
        return value

    @model_validator(mode="after")
    def _own_tables_only(self) -> MailSettings:
        """A plug-in mailer reads its own table ``[mail.NAME]``; any other unknown key is a mistake."""
        unknown = [key for key in (self.model_extra or {}) if key != self.mailer]
        if unknown:
            raise ValueError(f"unknown key {unknown[0]!r}")
        return self


class Settings(_Table):
    """All settings. ``path`` is the file they came from, None for the defaults."""

    store: StoreSettings = StoreSettings()
    fetch: FetchSettings = FetchSettings()
    sources: tuple[SourceSettings, ...] = (SourceSettings(name="huggingface", kind="huggingface"),)
    ranking: RankingSettings = RankingSettings()
    semantic: SemanticSettings = SemanticSettings()
    digest: DigestSettings = DigestSettings()
    mail: MailSettings = MailSettings()
    path: Annotated[Path | None, Field(exclude=True)] = None

    @field_validator("sources")
    @classmethod
    def _different_names(cls, value: tuple[SourceSettings, ...]) -> tuple[SourceSettings, ...]:
        names = [source.name for source in value]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two sources are named {twice[0]!r}: give each a name of its own")
        return value

    def file(self, value: str, default: str) -> Path:
        """Return a configured path (relative to the settings' folder), or ``default`` in the data folder."""
        if not value:
            return data_dir() / default
        path = Path(value).expanduser()
        return path if path.is_absolute() or self.path is None else self.path.parent / path

    def store_url(self) -> str:
        """Return the database as an SQLAlchemy URL."""
        value = self.store.url.removeprefix("sqlite:///")
        if "://" in value:
            return value
        return f"sqlite:///{self.file(value, 'paperdigest.db')}"

    def masked(self) -> dict[str, Any]:
        """Return the settings in force for showing: secrets that are set appear as ``********``."""
        shown = self.model_dump(mode="json", by_alias=True)
        smtp_password = self.secret("PAPERDIGEST_SMTP_PASSWORD", self.mail.smtp.password_file)
        shown["mail"]["smtp"]["password"] = str(smtp_password) if smtp_password else None
        return shown

    def secret(self, environment: str, file: str) -> SecretStr | None:
        """Return a secret from the environment variable, else from the file, else None.

        Raises:
            ConfigError: the file is named but cannot be read.
        """
        if value := os.environ.get(environment):
            return SecretStr(value)
        if not file:
            return None
        path = self.file(file, file)
        try:
            return SecretStr(path.read_text(encoding="utf-8").strip())
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                str(self.path or "defaults"), (Problem(str(path), f"cannot be read: {error}"),)
            ) from error


def data_dir() -> Path:
    """Return the folder for database, Maildir and keys (``$XDG_DATA_HOME/paperdigest``)."""
    return user_data_path(_APP)


def default_config_path() -> Path:
    """Return ``$PAPERDIGEST_CONFIG`` or the XDG place of config.toml."""
    named = os.environ.get("PAPERDIGEST_CONFIG")
    return Path(named) if named else user_config_path(_APP) / "config.toml"


def load_settings(path: Path | None = None, check: Check | None = None) -> Settings:
    """Read and check the settings.

    Args:
        path: the file, None for the default place.
        check: finds mistakes that only plug-ins know (a source's own keys) in the raw tables, so that
            they are reported together with ours.

    Raises:
        ConfigError: with every mistake, each under its key path (``sources[1].category``).
    """
    found = path or default_config_path()
    if path is None and not os.environ.get("PAPERDIGEST_CONFIG") and not found.exists():
        return Settings()
    raw = _read_toml(found)
    problems = [*_secrets_in(raw), *(check(raw) if check else ())]
    settings = None
    try:
        settings = Settings.model_validate({**raw, "path": found.absolute()})
    except ValidationError as error:
        known = {problem.key for problem in problems}
        problems = [*(problem for problem in problems_of(error) if problem.key not in known), *problems]
    if problems or settings is None:
        raise ConfigError(str(found), tuple(problems))
    return settings


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
        return "is not a setting; see config.example.toml for all of them"
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
