"""A mailer that is its own lane, as a plug-in without coroutines may be."""

from __future__ import annotations

from typing import Self

from paperdigest.protocols import BeforeFinal, OutgoingMessage

__all__ = ["OwnLane"]


class OwnLane:
    """Derived from by tests, which say what becomes of a message."""

    lanes = 1

    def lane(self) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def send(self, message: OutgoingMessage, before_final: BeforeFinal) -> str | None:
        raise AssertionError(message.recipient)
