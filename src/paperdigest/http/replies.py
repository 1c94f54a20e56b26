"""What a reply means for us: new, unmodified, or refused; and what is to be remembered of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus

from urllib3.response import BaseHTTPResponse

from paperdigest.errors import FetchError
from paperdigest.http.bodies import read_body
from paperdigest.http.redirects import Trail
from paperdigest.types import Validators

__all__ = ["refusal", "sendable", "unmodified", "validators"]

_PERMANENT = frozenset({400, 401, 402, 403, 404, 405, 406, 410, 414, 451})
_HINTS = {
    400: "the server does not understand the URL; check the source's settings",
    401: "the server wants a login, which sources do not have",
    403: "the server does not want us here; do not ask it again and again",
    404: "check the source's URL or identifier",
    410: "remove the source or correct its URL",
    429: "ask less often",
}
_EXCERPT_BYTES, _EXCERPT_CHARS = 8192, 200
_EXCERPT_TYPES = re.compile(r"(?:text/plain|[a-z]+/(?:[a-z.+-]+\+)?(?:json|xml))\s*(?:;|\Z)", re.IGNORECASE)
_SENDABLE = re.compile(r"[!-~\x80-\xff](?:[ !-~\x80-\xff]*[!-~\x80-\xff])?\Z")
_MAX_VALIDATOR = 1024


def unmodified(status: int, headers: Mapping[str, str], stored: Validators, *, asked: str) -> bool:
    """Say whether the reply means what we have already.

    Besides a 304 that is a 200 with the stored *strong* ETag again: servers that ignore conditions
    (RFC 9110, 8.8.3: equal strong validators mean equal bytes). Where both have a Last-Modified, it
    must agree, too: some servers put a constant in their ETag.

    Raises:
        FetchError: a 304 although nothing was stored.
    """
    if status == 304:
        if stored.etag is None and stored.last_modified is None:
            raise FetchError(asked, "the server said 'not modified' (304) although we have no copy", status=304)
        return True
    etag, modified = headers.get("etag"), headers.get("last-modified")
    if status != 200 or etag is None or etag != stored.etag or not (etag.startswith('"') and len(etag) > 2):
        return False
    return stored.last_modified is None or modified is None or modified == stored.last_modified


def validators(headers: Mapping[str, str], stored: Validators, trail: Trail, *, unmodified: bool) -> Validators:
    """Return what to store for the URL that was asked.

    A reply that confirms our copy updates what it states and keeps the rest (RFC 9111, 3.2 and 4.3.4);
    a new body brings its own validators or none.
    """
    etag, modified = _keepable(headers.get("etag")), _keepable(headers.get("last-modified"))
    if unmodified:
        etag, modified = etag or stored.etag, modified or stored.last_modified
    return Validators(url=trail.asked, etag=etag, last_modified=modified, moved_to=trail.moved_to)


def refusal(raw: BaseHTTPResponse, headers: Mapping[str, str], trail: Trail, moment: datetime | None) -> FetchError:
    """Return the error for every status that gives us nothing."""
    status = raw.status
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "no status we know"
    said = _excerpt(raw, headers)
    problem = f"the server answered {status} {phrase}" + (f": {said}" if said else "")
    if trail.url != trail.asked:
        problem += f" (at {trail.url[:200]})"
    return FetchError(
        trail.asked,
        problem,
        status=status,
        next_attempt_at=moment,
        permanent=status in _PERMANENT and moment is None,
        gone=status == 410 and trail.permanent,
        hint=_HINTS.get(status, "the next run tries again" if status >= 500 else None),
    )


def _excerpt(raw: BaseHTTPResponse, headers: Mapping[str, str]) -> str:
    """Return what a machine-readable error says, on one line; pages for people are left out."""
    if not _EXCERPT_TYPES.match(headers.get("content-type", "")):
        return ""
    try:
        body = read_body(raw, url="", limit=_EXCERPT_BYTES)
    except FetchError:
        return ""
    text = re.sub(r"<[^<>]*>", " ", body.decode("utf-8", "replace"))
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return text if len(text) <= _EXCERPT_CHARS else text[: _EXCERPT_CHARS - 1] + "…"


def sendable(validator: str) -> bool:
    """Say whether a validator can be sent back byte for byte."""
    return len(validator) <= _MAX_VALIDATOR and _SENDABLE.match(validator) is not None


def _keepable(validator: str | None) -> str | None:
    return validator if validator is not None and sendable(validator) else None
