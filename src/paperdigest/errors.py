"""Every error paperdigest raises on purpose.

::

    PaperDigestError
    |- ConfigError(path, problems)            exit 2   all mistakes at once, each with its key path
    |- UsageError(problem, hint)              exit 2   an argument that cannot be meant
    |    '- QueryError(query, column, ...)
    |- PluginError(name, problem)             exit 2
    |- SourceError(source, problem)           exit 3
    |    |- FetchError(url, status, ...)               network, refusal, too large, too slow
    |    '- ParseError(where)                          bytes that are not what they claim to be
    |- StoreError(problem)                    exit 4
    |    |- NotFoundError(what, name)
    |    |- AlreadyExistsError(what, name)
    |    '- SchemaVersionError(found, expected)
    |- RenderError(template, problem)         exit 5
    |- MailError(problem, permanent, ...)     exit 5
    |- ModelError(problem, hint)              exit 2   the vector model: not installed, damaged, not to be had
    '- TokenError(problem)                    exit 2

Errors carry data and build their sentence in ``__str__``: what happened, why, and the next step.
What the caller must decide is a field (``permanent``, ``next_attempt_at``), not a subclass hunt.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

__all__ = [
    "AlreadyExistsError",
    "ConfigError",
    "FetchError",
    "MailError",
    "ModelError",
    "NotFoundError",
    "PaperDigestError",
    "ParseError",
    "PluginError",
    "Problem",
    "QueryError",
    "RenderError",
    "SchemaVersionError",
    "SourceError",
    "StoreError",
    "TokenError",
    "UsageError",
]


class PaperDigestError(Exception):
    """The root: catching it catches every expected failure and no programming error."""

    exit_code: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in the settings: where (``sources[1].category``) and what."""

    key: str
    message: str


class ConfigError(PaperDigestError):
    """The settings cannot be used; all their mistakes at once."""

    exit_code = 2

    def __init__(self, path: str, problems: tuple[Problem, ...]) -> None:
        self.path, self.problems = path, problems
        super().__init__(path, problems)

    def __str__(self) -> str:
        count = f"{len(self.problems)} problem" + ("s" if len(self.problems) != 1 else "")
        lines = [f"{self.path}: {count} in the settings"]
        lines += [f"  {problem.key}: {problem.message}" for problem in self.problems]
        return "\n".join(lines)


class UsageError(PaperDigestError):
    """An argument or setting that cannot be meant as written."""

    exit_code = 2

    def __init__(self, problem: str, hint: str | None = None) -> None:
        self.problem, self.hint = problem, hint
        super().__init__(problem, hint)

    def __str__(self) -> str:
        return f"{self.problem}. {self.hint}" if self.hint else self.problem


class QueryError(UsageError):
    """A topic or search query that cannot be read; ``column`` is 1-based."""

    def __init__(self, query: str, column: int, problem: str, hint: str | None = None) -> None:
        self.query, self.column = query, column
        super().__init__(problem, hint)

    def __str__(self) -> str:
        hint = f"\n{self.hint}" if self.hint else ""
        return f"query, column {self.column}: {self.problem}\n  {self.query}\n  {' ' * (self.column - 1)}^{hint}"


class PluginError(PaperDigestError):
    """A plug-in is unknown or cannot be loaded."""

    exit_code = 2

    def __init__(self, group: str, name: str, problem: str, known: tuple[str, ...] = ()) -> None:
        self.group, self.name, self.problem, self.known = group, name, problem, known
        super().__init__(group, name, problem, known)

    def __str__(self) -> str:
        known = f"; known: {', '.join(self.known)}" if self.known else ""
        return f"{self.group} {self.name!r}: {self.problem}{known}"


class SourceError(PaperDigestError):
    """A source gave no usable listing. ``source`` is filled in by whoever knows its name."""

    exit_code = 3

    def __init__(self, problem: str, *, source: str | None = None, hint: str | None = None) -> None:
        self.problem, self.source, self.hint = problem, source, hint
        super().__init__(problem)

    def __str__(self) -> str:
        who = f"{self.source}: " if self.source else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{who}{self.problem}{hint}"


