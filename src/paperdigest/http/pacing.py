"""Politeness by host group: how many at once, how often, and not before when."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from paperdigest.errors import FetchError
from paperdigest.http.waits import LONGEST_WAIT

__all__ = ["DEFAULT_RULES", "REFUSED_PAUSE", "HostRule", "Pacer", "Window"]

REFUSED_PAUSE = timedelta(hours=1)
"""How long a group is left alone that answered 403 and named no time: asking on is what gets one banned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """At most ``requests`` in any ``seconds`` for paths that start with ``prefix``."""

    name: str
    prefix: str
    requests: int
    seconds: float = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRule:
    """What one operator asks of its visitors; covers ``domain`` and every name under it.

    ``connections`` at once (None: as the client is set), ``interval_s`` between the starts of two
    requests, ``windows`` of which the first fitting one counts.
    """

    domain: str
    connections: int | None = None
    interval_s: float = 0
    windows: tuple[Window, ...] = ()


DEFAULT_RULES = (
    HostRule(domain="arxiv.org", connections=1, interval_s=3),
    HostRule(
        domain="huggingface.co",
        windows=(Window(name="api", prefix="/api/", requests=500), Window(name="pages", prefix="/", requests=100)),
    ),
)
"""arXiv: one request per 3 s and one connection over all its hosts (terms of use of its API).
Hugging Face: windows of 5 minutes for clients without an account (its rate-limit documentation)."""


@dataclass(slots=True)
class _Group:
    free: threading.Condition
    active: int = 0
    next_start: float = float("-inf")
    starts: dict[str, deque[float]] = field(default_factory=dict)


class Pacer:
    """Remembers, for all threads and all views of a client, who was asked when and who wants no more."""

    def __init__(
        self,
        *,
        rules: tuple[HostRule, ...],
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        sleep: Callable[[float], None],
        waits: Mapping[str, datetime],
    ) -> None:
        self._rules, self._clock, self._monotonic, self._sleep = rules, clock, monotonic, sleep
        self._lock = threading.Lock()
        self._groups: dict[str, _Group] = {}
        latest = clock() + LONGEST_WAIT
        self._waits = {key: min(moment, latest) for key, moment in waits.items()}

    def rule(self, url: str) -> HostRule | None:
        """Return the rule that covers a URL's host."""
        host = (urlsplit(url).hostname or "").rstrip(".")
        for rule in self._rules:
            if host == rule.domain or host.endswith("." + rule.domain):
                return rule
        return None

    def group(self, url: str) -> str:
        """Return the name under which a URL's host is counted: a rule's domain, else host and port."""
        rule = self.rule(url)
        return rule.domain if rule else urlsplit(url).netloc.lower()

    def key(self, url: str) -> str:
        """Return the name under which waits for a URL are kept: its group, and its window if it has one."""
        window = self._window(url)
        return f"{self.group(url)}:{window.name}" if window else self.group(url)

    @property
    def waits(self) -> dict[str, datetime]:
        """The moments before which nobody is asked, by `key`; those that have passed are left out."""
        now = self._clock()
        with self._lock:
            return {key: moment for key, moment in self._waits.items() if moment > now}

    def put_off(self, url: str, moment: datetime) -> None:
        """Remember that a URL's group does not want to be asked before a moment."""
        with self._lock:
            key = self.key(url)
            self._waits[key] = max(moment, self._waits.get(key, moment))

    @contextmanager
    def slot(self, url: str, *, asked: str, limit: int) -> Iterator[float]:
        """Wait for our turn to ask a host and give it back at the end; yields the seconds waited.

        Raises:
            FetchError: the group does not want to be asked yet; refused at once, never slept through.
        """
        rule, entered = self.rule(url), self._monotonic()
        limit = (rule.connections if rule else None) or limit
        group = self._acquire(self.group(url), limit)
        try:
            self._refuse_while_waiting(url, asked)
            with group.free:
                start, now = self._start(group, rule), self._monotonic()
                self._count(group, url, asked)
            if start > now:
                self._sleep(start - now)
            yield self._monotonic() - entered
        finally:
            with group.free:
                group.active -= 1
                group.free.notify_all()  # they may wait for different limits

    def _acquire(self, name: str, limit: int) -> _Group:
        with self._lock:
            group = self._groups.setdefault(name, _Group(free=threading.Condition()))
        with group.free:
            group.free.wait_for(lambda: group.active < limit)
            group.active += 1
        return group

    def _refuse_while_waiting(self, url: str, asked: str) -> None:
        moment = self.waits.get(self.key(url))
        if moment is not None:
            problem = f"{self.group(url)} asked for a pause or refused us, so it was not asked again"
            raise FetchError(asked, problem, next_attempt_at=moment)

    def _start(self, group: _Group, rule: HostRule | None) -> float:
        start = max(self._monotonic(), group.next_start)
        group.next_start = start + (rule.interval_s if rule else 0)
        return start

    def _window(self, url: str) -> Window | None:
        rule = self.rule(url)
        path = urlsplit(url).path or "/"
        return next((w for w in rule.windows if path.startswith(w.prefix)), None) if rule else None

    def _count(self, group: _Group, url: str, asked: str) -> None:
        window = self._window(url)
        if window is None:
            return
        now = self._monotonic()
        starts = group.starts.setdefault(window.name, deque(maxlen=window.requests))
        if len(starts) == window.requests and now - starts[0] < window.seconds:
            moment = self._clock() + timedelta(seconds=window.seconds - (now - starts[0]))
            self.put_off(url, moment)
            problem = (
                f"the {window.requests} requests that {self.group(url)} allows in {window.seconds / 60:g} minutes"
                f" ({window.name}) are used up"
            )
            raise FetchError(asked, problem, next_attempt_at=moment)
        starts.append(now)
