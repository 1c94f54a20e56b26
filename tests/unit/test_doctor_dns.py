"""What the doctor makes of the DNS, from written zones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from paperdigest.app.doctor.dns_checks import check_dkim, check_dmarc, check_mx, check_reverse, check_spf
from paperdigest.app.doctor.findings import Finding, Level
from paperdigest.app.doctor.names import Lookup, UnansweredError
from paperdigest.app.doctor.spf import read_spf

Zone = Mapping[tuple[str, str], tuple[str, ...]]


def asking(zone: Zone) -> Lookup:
    return lambda name, kind: zone.get((name, kind), ())


def dead(name: str, kind: str) -> tuple[str, ...]:
    raise UnansweredError("no route")


def told(findings: Iterable[Finding]) -> list[tuple[Level, str]]:
    return [(one.level, one.what) for one in findings]


def spf(record: str, **more: str) -> Lookup:
    zone = {("example.org", "TXT"): ("google-site-verification=x", record)}
    return asking(zone | {(f"{name}.example.net", "TXT"): (text,) for name, text in more.items()})


def test_a_good_spf_record_is_good() -> None:
    lookup = spf(
        "v=spf1 include:a.example.net ip4:192.0.2.0/24 ip6:2001:db8::/32 -all", a="v=spf1 ip4:198.51.100.7 -all"
    )
    found = told(check_spf("example.org", ["192.0.2.9", "198.51.100.7", "2001:db8::1"], lookup))
    assert found == [(Level.GOOD, "example.org has one record, 1 of 10 questions")]


def test_a_relay_outside_the_record_is_worth_a_look() -> None:
    ((level, what),) = told(check_spf("example.org", ["203.0.113.1", "192.0.2.1"], spf("v=spf1 ip4:192.0.2.1 -all")))
    assert level is Level.WARN
    assert what.startswith("203.0.113.1 (the relay) is not named")


def test_hosts_and_exchangers_are_followed() -> None:
    zone: Zone = {
        ("example.org", "TXT"): ("v=spf1 mx a:host.example.org ~all",),
        ("example.org", "MX"): ("10 mail.example.org.",),
        ("mail.example.org", "A"): ("192.0.2.1",),
        ("host.example.org", "AAAA"): ("2001:db8::2",),
    }
    found = read_spf("example.org", asking(zone))
    assert found.lookups == 2
    assert [found.names(one) for one in ("192.0.2.1", "2001:db8::2", "192.0.2.2")] == [True, True, False]


@pytest.mark.parametrize(
    ("records", "what"),
    [
        ((), "no SPF record"),
        (("v=spf1 -all", "v=spf1 a -all"), "2 SPF records"),
        (("v=spf1 " + " ".join(f"a:h{n}.example.org" for n in range(11)) + " -all",), "more than 10 questions"),
    ],
)
def test_a_bad_spf_record_fails(records: tuple[str, ...], what: str) -> None:
    ((level, said),) = told(check_spf("example.org", [], asking({("example.org", "TXT"): records})))
    assert level is Level.FAIL
    assert what in said


def test_records_that_include_each_other_come_to_an_end() -> None:
    lookup = asking({("example.org", "TXT"): ("v=spf1 include:example.org -all",)})
    ((level, what),) = told(check_spf("example.org", [], lookup))
    assert level is Level.FAIL
    assert "more than 10" in what


def test_what_cannot_be_read_is_named_and_the_rest_counts() -> None:
    lookup = spf("v=spf1 ip4:300.1.1.1 include:gone.example.net nonsense! ip4:192.0.2.1 -all")
    levels = [level for level, _ in told(check_spf("example.org", ["192.0.2.1"], lookup))]
    assert levels == [Level.WARN, Level.WARN, Level.WARN, Level.GOOD]


RECORD = "v=DKIM1; k=rsa; p=AAAA"


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (("v=DKIM1; k=rsa; p=AA AA",), Level.GOOD),
        (("v=DKIM1; p=BBBB", "v=DKIM1; p=AAAA"), Level.GOOD),
        (("v=DKIM1; p=BBBB",), Level.FAIL),
        (("v=DKIM1; p=",), Level.FAIL),
        ((), Level.FAIL),
    ],
)
def test_the_key_in_the_dns_is_compared_with_ours(found: tuple[str, ...], level: Level) -> None:
    lookup = asking({("pd._domainkey.example.org", "TXT"): found})
    assert [one for one, _ in told(check_dkim("example.org", "pd", RECORD, lookup))] == [level]


@pytest.mark.parametrize(
    ("from_domain", "signing", "envelope", "policy", "level"),
    [
        ("example.org", "example.org", "example.org", "v=DMARC1; p=none", Level.GOOD),
        ("news.example.org", "example.org", "b.example.org", "v=DMARC1; p=reject", Level.GOOD),
        ("example.org", None, "bounces.example.org", "v=DMARC1; p=none", Level.GOOD),
        ("example.org", None, "bounces.example.org", "v=DMARC1; p=none; aspf=s", Level.FAIL),
        ("example.org", "esp.example.net", "esp.example.net", "v=DMARC1; p=none", Level.FAIL),
        ("example.co.uk", "other.co.uk", "other.co.uk", "v=DMARC1; p=none", Level.FAIL),
        ("example.org", "example.org", "example.org", "v=spf1", Level.FAIL),
    ],
)
def test_what_is_authenticated_must_belong_to_the_domain_that_readers_see(
    from_domain: str, signing: str | None, envelope: str, policy: str, level: Level
) -> None:
    zone: Zone = {
        ("_dmarc.example.org", "TXT"): (policy,),
        ("_dmarc.example.co.uk", "TXT"): (policy,),
    }
    assert [one for one, _ in told(check_dmarc(from_domain, signing, envelope, asking(zone)))] == [level]


@pytest.mark.parametrize(
    ("zone", "level"),
    [
        ({("b.example.org", "MX"): ("10 mail.example.org.",)}, Level.GOOD),
        ({("b.example.org", "A"): ("192.0.2.1",)}, Level.GOOD),
        ({("b.example.org", "MX"): ("0 .",)}, Level.FAIL),
        ({}, Level.FAIL),
    ],
)
def test_a_domain_for_bounces_must_take_mail(zone: Zone, level: Level) -> None:
    assert [one for one, _ in told(check_mx("b.example.org", asking(zone)))] == [level]


@pytest.mark.parametrize(
    ("names", "address", "level"),
    [
        (("mail.example.org.",), "192.0.2.1", Level.GOOD),
        (("mail.example.org.",), "192.0.2.2", Level.WARN),
        ((), "192.0.2.1", Level.WARN),
    ],
)
def test_the_relays_name_must_lead_back_to_it(names: tuple[str, ...], address: str, level: Level) -> None:
    zone: Zone = {("1.2.0.192.in-addr.arpa", "PTR"): names, ("mail.example.org", "A"): (address,)}
    assert [one for one, _ in told(check_reverse(["192.0.2.1"], asking(zone)))] == [level]


def test_a_name_server_that_cannot_be_asked_is_no_finding_about_the_domain() -> None:
    checks = (
        check_spf("example.org", [], dead),
        check_dkim("example.org", "pd", RECORD, dead),
        check_dmarc("example.org", "example.org", "example.org", dead),
        check_mx("example.org", dead),
        check_reverse(["192.0.2.1"], dead),
    )
    for check in checks:
        ((level, what),) = told(check)
        assert level is Level.WARN
        assert "could not be asked: no route" in what
