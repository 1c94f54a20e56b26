"""A scripted HTTP server on the loopback interface: what a source answers, told reply by reply.

For tests of sources, ours and those of plug-in authors, and for measurements::

    with ReplayServer() as server:
        server.answer("/feed.xml", Reply(status=503), Reply(body=feed, etag='"1"'))
        client.view(allow_private=True).get(Request(url=server.url("/feed.xml")))
        assert server.requests[0].headers["user-agent"].startswith("paperdigest/")

Real sockets and threads of the standard library; nothing is faked but the answers.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

__all__ = ["RecordedRequest", "ReplayServer", "Reply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer.

    ``etag`` is sent, and answered with a 304 when a request repeats it in ``If-None-Match``.
    ``delay_s`` passes before the first byte. ``drip_s`` passes before each byte of the body, and of the
    head, too, when ``drip_head`` is set. ``cut_after`` closes the connection after so many bytes of the
    body, whatever Content-Length said. ``chunked`` sends the body in chunks and no Content-Length.
    ``raw`` is sent as it is, in place of everything else, and the connection closed.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None
    delay_s: float = 0
    drip_s: float = 0
    drip_head: bool = False
    cut_after: int | None = None
    chunked: bool = False
    raw: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """What a client asked: ``path`` with its query, header names in lower case, the monotonic time."""

    method: str
    path: str
    headers: Mapping[str, str]
    received_at_s: float


class ReplayServer:
    """Serves scripted replies while it is entered; every path that has none is a 404.

    Args:
        tls: serves https with the certificate of this context.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self._scripts: dict[str, list[Reply]] = {}
        self._requests: list[RecordedRequest] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._scheme = "https" if tls else "http"
        self._tls = tls
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        self._server = _Server(self, self._tls)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), name="replay", daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._over.set()  # wakes every delay and drip
        if self._server is not None:
            self._server.shutdown()
            self._server.drop_connections()
            self._server.server_close()

    @property
    def port(self) -> int:
        """The port, chosen by the system."""
        if self._server is None:
            raise RuntimeError("the replay server is not running: use it in a with statement")
        return self._server.server_port

    def url(self, path: str = "/", *, host: str = "127.0.0.1") -> str:
        """Return the URL of a path; another host name must be resolved to 127.0.0.1 by the client."""
        return f"{self._scheme}://{host}:{self.port}{path}"

    def answer(self, path: str, *replies: Reply) -> None:
        """Script a path (with its query, if it has one): the replies in turn, the last one ever after."""
        if not replies:
            raise ValueError("a script has at least one reply")
        with self._lock:
            self._scripts[path] = list(replies)

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        """Everything asked so far, in the order of arrival."""
        with self._lock:
            return tuple(self._requests)

    @property
    def bytes_sent(self) -> int:
        """All bytes sent so far, heads included."""
        return self._server.bytes_sent if self._server else 0

    @property
    def connections(self) -> int:
        """How many connections were made so far."""
        return self._server.connections if self._server else 0

    def next_reply(self, request: RecordedRequest) -> Reply:
        """Record a request and return the reply to it."""
        with self._lock:
            self._requests.append(request)
            script = self._scripts.get(request.path)
            if script is None:
                return Reply(status=404, body=b"nothing is scripted for this path")
            reply = script.pop(0) if len(script) > 1 else script[0]
        if reply.etag is not None and request.headers.get("if-none-match") == reply.etag:
            return Reply(status=304, headers=reply.headers, etag=reply.etag, delay_s=reply.delay_s)
        return reply

    def pause(self, seconds: float) -> bool:
        """Wait, but not beyond the end of the server; False when that has come."""
        return not self._over.wait(seconds) if seconds else not self._over.is_set()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True
    request_queue_size = 256

    def __init__(self, replay: ReplayServer, tls: ssl.SSLContext | None) -> None:
        self.replay, self.bytes_sent, self.connections = replay, 0, 0
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def process_request_thread(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]  # the stub allows datagrams, too
        with self._lock:
            self._open.add(request)
            self.connections += 1
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.discard(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients under test hang up, refuse certificates, send nonsense."""

    def drop_connections(self) -> None:
        with self._lock:
            connections = tuple(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def count(self, sent: int) -> None:
        with self._lock:
            self.bytes_sent += sent


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:  # the name that http.server looks for
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = RecordedRequest(method=self.command, path=self.path, headers=headers, received_at_s=time.monotonic())
        reply = self.server.replay.next_reply(request)
        if not self.server.replay.pause(reply.delay_s):
            self.close_connection = True
            return
        if reply.raw is not None:
            self.close_connection = True
            self._send(reply.raw, reply.drip_s)
            return
        head, body = _head(reply), _framed(reply)
        if reply.cut_after is not None:
            self.close_connection = True
            body = body[: reply.cut_after]
        if reply.drip_s:
            self._send(head, reply.drip_s if reply.drip_head else 0)
            self._send(body, reply.drip_s)
        else:
            self._send(head + body, 0)

    do_HEAD = do_POST = do_GET  # noqa: N815  # the names that http.server looks for

    def _send(self, data: bytes, drip_s: float) -> None:
        self.server.count(len(data))
        if not drip_s:
            self.wfile.write(data)
            return
        for position in range(len(data)):
            if not self.server.replay.pause(drip_s):
                self.close_connection = True
                return
            self.wfile.write(data[position : position + 1])

    def log_message(self, *_args: object) -> None:
        """Log nothing."""


def _head(reply: Reply) -> bytes:
    phrase = HTTPStatus(reply.status).phrase if reply.status in set(HTTPStatus) else "Unknown"
    headers = dict(reply.headers)
    if reply.etag is not None:
        headers["ETag"] = reply.etag
    if reply.chunked:
        headers["Transfer-Encoding"] = "chunked"
    elif reply.status != 304 and not any(name.lower() == "content-length" for name in headers):
        headers["Content-Length"] = str(len(reply.body))
    lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _framed(reply: Reply) -> bytes:
    if not reply.chunked:
        return reply.body
    size = 4096
    chunks = [reply.body[start : start + size] for start in range(0, len(reply.body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
