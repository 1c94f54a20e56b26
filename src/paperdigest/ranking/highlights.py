"""Where a paper's title and abstract match a topic, ready to be marked."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from paperdigest.query import Keyword
from paperdigest.query.matching import Document, spans, word_spans
from paperdigest.types import Highlight

__all__ = ["MAX_HIGHLIGHTS", "highlights", "merged"]

MAX_HIGHLIGHTS = 30
"""A text with more marks than that shows nothing by them; those of the title come first."""

_FIELDS = ("title", "abstract")


def highlights(keywords: Iterable[Keyword], document: Document, *, most: int = MAX_HIGHLIGHTS) -> tuple[Highlight, ...]:
    """Return the stretches of a paper that match any of ``keywords``, title first, in the order of the text.

    They neither overlap nor touch. A plain phrase also counts where only single words of it stand, since those
    count for its score too; what was asked for precisely (`Keyword.is_strict`) is marked as asked for.

    Args:
        keywords: those of the paper's topic and of the other topics it matches.
        document: the paper.
        most: how many at most.
    """
    found = chain.from_iterable(
        (spans if keyword.is_strict else word_spans)(keyword, document) for keyword in dict.fromkeys(keywords)
    )
    return merged(found)[: max(most, 0)]


def merged(found: Iterable[tuple[str, int, int]]) -> tuple[Highlight, ...]:
    """Join (field, start, end) that overlap or touch; fields other than title and abstract have nothing to mark."""
    joined: list[Highlight] = []
    order = sorted((_FIELDS.index(field), start, end) for field, start, end in found if field in _FIELDS)
    for number, start, end in order:
        if start >= end:
            continue
        last = joined[-1] if joined else None
        if last is not None and last.field == _FIELDS[number] and start <= last.end:
            joined[-1] = Highlight(field=last.field, start=last.start, end=max(last.end, end))
        else:
            joined.append(Highlight(field=_FIELDS[number], start=start, end=end))
    return tuple(joined)
