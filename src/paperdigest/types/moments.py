"""The one rule for moments: aware, and in UTC."""

from __future__ import annotations

from datetime import datetime, timedelta

__all__ = ["require_utc"]


def require_utc(value: datetime | None, name: str) -> None:
    """Refuse a moment that is naive or of another zone.

    Raises:
        ValueError: it is.
    """
    if value is not None and value.utcoffset() != timedelta(0):
        raise ValueError(f"{name} must be an aware UTC datetime, not {value!r}")
