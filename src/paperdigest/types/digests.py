"""Ranked papers, digests and their deliveries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from paperdigest.types.moments import require_utc
from paperdigest.types.papers import PaperId, StoredPaper
from paperdigest.types.subscribers import Judgement, Subscriber

__all__ = [
    "Digest",
    "Highlight",
    "Placement",
    "RankRequest",
    "RankedPaper",
    "Ranking",
    "Reason",
    "Verdict",
]


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


DECIDING = 3
"""How many reasons are shown with a paper; `why` shows all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Highlight:
    """A match to be marked: characters ``start`` to ``end`` (exclusive) of the ``title`` or ``abstract``."""

    field: str
    start: int
    end: int

    def __post_init__(self) -> None:
        if self.field not in ("title", "abstract") or not 0 <= self.start < self.end:
            raise ValueError(f"not a stretch of title or abstract: {self.field} {self.start}-{self.end}")


class Placement(StrEnum):
    """Why a paper stands in a digest today.

    ``new`` came since the last digest; ``waited`` missed an earlier cut by lack of places; ``explored``
    nearly missed this one and was drawn by lot, so that the ranking learns what it would not have shown.
    """

    NEW = "new"
    WAITED = "waited"
    EXPLORED = "explored"


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedPaper:
    """A stored paper with its score in [0, 1] for the topic that put it there, best first.

    ``also`` names the other topics it matches. ``propensity`` is the probability with which an explored
    paper was drawn, None for the others, whose place was certain. ``key`` names the frozen text it was read
    from (empty before it is stored): papers of one key are drawn alike, whoever gets them.
    """

    stored: StoredPaper
    score: float
    topic: str
    reasons: tuple[Reason, ...] = ()
    also: tuple[str, ...] = ()
    placement: Placement = Placement.NEW
    propensity: float | None = None
    highlights: tuple[Highlight, ...] = ()
    key: bytes = field(default=b"", compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.score <= 1:
            raise ValueError(f"a score lies in [0, 1], not {self.score}")
        if self.propensity is not None and not 0 < self.propensity <= 1:
            raise ValueError(f"a propensity lies in (0, 1], not {self.propensity}")

    @property
    def deciding(self) -> tuple[Reason, ...]:
        """Return the few reasons that did most for the paper, the weightiest first.

        Of a paper that nothing spoke for, the one that did most against it: every place is explained.
        """
        helped = [reason for reason in self.reasons if reason.contribution > 0]
        if not helped:
            return tuple(sorted(self.reasons, key=lambda reason: reason.contribution)[:1])
        return tuple(sorted(helped, key=lambda reason: -reason.contribution)[:DECIDING])


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """The frozen, ordered choice of papers for one subscriber and edition (their local date).

    ``considered`` is how many papers were ranked for it. ``revised`` are new versions of papers the
    subscriber liked; they take no place from the others. ``notes`` say what the ranking has learned.
    ``quiet`` says, when there is nothing else, why: sentences for a subscriber who wants to know.
    ``method`` says by what it ranked (shown to the operator only). ``id`` is the store's, 0 before.
    """

    subscriber: Subscriber
    edition: date
    composed_at: datetime
    ranked: tuple[RankedPaper, ...] = ()
    revised: tuple[StoredPaper, ...] = ()
    notes: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()
    method: str = ""
    considered: int = 0
    id: int = 0

    def __post_init__(self) -> None:
        require_utc(self.composed_at, "composed_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class RankRequest:
    """What is to be ranked for one subscriber and edition, out of a batch's papers.

    ``places`` is how many papers at most, None for as many as the subscriber's digest has.
    Papers first seen before ``since`` or named in ``seen`` are out; those first seen before ``new_since``
    have waited since an earlier edition. ``kept`` names the topics whose likes were found to help when they
    were last tried; None to try now.
    """

    subscriber: Subscriber
    edition: date
    since: datetime
    new_since: datetime
    seen: frozenset[PaperId] = frozenset()
    judgements: tuple[Judgement, ...] = ()
    kept: frozenset[str] | None = None
    places: int | None = None

    def __post_init__(self) -> None:
        require_utc(self.since, "since")
        require_utc(self.new_since, "new_since")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How well a topic ranks the subscriber's own likes ``before`` and ``after`` learning, and whether that is kept.

    ``judgements`` counts those that were learned from.
    """

    topic: str
    judgements: int
    kept: bool
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """What ranking answers to a `RankRequest`: the choice, and what a digest says of how it came about.

    ``notes`` say what was learned; ``verdicts`` are of what was tried now, empty when the request said what to keep.
    """

    ranked: tuple[RankedPaper, ...] = ()
    considered: int = 0
    notes: tuple[str, ...] = ()
    method: str = ""
    verdicts: tuple[Verdict, ...] = ()
