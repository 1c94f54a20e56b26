"""What a template sees of a digest: cleaned strings and checked links, nothing it could trip over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from urllib.parse import quote

from paperdigest.render.words import Span, clean, emphasised, http_url, is_visible, marked, plural, shorten
from paperdigest.types import Appearance, Digest, Paper, RankedPaper

__all__ = ["Badge", "DigestView", "Link", "PaperView", "SectionView", "digest_view", "paper_view", "subject_of"]

ABSTRACT_CHARS = 600
_TITLE_CHARS = 300
_AUTHORS_SHOWN = 4
_REASONS_SHOWN = 3
_REASON_CHARS = 200
_BADGES_SHOWN = 4
_SUBJECT_CHARS = 110
_TOPICS_IN_SUBJECT = 2
_TOPICS_IN_FOOTER = 10
_ADDRESS_CHARS = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets


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
    """One paper, ready to be drawn."""

    title: str
    url: str | None
    authors: str
    facts: str
    badges: tuple[Badge, ...]
    abstract: tuple[Span, ...]
    reasons: tuple[tuple[Span, ...], ...]
    links: tuple[Link, ...]
    withdrawn: bool

    @property
    def facts_line(self) -> str:
        """Facts and badges in one line of text."""
        badges = [f"{badge.source} ({badge.detail})" if badge.detail else badge.source for badge in self.badges]
        return " · ".join([self.facts, *badges] if self.facts else badges)


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    """One topic and its papers, best first."""

    topic: str
    papers: tuple[PaperView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestView:
    """A whole digest, ready to be drawn."""

    title: str
    subject: str
    preview: str
    edition: str
    email: str
    greeting: str
    topics: str
    sections: tuple[SectionView, ...]
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
) -> DigestView:
    """Return the view of a digest with abstracts of at most ``abstract_chars``, of the first ``papers`` papers."""
    shown = digest.ranked if papers is None else digest.ranked[:papers]
    by_topic: dict[str, list[PaperView]] = {}
    for ranked in shown:
        by_topic.setdefault(ranked.topic, []).append(paper_view(ranked, abstract_chars))
    return DigestView(
        title=clean(title),
        subject=subject_of(digest),
        preview=shorten(" · ".join(_title(ranked.stored.paper) for ranked in digest.ranked[1:4]), 140),
        edition=f"{digest.edition:%A}, {_day(digest.edition)}",
        email=shorten(clean(digest.subscriber.email), _ADDRESS_CHARS),
        greeting=shorten(clean(digest.subscriber.name or ""), 60),
        topics=_listed([_topic(topic.name, 60) for topic in digest.subscriber.topics]),
        sections=tuple(
            SectionView(topic=_topic(topic, 80), papers=tuple(members)) for topic, members in by_topic.items()
        ),
        count=len(shown),
        left_out=len(digest.ranked) - len(shown),
        considered=digest.considered,
        contact=clean(contact) if contact else None,
        contact_url=f"mailto:{quote(clean(contact), safe='@')}?subject=unsubscribe" if contact else None,
        postal_address=clean(postal_address),
    )


def paper_view(ranked: RankedPaper, abstract_chars: int = ABSTRACT_CHARS) -> PaperView:
    """Return the view of one paper."""
    paper = ranked.stored.paper
    reasons = tuple(
        emphasised(shorten(clean(reason.text), _REASON_CHARS)) for reason in ranked.reasons[:_REASONS_SHOWN]
    )
    forms = {span.text for reason in reasons for span in reason if span.strong}
    return PaperView(
        title=_title(paper),
        url=http_url(paper.url),
        authors=authors_line(paper),
        facts=" · ".join(_facts(paper)),
        badges=_badges(ranked.stored.entries),
        abstract=marked(shorten(clean(paper.abstract or ""), abstract_chars), forms),
        reasons=tuple(reason for reason in reasons if reason),
        links=_links(paper),
        withdrawn=paper.withdrawn,
    )


def subject_of(digest: Digest) -> str:
    """Return what is inside, at most 110 characters: ``5 papers for trace: TITLE OF THE BEST``."""
    if not digest.ranked:
        return f"No papers for {_day(digest.edition)}"
    topics_of_papers = dict.fromkeys(ranked.topic for ranked in digest.ranked)
    names = [_topic(topic, 40 if len(topics_of_papers) == 1 else 26) for topic in topics_of_papers]
    more = len(names) - _TOPICS_IN_SUBJECT
    topics = ", ".join(names[:_TOPICS_IN_SUBJECT]) + (f" and {more} more" if more > 0 else "")
    head = f"{plural(len(digest.ranked), 'paper')} for {topics}: "
    return head + shorten(_title(digest.ranked[0].stored.paper), _SUBJECT_CHARS - len(head))


def _title(paper: Paper) -> str:
    title = shorten(clean(paper.title), _TITLE_CHARS)
    return title if is_visible(title) else clean(str(paper.id))


def _topic(name: str, limit: int) -> str:
    topic = shorten(clean(name), limit)
    return topic if is_visible(topic) else "a topic without a name"


def authors_line(paper: Paper) -> str:
    """Return the first few authors and how many more there are, or only their number when nothing else is known."""
    count = paper.authors_count or 0
    visible = (name for author in paper.authors if is_visible(name := clean(author.name)))
    names = [shorten(name, 60) for name in islice(visible, _AUTHORS_SHOWN + 1)]
    if not names:
        return plural(count, "author") if count else ""
    # "+ 1 more" takes the place of the name it hides.
    shown = names if count == len(names) else names[:_AUTHORS_SHOWN]
    more = f" + {count - len(shown):,} more" if count > len(shown) else ""
    return ", ".join(shown) + more


def _facts(paper: Paper) -> list[str]:
    facts = []
    if paper.published_at is not None:
        facts.append(_day(paper.published_at.date()))
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
    wanted = (("Abstract", paper.url), ("PDF", paper.pdf_url), ("Code", paper.code_url))
    return tuple(Link(label, url) for label, raw in wanted if (url := http_url(raw)) is not None)


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _listed(names: Sequence[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``; of more than ten names the first ten and how many more."""
    shown = list(names[:_TOPICS_IN_FOOTER])
    if len(names) > len(shown):
        shown.append(f"{len(names) - len(shown):,} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
