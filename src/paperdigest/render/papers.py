"""What a template sees of one paper: cleaned strings, checked links, and where it matches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from paperdigest.query import Keyword
from paperdigest.render.people import authors_spans
from paperdigest.render.repositories import code_url_in
from paperdigest.render.words import (
    REASON_CHARS,
    Span,
    clean,
    day,
    emphasised,
    highlighted,
    http_url,
    is_visible,
    listed,
    marked,
    plural,
    shorten,
    topic_name,
)
from paperdigest.types import Appearance, Paper, Placement, RankedPaper, StoredPaper

__all__ = [
    "ABSTRACT_CHARS",
    "Badge",
    "Link",
    "PaperView",
    "RevisedView",
    "paper_view",
    "revised_view",
    "title_of",
]

ABSTRACT_CHARS = 600
_TITLE_CHARS = 300
_REASONS_SHOWN = 3
_BADGES_SHOWN = 4
_ALSO_SHOWN = 5
_PLACEMENTS = {
    Placement.NEW: "",
    Placement.WAITED: "from the last days",
    Placement.EXPLORED: "you nearly missed this: drawn by lot",
}


@dataclass(frozen=True, slots=True)
class Link:
    """A checked http(s) address and what it leads to."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Badge:
    """A source that has the paper, and what people there did with it."""

    source: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperView:
    """One paper, ready to be drawn.

    ``title_spans`` is the title with the matches strong. ``placement`` says why a paper that is not new stands
    there, and ``also`` which other topics it matches; both may be empty. ``like`` and ``less`` are where the reader
    judges it, None without web pages.
    """

    title: str
    title_spans: tuple[Span, ...]
    url: str | None
    authors: tuple[Span, ...]
    facts: str
    badges: tuple[Badge, ...]
    abstract: tuple[Span, ...]
    reasons: tuple[tuple[Span, ...], ...]
    links: tuple[Link, ...]
    withdrawn: bool
    placement: str
    also: str
    like: str | None = None
    less: str | None = None

    @property
    def facts_line(self) -> str:
        """Facts and badges in one line of text."""
        badges = [f"{badge.source} ({badge.detail})" if badge.detail else badge.source for badge in self.badges]
        return " · ".join([self.facts, *badges] if self.facts else badges)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisedView:
    """A liked paper that has changed: ``news`` says how, e.g. ``version 3 of 12 April 2026``.

    It is empty when nothing is known but that the paper was withdrawn.
    """

    title: str
    url: str | None
    news: str
    withdrawn: bool


def paper_view(
    ranked: RankedPaper,
    abstract_chars: int = ABSTRACT_CHARS,
    *,
    followed: Sequence[Keyword] = (),
    like: str | None = None,
    less: str | None = None,
) -> PaperView:
    """Return the view of one paper.

    Args:
        ranked: what to show.
        abstract_chars: how long the abstract may be.
        followed: the authors whom the reader follows, see `people.followed_by`.
        like: where the reader asks for more like it.
        less: where for less.
    """
    paper = ranked.stored.paper
    reasons = _reasons(ranked)
    title = highlighted(paper.title, _TITLE_CHARS, _places(ranked, "title"))
    if ranked.highlights:
        abstract = highlighted(paper.abstract or "", abstract_chars, _places(ranked, "abstract"))
    else:  # a digest frozen before matches were kept: mark the words that the reasons name
        forms = {span.text for reason in reasons for span in reason if span.strong}
        abstract = marked(shorten(clean(paper.abstract or ""), abstract_chars), forms)
    return PaperView(
        title=title_of(paper),
        title_spans=title if is_visible("".join(span.text for span in title)) else (Span(title_of(paper)),),
        url=http_url(paper.url),
        authors=authors_spans(paper, followed),
        facts=" · ".join(_facts(paper)),
        badges=_badges(ranked.stored.entries),
        abstract=abstract,
        reasons=reasons,
        links=_links(paper),
        withdrawn=paper.withdrawn,
        placement=_PLACEMENTS[ranked.placement],
        also=listed([topic_name(name, 60) for name in ranked.also], _ALSO_SHOWN),
        like=like,
        less=less,
    )


def _places(ranked: RankedPaper, field: str) -> list[tuple[int, int]]:
    return [(one.start, one.end) for one in ranked.highlights if one.field == field]


def _reasons(ranked: RankedPaper) -> tuple[tuple[Span, ...], ...]:
    """Return the few reasons that did most for the paper, the weightiest first; none that spoke against it."""
    helped = sorted((one for one in ranked.reasons if one.contribution > 0), key=lambda one: -one.contribution)
    told = (emphasised(shorten(clean(one.text), REASON_CHARS)) for one in helped[:_REASONS_SHOWN])
    return tuple(reason for reason in told if reason)


def revised_view(stored: StoredPaper) -> RevisedView:
    """Return the view of a liked paper that has changed."""
    paper = stored.paper
    said = [f"version {paper.version}"] if paper.version is not None else []
    if paper.updated_at is not None:
        said.append(f"of {day(paper.updated_at.date())}")
    if not said and not paper.withdrawn:
        said.append("changed")
    return RevisedView(title=title_of(paper), url=http_url(paper.url), news=" ".join(said), withdrawn=paper.withdrawn)


def title_of(paper: Paper) -> str:
    """Return a paper's title, at most 300 characters; its id when nothing of it can be seen."""
    return _visible_title(paper.title) or clean(str(paper.id))


@lru_cache(maxsize=4096)  # the best papers of many digests
def _visible_title(title: str) -> str:
    shown = shorten(clean(title), _TITLE_CHARS)
    return shown if is_visible(shown) else ""


def _facts(paper: Paper) -> list[str]:
    facts = []
    if paper.published_at is not None:
        facts.append(day(paper.published_at.date()))
    if paper.version is not None and paper.version > 1:
        facts.append(f"version {paper.version}")
    if paper.primary_category:
        facts.append(shorten(clean(paper.primary_category), 30))
    return facts


def _badges(entries: Sequence[Appearance]) -> tuple[Badge, ...]:
    """Return one badge a source, from the newest listing the paper stood in; the most upvoted first."""
    newest: dict[str, Appearance] = {}
    for entry in sorted(entries, key=lambda entry: (entry.listed_on, entry.upvotes or 0)):
        newest[entry.source] = entry
    ordered = sorted(newest.values(), key=lambda entry: (-(entry.upvotes or 0), entry.source))
    return tuple(Badge(shorten(clean(entry.source), 40), _detail(entry)) for entry in ordered[:_BADGES_SHOWN])


def _detail(entry: Appearance) -> str:
    said = []
    if entry.upvotes:
        said.append(plural(entry.upvotes, "upvote"))
    if entry.comments:
        said.append(plural(entry.comments, "comment"))
    if entry.announce_type in ("cross", "replace-cross"):
        said.append("cross-list")
    if entry.announce_type in ("replace", "replace-cross"):
        said.append("new version")
    return " · ".join(said)


def _links(paper: Paper) -> tuple[Link, ...]:
    code = http_url(paper.code_url) or code_url_in(paper.abstract, paper.comment)
    wanted = (("Abstract", paper.url), ("PDF", paper.pdf_url), ("Code", code))
    return tuple(Link(label, url) for label, raw in wanted if (url := http_url(raw)) is not None)
