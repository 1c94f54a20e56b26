"""The vocabulary: frozen values that every other module speaks in.

All datetimes are aware and in UTC (names end in ``_at``); dates say whose they are (``_on``, or
``edition`` for a subscriber's local date). Collections are tuples. Values that break an invariant
raise ``ValueError`` when they are made, so a value that exists is a value that makes sense.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

ANNOUNCE_TYPES = ("new", "cross", "replace", "replace-cross")
"""What arXiv says of an entry (source: arXiv RSS specification)."""

_SCHEME = re.compile(r"[a-z][a-z0-9-]*\Z")
_LOCAL = re.compile(r"\S{1,2048}\Z")


def _require_utc(value: datetime | None, name: str) -> None:
    if value is not None and value.utcoffset() != timedelta(0):
        raise ValueError(f"{name} must be an aware UTC datetime, not {value!r}")


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
        _require_utc(self.published_at, "published_at")
        _require_utc(self.updated_at, "updated_at")
        if self.version is not None and self.version < 1:
            raise ValueError(f"versions start at 1, not {self.version}")
        if self.authors_count is None and self.authors:
            object.__setattr__(self, "authors_count", len(self.authors))
        if self.authors_count is not None and self.authors_count < len(self.authors):
            raise ValueError(f"{self.authors_count} authors announced but {len(self.authors)} named")


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


class ListingState(StrEnum):
    """How far a listing can be trusted (rules: `pipeline.completeness`)."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    STALE = "stale"
    QUIET = "quiet"
    FAILED = "failed"


class Period(StrEnum):
    """What span a listing covers; all but ``day`` overlap with day listings and are never "missing"."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TRENDING = "trending"
    SEARCH = "search"


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What HTTP told us about one URL, kept byte for byte for the next request (RFC 9110, 8.8 and 13).

    ``moved_to`` is the target of a permanent redirect (301/308); ``gone`` a 410;
    ``next_attempt_at`` the moment before which the server asked not to be bothered.
    """

    url: str
    etag: str | None = None
    last_modified: str | None = None
    moved_to: str | None = None
    gone: bool = False
    next_attempt_at: datetime | None = None

    def __post_init__(self) -> None:
        _require_utc(self.next_attempt_at, "next_attempt_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What one source announced for one day (or week, month, search), in the source's order.

    ``announced_count`` is the source's own count ("showing X of Y"), None when it gives none.
    ``state`` is what the body alone proves when `parse` made it, and the final judgement once the
    pipeline has compared it with the calendar and the store. ``note`` says why, in words.
    ``dropped`` counts entries that stood in the body but could not be read.
    """

    source: str
    kind: str
    listed_on: date
    retrieved_at: datetime
    state: ListingState
    entries: tuple[Entry, ...] = ()
    period: Period = Period.DAY
    announced_count: int | None = None
    dropped: int = 0
    note: str | None = None
    url: str | None = None
    validators: tuple[Validators, ...] = ()

    def __post_init__(self) -> None:
        _require_utc(self.retrieved_at, "retrieved_at")
        if self.announced_count is not None and self.announced_count < 0:
            raise ValueError("announced_count is not negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmodified:
    """A source's answer when the server said 304: the stored listing still stands."""

    source: str
    kind: str
    listed_on: date
    retrieved_at: datetime
    validators: tuple[Validators, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One named interest of one subscriber: a query (see `query`) and its share of the digest.

    ``weight`` scales the score (> 0); ``quota`` is the share of the digest's places in (0, 1],
    None for an even share.
    """

    name: str
    query: str
    weight: float = 1.0
    quota: float | None = None

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.query.strip():
            raise ValueError("a topic has a name and a query")
        if not self.weight > 0 or self.weight == float("inf"):
            raise ValueError(f"a topic's weight is a finite number above 0, not {self.weight}")
        if self.quota is not None and not 0 < self.quota <= 1:
            raise ValueError(f"a topic's quota is a share in (0, 1], not {self.quota}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a subscriber wants the digest: local weekdays (Monday = 0), hour and IANA zone.

    ``pause_until`` is the first local date on which digests come again.
    """

    days: frozenset[int] = frozenset(range(7))
    at: time = time(7, 0)
    tz: str = "UTC"
    pause_until: date | None = None

    def __post_init__(self) -> None:
        if not self.days or not self.days <= frozenset(range(7)):
            raise ValueError("a schedule names at least one weekday, Monday = 0 to Sunday = 6")
        if self.at.tzinfo is not None:
            raise ValueError("a schedule's hour is local time without a zone of its own")


class SubscriberStatus(StrEnum):
    """``pending`` has not confirmed yet; only ``active`` subscribers get mail."""

    PENDING = "pending"
    ACTIVE = "active"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """An address with a status, a schedule and topics. ``id`` is the store's, 0 before it is stored."""

    email: str
    name: str | None = None
    status: SubscriberStatus = SubscriberStatus.PENDING
    schedule: Schedule = Schedule()
    topics: tuple[Topic, ...] = ()
    max_papers: int = 10
    created_at: datetime | None = None
    id: int = 0

    def __post_init__(self) -> None:
        _require_utc(self.created_at, "created_at")
        if "@" not in self.email or any(c.isspace() or ord(c) < 32 for c in self.email):
            raise ValueError(f"{self.email!r} is not an e-mail address")
        if not 1 <= self.max_papers <= 100:
            raise ValueError("a digest holds between 1 and 100 papers")
        names = [topic.name for topic in self.topics]
        if len(set(names)) != len(names):
            raise ValueError("a subscriber's topics have different names")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that decided a paper's place.

    ``contribution`` is its share of the raw score; a paper's reasons add up to its raw score.
    ``where`` is the field that matched (``title``, ``abstract``) or None.
    """

    text: str
    keyword: str
    contribution: float
    where: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedPaper:
    """A stored paper with its score in [0, 1] for the topic that put it there, best first."""

    stored: StoredPaper
    score: float
    topic: str
    reasons: tuple[Reason, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.score <= 1:
            raise ValueError(f"a score lies in [0, 1], not {self.score}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """The frozen, ordered choice of papers for one subscriber and edition (their local date).

    ``considered`` is how many papers were ranked for it. ``id`` is the store's, 0 before.
    """

    subscriber: Subscriber
    edition: date
    composed_at: datetime
    ranked: tuple[RankedPaper, ...] = ()
    considered: int = 0
    id: int = 0

    def __post_init__(self) -> None:
        _require_utc(self.composed_at, "composed_at")


class DeliveryState(StrEnum):
    """The ledger's states: planned, leased, sending, then one of the outcomes."""

    PLANNED = "planned"
    LEASED = "leased"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    EXPIRED = "expired"
    SKIPPED = "skipped"
    IN_DOUBT = "in_doubt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The attempt(s) to hand one digest to a mail server, and the outcome.

    ``message_id`` and ``composed_at`` are frozen with the digest: a resend is byte-identical.
    """

    id: int
    digest_id: int
    subscriber_id: int
    email: str
    edition: date
    state: DeliveryState
    attempts: int
    message_id: str
    next_attempt_at: datetime | None = None
    expires_at: datetime | None = None
    sent_at: datetime | None = None
    detail: str | None = None
