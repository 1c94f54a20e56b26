"""Digests handed to a mail server that relays them (RFC 5321), one recipient a message."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any, NoReturn, Self

from paperdigest.errors import MailError
from paperdigest.mail.connecting import SmtpSettings, connect, trust
from paperdigest.mail.wire import Lost, Reply, Wire
from paperdigest.protocols import BeforeFinal, OutgoingMessage

__all__ = ["SmtpMailer"]

_DEADLINE = 4
"""A message may take this many times ``timeout_s`` altogether: by default less than the ledger's lease."""

_ADDRESS = re.compile(r"[!-;=?A-~]+@[!-;=?A-~]+\Z")  # printable ASCII without space, < and >; one @
_MAX_ADDRESS = 254  # RFC 5321, 4.5.3.1.3, without the brackets
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_COUNT = re.compile(r"[0-9]{1,18}\Z")
_OPERATORS_TROUBLE = frozenset({530, 534, 535, 538})  # RFC 4954, 6: a login or encryption is wanted


class SmtpMailer:
    """Sends each message in a transaction of its own; the connection is kept from one to the next.

    A failure costs at most that message: after an error reply the transaction is reset, after anything
    worse the next message gets a new connection, as it does when an idle one was closed. Not for use by
    two threads at once. The settings are those of `SmtpSettings`.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = SmtpSettings.model_validate(dict(settings))
        self._tls = trust(self._settings)
        self._hello: str | None = None  # found once: it may take a look-up in the DNS
        self._wire: Wire | None = None

    lanes = 1

    def lane(self) -> Self:
        """Return the one lane there is."""
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Say goodbye, without minding the answer."""
        if self._wire is not None:
            self._wire.until = time.monotonic() + self._settings.timeout_s
            _said(self._wire, "QUIT")
        self._drop()

    def send(self, message: OutgoingMessage, before_final: BeforeFinal) -> str | None:
        """Hand over one message and return the server's answer, such as ``250 2.0.0 queued as 4F1``.

        Raises:
            MailError: ``permanent`` for a 5xx about the message and for what cannot be sent as it is;
                ``after_dot`` when the connection was lost, or time ran out, between the final dot and the
                answer. A refused login, certificate or STARTTLS is not permanent: the settings can be mended.
        """
        _refuse_unsendable(message)
        until = time.monotonic() + _DEADLINE * self._settings.timeout_s
        try:
            answer = self._transact(message, until, before_final)
            return None if answer is None else str(answer)
        except MailError:
            raise
        except Lost as error:
            in_doubt = self._wire is not None and self._wire.in_doubt
            self._drop()
            when = "after the whole message, which may have been accepted" if in_doubt else "before it had the message"
            problem = f"{self._settings.server}: {error}, {when}"
            raise MailError(problem, permanent=False, after_dot=in_doubt) from error
        except BaseException:  # whatever stops us in mid-transaction, the connection is no good for another
            self._drop()
            raise

    def _transact(self, message: OutgoingMessage, until: float, before_final: BeforeFinal) -> Reply | None:
        wire, answer = self._begin(message, until)
        if not answer.good:
            self._refuse(wire, answer, f"the sender {message.sender}")
        if not (answer := wire.say(f"RCPT TO:<{message.recipient}>")).good:
            self._refuse(wire, answer, f"the recipient {message.recipient}")
        if (answer := wire.say("DATA")).code != 354:
            self._refuse(wire, answer, "to take a message")
        if not before_final():
            self._drop()
            return None
        if not (answer := wire.transmit(message.content)).good:
            self._refuse(wire, answer, "the message")
        return answer

    def _begin(self, message: OutgoingMessage, until: float) -> tuple[Wire, Reply]:
        """Say MAIL on the connection at hand; on a new one if there is none, or the server has closed it."""
        if (wire := self._wire) is not None:
            wire.until = until
            command = self._mail_command(wire, message)
            try:
                answer = wire.say(command)
            except Lost:
                answer = None
            if answer is not None and answer.code != 421:
                return wire, answer
            self._drop()
        self._wire = wire = connect(self._settings, self._tls, until=until, hello=self._hello)
        self._hello = wire.local_hostname
        return wire, wire.say(self._mail_command(wire, message))

    def _mail_command(self, wire: Wire, message: OutgoingMessage) -> str:
        """Return MAIL with what the server must know beforehand (RFC 1870, RFC 6152).

        Raises:
            MailError: the server takes no message of this size, or only ASCII; permanent.
        """
        command, size = f"MAIL FROM:<{message.sender}>", len(message.content)
        server = self._settings.server
        if wire.has_extn("size"):
            limit = wire.esmtp_features["size"].strip()
            if _COUNT.match(limit) and 0 < int(limit) < size:
                problem = f"the message has {size:,} bytes, but {server} takes at most {int(limit):,}"
                raise MailError(problem, permanent=True)
            command += f" SIZE={size}"
        if not message.content.isascii():
            if not wire.has_extn("8bitmime"):
                raise MailError(f"the message is not plain ASCII, and {server} takes nothing else", permanent=True)
            command += " BODY=8BITMIME"
        return command

    def _refuse(self, wire: Wire, answer: Reply, what: str) -> NoReturn:
        """Leave the connection clean, else closed, and raise what the refusal means."""
        code = answer.code
        refusal = code // 100 in (4, 5)
        if not refusal or code == 421 or not _said(wire, "RSET"):
            self._drop()
        systemic = code in _OPERATORS_TROUBLE
        permanent = code // 100 == 5 and not systemic
        problem = f"{self._settings.server} refused {what}: {answer}"
        raise MailError(problem, permanent=permanent, systemic=systemic, code=code)

    def _drop(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()


def _said(wire: Wire, command: str) -> bool:
    """Say what matters to nobody any more; return whether the server went along."""
    try:
        return wire.say(command).good
    except Lost:
        return False


def _refuse_unsendable(message: OutgoingMessage) -> None:
    """Refuse what would become another command, recipient or message on the way.

    Raises:
        MailError: permanent.
    """
    for whose, address in (("sender", message.sender), ("recipient", message.recipient)):
        if not _ADDRESS.match(address) or len(address) > _MAX_ADDRESS:
            problem = f"{address[:_MAX_ADDRESS]!r} cannot be a {whose}: not an address in plain ASCII"
            raise MailError(problem, permanent=True)
    if bare := _BARE.search(message.content):
        # Where servers disagree about what ends a line, one message can be made into two.
        line = message.content.count(b"\r\n", 0, bare.start()) + 1
        raise MailError(f"line {line} of the message does not end in CR LF; it is not sent", permanent=True)
