"""Foreign exceptions, translated in one place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests.exceptions
import urllib3.exceptions

from paperdigest.errors import FetchError
from paperdigest.http.redirects import Trail

__all__ = ["translated"]

_AGAIN = "the next run tries again"


@contextmanager
def translated(trail: Trail) -> Iterator[None]:
    """Turn whatever requests and urllib3 raise into a FetchError for the URL that was asked.

    Raises:
        FetchError: with the original exception as its cause.
    """
    try:
        yield
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
        problem, permanent, hint = _words(error)
        if trail.url != trail.asked:
            problem += f" (at {trail.url[:200]})"
        raise FetchError(trail.asked, problem, permanent=permanent, hint=hint) from error


def _words(error: Exception) -> tuple[str, bool, str]:
    reason = _reason(error)
    match error:
        case requests.exceptions.SSLError():
            return f"the server's identity could not be checked: {reason}", False, "its certificate must be put right"
        case requests.exceptions.ProxyError():
            return f"the configured proxy failed: {reason}", False, "check the proxy settings"
        case requests.exceptions.ConnectTimeout():
            return "the server did not take the connection in time", False, _AGAIN
        case requests.exceptions.ReadTimeout() | urllib3.exceptions.ReadTimeoutError():
            return "the server fell silent, or was not done in time", False, _AGAIN
        case requests.exceptions.InvalidURL() | requests.exceptions.InvalidSchema():
            return f"this is not a URL that can be asked: {reason}", True, "correct the URL of the source"
        case requests.exceptions.InvalidHeader():
            return f"a header cannot be sent: {reason}", True, "check the settings of the source"
    return f"the connection failed: {reason}", False, _AGAIN


def _reason(error: BaseException) -> str:
    """Return the innermost cause's text: the outer ones repeat it with objects' addresses in it."""
    while True:
        inner = getattr(error, "reason", None) or next((a for a in error.args if isinstance(a, BaseException)), None)
        if not isinstance(inner, BaseException):
            break
        error = inner
    if isinstance(error, urllib3.exceptions.IncompleteRead):
        expected = f" of {error.partial + error.expected}" if error.expected else ""
        return f"the body broke off after {error.partial}{expected} bytes"
    text = " ".join(str(part) for part in error.args if not hasattr(part, "host")) or type(error).__name__
    return " ".join(text.split())[:300]
