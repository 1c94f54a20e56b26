"""Exact keywords: the very characters, case and accents included, as whole words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from paperdigest.query.text import MARKS, WORD_ENDS

__all__ = ["exact_places", "stands_exactly"]

_LIKE = {"'": "['’‘ʼ]", "-": "[-‐‑]"}
_LETTER = f"(?:[^\\W_{''.join(sorted(WORD_ENDS))}]|[{''.join(sorted(MARKS))}])"


def stands_exactly(words: Sequence[str], text: str) -> bool:
    """Say whether the words stand in ``text``, see `exact_places`."""
    return next(exact_places(words, text), None) is not None


def exact_places(words: Sequence[str], text: str) -> Iterator[tuple[int, int]]:
    """Yield each place ``text[start:end]`` where the words stand as typed, one after the other.

    No letter or digit may touch them on the outside: ``TRACE`` stands in ``TRACE-2`` and ``TRACE²`` but not
    in ``TRACED``. Between two words any white space may stand; a composed and a decomposed accent are the
    same, and so are typographic and plain apostrophes and hyphens.
    """
    composed, origin = _composed(text)
    for match in _pattern(tuple(words)).finditer(composed):
        yield origin[match.start()], origin[match.end()]


@lru_cache(maxsize=4096)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    typed = [unicodedata.normalize("NFC", word) for word in words]
    body = r"\s+".join("".join(_LIKE.get(char) or re.escape(char) for char in _plain(word)) for word in typed)
    before = f"(?<!{_LETTER})" if re.match(_LETTER, typed[0]) else ""
    after = f"(?!{_LETTER})" if re.match(_LETTER, typed[-1][-1]) else ""
    return re.compile(before + body + after)


def _plain(word: str) -> str:
    for plain, forms in _LIKE.items():
        word = re.sub(forms, plain, word)
    return word


def _composed(text: str) -> tuple[str, Sequence[int]]:
    """Return the text in NFC and, for each place in it (its end too), the place in ``text``."""
    if unicodedata.is_normalized("NFC", text):
        return text, range(len(text) + 1)
    pieces: list[str] = []
    origin: list[int] = []
    start = 0
    for end in range(1, len(text) + 1):
        if end < len(text) and unicodedata.combining(text[end]):
            continue
        piece = unicodedata.normalize("NFC", text[start:end])
        pieces.append(piece)
        origin += [start] * len(piece)
        start = end
    return "".join(pieces), [*origin, len(text)]
