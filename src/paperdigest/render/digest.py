"""Render a digest: a subject line, a page and a text, always below the size at which Gmail clips."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

from paperdigest.errors import RenderError
from paperdigest.render.drafts import Draft, Drafter, Plain
from paperdigest.render.links import NO_LINKS, Links, checked
from paperdigest.render.papers import ABSTRACT_CHARS
from paperdigest.render.quick import Quick
from paperdigest.render.samples import SAMPLE_LINKS, SAMPLES
from paperdigest.render.templates import PAGE, Templates
from paperdigest.render.wanted import Cut, Wanted
from paperdigest.types import Digest, Pieces

__all__ = ["MAX_HTML_BYTES", "Rendered", "Renderer"]

MAX_HTML_BYTES = 95_000
"""Gmail clips what is longer than about 102 KB and hides the footer with it."""

_SHORTER_CHARS = (300, 140, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A digest as a subject line, a whole HTML page and a text of at most 78 columns (URLs apart).

    Pieces that recur from digest to digest are the same object every time.
    """

    subject: str
    html: Pieces
    text: Pieces

    @property
    def html_page(self) -> str:
        """Return the HTML in one piece."""
        return str(self.html)

    @property
    def text_page(self) -> str:
        """Return the text in one piece."""
        return str(self.text)


class Renderer:
    """Holds compiled templates and drawn pieces; rendering is a pure function of digest and links, whatever is held.

    May be shared by threads.
    """

    def __init__(
        self, *, title: str = "paperdigest", templates: Path | None = None, postal_address: str = "", quick: bool = True
    ) -> None:
        """Prepare the templates.

        Args:
            title: what the digest calls itself.
            templates: the operator's folder; a file there replaces ours of the same name.
            postal_address: printed in the footer when not empty.
            quick: keep what recurs (our own templates only); the bytes are the same without.
        """
        drawing = Templates(templates)
        way = Quick if quick and drawing.are_ours else Plain
        self._drafter: Drafter = way(drawing, title=title, postal_address=postal_address)

    def digest(self, digest: Digest, links: Links = NO_LINKS, *, preview: bool = False) -> Rendered:
        """Render one digest; abstracts are shortened, then papers left out, until the HTML fits.

        Args:
            digest: what to render.
            links: where the mail leads back to; what is no web or mail address is left out.
            preview: for the operator, who is also told by what was ranked.

        Raises:
            RenderError: a template is missing or wrong, or will not get small enough.
        """
        wanted = Wanted(digest=digest, links=checked(links), preview=preview)
        whole = len(digest.ranked)
        for chars in (ABSTRACT_CHARS, *_SHORTER_CHARS):
            if draft := self._fitting(wanted, Cut(chars, whole)):
                return _rendered(draft)
        # The least number of papers left out that makes it fit.
        left_out = bisect_left(
            range(whole), True, lo=1, key=lambda out: self._fitting(wanted, Cut(0, whole - out)) is not None
        )
        if left_out < whole and (draft := self._fitting(wanted, Cut(0, whole - left_out))):
            return _rendered(draft)
        raise RenderError(PAGE, f"is above {MAX_HTML_BYTES:,} bytes even with a single paper")

    def check(self) -> None:
        """Draw digests that have everything there is to draw, so that a broken template is found before one is due.

        Raises:
            RenderError: see `digest`.
        """
        for sample in SAMPLES:
            for links in SAMPLE_LINKS:
                wanted = Wanted(digest=sample, links=checked(links), preview=True)
                for papers in {len(sample.ranked), min(1, len(sample.ranked))}:
                    self._drafter.draft(wanted, Cut(ABSTRACT_CHARS, papers)).text()
                self.digest(sample, links)

    def _fitting(self, wanted: Wanted, cut: Cut) -> Draft | None:
        """Return the draft, or None when its page is too large."""
        draft = self._drafter.draft(wanted, cut)
        return draft if draft.size <= MAX_HTML_BYTES else None


def _rendered(draft: Draft) -> Rendered:
    return Rendered(subject=draft.subject, html=draft.html, text=draft.text())
