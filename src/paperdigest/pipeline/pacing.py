"""How fast mail may go, altogether and to each domain: token buckets, slowed down when a server asks for patience.

Additive increase, multiplicative decrease (Source: Chiu and Jain, 1989): a domain that answers 421 or 4.7.x gets half
of what it was getting, and a little more with each mail that it takes. Others do not notice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

__all__ = ["Bucket", "Pace"]

Monotonic = Callable[[], float]

BURST_S = 1.0
"""What was not used is saved up for so long."""

SLOWEST = 1 / 60
"""A mail a minute is sent whatever they say: to see whether they have become friendlier."""

RECOVERS = 0.5
"""Mails a second that are added in a second in which all that may go is taken."""

SLOWLY = 0.1
"""But with one mail no more than this share."""

FORGIVEN_S = 600.0
"""After so long without a complaint a domain has its full pace again."""

OBSERVED_S = 10.0

HEARD_S = 1.0
"""Complaints within so long are one: about mails that were on their way together, over several connections."""

MOST_DOMAINS = 2000
"""Beyond that many, domains that are idle are forgotten."""

_WHOLE = 1 - 1e-9  # a token, as exactly as sums of seconds can tell


class Bucket:
    """Tokens that come at a rate; a mail takes one.

    Args:
        rate: tokens a second; 0 for as many as are wanted.
        now: the moment, in seconds.
    """

    def __init__(self, rate: float, now: float) -> None:
        self._tokens, self._at = max(1.0, rate * BURST_S), now
        self.rate = rate

    def wait(self, now: float) -> float:
        """Return how many seconds it takes until there is a token; 0 when there is one."""
        self._fill(now)
        return 0.0 if not self.rate or self._tokens >= _WHOLE else (1 - self._tokens) / self.rate

    def take(self, now: float) -> None:
        """Take a token; there may be less than none then, and the next one waits for longer."""
        self._fill(now)
        if self.rate:
            self._tokens -= 1

    def limit(self, rate: float, now: float) -> None:
        """Set another rate; what was saved up beyond it is gone."""
        self._fill(now)
        self.rate = rate
        self._tokens = min(self._tokens, max(1.0, rate * BURST_S))

    def _fill(self, now: float) -> None:
        self._tokens = min(max(1.0, self.rate * BURST_S), self._tokens + max(0.0, now - self._at) * self.rate)
        self._at = max(self._at, now)


class _Domain:
    """One domain: its bucket, and what it has been getting."""

    def __init__(self, most: float, now: float) -> None:
        self.bucket = Bucket(most, now)
        self.most = most
        self.sent: deque[float] = deque(maxlen=1000)
        self.complained: float | None = None

    def take(self, now: float) -> None:
        self.bucket.take(now)
        self.sent.append(now)

    def throttle(self, now: float) -> None:
        if self.complained is None:  # what is allowed may be far from what was done
            recent = sum(1 for moment in self.sent if moment > now - OBSERVED_S)
            got = max(recent / OBSERVED_S, 2 * SLOWEST)
        elif now - self.complained < HEARD_S:
            return
        else:
            got = self.bucket.rate
        self.bucket.limit(max(SLOWEST, got / 2), now)
        self.complained = now

    def is_idle(self, now: float) -> bool:
        return self.complained is None and not self.bucket.wait(now) and self.sent[-1] < now - OBSERVED_S

    def accept(self, now: float) -> None:
        if self.complained is None:
            return
        if now - self.complained > FORGIVEN_S:
            self.complained = None
            self.bucket.limit(self.most, now)
            return
        faster = self.bucket.rate + min(RECOVERS / self.bucket.rate, SLOWLY * self.bucket.rate)
        self.bucket.limit(min(faster, self.most) if self.most else faster, now)


class Pace:
    """Says when a mail to a domain may go. Not for use by two threads at once.

    Args:
        most: mails a second altogether; 0 for no limit.
        most_per_domain: and to one domain.
        monotonic: seconds.
    """

    def __init__(self, most: float, most_per_domain: float, monotonic: Monotonic) -> None:
        self._monotonic, self._most_per_domain = monotonic, most_per_domain
        self._whole = _Domain(most, monotonic())
        self._domains: dict[str, _Domain] = {}
        self._room = MOST_DOMAINS

    def wait(self, domain: str | None = None) -> float:
        """Return in how many seconds a mail to the domain, or (None) to any, may go; 0 for now."""
        now = self._monotonic()
        known = self._domains.get(domain) if domain else None
        return max(self._whole.bucket.wait(now), known.bucket.wait(now) if known else 0.0)

    def rate(self, domain: str) -> float:
        """Return how many mails a second may go to a domain now; 0 for as many as are wanted."""
        known = self._domains.get(domain)
        limits = (self._whole.bucket.rate, known.bucket.rate if known else self._most_per_domain)
        return min((limit for limit in limits if limit), default=0.0)

    def take(self, domain: str) -> None:
        """Count a mail that goes now."""
        now = self._monotonic()
        self._whole.take(now)
        if domain not in self._domains:
            self._forget_the_idle(now)
            self._domains[domain] = _Domain(self._most_per_domain, now)
        self._domains[domain].take(now)

    def throttled(self, domain: str | None) -> None:
        """Count that a server asked for patience: on behalf of a domain, or (None) for all that we send."""
        now = self._monotonic()
        one = self._whole if domain is None else self._domains.get(domain)
        if one is not None:
            one.throttle(now)

    def accepted(self, domain: str) -> None:
        """Count a mail that was taken."""
        now = self._monotonic()
        self._whole.accept(now)
        if domain in self._domains:
            self._domains[domain].accept(now)

    def _forget_the_idle(self, now: float) -> None:
        """Keep memory flat when mail goes to very many domains: those that nothing is known of are like new ones."""
        if len(self._domains) >= self._room:
            self._domains = {name: one for name, one in self._domains.items() if not one.is_idle(now)}
            self._room = max(MOST_DOMAINS, 2 * len(self._domains))
