"""Names out of arXiv's author strings: separators, affiliations in brackets, collaborations, stray marks."""

from __future__ import annotations

import re
from collections.abc import Iterable

from paperdigest.latex import readable
from paperdigest.types import Author

__all__ = ["author", "from_family_first", "from_line"]

_MAX_NAME_CHARS = 300
_MAX_AFFILIATION_CHARS = 1000
_MAX_LINE_CHARS = 500_000
_MARK = re.compile(r"[(),]| and ", re.IGNORECASE)
_KEY = re.compile(r"\((\d{1,3})\)\s*([^()]+)")
_KEYS = re.compile(r"(?:[\d,\s&*]|and)++", re.IGNORECASE)
_SUFFIX = re.compile(r"(?:Jr|Sr)\.?|I{2,3}|IV", re.IGNORECASE)
_GROUP = re.compile(r"(.{1,200}?\b(?:collaborations?|group|team|consortium))\s*:\s*(?=.)", re.IGNORECASE | re.DOTALL)
_NOT_NAMES = frozenset({"et al", "et al.", "and"})


def author(name: str, affiliation: str | None = None) -> Author | None:
    """Return an author with a readable name, or None for what is no name (a stray colon, "et al.")."""
    name = readable(name)
    if not name[-1:].isalpha():
        name = name.strip(" ,;:")
        if not any(map(str.isalnum, name)):
            return None
    if len(name) > _MAX_NAME_CHARS or (len(name) < 7 and name.lower() in _NOT_NAMES):
        return None
    where = readable(affiliation[:_MAX_AFFILIATION_CHARS]) if affiliation else None
    return Author(name=name, affiliation=where or None)


def from_family_first(names: Iterable[str]) -> tuple[Author, ...]:
    """Read ``Last, First`` and ``Last, First, Jr.``; a name without comma (a collaboration) stays as it is."""
    found = []
    for name in names:
        family, *rest = (part.strip() for part in name.split(","))
        found.append(author(" ".join([*rest[:1], family, *rest[1:]])))
    return tuple(one for one in found if one is not None)


def from_line(line: str, *, split_and: bool) -> tuple[Author, ...]:
    """Read one string of names: ``A. One (Uni X, Lab Y), B. Two and C. Three``.

    Commas in brackets do not part names; numbers in brackets are looked up in a closing key
    ``((1) Uni X, (2) Uni Y)``; ``Some Collaboration: A. One`` names both.

    Args:
        line: the string; brackets that do not match are taken as text.
        split_and: also part names at ``and`` (mail, OAI), which the feeds never write.
    """
    line = " ".join(line[:_MAX_LINE_CHARS].split())
    found: list[Author] = []
    at = 0
    while (group := _GROUP.match(line, at)) is not None:  # groups can stand in groups
        found += filter(None, [author(group[1])])
        at = group.end()
    parts = _parts(line[at:], split_and=split_and)
    key = {number: text.strip(" ,;") for part in parts for number, text in _KEY.findall(part[1])}
    for name, brackets in parts:
        if found and _SUFFIX.fullmatch(name):
            found[-1] = Author(name=f"{found[-1].name} {name}", affiliation=found[-1].affiliation)
        elif (one := author(name, _affiliation(brackets, key))) is not None:
            found.append(one)
    return tuple(found)


def _parts(line: str, *, split_and: bool) -> list[tuple[str, str]]:
    """Split at the top level: pairs of what stands outside brackets and what stands inside (outer ones kept)."""
    bracketed = _balanced(line)
    parts: list[tuple[str, str]] = []
    outside, inside, depth, at = "", "", 0, 0
    for mark in _MARK.finditer(line):
        text, sign = line[at : mark.start()], mark[0]
        at = mark.end()
        if depth:
            inside += text
        else:
            outside += text
        if sign == "(" and bracketed:
            depth += 1
            inside += sign
        elif sign == ")" and bracketed:
            depth -= 1
            inside += sign
        elif depth:
            inside += sign
        elif sign == "," or (sign not in "()" and split_and):
            parts.append((outside.strip(), inside))
            outside, inside = "", ""
        else:
            outside += sign
    parts.append(((outside + line[at:]).strip(), inside))
    return [part for part in parts if part[0] or part[1]]


def _balanced(line: str) -> bool:
    depth = 0
    for char in line:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return False
    return depth == 0


def _affiliation(brackets: str, key: dict[str, str]) -> str | None:
    """Return the text of the first bracket, numbers replaced by what the key says of them."""
    if not brackets or brackets.startswith("(("):
        return None
    text = brackets[1 : _closing(brackets)]
    if _KEYS.fullmatch(text):
        return "; ".join(key[number] for number in re.findall(r"\d+", text) if number in key) or None
    return text


def _closing(brackets: str) -> int:
    """Return the place of the bracket that closes the first one."""
    depth = 0
    for place, char in enumerate(brackets):
        depth += (char == "(") - (char == ")")
        if not depth:
            return place
    return len(brackets)
