"""TeX as a list of tokens, and which of them belong together: braces, and the two ends of maths."""

from __future__ import annotations

import re
from itertools import pairwise

__all__ = ["SINGLE_QUOTED", "Tokens"]

MAX_MATHS_CHARS = 2000
SINGLE_QUOTED = re.compile(r"`(?=[^\W_])[^`]{1,80}?'(?![\w'])")
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\\|\$\$?|[{}^_~]|`+|'+|[^\\${}^_~`']+")
_CLOSES = {"$": "$", "$$": "$$", "\\(": "\\)", "\\[": "\\]", "\\)": "", "\\]": ""}
_TEXT_IN_MATHS = re.compile(r"\\(?:text\w*|mbox|mathrm|operatorname)\s*\{[^{}]*\}")
_PROSE = re.compile(r"(?<![\\A-Za-z{])[a-z]{3,} [a-z]{3,}")
_MONEY = re.compile(r"\d[\d.,]*\s?[A-Za-z]?\s+[A-Za-z]{2,}")


class Tokens:
    """A text cut at TeX's special characters; every character of it is in exactly one token.

    ``starts`` is where each token begins in ``text``. ``braces`` and ``maths`` give the place of the
    closing token for each opening one that has one.
    """

    __slots__ = ("braces", "maths", "starts", "text", "tokens")

    def __init__(self, text: str) -> None:
        found = list(_TOKEN.finditer(text))
        self.text = text
        self.tokens = [match[0] for match in found]
        self.starts = [match.start() for match in found]
        self.braces = _matching_braces(self.tokens)
        self.maths = _maths(text, self.tokens, self.starts)


def _matching_braces(tokens: list[str]) -> dict[int, int]:
    found: dict[int, int] = {}
    waiting: list[int] = []
    for place, piece in enumerate(tokens):
        if piece == "{":
            waiting.append(place)
        elif piece == "}" and waiting:
            found[waiting.pop()] = place
    return found


def _maths(text: str, tokens: list[str], starts: list[int]) -> dict[int, int]:
    """Pair neighbouring signs that fit each other and enclose what looks like maths."""
    signs = [place for place, piece in enumerate(tokens) if piece in _CLOSES]
    found: dict[int, int] = {}
    last = -1
    for place, following in pairwise(signs):
        opening = tokens[place]
        if place == last or _CLOSES[opening] != tokens[following]:
            continue
        begin, stop = starts[place] + len(opening), starts[following]
        if stop - begin > MAX_MATHS_CHARS:
            continue
        if opening != "$" or _is_maths(text[begin:stop], text[stop + 1 : stop + 2]):
            found[place] = last = following
    return found


def _is_maths(content: str, after: str) -> bool:
    """Tell ``$n$`` from "between $5 and 10$": what stands between two dollars, and the character after them."""
    if not content.strip() or (content[0].isdigit() and after.isdigit()) or _MONEY.match(content):
        return False
    if _PROSE.search(_TEXT_IN_MATHS.sub("", content)):
        return False
    spaced = content[0] == " " or content[-1] == " "
    return not spaced or any(char in content for char in "\\^_=") or len(content.strip()) == 1
