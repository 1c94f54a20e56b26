"""A mail server on the loopback interface that misbehaves as told, at exactly the moment told.

Real sockets and threads of the standard library::

    with ScriptedSmtp() as server:
        server.next("RCPT", b"450 4.2.0 later")
        ...
        assert server.commands[-1] == "RSET"
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from enum import Enum, auto
from typing import Self

__all__ = ["Deed", "ScriptedSmtp"]

_USUAL = {
    "GREETING": b"220 scripted.test ESMTP",
    "STARTTLS": b"220 go ahead",
    "DATA": b"354 go ahead",
    "QUIT": b"221 bye",
}


class Deed(Enum):
    """What the server does in place of answering."""

    DROP = auto()
    """It hangs up."""
    HANG = auto()
    """It stays silent."""
    DRIBBLE = auto()
    """It sends a byte every hundredth of a second, of an answer that never ends."""
    RESET = auto()
    """It breaks the connection off (RST)."""


class ScriptedSmtp:
    """Answers every command as a good server does, except where `next` said otherwise.

    ``commands`` are the lines received, ``messages`` what came between DATA and the dot as it came over
    the wire, dots doubled, or in all chunks to the last; ``received`` is everything as the kernel handed it over;
    ``connections`` counts them.

    Args:
        offers: the extensions told in the answer to EHLO.
        tls: the certificate; for STARTTLS, or from the first byte if ``implicit``.
        implicit: speak TLS from the first byte.
    """

    def __init__(self, *offers: str, tls: ssl.SSLContext | None = None, implicit: bool = False) -> None:
        self.offers = "\r\n".join([f"250-{offer}" for offer in ("scripted.test", *offers, "HELP")]).encode()
        self.offers = self.offers.replace(b"250-HELP", b"250 HELP")
        self.received: list[bytes] = []
        self.commands: list[str] = []
        self.messages: list[bytes] = []
        self.connections = 0
        self.tls, self.implicit = tls, implicit
        self.over = threading.Event()
        self._script: dict[str, list[bytes | Deed]] = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        # A small window: what the server does not read, the client cannot send.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024)
        self.port: int = self._listener.getsockname()[1]
        self._talks: list[_Talk] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.over.set()
        _shut(self._listener)
        self._threads[0].join()
        for talk in self._talks:
            _shut(talk.socket)
        for thread in self._threads[1:]:
            thread.join()
        self._listener.close()

    def next(self, command: str, *answers: bytes | Deed) -> None:
        """Script the answers to the next commands of that name.

        Besides the verbs: ``GREETING``, ``AUTH+`` (what follows a 334), ``BODY`` (something done after the
        first bytes of a message, which is then read on) and ``DOT``.
        """
        self._script.setdefault(command, []).extend(answers)

    def scripted(self, command: str) -> bytes | Deed | None:
        """Take the next scripted answer."""
        answers = self._script.get(command)
        return answers.pop(0) if answers else None

    def hang_up(self) -> None:
        """Close every connection, as a server does with idle ones."""
        for talk in self._talks:
            _shut(talk.socket)

    def said_all_but_the_end(self, content: bytes) -> bool:
        """Wait until nearly all of a message has come; return False if its end came as well."""
        while sum(map(len, self.received)) < len(content) - 512:
            self.over.wait(0.001)
        everything = b"".join(self.received)
        return b"LAST" not in everything and b"\r\n.\r\n" not in everything

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            talk = _Talk(self, connection)
            self._talks.append(talk)
            self._threads.append(threading.Thread(target=talk.run, daemon=True))
            self._threads[-1].start()


class _Ended(Exception):  # noqa: N818  # no error
    """The talk is over."""


class _Talk:
    """One connection."""

    def __init__(self, server: ScriptedSmtp, connection: socket.socket) -> None:
        self.server, self.socket = server, connection
        self._buffer = bytearray()
        self._chunks = bytearray()
        self._state = ""  # MAIL or RCPT, the last that was done in this transaction

    def run(self) -> None:
        with contextlib.suppress(OSError, _Ended):
            if self.server.implicit:
                self._encrypt()
            self._answer("GREETING")
            while True:
                self._command(self._line())
        self.socket.close()

    def _command(self, line: bytes) -> None:
        self.server.commands.append(line.decode("utf-8", "replace").rstrip("\r\n"))
        verb = line.partition(b" ")[0].strip().decode("latin-1").upper()
        if verb == "BDAT":
            self._chunk(int(line.split()[1]), last=line.split()[2:] == [b"LAST"])
            return
        code = self._answer(verb)
        if verb == "STARTTLS" and code == b"220":
            self._encrypt()
        while verb == "AUTH" and code == b"334":
            self.server.commands.append(self._line().decode("latin-1").rstrip("\r\n"))
            code = self._answer("AUTH+")
        if verb == "DATA" and code == b"354":
            self._message()
        if verb in ("RSET", "MAIL"):
            self._chunks.clear()
        if verb == "QUIT":
            raise _Ended

    def _chunk(self, size: int, *, last: bool) -> None:
        if not last and (deed := self.server.scripted("BODY")) is not None:
            self._do(deed)
        while len(self._buffer) < size:
            self._read()
        self._chunks += self._buffer[:size]
        del self._buffer[:size]
        if last:
            self.server.messages.append(bytes(self._chunks))
            self._chunks.clear()
        self._answer("DOT" if last else "BDAT")

    def _message(self) -> None:
        if (deed := self.server.scripted("BODY")) is not None:
            while len(self._buffer) < 16:
                self._read()
            self._do(deed)
        searched = 0
        while (end := self._buffer.find(b"\r\n.\r\n", searched)) < 0:
            searched = max(len(self._buffer) - 4, 0)
            self._read()
        self.server.messages.append(bytes(self._buffer[: end + 2]))
        del self._buffer[: end + 5]
        self._answer("DOT")

    def _answer(self, command: str) -> bytes:
        scripted = self.server.scripted(command)
        welcome = {"RCPT": self._state != "", "DATA": self._state == "RCPT", "BDAT": self._state == "RCPT"}
        usual = self.server.offers if command == "EHLO" else _USUAL.get(command, b"250 2.0.0 ok")
        usual = usual if welcome.get(command, True) else b"503 5.5.1 out of sequence"
        answer = usual if scripted is None else scripted
        if command in ("MAIL", "RCPT") and isinstance(answer, bytes) and answer.startswith(b"250"):
            self._state = command
        elif command in ("MAIL", "RSET", "DATA", "DOT"):
            self._state = ""
        self._do(answer)
        return answer[:3] if isinstance(answer, bytes) else b""

    def _do(self, deed: bytes | Deed) -> None:
        if isinstance(deed, bytes):
            self.socket.sendall(deed + b"\r\n")
            return
        if deed is Deed.RESET:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.close()
        elif deed is Deed.DRIBBLE:
            while not self.server.over.wait(0.01):
                self.socket.sendall(b"2")
        elif deed is Deed.HANG:
            self.server.over.wait()
        raise _Ended

    def _line(self) -> bytes:
        while b"\n" not in self._buffer:
            self._read()
        line, _, self._buffer = self._buffer.partition(b"\n")
        return bytes(line)

    def _read(self) -> None:
        chunk = self.socket.recv(64 * 1024)
        if not chunk:
            raise _Ended
        self.server.received.append(chunk)
        self._buffer += chunk

    def _encrypt(self) -> None:
        if self.server.tls is None:
            self._do(Deed.HANG)
        assert self.server.tls is not None
        self.socket = self.server.tls.wrap_socket(self.socket, server_side=True)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
