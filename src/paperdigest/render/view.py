"""What a template sees of a digest: cleaned strings and checked links, nothing it could trip over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from paperdigest.render.papers import ABSTRACT_CHARS, PaperView, RevisedView, paper_view, revised_view, title_of
from paperdigest.render.words import REASON_CHARS, Span, clean, day, emphasised, listed, plural, shorten, topic_name
from paperdigest.types import Digest, RankedPaper

__all__ = ["DigestView", "SectionView", "digest_view", "subject_of"]

_REVISED_SHOWN = 20
_NOTES_SHOWN = 5
_METHOD_CHARS = 300
_SUBJECT_CHARS = 110
_TOPICS_IN_SUBJECT = 2
_ADDRESS_CHARS = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    """One topic and its papers, as they were chosen: new ones best first, then those that waited or were drawn."""

    topic: str
    papers: tuple[PaperView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestView:
    """A whole digest, ready to be drawn. ``method`` is empty unless it is a preview for the operator."""

    title: str
    subject: str
    preview: str
    edition: str
    email: str
    greeting: str
    topics: str
    sections: tuple[SectionView, ...]
    revised: tuple[RevisedView, ...]
    revised_left_out: int
    notes: tuple[tuple[Span, ...], ...]
    method: str
    count: int
    left_out: int
    considered: int
    contact: str | None
    contact_url: str | None
    postal_address: str


def digest_view(
    digest: Digest,
    *,
    title: str,
    contact: str | None,
    postal_address: str,
    abstract_chars: int = ABSTRACT_CHARS,
    papers: int | None = None,
    preview: bool = False,
) -> DigestView:
    """Return the view of a digest.

    Args:
        digest: what to show.
        title: what the digest calls itself.
        contact: the address to write to, None to name the commands.
        postal_address: printed when not empty.
        abstract_chars: how long abstracts may be.
        papers: show the first so many papers, None for all.
        preview: for the operator: say by what was ranked.
    """
    shown = digest.ranked if papers is None else digest.ranked[:papers]
    return DigestView(
        title=clean(title),
        subject=subject_of(digest),
        preview=shorten(" · ".join(title_of(ranked.stored.paper) for ranked in digest.ranked[1:4]), 140),
        edition=f"{digest.edition:%A}, {day(digest.edition)}",
        email=shorten(clean(digest.subscriber.email), _ADDRESS_CHARS),
        greeting=shorten(clean(digest.subscriber.name or ""), 60),
        topics=listed([topic_name(topic.name, 60) for topic in digest.subscriber.topics]),
        sections=_sections(digest, shown, abstract_chars),
        revised=tuple(revised_view(stored) for stored in digest.revised[:_REVISED_SHOWN]),
        revised_left_out=max(0, len(digest.revised) - _REVISED_SHOWN),
        notes=_notes(digest.notes),
        method=shorten(clean(digest.method), _METHOD_CHARS) if preview else "",
        count=len(shown),
        left_out=len(digest.ranked) - len(shown),
        considered=digest.considered,
        contact=clean(contact) if contact else None,
        contact_url=f"mailto:{quote(clean(contact), safe='@')}?subject=unsubscribe" if contact else None,
        postal_address=clean(postal_address),
    )


def _sections(digest: Digest, shown: Sequence[RankedPaper], abstract_chars: int) -> tuple[SectionView, ...]:
    """Return one section a topic, in the order of the subscriber's topics; others follow, the best first."""
    by_topic: dict[str, list[PaperView]] = {topic.name: [] for topic in digest.subscriber.topics}
    for ranked in shown:
        by_topic.setdefault(ranked.topic, []).append(paper_view(ranked, abstract_chars))
    return tuple(
        SectionView(topic=topic_name(topic, 80), papers=tuple(members))
        for topic, members in by_topic.items()
        if members
    )


def _notes(notes: Sequence[str]) -> tuple[tuple[Span, ...], ...]:
    told = (emphasised(shorten(clean(note), REASON_CHARS)) for note in notes[:_NOTES_SHOWN])
    return tuple(note for note in told if note)


def subject_of(digest: Digest) -> str:
    """Return what is inside, at most 110 characters: ``5 papers for trace: TITLE OF THE BEST``."""
    if not digest.ranked and digest.revised:
        head = f"{plural(len(digest.revised), 'new version')} of papers you liked: "
        return head + shorten(title_of(digest.revised[0].paper), _SUBJECT_CHARS - len(head))
    if not digest.ranked:
        return f"No papers for {day(digest.edition)}"
    topics_of_papers = dict.fromkeys(ranked.topic for ranked in digest.ranked)
    names = [topic_name(topic, 40 if len(topics_of_papers) == 1 else 26) for topic in topics_of_papers]
    more = len(names) - _TOPICS_IN_SUBJECT
    topics = ", ".join(names[:_TOPICS_IN_SUBJECT]) + (f" and {more} more" if more > 0 else "")
    head = f"{plural(len(digest.ranked), 'paper')} for {topics}: "
    return head + shorten(title_of(digest.ranked[0].stored.paper), _SUBJECT_CHARS - len(head))
