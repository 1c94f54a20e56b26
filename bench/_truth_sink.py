"""A mail server that tells the truth: it writes down every message it takes before it says so.

A line of its log is ``CONNECTION MESSAGE-ID HASH``; it is written (not merely buffered) before the 250 leaves, so that
the log has exactly what was accepted, whatever becomes of the sender.
"""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

__all__ = ["Taken", "read_log", "truth_sink"]

Taken = tuple[int, str, str]
"""Connection, Message-ID, hash of the bytes."""

_MESSAGE_ID = re.compile(rb"^Message-ID: *(<[^>\r\n]+>)", re.MULTILINE | re.IGNORECASE)
_OFFERS = b"250-truth.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"


class _Talk(asyncio.Protocol):
    """One connection: commands until DATA, then a message until its dot."""

    counter = 0

    def __init__(self, log: int) -> None:
        self._log, self._buffer, self._in_message = log, bytearray(), False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        _Talk.counter += 1
        self._number = _Talk.counter
        transport.write(b"220 truth.test ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._step():
            pass

    def _step(self) -> bool:
        end, mark = (b"\r\n.\r\n", 5) if self._in_message else (b"\r\n", 2)
        place = self._buffer.find(end)
        if place < 0:
            return False
        part = bytes(self._buffer[:place])
        del self._buffer[: place + mark]
        if self._in_message:
            self._take(part)
        else:
            self._answer(part.upper())
        return True

    def _take(self, message: bytes) -> None:
        found = _MESSAGE_ID.search(message)
        name = found[1].decode("ascii") if found else "?"
        line = f"{self._number} {name} {hashlib.blake2b(message, digest_size=16).hexdigest()}\n"
        os.write(self._log, line.encode("ascii"))
        self._in_message = False
        self._transport.write(b"250 2.0.0 taken\r\n")

    def _answer(self, command: bytes) -> None:
        if command.startswith(b"EHLO"):
            self._transport.write(_OFFERS)
        elif command == b"DATA":
            self._in_message = True
            self._transport.write(b"354 go on\r\n")
        elif command == b"QUIT":
            self._transport.write(b"221 2.0.0 bye\r\n")
            self._transport.close()
        else:
            self._transport.write(b"250 2.0.0 ok\r\n")


@contextmanager
def truth_sink(log: Path) -> Iterator[int]:
    """Run a sink in a process of its own and yield its port on the loopback interface."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(log, theirs), daemon=True)
    process.start()
    try:
        yield int(ours.recv())
    finally:
        process.kill()
        process.join()


def _serve(log: Path, told: Connection) -> None:
    async def main() -> None:
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        server = await asyncio.get_running_loop().create_server(lambda: _Talk(descriptor), "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def read_log(log: Path) -> list[Taken]:
    """Return what was taken, in order."""
    if not log.exists():
        return []
    rows = (line.split(" ") for line in log.read_text(encoding="ascii").splitlines())
    return [(int(number), name, digest) for number, name, digest in rows]
