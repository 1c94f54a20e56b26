"""A mail server that forgets and costs little: ``python -m bench._light_sink`` prints its port.

For a client that waits for the answer to each message. Postfix's ``smtp-sink`` looks at every octet, which takes a
good part of a machine of two processors from the client that is measured; this one looks at the last five octets of
what has come.
"""

from __future__ import annotations

import selectors
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen

__all__ = ["light_sink"]

_END = b"\r\n.\r\n"
_BUFFER = bytearray(256 * 1024)
_ANSWERS = {
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 30000000\r\n",
    b"DATA": b"354 go ahead\r\n",
    b"QUIT": b"221 bye\r\n",
}
_OK = b"250 2.0.0 ok\r\n"


@contextmanager
def light_sink() -> Iterator[int]:
    """Run the server in a process of its own and yield its port."""
    with Popen([sys.executable, "-m", "bench._light_sink"], stdout=PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


class _Talk:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.line, self.tail = b"", b""
        self.in_message = False

    def hear(self) -> bool:
        """Answer what has come; False when it was the last."""
        size = self.connection.recv_into(_BUFFER)
        if not size:
            return False
        if self.in_message:
            self.tail = (self.tail + _BUFFER[max(0, size - len(_END)) : size])[-len(_END) :]
            if self.tail != _END:
                return True
            self.in_message, self.tail = False, b""
            self.connection.sendall(_OK)
            return True
        *lines, self.line = (self.line + _BUFFER[:size]).split(b"\r\n")
        verbs = [line[:4].upper() for line in lines]
        self.in_message = b"DATA" in verbs
        self.connection.sendall(b"".join([_ANSWERS.get(verb, _OK) for verb in verbs]))
        return b"QUIT" not in verbs


def main() -> None:
    """Serve until killed."""
    selector = selectors.DefaultSelector()
    with socket.create_server(("127.0.0.1", 0), backlog=256) as door:
        print(door.getsockname()[1], flush=True)
        selector.register(door, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.data is None:
                    connection, _ = door.accept()
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    connection.sendall(b"220 sink\r\n")
                    selector.register(connection, selectors.EVENT_READ, _Talk(connection))
                elif not key.data.hear():
                    selector.unregister(key.data.connection)
                    key.data.connection.close()


if __name__ == "__main__":
    main()
