"""Digests for tests of rendering and freezing: a tame one whose every field can be replaced."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from paperdigest.types import (
    Appearance,
    Author,
    Digest,
    Highlight,
    Paper,
    PaperId,
    Placement,
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


def chosen() -> Digest:
    """A digest that shows everything a choice can say: two topics, marks, waiting, exploring, news, lessons."""
    best = paper(1, title="Tracing the trace", abstract="A trace of software traceability. It traces traces.")
    papers = (
        replace(
            ranked(best, reasons=("title matches *trace*", "close to *software traceability*")),
            also=("graphs", "testing"),
            highlights=(
                Highlight(field="title", start=0, end=7),
                Highlight(field="title", start=12, end=17),
                Highlight(field="abstract", start=2, end=7),
                Highlight(field="abstract", start=11, end=32),
            ),
        ),
        replace(ranked(paper(2), topic="graphs"), placement=Placement.WAITED),
        replace(ranked(paper(3)), placement=Placement.EXPLORED, propensity=0.05),
    )
    changed = paper(4, version=3, updated_at=datetime(2026, 4, 12, tzinfo=UTC))
    gone = paper(5, withdrawn=True, url=None)
    return replace(
        digest(*papers, to=subscriber(topics=("trace", "graphs", "testing"))),
        revised=tuple(StoredPaper(paper=one, first_seen_at=NOW) for one in (changed, gone)),
        notes=("more like *trace* because you liked Paper number 9",),
        method="by words and by the vector model MiniLM",
    )
