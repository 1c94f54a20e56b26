"""The subject line: what is inside, so that it can be judged without opening it."""

from __future__ import annotations

from functools import lru_cache

from paperdigest.render.papers import title_of
from paperdigest.render.words import clean, day, plural, shorten, topic_name
from paperdigest.types import Digest

__all__ = ["subject_of"]

_CHARS = 110
_TOPICS = 2


def subject_of(digest: Digest) -> str:
    """Return what is inside, at most 110 characters: ``5 papers for trace: TITLE OF THE BEST``."""
    if not digest.ranked:
        return _without_papers(digest)
    topics = tuple(dict.fromkeys([ranked.topic for ranked in digest.ranked]))
    return _with_papers(len(digest.ranked), topics, title_of(digest.ranked[0].stored.paper))


@lru_cache(maxsize=1024)  # readers of the same topics get the same best paper
def _with_papers(count: int, topics: tuple[str, ...], title: str) -> str:
    names = [topic_name(topic, 40 if len(topics) == 1 else 26) for topic in topics]
    more = len(names) - _TOPICS
    named = ", ".join(names[:_TOPICS]) + (f" and {more} more" if more > 0 else "")
    head = f"{plural(count, 'paper')} for {named}: "
    return head + shorten(title, _CHARS - len(head))


def _without_papers(digest: Digest) -> str:
    if digest.revised:
        head = f"{plural(len(digest.revised), 'new version')} of papers you liked: "
        return head + shorten(title_of(digest.revised[0].paper), _CHARS - len(head))
    why = next((said for sentence in digest.quiet if (said := clean(sentence).removesuffix(".").rstrip())), "")
    if why:
        head = f"Quiet day, {digest.edition.day} {digest.edition:%B}: "
        return head + shorten(why, _CHARS - len(head))
    return f"No papers for {day(digest.edition)}"
