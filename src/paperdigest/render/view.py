"""What a template sees of a digest: cleaned strings and checked links, nothing it could trip over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from paperdigest.render.links import less_end, like_end, mailto
from paperdigest.render.papers import PaperView, RevisedView, paper_view, revised_view, title_of
from paperdigest.render.people import followed_by
from paperdigest.render.subjects import subject_of
from paperdigest.render.wanted import Cut, Wanted
from paperdigest.render.words import REASON_CHARS, Span, clean, day, emphasised, listed, plural, shorten, topic_name
from paperdigest.types import Digest, RankedPaper, StoredPaper

__all__ = [
    "TOPIC_CHARS",
    "DigestView",
    "Letter",
    "SectionView",
    "digest_view",
    "letter",
    "notes_view",
    "quiet_view",
    "revised_views",
]

TOPIC_CHARS = 80
_REVISED_SHOWN = 20
_NOTES_SHOWN = 5
_QUIET_SHOWN = 12
_QUIET_CHARS = 400
_METHOD_CHARS = 300
_PREVIEW_CHARS = 140
_ADDRESS_CHARS = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    """One topic and its papers, as they were chosen: new ones best first, then those that waited or were drawn."""

    topic: str
    papers: tuple[PaperView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is said to one reader around the papers, each a line of its own.

    ``method`` is empty unless it is a preview for the operator; the links are None where there are none.
    """

    subject: str
    preview: str
    edition: str
    summary: str
    because: str
    command_to_change: str
    command_to_stop: str
    method: str
    unsubscribe: str | None
    manage: str | None
    read: str | None
    mailto: str | None
    mailto_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestView(Letter):
    """A whole digest, ready to be drawn."""

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
    digest, said = wanted.digest, letter(wanted, cut)
    revised, revised_left_out = revised_views(digest.revised)
    return DigestView(
        **{name: getattr(said, name) for name in Letter.__slots__},
        title=clean(title),
        postal_address=clean(postal_address),
        sections=_sections(wanted, cut),
        left_out=len(digest.ranked) - cut.papers,
        revised=revised,
        revised_left_out=revised_left_out,
        notes=notes_view(digest.notes),
        quiet=quiet_view(digest),
    )


def letter(wanted: Wanted, cut: Cut) -> Letter:
    """Return what is said around the papers."""
    digest, links = wanted.digest, wanted.links
    email = shorten(clean(digest.subscriber.email), _ADDRESS_CHARS)
    topics = listed([topic_name(topic.name, 60) for topic in digest.subscriber.topics])
    return Letter(
        subject=subject_of(digest),
        preview=_preview(digest),
        edition=f"{digest.edition:%A}, {day(digest.edition)}",
        summary=_summary(digest, cut.papers),
        because=f"You get this because {email} asked for papers{f' on {topics}' if topics else ''}.",
        command_to_change=f"paperdigest subscriber set {email} --days mon-fri",
        command_to_stop=f"paperdigest subscriber remove {email}",
        method=_method(digest) if wanted.preview else "",
        unsubscribe=links.unsubscribe,
        manage=links.manage,
        read=links.read,
        mailto=links.unsubscribe_mailto,
        mailto_url=mailto(links.unsubscribe_mailto) if links.unsubscribe_mailto else None,
    )


def _preview(digest: Digest) -> str:
    """Return what mail programs show after the subject: the next best titles, or why there are none."""
    if digest.ranked:
        said = [title_of(ranked.stored.paper) for ranked in digest.ranked[1:4]]
    else:
        said = list(quiet_view(digest)[1:2])
    return shorten(" · ".join(said), _PREVIEW_CHARS)


def _summary(digest: Digest, shown: int) -> str:
    if digest.quiet and not digest.ranked:
        return "no papers today"
    return f"{shown:,} of {plural(digest.considered, 'unseen paper')} for you"


def _method(digest: Digest) -> str:
    method = shorten(clean(digest.method), _METHOD_CHARS)
    return f"Ranked {method}. (Only the preview says so.)" if method else ""


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


def quiet_view(digest: Digest) -> tuple[str, ...]:
    """Return why there are no papers, a reason a line; nothing when there are some."""
    if digest.ranked:
        return ()
    told = (shorten(clean(sentence), _QUIET_CHARS) for sentence in digest.quiet[:_QUIET_SHOWN])
    return tuple(sentence for sentence in told if sentence)
