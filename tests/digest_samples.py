"""Digests for tests of rendering and freezing: a tame one whose every field can be replaced."""

from __future__ import annotations

from datetime import UTC, date, datetime

from paperdigest.types import (
    Appearance,
    Author,
    Digest,
    Paper,
    PaperId,
    RankedPaper,
    Reason,
    StoredPaper,
    Subscriber,
    SubscriberStatus,
    Topic,
)

NOW = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)
EDITION = date(2026, 4, 15)
BADGE = Appearance(source="hf", listed_on=date(2026, 4, 14), rank=1, upvotes=12, comments=1)


def named(*names: str) -> tuple[Author, ...]:
    return tuple(Author(name=name) for name in names)


def paper(number: int = 1, **fields: object) -> Paper:
    """A paper by its number; ``fields`` as of `Paper`."""
    local = f"2604.{number:05}"
    given: dict[str, object] = {
        "id": PaperId(scheme="arxiv", local=local),
        "title": f"Paper number {number}",
        "abstract": "One sentence about a trace. And another one.",
        "authors": named("Ada Example", "Ben Example"),
        "published_at": datetime(2026, 4, 13, 23, 30, tzinfo=UTC),
        "url": f"https://arxiv.org/abs/{local}",
        "pdf_url": f"https://arxiv.org/pdf/{local}",
    }
    return Paper(**(given | fields))  # type: ignore[arg-type]  # keywords are checked by the call


def ranked(
    one: Paper | None = None,
    *,
    topic: str = "trace",
    score: float = 0.5,
    reasons: tuple[str, ...] = ("abstract has *trace*",),
    entries: tuple[Appearance, ...] = (BADGE,),
) -> RankedPaper:
    return RankedPaper(
        stored=StoredPaper(paper=one or paper(), first_seen_at=NOW, entries=entries),
        score=score,
        topic=topic,
        reasons=tuple(Reason(text=text, keyword="trace", contribution=1.0) for text in reasons),
    )


def subscriber(email: str = "you@example.org", topics: tuple[str, ...] = ("trace",), name: str = "You") -> Subscriber:
    return Subscriber(
        email=email,
        name=name,
        status=SubscriberStatus.ACTIVE,
        topics=tuple(Topic(name=topic, query="trace") for topic in topics),
        id=1,
    )


def digest(*papers: RankedPaper, considered: int = 46, to: Subscriber | None = None) -> Digest:
    return Digest(
        subscriber=to or subscriber(), edition=EDITION, composed_at=NOW, ranked=papers, considered=considered, id=7
    )
