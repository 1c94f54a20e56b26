"""One way to draw a digest, short or long; and the plain one, for templates of which nothing is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from paperdigest.render.templates import PAGE, TEXT, Templates
from paperdigest.render.view import digest_view
from paperdigest.render.wanted import Cut, Wanted
from paperdigest.types import Pieces

__all__ = ["Draft", "Drafter", "Plain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A digest as it would be sent if it is not too large: ``size`` is that of the HTML, bytes of UTF-8.

    ``text`` draws the text part, which is wanted only of the draft that fits.
    """

    subject: str
    html: Pieces
    size: int
    text: Callable[[], Pieces]


class Drafter(Protocol):
    """Draws digests."""

    def draft(self, wanted: Wanted, cut: Cut) -> Draft:
        """Return what was asked for, as much of it as ``cut`` says.

        Raises:
            RenderError: a template is missing or wrong.
        """


class Plain:
    """Draws whole templates, each digest anew: right for any template, ours or the operator's."""

    def __init__(self, templates: Templates, *, title: str, postal_address: str) -> None:
        self._templates, self._title, self._postal_address = templates, title, postal_address

    def draft(self, wanted: Wanted, cut: Cut) -> Draft:
        """See `Drafter`."""
        view = digest_view(wanted, cut, title=self._title, postal_address=self._postal_address)
        html = self._templates.inlined(self._templates.drawn(PAGE, view))
        return Draft(
            subject=view.subject,
            html=Pieces((html,)),
            size=len(html.encode("utf-8")),
            text=lambda: Pieces((self._templates.drawn(TEXT, view).rstrip("\n") + "\n",)),
        )
