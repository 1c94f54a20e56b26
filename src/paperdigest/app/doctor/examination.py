"""The whole examination, in the order in which a mail comes about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr

from paperdigest.app import plugging, storage
from paperdigest.app.checking import check_mail
from paperdigest.app.doctor import dns_checks, machine_checks, relay_checks
from paperdigest.app.doctor.findings import Finding, Level, fail, good
from paperdigest.app.doctor.names import Lookup, ask
from paperdigest.app.doctor.signatures import check_signatures
from paperdigest.app.doctor.source_checks import check_sources
from paperdigest.app.letters import Letters
from paperdigest.app.signing import signing_keys
from paperdigest.config import Settings
from paperdigest.errors import ConfigError, MailError, PluginError, RenderError
from paperdigest.mail.dkim_keys import Private, dns_record
from paperdigest.mail.probing import Probe, probe
from paperdigest.protocols import CheckableMailer
from paperdigest.render import MAX_HTML_BYTES
from paperdigest.store import Store

__all__ = ["Tools", "examine"]

LARGEST = 3 * MAX_HTML_BYTES
"""HTML at its limit in quoted-printable, and the text beside it: no digest is larger (measured: 1.6 times)."""

_OWN_EYES = ("maildir", "console")
"""Mailers that reach nobody else."""

_OWN_NAMES = ("localhost", "localdomain", "local", "test", "example", "invalid", "internal", "lan", "home.arpa")
"""Domains without a place in the public DNS (RFC 6761, RFC 2606)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """How the world outside is asked; tests bring their own."""

    lookup: Lookup = ask
    probe: Callable[[Settings], Probe] = lambda settings: probe(plugging.smtp_settings(settings))
    addresses: Callable[[str], tuple[str, ...]] = relay_checks.public_addresses


def examine(settings: Settings, store: Store, now: datetime, tools: Tools | None = None) -> Iterator[Finding]:
    """Yield what is found, check by check."""
    tools = tools or Tools()
    yield from machine_checks.check_python()
    yield from machine_checks.check_zones()
    yield from machine_checks.check_disk(store.path)
    yield from machine_checks.check_key_file(storage.secret_key_path(settings))
    yield from machine_checks.check_database(store)
    yield from check_sources(settings, store, now)
    yield from machine_checks.check_mails(store, now)
    letters = Letters(settings)
    of_settings = tuple(_settings(settings, letters))
    yield from of_settings
    failed = {one.check for one in of_settings if one.level is Level.FAIL}
    if "settings" in failed:
        return  # no mail can be made or sent with them: what the world outside says of it comes after they are mended
    if not failed:
        yield from _sample(settings, letters, now)
    yield from _mailer(settings)
    if settings.mail.mailer == "smtp":
        yield from relay_checks.check_relay(tools.probe(settings), LARGEST, now)
    yield from _domains(settings, tools)


def _settings(settings: Settings, letters: Letters) -> Iterator[Finding]:
    file = settings.path or "the defaults"
    try:
        check_mail(settings)
        letters.check()
    except ConfigError as error:
        for problem in error.problems:
            yield fail(
                "settings", f"{problem.key}: {problem.message}", f"Correct it, then run the doctor again ({file})"
            )
        return
    except PluginError as error:
        yield fail("settings", str(error), f"Correct it, then run the doctor again ({file})")
        return
    except RenderError as error:
        yield fail("templates", str(error), "Mend the template: while it is broken nothing is sent")
        return
    yield good("settings", f"{file}; mail goes by {settings.mail.mailer}")


def _sample(settings: Settings, letters: Letters, now: datetime) -> Iterator[Finding]:
    """Lint a message as it would leave, and ask the pages that it leads to."""
    try:
        content, links = letters.sample()
    except (ConfigError, RenderError) as error:
        yield fail("sample", str(error), "Mend the template or the setting")
        return
    yield from relay_checks.check_message(content)
    if settings.mail.mailer not in _OWN_EYES:
        yield from relay_checks.check_bulk(content, postal_address=settings.digest.postal_address)
    yield from check_signatures(content, _keys(settings))
    if links.unsubscribe is not None:
        found, told = relay_checks.check_pages(links.unsubscribe)
        yield from found
        yield from machine_checks.check_skew(now, told, "the web server")


def _mailer(settings: Settings) -> Iterator[Finding]:
    """Let a mailer that can say whether it would work say so."""
    mailer = plugging.make_mailer(settings)
    if isinstance(mailer, CheckableMailer):
        try:
            mailer.check()
        except MailError as error:
            yield fail("mailer", str(error), f"Mend it, or choose another mailer than {settings.mail.mailer}")
        else:
            yield good("mailer", f"{settings.mail.mailer} can take mails")


def _domains(settings: Settings, tools: Tools) -> Iterator[Finding]:
    """Check what the DNS says, when mail goes out to the world at all."""
    if settings.mail.mailer in _OWN_EYES:
        return
    mail = settings.mail
    domain = parseaddr(mail.from_)[1].rpartition("@")[2].lower()
    if domain in _OWN_NAMES or domain.endswith(tuple(f".{name}" for name in _OWN_NAMES)):
        yield fail(
            "domain", f"nobody outside takes mail from {domain}", "Set mail.from to an address of your own domain"
        )
        return
    envelope = mail.bounces.domain or domain
    relays = tools.addresses(mail.smtp.host) if mail.mailer == "smtp" else ()
    yield from dns_checks.check_spf(envelope, relays, tools.lookup)
    signing = mail.dkim.domain or domain
    keys = _keys(settings)
    for selector, key in keys.items():
        yield from dns_checks.check_dkim(signing, selector, dns_record(key), tools.lookup)
    yield from dns_checks.check_dmarc(domain, signing if keys else None, envelope, tools.lookup)
    yield from dns_checks.check_reverse(relays, tools.lookup)
    if mail.bounces.domain:
        yield from dns_checks.check_mx(mail.bounces.domain, tools.lookup)


def _keys(settings: Settings) -> dict[str, Private]:
    """Return the keys that sign, by selector."""
    return {one.selector: one.private for one in signing_keys(settings)}
