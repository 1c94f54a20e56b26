"""The way from the URL that was asked to the one that answered."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urldefrag, urljoin, urlsplit

from requests.cookies import RequestsCookieJar

from paperdigest.errors import FetchError

__all__ = ["MAX_REDIRECTS", "Trail"]

MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})


class Trail:
    """The URLs of one GET so far, with the cookies set on the way (some publishers insist on them).

    ``url`` is the one to ask now; ``moved_to`` is as far as permanent redirects alone have led (RFC 9110,
    15.4.2 and 15.4.9); ``permanent`` says that this is here.
    """

    def __init__(self, *, asked: str, start: str) -> None:
        self.asked, self.url = asked, start
        self.permanent = True
        self.moved_to = start if start != asked else None
        self.cookies = RequestsCookieJar()
        self._path = [start]
        self._asked_again = False
        self._seen = {self._mark(start)}

    def turn(self, status: int, location: str | None, *, wait_until: datetime | None = None) -> bool:
        """Take a redirect; False when the reply is none.

        Raises:
            FetchError: it leads nowhere, in a circle, too far, from https to http, or asks to be followed
                later. (Whether the new URL is one that is fetched is checked when it is asked.)
        """
        if status not in _REDIRECTS:
            return False
        if wait_until is not None:
            problem = f"a redirect ({status}) is to be followed later"
            raise FetchError(self.asked, problem, status=status, next_attempt_at=wait_until)
        if not location:
            raise self._refusal(status, "leads nowhere: it has no Location")
        target = self._target(status, location)
        if urlsplit(self.url).scheme == "https" and urlsplit(target).scheme == "http":
            raise self._refusal(status, f"leads from https to http ({target[:200]}) and is not followed")
        self._path.append(target)
        if self._mark(target) in self._seen:
            raise self._refusal(status, f"goes in a circle: {' -> '.join(url[:200] for url in self._path)}")
        if len(self._path) > MAX_REDIRECTS + 1:
            raise self._refusal(status, f"is one of more than {MAX_REDIRECTS} in a row")
        self._seen.add(self._mark(target))
        self.permanent = self.permanent and status in _PERMANENT
        if self.permanent:
            self.moved_to = target if target != self.asked else None
        self.url = target
        return True

    def ask_again(self, error: Exception) -> bool:
        """Say, once, that a server hung up without a word: it may just have closed an idle connection."""
        hung_up = any(isinstance(cause, ConnectionResetError | BrokenPipeError) for cause in _causes(error))
        again, self._asked_again = hung_up and not self._asked_again, self._asked_again or hung_up
        return again

    def _target(self, status: int, location: str) -> str:
        with contextlib.suppress(UnicodeError):
            location = location.encode("latin-1").decode("utf-8")  # as browsers read it
        try:
            return urldefrag(urljoin(self.url, location.strip())).url
        except ValueError as error:
            raise self._refusal(status, f"leads to {location[:200]!r}, which is not a URL") from error

    def _mark(self, url: str) -> tuple[str, frozenset[tuple[str, str | None]]]:
        """Return what makes a request: the same URL with a new cookie is not a circle."""
        return url, frozenset((cookie.name, cookie.value) for cookie in self.cookies)

    def _refusal(self, status: int, problem: str) -> FetchError:
        hint = "set the source's URL to where the listing is now"
        return FetchError(self.asked, f"the redirect ({status}) {problem}", status=status, permanent=True, hint=hint)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those that libraries wrapped in it, as arguments."""
    yield error
    for argument in error.args:
        if isinstance(argument, BaseException):
            yield from _causes(argument)
