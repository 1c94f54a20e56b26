"""Drawn text with holes in it: what differs from reader to reader is filled in, the rest is drawn once.

A template is drawn with signs in place of what differs; they stand in a range that `words.clean` takes out of all
input (plane 16, for private use), so nobody's title can hold one.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from paperdigest.types import LINK, Recurring

__all__ = ["Recent", "Stretch", "hole", "opened"]

_FIRST = 0x10F000
_HOLE = re.compile("([\U0010f000-\U0010f0ff])")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Stretch:
    """``parts`` of text between ``holes``, one more than those.

    ``size`` is that of the parts in bytes of UTF-8, without the reader's links, of which there are ``links``.
    """

    parts: tuple[Recurring, ...]
    holes: tuple[int, ...]
    size: int
    links: int

    def filled(self, values: Mapping[int, str], into: list[str]) -> int:
        """Append parts and values to ``into``; return their size in bytes, but for links."""
        size = self.size
        into.append(self.parts[0])
        for at, number in enumerate(self.holes, start=1):
            value = values[number]
            size += len(value) if value.isascii() else len(value.encode("utf-8"))
            into += (value, self.parts[at])
        return size


def hole(number: int) -> str:
    """Return the sign that is drawn in place of value number ``number`` (0 to 255)."""
    return chr(_FIRST + number)


def opened(text: str) -> Stretch:
    """Split drawn text at its holes; `LINK` stays where it is."""
    pieces = _HOLE.split(text)
    parts = tuple(map(Recurring, pieces[::2]))
    size = len("".join(parts).replace(LINK, "").encode("utf-8"))
    return Stretch(parts, tuple(ord(sign) - _FIRST for sign in pieces[1::2]), size, text.count(LINK))


class Recent(Generic[_T]):
    """Values by key, bounded: those used among the last ``kept`` to twice as many different ones.

    Two generations: when the young one is full, it becomes the old one, and what was not used since is forgotten.
    May be shared by threads: each step is one of the dictionary's own, and at worst something is drawn twice.
    """

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._young: dict[Hashable, _T] = {}
        self._old: dict[Hashable, _T] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, key: Hashable) -> _T | None:
        """Return the value, or None when there is none any more."""
        found = self._young.get(key)
        if found is None and (found := self._old.get(key)) is not None:
            self.put(key, found)
        return found

    def put(self, key: Hashable, value: _T) -> _T:
        """Keep the value and return it."""
        if len(self._young) >= self._kept:
            self._old, self._young = self._young, {}
        self._young[key] = value
        return value
