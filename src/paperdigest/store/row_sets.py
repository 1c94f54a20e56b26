"""Sets of papers, and which papers a keyword matches when the full-text index alone cannot say.

The index, or a comparison that SQLite makes, names the candidates; `query.matching` decides on each. A prefix has no
candidates, as the index holds stems: all papers that may still count are read, a few at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Self

from sqlalchemy import Connection

from paperdigest.query import Field, Form, Keyword
from paperdigest.query.matching import Document, matcher
from paperdigest.query.names import Name
from paperdigest.query.text import folded, letters, words
from paperdigest.store import full_text

__all__ = ["Rows", "looked_up", "read_through"]

_AT_ONCE = 500
_CACHED = 50_000
_ALL_TEXTS = "SELECT id, title, abstract FROM papers"
_TEXTS = "SELECT id, title, abstract FROM papers WHERE id IN (SELECT value FROM json_each(?))"
_MATCHING = "SELECT rowid FROM paper_search WHERE paper_search MATCH ?"
_CATEGORIES = "SELECT id, primary_category, categories FROM papers"
_SOURCES = "SELECT DISTINCT source FROM listings"
_LISTED = """
SELECT DISTINCT e.paper_id FROM entries e JOIN listings l ON l.id = e.listing_id
WHERE e.confirmed AND l.source IN (SELECT value FROM json_each(?))
"""
_NAMES = "SELECT paper_id, name FROM authors"
_MAY_BE_SPELLED_OTHERWISE = "name GLOB '*[^ -~]*' OR name GLOB '*[''`]*'"


class Rows:
    """A set of papers by number: a bit for each paper, so that a hundred sets of a million take 12 MB."""

    __slots__ = ("_bits",)

    def __init__(self, bits: int = 0) -> None:
        self._bits = bits

    @classmethod
    def of(cls, numbers: Iterable[int]) -> Self:
        """Return the set of these numbers, each 0 or more."""
        bits = bytearray()
        for number in numbers:
            if number >= len(bits) * 8:
                bits.extend(bytes(number // 8 + 1))  # at least doubled, so that growing costs little
            bits[number >> 3] |= 1 << (number & 7)
        return cls(int.from_bytes(bits, "little"))

    def __and__(self, other: Rows) -> Rows:
        return Rows(self._bits & other._bits)

    def __or__(self, other: Rows) -> Rows:
        return Rows(self._bits | other._bits)

    def __sub__(self, other: Rows) -> Rows:
        return Rows(self._bits & ~other._bits)

    def __len__(self) -> int:
        return self._bits.bit_count()

    def __iter__(self) -> Iterator[int]:
        """Yield the numbers, lowest first."""
        for place, byte in enumerate(self._bits.to_bytes(self._bits.bit_length() // 8 + 1, "little")):
            if byte:
                yield from (place * 8 + bit for bit in range(8) if byte >> bit & 1)

    def only(self, numbers: Iterable[int]) -> Iterator[int]:
        """Yield those of ``numbers`` that are in the set, in their order."""
        bits = self._bits.to_bytes(self._bits.bit_length() // 8 + 1, "little")
        return (number for number in numbers if number >> 3 < len(bits) and bits[number >> 3] >> (number & 7) & 1)


def looked_up(connection: Connection, keywords: Iterable[Keyword]) -> dict[Keyword, Rows]:
    """Return the papers that each of these keywords matches, all but prefixes of title and abstract."""
    wanted = tuple(keywords)
    found = _by_author(connection, [one for one in wanted if one.field is Field.AUTHOR])
    found |= _by_category(connection, [one for one in wanted if one.field is Field.CATEGORY])
    found |= _by_source(connection, [one for one in wanted if one.field is Field.SOURCE])
    for keyword in wanted:
        if keyword not in found:
            found[keyword] = _by_text(connection, keyword)
    return found


def read_through(connection: Connection, prefixes: Sequence[Keyword], within: Rows | None) -> dict[Keyword, Rows]:
    """Return the papers of ``within`` (None: of all) that each prefix matches, in one reading."""
    if not prefixes:
        return {}
    found: dict[Keyword, list[int]] = {keyword: [] for keyword in prefixes}
    typed = {keyword: parts for keyword in prefixes if (parts := words(" ".join(keyword.words)))}
    for number, document in _documents(connection, within):
        texts = {Field.TITLE: folded(document.title), Field.ABSTRACT: folded(document.abstract)}
        for keyword, (*before, start) in typed.items():
            fields = (keyword.field,) if keyword.field else texts
            if any(_begins_a_word(start, texts[field]) for field in fields) and (
                not before or matcher(keyword)(document)
            ):
                found[keyword].append(number)
    return {keyword: Rows.of(numbers) for keyword, numbers in found.items()}


def _begins_a_word(start: str, text: str) -> bool:
    """Say whether a word of a folded text begins so."""
    at = text.find(start)
    while at > 0 and text[at - 1].isalnum():
        at = text.find(start, at + 1)
    return at >= 0


def _by_text(connection: Connection, keyword: Keyword) -> Rows:
    candidates = full_text.candidates(keyword)
    if candidates is None:
        return Rows()
    found = Rows.of(connection.exec_driver_sql(_MATCHING, (candidates,)).scalars())
    if full_text.is_decided(keyword):
        return found
    is_match = matcher(keyword)
    return Rows.of(number for number, document in _documents(connection, found) if is_match(document))


def _documents(connection: Connection, within: Rows | None) -> Iterator[tuple[int, Document]]:
    """Yield number and texts of papers, a few at a time."""
    if within is None:
        for number, title, abstract in connection.exec_driver_sql(_ALL_TEXTS):
            yield number, Document(title, abstract or "")
        return
    numbers = iter(within)
    while some := list(islice(numbers, _AT_ONCE)):
        for number, title, abstract in connection.exec_driver_sql(_TEXTS, (json.dumps(some),)):
            yield number, Document(title, abstract or "")


def _by_author(connection: Connection, keywords: Sequence[Keyword]) -> dict[Keyword, Rows]:
    """Look through the names once for all keywords."""
    if not keywords:
        return {}
    pieces = [_pieces_of_name(keyword) for keyword in keywords]
    statement, parameters = _NAMES, tuple[str, ...]()
    if all(pieces):
        distinct = sorted({piece for some in pieces for piece in some})
        statement += f" WHERE {_MAY_BE_SPELLED_OTHERWISE}" + " OR name LIKE ?" * len(distinct)
        parameters = tuple(f"%{piece}%" for piece in distinct)
    found: dict[Keyword, list[int]] = {keyword: [] for keyword in keywords}
    known: dict[str, tuple[Keyword, ...]] = {}
    for number, name in connection.exec_driver_sql(statement, parameters):
        if name not in known:
            if len(known) >= _CACHED:
                known.clear()
            document = Document(authors=(name,))
            known[name] = tuple(keyword for keyword in keywords if matcher(keyword)(document))
        for keyword in known[name]:
            found[keyword].append(number)
    return {keyword: Rows.of(numbers) for keyword, numbers in found.items()}


def _pieces_of_name(keyword: Keyword) -> tuple[str, ...]:
    """Return letters of which some stand, in any case, in each plainly spelled name that matches; none: no telling.

    They are letters and digits of ASCII, so that nothing in them is a sign of LIKE.
    """
    typed = " ".join(keyword.words)
    if keyword.form is Form.EXACT:
        longest = max(letters(typed), key=len, default="")
        return (longest,) if longest.isascii() and longest else ()
    spellings = [spelling for part in Name.of(typed).parts for spelling in part if spelling.isascii()]
    return tuple(spelling for spelling in spellings if len(spelling) > 1 or len(spellings) == 1)


def _by_category(connection: Connection, keywords: Sequence[Keyword]) -> dict[Keyword, Rows]:
    if not keywords:
        return {}
    found: dict[Keyword, list[int]] = {keyword: [] for keyword in keywords}
    known: dict[tuple[str | None, str | None], tuple[Keyword, ...]] = {}
    for number, primary, listed in connection.exec_driver_sql(_CATEGORIES):
        if (primary, listed) not in known:
            if len(known) >= _CACHED:
                known.clear()
            every = (*(json.loads(listed) if listed else ()), *filter(None, (primary,)))
            document = Document(categories=every)
            known[primary, listed] = tuple(keyword for keyword in keywords if matcher(keyword)(document))
        for keyword in known[primary, listed]:
            found[keyword].append(number)
    return {keyword: Rows.of(numbers) for keyword, numbers in found.items()}


def _by_source(connection: Connection, keywords: Sequence[Keyword]) -> dict[Keyword, Rows]:
    names = list(connection.exec_driver_sql(_SOURCES).scalars()) if keywords else []
    found: dict[Keyword, Rows] = {}
    for keyword in keywords:
        wanted = [name for name in names if matcher(keyword)(Document(sources=(name,)))]
        found[keyword] = Rows.of(connection.exec_driver_sql(_LISTED, (json.dumps(wanted),)).scalars())
    return found
