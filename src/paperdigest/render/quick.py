"""The quick way to draw digests with our own templates: each paper, heading, head and foot is drawn once.

Many readers get the same paper for the same reasons. Its row is drawn and its styles are inlined once, with holes for
what differs: the reader's links and the paper's number. Head and foot are drawn once for every set of links there
is. What comes out is, byte for byte, what `drafts.Plain` draws, in a hundredth of the time; a property test holds it to
that. The pieces of a draft that recur are the same objects every time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from paperdigest.query import Keyword
from paperdigest.render.drafts import Draft
from paperdigest.render.letter import WORDS, Letter, quiet_view
from paperdigest.render.links import less_end, like_end
from paperdigest.render.papers import paper_view
from paperdigest.render.people import followed_by
from paperdigest.render.stretches import Recent, Stretch, hole, opened
from paperdigest.render.templates import PAGE, TEXT, Templates
from paperdigest.render.view import TOPIC_CHARS, DigestView, SectionView, notes_view, revised_views
from paperdigest.render.wanted import Cut, Wanted
from paperdigest.render.words import clean, numbering, topic_name, wrap
from paperdigest.types import LINK, Pieces, RankedPaper, Recurring

__all__ = ["Quick"]

KEPT_PAPERS = 4_000
"""Drawn papers kept, up to twice as many: some 16 KB each, with what mail makes of them."""
KEPT_PLACED = 8_000
"""Papers kept at their place in a digest: the short pieces around the reader's links."""
KEPT_ROWS = 1_000
KEPT_WORDS = 1_000

_NUMBERS = {name: number for number, name in enumerate(WORDS)}
_LIKE, _LESS, _NUMBERING, _TOPIC = range(len(WORDS), len(WORDS) + 4)
_OFTEN = frozenset({"subject", "edition", "summary"})
"""What is said to many readers in the same words."""
_OPTIONAL = ("method", "unsubscribe", "manage", "read", "mailto")

_WRAPPED = frozenset({"edition", "summary", "because", "method"})
"""Their lines are broken when they are drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class _Variant:
    """What the rows of papers differ in from reader to reader, but for their links; known by the object it is."""

    chars: int
    followed: tuple[Keyword, ...]
    linked: bool


class _Row(NamedTuple):
    """A paper at its place, in pieces; their ``size`` in bytes is without the reader's links."""

    pieces: tuple[Recurring, ...]
    size: int


_Placed = Sequence[tuple[str, Sequence[tuple[_Row, _Row]]]]
"""Topics and the rows of their papers, as HTML and as text."""
_Words = tuple[tuple[int, str], ...]
"""Holes and what of a `Letter` goes into them."""


class _Form:
    """HTML or text: the same rows, drawn and filled in another way."""

    def __init__(
        self,
        rows: str,
        draw: Callable[[DigestView], str],
        finish: Callable[[str], str],
        fill: Callable[[str, str], str],
        templates: Templates,
    ) -> None:
        self._rows, self._draw, self._finish, self.fill, self._templates = rows, draw, finish, fill, templates
        self._fill_kept = lru_cache(maxsize=KEPT_WORDS)(lambda name, text: Recurring(fill(name, text)))
        self._others: Recent[Stretch] = Recent(KEPT_ROWS)
        self._shells: dict[tuple[bool, ...], tuple[Stretch, Stretch, _Words, _Words]] = {}

    def shell(self, said: Letter, title: str, postal_address: str) -> tuple[Stretch, Stretch, dict[int, str]]:
        """Return what stands before the first section and after the last row, and what goes into the holes of both."""
        shape = tuple([bool(getattr(said, name)) for name in _OPTIONAL])
        if (known := self._shells.get(shape)) is None:
            # No word of a reader's goes into what others get: the view has nothing but holes.
            values = {name: hole(_NUMBERS[name]) if getattr(said, name) is not None else None for name in WORDS}
            values["method"] = values["method"] if said.method else ""
            values["read"] = LINK if said.read is not None else None
            nothing = (SectionView(topic=hole(_TOPIC), papers=()),)
            view = DigestView(**values, title=title, postal_address=postal_address, sections=nothing)  # type: ignore[arg-type]  # those that are None may be
            mark = self._finish(self._templates.part(self._rows, "heading", hole(_TOPIC), 0))
            head, foot = map(opened, self._draw(view).split(mark))
            words = [(number, WORDS[number]) for number in {*head.holes, *foot.holes}]
            often = tuple(one for one in words if one[1] in _OFTEN)
            known = self._shells[shape] = head, foot, often, tuple(one for one in words if one not in often)
        head, foot, often, once = known
        kept = {number: self._fill_kept(name, getattr(said, name)) for number, name in often}
        return head, foot, kept | {number: self.fill(name, getattr(said, name) or "") for number, name in once}

    def row(self, macro: str, *given: object) -> Stretch:
        """Return the row that a macro draws, kept."""
        key = (macro, *given)
        return self._others.get(key) or self._others.put(key, self.drawn(macro, *given))

    def drawn(self, macro: str, *given: object) -> Stretch:
        """Return the row that a macro draws."""
        return opened(self._finish(self._templates.part(self._rows, macro, *given)))


