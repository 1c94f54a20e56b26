"""All settings together."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from platformdirs import user_data_path
from pydantic import Field, SecretStr, field_validator

from paperdigest.config.mail import MailSettings
from paperdigest.config.table import Table
from paperdigest.config.tables import (
    AlarmSettings,
    DigestSettings,
    FetchSettings,
    LogSettings,
    MetricsSettings,
    RankingSettings,
    RunSettings,
    SemanticSettings,
    SourceSettings,
    StoreSettings,
    WebSettings,
)
from paperdigest.errors import ConfigError, Problem

__all__ = ["Settings", "data_dir"]


class Settings(Table):
    """All settings. ``path`` is the file they came from, None for the defaults."""

    store: StoreSettings = StoreSettings()
    fetch: FetchSettings = FetchSettings()
    sources: tuple[SourceSettings, ...] = (SourceSettings(name="huggingface", kind="huggingface"),)
    ranking: RankingSettings = RankingSettings()
    semantic: SemanticSettings = SemanticSettings()
    digest: DigestSettings = DigestSettings()
    mail: MailSettings = MailSettings()
    web: WebSettings = WebSettings()
    alarms: AlarmSettings = AlarmSettings()
    run: RunSettings = RunSettings()
    metrics: MetricsSettings = MetricsSettings()
    log: LogSettings = LogSettings()
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
        smtp_password = self.secret(
            "PAPERDIGEST_SMTP_PASSWORD", self.mail.smtp.password_file, key="mail.smtp.password_file"
        )
        shown["mail"]["smtp"]["password"] = str(smtp_password) if smtp_password else None
        imap_password = self.secret(
            "PAPERDIGEST_IMAP_PASSWORD", self.mail.bounces.imap_password_file, key="mail.bounces.imap_password_file"
        )
        shown["mail"]["bounces"]["imap_password"] = str(imap_password) if imap_password else None
        return shown

    def secret(self, environment: str, file: str, *, key: str) -> SecretStr | None:
        """Return a secret from the environment variable, else from the file, else None.

        Args:
            environment: the variable.
            file: as the settings name it.
            key: the key path of the setting that does.

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
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            problem = Problem(key, f"{path} cannot be read: {reason}")
            raise ConfigError(str(self.path or "the defaults"), (problem,)) from error


def data_dir() -> Path:
    """Return the folder for database, Maildir and keys (``$XDG_DATA_HOME/paperdigest``)."""
    return user_data_path("paperdigest")
