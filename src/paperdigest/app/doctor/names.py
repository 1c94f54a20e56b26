"""Questions to the DNS, behind a function so that every check also runs from a written zone.

A name that is not there, or has no record of that type, has no answers; `UnansweredError` means that nobody could be
asked, which is no finding about the name.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import cache

import dns.exception
import dns.resolver

__all__ = ["Lookup", "UnansweredError", "ask", "reverse_name"]

Lookup = Callable[[str, str], tuple[str, ...]]
"""(name, type) -> the records as text, TXT strings joined; raises `UnansweredError`."""

PATIENCE_S = 5.0


class UnansweredError(OSError):
    """No name server gave an answer in time."""


def ask(name: str, kind: str) -> tuple[str, ...]:
    """Ask the name servers of this machine.

    Raises:
        UnansweredError: none could be asked, or none answered within five seconds.
    """
    try:
        answer = dns.resolver.resolve(name, kind, lifetime=PATIENCE_S)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer) as error:
        if not _knows_the_internet():
            raise UnansweredError("the name server of this machine knows nothing of the Internet") from error
        return ()
    except (dns.exception.DNSException, OSError) as error:
        raise UnansweredError(str(error) or type(error).__name__) from error
    if kind == "TXT":
        return tuple(b"".join(record.strings).decode("utf-8", "replace") for record in answer)
    return tuple(record.to_text() for record in answer)


@cache
def _knows_the_internet() -> bool:
    """Say whether the name server knows the root: one of a closed network says of every name that there is none."""
    try:
        return bool(dns.resolver.resolve(".", "NS", lifetime=PATIENCE_S))
    except (dns.exception.DNSException, OSError):
        return False


def reverse_name(address: str) -> str:
    """Return the name under which the PTR record of an address stands (RFC 1035, 3.5; RFC 3596, 2.5)."""
    return f"{ipaddress.ip_address(address).reverse_pointer}"
