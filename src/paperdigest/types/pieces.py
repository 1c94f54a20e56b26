"""Pieces of text of which messages are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

__all__ = ["LINK", "Pieces", "Recurring"]

LINK = "\U0010f100"
"""Stands in a `Recurring` piece for what differs from reader to reader; text of others never holds it."""


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


@dataclass(frozen=True, slots=True)
class Pieces:
    """A text in pieces; in those that recur, `LINK` stands for ``link``."""

    pieces: tuple[str, ...]
    link: str = ""

    def __str__(self) -> str:
        """Return the text in one piece."""
        return "".join(self.filled())

    def filled(self) -> list[str]:
        """Return the pieces as they are read."""
        return [one.replace(LINK, self.link) if isinstance(one, Recurring) else one for one in self.pieces]
