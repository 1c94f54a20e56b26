"""The words and stems of `query.text` are those of the store's full-text index, sign by sign."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Sequence
from itertools import product

import pytest

from paperdigest.query.text import stems
from paperdigest.store.schema import SEARCH_DDL

TOKENIZER = re.search(r'tokenize="[^"]*"', SEARCH_DDL[1])
BETTER = "ßẞﬀﬁﬂﬃﬄ"
"""What `query.text` takes apart and the index does not; searches ask for both spellings."""

ODD = "ǡǠẛᢅᢆ"
"""Where the tables of SQLite are at odds with Unicode; in no abstract that anyone has seen."""

SUFFIXES = re.findall(
    r"[a-z]+",
    "s ies sses ss eed ed ing at bl iz y ational tional enci anci izer bly bli blies ably alli entli eli ousli ization "
    "ation ator alism iveness fulness ousness aliti iviti biliti logy logies logi logical icate ative alize iciti ical "
    "ful ness al ance ence er ic able ible ant ement ment ent ion sion ou ism ate iti ous ive ize e ll lling tting",
)
STARTS = "", "a", "tr", "cr", "sky", "trac", "poss", "ontol", "assem", "rel", "generali", "oscill", "x1", "y", "by", "é"


def indexed(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """The words of each text as SQLite indexes them."""
    assert TOKENIZER
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE VIRTUAL TABLE words USING fts5(text, {TOKENIZER[0]})")
    connection.execute("CREATE VIRTUAL TABLE places USING fts5vocab(words, 'instance')")
    connection.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", enumerate(texts))
    found: list[list[str]] = [[] for _ in texts]
    for term, number in connection.execute("SELECT term, doc FROM places ORDER BY doc, offset"):
        found[number].append(term)
    connection.close()
    return [tuple(words) for words in found]


def different(texts: Sequence[str]) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    found = zip(texts, map(stems, texts), indexed(texts), strict=True)
    return [(text, ours, theirs) for text, ours, theirs in found if ours != theirs]


@pytest.mark.parametrize("frame", ["0{}0", "a {}trace", "TRACE{}s"])
def test_every_character_is_a_letter_an_end_or_nothing_in_both(frame: str) -> None:
    # Characters that were assigned later than Unicode 3.2 depend on SQLite's release; private ones have no meaning.
    # Of the 40,000 ideographs and syllables, which are all alike, one in a hundred does.
    numbers = [*range(1, 0x3400), *range(0x3400, 0xD800, 100), *range(0xF900, 0x11000), *range(0x1D000, 0x20000)]
    old = [char for char in map(chr, numbers) if unicodedata.ucd_3_2_0.category(char) not in ("Cn", "Cs", "Co")]
    assert len(old) > 10_000
    assert different([frame.format(char) for char in old if char not in BETTER + ODD]) == []


def test_words_are_cut_to_the_same_stems() -> None:
    words = [start + "".join(ends) for start in STARTS for ends in product(SUFFIXES, ("", *SUFFIXES))]
    # Suffixes alone, and doubled letters that are doubled in no language, are cut differently.
    odd = re.compile(r"(?:eeds?|ies|sses|.*yy(?:ed|ing))\Z")
    assert different([word for word in words if not odd.match(word.replace("é", "e"))]) == []