class Quick:
    """Draws digests from pieces that are kept."""

    def __init__(self, templates: Templates, *, title: str, postal_address: str) -> None:
        self._title, self._postal_address = clean(title), clean(postal_address)
        self._page = _Form(
            "mail/_rows.html.j2",
            lambda view: templates.inlined(templates.drawn(PAGE, view)),
            templates.inlined_rows,
            lambda _, text: _escaped(text),
            templates,
        )
        self._text = _Form(
            "mail/_rows.txt.j2",
            lambda view: templates.drawn(TEXT, view).rstrip("\n") + "\n",
            lambda text: text,
            lambda name, text: wrap(text) if name in _WRAPPED else text,
            templates,
        )
        self._variants: Recent[_Variant] = Recent(KEPT_WORDS)
        self._papers: Recent[tuple[RankedPaper | None, Stretch, Stretch]] = Recent(KEPT_PAPERS)
        self._placed: Recent[tuple[RankedPaper | None, tuple[_Row, _Row]]] = Recent(KEPT_PLACED)

    def draft(self, wanted: Wanted, cut: Cut) -> Draft:
        """See `drafts.Drafter`."""
        said, placed = Letter(wanted, cut), self._sections(wanted, cut)
        html, size = self._filled(self._page, 0, said, placed, wanted, cut)
        return Draft(
            subject=said.subject,
            html=html,
            size=size,
            text=lambda: self._filled(self._text, 1, said, placed, wanted, cut)[0],
        )

    def _sections(self, wanted: Wanted, cut: Cut) -> _Placed:
        variant = self._variant(wanted, cut)
        found, number, known = [], 0, self._placed.get
        for topic, members in cut.placed(wanted.digest):
            rows = []
            for position, ranked in members:
                number += 1
                # Without a key, a paper is known by the object it is, which is held so that no other takes its number.
                key = (ranked.key or id(ranked), position, number, variant)
                rows.append((known(key) or self._place(key, ranked, position, number, variant))[1])
            found.append((topic, rows))
        return found

    def _variant(self, wanted: Wanted, cut: Cut) -> _Variant:
        key = cut.abstract_chars, followed_by(wanted.digest.subscriber.topics), wanted.links.read is not None
        return self._variants.get(key) or self._variants.put(key, _Variant(*key))

    def _place(
        self, key: Hashable, ranked: RankedPaper, position: int, number: int, variant: _Variant
    ) -> tuple[RankedPaper | None, tuple[_Row, _Row]]:
        held, page, text = self._drawn(ranked, variant)
        lead, *rest = text.parts
        # In two or three pieces: the longest is the same at every place.
        numbered = (Recurring(lead + numbering(number)), *_ended(rest, position))
        rows = _row(_ended(page.parts, position)), _row(numbered)
        return self._placed.put(key, (held, rows))

    def _drawn(self, ranked: RankedPaper, variant: _Variant) -> tuple[RankedPaper | None, Stretch, Stretch]:
        key = (ranked.key or id(ranked), variant)
        if (known := self._papers.get(key)) is None:
            like, less = (hole(_LIKE), hole(_LESS)) if variant.linked else (None, None)
            view = paper_view(ranked, variant.chars, followed=variant.followed, like=like, less=less)
            page, text = self._page.drawn("row", view), self._text.drawn("row", view, hole(_NUMBERING))
            known = self._papers.put(key, (None if ranked.key else ranked, page, text))
        return known

    def _filled(
        self, form: _Form, side: int, said: Letter, placed: _Placed, wanted: Wanted, cut: Cut
    ) -> tuple[Pieces, int]:
        head, foot, values = form.shell(said, self._title, self._postal_address)
        link = form.fill("read", said.read or "")
        pieces: list[str] = []
        size, links = head.filled(values, pieces), head.links + foot.links
        for topic, papers in placed:
            size += form.row("heading", topic_name(topic, TOPIC_CHARS), len(papers)).filled(values, pieces)
            for both in papers:
                row = both[side]
                pieces += row.pieces
                size += row.size
            links += 2 * len(papers)
        for further in _after(form, wanted, cut, read=bool(link)):
            size += further.filled(values, pieces)
            links += further.links
        size += foot.filled(values, pieces)
        return Pieces(tuple(pieces), link), size + links * len(link)


def _ended(parts: Sequence[Recurring], position: int) -> tuple[Recurring, ...]:
    """Return the parts of a row with the links by which a reader judges its paper, if there are any."""
    if len(parts) == 1:
        return tuple(parts)
    first, between, last = parts
    return first, Recurring(f"{LINK}{like_end(position)}{between}{LINK}{less_end(position)}{last}")


def _row(pieces: tuple[Recurring, ...]) -> _Row:
    return _Row(pieces, len("".join(pieces).replace(LINK, "").encode("utf-8")))


def _after(form: _Form, wanted: Wanted, cut: Cut, *, read: bool) -> list[Stretch]:
    """Return the rows after the papers, in the order of the templates."""
    digest, rows = wanted.digest, []
    if left_out := len(digest.ranked) - cut.papers:
        rows.append(form.row("left_out", left_out, LINK if read else None))
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
