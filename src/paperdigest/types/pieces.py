"""Pieces of text of which messages are made."""

from __future__ import annotations

from typing import Self

__all__ = ["Recurring"]


class Recurring(str):
    """Text that stands in many messages: whoever encodes it for mail keeps the result with it, in ``coded``.

    Looking it up anywhere else takes longer than all that is done with it. May be shared by threads: they would keep
    the same.
    """

    __slots__ = ("coded",)

    coded: bytes
    """Empty before it was encoded."""

    def __new__(cls, text: str) -> Self:
        """Return the text as a piece of which nothing is kept yet."""
        made = super().__new__(cls, text)
        made.coded = b""
        return made
