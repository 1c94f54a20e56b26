"""The subject line: what is inside, so that it can be judged without opening it."""

from __future__ import annotations

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
    topics_of_papers = dict.fromkeys(ranked.topic for ranked in digest.ranked)
    names = [topic_name(topic, 40 if len(topics_of_papers) == 1 else 26) for topic in topics_of_papers]
    more = len(names) - _TOPICS
    topics = ", ".join(names[:_TOPICS]) + (f" and {more} more" if more > 0 else "")
    head = f"{plural(len(digest.ranked), 'paper')} for {topics}: "
    return head + shorten(title_of(digest.ranked[0].stored.paper), _CHARS - len(head))


def _without_papers(digest: Digest) -> str:
    if digest.revised:
        head = f"{plural(len(digest.revised), 'new version')} of papers you liked: "
        return head + shorten(title_of(digest.revised[0].paper), _CHARS - len(head))
    why = next((sentence for sentence in map(clean, digest.quiet) if sentence), "")
    if why:
        head = f"Quiet day, {digest.edition.day} {digest.edition:%B}: "
        return head + shorten(why.removesuffix("."), _CHARS - len(head))
    return f"No papers for {day(digest.edition)}"
