"""The tables of the settings, apart from those of mail."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from paperdigest.config.table import Table

__all__ = [
    "AlarmSettings",
    "DigestSettings",
    "FetchSettings",
    "LogSettings",
    "MetricsSettings",
    "RankingSettings",
    "RunSettings",
    "SemanticSettings",
    "SourceSettings",
    "StoreSettings",
    "WebSettings",
]

_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d\Z")
_MAX_BASE_URL = 42  # with "/u/", a token of 30 characters and the brackets: 77


class StoreSettings(Table):
    """Where papers, subscribers and the delivery ledger are kept."""

    url: str = ""


class FetchSettings(Table):
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
    fetch_at: tuple[str, ...] | None = None

    @field_validator("fetch_at")
    @classmethod
    def _times(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if value is None else _checked_times(value)

    @property
    def own(self) -> Mapping[str, Any]:
        """The keys that only this kind of source understands."""
        return dict(self.model_extra or {})


class RankingSettings(Table):
    """What is good enough for a digest."""

    threshold: Annotated[float, Field(ge=0, lt=1)] = 0.1
    queue_days: Annotated[int, Field(ge=1, le=60)] = 7
    explore: bool = True
    popularity: Annotated[float, Field(ge=0, le=2)] = 0


class SemanticSettings(Table):
    """The vector model; used as soon as it is installed."""

    enabled: bool = True
    folder: str = ""
    threads: Annotated[int, Field(ge=1, le=64)] = 2


class DigestSettings(Table):
    """What a digest looks like."""

    max_papers: Annotated[int, Field(ge=1, le=100)] = 10
    title: Annotated[str, Field(min_length=1, max_length=60)] = "paperdigest"
    templates: str = ""
    postal_address: str = ""


class WebSettings(Table):
    """Where the pages that mails link to are served; empty: mails have no such links."""

    base_url: str = ""

    @field_validator("base_url")
    @classmethod
    def _plain(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("write it like https://digest.example.org")
        if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1"):
            raise ValueError("links in mails must be https")
        if not value.isascii() or not value.isprintable() or len(value) > _MAX_BASE_URL:
            raise ValueError(f"plain ASCII of at most {_MAX_BASE_URL} characters: List-Unsubscribe must stay short")
        return value.rstrip("/")


class AlarmSettings(Table):
    """Whom to tell when something does not work."""

    email: Annotated[str, Field(pattern=r"^(?:[!-?A-~]+@[A-Za-z0-9.-]+)?$")] = ""
    webhook: Annotated[str, Field(pattern=r"^(?:https?://[!-~]+)?$")] = ""
    stale_days: Annotated[int, Field(ge=1, le=60)] = 2


class RunSettings(Table):
    """When `run` does what."""

    heartbeat_s: Annotated[int, Field(ge=5, le=3600)] = 60
    fetch_at: tuple[str, ...] = ("05:00", "11:00", "17:00", "23:00")

    @field_validator("fetch_at")
    @classmethod
    def _times(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _checked_times(value)


class MetricsSettings(Table):
    """Figures for Prometheus: a text file after each run, a page on the loopback interface while `run` runs."""

    file: str = ""
    port: Annotated[int, Field(ge=0, le=65535)] = 0


class LogSettings(Table):
    """How `run` and `send` speak on standard error."""

    format: Literal["text", "json"] = "text"


def _checked_times(value: tuple[str, ...]) -> tuple[str, ...]:
    for text in value:
        if not _TIME.match(text):
            raise ValueError(f"{text!r} is not a time of day (UTC); write it like 05:00")
    return tuple(sorted(set(value)))
