"""A listing's entries as observations: values in stored form, stamped, and safe to write."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar, overload

from paperdigest import identity
from paperdigest.store.merging import Fields, Knowledge, Stamp, fields_of
from paperdigest.store.tables import to_stored
from paperdigest.types import Author, Entry, Listing, Paper, PaperId

__all__ = ["MAX_INTEGER", "Observation", "observe", "writable"]

MAX_INTEGER = 2**63 - 1
"""The greatest number that a database column holds."""

_D = TypeVar("_D", Paper, PaperId, Author)


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
    source = writable(listing.source)
    for entry in listing.entries:
        paper = entry.paper
        try:
            fields, digest = fields_of(paper, source)
        except UnicodeEncodeError:
            paper = _writable_paper(paper)
            fields, digest = fields_of(paper, source)
        yield entry, Observation(paper, fields, (paper.version or 0, authority, moment, digest), source)


def _writable_paper(paper: Paper) -> Paper:
    """Return the paper with "?" for half characters (lone surrogates): JSON can smuggle them in."""
    return _writable_dataclass(paper)


def _writable_dataclass(value: _D) -> _D:
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        changes[field.name] = _writable_value(getattr(value, field.name))
    return dataclasses.replace(value, **changes)


def _writable_value(value: object) -> object:
    if isinstance(value, str):
        return writable(value)
    if isinstance(value, tuple):
        return tuple(_writable_value(part) for part in value)
    if isinstance(value, PaperId):
        return _writable_dataclass(value)
    return _writable_dataclass(value) if isinstance(value, Author) else value


@overload
def writable(text: str) -> str: ...
@overload
def writable(text: str | None) -> str | None: ...
def writable(text: str | None) -> str | None:
    """Return a text that can be encoded; None as it is."""
    if text is None or text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")
