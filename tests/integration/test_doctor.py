"""The whole examination, on real files, a real key, and a mail server and zone of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dns.resolver
import pytest

from paperdigest.app.doctor import Finding, Level, Tools, examine, names
from paperdigest.app.doctor.relay_checks import check_pages
from paperdigest.app.doctor.signatures import check_signatures
from paperdigest.app.letters import Letters
from paperdigest.app.storage import ensure_secret_key
from paperdigest.config import Settings, load_settings
from paperdigest.mail.dkim_keys import Private, dns_record, make_key
from paperdigest.mail.probing import Probe, probe
from paperdigest.store import Store
from paperdigest.testing.replay import ReplayServer, Reply
from paperdigest.types import ListingState
from tests.scripted_smtp import ScriptedSmtp
from tests.store_samples import listing, paper

NOW = datetime(2026, 4, 16, 6, tzinfo=UTC)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Maildir of the defaults is nobody's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


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


@pytest.mark.parametrize(
    ("mail", "what"),
    [
        ('[mail.maildir]\npath = "/proc/nope"\n', "could not be filed in the Maildir /proc/nope"),
        ('mailer = "sendmail"\n[mail.sendmail]\npath = "/nope/sendmail"\n', "/nope/sendmail is not there"),
    ],
)
def test_a_mailer_that_could_deliver_nothing_is_found(tmp_path: Path, store: Store, mail: str, what: str) -> None:
    found = by_check(examine(settings(tmp_path, KEYED + mail), store, NOW))["mailer"]
    assert found.level is Level.FAIL
    assert what in found.what


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
    assert told["source hf"].what.endswith("newest listing, of 2026-04-01; it was last asked on 2026-04-15 06:00Z")
    assert "Run `paperdigest fetch`" in told["source hf"].next_step


def of_source(store: Store, tmp_path: Path, now: datetime = NOW) -> Finding:
    return by_check(examine(settings(tmp_path, KEYED), store, now))["source hf"]


def read(store: Store, day: date, state: ListingState, note: str | None = None, *, hour: int = 5) -> None:
    moment = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    found = listing(paper()) if state in (ListingState.COMPLETE, ListingState.PARTIAL) else listing()
    store.record(replace(found, listed_on=day, retrieved_at=moment, state=state, note=note), authority=2)


def test_a_source_that_was_never_read_is_to_be_fetched(tmp_path: Path, store: Store) -> None:
    found = of_source(store, tmp_path)
    assert (found.level, found.what) == (Level.WARN, "has not been read yet, so there is nothing new to rank")
    assert found.next_step == "paperdigest fetch hf"


def test_a_source_read_only_for_days_long_past_is_to_be_fetched(tmp_path: Path, store: Store) -> None:
    read(store, NOW.date() - timedelta(days=200), ListingState.COMPLETE)
    read(store, NOW.date() - timedelta(days=100), ListingState.COMPLETE)
    found = of_source(store, tmp_path)
    day = NOW.date() - timedelta(days=100)
    assert (found.level, found.what) == (
        Level.WARN,
        f"its newest listing is that of {day}, so there is nothing new to rank",
    )


def test_of_a_source_that_works_it_is_told_when_it_was_read_and_what_came(tmp_path: Path, store: Store) -> None:
    read(store, NOW.date(), ListingState.COMPLETE)
    found = of_source(store, tmp_path)
    assert (found.level, found.what) == (Level.GOOD, "read on 2026-04-16 05:00 UTC; of 2026-04-16: one paper")
    read(store, date(2026, 4, 18), ListingState.QUIET)
    found = of_source(store, tmp_path, datetime(2026, 4, 18, 6, tzinfo=UTC))
    assert found.what.endswith("of 2026-04-18: nothing was announced")


@pytest.mark.parametrize(
    ("state", "says", "step"),
    [
        (
            ListingState.FAILED,
            "could not be read on 2026-04-16 05:00 UTC (no answer); it was read on 2026",
            "tries again",
        ),
        (ListingState.PARTIAL, "could only be read in part (no answer): one paper so far", "asks for the rest"),
        (ListingState.STALE, "has given nothing new on 2026-04-16 (no answer)", "asks again"),
    ],
)
def test_what_goes_wrong_once_is_a_warning_with_its_reason(
    tmp_path: Path, store: Store, state: ListingState, says: str, step: str
) -> None:
    read(store, date(2026, 4, 15), ListingState.COMPLETE, hour=20)
    read(store, NOW.date(), state, "hf: no answer")
    found = of_source(store, tmp_path)
    assert found.level is Level.WARN
    assert says in found.what
    assert step in found.next_step


def test_a_source_that_fails_from_the_first_day_on_is_told_with_the_reason_alone(tmp_path: Path, store: Store) -> None:
    read(store, NOW.date(), ListingState.FAILED, "hf: there is no such host")
    found = of_source(store, tmp_path)
    assert (found.level, found.what) == (Level.FAIL, "could not be read so far: there is no such host")
    assert "paperdigest sources check hf" in found.next_step


def test_a_feed_that_is_silent_for_weeks_is_no_failure(tmp_path: Path, store: Store) -> None:
    tables = '[[sources]]\nname = "journal"\nkind = "feed"\nurl = "https://example.org/rss"\n'
    found = listing(paper())
    moment = datetime(2026, 3, 20, 5, tzinfo=UTC)
    store.record(
        replace(found, source="journal", kind="feed", listed_on=moment.date(), retrieved_at=moment), authority=2
    )
    told = by_check(examine(settings(tmp_path, tables + KEYED), store, NOW))
    assert told["source journal"].level is Level.GOOD


def test_that_no_source_is_enabled_is_told(tmp_path: Path, store: Store) -> None:
    wanted = settings(tmp_path, KEYED)
    off = wanted.model_copy(
        update={"sources": tuple(one.model_copy(update={"enabled": False}) for one in wanted.sources)}
    )
    assert "no papers will come" in by_check(examine(off, store, NOW))["sources"].what


def test_a_key_that_is_gone_is_told_once_and_stops_no_examination(tmp_path: Path, store: Store) -> None:
    findings = list(examine(settings(tmp_path, SENDING), store, NOW))
    (wrong,) = (one for one in findings if one.check == "settings")
    assert wrong.level is Level.FAIL
    assert wrong.what.startswith("mail.dkim.key_file: ")
    assert sum("dkim.pem" in one.what for one in findings) == 1


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


def signed_sample(tmp_path: Path) -> tuple[bytes, dict[str, Private]]:
    keys: dict[str, Private] = {"pd": make_key(tmp_path / "dkim.pem"), "ed": make_key(tmp_path / "ed.pem", "ed25519")}
    both = 'key_file = "dkim.pem"\ned25519_selector = "ed"\ned25519_key_file = "ed.pem"'
    content, _ = Letters(settings(tmp_path, SENDING.replace('key_file = "dkim.pem"', both))).sample()
    return content, keys


def test_the_signatures_of_a_sample_hold_by_a_reader_of_their_own(tmp_path: Path) -> None:
    content, keys = signed_sample(tmp_path)
    found = list(check_signatures(content, keys))
    assert [one.level for one in found] == [Level.GOOD, Level.GOOD], found


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (b"Subject: ", b"Subject: x", "does not hold"),
        (b"paper", b"pqper", "does not fit the body"),
        (b"h=from:from:", b"h=from:", "second From"),
        (b"s=pd;", b"s=other;", "is not there"),
        (b"c=relaxed/simple", b"c=simple/simple", "unknown form"),
        (b"list-unsubscribe:", b"x-list-unsubscribe:", "does not cover list-unsubscribe"),
    ],
)
def test_a_message_that_was_changed_is_found_out(tmp_path: Path, old: bytes, new: bytes, what: str) -> None:
    content, keys = signed_sample(tmp_path)
    head, end, body = content.partition(b"\r\n\r\n")
    changed = head + end + body.replace(old, new) if old == b"paper" else head.replace(old, new) + end + body
    assert changed != content
    (found,) = check_signatures(changed, {"pd": keys["pd"]})
    assert found.level is Level.FAIL
    assert what in found.what


def test_a_page_that_redirects_or_is_not_reached_is_said() -> None:
    with ReplayServer() as server:
        server.answer("/u/x", Reply(status=404, headers={"Date": "Thu, 16 Apr 2026 06:00:00 GMT"}))
        good_one, told = check_pages(server.url("/u/x"))
        server.answer("/u/x", Reply(status=200), Reply(status=302, headers={"Location": "/"}))
        redirecting, _ = check_pages(server.url("/u/x"))
        url = server.url("/u/x")
    gone, _ = check_pages(url)
    assert [one.level for one in (*good_one, *redirecting, *gone)] == [Level.GOOD, Level.FAIL, Level.WARN]
    assert told == NOW


def test_a_machine_without_a_network_cannot_say_that_a_record_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(name: str, kind: str, *, lifetime: float) -> object:
        raise dns.resolver.NXDOMAIN

    monkeypatch.setattr(dns.resolver, "resolve", closed)
    names._knows_the_internet.cache_clear()
    with pytest.raises(names.UnansweredError, match="knows nothing of the Internet"):
        names.ask("example.org", "TXT")
    names._knows_the_internet.cache_clear()
