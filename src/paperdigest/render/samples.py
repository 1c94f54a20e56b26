"""Digests that have everything a template can draw, to try templates on before a real digest needs them."""

from __future__ import annotations

from datetime import UTC, date, datetime

from paperdigest.render.links import NO_LINKS, Links
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
    Topic,
)

__all__ = ["SAMPLES", "SAMPLE_LINKS"]

_THEN = datetime(2026, 4, 15, tzinfo=UTC)
_PAGE = "https://digest.example.org"

_FULL = StoredPaper(
    paper=Paper(
        id=PaperId(scheme="arxiv", local="2604.00001"),
        title="A title",
        abstract="An abstract of two sentences. The second names https://github.com/example/code.",
        authors=(Author(name="Ada Example"), Author(name="Ben Example")),
        published_at=_THEN,
        updated_at=_THEN,
        version=2,
        url="https://arxiv.org/abs/2604.00001",
        pdf_url="https://arxiv.org/pdf/2604.00001",
        primary_category="cs.SE",
    ),
    first_seen_at=_THEN,
    entries=(Appearance(source="hf", listed_on=date(2026, 4, 14), rank=1, upvotes=12, comments=1),),
)
_BARE = StoredPaper(paper=Paper(id=PaperId(scheme="title", local="bare"), title="Bare"), first_seen_at=_THEN)
_GONE = StoredPaper(
    paper=Paper(id=PaperId(scheme="arxiv", local="2604.00003"), title="Gone", withdrawn=True), first_seen_at=_THEN
)
_READER = Subscriber(
    id=1,
    email="reader@example.org",
    topics=(Topic(name="trace", query='trace author:"Ada Example"'), Topic(name="graphs", query="graphs")),
)
_REASONS = (
    Reason(text="title matches *title*", keyword="title", contribution=1.0, where="title"),
    Reason(text="abstract has *sentences*", keyword="sentences", contribution=0.5, where="abstract"),
)
_MARKS = (Highlight(field="title", start=2, end=7), Highlight(field="abstract", start=3, end=11))

SAMPLES = (
    Digest(
        id=1,
        subscriber=_READER,
        edition=_THEN.date(),
        composed_at=_THEN,
        considered=46,
        ranked=(
            RankedPaper(stored=_FULL, score=0.5, topic="trace", reasons=_REASONS, also=("graphs",), highlights=_MARKS),
            RankedPaper(stored=_BARE, score=0.4, topic="graphs", placement=Placement.WAITED),
            RankedPaper(stored=_GONE, score=0.3, topic="trace", placement=Placement.EXPLORED, propensity=0.1),
        ),
        revised=(_FULL, _BARE, _GONE),
        notes=("more like *title*",),
        method="by words",
    ),
    Digest(subscriber=_READER, edition=_THEN.date(), composed_at=_THEN, quiet=("arXiv announced nothing.", "Nothing.")),
    Digest(subscriber=_READER, edition=_THEN.date(), composed_at=_THEN, revised=(_FULL,) * 30),
    Digest(subscriber=_READER, edition=_THEN.date(), composed_at=_THEN),
)
"""A full one, a quiet one, one of new versions alone, and an empty one."""

SAMPLE_LINKS = (
    NO_LINKS,
    Links(unsubscribe_mailto="unsub@example.org"),
    Links(unsubscribe=f"{_PAGE}/u/x", manage=f"{_PAGE}/m/x", read=f"{_PAGE}/d/x", unsubscribe_mailto="u@example.org"),
)
"""None, a mail address alone, and all."""
