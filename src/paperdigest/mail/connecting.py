"""From settings to an SMTP connection that may send: greeting, EHLO, encryption, login.

Nothing here is ever permanent for a message: whatever fails is the server's or the operator's trouble.
"""

from __future__ import annotations

import ipaddress
import os
import re
import select
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from paperdigest.errors import MailError
from paperdigest.mail.login import Login, log_in
from paperdigest.mail.replies import Reply
from paperdigest.mail.wire import Lost, Wire
from paperdigest.types import MailPhase
from paperdigest.waiting import Apart, Ready

__all__ = ["SmtpSettings", "connect", "own_name", "trust"]

_HOST_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+\Z")


_PHASES = tuple(MailPhase)
_Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]
"""As `socket.getaddrinfo` returns it."""


class SmtpSettings(BaseModel):
    """Settings of the ``smtp`` mailer.

    Attributes:
        host: the server's name, which its certificate must carry.
        port: 587 for ``starttls``, 465 for ``implicit``, as a rule.
        tls: how the connection is encrypted; never given up when the server does not offer it.
        user: the account, empty for none; a login goes over TLS only, unless the server is this machine.
        password: its password.
        timeout_s: the longest silence waited for, in seconds; all of a message but its end may take twice that.
        answer_timeout_s: how long the answer to a whole message may take, in seconds: the server may be looking into
            it, and giving up means doubt (RFC 5321, 4.5.3.2.6).
        ca_file: a PEM file of the authorities to trust in place of the system's.
        auth: how to log in; ``auto`` is PLAIN, else LOGIN.
        token_file: for ``xoauth2``: holds the access token, read anew at each login.
        connections: how many are worth having at once.
        max_messages_per_connection: after so many a new one is made.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9:._-]+$", max_length=253)] = "localhost"
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    user: str = ""
    password: SecretStr = SecretStr("")
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60
    answer_timeout_s: Annotated[float, Field(gt=0, le=3600)] = 600
    ca_file: str = ""
    auth: Login = "auto"
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
    def _whole_login(self) -> Self:
        password = self.password.get_secret_value()
        if self.auth == "xoauth2":
            if not self.user or not self.token_file:
                raise ValueError("auth = xoauth2 needs a user and a token_file")
        elif self.token_file:
            raise ValueError("a token_file is for auth = xoauth2")
        elif bool(self.user) != bool(password):
            missing = "password: set password_file or PAPERDIGEST_SMTP_PASSWORD" if self.user else "user: set user"
            raise ValueError(f"a login needs a user and a password; there is no {missing}")
        return self

    @model_validator(mode="after")
    def _safe_login(self) -> Self:
        if self.user and self.tls == "none" and not _is_loopback(self.host):
            raise ValueError(f"the password would go to {self.host} in clear: set tls to starttls or implicit")
        if set(self.user + self.password.get_secret_value()) & {"\0", "\1"}:
            raise ValueError("user and password hold no NUL or SOH character")
        return self

    @property
    def server(self) -> str:
        """Host and port, for messages."""
        return f"{self.host}:{self.port}"


def trust(settings: SmtpSettings) -> ssl.SSLContext | None:
    """Return how the server is to prove who it is, None when it need not; never older than TLS 1.2."""
    if settings.tls == "none":
        return None
    context = ssl.create_default_context(cafile=settings.ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def connect(
    settings: SmtpSettings,
    tls: ssl.SSLContext | None,
    *,
    until: float,
    hello: str | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Wire:
    """Return a connection on which MAIL may be said: greeted, encrypted and logged in as the settings want it.

    All addresses of the host are tried, in the order in which the system gives them, until one greets us. Finding them
    takes as long as the system's resolver wants.

    Args:
        settings: where and how.
        tls: what `trust` returned; reading the authorities takes longer than a message.
        until: the moment of ``clock`` at which it must be done.
        hello: the name to give in EHLO; None finds this machine's.
        clock: seconds that only ever grow.

    Raises:
        MailError: there is no such connection to be had; systemic, not permanent.
        ValueError: encryption is wanted, but not by whom it is to be proved.
    """
    if tls is None and settings.tls != "none":
        raise ValueError("a connection that is to be encrypted needs what `trust` returns")
    wire = await _greeted(settings, tls, until, clock)
    try:
        await _prepare(wire, settings, tls, hello or await Apart(own_name))
    except OSError as error:
        wire.close()
        raise _unreachable(settings, error, wire.phase) from error
    except BaseException:
        wire.close()
        raise
    return wire


def own_name() -> str:
    """Return what to call this machine in EHLO (RFC 5321, 4.1.4): its full name, else an address."""
    name = socket.getfqdn()
    return name if _HOST_NAME.match(name) else "[127.0.0.1]"


async def _greeted(
    settings: SmtpSettings, tls: ssl.SSLContext | None, until: float, clock: Callable[[], float]
) -> Wire:
    try:
        found = await _addresses(settings.host, settings.port)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that no DNS could hold
        raise _unreachable(settings, error, MailPhase.CONNECT) from error
    problems: list[MailError] = []
    for place, (family, kind, protocol, _, address) in enumerate(found):
        # An address that does not answer, or never greets, must leave time for the others.
        share = (until - clock()) / (len(found) - place)
        greeted_until = clock() + share
        wire = None
        try:
            patience = min(settings.timeout_s, share)
            connection = await _dialled(socket.socket(family, kind, protocol), address, patience)
            wire = _wire(connection, settings, greeted_until, clock)
            if tls is not None and settings.tls == "implicit":
                wire.phase = MailPhase.TLS
                await wire.encrypt(settings.host, tls)
            wire.phase = MailPhase.GREETING
            _require(await wire.reply(), settings, "did not let us in", wire.phase)
        except (OSError, MailError) as error:
            if wire is not None:
                wire.close()
            phase = wire.phase if wire else MailPhase.CONNECT
            problems.append(error if isinstance(error, MailError) else _unreachable(settings, error, phase))
        except BaseException:
            if wire is not None:
                wire.close()
            raise
        else:
            wire.until = until
            return wire
    raise max(problems, key=lambda problem: _PHASES.index(problem.phase or ""))  # what came furthest tells most


def _wire(connection: socket.socket, settings: SmtpSettings, until: float, clock: Callable[[], float]) -> Wire:
    patience = settings.timeout_s
    return Wire(connection, timeout_s=patience, answer_timeout_s=settings.answer_timeout_s, until=until, clock=clock)


async def _addresses(host: str, port: int) -> Sequence[_Address]:
    """Return the addresses of a host; only a name is worth a thread, because looking it up may block for long."""
    if _is_address(host):
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    found: Sequence[_Address] = await Apart(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    return found


async def _dialled(connection: socket.socket, address: Any, patience: float) -> socket.socket:
    try:
        connection.setblocking(False)
        with suppress(BlockingIOError):
            connection.connect(address)
        if patience <= 0 or not await Ready(connection, select.POLLOUT, patience):
            raise TimeoutError  # noqa: TRY301  told as any other
        if problem := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(problem, os.strerror(problem))  # noqa: TRY301  as connect would have told it
        # Without it each message over TLS waits 40 ms for the other side's delayed acknowledgement.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connection.close()
        raise
    return connection


async def _prepare(wire: Wire, settings: SmtpSettings, tls: ssl.SSLContext | None, name: str) -> None:
    wire.phase = MailPhase.HELLO
    _require(await wire.hello(name), settings, "refused our EHLO", wire.phase)
    if tls is not None and settings.tls == "starttls":
        wire.phase = MailPhase.TLS
        if "STARTTLS" not in wire.offers.extensions:
            problem = f"{settings.server} does not offer STARTTLS, and nothing is sent in clear; see mail.smtp.tls"
            raise MailError(problem, permanent=False, systemic=True, phase=wire.phase)
        _require(await wire.say("STARTTLS"), settings, "refused STARTTLS, and nothing is sent in clear", wire.phase)
        await wire.encrypt(settings.host, tls)
        # What was offered before may be forged (RFC 3207, 4.2).
        wire.phase = MailPhase.HELLO
        _require(await wire.hello(name), settings, "refused our EHLO after STARTTLS", wire.phase)
    if settings.user:
        password = settings.password.get_secret_value()
        await log_in(wire, settings.server, settings.auth, settings.user, password, settings.token_file)


def _require(reply: Reply, settings: SmtpSettings, complaint: str, phase: MailPhase) -> None:
    if not reply.good:
        raise MailError(
            f"{settings.server} {complaint}: {reply}",
            permanent=False,
            systemic=True,
            phase=phase,
            code=reply.code,
            status=reply.status,
            retry_after=reply.retry_after,
        )


def _unreachable(settings: SmtpSettings, error: OSError | UnicodeError, phase: MailPhase) -> MailError:
    problem = f"no connection to {settings.server}: {_why(error)}"
    return MailError(problem, permanent=False, systemic=True, phase=phase)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


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
