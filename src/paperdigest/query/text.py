"""Words, stop words and stems: what a text is to search and to the lexical scorer alike.

A word is a run of letters and digits after folding: ``[a-z0-9]+`` in English, and the same idea in
every other script (``Café`` and ``cafe`` are one word, ``state-of-the-art`` is four); raised and lowered
digits end it (``VLM²`` holds ``VLM``). Stems are Porter's: trace, traces, traced and tracing are one,
traceability is another.

Both are those of the store's full-text index (SQLite FTS5, ``porter unicode61 remove_diacritics 2``),
character by character, so that a search finds what ranking calls a match; two things are better here:
``ß`` is ``ss`` and the ligatures of ``f`` are their letters, and signs younger than SQLite's tables
(Unicode 6.1) are no letters.

Sources: M. F. Porter, "An algorithm for suffix stripping" (1980), with his later rules ``bli`` -> ``ble``
and ``logi`` -> ``log``; SQLite FTS5, 4.3.1 and 4.3.3.
"""

from __future__ import annotations

import contextlib
import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import Stemmer

__all__ = [
    "MARKS",
    "STOP_WORDS",
    "WORD_ENDS",
    "Document",
    "Field",
    "Terms",
    "find_run",
    "letters",
    "prepare",
    "stems",
    "terms",
    "words",
]

TITLE_COPIES = 2
"""A word of the title counts as often as this many words of the abstract."""

MAX_PHRASE_WORDS = 5
"""A longer run of words is a sentence, not a term; nobody writes it again word for word."""

_STOP_WORDS = """
a about above after again against all also am an and any are as at be because been before being below between
both but by can cannot could d did do does doing down during each either else ever few for from further had has
have having he her here hers him his how however i if in into is it its itself just ll may me might more most
must my no nor not now of off on once only or other our ours out over own per re s same shall she should so some
such t than that the their theirs them then there these they this those through thus to too under until up upon
us ve very via was we were what when where whether which while who whom whose why will with within without would
yet you your yours
"""

STOP_WORDS = frozenset(_STOP_WORDS.split())
"""English words that say nothing of a paper's subject; the lone letters are what apostrophes leave."""

_WORD = re.compile(r"[^\W_]+")
_local = threading.local()

WORD_ENDS = frozenset("⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ₀₁₂₃₄₅₆₇₈₉")
"""The ``separators`` of the index."""

MARKS = frozenset(map(chr, (
    *range(0x300, 0x305), *range(0x306, 0x30D), 0x30F, 0x311, 0x31B, *range(0x323, 0x329), 0x32D, 0x32E, 0x330, 0x331,
)))  # fmt: skip
"""The combining marks that belong to the letter before them; any other ends a word, as in the index."""

_LETTERS = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ß": "ss", "ẞ": "ss"}

_LONGEST_STEMMED = 64
"""In bytes; longer words, and those of one or two, are their own stem."""

_LATER_RULES = re.compile(r"(.*)(bl|log)(?:[iy](?:s|ed|ing)?|ies)\Z")
"""Words that come to end in ``bli`` or ``logi``: possibly, ontologies."""


@dataclass(frozen=True, slots=True)
class Document:
    """A paper as the scorer sees it: the stems of title and abstract, in order, stop words included."""

    title: tuple[str, ...]
    abstract: tuple[str, ...]

    @property
    def length(self) -> int:
        """Return the length in words, those of the title counted twice."""
        return TITLE_COPIES * len(self.title) + len(self.abstract)


@dataclass(frozen=True, slots=True)
class Terms:
    """A keyword as the scorer sees it.

    ``words`` are the distinct stems that may match, each with how often the keyword says it, in order;
    ``phrase`` is the whole run of stems that must stand together to earn the phrase bonus, empty when
    there is none to earn.
    """

    words: tuple[tuple[str, int], ...]
    phrase: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """A title or abstract with its words, their stems and, for each, its place ``text[start:end]`` as printed."""

    text: str
    words: tuple[str, ...]
    stems: tuple[str, ...]
    places: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, text: str) -> Self:
        """Read a text; the stems are those of `stems`."""
        folded, origin = _fold_with_places(text)
        found = list(_WORD.finditer(folded))
        places = tuple((origin[match.start()], _with_marks(text, origin[match.end() - 1] + 1)) for match in found)
        words = [match[0] for match in found]
        return cls(text, tuple(words), _stemmed(words), places)

    def forms(self, stem: str) -> tuple[str, ...]:
        """Return the distinct forms in which a stem stands in the text, in the order of the text."""
        found: dict[str, None] = {}
        at = -1
        with contextlib.suppress(ValueError):  # there is no further one
            while True:
                at = self.stems.index(stem, at + 1)
                start, end = self.places[at]
                found[self.text[start:end]] = None
        return tuple(found)

    def run(self, stems: Sequence[str]) -> str | None:
        """Return the piece of text where these stems first stand next to each other, or None."""
        first = find_run(stems, self.stems)
        if first < 0:
            return None
        piece = self.text[self.places[first][0] : self.places[first + len(stems) - 1][1]]
        return " ".join(piece.split())


