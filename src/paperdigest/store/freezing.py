"""A digest as JSON and back: what is frozen is everything that rendering it needs, and nothing of it changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import date, datetime, time
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

__all__ = ["freeze", "thaw"]


def freeze(digest: Digest) -> str:
    """Return a digest as ASCII JSON, so that no database refuses it; ``thaw(freeze(d), number=d.id) == d``."""
    return json.dumps(asdict(digest), default=_plain, separators=(",", ":"))


def thaw(frozen: str, *, number: int) -> Digest:
    """Read a frozen digest back, as number ``number``."""
    raw = json.loads(frozen)
    return Digest(
        **_rest(Digest, raw, "id", "subscriber", "edition", "composed_at", "ranked", "revised", "notes"),
        id=number,
        subscriber=_subscriber(raw["subscriber"]),
        edition=date.fromisoformat(raw["edition"]),
        composed_at=datetime.fromisoformat(raw["composed_at"]),
        ranked=tuple(_ranked(one) for one in raw["ranked"]),
        revised=tuple(_stored(one) for one in raw.get("revised", ())),
        notes=tuple(raw.get("notes", ())),
    )


def _plain(value: object) -> object:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return ""  # the key of a text is no part of it
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be frozen")


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _rest(cls: type, raw: Mapping[str, Any], *done: str) -> dict[str, Any]:
    """Return the plain fields; one that a newer version has added and this row does not know keeps its default."""
    return {one.name: raw[one.name] for one in fields(cls) if one.name in raw and one.name not in done}


def _subscriber(raw: Mapping[str, Any]) -> Subscriber:
    schedule = raw["schedule"]
    return Subscriber(
        **_rest(Subscriber, raw, "status", "schedule", "topics", "created_at", "on_empty"),
        status=SubscriberStatus(raw["status"]),
        on_empty=OnEmpty(raw.get("on_empty", OnEmpty.SKIP)),
        created_at=_moment(raw["created_at"]),
        topics=tuple(Topic(**_rest(Topic, topic)) for topic in raw["topics"]),
        schedule=Schedule(
            days=frozenset(schedule["days"]),
            at=time.fromisoformat(schedule["at"]),
            tz=schedule["tz"],
            pause_until=None if schedule["pause_until"] is None else date.fromisoformat(schedule["pause_until"]),
        ),
    )


def _ranked(raw: Mapping[str, Any]) -> RankedPaper:
    return RankedPaper(
        **_rest(RankedPaper, raw, "stored", "reasons", "also", "placement", "highlights", "key"),
        stored=_stored(raw["stored"]),
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
