"""Tell systemd how we are: a datagram to the socket that it names (sd_notify(3)); without one nobody is told."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping
from datetime import timedelta

__all__ = ["notify", "watchdog_interval"]


def notify(*lines: str, environment: Mapping[str, str] = os.environ) -> None:
    """Send ``READY=1`` and the like. A supervisor that does not listen is its own trouble, not ours."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]  # an abstract socket
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.settimeout(1)
        sock.sendto("\n".join(lines).encode("utf-8"), address)


def watchdog_interval(environment: Mapping[str, str] = os.environ) -> timedelta | None:
    """Return how often to say ``WATCHDOG=1``: twice as often as is asked for (sd_watchdog_enabled(3)); None: never."""
    wanted = environment.get("WATCHDOG_USEC", "")
    if (
        not wanted.isascii()
        or not wanted.isdecimal()
        or environment.get("WATCHDOG_PID", "") not in ("", str(os.getpid()))
    ):
        return None
    return timedelta(microseconds=int(wanted)) / 2 if 0 < int(wanted) < 10**12 else None
