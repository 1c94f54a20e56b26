"""Render a digest: Jinja templates, ours or the operator's, always below the size at which Gmail clips.

Templates see a `view.DigestView` named ``digest`` and run in Jinja's sandbox: they can neither change
what they see nor reach anything else. Styles are inlined, because many mail programs drop style sheets.
"""

from __future__ import annotations

import traceback
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from css_inline import CSSInliner, InlineError
from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from paperdigest.errors import RenderError
from paperdigest.render.links import Links
from paperdigest.render.papers import ABSTRACT_CHARS
from paperdigest.render.view import DigestView, digest_view
from paperdigest.render.words import plural, wrap
from paperdigest.types import (
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

__all__ = ["MAX_HTML_BYTES", "Rendered", "Renderer"]

MAX_HTML_BYTES = 95_000
"""Gmail clips what is longer than about 102 KB and hides the footer with it."""

_TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
_HTML, _TEXT = "mail/digest.html.j2", "mail/digest.txt.j2"
_SHORTER_CHARS = (300, 140, 0)

_FAILURES = (
    TemplateError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
    OSError,
)
"""Everything an expression of a template can raise."""


_NO_LINKS = Links()
_MOMENT = datetime(2026, 4, 15, tzinfo=UTC)
_PAPER = StoredPaper(
    paper=Paper(id=PaperId(scheme="arxiv", local="2604.00001"), title="A title", abstract="An abstract."),
    first_seen_at=_MOMENT,
)
_SAMPLE = Digest(
    id=1,
    subscriber=Subscriber(id=1, email="reader@example.org", topics=(Topic(name="trace", query="trace"),)),
    edition=_MOMENT.date(),
    composed_at=_MOMENT,
    considered=1,
    ranked=(
        RankedPaper(
            stored=_PAPER,
            score=0.5,
            topic="trace",
            reasons=(Reason(text="title matches *title*", keyword="title", contribution=1.0, where="title"),),
            also=("graphs",),
            placement=Placement.WAITED,
            highlights=(Highlight(field="title", start=2, end=7),),
        ),
    ),
    revised=(_PAPER,),
    notes=("more like *title*",),
    method="by words",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A digest as a subject line, a whole HTML page and a text of at most 76 columns (URLs apart).

    Page and text come in pieces; a piece that recurs from digest to digest is the same ``str`` object, so that whoever
    encodes them can do so once.
    """

    subject: str
    html: tuple[str, ...]
    text: tuple[str, ...]

    @property
    def html_page(self) -> str:
        """Return the HTML in one piece."""
        return "".join(self.html)

    @property
    def text_page(self) -> str:
        """Return the text in one piece."""
        return "".join(self.text)


class Renderer:
    """Holds the compiled templates; rendering with it is a pure function of the digest."""

    def __init__(
        self,
        *,
        title: str = "paperdigest",
        templates: Path | None = None,
        contact: str | None = None,
        postal_address: str = "",
    ) -> None:
        """Prepare the templates.

        Args:
            title: what the digest calls itself.
            templates: the operator's folder; a file there replaces ours of the same name.
            contact: the address to write to for a change or an end; None: the footer names the commands.
            postal_address: printed in the footer when not empty.
        """
        self._title, self._contact, self._postal_address = title, contact, postal_address
        self._folders = (templates, _TEMPLATES) if templates is not None else (_TEMPLATES,)
        self._environment = ImmutableSandboxedEnvironment(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in self._folders]),
            autoescape=_escapes,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters |= {"wrap": wrap, "plural": plural, "number": "{:,}".format}
        self._inliner = CSSInliner(load_remote_stylesheets=False, keep_at_rules=True, remove_inlined_selectors=True)

    def digest(self, digest: Digest, links: Links = _NO_LINKS, *, preview: bool = False) -> Rendered:
        """Render one digest; abstracts are shortened, then papers left out, until the HTML fits.

        Args:
            digest: what to render.
            links: where the mail leads back to.
            preview: for the operator, who is also told by what was ranked.

        Raises:
            RenderError: a template is missing or wrong, or will not get small enough.
        """
        for chars in (ABSTRACT_CHARS, *_SHORTER_CHARS):
            view = self._view(digest, chars, len(digest.ranked), preview)
            if html := self._fitting(view):
                return self._rendered(view, html)
        # The least number of papers left out that makes it fit.
        left_out = bisect_left(
            range(len(digest.ranked)),
            True,
            lo=1,
            key=lambda out: self._fitting(self._view(digest, 0, len(digest.ranked) - out, preview)) is not None,
        )
        view = self._view(digest, 0, len(digest.ranked) - left_out, preview)
        if left_out < len(digest.ranked) and (html := self._fitting(view)):
            return self._rendered(view, html)
        raise RenderError(_HTML, f"is above {MAX_HTML_BYTES:,} bytes even with a single paper")

    def check(self) -> None:
        """Draw a small digest, so that a broken template is found before a real one needs it.

        Raises:
            RenderError: see `digest`.
        """
        self.digest(_SAMPLE, preview=True)

    def _fitting(self, view: DigestView) -> str | None:
        """Return the page, or None when it is too large."""
        html = self._inlined(self._drawn(_HTML, view))
        return html if len(html.encode("utf-8")) <= MAX_HTML_BYTES else None

    def _rendered(self, view: DigestView, html: str) -> Rendered:
        text = self._drawn(_TEXT, view).rstrip("\n") + "\n"
        return Rendered(subject=view.subject, html=(html,), text=(text,))

    def _view(self, digest: Digest, chars: int, papers: int, preview: bool) -> DigestView:
        return digest_view(
            digest,
            title=self._title,
            contact=self._contact,
            postal_address=self._postal_address,
            abstract_chars=chars,
            papers=papers,
            preview=preview,
        )

    def _drawn(self, template: str, view: DigestView) -> str:
        try:
            drawn = self._environment.get_template(template).render(digest=view)
            drawn.encode("utf-8")  # a template can write half a character, which no mail can hold
        except _FAILURES as error:
            raise self._in_words(error, template) from error
        return drawn

    def _in_words(self, error: Exception, template: str) -> RenderError:
        """Name the template and the line at fault, which may be of one that ``template`` includes."""
        if isinstance(error, TemplateSyntaxError):
            return RenderError(error.name or template, f"line {error.lineno}: {error.message}")
        problem = f"{type(error).__name__}: {error}"
        # Jinja lets the lines of templates stand in the traceback in place of the code made of them.
        for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
            for folder in self._folders:
                path = Path(frame.f_code.co_filename)
                if path.suffix == ".j2" and path.is_relative_to(folder):
                    return RenderError(path.relative_to(folder).as_posix(), f"line {line}: {problem}")
        return RenderError(template, problem)

    def _inlined(self, html: str) -> str:
        try:
            return self._inliner.inline(html)
        except (InlineError, ValueError) as error:
            raise RenderError(_HTML, f"its style sheet cannot be read: {error}") from error


def _escapes(template: str | None) -> bool:
    """Escape everything but plain-text templates."""
    return template is None or not template.endswith(".txt.j2")
