"""A listing's entries as observations: values in stored form, stamped, and safe to write."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from paperdigest import identity
from paperdigest.store.merging import Knowledge, Stamp, digest_of, fields_of
from paperdigest.store.tables import to_stored
from paperdigest.types import Author, Entry, Listing, Paper, PaperId, Validators

__all__ = ["Observation", "observe", "writable"]

MAX_INTEGER = 2**63 - 1
"""The greatest number that a database column holds."""

_D = TypeVar("_D", bound=Listing | Entry | Paper | PaperId | Author | Validators)


class Observation(NamedTuple):
    """What one entry of one reading says of its paper; ``key`` is the paper's printed identifier."""

    paper: Paper
    key: str
    stamp: Stamp
    source: str

    def keys(self) -> tuple[str, ...]:
        """Every key by which the paper may be known."""
        return identity.keys(self.paper)

    def knowledge(self, keys: tuple[str, ...]) -> Knowledge:
        """Return what is known of a paper of which only this was ever observed."""
        moment, version = self.stamp[2], self.paper.version
        return Knowledge(
            fields=fields_of(self.paper),
            lead=self.stamp,
            stamps={},
            keys=frozenset(keys),
            versions={} if version is None else {version: (moment, self.source)},
            first_seen_at=moment,
        )


def observe(listing: Listing, authority: int) -> Iterator[tuple[Entry, Observation]]:
    """Yield each entry with its observation; ``authority`` ranks the source's kind (see `protocols.Source`)."""
    moment, source = to_stored(listing.retrieved_at), listing.source
    for entry in listing.entries:
        paper = entry.paper
        key = str(paper.id)
        stamp = (authority, paper.version or 0, moment, digest_of(paper, key, source))
        yield entry, Observation(paper, key, stamp, source)


def writable(listing: Listing) -> Listing:
    """Return the listing with "?" for half characters, and numbers capped at what a column holds.

    JSON can smuggle in both: lone surrogates, and integers beyond 64 bits. Recording finds them by failing, so
    that listings without them need not be looked through.
    """
    return _writable_dataclass(listing)


def _writable_dataclass(value: _D) -> _D:
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        changes[field.name] = _writable_value(getattr(value, field.name))
    return dataclasses.replace(value, **changes)


def _writable_value(value: Any) -> Any:  # any value of a dataclass's field
    if isinstance(value, StrEnum):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        return max(-MAX_INTEGER, min(value, MAX_INTEGER))
    if isinstance(value, tuple):
        return tuple(_writable_value(part) for part in value)
    return _writable_dataclass(value) if isinstance(value, Entry | Paper | PaperId | Author | Validators) else value
