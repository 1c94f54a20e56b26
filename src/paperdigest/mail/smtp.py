"""Digests handed to a mail server that relays them (RFC 5321), one recipient a message."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Self

from paperdigest.errors import MailError
from paperdigest.mail.connecting import SmtpSettings, connect, own_name, trust
from paperdigest.mail.envelope import refuse_unsendable
from paperdigest.mail.replies import Reply
from paperdigest.mail.transaction import Refused, StaleError, UnfitError, transact
from paperdigest.mail.wire import Lost, Wire
from paperdigest.protocols import AsyncBeforeFinal, BeforeFinal, OutgoingMessage
from paperdigest.types import MailPhase
from paperdigest.waiting import Apart, alone

__all__ = ["AsyncSmtpLane", "SmtpLane", "SmtpMailer"]

_BEFORE_THE_END = 2
"""Connecting and all of a message but its end may take so many times ``timeout_s``."""

_GOODBYE_S = 5.0
_OPERATORS_TROUBLE = frozenset({530, 534, 535, 538})  # RFC 4954, 6: a login or encryption is wanted
_WHAT = {
    MailPhase.MAIL: "the sender {0.sender}",
    MailPhase.RCPT: "the recipient {0.recipient}",
    MailPhase.DATA: "to take a message",
}


class SmtpMailer:
    """Sends over as many connections as it is asked for lanes; the settings are those of `SmtpSettings`.

    Args:
        settings: see `SmtpSettings`.
        clock: seconds that only ever grow.
    """

    def __init__(self, settings: Mapping[str, Any], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = SmtpSettings.model_validate(dict(settings))
        self._tls = trust(self._settings)  # reading the authorities takes longer than a message
        self._hello: str | None = None
        self._clock = clock
        self.lanes = self._settings.connections

    def lane(self) -> SmtpLane:
        """Return a lane that connects when it is first used."""
        return SmtpLane(self.async_lane())

    def async_lane(self) -> AsyncSmtpLane:
        """Return a lane that connects when it is first used."""
        return AsyncSmtpLane(self._settings, self._connected, self._clock)

    async def _connected(self, until: float) -> Wire:
        if self._hello is None:
            self._hello = await Apart(own_name)  # once: it may take a look-up in the DNS
        return await connect(self._settings, self._tls, until=until, hello=self._hello, clock=self._clock)


class SmtpLane:
    """An `AsyncSmtpLane` for a thread of its own: whatever that waits for, the thread waits for."""

    def __init__(self, lane: AsyncSmtpLane) -> None:
        self._lane = lane

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        alone(self._lane.__aexit__(*exc))

    def send(self, message: OutgoingMessage, before_final: BeforeFinal) -> str | None:
        """See `AsyncSmtpLane.send`."""

        async def leave() -> bool:
            return before_final()

        return alone(self._lane.send(message, leave))


class AsyncSmtpLane:
    """One connection, kept from one message to the next, renewed when it must be.

    A failure costs at most that message: after an error reply the transaction is reset, after anything worse the
    next message gets a new connection. A connection that turns out to be closed, or closing, before it has heard of
    a message costs no message at all.
    """

    def __init__(
        self, settings: SmtpSettings, connected: Callable[[float], Awaitable[Wire]], clock: Callable[[], float]
    ) -> None:
        self._settings, self._connected, self._clock = settings, connected, clock
        self._wire: Wire | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        if exc[0] is GeneratorExit:  # nobody turns the loop any more
            self._drop()
        else:
            await self._leave()

    async def send(self, message: OutgoingMessage, before_final: AsyncBeforeFinal) -> str | None:
        """Hand over one message and return the server's answer, such as ``250 2.0.0 queued as 4F1``.

        Raises:
            MailError: ``permanent`` for a 5xx about the message and for what cannot be sent as it is;
                ``after_dot`` when the connection was lost, or time ran out, between the end of the message and the
                answer. A refused login, certificate or STARTTLS is not permanent: the settings can be mended.
        """
        refuse_unsendable(message)
        until = self._clock() + _BEFORE_THE_END * self._settings.timeout_s
        if self._wire is not None and self._wire.sent >= self._settings.max_messages_per_connection:
            await self._leave()
        try:
            answer = await self._attempt(message, before_final, until)
        except Refused as refused:
            if not refused.usable:
                self._drop()
            elif self._wire is not None:
                self._wire.soiled = True
            raise self._refusal(refused, message) from None
        except Lost as error:
            raise self._loss(error) from error
        except UnfitError:
            raise
        except BaseException:  # whatever stops us in mid-transaction, the connection is no good for another
            self._drop()
            raise
        if answer is None:
            self._drop()
        return None if answer is None else str(answer)

    async def _attempt(self, message: OutgoingMessage, before_final: AsyncBeforeFinal, until: float) -> Reply | None:
        """Use the connection at hand; a new one if there is none, or the server was leaving."""
        if self._wire is not None:
            self._wire.until = until
            with suppress(StaleError):
                return await transact(self._wire, self._settings.server, message, before_final, kept=True)
            self._drop()
        self._wire = await self._connected(until)
        return await transact(self._wire, self._settings.server, message, before_final, kept=False)

    def _refusal(self, refused: Refused, message: OutgoingMessage) -> MailError:
        reply = refused.reply
        systemic = reply.code in _OPERATORS_TROUBLE
        what = _WHAT.get(refused.phase, "the message").format(message)
        said = "refused" if reply.refusal else "made no sense when asked to take"
        return MailError(
            f"{self._settings.server} {said} {what}: {reply}",
            permanent=reply.code // 100 == 5 and not systemic,
            systemic=systemic,
            phase=refused.phase,
            code=reply.code,
            status=reply.status,
            retry_after=reply.retry_after,
        )

    def _loss(self, error: Lost) -> MailError:
        wire = self._wire
        self._drop()
        in_doubt = wire is not None and wire.in_doubt
        when = "after the whole message, which may have been accepted" if in_doubt else "before it had the message"
        problem = f"{self._settings.server}: {error}, {when}"
        return MailError(problem, permanent=False, after_dot=in_doubt, phase=wire.phase if wire else None)

    async def _leave(self) -> None:
        """Say goodbye, without minding the answer for long."""
        if self._wire is not None:
            self._wire.until = self._clock() + min(self._settings.timeout_s, _GOODBYE_S)
            try:
                with suppress(Lost):
                    await self._wire.say("QUIT")
            finally:
                self._drop()

    def _drop(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()
