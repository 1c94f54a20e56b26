"""What goes wrong inside a parser is the body's fault: one kind of error, whoever called the parser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from paperdigest.errors import ParseError
from paperdigest.protocols import ParseContext

__all__ = ["reading"]


@contextmanager
def reading(context: ParseContext) -> Iterator[None]:
    """Guard the reading of one body; a `ParseError` passes as it is.

    Raises:
        ParseError: instead of what Python raises over numbers, dates, lookups and depth that no parser foresaw.
    """
    try:
        yield
    except (ValueError, OverflowError, LookupError, RecursionError) as error:
        raise ParseError(context.name, f"cannot be read: {error}", source=context.source) from error
