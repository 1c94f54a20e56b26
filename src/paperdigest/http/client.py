"""One polite, guarded HTTP client for everything: sources, pictures, anything with a URL from outside."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Self, TypeVar

import requests
from urllib3.response import BaseHTTPResponse

from paperdigest import __version__
from paperdigest.errors import FetchError
from paperdigest.http import replies
from paperdigest.http.bodies import ACCEPT_ENCODING, dismiss, read_body
from paperdigest.http.budget import CURRENT, Budget
from paperdigest.http.failures import translated
from paperdigest.http.guard import Guard, Resolver, check_url, resolve
from paperdigest.http.message import Request, Response
from paperdigest.http.pacing import DEFAULT_RULES, REFUSED_PAUSE, HostRule, Pacer
from paperdigest.http.parallel import Job
from paperdigest.http.redirects import Trail
from paperdigest.http.transport import GuardedAdapter
from paperdigest.http.waits import not_before
from paperdigest.types import Validators

__all__ = ["HttpClient"]

T = TypeVar("T")


class HttpClient:
    """Gets URLs: guarded against private addresses, paced by host, capped in bytes and in time.

    Thread-safe. One client, and the views made from it, share connections, pacing and waits.

    Args:
        contact: a URL or address at which an operator who minds us can complain; sent to every server.
        clock: the time of day, UTC; replies are dated and waits are kept by it.
        waits: what `waits` said at the end of an earlier run, so that it still holds.
        rules: what single operators ask for.
        per_host: connections at once to a host that no rule covers.
        connect_timeout_s: how long one address may take to answer.
        read_timeout_s: how long a server may be silent.
        deadline_s: how long one `get` may take in all, redirects included, our own pauses not. (A
            name server that does not answer is bounded by the system's resolver only.)
        resolver: turns names into addresses.
        proxies: URL of a proxy by scheme (``http``, ``https``); a trusted hop, which then resolves names
            and is not guarded. The environment's proxy variables are not read.
        ca_file: certificates of the authorities to trust instead of the usual ones.
    """

    def __init__(
        self,
        *,
        contact: str | None,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        waits: Mapping[str, datetime] | None = None,
        rules: tuple[HostRule, ...] = DEFAULT_RULES,
        per_host: int = 2,
        connect_timeout_s: float = 10,
        read_timeout_s: float = 30,
        deadline_s: float = 60,
        resolver: Resolver = resolve,
        proxies: Mapping[str, str] | None = None,
        ca_file: str | None = None,
    ) -> None:
        self._agent = _agent(contact)
        self._clock, self._monotonic = clock, monotonic
        self._timeouts = (connect_timeout_s, read_timeout_s)
        self._deadline_s = deadline_s
        self._proxies = dict(proxies or {})
        self._per_host = per_host
        self._pacer = Pacer(rules=rules, clock=clock, monotonic=monotonic, sleep=sleep, waits=waits or {})
        # A connection to a private address must never be found in the pool of those who may not have it.
        self._adapters = {
            private: GuardedAdapter(Guard(allow_private=private, resolver=resolver), ca_file=ca_file)
            for private in (False, True)
        }
        self._private = False

    @property
    def waits(self) -> dict[str, datetime]:
        """The moments before which single host groups are not asked; to be kept for the next run."""
        return self._pacer.waits

    def job(self, name: str, url: str, run: Callable[[], T]) -> Job[T]:
        """Return a job for `run_by_host` that asks the host of a URL, no more of them at once than it is good for."""
        rule = self._pacer.rule(url)
        at_once = (rule.connections if rule else None) or self._per_host
        return Job(name=name, run=run, group=self._pacer.group(url), at_once=at_once)

    def view(self, *, allow_private: bool = False, per_host: int | None = None) -> Self:
        """Return a client that shares pool, pacing and memory but may reach private addresses and ports.

        ``per_host`` changes how many connections at once it makes to a host that no rule covers.
        """
        view = copy.copy(self)
        vars(view).update(_private=allow_private, _per_host=per_host or self._per_host)
        return view

    def close(self) -> None:
        """Close the pooled connections, of all views."""
        for adapter in self._adapters.values():
            adapter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def get(self, request: Request) -> Response:
        """GET with guard, pacing, caps and deadline; every status but 200 and 304 raises FetchError.

        With validators the request is conditional, and goes to ``moved_to`` when that is known; when
        nothing is to be had there any more, the original URL is asked again. A 200 that repeats the
        stored strong ETag (and Last-Modified, where both have one) is ``unmodified``, its body unread.

        Raises:
            FetchError: its URL is always the one that was asked.
        """
        stored = request.validators or Validators(url=request.url)
        if stored.gone:
            problem = "the server said on an earlier visit that this is gone for good"
            hint = "remove the source or correct its URL"
            raise FetchError(request.url, problem, status=410, gone=True, permanent=True, hint=hint)
        if stored.next_attempt_at is not None and stored.next_attempt_at > self._clock():
            problem = "the server asked for a pause, so it was not asked again"
            raise FetchError(request.url, problem, next_attempt_at=stored.next_attempt_at)
        try:
            return self._follow(request, stored, Trail(asked=request.url, start=stored.moved_to or request.url))
        except FetchError as error:
            if stored.moved_to is None or not error.permanent:
                raise
        fresh = replace(stored, moved_to=None)
        return self._follow(request, fresh, Trail(asked=request.url, start=request.url))

    def _follow(self, request: Request, stored: Validators, trail: Trail) -> Response:
        budget = Budget(
            request.url,
            deadline_s=self._deadline_s,
            read_timeout_s=self._timeouts[1],
            body_bytes=request.max_body_bytes,
            monotonic=self._monotonic,
        )
        token = CURRENT.set(budget)
        try:
            while True:
                response = self._hop(request, stored, trail, budget)
                if response is not None:
                    return response
        finally:
            CURRENT.reset(token)

    def _hop(self, request: Request, stored: Validators, trail: Trail, budget: Budget) -> Response | None:
        """Ask one URL; None when it only led to another one, or is to be asked again."""
        with translated(trail):
            check_url(trail.url, asked=request.url)
            prepared = self._prepare(request, stored, trail)
            url = prepared.url or trail.url
            with self._pacer.slot(url, asked=request.url, limit=self._per_host) as waited_s:
                budget.pause(waited_s)
                connect_s, read_s = (min(seconds, budget.remaining()) for seconds in self._timeouts)
                try:
                    reply = self._adapters[self._private].send(
                        prepared, stream=True, timeout=(connect_s, read_s), proxies=self._proxies
                    )
                except requests.ConnectionError as error:
                    if trail.ask_again(error):
                        return None
                    raise
                trail.cookies.update(reply.cookies)
                raw: BaseHTTPResponse = reply.raw
                try:
                    return self._judge(raw, request, stored, trail, url)
                finally:
                    raw.close()
                    raw.release_conn()

    def _judge(
        self, raw: BaseHTTPResponse, request: Request, stored: Validators, trail: Trail, url: str
    ) -> Response | None:
        now = self._clock()
        headers = {name.lower(): value for name, value in raw.headers.items()}
        moment = not_before(raw.status, headers, now)
        if moment is not None:
            self._pacer.put_off(url, moment)
        elif raw.status == 403:
            self._pacer.put_off(url, now + REFUSED_PAUSE)
        if trail.turn(raw.status, headers.get("location"), wait_until=moment):
            dismiss(raw)
            return None
        known = replies.unmodified(raw.status, headers, stored, asked=request.url)
        if raw.status not in {200, 304}:
            raise replies.refusal(raw, headers, trail, moment)
        if raw.status == 304:
            dismiss(raw)
        body = b"" if known else read_body(raw, url=request.url, limit=request.max_body_bytes)
        return Response(
            url=url,
            status=raw.status,
            body=body,
            retrieved_at=now,
            validators=replies.validators(headers, stored, trail, unmodified=known),
            headers=headers,
            unmodified=known,
        )

    def _prepare(self, request: Request, stored: Validators, trail: Trail) -> requests.PreparedRequest:
        headers = {
            "User-Agent": self._agent,
            "Accept": request.accept or "*/*",
            "Accept-Encoding": ACCEPT_ENCODING,
        }
        conditions = {"If-None-Match": stored.etag, "If-Modified-Since": stored.last_modified}
        headers |= {name: value for name, value in conditions.items() if value is not None and replies.sendable(value)}
        cookies = trail.cookies if len(trail.cookies) else None
        return requests.Request("GET", trail.url, headers=headers, cookies=cookies).prepare()


def _agent(contact: str | None) -> str:
    if contact is None:
        return f"paperdigest/{__version__} (no contact configured)"
    if not contact.isascii() or not contact.isprintable() or not contact.strip() or set(contact) & set("()\\"):
        raise ValueError(f"a contact is a URL or an e-mail address in plain ASCII, not {contact!r}")
    return f"paperdigest/{__version__} (+{contact.strip()})"
