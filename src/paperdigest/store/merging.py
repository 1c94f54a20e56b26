"""What the store believes of a paper: the join of everything that was ever observed of it (pure).

An *observation* is one entry's paper with a stamp ``(authority, version, observed_at, digest)``. Of every field
the value with the highest stamp wins, and a missing value never wins. Joining is associative, commutative and
idempotent, so the stored paper depends on the set of observations and not on their order. Exceptions:

- authors: a list of names beats a bare count, whatever the stamps;
- published_at: the highest authority wins, then the earliest moment, because a replacement or a re-post
  tends to carry its own date;
- first_seen_at and the first sight of each version: the earliest;
- the paper's version: the highest that anyone named, while the texts stay those of the highest stamp.

The observation with the highest stamp is the *leader*. It wins every field it has, so seeing the same thing
again later moves only the leader's time: a row of a few bytes instead of the paper.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha1
from typing import Any, NamedTuple

from paperdigest.store.tables import to_stored
from paperdigest.types import Paper

__all__ = ["MATCH_PREFIX", "Fields", "Knowledge", "Stamp", "best_key", "digest_of", "fields_of", "join", "join_all"]

Stamp = tuple[int, int, str, str]
"""Authority, version (0: not said), stored moment, digest; compared in this order.

Authority comes first: a link to "v1" in somebody's feed does not make the feed's title the authors' own.
"""

MATCH_PREFIX = "key:"
"""Keys that only match papers (`identity.title_key`) and identify none."""

_SCHEMES = {"arxiv": 0, "doi": 1, "url": 3, "title": 4}
_OTHER_SCHEME = 2


class Fields(NamedTuple):
    """The values of a paper in stored form; None means "not said"."""

    title: tuple[str, str | None]  # and as the source wrote it
    abstract: tuple[str, str | None] | None
    authors: tuple[tuple[tuple[str, str | None], ...], int] | None  # (name, affiliation) …, count
    published_at: str | None
    updated_at: str | None
    url: str | None
    pdf_url: str | None
    code_url: str | None
    primary_category: str | None
    categories: tuple[str, ...] | None
    comment: str | None
    journal_ref: str | None
    withdrawn: bool


_AUTHORS = Fields._fields.index("authors")
_PUBLISHED = Fields._fields.index("published_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What a set of observations says of one paper.

    ``lead`` is the leader's stamp; ``stamps`` holds those of the fields that the leader did not give, by
    index into `Fields`. ``versions`` maps each version to its first sight: moment and source.
    """

    fields: Fields
    lead: Stamp
    stamps: dict[int, Stamp]
    keys: frozenset[str]
    versions: dict[int, tuple[str, str]]
    first_seen_at: str


def digest_of(paper: Paper, key: str, source: str) -> str:
    """Return 32 hexadecimal digits over all that was said of the paper, ``key`` being its printed identifier."""
    said: tuple[Any, ...] = (  # of what marshal knows
        source,
        key,
        paper.title,
        paper.abstract,
        [(author.name, author.affiliation) for author in paper.authors],
        paper.authors_count,
        paper.version,
        paper.published_at and paper.published_at.timestamp(),
        paper.updated_at and paper.updated_at.timestamp(),
        paper.url,
        paper.pdf_url,
        paper.code_url,
        paper.primary_category,
        paper.categories,
        paper.comment,
        paper.journal_ref,
        paper.withdrawn,
        paper.title_source,
        paper.abstract_source,
        [str(alias) for alias in paper.aliases],
    )
    # Format 2 of marshal depends on the values alone, and costs a sixth of JSON. Should Python ever change it, each
    # paper is joined once more at its next sight, to the same effect.
    # SHA-1 is the quickest here, and who can forge a listing needs no collision to change what we store of it.
    return sha1(marshal.dumps(said, 2), usedforsecurity=False).hexdigest()[:32]


def fields_of(paper: Paper) -> Fields:
    """Return a paper's values in stored form."""
    return Fields(
        (paper.title, paper.title_source),
        None if paper.abstract is None else (paper.abstract, paper.abstract_source),
        _authors(paper),
        None if paper.published_at is None else to_stored(paper.published_at),
        None if paper.updated_at is None else to_stored(paper.updated_at),
        paper.url,
        paper.pdf_url,
        paper.code_url,
        paper.primary_category,
        paper.categories or None,
        paper.comment,
        paper.journal_ref,
        paper.withdrawn,
    )


def _authors(paper: Paper) -> tuple[tuple[tuple[str, str | None], ...], int] | None:
    if not paper.authors_count:
        return None
    return tuple([(author.name, author.affiliation) for author in paper.authors]), paper.authors_count


def join_all(known: Iterable[Knowledge]) -> Knowledge:
    """Join one or more."""
    first, *others = known
    for other in others:
        first = join(first, other)
    return first


def join(one: Knowledge, other: Knowledge) -> Knowledge:
    """Return what both together say: associative, commutative, idempotent."""
    if one.lead < other.lead:
        one, other = other, one
    values: list[object] = []
    stamps: dict[int, Stamp] = {}
    for index, (mine, theirs) in enumerate(zip(one.fields, other.fields, strict=True)):
        my_stamp, their_stamp = one.stamps.get(index, one.lead), other.stamps.get(index, other.lead)
        value: object
        if index == _PUBLISHED:
            value, stamp = _earlier(one.fields.published_at, my_stamp, other.fields.published_at, their_stamp)
            if stamp[0] != one.lead[0]:
                stamps[index] = stamp
        elif _order(index, mine, my_stamp) >= _order(index, theirs, their_stamp):
            value = mine
            if index in one.stamps and mine is not None:
                stamps[index] = my_stamp
        else:
            value = theirs
            stamps[index] = their_stamp
        values.append(value)
    return Knowledge(
        fields=Fields._make(values),
        lead=one.lead,
        stamps=stamps,
        keys=one.keys | other.keys,
        versions=_first_sights(one.versions, other.versions),
        first_seen_at=min(one.first_seen_at, other.first_seen_at),
    )


def _order(index: int, value: object, stamp: Stamp) -> tuple[object, ...]:
    if value is None:
        return (0,)
    if index == _AUTHORS and isinstance(value, tuple):
        return (2 if value[0] else 1, stamp)
    return (2, stamp)


def _earlier(mine: str | None, my_stamp: Stamp, theirs: str | None, their_stamp: Stamp) -> tuple[str | None, Stamp]:
    """Choose by authority, then the earlier; the stamp that comes back says nothing but the authority."""
    said = [(-stamp[0], value) for value, stamp in ((mine, my_stamp), (theirs, their_stamp)) if value is not None]
    if not said:
        return None, my_stamp
    authority, value = min(said)
    return value, (-authority, 0, "", "")


def _first_sights(one: dict[int, tuple[str, str]], other: dict[int, tuple[str, str]]) -> dict[int, tuple[str, str]]:
    if not other or one == other:
        return one
    both = dict(one)
    for version, sight in other.items():
        both[version] = min(sight, both.get(version, sight))
    return both


def best_key(keys: Iterable[str]) -> str:
    """Return the printed `PaperId` among ``keys`` by which a paper is known: arXiv, DOI, others, URL, title."""
    identifiers = [key for key in keys if not key.startswith(MATCH_PREFIX)]
    return identifiers[0] if len(identifiers) == 1 else min(identifiers, key=_strength)


def _strength(key: str) -> tuple[int, str]:
    return _SCHEMES.get(key.partition(":")[0], _OTHER_SCHEME), key
