"""What is said to one reader around the papers: each word is made when a template, or a part of one, asks for it."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from paperdigest.render.links import mailto
from paperdigest.render.papers import title_of
from paperdigest.render.subjects import subject_of
from paperdigest.render.wanted import Cut, Wanted
from paperdigest.render.words import clean, day, listed, plural, shorten, topic_name
from paperdigest.types import Digest

__all__ = ["WORDS", "Letter", "quiet_view"]

WORDS = (
    *("subject", "preview", "edition", "summary", "because", "method"),
    *("unsubscribe", "manage", "read", "mailto", "mailto_url"),
)
"""The names of everything that a `Letter` says."""

_QUIET_SHOWN = 12
_QUIET_CHARS = 400
_METHOD_CHARS = 300
_PREVIEW_CHARS = 140
_TOPIC_CHARS = 60
_ADDRESS_CHARS = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets


class Letter:
    """The words of one digest, each a line of its own; the links are None where there are none."""

    __slots__ = ("_digest", "_is_preview", "_links", "because", "edition", "subject", "summary")

    def __init__(self, wanted: Wanted, cut: Cut) -> None:
        digest = wanted.digest
        self._digest, self._links, self._is_preview = digest, wanted.links, wanted.preview
        # What page and text both say is made once.
        self.subject = subject_of(digest)
        self.edition = _edition(digest.edition)
        self.summary = _summary(digest, cut.papers)
        topics = _topics(tuple([topic.name for topic in digest.subscriber.topics]))
        self.because = f"You get this because {self._email} asked for papers{topics}."

    @property
    def preview(self) -> str:
        """What mail programs show after the subject: the next best titles, or why there are none."""
        if self._digest.ranked:
            said = [title_of(ranked.stored.paper) for ranked in self._digest.ranked[1:4]]
        else:
            said = list(quiet_view(self._digest)[1:2])
        return shorten(" · ".join(said), _PREVIEW_CHARS)

    @property
    def method(self) -> str:
        """By what it was ranked: empty unless it is a preview for the operator."""
        method = shorten(clean(self._digest.method), _METHOD_CHARS) if self._is_preview else ""
        return f"Ranked {method}. (Only the preview says so.)" if method else ""

    @property
    def unsubscribe(self) -> str | None:
        """The page on which the reader leaves."""
        return self._links.unsubscribe

    @property
    def manage(self) -> str | None:
        """The page of the reader's topics and schedule."""
        return self._links.manage

    @property
    def read(self) -> str | None:
        """The digest as a page."""
        return self._links.read

    @property
    def mailto(self) -> str | None:
        """The address to which any mail unsubscribes."""
        return self._links.unsubscribe_mailto

    @property
    def mailto_url(self) -> str | None:
        """The URL that writes such a mail."""
        return mailto(self.mailto) if self.mailto else None

    @property
    def _email(self) -> str:
        return shorten(clean(self._digest.subscriber.email), _ADDRESS_CHARS)


@lru_cache(maxsize=64)
def _edition(edition: date) -> str:
    return f"{edition:%A}, {day(edition)}"


def _summary(digest: Digest, shown: int) -> str:
    if digest.quiet and not digest.ranked:
        return "no papers today"
    return f"{shown:,} of {plural(digest.considered, 'unseen paper')} for you"


@lru_cache(maxsize=1024)
def _topics(names: tuple[str, ...]) -> str:
    topics = listed([topic_name(name, _TOPIC_CHARS) for name in names])
    return f" on {topics}" if topics else ""


def quiet_view(digest: Digest) -> tuple[str, ...]:
    """Return why there are no papers, a reason a line; nothing when there are some."""
    if digest.ranked:
        return ()
    told = (shorten(clean(sentence), _QUIET_CHARS) for sentence in digest.quiet[:_QUIET_SHOWN])
    return tuple(sentence for sentence in told if sentence)
