"""Which addresses may be dialled: the guard against requests forged through a listing's URL (SSRF).

The guard sits where the connection is made, so that no redirect, rebinding name, odd spelling of an
address or forgotten call site goes around it: a name is resolved once, *every* address it has must be
public, and the address that was checked is the one dialled. Source: OWASP ASVS 5.0, V1.3.6; RFC 6890.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from paperdigest.errors import FetchError
from paperdigest.http.budget import CURRENT

__all__ = ["Guard", "Resolver", "check_url", "is_public", "resolve"]

Resolver = Callable[[str, int], Sequence[str]]
"""Turns a host name and a port into addresses; raises OSError when there are none."""

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last 32 bits
_TUNNELS = tuple(
    IPv6Network(text)
    for text in (
        "::/96",  # IPv4-compatible, deprecated (RFC 4291, 2.5.5.1)
        "64:ff9b:1::/48",  # local NAT64 (RFC 8215)
        "2001::/23",  # Teredo and other protocol assignments (RFC 2928)
        "2002::/16",  # 6to4: carries any IPv4 address (RFC 3056)
        "fec0::/10",  # site-local, deprecated (RFC 3879)
    )
)
_HINT_PRIVATE = "if the source is yours, set allow_private = true for it"
_MAX_URL = 8192


def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver; it understands every spelling of an address too (``0x7f.1``)."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def is_public(address: str) -> bool:
    """Say whether an address is one host in the public Internet, also when it hides in an IPv6 address."""
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        if parsed.scope_id is not None:
            return False
        parsed = _embedded(parsed)
    if isinstance(parsed, IPv6Address) and any(parsed in network for network in _TUNNELS):
        return False
    return parsed.is_global and not parsed.is_multicast


def _embedded(address: IPv6Address) -> IPv4Address | IPv6Address:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def check_url(url: str, *, asked: str) -> SplitResult:
    """Return the parts of a URL that we are ready to ask; ``asked`` names the request in errors.

    Raises:
        FetchError: another scheme than http and https, user name or password, no host, no valid port,
            white space, control characters or backslashes (which parsers read differently).
    """
    problem = None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise FetchError(asked, f"{url[:200]!r} is not a URL: {error}", permanent=True) from error
    if len(url) > _MAX_URL or "\\" in url or any(char <= " " or char == "\x7f" for char in url):
        problem = f"{url[:200]!r} is not a URL: too long, or with white space, control characters or backslashes"
    elif parts.scheme not in {"http", "https"}:
        problem = f"only http and https URLs are fetched, not {url[:200]!r}"
    elif "@" in parts.netloc:
        problem = f"URLs with a user name or password are refused: {parts.hostname}"
    elif not parts.hostname or port == 0:
        problem = f"{url[:200]!r} names no host, or port 0"
    if problem:
        raise FetchError(asked, problem, permanent=True, hint="correct the URL of the source")
    return parts


class Guard:
    """Dials, and refuses to dial."""

    def __init__(self, *, allow_private: bool, resolver: Resolver) -> None:
        self.allow_private = allow_private
        self._resolver = resolver

    def dial(self, host: str, port: int, *, timeout_s: float) -> socket.socket:
        """Connect to a host by an address that was checked.

        Raises:
            FetchError: the name does not resolve, one of its addresses is not public, the port is not
                one of the web's, none of the addresses answers, the deadline has passed.
        """
        budget = CURRENT.get()
        if not self.allow_private and port not in {80, 443}:
            problem = f"port {port} of {host} is refused: public sources are asked on ports 80 and 443 only"
            raise FetchError(budget.url, problem, permanent=True, hint=_HINT_PRIVATE)
        failure: OSError | None = None
        for address in self._addresses(host, port):
            try:
                return socket.create_connection((address, port), timeout=min(timeout_s, budget.remaining()))
            except OSError as error:
                failure = error
        reason = "no answer" if isinstance(failure, TimeoutError) else getattr(failure, "strerror", None) or failure
        hint = "the server may be down; the next run tries again"
        raise FetchError(budget.url, f"no connection to {host}, port {port}: {reason}", hint=hint) from failure

    def _addresses(self, host: str, port: int) -> Sequence[str]:
        url = CURRENT.get().url
        try:
            addresses = tuple(dict.fromkeys(self._resolver(host, port)))
        except (OSError, UnicodeError) as error:
            hint = "check the spelling and the network connection"
            raise FetchError(url, f"the name {host} could not be resolved: {error}", hint=hint) from error
        if not addresses:
            raise FetchError(url, f"the name {host} has no address", hint="check the spelling")
        refused = [address for address in addresses if not self.allow_private and not is_public(address)]
        if refused:
            problem = f"{host} is at {refused[0]}, which is not an address of the public Internet"
            raise FetchError(url, problem, permanent=True, hint=_HINT_PRIVATE)
        return addresses
