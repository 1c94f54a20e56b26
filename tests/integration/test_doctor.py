"""The whole examination, on real files, a real key, and a mail server and zone of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from paperdigest.app.doctor import Finding, Level, Tools, examine
from paperdigest.app.storage import ensure_secret_key
from paperdigest.config import Settings, load_settings
from paperdigest.mail.dkim_keys import dns_record, make_key
from paperdigest.mail.probing import Probe, probe
from paperdigest.store import Store
from tests.scripted_smtp import ScriptedSmtp
from tests.store_samples import listing, paper

NOW = datetime(2026, 4, 16, 6, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store.open(tmp_path / "p.db", create=True)
    yield found
    found.close()


def settings(tmp_path: Path, text: str = "") -> Settings:
    file = tmp_path / "config.toml"
    file.write_text(f'[[sources]]\nname = "hf"\nkind = "huggingface"\n{text}', encoding="utf-8")
    found = load_settings(file)
    key = tmp_path / "secret.key"
    if not key.exists():
        key.write_text("0123456789abcdef" * 4, encoding="ascii")
        key.chmod(0o600)
    ensure_secret_key(found)
    return found


def by_check(findings: Iterator[Finding]) -> dict[str, Finding]:
    return {one.check: one for one in findings}


KEYED = '[mail]\nsecret_key_file = "secret.key"\n'
SENDING = """
[digest]
postal_address = "1 Main Street, Town"
[mail]
secret_key_file = "secret.key"
mailer = "smtp"
from = "paperdigest <digest@news.example.org>"
[mail.smtp]
host = "relay.news.example.org"
[mail.dkim]
selector = "pd"
key_file = "dkim.pem"
[mail.bounces]
domain = "b.news.example.org"
"""


def test_a_laptop_that_fills_a_maildir_has_nothing_to_mend(tmp_path: Path, store: Store) -> None:
    store.record(listing(paper()), authority=2)
    findings = list(examine(settings(tmp_path, KEYED), store, NOW))
    assert [one for one in findings if one.level is not Level.GOOD] == []
    assert {"database", "disk", "secret key", "source hf", "settings", "sample"} <= {one.check for one in findings}


def test_a_sender_to_the_world_is_asked_for_everything(tmp_path: Path, store: Store) -> None:
    key = make_key(tmp_path / "dkim.pem")
    zone = {
        ("b.news.example.org", "TXT"): ("v=spf1 ip4:192.0.2.1 -all",),
        ("b.news.example.org", "MX"): ("10 relay.news.example.org.",),
        ("pd._domainkey.news.example.org", "TXT"): (dns_record(key),),
        ("_dmarc.news.example.org", "TXT"): ("v=DMARC1; p=none",),
        ("1.2.0.192.in-addr.arpa", "PTR"): ("relay.news.example.org.",),
        ("relay.news.example.org", "A"): ("192.0.2.1",),
    }
    served = Probe(
        server="relay.news.example.org:587",
        extensions=frozenset({"PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "SIZE"}),
        size_limit=10_000_000,
        tls_version="TLSv1.3",
        certificate_until=NOW + timedelta(days=60),
    )
    tools = Tools(
        lookup=lambda name, kind: zone.get((name, kind), ()),
        probe=lambda _: served,
        addresses=lambda _: ("192.0.2.1",),
    )
    store.record(listing(paper()), authority=2)
    found = by_check(examine(settings(tmp_path, SENDING), store, NOW, tools))
    for check in ("mail server", "SPF", "DKIM", "DMARC", "PTR", "bounces", "signature", "sample"):
        assert found[check].level is Level.GOOD, found[check]
    assert found["unsubscribing"].level is Level.WARN  # by mail only, without web.base_url
    (tmp_path / "other").mkdir()
    other = dns_record(make_key(tmp_path / "other" / "key.pem"))
    zone["pd._domainkey.news.example.org", "TXT"] = (other,)
    assert by_check(examine(settings(tmp_path, SENDING), store, NOW, tools))["DKIM"].level is Level.FAIL


def test_a_key_that_others_can_read_and_a_silent_source_are_found(tmp_path: Path, store: Store) -> None:
    store.record(listing(paper(), day=date(2026, 4, 1)), authority=2)
    found = settings(tmp_path, KEYED)
    (tmp_path / "secret.key").chmod(0o644)
    told = by_check(examine(found, store, NOW))
    assert told["secret key"].level is Level.FAIL
    assert told["source hf"].level is Level.FAIL
    assert "2026-04-01" in told["source hf"].what


def test_a_mail_server_is_asked_without_sending_anything() -> None:
    with ScriptedSmtp() as server:
        server.next("EHLO", b"250-scripted.test\r\n250-PIPELINING\r\n250 SIZE 20000")
        found = probe({"host": "127.0.0.1", "port": server.port, "tls": "none"})
        assert (found.problem, found.size_limit) == (None, 20_000)
        assert "PIPELINING" in found.extensions
        assert not any(command.startswith("MAIL") for command in server.commands)
        assert server.commands[-1] == "QUIT"


def test_a_mail_server_that_takes_too_little_or_nothing_is_a_failure(tmp_path: Path, store: Store) -> None:
    make_key(tmp_path / "dkim.pem")
    small = Probe(server="relay:25", size_limit=20_000)
    for answer, check in ((small, "size"), (Probe(server="relay:25", problem="no connection"), "mail server")):
        tools = Tools(lookup=lambda name, kind: (), probe=lambda _, it=answer: it, addresses=lambda _: ())  # type: ignore[misc]  # bound at once
        found = by_check(examine(settings(tmp_path, SENDING), store, NOW, tools))
        assert found[check].level is Level.FAIL
    assert found["SPF"].level is Level.FAIL
