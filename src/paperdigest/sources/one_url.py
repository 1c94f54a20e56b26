"""What sources that are one document at one address have in common: all but `parse`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from paperdigest.errors import SourceError
from paperdigest.http import HttpClient, Request
from paperdigest.protocols import FetchRequest, ParseContext
from paperdigest.types import Listing, Unmodified

__all__ = ["OneUrlSettings", "OneUrlSource"]


class OneUrlSettings(BaseModel):
    """The keys of such a source. Without ``url`` it reads files only."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    url: str | None = Field(default=None, pattern=r"^https?://[^\s/]+", max_length=2000)


class OneUrlSource(ABC):
    """A source whose listing is whatever stands at its ``url`` now: no calendar, no past days.

    A subclass sets ``kind`` and ``authority`` and says how to `parse`.
    """

    kind: ClassVar[str]
    authority: ClassVar[int] = 1
    accept: ClassVar[str | None] = None

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self.name = name
        self.settings = OneUrlSettings.model_validate(dict(settings))

    @abstractmethod
    def parse(self, body: bytes, context: ParseContext) -> Listing:
        """See `paperdigest.protocols.Source.parse`."""

    def fetch(self, client: HttpClient, request: FetchRequest) -> Listing | Unmodified:
        """Get the document, conditionally when it was asked for before, and parse it.

        Raises:
            SourceError: no ``url`` is configured; FetchError or ParseError.
        """
        url = self.settings.url
        if url is None:
            hint = f"use `paperdigest fetch --from FILE --as {self.kind}`, or set its url"
            raise SourceError("without url this source reads files only", source=self.name, hint=hint)
        response = client.get(Request(url=url, accept=self.accept, validators=request.validators.get(url)))
        moment, validators = response.retrieved_at, (response.validators,)
        if response.unmodified:
            day = request.day or moment.date()
            return Unmodified(
                source=self.name, kind=self.kind, listed_on=day, retrieved_at=moment, validators=validators
            )
        context = ParseContext(source=self.name, retrieved_at=moment, listed_on=request.day, name=response.url)
        return replace(self.parse(response.body, context), url=url, validators=validators)

    def announces_on(self, day: date) -> bool | None:  # noqa: ARG002 - the protocol asks; there is no calendar
        """Return None: it may change on any day, and need not."""
        return None

    def has_days(self) -> bool:
        """Return False: what stood there on another day cannot be asked for."""
        return False
