"""What one GET may cost: seconds in all, seconds of silence, bytes on the wire.

The budget of the running GET is a context variable, because the place that can enforce it (the raw read
below ``http.client``) is made by libraries that have no argument for it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

from paperdigest.errors import FetchError

__all__ = ["CURRENT", "Budget"]

_OVERHEAD_BYTES = 1024 * 1024  # for heads, redirects and chunk framing, beside the body


class Budget:
    """A total deadline on the monotonic clock, and a cap on the bytes received.

    ``pause`` moves the deadline: time that we waste ourselves, out of politeness, is not the server's.
    """

    def __init__(
        self, url: str, *, deadline_s: float, read_timeout_s: float, body_bytes: int, monotonic: Callable[[], float]
    ) -> None:
        self.url, self.deadline_s, self.read_timeout_s = url, deadline_s, read_timeout_s
        self._monotonic = monotonic
        self._ends_at = monotonic() + deadline_s
        self._wire_bytes = 2 * body_bytes + _OVERHEAD_BYTES

    def remaining(self) -> float:
        """Return the seconds left, more than 0.

        Raises:
            FetchError: the deadline has passed.
        """
        left = self._ends_at - self._monotonic()
        if left <= 0:
            raise FetchError(
                self.url,
                f"the reply was not complete after {self.deadline_s:g} s and was given up",
                hint="the server is slow or stuck; the next run tries again",
            )
        return left

    def spend(self, received: int) -> None:
        """Count bytes received.

        Raises:
            FetchError: the server sent far more than any allowed body needs (endless heads or trailers).
        """
        self._wire_bytes -= received
        if self._wire_bytes < 0:
            raise FetchError(self.url, "the server sends without end; the reply was given up", permanent=True)

    def pause(self, seconds: float) -> None:
        """Move the deadline by a wait of our own."""
        self._ends_at += seconds


CURRENT: ContextVar[Budget] = ContextVar("paperdigest_http_budget")
