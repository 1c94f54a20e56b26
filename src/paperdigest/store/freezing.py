"""A digest as JSON and back: what is frozen is everything that rendering it needs, and nothing of it changes.

A digest is frozen as a *head* (subscriber, edition, notes, …) and one *fragment* per ranked paper; a fragment names the
fragment of its paper's text. A fragment is known by the hash of its JSON: however many digests show a paper for
the same reasons, its fragment is stored once, and however many fragments speak of a paper, its text is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any

from paperdigest.types import (
    Appearance,
    Author,
    Digest,
    Highlight,
    OnEmpty,
    Paper,
    PaperId,
    Placement,
    RankedPaper,
    Reason,
    Schedule,
    StoredPaper,
    Subscriber,
    SubscriberStatus,
    Topic,
)

__all__ = ["Fragment", "Freezer", "Frozen", "freeze", "opened", "thaw", "thaw_head", "thaw_ranked", "thaw_stored"]

KEY_BYTES = 16
"""Of a fragment's key: two texts of one key are not to be expected before there are 10^18 of them."""

KEPT = 4_000
"""Ranked papers whose fragments a `Freezer` remembers, some 2 KB each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """A frozen ranked paper, or the frozen text of a paper: ASCII JSON, known by its blake2b hash."""

    key: bytes
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A digest in pieces. ``papers`` holds the text of each of ``ranked``, in the same order."""

    head: str
    ranked: tuple[Fragment, ...] = ()
    papers: tuple[Fragment, ...] = ()


class Freezer:
    """Freezes digests; a ranked paper that stands in many of them is written out once. For the use of one thread."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        # By the object's number, which is its own as long as the object is held here.
        self._ranked: dict[int, tuple[RankedPaper, Fragment, Fragment]] = {}
        self._papers: dict[int, tuple[StoredPaper, Fragment]] = {}

    def freeze(self, digest: Digest) -> Frozen:
        """Return a digest in pieces of ASCII JSON, so that no database refuses them; see `thaw`."""
        pairs = [self._pair(one) for one in digest.ranked]
        return Frozen(
            head=_head(digest),
            ranked=tuple(ranked for ranked, _ in pairs),
            papers=tuple(paper for _, paper in pairs),
        )

    def _pair(self, ranked: RankedPaper) -> tuple[Fragment, Fragment]:
        known = self._ranked.get(id(ranked))
        if known is None:
            paper = self._paper(ranked.stored)
            known = ranked, _fragment(_shallow(ranked) | {"stored": paper.key.hex()}), paper
            if len(self._ranked) >= self._kept:
                self._ranked.clear()
            self._ranked[id(ranked)] = known
        return known[1:]

    def _paper(self, stored: StoredPaper) -> Fragment:
        known = self._papers.get(id(stored))
        if known is None:
            known = stored, _fragment(asdict(stored))
            if len(self._papers) >= self._kept:
                self._papers.clear()
            self._papers[id(stored)] = known
        return known[1]


def freeze(digest: Digest) -> Frozen:
    """Return one digest in pieces; ``thaw(freeze(d), number=d.id) == d``."""
    return Freezer().freeze(digest)


def thaw(frozen: Frozen, *, number: int) -> Digest:
    """Put a frozen digest together again, as number ``number``."""
    papers = {paper.key: thaw_stored(paper.text) for paper in frozen.papers}
    pieces = [(one.key, *opened(one.text)) for one in frozen.ranked]
    ranked = tuple(thaw_ranked(key, raw, papers[of]) for key, of, raw in pieces)
    return thaw_head(frozen.head, number=number, ranked=ranked)


def thaw_head(head: str, *, number: int, ranked: Sequence[RankedPaper]) -> Digest:
    """Read a head, and give it its ranked papers. Heads older than schema 0003 have their own, which then count."""
    raw = json.loads(head)
    return Digest(
        **_rest(Digest, raw, "id", "subscriber", "edition", "composed_at", "ranked", "revised", "notes", "quiet"),
        id=number,
        subscriber=_subscriber(raw["subscriber"]),
        edition=date.fromisoformat(raw["edition"]),
        composed_at=datetime.fromisoformat(raw["composed_at"]),
        ranked=tuple(_ranked(one, _stored(one["stored"])) for one in raw["ranked"])
        if "ranked" in raw
        else tuple(ranked),
        revised=tuple(_stored(one) for one in raw.get("revised", ())),
        notes=tuple(raw.get("notes", ())),
        quiet=tuple(raw.get("quiet", ())),
    )


def opened(text: str) -> tuple[bytes, dict[str, Any]]:
    """Read a ranked paper's fragment as far as the key of the fragment of its paper's text (see `thaw_ranked`)."""
    raw = json.loads(text)
    return bytes.fromhex(raw["stored"]), raw


def thaw_ranked(key: bytes, raw: Mapping[str, Any], stored: StoredPaper) -> RankedPaper:
    """Put a ranked paper together of what was `opened` and its paper; ``key`` is its own."""
    return _ranked(raw, stored, key)


def thaw_stored(text: str) -> StoredPaper:
    """Read the fragment of a paper's text."""
    return _stored(json.loads(text))


