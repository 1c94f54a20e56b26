"""urllib3 connections that dial through the guard and read within the budget, as a requests adapter.

`requests.Session` is left out on purpose: even with ``allow_redirects=False`` it reads the body of a
redirect without any cap. The adapter below it gives the pool and the exceptions, and no surprises.
"""

from __future__ import annotations

import functools
import io
import socket
import ssl
from http.client import HTTPResponse as RawResponse
from typing import Any, ClassVar

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from paperdigest.http.budget import CURRENT
from paperdigest.http.guard import Guard

__all__ = ["GuardedAdapter"]

_POOLS, _CONNECTIONS = 64, 32


class _MeteredReader(io.RawIOBase):
    """A socket's bytes, each read bounded by what is left of the budget: a drip cannot outlive it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._budget = CURRENT.get()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(min(self._budget.remaining(), self._budget.read_timeout_s))
        received = self._raw.readinto(buffer)
        self._budget.spend(received or 0)
        return received

    def close(self) -> None:
        self._raw.close()
        super().close()


class _MeteredResponse(RawResponse):
    def __init__(self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None):
        super().__init__(sock, debuglevel, method, url)
        self.fp.close()
        self.fp = io.BufferedReader(_MeteredReader(sock), 65536)


def _dial(connection: HTTPConnection, guard: Guard) -> socket.socket:
    sock = guard.dial(connection.host, connection.port, timeout_s=connection.timeout or CURRENT.get().read_timeout_s)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


class _GuardedHTTPConnection(HTTPConnection):
    response_class = _MeteredResponse

    def __init__(self, *args: Any, guard: Guard | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._guard = guard

    def _new_conn(self) -> socket.socket:
        return _dial(self, self._guard) if self._guard else super()._new_conn()


class _GuardedHTTPSConnection(HTTPSConnection):
    """Like the above; the certificate is checked against the name, whatever address was dialled."""

    response_class = _MeteredResponse

    def __init__(self, *args: Any, guard: Guard | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._guard = guard

    def _new_conn(self) -> socket.socket:
        return _dial(self, self._guard) if self._guard else super()._new_conn()


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _GuardedHTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedHTTPSConnection


class _PoolManager(PoolManager):
    """Hands the guard to every connection of its pools."""

    classes: ClassVar[dict[str, type[HTTPConnectionPool]]] = {"http": _HTTPPool, "https": _HTTPSPool}

    def __init__(self, guard: Guard, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pool_classes_by_scheme = self.classes
        self._guard = guard

    def _new_pool(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool = super()._new_pool(*args, **kwargs)
        pool.conn_kw["guard"] = self._guard
        return pool


class GuardedAdapter(HTTPAdapter):
    """A thread-safe pool of guarded connections; it never retries, redirects or reads a body.

    One TLS context serves all connections: reading the authorities' certificates costs more than a fetch.
    """

    def __init__(self, guard: Guard, *, ca_file: str | None = None) -> None:
        self._guard, self._ca_file = guard, ca_file
        super().__init__(pool_connections=_POOLS, pool_maxsize=_CONNECTIONS, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        """Make the pools of guarded connections."""
        self.poolmanager = _PoolManager(self._guard, num_pools=connections, maxsize=maxsize, block=block, **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Reach a configured proxy: a trusted hop, so not guarded, but metered all the same."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _PoolManager.classes
        return manager

    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        """Let every https pool share one TLS context."""
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._tls} if host["scheme"] == "https" else {}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:  # noqa: ARG002  # the adapter's signature
        """Demand a valid certificate, by the shared context alone: nothing is read from disk again."""
        conn.cert_reqs = "CERT_REQUIRED"

    @functools.cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._ca_file or DEFAULT_CA_BUNDLE_PATH)