def words(text: str) -> tuple[str, ...]:
    """Return the words of ``text`` in order, folded but not stemmed."""
    return tuple(_WORD.findall(folded(text)))


def letters(text: str) -> tuple[str, ...]:
    """Return the words of ``text`` in order as they are printed."""
    return tuple(_WORD.findall(text))


def stems(text: str) -> tuple[str, ...]:
    """Return the stems of the words of ``text``, in order, stop words included."""
    return _stemmed(_WORD.findall(folded(text)))


@lru_cache(maxsize=1024)
def prepare(title: str, abstract: str | None) -> Document:
    """Return the stems of a paper; the last thousand papers are remembered."""
    return Document(stems(title), stems(abstract or ""))


def terms(words: Sequence[str]) -> Terms:
    """Return what a keyword looks for: its words without stop words, unless nothing else is left.

    ``state-of-the-art``, though typed as one word, is a phrase of four.
    """
    plain = _WORD.findall(folded(" ".join(words)))
    run = _stemmed(plain)
    content = [stem for word, stem in zip(plain, run, strict=True) if word not in STOP_WORDS]
    return Terms(
        words=tuple(Counter(content or run).items()),
        phrase=run if 2 <= len(run) <= MAX_PHRASE_WORDS else (),
    )


def find_run(run: Sequence[str], field: Sequence[str]) -> int:
    """Return the index at which ``run`` first stands in ``field`` word for word, else -1."""
    width, wanted = len(run), tuple(run)
    start, end = -1, max(len(field) - width + 1, 0)
    with contextlib.suppress(ValueError):  # there is no further one
        while True:
            start = field.index(wanted[0], start + 1, end)
            if tuple(field[start : start + width]) == wanted:
                return start
    return -1


def _with_marks(text: str, end: int) -> int:
    """Return where the combining marks end that follow a letter."""
    while text[end : end + 1] in MARKS:
        end += 1
    return end


class _Stems(dict[str, str]):
    """The stem of each word, worked out once; bounded, so that no flood of words fills the memory."""

    MOST = 1 << 16

    def __missing__(self, word: str) -> str:
        if len(self) >= self.MOST:
            self.clear()
        stem = _stem(word)
        if len(word) <= _LONGEST_STEMMED:
            self[word] = stem
        return stem


_STEMS = _Stems()


def _stemmed(words: list[str]) -> tuple[str, ...]:
    return tuple(map(_STEMS.__getitem__, words))


def _stem(word: str) -> str:
    """Stem a folded word; a stemmer keeps state while it works, so each thread has its own."""
    if not 3 <= len(word.encode("utf-8", "replace")) <= _LONGEST_STEMMED:
        return word
    stemmer: Stemmer.Stemmer | None = getattr(_local, "stemmer", None)
    if stemmer is None:
        stemmer = _local.stemmer = Stemmer.Stemmer("porter")
    if (match := _LATER_RULES.match(word)) is not None and _has_measure(match[1]):
        word = match[1] + match[2] + ("e" if match[2] == "bl" else "")
    stem: str = stemmer.stemWord(word)
    return stem or word


def _has_measure(start: str) -> bool:
    """Say whether Porter's measure is above 0: a vowel stands before a consonant (``y`` after one is a vowel)."""
    was_vowel = False
    for place, char in enumerate(start):
        is_vowel = char in "aeiou" or (char == "y" and place > 0 and not was_vowel)
        if was_vowel and not is_vowel:
            return True
        was_vowel = is_vowel
    return False


def folded(text: str) -> str:
    """Return a text without case and diacritics; its runs of letters and digits are its words."""
    return text.lower() if text.isascii() else text.translate(_FOLDED)


def _fold_with_places(text: str) -> tuple[str, Sequence[int]]:
    """Fold, and say for each folded character the index of the character it came from."""
    if text.isascii():
        return text.lower(), range(len(text))
    pieces = [_FOLDED[ord(char)] for char in text]
    places = [index for index, piece in enumerate(pieces) for _ in piece]
    return "".join(pieces), places


class _Folded(dict[int, str]):
    """What each character becomes, for `str.translate`; bounded."""

    MOST = 1 << 14

    def __missing__(self, code: int) -> str:
        if len(self) >= self.MOST:
            self.clear()
        self[code] = found = _fold_char(chr(code))
        return found


_FOLDED = _Folded()


def _fold_char(char: str) -> str:
    """Fold case and the diacritics of Latin letters; character by character, so that places are known."""
    if char in WORD_ENDS:
        return " "
    if char in MARKS:
        return ""
    base = unicodedata.normalize("NFD", char)[0]
    if base.isascii() and base.isalpha():
        return base.lower()
    if char in _LETTERS:
        return _LETTERS[char]
    if not char.isalnum():
        return char
    return next((one for one in (char.casefold(), char.lower()) if len(one) == 1), char)
