"""Ask a mail server what it would do, without sending anything: for the doctor."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from paperdigest.errors import MailError
from paperdigest.mail.connecting import SmtpSettings, connect, trust
from paperdigest.mail.wire import Lost
from paperdigest.waiting import alone

__all__ = ["Probe", "probe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What a server told: how it encrypts, what it offers, or in words why it does not let us in.

    ``size_limit`` is in bytes, 0 for none told; ``certificate_until`` and ``tls_version`` are None without TLS.
    """

    server: str
    problem: str | None = None
    extensions: frozenset[str] = frozenset()
    size_limit: int = 0
    tls_version: str | None = None
    certificate_until: datetime | None = None


def probe(settings: Mapping[str, Any], *, patience_s: float = 15.0) -> Probe:
    """Connect, encrypt and log in as for a mail, say goodbye, and return what was learned.

    Args:
        settings: of the ``smtp`` mailer.
        patience_s: how long all of it may take.
    """
    checked = SmtpSettings.model_validate(dict(settings))
    until = time.monotonic() + patience_s
    try:
        wire = alone(connect(checked, trust(checked), until=until, hello=None))
    except MailError as error:
        return Probe(server=checked.server, problem=str(error))
    try:
        secure = wire.tls
        found = Probe(
            server=checked.server,
            extensions=frozenset(wire.offers.extensions),
            size_limit=wire.offers.size_limit,
            tls_version=secure.version() if secure else None,
            certificate_until=_until(secure) if secure else None,
        )
        alone(wire.say("QUIT"))
    except Lost as error:
        return Probe(server=checked.server, problem=str(error))
    finally:
        wire.close()
    return found


def _until(secure: ssl.SSLObject) -> datetime | None:
    certificate = secure.getpeercert() or {}
    text = certificate.get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(text)), UTC) if text else None
