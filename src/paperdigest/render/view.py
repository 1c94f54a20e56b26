"""What a template sees of a digest: cleaned strings and checked links, nothing it could trip over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from paperdigest.render.letter import WORDS, Letter, quiet_view
from paperdigest.render.links import less_end, like_end
from paperdigest.render.papers import PaperView, RevisedView, paper_view, revised_view
from paperdigest.render.people import followed_by
from paperdigest.render.wanted import Cut, Wanted
from paperdigest.render.words import REASON_CHARS, Span, clean, emphasised, shorten, topic_name
from paperdigest.types import RankedPaper, StoredPaper

__all__ = [
    "TOPIC_CHARS",
    "DigestView",
    "SectionView",
    "digest_view",
    "notes_view",
    "revised_views",
]

TOPIC_CHARS = 80
_REVISED_SHOWN = 20
_NOTES_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    """One topic and its papers, as they were chosen: new ones best first, then those that waited or were drawn."""

    topic: str
    papers: tuple[PaperView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestView:
    """A whole digest, ready to be drawn; what stands before ``title`` is of its `Letter`."""

    subject: str
    preview: str
    edition: str
    summary: str
    because: str
    method: str
    unsubscribe: str | None
    manage: str | None
    read: str | None
    mailto: str | None
    mailto_url: str | None
    title: str
    postal_address: str
    sections: tuple[SectionView, ...]
    left_out: int = 0
    revised: tuple[RevisedView, ...] = ()
    revised_left_out: int = 0
    notes: tuple[tuple[Span, ...], ...] = ()
    quiet: tuple[str, ...] = ()


def digest_view(wanted: Wanted, cut: Cut, *, title: str, postal_address: str) -> DigestView:
    """Return the view of a digest.

    Args:
        wanted: what to show, and where it leads back to.
        cut: how much of it.
        title: what the digest calls itself.
        postal_address: printed when not empty.
    """
    digest, said = wanted.digest, Letter(wanted, cut)
    revised, revised_left_out = revised_views(digest.revised)
    return DigestView(
        **{name: getattr(said, name) for name in WORDS},
        title=clean(title),
        postal_address=clean(postal_address),
        sections=_sections(wanted, cut),
        left_out=len(digest.ranked) - cut.papers,
        revised=revised,
        revised_left_out=revised_left_out,
        notes=notes_view(digest.notes),
        quiet=quiet_view(digest),
    )


def _sections(wanted: Wanted, cut: Cut) -> tuple[SectionView, ...]:
    """Return one section a topic, that of the best paper first."""
    followed, read = followed_by(wanted.digest.subscriber.topics), wanted.links.read

    def viewed(position: int, ranked: RankedPaper) -> PaperView:
        like, less = (read + like_end(position), read + less_end(position)) if read else (None, None)
        return paper_view(ranked, cut.abstract_chars, followed=followed, like=like, less=less)

    return tuple(
        SectionView(topic=topic_name(topic, TOPIC_CHARS), papers=tuple(viewed(*one) for one in members))
        for topic, members in cut.placed(wanted.digest)
    )


def revised_views(revised: Sequence[StoredPaper]) -> tuple[tuple[RevisedView, ...], int]:
    """Return the views of changed papers, and how many more there are than are listed."""
    return tuple(map(revised_view, revised[:_REVISED_SHOWN])), max(0, len(revised) - _REVISED_SHOWN)


def notes_view(notes: Sequence[str]) -> tuple[tuple[Span, ...], ...]:
    """Return what the ranking has learned, a note a line."""
    told = (emphasised(shorten(clean(note), REASON_CHARS)) for note in notes[:_NOTES_SHOWN])
    return tuple(note for note in told if note)
