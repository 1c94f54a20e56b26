"""TLS done in memory, over a connection that never blocks.

`ssl.SSLSocket` spends a call of the kernel, and a wake-up of the server, on each record of 16 KB, and an exception on
each look whether something has come. Here many records go in one call.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress

__all__ = ["Tls"]

_BLOCK = 64 * 1024
_RECORD = 16 * 1024
"""The most that one holds (RFC 8446, 5.1)."""
_AHEAD = 256 * 1024
"""So much is encrypted before the connection has taken it: bounds the memory that a large message takes."""


class Tls:
    """TLS between us and a server.

    Args:
        connection: never blocks; used by nobody else, as long as there is TLS on it.
        context: whom to trust; told never to renegotiate, which TLS 1.3 has given up as well.
        host: whom the server must prove to be.

    Attributes:
        object: who tells the version and the certificate.
        unsent: encrypted, but not yet taken by the connection.
        is_over: nothing more will come: the server said so (close_notify), or broke the rules.
    """

    def __init__(self, connection: socket.socket, context: ssl.SSLContext, host: str) -> None:
        self._connection = connection
        context.options |= ssl.OP_NO_RENEGOTIATION  # or writing might have to wait for something to be read
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._read, self._write = self.object.read, self.object.write  # five times a message
        self.is_over = False
        self._problem: ssl.SSLError | None = None
        self.unsent = b""

    def shake(self) -> bool:
        """Go on with the handshake as far as it goes; True when it is done.

        Raises:
            OSError: it failed; the server was told why, if it listens.
        """
        with suppress(BlockingIOError):
            if chunk := self._connection.recv(_BLOCK):
                self._incoming.write(chunk)
            else:
                self._incoming.write_eof()
        try:
            self.object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        else:
            return True
        finally:
            self.unsent += self._outgoing.read()
            self._flush()

    def send(self, data: bytes | memoryview) -> int:
        """Take some octets, encrypt and send them, and return how many were taken.

        What was taken but not sent (see ``unsent``) goes first the next time, which may be with no new data.

        Raises:
            BlockingIOError: the connection takes nothing now.
            OSError: it takes nothing any more.
        """
        if self.unsent:
            self.unsent = self.unsent[self._connection.send(self.unsent) :]
            return 0
        taken = self._write(data if len(data) <= _AHEAD else memoryview(data)[:_AHEAD])
        records = self._outgoing.read()
        try:
            sent = self._connection.send(records)
        except BlockingIOError:
            sent = 0
        if sent < len(records):
            self.unsent = records[sent:]
        return taken

    def recv(self) -> bytes:
        """Return what the server said, nothing when it will say no more.

        Raises:
            BlockingIOError: it said nothing yet, though TLS may have had something to tell.
            OSError: the connection broke, or what came is not TLS.
        """
        if not self.is_over:
            chunk = self._connection.recv(_BLOCK)
            if not chunk:
                return b""
            self._incoming.write(chunk)
            words = self.decrypted()
            if self._outgoing.pending:
                self._tell()
            if words:
                return words
        if self._problem is not None:
            raise self._problem
        if not self.is_over:
            raise BlockingIOError
        return b""

    def decrypted(self) -> bytes:
        """Return what is here of the server's words."""
        words = b""
        try:
            while self._incoming.pending:  # a record is read whole, so that nothing is left in the object
                more = self._read(_RECORD)
                if not more:
                    self.is_over = True
                    break
                words = words + more if words else more
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self.is_over, self._problem = True, error
        return words

    def _tell(self) -> None:
        """Send what TLS has to say of its own (an alert, new keys), as far as it goes at once.

        Where something waits to be sent, this waits behind it: it may be the end of a message, and whoever listens
        must not send that without knowing.
        """
        is_next = not self.unsent
        self.unsent += self._outgoing.read()
        if is_next:
            self._flush()

    def _flush(self) -> None:
        with suppress(OSError):  # whoever writes next will hear of it
            self.unsent = self.unsent[self._connection.send(self.unsent) :]
