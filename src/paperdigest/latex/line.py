"""Readable text being put together: words kept apart, scripts and brackets as a reader would write them."""

from __future__ import annotations

import re

from paperdigest.latex.symbols import DOWN, RAISED_AS_IT_IS, UP

__all__ = ["Line", "bracketed", "scripted"]

_GLUED = re.compile(r"\w \w")
_LONG_WORD = re.compile(r"[^\W\d_]{3,}")


class Line:
    """Pieces of text; a word that a macro stood for never grows into its neighbours. ``last`` is the last character."""

    __slots__ = ("_guard", "_parts", "last")

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._guard = False
        self.last = ""

    def __str__(self) -> str:
        return "".join(self._parts)

    def add(self, text: str) -> None:
        """Append what follows."""
        if text:
            if self._guard and text[0].isalnum():
                self._parts.append(" ")
            self._parts.append(text)
            self.last, self._guard = text[-1], False

    def attach(self, script: str) -> None:
        """Append what belongs to the last character."""
        if script:
            self._parts.append(script)
            self.last = script[-1]
            self._guard = self._guard and not self.last.isalpha()

    def word(self, text: str) -> None:
        """Append a word of its own: a space keeps it from a letter or digit before or after it."""
        if self.last.isalnum():
            self._parts.append(" ")
        self._parts.append(text)
        self.last, self._guard = text[-1], True


def scripted(sign: str, argument: str, *, glued: bool) -> str:
    """Return a super- (``^``) or subscript: Unicode where every character has one and no word would hide in it.

    ``glued`` says that a letter or digit follows, so that the end must be shown.
    """
    argument = argument.strip()
    if not argument:
        return ""
    if sign == "^" and argument in RAISED_AS_IT_IS:
        return RAISED_AS_IT_IS[argument]
    if sign == "^" and not argument.strip("′"):
        return argument
    table = UP if sign == "^" else DOWN
    dense = argument if _GLUED.search(argument) else argument.replace(" ", "")
    if not _LONG_WORD.search(dense) and all(char in table for char in dense):
        return "".join(table[char] for char in dense)
    if not glued and (len(argument) == 1 or (argument.isascii() and argument.isalnum())):
        return sign + argument
    return f"{sign}({argument})"


def bracketed(part: str) -> str:
    """Return ``part`` in brackets unless it is one symbol, number or word."""
    part = part.strip()
    return part if len(part) < 2 or part.isalnum() else f"({part})"
