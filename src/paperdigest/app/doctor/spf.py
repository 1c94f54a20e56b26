"""Who may send for a domain, as its SPF record says (RFC 7208)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from paperdigest.app.doctor.names import Lookup

__all__ = ["MAX_LOOKUPS", "Spf", "read_spf"]

MAX_LOOKUPS = 10
"""More than that and receivers give up with an error (RFC 7208, 4.6.4)."""

_MAX_DEPTH = 12
_ASKING = ("include", "a", "mx", "ptr", "exists", "redirect")
_TERM = re.compile(
    r"(?P<sign>[+?~-]?)(?P<name>[A-Za-z0-9]+)(?:[:=](?P<value>[^/\s]*))?(?P<length>(?:/\d+){0,2}|//\d+)\Z"
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(slots=True, kw_only=True)
class Spf:
    """What a domain's record comes to: how many questions it takes, which networks it names, and what is wrong."""

    records: tuple[str, ...] = ()
    lookups: int = 0
    networks: list[Network] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def names(self, address: str) -> bool:
        """Say whether an address is in one of the networks."""
        found = ipaddress.ip_address(address)
        return any(found in network for network in self.networks if network.version == found.version)


def read_spf(domain: str, lookup: Lookup) -> Spf:
    """Read a domain's record with all that it includes.

    Raises:
        UnansweredError: a name server could not be asked.
    """
    found = Spf(records=_records(domain, lookup))
    if len(found.records) == 1:
        _read(found.records[0], domain, lookup, found, 0)
    return found


def _records(domain: str, lookup: Lookup) -> tuple[str, ...]:
    return tuple(text for text in lookup(domain, "TXT") if text.lower().split(" ")[0] == "v=spf1")


def _read(record: str, domain: str, lookup: Lookup, found: Spf, depth: int) -> None:
    for term in record.split()[1:]:
        match = _TERM.match(term)
        if match is None:
            # ip6 addresses hold colons, and macros are none of our business.
            if term.lower().startswith(("ip6:", "+ip6:")):
                _network(term.partition(":")[2], found)
            elif "%" not in term:
                found.problems.append(f"{term!r} in the record of {domain} cannot be read")
            continue
        name, value = match["name"].lower(), match["value"] or ""
        if name in _ASKING:
            found.lookups += 1
        if found.lookups > MAX_LOOKUPS or depth > _MAX_DEPTH:
            return
        if name in ("ip4", "ip6"):
            _network(f"{value}{match['length']}", found)
        elif name in ("include", "redirect") and "%" not in value:
            _follow(value, domain, lookup, found, depth)
        elif name in ("a", "mx"):
            _hosts(name, value or domain, lookup, found)


def _follow(value: str, domain: str, lookup: Lookup, found: Spf, depth: int) -> None:
    records = _records(value, lookup)
    if len(records) != 1:
        found.problems.append(f"{domain} includes {value}, which has {len(records) or 'no'} SPF records")
        return
    _read(records[0], value, lookup, found, depth + 1)


def _hosts(name: str, host: str, lookup: Lookup, found: Spf) -> None:
    hosts = [answer.split()[-1].rstrip(".") for answer in lookup(host, "MX")] if name == "mx" else [host]
    for one in hosts[:MAX_LOOKUPS]:
        for kind in ("A", "AAAA"):
            for address in lookup(one, kind):
                _network(address, found)


def _network(text: str, found: Spf) -> None:
    try:
        found.networks.append(ipaddress.ip_network(text, strict=False))
    except ValueError:
        found.problems.append(f"{text!r} is no network")
