"""A mail server that forgets: ``python -m bench._smtp_sink CERTIFICATE [EXTENSION...]`` prints its port.

Offers PIPELINING and STARTTLS besides what it is told; a thread a connection. TLS is done in memory:
`ssl.SSLSocket` asks the kernel twice for each record, and it is the client that is measured.
"""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from contextlib import suppress

_BLOCK = 64 * 1024
_ANSWERS = {b"DATA": b"354 go ahead\r\n", b"QUIT": b"221 bye\r\n", b"STARTTLS": b"220 go ahead\r\n"}


class _Talk:
    def __init__(self, connection: socket.socket, tls: ssl.SSLContext, extensions: list[str]) -> None:
        self.connection, self.tls = connection, tls
        self.buffer = bytearray()
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.secure: ssl.SSLObject | None = None
        offers = ["sink", "PIPELINING", "8BITMIME", *extensions, "STARTTLS"]
        self.greeting = "".join(f"250-{offer}\r\n" for offer in offers).encode() + b"250 HELP\r\n"

    def run(self) -> None:
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection.sendall(b"220 sink\r\n")
        answers = b""
        while True:
            while (end := self.buffer.find(b"\n")) < 0:
                if answers:  # to a whole group at once
                    self.say(answers)
                    answers = b""
                if not self.read():
                    return
            line = bytes(self.buffer[:end]).rstrip()
            del self.buffer[: end + 1]
            verb = line.partition(b" ")[0].upper()
            if verb == b"BDAT":
                if not self.take(int(line.split()[1])):
                    return
                answers += b"250 2.0.0 ok\r\n"
                continue
            answers += self.greeting if verb == b"EHLO" else _ANSWERS.get(verb, b"250 2.0.0 ok\r\n")
            if verb in (b"DATA", b"STARTTLS", b"QUIT"):
                self.say(answers)
                answers = b"250 2.0.0 ok\r\n" if verb == b"DATA" else b""
            if verb == b"STARTTLS":
                self.encrypt()
            if verb == b"QUIT" or (verb == b"DATA" and not self.message()):
                return

    def message(self) -> bool:
        searched = 0
        while (end := self.buffer.find(b"\r\n.\r\n", searched)) < 0:
            searched = max(len(self.buffer) - 4, 0)
            if not self.read():
                return False
        del self.buffer[: end + 5]
        return True

    def take(self, size: int) -> bool:
        while len(self.buffer) < size:
            if not self.read():
                return False
        del self.buffer[:size]
        return True

    def read(self) -> bool:
        while True:
            if self.secure is not None:
                with suppress(ssl.SSLWantReadError):
                    plain = self.secure.read(_BLOCK)
                    self.buffer += plain
                    return bool(plain)
            if not (chunk := self.connection.recv(_BLOCK)):
                return False
            if self.secure is None:
                self.buffer += chunk
                return True
            self.incoming.write(chunk)

    def say(self, words: bytes) -> None:
        if self.secure is not None:
            self.secure.write(words)
            words = self.outgoing.read()
        self.connection.sendall(words)

    def encrypt(self) -> None:
        secure = self.tls.wrap_bio(self.incoming, self.outgoing, server_side=True)
        while True:
            try:
                secure.do_handshake()
            except ssl.SSLWantReadError:
                self.connection.sendall(self.outgoing.read())
                self.incoming.write(self.connection.recv(_BLOCK))
            else:
                self.connection.sendall(self.outgoing.read())
                self.secure = secure
                return


def main() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[1])
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_Talk(connection, tls, sys.argv[2:]).run, daemon=True).start()


if __name__ == "__main__":
    main()
