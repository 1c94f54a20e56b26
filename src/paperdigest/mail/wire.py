"""One SMTP connection whose every wait ends, and which knows whether a message is in doubt.

`smtplib` bounds each read only (a server that dribbles holds it for hours), rewrites broken addresses in
silence, and reports a connection lost before the final dot (not delivered) and after it (perhaps
delivered) alike. Its EHLO reading and commands are used; reading, writing and DATA are done here.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import time
from dataclasses import dataclass
from smtplib import SMTPServerDisconnected as Lost
from typing import NoReturn

from paperdigest.mail.headers import clean_line

__all__ = ["Lost", "Reply", "Wire", "stuffed"]

_MAX_REPLY_LINES = 100
_MAX_REPLY_BYTES = 64 * 1024
_MAX_SHOWN = 300
_BLOCK = 64 * 1024
_REPLY_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?\Z", re.DOTALL)  # RFC 5321, 4.2


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered: the code (RFC 5321, 4.2) and its text in one clean line."""

    code: int
    text: str

    @property
    def good(self) -> bool:
        """Whether the command was done."""
        return self.code // 100 == 2

    def __str__(self) -> str:
        return f"{self.code} {self.text}".rstrip()


class Wire(smtplib.SMTP):
    """A connection to one server.

    Every method raises `Lost`, with the reason in words, when the connection ends, an answer does not
    come in time or is not SMTP; the connection is closed then.

    Args:
        timeout_s: the longest silence waited for.
        until: the moment (`time.monotonic`) at which everything must be over; may be moved on.
        hello: the name to give in EHLO; None finds this machine's.
    """

    def __init__(self, *, timeout_s: float, until: float, hello: str | None = None) -> None:
        super().__init__(local_hostname=hello)
        self.timeout_s, self.until = timeout_s, until
        self.in_doubt = False
        self._buffer = b""

    def open(self, host: str, port: int, tls: ssl.SSLContext | None) -> Reply:
        """Connect, with TLS from the first byte if ``tls`` is given, and return the greeting.

        Raises:
            OSError: no connection, or no trusted TLS; `Lost` is one of them.
        """
        self.sock = socket.create_connection((host, port), self._patience())
        # Without it each message over TLS waits 40 ms for the other side's delayed acknowledgement.
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self.encrypt(host, tls)
        return self._reply()

    def encrypt(self, host: str, tls: ssl.SSLContext) -> None:
        """Put TLS on the connection; the server must prove to be ``host``.

        Raises:
            OSError: the handshake failed; `Lost`: the server had sent more already, which somebody on the
                way may have slipped in (CVE-2011-0411).
        """
        if self.sock is None or self._buffer:
            self._lose("the server spoke before the encryption began")
        self.sock.settimeout(self._patience())
        self.sock = tls.wrap_socket(self.sock, server_hostname=host)

    def hello(self) -> Reply:
        """Say EHLO and remember what the server offers (`has_extn`, ``esmtp_features``)."""
        code, text = self.ehlo()
        return _shown(code, text)

    def say(self, command: str) -> Reply:
        """Send one command and return the answer."""
        self.putcmd(command)
        return self._reply()

    def transmit(self, content: bytes) -> Reply:
        """Send a message (CRLF only, see `stuffed`) after DATA, then the final dot; return the answer.

        ``in_doubt`` is true from just before the dot until the answer is there (RFC 1047). A server that
        answers or hangs up before the dot has not taken the message; such an answer is returned, and the
        connection is of no further use.
        """
        content = stuffed(content)
        for start in range(0, len(content), _BLOCK):
            self.send(content[start : start + _BLOCK])
        if self._spoke_early():
            early = self._reply()
            if early.code // 100 not in (4, 5):
                self._lose(f"the server's answer makes no sense: {early}")
            self.close()  # in mid-message no further command would be understood
            return early
        self.in_doubt = True
        self.send(b".\r\n")
        reply = self._reply()
        if reply.code // 100 == 3:
            self._lose(f"the server's answer makes no sense: {reply}")
        self.in_doubt = False
        return reply

    def send(self, s: object) -> None:
        """Send bytes or ASCII text, in bounded time."""
        if self.sock is None:
            self._lose("the connection is closed")
        self.sock.settimeout(self._patience())
        try:
            self.sock.sendall(s.encode("ascii") if isinstance(s, str) else s)  # type: ignore[arg-type]  # str or buffer
        except OSError as error:
            self._lose(_in_words(error), error)

    def getreply(self) -> tuple[int, bytes]:
        """Return one whole reply, capped in time, lines and bytes."""
        texts: list[bytes] = []
        size = 0
        while True:
            line = self._read_line()
            size += len(line)
            parsed = _REPLY_LINE.match(line)
            if parsed is None:
                self._lose(f"the server's answer is not SMTP: {clean_line(repr(line[:80]))}")
            texts.append((parsed[3] or b"").strip())
            if parsed[2] != b"-":
                return int(parsed[1]), b"\n".join(texts)
            if len(texts) >= _MAX_REPLY_LINES or size > _MAX_REPLY_BYTES:
                self._lose("the server's answer does not end")

    def _reply(self) -> Reply:
        return _shown(*self.getreply())

    def _read_line(self) -> bytes:
        while b"\n" not in self._buffer:
            if len(self._buffer) > _MAX_REPLY_BYTES:
                self._lose("the server's answer does not end")
            self._receive()
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.rstrip(b"\r")

    def _receive(self) -> None:
        assert self.sock is not None  # something was just sent
        self.sock.settimeout(self._patience())
        try:
            chunk = self.sock.recv(_BLOCK)
        except OSError as error:
            self._lose(_in_words(error), error)
        if not chunk:
            self._lose("the server closed the connection")
        self._buffer += chunk

    def _spoke_early(self) -> bool:
        """Look, without waiting, whether the server answered or hung up while the message was being sent."""
        assert self.sock is not None  # something was just sent
        if self._buffer:
            return True
        self.sock.settimeout(0)
        try:
            chunk = self.sock.recv(_BLOCK)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError as error:
            self._lose(_in_words(error), error)
        if not chunk:
            self._lose("the server closed the connection")
        self._buffer += chunk
        return True

    def _patience(self) -> float:
        """Return how long the next step may take."""
        left = self.until - time.monotonic()
        if left <= 0:
            self._lose("it took too long altogether")
        # After the dot the server may be scanning the message, and giving up means doubt: wait as long as there
        # is time (RFC 5321, 4.5.3.2.6 asks for ten minutes).
        return left if self.in_doubt else min(self.timeout_s, left)

    def _lose(self, why: str, error: OSError | None = None) -> NoReturn:
        self.close()
        raise Lost(why) from error


def stuffed(content: bytes) -> bytes:
    """Return the message as DATA carries it: lines that start with a dot get one more (RFC 5321, 4.5.2)."""
    content = content.replace(b"\r\n.", b"\r\n..")
    content = b"." + content if content.startswith(b".") else content
    return content if content.endswith(b"\r\n") else content + b"\r\n"


def _in_words(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return f"the connection broke ({error.strerror or type(error).__name__})"


def _shown(code: int, text: bytes) -> Reply:
    return Reply(code, clean_line(text.decode("utf-8", "replace"))[:_MAX_SHOWN])
