"""The quick way to draw digests with our own templates: each paper, heading, head and foot is drawn once.

Many readers get the same paper for the same reasons. Its row is drawn and its styles are inlined once, with holes for
what differs: the reader's links and the paper's number. Head and foot are drawn once for every set of links there
is. What comes out is, byte for byte, what `drafts.Plain` draws, in a hundredth of the time; a property test holds it to
that. The pieces of a draft that recur are the same ``str`` objects every time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields

from paperdigest.query import Keyword
from paperdigest.render.drafts import Draft
from paperdigest.render.links import less_end, like_end
from paperdigest.render.papers import PaperView, paper_view
from paperdigest.render.people import followed_by
from paperdigest.render.stretches import Recent, Stretch, hole, opened
from paperdigest.render.templates import PAGE, TEXT, Templates
from paperdigest.render.view import (
    TOPIC_CHARS,
    DigestView,
    Letter,
    SectionView,
    letter,
    notes_view,
    quiet_view,
    revised_views,
)
from paperdigest.render.wanted import Cut, Wanted
from paperdigest.render.words import clean, numbering, topic_name, wrap
from paperdigest.types import RankedPaper

__all__ = ["Quick"]

KEPT_PAPERS = 4_000
"""Drawn papers kept, of each form up to twice as many: some 4 KB each."""
KEPT_ROWS = 1_000
KEPT_VIEWS = 100
"""As many as a digest can have: what the page and the text are drawn from is made once for both."""

_NAMES = tuple(one.name for one in fields(Letter))
_NUMBERS = {name: number for number, name in enumerate(_NAMES)}
_READ = _NUMBERS["read"]
_LIKE, _LESS, _NUMBERING, _TOPIC = range(len(_NAMES), len(_NAMES) + 4)
_OPTIONAL = ("method", "unsubscribe", "manage", "read", "mailto")

_WRAPPED: dict[str, Callable[[str], str]] = {
    "command_to_change": lambda text: wrap(text, 2, 6)[2:],
    "command_to_stop": lambda text: wrap(text, 2, 6)[2:],
} | dict.fromkeys(("edition", "summary", "because", "method"), wrap)
"""How lines are broken that are broken when they are drawn."""


_Views = Recent[tuple[RankedPaper, PaperView]]
_Placed = Sequence[tuple[str, Sequence[tuple[int, RankedPaper]]]]


class _Form:
    """HTML or text: the same rows, drawn and filled in another way."""

    def __init__(
        self,
        rows: str,
        draw: Callable[[DigestView], str],
        finish: Callable[[str], str],
        fill: Callable[[str, str], str],
        templates: Templates,
        views: _Views,
    ) -> None:
        self._views = views
        self._rows, self._draw, self._finish, self._fill, self._templates = rows, draw, finish, fill, templates
        self._papers: Recent[tuple[RankedPaper | None, Stretch]] = Recent(KEPT_PAPERS)
        self._others: Recent[Stretch] = Recent(KEPT_ROWS)
        self._shells: dict[tuple[bool, ...], tuple[Stretch, Stretch]] = {}
        self.is_numbered = rows.endswith(".txt.j2")
        """Whether papers have numbers."""

    def shell(self, said: Letter, title: str, postal_address: str) -> tuple[Stretch, Stretch, dict[int, str]]:
        """Return what stands before the first section and after the last row, and what goes into the holes of both."""
        shape = tuple(bool(getattr(said, name)) for name in _OPTIONAL)
        if (known := self._shells.get(shape)) is None:
            # No word of a reader's goes into what others get: the view has nothing but holes.
            values = {name: hole(_NUMBERS[name]) if getattr(said, name) is not None else None for name in _NAMES}
            values["method"] = values["method"] if said.method else ""
            nothing = (SectionView(topic=hole(_TOPIC), papers=()),)
            view = DigestView(**values, title=title, postal_address=postal_address, sections=nothing)  # type: ignore[arg-type]  # those that are None may be
            mark = self._finish(self._templates.part(self._rows, "heading", hole(_TOPIC), 0))
            before, after = self._draw(view).split(mark)
            known = self._shells[shape] = opened(before), opened(after)
        head, foot = known
        names = {number: _NAMES[number] for number in (*head.holes, *foot.holes, _READ)}
        return head, foot, {number: self._fill(name, getattr(said, name) or "") for number, name in names.items()}

    def row(self, macro: str, *given: object) -> Stretch:
        """Return the row that a macro draws."""
        key = (macro, *given)
        if (known := self._others.get(key)) is None:
            known = self._others.put(key, opened(self._finish(self._templates.part(self._rows, macro, *given))))
        return known

    def paper(self, ranked: RankedPaper, chars: int, followed: tuple[Keyword, ...], *, linked: bool) -> Stretch:
        """Return the row of a paper."""
        # Without a key, a paper is known by the object it is, which is held so that no other takes its number.
        key = (ranked.key or id(ranked), chars, followed, linked)
        known = self._papers.get(key)
        if known is None:
            _, view = self._views.get(key) or self._views.put(key, (ranked, _viewed(ranked, chars, followed, linked)))
            given = (view, hole(_NUMBERING)) if self.is_numbered else (view,)
            row = opened(self._finish(self._templates.part(self._rows, "row", *given)))
            known = self._papers.put(key, (None if ranked.key else ranked, row))
        return known[1]


def _viewed(ranked: RankedPaper, chars: int, followed: tuple[Keyword, ...], linked: bool) -> PaperView:
    like, less = (hole(_LIKE), hole(_LESS)) if linked else (None, None)
    return paper_view(ranked, chars, followed=followed, like=like, less=less)


class Quick:
    """Draws digests from pieces that are kept."""

    def __init__(self, templates: Templates, *, title: str, postal_address: str) -> None:
        self._title, self._postal_address = clean(title), clean(postal_address)
        views: _Views = Recent(KEPT_VIEWS)
        self._page = _Form(
            "mail/_rows.html.j2",
            lambda view: templates.inlined(templates.drawn(PAGE, view)),
            templates.inlined_rows,
            lambda _, text: _escaped(text),
            templates,
            views,
        )
        self._text = _Form(
            "mail/_rows.txt.j2",
            lambda view: templates.drawn(TEXT, view).rstrip("\n") + "\n",
            lambda text: text,
            lambda name, text: _WRAPPED[name](text) if name in _WRAPPED else text,
            templates,
            views,
        )

    def draft(self, wanted: Wanted, cut: Cut) -> Draft:
        """See `drafts.Drafter`."""
        said, placed = letter(wanted, cut), cut.placed(wanted.digest)
        html, size = self._drawn(self._page, said, placed, wanted, cut)
        return Draft(
            subject=said.subject,
            html=html,
            size=size,
            text=lambda: self._drawn(self._text, said, placed, wanted, cut)[0],
        )

    def _drawn(
        self, form: _Form, said: Letter, placed: _Placed, wanted: Wanted, cut: Cut
    ) -> tuple[tuple[str, ...], int]:
        head, foot, values = form.shell(said, self._title, self._postal_address)
        followed, linked, read = followed_by(wanted.digest.subscriber.topics), said.read is not None, values[_READ]
        pieces: list[str] = []
        size, number = head.filled(values, pieces), 0
        for topic, members in placed:
            size += form.row("heading", topic_name(topic, TOPIC_CHARS), len(members)).filled(values, pieces)
            for position, ranked in members:
                number += 1
                paper = form.paper(ranked, cut.abstract_chars, followed, linked=linked)
                parts, size = paper.parts, size + paper.size
                if form.is_numbered:
                    pieces += (parts[0], numbering(number))
                    parts = parts[1:]
                pieces.append(parts[0])
                if linked:  # each a piece that recurs, in this digest or in others
                    like, less = like_end(position), less_end(position)
                    pieces += (read, like, parts[1], read, less, parts[2])
                    size += 2 * len(read) + len(like) + len(less)
        for row in _after(form, wanted, cut, read=linked):
            size += row.filled(values, pieces)
        size += foot.filled(values, pieces)
        return tuple(pieces), size


def _after(form: _Form, wanted: Wanted, cut: Cut, *, read: bool) -> list[Stretch]:
    """Return the rows after the papers, in the order of the templates."""
    digest, rows = wanted.digest, []
    if left_out := len(digest.ranked) - cut.papers:
        rows.append(form.row("left_out", left_out, hole(_READ) if read else None))
    if digest.quiet and (quiet := quiet_view(digest)):
        rows.append(form.row("silence", quiet))
    if digest.revised:
        rows.append(form.row("news", *revised_views(digest.revised)))
    if digest.notes and (notes := notes_view(digest.notes)):
        rows.append(form.row("lessons", notes))
    return rows


def _escaped(text: str) -> str:
    """Return cleaned text as it stands in HTML, or in an attribute if it is an address (HTML standard, 13.3)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
