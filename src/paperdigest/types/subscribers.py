"""Subscribers, their topics and schedules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from paperdigest.types.moments import require_utc
from paperdigest.types.papers import PaperId

__all__ = ["Judgement", "OnEmpty", "Schedule", "Subscriber", "SubscriberStatus", "Topic"]

_BLANK = re.compile(r"[\s\x00-\x1f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One named interest of one subscriber: a query (see `query`) and its share of the digest.

    ``query`` is empty when the topic is made of liked examples alone. ``weight`` scales the score (> 0);
    ``quota`` is the share of the digest's places in (0, 1], None for an even share; ``threshold`` the
    least score in [0, 1) that qualifies, None for the settings' own.
    """

    name: str
    query: str
    weight: float = 1.0
    quota: float | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("a topic has a name")
        if not self.weight > 0 or self.weight == float("inf"):
            raise ValueError(f"a topic's weight is a finite number above 0, not {self.weight}")
        if self.quota is not None and not 0 < self.quota <= 1:
            raise ValueError(f"a topic's quota is a share in (0, 1], not {self.quota}")
        if self.threshold is not None and not 0 <= self.threshold < 1:
            raise ValueError(f"a topic's threshold is a score in [0, 1), not {self.threshold}")


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


class OnEmpty(StrEnum):
    """What a subscriber wants on a day without papers: nothing, or a short mail that says why."""

    SKIP = "skip"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """An address with a status, a schedule and topics. ``id`` is the store's, 0 before it is stored.

    ``attach_bibtex`` asks for the digest's papers as a BibTeX file beside the text.
    """

    email: str
    name: str | None = None
    status: SubscriberStatus = SubscriberStatus.PENDING
    schedule: Schedule = Schedule()
    topics: tuple[Topic, ...] = ()
    max_papers: int = 10
    on_empty: OnEmpty = OnEmpty.SKIP
    attach_bibtex: bool = False
    created_at: datetime | None = None
    id: int = 0

    def __post_init__(self) -> None:
        require_utc(self.created_at, "created_at")
        if "@" not in self.email or _BLANK.search(self.email):
            raise ValueError(f"{self.email!r} is not an e-mail address")
        if not 1 <= self.max_papers <= 100:
            raise ValueError("a digest holds between 1 and 100 papers")
        names = [topic.name for topic in self.topics]
        if len(set(names)) != len(names):
            raise ValueError("a subscriber's topics have different names")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A like or dislike: what a subscriber said of a paper, with the paper's text as it was then.

    The text is kept with it, so that a judgement outlives the paper and may be of one that was never
    fetched (an example from a bibliography). ``topic`` is the topic's name, None for all of them.
    ``origin`` says where it came from: ``reader`` (said of a paper in a digest) or ``example``.
    """

    paper_id: PaperId
    title: str
    abstract: str | None = None
    liked: bool
    judged_at: datetime
    topic: str | None = None
    origin: str = "reader"

    def __post_init__(self) -> None:
        require_utc(self.judged_at, "judged_at")
