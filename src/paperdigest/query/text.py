"""Words, stop words and stems: what a text is to the lexical scorer.

A word is a run of letters and digits after folding: ``[a-z0-9]+`` in English, and the same idea in
every other script (``Café`` and ``cafe`` are one word, ``state-of-the-art`` is four). Stems are
Porter's (M. F. Porter, "An algorithm for suffix stripping", 1980), the same ones that full-text
search in the store uses: trace, traces, traced and tracing are one stem, traceability is another.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import Stemmer

__all__ = ["STOP_WORDS", "Document", "Field", "Terms", "find_run", "prepare", "stems", "terms", "words"]

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
    """A title or abstract with its stems and, for each, its place ``text[start:end]`` as printed."""

    text: str
    stems: tuple[str, ...]
    places: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, text: str) -> Self:
        """Read a text; the stems are those of `stems`."""
        folded, origin = _fold_with_places(text)
        found = list(_WORD.finditer(folded))
        places = tuple((origin[match.start()], origin[match.end() - 1] + 1) for match in found)
        return cls(text, _stemmed([match[0] for match in found]), places)

    def forms(self, stem: str) -> tuple[str, ...]:
        """Return the distinct forms in which a stem stands in the text, in the order of the text."""
        spots = (place for place, found in zip(self.places, self.stems, strict=True) if found == stem)
        return tuple(dict.fromkeys(self.text[start:end] for start, end in spots))

    def run(self, stems: Sequence[str]) -> str | None:
        """Return the piece of text where these stems first stand next to each other, or None."""
        first = find_run(stems, self.stems)
        if first < 0:
            return None
        piece = self.text[self.places[first][0] : self.places[first + len(stems) - 1][1]]
        return " ".join(piece.split())


def words(text: str) -> tuple[str, ...]:
    """Return the words of ``text`` in order, folded but not stemmed."""
    return tuple(_WORD.findall(_fold(text)))


def stems(text: str) -> tuple[str, ...]:
    """Return the stems of the words of ``text``, in order, stop words included."""
    return _stemmed(_WORD.findall(_fold(text)))


@lru_cache(maxsize=1024)
def prepare(title: str, abstract: str | None) -> Document:
    """Return the stems of a paper; the last thousand papers are remembered."""
    return Document(stems(title), stems(abstract or ""))


def terms(words: Sequence[str]) -> Terms:
    """Return what a keyword looks for: its words without stop words, unless nothing else is left.

    ``state-of-the-art``, though typed as one word, is a phrase of four.
    """
    plain = _WORD.findall(_fold(" ".join(words)))
    run = _stemmed(plain)
    content = [stem for word, stem in zip(plain, run, strict=True) if word not in STOP_WORDS]
    return Terms(
        words=tuple(Counter(content or run).items()),
        phrase=run if 2 <= len(run) <= MAX_PHRASE_WORDS else (),
    )


def find_run(run: Sequence[str], field: Sequence[str]) -> int:
    """Return the index at which ``run`` first stands in ``field`` word for word, else -1."""
    width, wanted = len(run), tuple(run)
    for start in range(len(field) - width + 1):
        if field[start] == wanted[0] and tuple(field[start : start + width]) == wanted:
            return start
    return -1


def _stemmed(words: list[str]) -> tuple[str, ...]:
    """Stem in one call; a stemmer keeps state while it works, so each thread has its own.

    The stemmer leaves nothing of the word "s", which then stays as it is.
    """
    stemmer: Stemmer.Stemmer | None = getattr(_local, "stemmer", None)
    if stemmer is None:
        stemmer = _local.stemmer = Stemmer.Stemmer("porter")
    return tuple(stem or word for stem, word in zip(stemmer.stemWords(words), words, strict=True))


def _fold(text: str) -> str:
    return text.lower() if text.isascii() else "".join(map(_fold_char, text))


def _fold_with_places(text: str) -> tuple[str, Sequence[int]]:
    """Fold, and say for each folded character the index of the character it came from."""
    if text.isascii():
        return text.lower(), range(len(text))
    pieces = [_fold_char(char) for char in text]
    places = [index for index, piece in enumerate(pieces) for _ in piece]
    return "".join(pieces), places


@lru_cache(maxsize=4096)
def _fold_char(char: str) -> str:
    """Fold case, diacritics and compatibility forms; character by character, so that places are known."""
    plain = unicodedata.normalize("NFKD", char)
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold()