def _fragment(raw: Mapping[str, Any]) -> Fragment:
    text = _ENCODER.encode(raw)
    return Fragment(key=hashlib.blake2b(text.encode("ascii"), digest_size=KEY_BYTES).digest(), text=text)


_FLAT = (Schedule, Topic, Reason, Highlight)
_NAMES: dict[type, tuple[str, ...]] = {
    cls: tuple(one.name for one in fields(cls)) for cls in (Digest, Subscriber, RankedPaper, *_FLAT)
}
_KNOWN = {cls: frozenset(names) for cls, names in _NAMES.items()}
_NONE: frozenset[str] = frozenset()


def _head(digest: Digest) -> str:
    raw = _shallow(digest)
    del raw["ranked"]
    raw["subscriber"] = _shallow(digest.subscriber)
    raw["revised"] = [asdict(stored) for stored in digest.revised]
    return _ENCODER.encode(raw)


def _shallow(value: Any) -> dict[str, Any]:
    """Return the fields of a data class; `_plain` sees to what they hold (`asdict` would copy it: 20 times slower)."""
    return {name: getattr(value, name) for name in _NAMES[type(value)] if name != "key"}


def _plain(value: object) -> object:
    if isinstance(value, _FLAT):
        return _shallow(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be frozen")


_ENCODER = json.JSONEncoder(default=_plain, separators=(",", ":"))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _rest(cls: type, raw: Mapping[str, Any], *done: str) -> dict[str, Any]:
    """Return the plain fields; one that a newer version has added and this row does not know keeps its default."""
    if not done and raw.keys() <= _KNOWN.get(cls, _NONE):
        return dict(raw)  # nearly always, and much faster
    names = _NAMES.get(cls) or tuple(one.name for one in fields(cls))
    return {name: raw[name] for name in names if name in raw and name not in done}


def _subscriber(raw: Mapping[str, Any]) -> Subscriber:
    schedule = raw["schedule"]
    return Subscriber(
        **_rest(Subscriber, raw, "status", "schedule", "topics", "created_at", "on_empty"),
        status=SubscriberStatus(raw["status"]),
        on_empty=OnEmpty(raw.get("on_empty", OnEmpty.SKIP)),
        created_at=_moment(raw["created_at"]),
        topics=tuple(Topic(**_rest(Topic, topic)) for topic in raw["topics"]),
        schedule=_schedule(tuple(schedule["days"]), schedule["at"], schedule["tz"], schedule["pause_until"]),
    )


@lru_cache(maxsize=1024)  # many readers want their digests at the same hours
def _schedule(days: tuple[int, ...], at: str, tz: str, pause_until: str | None) -> Schedule:
    return Schedule(
        days=frozenset(days),
        at=time.fromisoformat(at),
        tz=tz,
        pause_until=None if pause_until is None else date.fromisoformat(pause_until),
    )


def _ranked(raw: Mapping[str, Any], stored: StoredPaper, key: bytes = b"") -> RankedPaper:
    return RankedPaper(
        **_rest(RankedPaper, raw, "stored", "reasons", "also", "placement", "highlights", "key"),
        key=key,
        stored=stored,
        reasons=tuple(Reason(**_rest(Reason, reason)) for reason in raw["reasons"]),
        also=tuple(raw.get("also", ())),
        placement=Placement(raw.get("placement", Placement.NEW)),
        highlights=tuple(Highlight(**_rest(Highlight, highlight)) for highlight in raw.get("highlights", ())),
    )


def _stored(raw: Mapping[str, Any]) -> StoredPaper:
    return StoredPaper(
        paper=_paper(raw["paper"]),
        first_seen_at=datetime.fromisoformat(raw["first_seen_at"]),
        entries=tuple(
            Appearance(**_rest(Appearance, entry, "listed_on"), listed_on=date.fromisoformat(entry["listed_on"]))
            for entry in raw["entries"]
        ),
    )


def _paper(raw: Mapping[str, Any]) -> Paper:
    return Paper(
        **_rest(Paper, raw, "id", "aliases", "authors", "categories", "published_at", "updated_at"),
        id=PaperId(**raw["id"]),
        aliases=tuple(PaperId(**alias) for alias in raw["aliases"]),
        authors=tuple(Author(**_rest(Author, author)) for author in raw["authors"]),
        categories=tuple(raw["categories"]),
        published_at=_moment(raw["published_at"]),
        updated_at=_moment(raw["updated_at"]),
    )
