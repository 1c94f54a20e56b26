"""One SMTP connection whose every wait ends, and which knows whether a message is in doubt.

Own code (see docs/decisions/0006): `smtplib` bounds each read only, so that a server that dribbles holds it for hours;
it reports a connection lost before the final dot (not delivered) and after it (perhaps delivered) alike; and it spends
five times as long on a message as all the rest of the conversation takes.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import NoReturn

from paperdigest.mail.headers import clean_line
from paperdigest.mail.replies import MAX_REPLY_BYTES, MAX_REPLY_LINES, Offers, Reply, offers_in, reply_line
from paperdigest.mail.tls import Tls
from paperdigest.types import MailPhase
from paperdigest.waiting import Ready

__all__ = ["Lost", "Wire"]

_BLOCK = 64 * 1024
_HUNG_UP = "the server closed the connection"


class Lost(OSError):  # noqa: N818  it reads as what happened
    """The connection is of no use any more; says why."""


class Wire:
    """A connection to one server.

    What may have to wait is a coroutine (see `paperdigest.waiting`). Each method raises `Lost`, with the reason in
    words, when the connection ends, an answer does not come in time or is not SMTP; the connection is closed then.

    Args:
        connection: connected; from now on only used here.
        timeout_s: the longest silence waited for.
        answer_timeout_s: how long the answer to a whole message may take.
        until: the moment of ``clock`` at which everything must be over; may be moved on.
        clock: seconds that only ever grow.

    Attributes:
        phase: what is being done; set by whoever does it, read when something happens.
        offers: what the server said last that it can do.
        in_doubt: the end of a message was sent, and no answer came yet (RFC 1047).
        sent: how many messages were begun on it.
        soiled: a command was refused, so that RSET is due before the next message.
    """

    def __init__(
        self,
        connection: socket.socket,
        *,
        timeout_s: float,
        answer_timeout_s: float = 600,
        until: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        connection.setblocking(False)
        self.sock: socket.socket | None = connection
        self.timeout_s, self.answer_timeout_s = timeout_s, answer_timeout_s
        self.until, self.clock = until, clock
        self.phase = MailPhase.GREETING
        self.offers = Offers(extensions={})
        self.in_doubt = False
        self.sent = 0
        self.soiled = False
        self._tls: Tls | None = None
        self._buffer = b""
        self._poll, self._both = select.poll(), select.poll()
        self._poll.register(connection, select.POLLIN)
        self._both.register(connection, select.POLLIN | select.POLLOUT)

    @property
    def tls(self) -> ssl.SSLObject | None:
        """How it is encrypted; None when it is not."""
        return self._tls.object if self._tls else None

    def close(self) -> None:
        """Close without a word."""
        connection, self.sock = self.sock, None
        if connection is not None:
            connection.close()

    async def encrypt(self, host: str, trust: ssl.SSLContext) -> None:
        """Put TLS on the connection; the server must prove to be ``host``.

        Raises:
            OSError: the handshake failed; `Lost`: the server had sent more already, which somebody on the
                way may have slipped in (CVE-2011-0411).
        """
        if self._buffer:
            self._lose("the server spoke before the encryption began")
        self._tls = Tls(self._open(), trust, host)
        while not self._tls.shake():
            if not await self._ready(select.POLLIN | (select.POLLOUT if self._tls.unsent else 0)):
                self._lose_patience()
        self._buffer = self._tls.decrypted()  # what came with the last of the handshake

    async def hello(self, name: str) -> Reply:
        """Say EHLO and remember what the server offers."""
        reply = await self.say(f"EHLO {name}")
        self.offers = offers_in(reply.lines)
        return reply

    async def say(self, command: str) -> Reply:
        """Send one command and return the answer."""
        await self.write(command.encode("utf-8") + b"\r\n")
        return await self.reply()

    async def write(self, data: bytes, *, heeding: bool = False, at_once: bool = False) -> bool:
        """Hand everything over in bounded time.

        Args:
            data: what to send.
            heeding: stop when the server speaks while it does not take more.
            at_once: the connection is lost when it does not take all without a wait.

        Returns:
            False when not all went out, but there is something to be read: what the server said meanwhile (if
            ``heeding``) or before it hung up.
        """
        connection, tls = self._open(), self._tls
        send = connection.send if tls is None else tls.send
        rest: bytes | memoryview = data
        while True:
            is_full = False
            try:
                taken = send(rest)
            except BlockingIOError:
                taken, is_full = 0, True
            except OSError as error:
                return self._broken(_in_words(error), error)
            if taken == len(rest) and not (tls is not None and tls.unsent):
                return True
            rest = memoryview(rest)[taken:]
            if at_once:
                return self._broken("it takes nothing more")
            if is_full:
                patient = await self._ready(select.POLLOUT | select.POLLIN)
                alive = patient and self._hear() and not self._is_over()
                if self._buffer and (heeding or not alive):
                    return False
                if not patient:
                    self._lose_patience()
                if not alive:
                    self._lose(_HUNG_UP)

    def _broken(self, why: str, error: OSError | None = None) -> bool:
        """Return False when the server said something before it took no more; else the connection is lost."""
        self._hear()
        if not self._buffer:
            self._lose(why, error)
        return False

    async def room(self) -> bool:
        """Wait until a few octets go out by one call; return whether the server has said something before.

        There may be no room though all that was written before went out at once: it may just have fitted in.
        """
        self._open()
        while not (events := self._events()) & select.POLLOUT:
            if not await self._ready(select.POLLOUT | select.POLLIN):
                self._lose_patience()
            if await self.spoken():
                return True
        return (events != select.POLLOUT or bool(self._buffer) or self._is_over()) and await self.spoken()

    async def spoken(self) -> bool:
        """Look, without waiting, whether the server has said anything; when it has only hung up, that is `Lost`."""
        if not self._buffer and self._has_come() and not self._hear():
            self._lose(_HUNG_UP)
        return bool(self._buffer)

    async def reply(self) -> Reply:
        """Return one whole reply, capped in time, lines and bytes."""
        texts: list[bytes] = []
        codes: set[int] = set()
        size = 0
        while True:
            line = await self._line()
            size += len(line)
            parsed = reply_line(line)
            if parsed is None:
                self._lose(f"the server's answer is not SMTP: {clean_line(repr(line[:80]))}")
            code, more, text = parsed
            texts.append(text)
            codes.add(code)
            if len(codes) > 1:
                self._lose(f"the server's answer says both {' and '.join(map(str, sorted(codes)))}")
            if not more:
                return Reply(code, tuple(texts))
            if len(texts) >= MAX_REPLY_LINES or size > MAX_REPLY_BYTES:
                self._lose("the server's answer does not end")

    async def _line(self) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > MAX_REPLY_BYTES:
                self._lose("the server's answer does not end")
            await self._receive()
        line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
        return line.rstrip(b"\r")

    async def _receive(self) -> None:
        """Wait for more of an answer."""
        before = len(self._buffer)
        # A server that decrypts has hardly ever answered when it is asked for an answer: a look would be in vain.
        has_come = self._has_come() if self._tls is None else self._tls.is_over
        is_late = False
        while len(self._buffer) == before:
            # Not even a flood of what TLS has to tell may keep us from looking at the clock, and others from going on.
            if not has_come and not await self._ready(select.POLLIN):
                # One look more: perhaps nobody looked, because the whole process had been stopped, or was busy.
                if is_late or not self._has_come():
                    self._lose_patience()
                is_late = True
            if not self._hear():
                self._lose(_HUNG_UP)
            has_come = self._is_over()

    def _events(self) -> int:
        """Say for what the connection is ready now."""
        return sum(events for _, events in self._both.poll(0))

    def _has_come(self) -> bool:
        """Say whether there may be something to be read: reading in vain costs an exception."""
        if self.sock is None:
            self._open()
        return bool(self._poll.poll(0)) or (self._tls is not None and self._tls.is_over)

    def _is_over(self) -> bool:
        """Say whether TLS has ended, which polling does not see."""
        return self._tls is not None and self._tls.is_over

    def _hear(self) -> bool:
        """Take what has come; return False when nothing more will."""
        connection = self._open()
        try:
            chunk = connection.recv(_BLOCK) if self._tls is None else self._tls.recv()
        except BlockingIOError:
            return True
        except OSError as error:
            if self._buffer:
                return False
            self._lose(_in_words(error), error)
        self._buffer += chunk
        if len(self._buffer) > _BLOCK + MAX_REPLY_BYTES:
            self._lose("the server's answer does not end")
        return bool(chunk)

    async def _ready(self, events: int) -> bool:
        """Wait until the connection is ready for ``events`` (as `select.poll` names them); False: it took too long."""
        left = self.until - self.clock()
        if left <= 0:
            return False
        # After the end of a message the server may be scanning it, and giving up means doubt: wait as long as there
        # is time (RFC 5321, 4.5.3.2.6 asks for ten minutes).
        patience = left if self.in_doubt else min(self.timeout_s, left)
        return await Ready(self._open(), events, patience)

    def _open(self) -> socket.socket:
        if self.sock is None:
            self._lose("the connection is closed")
        return self.sock

    def _lose_patience(self) -> NoReturn:
        self._lose("no answer in time" if self.until > self.clock() else "it took too long altogether")

    def _lose(self, why: str, error: OSError | None = None) -> NoReturn:
        self.close()
        raise Lost(why) from error


def _in_words(error: OSError) -> str:
    return f"the connection broke ({error.strerror or type(error).__name__})"
