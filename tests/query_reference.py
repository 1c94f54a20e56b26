"""A slow reference for the query language: each meaning once more, by the longest way round.

It shares no code with `paperdigest.query` but the stems of single words (Porter's rules are tested by themselves).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from paperdigest.query import Clause, Field, Form, Keyword, Occur, Query
from paperdigest.query.text import stems


@dataclass(frozen=True)
class Sheet:
    """A paper as the reference reads it."""

    title: str
    abstract: str = ""
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


def found(query: Query, sheet: Sheet) -> bool:
    """What a search finds."""
    told = [(clause.occur, clause_holds(clause, sheet)) for clause in query.clauses]
    if any(not holds for occur, holds in told if occur is Occur.MUST):
        return False
    if any(holds for occur, holds in told if occur is Occur.NEVER):
        return False
    return any(holds for occur, holds in told if occur is not Occur.NEVER)


def clause_holds(clause: Clause, sheet: Sheet) -> bool:
    return any(holds(keyword, sheet) for keyword in clause.keywords)


@lru_cache(maxsize=100_000)
def holds(keyword: Keyword, sheet: Sheet) -> bool:
    typed = " ".join(keyword.words)
    if keyword.field is Field.AUTHOR:
        return any(name_holds(typed, keyword.form, name) for name in sheet.authors)
    if keyword.field is Field.CATEGORY:
        return any(category_holds(typed, keyword.form, one) for one in sheet.categories)
    if keyword.field is Field.SOURCE:
        return any(whole_holds(typed, keyword.form, one) for one in sheet.sources)
    texts = {Field.TITLE: [sheet.title], Field.ABSTRACT: [sheet.abstract], None: [sheet.title, sheet.abstract]}
    return any(text_holds(typed, keyword.form, text) for text in texts[keyword.field])


def text_holds(typed: str, form: Form, text: str) -> bool:
    if form is Form.EXACT:
        return any(printed(text[start:end]) == printed(typed) for start, end in cuts(text))
    wanted, words = list(word_runs(typed)), list(word_runs(text))
    for at in range(len(words) - len(wanted) + 1) if wanted else ():
        window = words[at : at + len(wanted)]
        if form is Form.PREFIX and window[:-1] == wanted[:-1] and window[-1][: len(wanted[-1])] == wanted[-1]:
            return True
        if form is Form.STEMMED and [stem(word) for word in window] == [stem(word) for word in wanted]:
            return True
    return False


def is_letter(char: str) -> bool:
    """Letters and digits, no raised or lowered ones, and the accents that follow a letter."""
    if unicodedata.normalize("NFKD", char) != char and unicodedata.category(char) in ("No", "Lm"):
        return False
    return unicodedata.category(char)[0] in "LN" or char in "\N{COMBINING ACUTE ACCENT}\N{COMBINING DIAERESIS}"


def cuts(text: str) -> Iterator[tuple[int, int]]:
    """Every stretch of text at whose ends no word is cut in two."""
    joins = [at for at in range(1, len(text)) if is_letter(text[at - 1]) and is_letter(text[at])]
    places = [at for at in range(len(text) + 1) if at not in joins]
    return ((start, end) for start in places for end in places if start < end)


def printed(text: str) -> str:
    """A text with one kind of white space, apostrophe, hyphen and accent."""
    plain = re.sub("[‐‑]", "-", re.sub("[’‘ʼ]", "'", unicodedata.normalize("NFC", text)))
    return re.sub(r"\s+", " ", plain)


def word_runs(text: str) -> Iterator[str]:
    word = ""
    for char in [*text, " "]:
        if is_letter(char):
            word += char
        elif word:
            yield without_accents(word)
            word = ""


def without_accents(word: str) -> str:
    parts = unicodedata.normalize("NFD", word.replace("ß", "ss").replace("ﬁ", "fi"))
    return "".join(char for char in parts if unicodedata.category(char) != "Mn").lower()


@lru_cache(maxsize=10_000)
def stem(word: str) -> str:
    (one,) = stems(word)
    return one


def category_holds(typed: str, form: Form, category: str) -> bool:
    if form is Form.STEMMED:
        return f"{category}.".lower().startswith(f"{typed}.".lower())
    return whole_holds(typed, form, category)


def whole_holds(typed: str, form: Form, value: str) -> bool:
    if form is Form.EXACT:
        return typed == value
    return value.lower().startswith(typed.lower()) if form is Form.PREFIX else value.lower() == typed.lower()


def name_holds(typed: str, form: Form, name: str) -> bool:
    """By listing every way in which the wanted name may be printed; only for names of at most three parts."""
    if form is Form.EXACT:
        return text_holds(typed, form, name)
    parts, wanted = list(name_parts(name)), list(name_parts(typed))
    if form is Form.PREFIX:
        return any(
            window[:-1] == wanted[:-1] and window[-1].startswith(wanted[-1])
            for window in windows(in_western_order(name), len(wanted))
        )
    if in_western_order(typed) in windows(in_western_order(name), len(wanted)):
        return True
    return len(wanted) > 1 and len(parts) > 1 and any(
        family == other and (given_agree(given, others, strict=turned or turned_too))
        for given, family, turned in ways(typed)
        for others, other, turned_too in ways(name)
        if not (turned and turned_too)
    )  # fmt: skip


def windows(parts: list[str], width: int) -> list[list[str]]:
    return [parts[at : at + width] for at in range(len(parts) - width + 1)]


def name_parts(name: str) -> Iterable[str]:
    return word_runs(name.replace("'", "").replace("’", ""))


def in_western_order(name: str) -> list[str]:
    before, comma, after = name.partition(",")
    if comma and after.strip():
        return [*name_parts(after), *name_parts(before)]
    parts = list(name_parts(name))
    families = [part for part in parts if len(part) > 1]
    if parts and len(families) < len(parts) and parts[: len(families)] == families and families:
        return [*parts[len(families) :], *families]
    return parts


def ways(name: str) -> Iterator[tuple[list[str], list[str], bool]]:
    """Given names, family name and whether the latter came first, in each way to read a name."""
    before, comma, after = name.partition(",")
    parts, turned = list(name_parts(name)), in_western_order(name)
    if comma and after.strip():
        yield list(name_parts(after)), list(name_parts(before)), False
    elif turned != parts:
        cut = len([part for part in parts if len(part) == 1])
        yield turned[:cut], turned[cut:], False
    else:
        for cut in range(1, len(parts)):
            yield parts[:cut], parts[cut:], False
        yield parts[1:], parts[:1], True


def given_agree(some: list[str], others: list[str], *, strict: bool) -> bool:
    if "".join(some) == "".join(others):
        return True
    short, long = (some, others) if len(some) <= len(others) else (others, some)

    def fits(at_short: int, at_long: int) -> bool:
        one, other = short[at_short], long[at_long]
        return one == other or (not strict and 1 in (len(one), len(other)) and one[0] == other[0])

    starts = [0] if fits(0, 0) else []
    if not starts and not strict and len(short[0]) > 1:
        starts = [at for at, part in enumerate(long) if part == short[0]][:1]
    return any(follows(1, start + 1, short, long, fits) for start in starts)


def follows(at_short: int, at_long: int, short: list[str], long: list[str], fits: Callable[[int, int], bool]) -> bool:
    if at_short == len(short):
        return True
    return any(
        fits(at_short, place) and follows(at_short + 1, place + 1, short, long, fits)
        for place in range(at_long, len(long))
    )