class FetchError(SourceError):
    """Bytes could not be had from a URL.

    ``status`` is the HTTP status, None when there was no reply; ``next_attempt_at`` is when the
    server allows the next try; ``permanent`` says that trying again will not help (404, 410, refused
    by the guard); ``gone`` that the server said so for good (410).
    """

    def __init__(
        self,
        url: str,
        problem: str,
        *,
        status: int | None = None,
        next_attempt_at: datetime | None = None,
        permanent: bool = False,
        gone: bool = False,
        source: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.url, self.status, self.next_attempt_at = url, status, next_attempt_at
        self.permanent, self.gone = permanent, gone
        super().__init__(problem, source=source, hint=hint)

    def __str__(self) -> str:
        wait = f"; next attempt not before {self.next_attempt_at:%Y-%m-%d %H:%M:%SZ}" if self.next_attempt_at else ""
        return f"{super().__str__()} [{self.url}]{wait}"


class ParseError(SourceError):
    """Bytes are not what they claim to be. ``where`` names the file or URL and the place in it."""

    def __init__(self, where: str, problem: str, *, source: str | None = None, hint: str | None = None) -> None:
        self.where = where
        super().__init__(problem, source=source, hint=hint)

    def __str__(self) -> str:
        return f"{self.where}: {super().__str__()}"


class StoreError(PaperDigestError):
    """The database cannot do what was asked."""

    exit_code = 4

    def __init__(self, problem: str, hint: str | None = None) -> None:
        self.problem, self.hint = problem, hint
        super().__init__(problem, hint)

    def __str__(self) -> str:
        return f"{self.problem}. {self.hint}" if self.hint else self.problem


class NotFoundError(StoreError):
    """Nothing of that name is stored."""

    def __init__(self, what: str, name: str, hint: str | None = None) -> None:
        self.what, self.name = what, name
        super().__init__(f"no {what} {name!r} is stored", hint)


class AlreadyExistsError(StoreError):
    """Something of that name is stored already."""

    def __init__(self, what: str, name: str, hint: str | None = None) -> None:
        self.what, self.name = what, name
        super().__init__(f"{what} {name!r} is stored already", hint)


class SchemaVersionError(StoreError):
    """The database was made by another version of paperdigest, or by another program."""

    def __init__(self, found: str, expected: str, problem: str, hint: str) -> None:
        self.found, self.expected = found, expected
        super().__init__(problem, hint)


class RenderError(PaperDigestError):
    """A template could not be rendered."""

    exit_code = 5

    def __init__(self, template: str, problem: str) -> None:
        self.template, self.problem = template, problem
        super().__init__(template, problem)

    def __str__(self) -> str:
        return f"template {self.template}: {self.problem}"


class MailError(PaperDigestError):
    """A message was not accepted.

    ``permanent`` decides between giving up and trying later; ``phase`` (a `types.MailPhase`) says how far the
    conversation had come;
    ``after_dot`` that the message may have been accepted although no answer came (RFC 1047: delivery in doubt);
    ``systemic`` that the trouble is the server's or the operator's (no connection, refused login, full disk), so
    that no other message would fare better now. ``code`` and ``status`` are the reply's (RFC 5321, RFC 3463), or ours
    where we refuse in the server's place; None when there was none. ``retry_after`` is how long the server asked us
    to wait.
    """

    exit_code = 5

    def __init__(
        self,
        problem: str,
        *,
        permanent: bool,
        after_dot: bool = False,
        systemic: bool = False,
        code: int | None = None,
        status: str | None = None,
        phase: str | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        self.problem, self.permanent, self.code, self.status = problem, permanent, code, status
        self.after_dot, self.systemic, self.phase, self.retry_after = after_dot, systemic, phase, retry_after
        super().__init__(problem)

    def __str__(self) -> str:
        return self.problem


class ModelError(PaperDigestError):
    """The vector model cannot be had, is damaged, or failed; everything else works without it."""

    exit_code = 2

    def __init__(self, problem: str, hint: str | None = None) -> None:
        self.problem, self.hint = problem, hint
        super().__init__(problem, hint)

    def __str__(self) -> str:
        return f"{self.problem}. {self.hint}" if self.hint else self.problem


class TokenError(PaperDigestError):
    """A signed token is forged, expired or for another purpose."""

    exit_code = 2

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(problem)
