"""A listing's entries as observations: values in stored form, stamped, and safe to write."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from paperdigest import identity
from paperdigest.store.merging import Fields, Knowledge, Stamp, fields_of
from paperdigest.store.tables import to_stored
from paperdigest.types import Author, Entry, Listing, Paper, PaperId, Validators

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["Observation", "observe", "writable"]

_D = TypeVar("_D", bound="DataclassInstance")


class Observation(NamedTuple):
    """What one entry of one reading says of its paper."""

    paper: Paper
    fields: Fields
    stamp: Stamp
    source: str

    @property
    def key(self) -> str:
        """The paper's own identifier, printed."""
        return str(self.paper.id)

    def keys(self) -> tuple[str, ...]:
        """Every key by which the paper may be known."""
        return identity.keys(self.paper)

    def knowledge(self, keys: tuple[str, ...]) -> Knowledge:
        """Return what is known of a paper of which only this was ever observed."""
        moment, version = self.stamp[2], self.paper.version
        return Knowledge(
            fields=self.fields,
            lead=self.stamp,
            stamps={},
            keys=frozenset(keys),
            versions={} if version is None else {version: (moment, self.source)},
            first_seen_at=moment,
        )


def observe(listing: Listing, authority: int) -> Iterator[tuple[Entry, Observation]]:
    """Yield each entry with its observation; ``authority`` ranks the source's kind (see `protocols.Source`)."""
    moment = to_stored(listing.retrieved_at)
    for entry in listing.entries:
        paper = entry.paper
        fields, digest = fields_of(paper, listing.source)
        yield entry, Observation(paper, fields, (paper.version or 0, authority, moment, digest), listing.source)


def writable(listing: Listing) -> Listing:
    """Return the listing with "?" for half characters (lone surrogates): JSON can smuggle them into texts.

    No database takes them; recording finds that out by trying, so that others need not be looked through.
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
    if isinstance(value, tuple):
        return tuple(_writable_value(part) for part in value)
    return _writable_dataclass(value) if isinstance(value, Entry | Paper | PaperId | Author | Validators) else value
