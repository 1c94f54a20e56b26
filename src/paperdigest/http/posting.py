"""Tell something to a URL that the operator has named: one POST, guarded and bounded like every GET."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import requests

from paperdigest import __version__
from paperdigest.errors import FetchError
from paperdigest.http.budget import CURRENT, Budget
from paperdigest.http.failures import translated
from paperdigest.http.guard import Guard, Resolver, check_url, resolve
from paperdigest.http.redirects import Trail
from paperdigest.http.transport import GuardedAdapter

__all__ = ["Answer", "post_form", "post_json"]

_MAX_REPLY = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server said: its status, and the time of day it has (the header Date)."""

    status: int
    date: str | None


def post_json(
    url: str,
    content: bytes,
    *,
    allow_private: bool,
    deadline_s: float,
    resolver: Resolver = resolve,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """POST a JSON document; the answer's body is not read, a redirect is not followed.

    Args:
        url: where to.
        content: the document.
        allow_private: whether addresses and ports that are not the public web's may be dialled.
        deadline_s: how long it may take altogether.
        resolver: turns names into addresses.
        monotonic: the clock of the deadline.

    Raises:
        FetchError: it was not taken (any answer but 2xx), or not in time.
    """
    kind = "application/json"
    answer = _post(url, content, kind, Guard(allow_private=allow_private, resolver=resolver), deadline_s, monotonic)
    if answer.status // 100 != 2:
        problem = f"the answer was {answer.status}"
        raise FetchError(url, problem, status=answer.status, permanent=answer.status // 100 == 4)


def post_form(
    url: str,
    content: bytes,
    kind: str,
    *,
    allow_private: bool,
    deadline_s: float,
    resolver: Resolver = resolve,
    monotonic: Callable[[], float] = time.monotonic,
) -> Answer:
    """POST a form of the content type ``kind`` and return the answer, whatever it is (see `post_json`).

    Raises:
        FetchError: there was no answer, or not in time.
    """
    return _post(url, content, kind, Guard(allow_private=allow_private, resolver=resolver), deadline_s, monotonic)


def _post(
    url: str, content: bytes, kind: str, guard: Guard, deadline_s: float, monotonic: Callable[[], float]
) -> Answer:
    trail = Trail(asked=url, start=url)
    budget = Budget(url, deadline_s=deadline_s, read_timeout_s=deadline_s, body_bytes=_MAX_REPLY, monotonic=monotonic)
    token = CURRENT.set(budget)
    adapter = GuardedAdapter(guard)
    try:
        with translated(trail):
            check_url(url, asked=url)
            headers = {"User-Agent": f"paperdigest/{__version__}", "Content-Type": kind, "Connection": "close"}
            prepared = requests.Request("POST", url, data=content, headers=headers).prepare()
            reply = adapter.send(prepared, stream=True, timeout=(deadline_s, deadline_s))
            reply.close()
            return Answer(status=reply.status_code, date=reply.headers.get("Date"))
    finally:
        CURRENT.reset(token)
        adapter.close()
