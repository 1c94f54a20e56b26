"""What the DNS tells receivers of our mail: SPF, DKIM, DMARC, the bounce domain, the relay's name."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Sequence

from paperdigest.app.doctor.findings import Finding, fail, good, warn
from paperdigest.app.doctor.names import Lookup, UnansweredError, reverse_name
from paperdigest.app.doctor.spf import MAX_LOOKUPS, read_spf

__all__ = ["check_dkim", "check_dmarc", "check_mx", "check_reverse", "check_spf"]

_ASK_AGAIN = "Run the doctor again where the DNS can be asked"


def _asked(name: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Yield a check's findings; that nobody could be asked is one."""
    try:
        yield from check()
    except UnansweredError as error:
        yield warn(name, f"could not be asked: {error}", _ASK_AGAIN)


def check_spf(domain: str, relays: Sequence[str], lookup: Lookup) -> Iterator[Finding]:
    """Check the SPF record of the envelope sender's domain.

    Args:
        domain: whose mail it is.
        relays: public addresses of the mail server we hand over to, as far as they are known.
        lookup: asks the DNS.
    """

    def look() -> Iterator[Finding]:
        found = read_spf(domain, lookup)
        if not found.records:
            yield fail("SPF", f"{domain} has no SPF record", f'Publish a TXT record at {domain}: "v=spf1 a mx -all"')
            return
        if len(found.records) > 1:
            yield fail("SPF", f"{domain} has {len(found.records)} SPF records: receivers take none", "Join them to one")
            return
        if found.lookups > MAX_LOOKUPS:
            many = f"the record of {domain} takes more than {MAX_LOOKUPS} questions: receivers give up"
            yield fail("SPF", many, "Replace `include:` by `ip4:` where you can")
            return
        for problem in found.problems[:3]:
            yield warn("SPF", problem, "Mend the record")
        outside = [address for address in relays if not found.names(address)]
        if outside:
            what = f"{', '.join(outside)} (the relay) is not named by the record of {domain}"
            yield warn("SPF", what, "Add it, unless the relay sends from other addresses that are named")
        else:
            yield good("SPF", f"{domain} has one record, {found.lookups} of {MAX_LOOKUPS} questions")

    return _asked("SPF", look)


def check_dkim(domain: str, selector: str, record: str, lookup: Lookup) -> Iterator[Finding]:
    """Check that the key in the DNS is the one we sign with.

    Args:
        domain: of the signature (``d=``).
        selector: ``s=``.
        record: what the TXT record should be.
        lookup: asks the DNS.
    """
    name = f"{selector}._domainkey.{domain}"

    def look() -> Iterator[Finding]:
        wanted = _tags(record)["p"]
        found = [_tags(text) for text in lookup(name, "TXT")]
        keys = [tags["p"] for tags in found if "p" in tags]
        if not keys:
            yield fail("DKIM", f"there is no key at {name}", f"Publish this TXT record there: {record}")
        elif wanted not in keys:
            yield fail("DKIM", f"the key at {name} is not the one we sign with", f"Publish this one: {record}")
        else:
            yield good("DKIM", f"the key at {name} is ours")

    return _asked("DKIM", look)


def check_dmarc(from_domain: str, dkim_domain: str | None, envelope_domain: str, lookup: Lookup) -> Iterator[Finding]:
    """Check that there is a policy, and that what is authenticated belongs to the domain that readers see."""

    def look() -> Iterator[Finding]:
        organisation = _organisation(from_domain)
        places = dict.fromkeys((from_domain, organisation))
        records = next((found for place in places if (found := _dmarc_records(place, lookup))), ())
        if len(records) != 1:
            how = "no DMARC record" if not records else f"{len(records)} DMARC records"
            step = f'Publish a TXT record at _dmarc.{organisation}: "v=DMARC1; p=none; rua=mailto:YOU"'
            yield fail("DMARC", f"{from_domain} has {how}", step)
            return
        tags = _tags(records[0])
        aligned = [
            kind
            for kind, domain, mode in (
                ("DKIM", dkim_domain, tags.get("adkim", "r")),
                ("SPF", envelope_domain, tags.get("aspf", "r")),
            )
            if domain and _is_aligned(from_domain, domain, strict=mode == "s")
        ]
        if not aligned:
            what = f"neither the signature nor the envelope sender belongs to {from_domain}"
            yield fail("DMARC", what, "Sign with that domain, or take bounces in it")
        else:
            yield good("DMARC", f"p={tags.get('p', 'none')}, aligned by {' and '.join(aligned)}")

    return _asked("DMARC", look)


def check_mx(domain: str, lookup: Lookup) -> Iterator[Finding]:
    """Check that the domain that takes bounces takes mail at all."""

    def look() -> Iterator[Finding]:
        exchangers = lookup(domain, "MX")
        if any(one.split()[-1] == "." for one in exchangers):
            yield fail(
                "bounces", f"{domain} says that it takes no mail (RFC 7505)", "Set mail.bounces.domain to another"
            )
        elif exchangers or lookup(domain, "A") or lookup(domain, "AAAA"):
            yield good("bounces", f"{domain} takes mail")
        else:
            yield fail("bounces", f"{domain} has neither MX nor address", "Publish an MX record for it")

    return _asked("bounces", look)


def check_reverse(addresses: Sequence[str], lookup: Lookup) -> Iterator[Finding]:
    """Check that the relay's addresses have names that lead back to them (FCrDNS: large receivers ask for it)."""

    def look() -> Iterator[Finding]:
        for address in addresses:
            names = [name.rstrip(".") for name in lookup(reverse_name(address), "PTR")]
            kind = "A" if ipaddress.ip_address(address).version == 4 else "AAAA"
            if not names:
                yield warn("PTR", f"{address} (the relay) has no name", "Ask whoever runs it for a PTR record")
            elif not any(address in lookup(name, kind) for name in names):
                yield warn("PTR", f"{address} is called {names[0]}, which leads elsewhere", "Make the two agree")
            else:
                yield good("PTR", f"{address} is {names[0]}, and back")

    return _asked("PTR", look)


def _dmarc_records(domain: str, lookup: Lookup) -> tuple[str, ...]:
    return tuple(text for text in lookup(f"_dmarc.{domain}", "TXT") if text.replace(" ", "").startswith("v=DMARC1"))


def _tags(record: str) -> dict[str, str]:
    """Read ``a=b; c=d`` (RFC 6376, 3.2); white space within values means nothing."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): "".join(value.split()) for name, mark, value in pairs if mark}


def _is_aligned(from_domain: str, domain: str, *, strict: bool) -> bool:
    if strict:
        return from_domain.lower() == domain.lower()
    return _organisation(from_domain) == _organisation(domain)


def _organisation(domain: str) -> str:
    """Return the domain that belongs to an organisation, near enough without the public suffix list.

    Two labels, or three where the last two look like a country's own (``co.uk``); wrong only towards asking at one
    place more.
    """
    labels = domain.lower().split(".")
    is_country = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3:] if is_country else labels[-2:])
