"""The authors of a paper in one line: the first few, and those whom the reader follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import islice

from paperdigest.errors import QueryError
from paperdigest.query import Field, Keyword, parse_query
from paperdigest.query.matching import Document, matcher
from paperdigest.render.words import Span, clean, is_visible, plural, shorten
from paperdigest.types import Paper, Topic

__all__ = ["authors_spans", "followed_by"]

_SHOWN = 4
_FOLLOWED_SHOWN = 3
_NAME_CHARS, _NAME_READ = 60, 1000
_MOST_READ = 6000
"""Names looked through for followed ones: the largest collaborations have half as many."""


def followed_by(topics: Sequence[Topic]) -> tuple[Keyword, ...]:
    """Return what the topics' queries say of authors (``author:"Jane Doe"``), each once.

    A query that cannot be read any more follows nobody: the digest is worth sending all the same.
    """
    queries = tuple(topic.query for topic in topics if "author" in topic.query.casefold())
    return _names_in(queries) if queries else ()


@lru_cache(maxsize=4096)
def _names_in(queries: tuple[str, ...]) -> tuple[Keyword, ...]:
    found: dict[Keyword, None] = {}
    for query in queries:
        try:
            keywords = parse_query(query).keywords
        except QueryError:
            continue
        found |= dict.fromkeys(one for one in keywords if one.field is Field.AUTHOR)
    return tuple(found)


def authors_spans(paper: Paper, followed: Sequence[Keyword] = ()) -> tuple[Span, ...]:
    """Return the first four authors, followed ones (strong) wherever they stand, and how many more there are.

    Only their number when nothing else is known; nothing when not even that is.
    """
    count = paper.authors_count or 0
    visible = (name for author in paper.authors if is_visible(name := clean(author.name[:_NAME_READ])))
    names = list(islice(visible, _MOST_READ if followed else _SHOWN + 1))
    if not names:
        return (Span(plural(count, "author")),) if count else ()
    is_followed = _follows(followed)
    # "+ 1 more" takes the place of the name it hides.
    first = len(names) if count == len(names) <= _SHOWN + 1 else _SHOWN
    later = islice((name for name in names[first:] if is_followed(name)), _FOLLOWED_SHOWN) if followed else ()
    shown = [*names[:first], *later]
    spans = [Span(shorten(name, _NAME_CHARS), strong=is_followed(name)) for name in shown]
    if count > len(shown):
        return (*_joined(spans), Span(f" + {count - len(shown):,} more"))
    return _joined(spans)


def _follows(followed: Sequence[Keyword]) -> Callable[[str], bool]:
    matchers = [matcher(keyword) for keyword in followed]
    return lambda name: any(matches(Document(authors=(name,))) for matches in matchers)


def _joined(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Put commas between names; plain ones that follow each other become one span."""
    joined: list[Span] = []
    for at, span in enumerate(spans):
        comma = ", " if at else ""
        if joined and not joined[-1].strong:
            joined[-1] = Span(joined[-1].text + comma + ("" if span.strong else span.text))
        elif comma or not span.strong:
            joined.append(Span(comma + ("" if span.strong else span.text)))
        if span.strong:
            joined.append(span)
    return tuple(joined)
