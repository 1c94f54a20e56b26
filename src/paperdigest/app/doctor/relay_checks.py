"""Can mail be handed over, and is what would be handed over fit to be read?"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime

from paperdigest.app.doctor.findings import Finding, fail, good, warn
from paperdigest.errors import FetchError
from paperdigest.http.posting import post_form
from paperdigest.mail.probing import Probe

__all__ = ["check_bulk", "check_message", "check_pages", "check_relay", "public_addresses"]

_EXPIRES_SOON = timedelta(days=14)
_MAX_LINE, _SOFT_LINE = 998, 78
_PATIENCE_S = 10.0
_FORMS = (
    (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
    (
        b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
        "multipart/form-data; boundary=b",
    ),
)
_PARSER = BytesParser(EmailMessage, policy=policy.default)


def check_relay(probe: Probe, largest: int, now: datetime) -> Iterator[Finding]:
    """Say what a mail server told when it was asked.

    Args:
        probe: what it told.
        largest: the size of the largest message that may come, in bytes.
        now: the moment.
    """
    if probe.problem is not None:
        yield fail("mail server", probe.problem, "Check [mail.smtp]")
        return
    tls = (
        f"{probe.tls_version}, certificate until {probe.certificate_until:%Y-%m-%d}" if probe.certificate_until else ""
    )
    yield good("mail server", f"{probe.server} lets us in" + (f" ({tls})" if tls else " without encryption"))
    if probe.certificate_until is not None and probe.certificate_until - now < _EXPIRES_SOON:
        yield warn("certificate", f"that of {probe.server} ends {probe.certificate_until:%Y-%m-%d}", "Have it renewed")
    if probe.size_limit and probe.size_limit < largest:
        what = f"{probe.server} takes {probe.size_limit:,} bytes, a digest may have {largest:,}"
        yield fail("size", what, "Lower digest.max_papers, or ask for more")
    missing = [name for name in ("PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES") if name not in probe.extensions]
    if missing:
        yield warn("mail server", f"does not offer {', '.join(missing)}: it works, but slower or with less to go by")


def public_addresses(host: str) -> tuple[str, ...]:
    """Return the addresses of a host that lie in the open network; none when it cannot be found."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    addresses = dict.fromkeys(str(one[4][0]).partition("%")[0] for one in found)
    return tuple(address for address in addresses if ipaddress.ip_address(address).is_global)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    name: str
    lines: tuple[bytes, ...]


def check_message(content: bytes) -> Iterator[Finding]:
    """Lint a rendered sample: its bytes as they would leave."""
    lines = content.split(b"\r\n")
    mail = _PARSER.parsebytes(content)
    once = [name for name in ("From", "To", "Subject", "Date", "Message-ID") if len(mail.get_all(name, [])) != 1]
    long = sorted({one.name for one in _headers(content) if any(map(_is_long, one.lines))})
    if any(len(line) > _MAX_LINE for line in lines) or b"\n" in b"".join(lines):
        yield fail("sample", "a line is longer than 998 bytes or does not end in CRLF", "Report it: this is a defect")
    elif once:
        yield fail("sample", f"not exactly once: {', '.join(once)}", "Report it: this is a defect")
    elif long:
        yield warn("sample", f"headers longer than 78 signs: {', '.join(long)}", "Shorten web.base_url")
    else:
        yield good("sample", f"{len(content):,} bytes, headers in order")


def check_bulk(content: bytes, *, postal_address: str) -> Iterator[Finding]:
    """Check what mail to other people needs: a way to leave, a signature, a postal address."""
    mail = _PARSER.parsebytes(content)
    if mail["List-Unsubscribe"] is None:
        step = "Set web.base_url, or mail.bounces.domain: Gmail, Yahoo and Outlook refuse bulk mail without it"
        yield warn("unsubscribing", "mails name no way to unsubscribe by a click", step)
    elif mail["List-Unsubscribe-Post"] is None:
        yield warn("unsubscribing", "there is no one-click way (RFC 8058)", "Set web.base_url to an https address")
    else:
        yield good("unsubscribing", "by one click")
    if mail["DKIM-Signature"] is None:
        step = "Set [mail.dkim], unless your mail server signs: then look at a mail that arrived"
        yield warn("signature", "messages are not signed (DKIM)", step)
    if not postal_address:
        yield warn(
            "postal address", "none is printed", "Set digest.postal_address if you mail others: the law asks for it"
        )


def _is_long(line: bytes) -> bool:
    """Say whether a line is longer than need be; and a URL of 78 signs or more is torn by mail libraries on its way."""
    words = line.split(b": ", 1)[-1].split()
    return (len(line) > _SOFT_LINE and len(words) > 1) or any(len(word) >= _SOFT_LINE for word in words)


def _headers(content: bytes) -> Iterator[_Header]:
    head = content.partition(b"\r\n\r\n")[0]
    for text in re.split(rb"\r\n(?![ \t])", head):
        yield _Header(name=text.partition(b":")[0].decode("ascii", "replace"), lines=tuple(text.split(b"\r\n")))


def check_pages(unsubscribe_url: str | None) -> tuple[Sequence[Finding], datetime | None]:
    """Ask the page that unsubscribes, in both encodings of RFC 8058; with an invalid token, so that nobody is.

    Returns:
        The findings, and the time that the server gave.
    """
    if unsubscribe_url is None:
        return (), None
    told: datetime | None = None
    for content, kind in _FORMS:
        try:
            answer = post_form(unsubscribe_url, content, kind, allow_private=True, deadline_s=_PATIENCE_S)
        except FetchError as error:
            step = "Check web.base_url, or look from another machine: it may be reached only from outside"
            return (warn("pages", f"could not be asked: {error.problem}", step),), told
        told = _date_of(answer.date)
        if answer.status // 100 == 3:
            step = "Serve it there"
            return (fail("pages", "the page that unsubscribes redirects, which RFC 8058 forbids", step),), told
        if answer.status >= 500:
            return (fail("pages", f"the page that unsubscribes answers {answer.status}", "See the web server"),), told
    return (good("pages", "the page that unsubscribes answers"),), told


def _date_of(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC) if text else None
    except (ValueError, TypeError):
        return None
