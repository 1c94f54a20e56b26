"""What is asked and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from paperdigest.types import Validators

__all__ = ["MAX_BODY_BYTES", "Request", "Response"]

MAX_BODY_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One GET. ``validators`` makes it conditional; ``max_body_bytes`` caps raw and decompressed size."""

    url: str
    accept: str | None = None
    validators: Validators | None = None
    max_body_bytes: int = MAX_BODY_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A 200 with its capped, decompressed body, or what we have already (``unmodified``, empty body).

    ``url`` is the final URL after redirects; header names are lower-case; ``validators`` is what is to
    be stored for the URL that was asked (ETag, Last-Modified, permanent redirect).
    """

    url: str
    status: int
    body: bytes
    retrieved_at: datetime
    validators: Validators
    headers: Mapping[str, str] = field(default_factory=dict)
    unmodified: bool = False
