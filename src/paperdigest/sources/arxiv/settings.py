"""What the configuration may say about an arXiv source."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

__all__ = ["ArxivSettings", "Via"]

Via = Literal["rss", "listing", "api", "oai"]
AnnounceType = Literal["new", "cross", "replace", "replace-cross"]

_SEPARATOR = re.compile(r"[\s,+]+")
_CATEGORY = r"^[a-z]+(-[a-z]+)*(\.[A-Za-z]+(-[A-Za-z]+)*)?$"


def _several(value: object) -> object:
    """Accept ``"cs.SE"``, ``"cs.SE+cs.AI"`` and lists; say each category once."""
    if isinstance(value, str):
        value = [part for part in _SEPARATOR.split(value) if part]
    return list(dict.fromkeys(value)) if isinstance(value, list | tuple) else value


Category = Annotated[str, Field(pattern=_CATEGORY, max_length=40)]


class ArxivSettings(BaseModel):
    """Settings of one arXiv source.

    Attributes:
        category: ``"cs.SE"`` or ``["cs.SE", "cs.AI"]``; an archive such as ``"hep-th"`` is one too.
        query: for ``api`` (and implying it): a search expression that narrows or replaces the categories.
        via: the interface to ask, ``rss`` if not said. ``rss`` and ``listing`` have the current announcement
            only; ``api`` and ``oai`` can be asked for past days.
        url: another address of that interface, for a mirror or a test.
        announce_types: which entries to keep; without ``replace`` new versions of known papers go unseen.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    category: Annotated[tuple[Category, ...], BeforeValidator(_several), Field(max_length=50)] = ()
    query: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    via: Via = "rss"
    url: Annotated[str, Field(pattern=r"^https?://\S+$", max_length=500)] | None = None
    announce_types: tuple[AnnounceType, ...] = ("new", "cross", "replace", "replace-cross")

    @model_validator(mode="before")
    @staticmethod
    def _a_query_means_the_api(given: object) -> object:
        if isinstance(given, dict) and given.get("query") is not None:
            return {"via": "api", **given}
        return given

    @model_validator(mode="after")
    def _query_needs_the_api(self) -> ArxivSettings:
        if self.query is not None and self.via != "api":
            raise ValueError('query is only understood with via = "api"')
        return self
