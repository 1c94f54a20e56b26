"""A mail server that forgets: ``python -m bench._smtp_sink CERTIFICATE [EXTENSION...]`` prints its port.

Offers PIPELINING and STARTTLS besides what it is told. It is the client that is measured: one thread serves all
connections, TLS is done in memory (`ssl.SSLSocket` asks the kernel twice for each record), and of a message only the
last octets that have come are looked at: a client that does not wait for the answer to it is not understood.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import sys
from contextlib import suppress

_END = b"\r\n.\r\n"
_OK = b"250 2.0.0 ok\r\n"
_ANSWERS = {b"DATA": b"354 go ahead\r\n", b"QUIT": b"221 bye\r\n", b"STARTTLS": b"220 go ahead\r\n"}
_BUFFER = bytearray(256 * 1024)
_RECORD = bytearray(16 * 1024)


class _Secret:
    """TLS of one connection."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = tls.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.is_agreed = False


class _Talk:
    """A connection; ``left`` is what is still to come of a chunk, ``tail`` the last octets of a message."""

    def __init__(self, connection: socket.socket, tls: ssl.SSLContext, greeting: bytes) -> None:
        self.connection, self.tls, self.greeting = connection, tls, greeting
        self.secret: _Secret | None = None
        self.line, self.tail, self.answers = b"", b"", b""
        self.in_message = False
        self.left: int | None = None

    def hear(self) -> bool:
        """Answer what has come; False when it was the last."""
        size = self.connection.recv_into(_BUFFER)
        if not size:
            return False
        secret, chunk = self.secret, memoryview(_BUFFER)[:size]
        if secret is None:
            goes_on = self.take(chunk)
            if answers := self.answered():
                self.connection.sendall(answers)
            return goes_on
        goes_on = self.decrypt(secret, chunk)
        if answers := self.answered():
            secret.object.write(answers)
        if secret.outgoing.pending:
            self.connection.sendall(secret.outgoing.read())
        return goes_on

    def decrypt(self, secret: _Secret, chunk: memoryview) -> bool:
        secret.incoming.write(chunk)
        with suppress(ssl.SSLWantReadError):
            if not secret.is_agreed:
                secret.object.do_handshake()
                secret.is_agreed = True
            while secret.incoming.pending or secret.object.pending():
                size = int(secret.object.read(len(_RECORD), _RECORD))  # of a read into a buffer
                if not size or not self.take(memoryview(_RECORD)[:size]):
                    return False
        return True

    def take(self, words: memoryview) -> bool:
        """Go on with the conversation; False at its end."""
        if self.in_message:
            self.tail = (self.tail + bytes(words[-len(_END) :]))[-len(_END) :]
            if self.tail == _END:
                self.in_message, self.tail = False, b""
                self.answers += _OK
            return True
        if self.left is not None:
            size = min(self.left, len(words))
            self.left, words = self.left - size, words[size:]
            if self.left:
                return True
            self.left = None
            self.answers += _OK
        text = self.line + bytes(words)
        while (end := text.find(b"\n")) >= 0:
            verb, _, argument = text[:end].rstrip().partition(b" ")
            verb, text, self.line = verb.upper(), text[end + 1 :], b""
            if verb == b"BDAT":
                self.left = int(argument.split()[0])
                return self.take(memoryview(text))
            self.answers += self.greeting if verb == b"EHLO" else _ANSWERS.get(verb, _OK)
            self.in_message = verb == b"DATA"
            if verb == b"STARTTLS":
                self.connection.sendall(self.answered())
                self.secret = _Secret(self.tls)
            if verb in (b"DATA", b"STARTTLS", b"QUIT"):
                return verb != b"QUIT"
        self.line = text
        return True

    def answered(self) -> bytes:
        """Return the answers to a whole group, once it has come."""
        if self.left is not None:
            return b""
        answers, self.answers = self.answers, b""
        return answers


def main() -> None:
    """Serve until killed."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[1])
    offers = ["sink", "PIPELINING", "8BITMIME", *sys.argv[2:], "STARTTLS"]
    greeting = "".join(f"250-{offer}\r\n" for offer in offers).encode() + b"250 HELP\r\n"
    selector = selectors.DefaultSelector()
    with socket.create_server(("127.0.0.1", 0), backlog=512) as door:
        print(door.getsockname()[1], flush=True)
        selector.register(door, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.data is None:
                    connection, _ = door.accept()
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    connection.sendall(b"220 sink\r\n")
                    selector.register(connection, selectors.EVENT_READ, _Talk(connection, tls, greeting))
                elif not _heard(key.data):
                    selector.unregister(key.data.connection)
                    key.data.connection.close()


def _heard(talk: _Talk) -> bool:
    try:
        return talk.hear()
    except OSError:  # it broke
        return False


if __name__ == "__main__":
    main()
