"""Whether two printed names may be one person: initials, diacritics, order and missing middle names.

Two names agree when their family names are the same and their given names are compatible: equal, or one the
initial of the other, in order; either may lack middle names. ``Jane Doe`` is ``J. Doe``, ``Doe, Jane``, ``Jane A.
Doe`` and ``JANE DOÉ``, but neither ``John Doe`` nor ``Jane B. Roe``. Which part is the family name:

- what stands before a comma, or before trailing initials (``Doe J``);
- else the last part or parts (``Jane van der Berg``);
- or, when the given names are written out in both, the first (``Wang Xiaolong`` is ``Xiaolong Wang``).

A name that stands whole in the other (``van der Berg``, ``García López``) agrees with it too. ``Müller`` is
``Muller`` and ``Mueller``, ``Søren`` is ``Soren`` and ``Soeren``; hyphens and apostrophes do not count.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

__all__ = ["Name", "Part", "agree", "may_be_unlike", "parts_of"]

Part = frozenset[str]
"""The spellings of one part of a name; nearly always one."""

_PLAIN = str.maketrans({
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "æ": "ae", "œ": "oe", "ß": "ss", "ħ": "h", "ŧ": "t",
})  # fmt: skip
_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_APOSTROPHES = re.compile("['’‘ʼʻ`´]")
_PART = re.compile(r"[^\W_]+")
_SUFFIXES = frozenset(("jr", "sr", "ii", "iii", "iv", "phd", "md"))
_LONGEST = 300
_MOST_PARTS = 12


def parts_of(text: str) -> tuple[Part, ...]:
    """Return the parts of a name in printed order, folded; bounded, so that no hostile name costs much."""
    lower = unicodedata.normalize("NFC", _APOSTROPHES.sub("", text[:_LONGEST])).lower()
    plain = _PART.findall(_unmarked(lower.translate(_PLAIN)))[:_MOST_PARTS]
    if lower.isascii():
        return tuple(frozenset((part,)) for part in plain)
    spelled = _PART.findall(_unmarked(lower.translate(_SPELLED_OUT).translate(_PLAIN)))
    return tuple(frozenset(pair) for pair in zip(plain, spelled, strict=False))


def may_be_unlike(text: str) -> bool:
    """Say whether a name's parts may be spelled otherwise than printed (case aside)."""
    return not text.isascii() or _APOSTROPHES.search(text) is not None


@dataclass(frozen=True, slots=True)
class Name:
    """A name read: its parts, given names first where that is known; ``family`` counts the parts of a known one."""

    parts: tuple[Part, ...]
    family: int = 0

    @classmethod
    @lru_cache(maxsize=1 << 14)
    def of(cls, text: str) -> Self:
        """Read a printed name."""
        before, *others = [_without_suffix(parts_of(piece)) for piece in text.split(",", 3)]
        after = next((parts for parts in others if parts), ())
        if before and after:
            return cls(after + before, len(before))
        parts = before or after
        initials = len(parts) - next((at for at, part in enumerate(parts) if _is_initial(part)), len(parts))
        if 0 < initials < len(parts) and all(map(_is_initial, parts[-initials:])):
            return cls(parts[-initials:] + parts[:-initials], len(parts) - initials)
        return cls(parts)

    def readings(self) -> Iterator[tuple[tuple[Part, ...], tuple[Part, ...], bool]]:
        """Yield each way to read it: given names, family name, and whether the family name comes first."""
        if self.family:
            cut = len(self.parts) - self.family
            yield self.parts[:cut], self.parts[cut:], False
            return
        for cut in range(1, len(self.parts)):
            yield self.parts[:cut], self.parts[cut:], False
        if len(self.parts) > 1:
            yield self.parts[1:], self.parts[:1], True


def agree(wanted: Name, name: Name) -> bool:
    """Say whether ``name`` may be the person ``wanted`` (see module docstring)."""
    if _stands_in(wanted.parts, name.parts):
        return True
    return any(
        _same_all(ours[1], theirs[1]) and _are_compatible(ours[0], theirs[0], _same if reverse else _same_or_initial)
        for ours in wanted.readings()
        for theirs in name.readings()
        if not ((reverse := ours[2] or theirs[2]) and ours[2] == theirs[2])
    )


def _unmarked(text: str) -> str:
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFD", text)
    return "".join(char for char in plain if not unicodedata.combining(char)).casefold()


def _without_suffix(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    if parts and not parts[-1].isdisjoint(_SUFFIXES) and len(parts) != 2:
        return parts[:-1]
    return parts


def _is_initial(part: Part) -> bool:
    return all(len(spelling) == 1 and spelling.isascii() for spelling in part)


def _same(one: Part, other: Part) -> bool:
    return not one.isdisjoint(other)


def _same_or_initial(one: Part, other: Part) -> bool:
    if _is_initial(one) or _is_initial(other):
        return bool({spelling[0] for spelling in one} & {spelling[0] for spelling in other})
    return _same(one, other)


def _same_all(some: Sequence[Part], others: Sequence[Part]) -> bool:
    return len(some) == len(others) and all(map(_same, some, others))


def _stands_in(wanted: Sequence[Part], parts: Sequence[Part]) -> bool:
    width = len(wanted)
    return width > 0 and any(_same_all(wanted, parts[at : at + width]) for at in range(len(parts) - width + 1))


def _are_compatible(some: Sequence[Part], others: Sequence[Part], like: Callable[[Part, Part], bool]) -> bool:
    """Compare given names: those of the shorter list stand in the longer one in order, the first one first.

    Unless the order of the whole is in doubt, a first name that is written out may also come second (``Jane``
    of ``A. Jane``). ``Xiao-Long`` is ``Xiaolong``.
    """
    if {"".join(map(min, some))} & {"".join(map(min, others))}:
        return True
    short, long = sorted((some, others), key=len)
    if not short:
        return False
    at = 0 if like(short[0], long[0]) else -1
    if at < 0 and like is _same_or_initial and not _is_initial(short[0]):
        at = next((place for place, part in enumerate(long) if _same(short[0], part)), -1)
    for part in short[1:] if at >= 0 else ():
        at = next((place for place in range(at + 1, len(long)) if like(part, long[place])), -1)
        if at < 0:
            break
    return at >= 0
