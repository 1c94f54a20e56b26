"""Render a digest: Jinja templates, ours or the operator's, always below the size at which Gmail clips.

Templates see a `view.DigestView` named ``digest`` and run in Jinja's sandbox: they can neither change
what they see nor reach anything else. Styles are inlined, because many mail programs drop style sheets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from css_inline import CSSInliner, InlineError
from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from paperdigest.errors import RenderError
from paperdigest.render.view import ABSTRACT_CHARS, DigestView, digest_view
from paperdigest.render.words import plural, wrap
from paperdigest.types import Digest

__all__ = ["MAX_HTML_BYTES", "Rendered", "Renderer", "render_digest"]

MAX_HTML_BYTES = 95_000
"""Gmail clips what is longer than about 102 KB and hides the footer with it."""

_TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
_HTML, _TEXT = "mail/digest.html.j2", "mail/digest.txt.j2"
_SHORTER_CHARS = (300, 140, 0)

_FAILURES = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError, OSError)
"""Everything an expression of a template can raise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A digest as a subject line, a whole HTML page and a text of at most 76 columns (URLs apart)."""

    subject: str
    html: str
    text: str


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
        folders = [templates, _TEMPLATES] if templates is not None else [_TEMPLATES]
        self._environment = ImmutableSandboxedEnvironment(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
            autoescape=_escapes,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters |= {"wrap": wrap, "plural": plural}
        self._inliner = CSSInliner(load_remote_stylesheets=False, keep_at_rules=True, remove_inlined_selectors=True)

    def digest(self, digest: Digest) -> Rendered:
        """Render one digest; abstracts are shortened, then papers left out, until the HTML fits.

        Raises:
            RenderError: a template is missing or wrong, or will not get small enough.
        """
        for view in self._views(digest):
            html = self._inlined(self._drawn(_HTML, view))
            if len(html.encode("utf-8")) <= MAX_HTML_BYTES:
                return Rendered(subject=view.subject, html=html, text=self._drawn(_TEXT, view).rstrip("\n") + "\n")
        raise RenderError(_HTML, f"is above {MAX_HTML_BYTES:,} bytes even with a single paper")

    def _views(self, digest: Digest) -> Iterator[DigestView]:
        """Yield views of falling size."""
        for chars in (ABSTRACT_CHARS, *_SHORTER_CHARS):
            yield self._view(digest, chars, len(digest.ranked))
        papers = len(digest.ranked) * 3 // 4
        while papers >= 1:
            yield self._view(digest, 0, papers)
            papers = papers * 3 // 4

    def _view(self, digest: Digest, chars: int, papers: int) -> DigestView:
        return digest_view(
            digest,
            title=self._title,
            contact=self._contact,
            postal_address=self._postal_address,
            abstract_chars=chars,
            papers=papers,
        )

    def _drawn(self, template: str, view: DigestView) -> str:
        try:
            return self._environment.get_template(template).render(digest=view)
        except _FAILURES as error:
            raise RenderError(template, _in_words(error)) from error

    def _inlined(self, html: str) -> str:
        try:
            return self._inliner.inline(html)
        except (InlineError, ValueError) as error:
            raise RenderError(_HTML, f"its style sheet cannot be read: {error}") from error


def render_digest(digest: Digest, *, templates: Path | None = None, title: str = "paperdigest") -> Rendered:
    """Render one digest with templates prepared for this call (see `Renderer` for many).

    Raises:
        RenderError: a template is missing or wrong.
    """
    return Renderer(title=title, templates=templates).digest(digest)


def _escapes(template: str | None) -> bool:
    """Escape everything but plain-text templates."""
    return template is None or not template.endswith(".txt.j2")


def _in_words(error: Exception) -> str:
    line = getattr(error, "lineno", None)
    return f"{type(error).__name__}: {error}" + (f" (line {line})" if line else "")
