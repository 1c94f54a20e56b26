"""Papers, and their appearances in listings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from paperdigest.types.moments import require_utc

__all__ = ["ANNOUNCE_TYPES", "Appearance", "Author", "Entry", "Paper", "PaperId", "StoredPaper"]

ANNOUNCE_TYPES = ("new", "cross", "replace", "replace-cross")
"""What arXiv says of an entry (source: arXiv RSS specification)."""

_SCHEME = re.compile(r"[a-z][a-z0-9-]*\Z")
_LOCAL = re.compile(r"\S{1,2048}\Z")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PaperId:
    """A paper's identifier, printed ``scheme:local`` and never holding a version.

    Schemes in use: ``arxiv`` (``2305.17490``, ``astro-ph/0601001``), ``doi`` (case-folded),
    ``url`` (normalised, see `identity.normalise_url`), ``title`` (only when nothing else is known).
    """

    scheme: str
    local: str

    def __post_init__(self) -> None:
        if not _SCHEME.match(self.scheme):
            raise ValueError(f"a paper id's scheme is lower-case letters, not {self.scheme!r}")
        if not _LOCAL.match(self.local):
            raise ValueError(f"a paper id's local part has no white space and is not empty: {self.local!r}")

    def __str__(self) -> str:
        return f"{self.scheme}:{self.local}"

    @classmethod
    def parse(cls, text: str) -> PaperId:
        """Read the printed form back: ``PaperId.parse(str(x)) == x``.

        Raises:
            ValueError: there is no ``scheme:`` or one of the parts is unusable.
        """
        scheme, colon, local = text.partition(":")
        if not colon:
            raise ValueError(f"{text!r} is not a paper id; write it as scheme:local, e.g. arxiv:2305.17490")
        return cls(scheme=scheme, local=local)


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """One author as printed by the source; a collaboration is an author too."""

    name: str
    affiliation: str | None = None

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("an author has a name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One scholarly work, whatever the source or version.

    ``title`` and ``abstract`` are readable plain text on one line; ``title_source`` and
    ``abstract_source`` keep what the source wrote when that differs (TeX, line breaks).
    ``authors`` may be empty while ``authors_count`` is known (a copied page prints only the number).
    ``published_at`` is the date of the first version; a date without a time is midnight UTC.
    ``aliases`` are the other identifiers of the same work (DOI, URL).
    """

    id: PaperId
    title: str
    abstract: str | None = None
    title_source: str | None = None
    abstract_source: str | None = None
    authors: tuple[Author, ...] = ()
    authors_count: int | None = None
    published_at: datetime | None = None
    updated_at: datetime | None = None
    version: int | None = None
    url: str | None = None
    pdf_url: str | None = None
    code_url: str | None = None
    primary_category: str | None = None
    categories: tuple[str, ...] = ()
    comment: str | None = None
    journal_ref: str | None = None
    withdrawn: bool = False
    aliases: tuple[PaperId, ...] = ()

    def __post_init__(self) -> None:
        require_utc(self.published_at, "published_at")
        require_utc(self.updated_at, "updated_at")
        if self.version is not None and self.version < 1:
            raise ValueError(f"versions start at 1, not {self.version}")
        if self.authors_count is None and self.authors:
            object.__setattr__(self, "authors_count", len(self.authors))
        if self.authors_count is not None and self.authors_count < len(self.authors):
            raise ValueError(f"{self.authors_count} authors announced but {len(self.authors)} named")

    @property
    def text(self) -> str:
        """What is read of a paper to know what it is about: title and abstract, or the title alone."""
        return f"{self.title}. {self.abstract}" if self.abstract else self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A paper's appearance in one listing. None means "not said"; 0 is a value.

    ``rank`` is the 1-based place in the listing as the source ordered it.
    """

    paper: Paper
    rank: int | None = None
    upvotes: int | None = None
    comments: int | None = None
    announce_type: str | None = None

    def __post_init__(self) -> None:
        if self.announce_type is not None and self.announce_type not in ANNOUNCE_TYPES:
            raise ValueError(f"announce_type is one of {ANNOUNCE_TYPES}, not {self.announce_type!r}")
        if self.rank is not None and self.rank < 1:
            raise ValueError(f"ranks start at 1, not {self.rank}")

    @property
    def is_replacement(self) -> bool:
        """True for a new version of a paper that was announced before."""
        return self.announce_type in ("replace", "replace-cross")


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """An entry as the store gives it back: which listing it stood in, without the paper."""

    source: str
    listed_on: date
    rank: int | None = None
    upvotes: int | None = None
    comments: int | None = None
    announce_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPaper:
    """A paper with what only the store knows: when we first saw it, and every entry of it."""

    paper: Paper
    first_seen_at: datetime
    entries: tuple[Appearance, ...] = ()
