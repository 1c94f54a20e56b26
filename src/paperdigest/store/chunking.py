"""Long lists of values in pieces that a statement takes: databases limit its parameters, and so does good sense."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

__all__ = ["AT_ONCE", "chunks"]

AT_ONCE = 500
"""Well below what SQLite (32,766) and PostgreSQL (65,535) allow, and few enough to be worth preparing."""

_T = TypeVar("_T")


def chunks(values: Iterable[_T], size: int = AT_ONCE) -> Iterator[list[_T]]:
    """Yield the values in order, ``size`` at a time; nothing for none."""
    rest = iter(values)
    while chunk := list(islice(rest, size)):
        yield chunk
