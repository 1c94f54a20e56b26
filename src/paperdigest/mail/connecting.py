"""From settings to an SMTP connection that may send: greeting, EHLO, encryption, login.

Nothing here is ever permanent for a message: whatever fails is the server's or the operator's trouble.
"""

from __future__ import annotations

import base64
import ipaddress
import socket
import ssl
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from paperdigest.errors import MailError
from paperdigest.mail.wire import Lost, Reply, Wire

__all__ = ["SmtpSettings", "connect", "trust"]


class SmtpSettings(BaseModel):
    """Settings of the ``smtp`` mailer.

    Attributes:
        host: the server's name, which its certificate must carry.
        port: 587 for ``starttls``, 465 for ``implicit``, as a rule.
        tls: how the connection is encrypted; never given up when the server does not offer it.
        user: the account, empty for none; a login goes over TLS only, unless the server is this machine.
        password: its password.
        timeout_s: the longest silence waited for, in seconds; a message may take four times that.
        ca_file: a PEM file of the authorities to trust in place of the system's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9:._-]+$", max_length=253)] = "localhost"
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    user: str = ""
    password: SecretStr = SecretStr("")
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60
    ca_file: str = ""
    auth: Literal["auto", "plain", "login", "xoauth2"] = "auto"
    token_file: str = ""
    connections: Annotated[int, Field(ge=1, le=128)] = 8
    max_messages_per_connection: Annotated[int, Field(ge=1, le=100_000)] = 100

    @field_validator("ca_file")
    @classmethod
    def _has_certificates(cls, value: str) -> str:
        if value:
            try:
                ssl.create_default_context(cafile=value)
            except (OSError, ValueError) as error:
                raise ValueError(f"no certificates can be read from {value!r}: {error}") from error
        return value

    @model_validator(mode="after")
    def _safe_login(self) -> Self:
        password = self.password.get_secret_value()
        if bool(self.user) != bool(password):
            raise ValueError(f"a login needs a user and a password; there is no {'password' if self.user else 'user'}")
        if self.user and self.tls == "none" and not _is_loopback(self.host):
            raise ValueError(f"the password would go to {self.host} in clear: set tls to starttls or implicit")
        if "\0" in self.user or "\0" in password:
            raise ValueError("user and password hold no NUL character")
        return self

    @property
    def server(self) -> str:
        """Host and port, for messages."""
        return f"{self.host}:{self.port}"


def trust(settings: SmtpSettings) -> ssl.SSLContext | None:
    """Return how the server is to prove who it is, None when it need not."""
    return None if settings.tls == "none" else ssl.create_default_context(cafile=settings.ca_file or None)


def connect(settings: SmtpSettings, tls: ssl.SSLContext | None, *, until: float, hello: str | None) -> Wire:
    """Return a connection on which MAIL may be said: greeted, encrypted and logged in as the settings want it.

    Args:
        settings: where and how.
        tls: what `trust` returned; reading the authorities takes longer than a message.
        until: the moment (`time.monotonic`) at which it must be done.
        hello: the name to give in EHLO; None finds this machine's.

    Raises:
        MailError: there is no such connection to be had; systemic, not permanent.
    """
    wire = Wire(timeout_s=settings.timeout_s, until=until, hello=hello)
    try:
        _prepare(wire, settings, tls)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that no DNS could hold
        wire.close()
        problem = f"no connection to {settings.server}: {_why(error)}"
        raise MailError(problem, permanent=False, systemic=True) from error
    except BaseException:
        wire.close()
        raise
    return wire


def _prepare(wire: Wire, settings: SmtpSettings, tls: ssl.SSLContext | None) -> None:
    implicit = settings.tls == "implicit"
    _require(wire.open(settings.host, settings.port, tls if implicit else None), settings, "did not let us in")
    _require(wire.hello(), settings, "refused our EHLO")
    if tls is not None and not implicit:
        if not wire.has_extn("starttls"):
            problem = f"{settings.server} does not offer STARTTLS, and nothing is sent in clear; see mail.smtp.tls"
            raise MailError(problem, permanent=False, systemic=True)
        _require(wire.say("STARTTLS"), settings, "refused STARTTLS, and nothing is sent in clear")
        wire.encrypt(settings.host, tls)
        # What was offered before may be forged (RFC 3207, 4.2).
        _require(wire.hello(), settings, "refused our EHLO after STARTTLS")
    if settings.user:
        _login(wire, settings)


def _require(reply: Reply, settings: SmtpSettings, complaint: str) -> None:
    if not reply.good:
        raise MailError(f"{settings.server} {complaint}: {reply}", permanent=False, systemic=True, code=reply.code)


def _login(wire: Wire, settings: SmtpSettings) -> None:
    """Log in once, by one method: servers lock accounts that try and try (RFC 4954; PLAIN: RFC 4616)."""
    user, password = settings.user, settings.password.get_secret_value()
    offered = wire.esmtp_features.get("auth", "").upper().split()
    plain = _coded(f"\0{user}\0{password}")
    if "PLAIN" in offered:
        reply = wire.say(f"AUTH PLAIN {plain}")
    elif "LOGIN" in offered:
        reply = wire.say("AUTH LOGIN")
        for part in (user, password):
            if reply.code == 334:
                reply = wire.say(_coded(part))
    else:
        methods = " ".join(offered) or "no login at all"
        problem = f"{settings.server} offers {methods}; paperdigest can log in with PLAIN or LOGIN"
        raise MailError(problem, permanent=False, systemic=True)
    if reply.code != 235:
        text = str(reply)
        for secret in (plain, _coded(password), password):
            text = text.replace(secret, "********")  # some servers repeat what they were sent
        problem = f"{settings.server} did not accept the login of {user}: {text}; check mail.smtp.user and its password"
        raise MailError(problem, permanent=False, systemic=True, code=reply.code)


def _coded(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogateescape")).decode("ascii")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _why(error: OSError | UnicodeError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = error.verify_message.rstrip(".")
        return f"its certificate is not trusted ({reason}); for an authority of your own set mail.smtp.ca_file"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error.reason or error}); check mail.smtp.tls and mail.smtp.port"
    if isinstance(error, socket.gaierror | UnicodeError):
        return "that name has no address"
    if isinstance(error, Lost):
        return str(error)
    return "no answer in time" if isinstance(error, TimeoutError) else error.strerror or type(error).__name__
