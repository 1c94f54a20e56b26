"""The templates, ours or the operator's: drawn in a sandbox, styles inlined, every fault named by file and line.

An operator's templates, and ours beside them, run in Jinja's sandbox: they can neither change the views they see nor
reach anything else.
Styles are inlined, because many mail programs drop style sheets; what hangs on the screen (``@media``) stays.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from css_inline import CSSInliner, InlineError
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from paperdigest.errors import RenderError
from paperdigest.render.view import DigestView
from paperdigest.render.words import numbering, plural, wrap

__all__ = ["PAGE", "TEXT", "Templates"]

PAGE, TEXT = "mail/digest.html.j2", "mail/digest.txt.j2"
_STYLE = "mail/_style.css"
_OURS = Path(__file__).resolve().parents[1] / "templates"
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


class Templates:
    """Compiled templates; a file in ``own`` replaces ours of the same name."""

    def __init__(self, own: Path | None = None) -> None:
        self.are_ours = own is None or not any((own / name).exists() for name in _names())
        """Whether none of the files that draw a mail is the operator's."""
        self._folders = (own, _OURS) if own is not None and not self.are_ours else (_OURS,)
        kind = Environment if self.are_ours else ImmutableSandboxedEnvironment  # the sandbox takes half of the time
        self._environment = kind(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in self._folders]),
            autoescape=_escapes,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters |= {
            "wrap": wrap,
            "plural": plural,
            "number": "{:,}".format,
            "numbering": numbering,
        }
        self._inliner = CSSInliner(load_remote_stylesheets=False, keep_at_rules=True, minify_css=True)

    def drawn(self, template: str, view: DigestView) -> str:
        """Return the page or the text of a whole digest, styles not yet inlined.

        Raises:
            RenderError: the template is missing or wrong.
        """
        try:
            drawn = self._environment.get_template(template).render(digest=view)
            drawn.encode("utf-8")  # a template can write half a character, which no mail can hold
        except _FAILURES as error:
            raise self._in_words(error, template) from error
        return drawn

    def part(self, template: str, macro: str, *given: object) -> str:
        """Return what one macro draws.

        Raises:
            RenderError: as `drawn`.
        """
        try:
            return str(getattr(self._environment.get_template(template).module, macro)(*given))
        except _FAILURES as error:
            raise self._in_words(error, template) from error

    def inlined(self, page: str) -> str:
        """Return a page with its style sheet written into the elements.

        Raises:
            RenderError: the style sheet cannot be read.
        """
        try:
            return self._inliner.inline(page)
        except (InlineError, ValueError) as error:
            raise RenderError(PAGE, f"its style sheet cannot be read: {error}") from error

    def inlined_rows(self, rows: str) -> str:
        """Return rows of a table as they come out of `inlined` when they stand in a page."""
        table = self._inliner.inline_fragment(f"<table><tbody>{rows}</tbody></table>", self._style)
        return table[table.index("<tbody>") + len("<tbody>") : table.rindex("</tbody>")]

    @cached_property
    def _style(self) -> str:
        return str(self._environment.get_template(_STYLE).render())

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


def _names() -> Iterator[Path]:
    """Yield the names of the files that draw a mail."""
    return (path.relative_to(_OURS) for path in (*_OURS.glob("_*"), *_OURS.glob("mail/*")))


def _escapes(template: str | None) -> bool:
    """Escape everything but plain-text templates."""
    return template is None or not template.endswith(".txt.j2")
