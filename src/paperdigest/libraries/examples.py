"""One reference of a collection as an example, and what a collection came to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from paperdigest.identity import arxiv_id, doi_id, title_id, url_id
from paperdigest.latex import readable
from paperdigest.types import PaperId

__all__ = ["Example", "Library", "Record", "Skipped", "library_of"]

MAX_TITLE_CHARS = 1000
MAX_ABSTRACT_CHARS = 20_000
MAX_AUTHORS = 1000
_MAX_NAMES_CHARS = 100_000

_YEAR = re.compile(r"(?<!\d)(1[5-9]\d\d|20\d\d)(?!\d)")
_ARXIV_MENTION = re.compile(r"\barXiv[:\s]\s*([A-Za-z.-]*/?\d[\w.]*)", re.IGNORECASE)
_BETWEEN = re.compile(r" and | ?; ?", re.IGNORECASE)
_TAG = re.compile(r"</?(?:i|b|em|strong|sub|sup|span|p|jats:\w+)(?:\s[^<>]{0,200})?>", re.IGNORECASE)
_ESCAPED = {"\\{": "\ue000", "\\}": "\ue001"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A reference with a title: what can be learned from. ``dated`` orders a collection (the later, the newer)."""

    paper_id: PaperId
    title: str
    abstract: str | None = None
    authors: tuple[str, ...] = ()
    year: int | None = None
    dated: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Entries that were left out: why, how many, and where the first of them stands."""

    reason: str
    count: int
    first: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A collection: its examples, the newest first; what was skipped; and how many more than wanted there were."""

    kind: str
    examples: tuple[Example, ...]
    skipped: tuple[Skipped, ...] = ()
    cut: int = 0

    def sentences(self) -> list[str]:
        """Say what was left out and why; nothing when all is well."""
        lines = [f"{one.count} skipped: {one.reason} (first: {one.first})" for one in self.skipped]
        return [
            *lines,
            *([f"the {len(self.examples)} newest are used, {self.cut} older ones are not"] * bool(self.cut)),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An entry as its format gives it. ``where`` names it for messages; ``problem`` says why it cannot be read.

    ``identifiers`` are texts that may name the paper, the strongest first; ``mentions`` are texts in which an
    arXiv id may stand among other words (a journal, a note).
    """

    where: str
    title: str = ""
    abstract: str = ""
    authors: tuple[str, ...] = ()
    date: str = ""
    added: str = ""
    identifiers: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    problem: str = ""


@dataclass(slots=True)
class _Skips:
    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def add(self, reason: str, where: str) -> None:
        self.counts[reason] += 1
        self.first.setdefault(reason, where)


def library_of(kind: str, records: Iterable[Record], limit: int) -> Library:
    """Make examples of records: each paper once, the ``limit`` newest (of equally old ones those that stand first)."""
    skips = _Skips()
    found: dict[PaperId, Example] = {}
    for record in records:
        problem = record.problem
        example = None if problem else _example(record)
        if example is None:
            skips.add(problem or "without a title", record.where)
        elif len(example.title) > MAX_TITLE_CHARS:
            skips.add(f"with a title of more than {MAX_TITLE_CHARS} characters", record.where)
        elif example.paper_id in found:
            skips.add("the same paper again", record.where)
        else:
            found[example.paper_id] = example
    newest = sorted(found.values(), key=lambda example: example.dated, reverse=True)
    return Library(
        kind=kind,
        examples=tuple(newest[:limit]),
        skipped=tuple(
            Skipped(reason=reason, count=count, first=skips.first[reason]) for reason, count in skips.counts.items()
        ),
        cut=max(0, len(newest) - limit),
    )


def plain(text: str) -> str:
    r"""Return readable text on one line: TeX and the braces that keep capitals (``{T}race``) are gone, tags too."""
    for escaped, stand_in in _ESCAPED.items():
        text = text.replace(escaped, stand_in)
    text = readable(_TAG.sub("", text.replace("\0", " "))).replace("{", "").replace("}", "")
    for escaped, stand_in in _ESCAPED.items():
        text = text.replace(stand_in, escaped[1])
    return " ".join(text.encode("utf-8", "replace").decode("utf-8").split())


def _example(record: Record) -> Example | None:
    title = plain(record.title[: 2 * MAX_TITLE_CHARS])
    if not any(char.isalnum() for char in title):
        return None
    year = _YEAR.search(record.date)
    names = (plain(name[:300]) for name in record.authors[:MAX_AUTHORS])
    return Example(
        paper_id=_identify(record) or title_id(title),
        title=title,
        abstract=plain(record.abstract[:MAX_ABSTRACT_CHARS]) or None,
        authors=tuple(name for name in names if name),
        year=int(year[0]) if year else None,
        dated=_sortable(record.added) or _sortable(record.date),
    )


def _identify(record: Record) -> PaperId | None:
    """Return the strongest identifier: an arXiv id wherever it stands, then a DOI, then a web address."""
    texts = [text.strip() for text in record.identifiers if text.strip()]
    mentioned = [match[1] for text in record.mentions for match in _ARXIV_MENTION.finditer(text[:2000])]
    candidates: list[PaperId | None] = [
        *(arxiv_id(text) for text in (*texts, *mentioned)),
        *(doi_id(text) for text in texts),
        *(url_id(text) for text in texts),
    ]
    return next((found for found in candidates if found is not None), None)


def _sortable(date: str) -> str:
    """Return a date so that later ones sort behind earlier ones: ISO dates as they are, else the year."""
    date = date.strip()
    if re.match(r"\d{4}-\d\d", date):
        return date[:19]
    year = _YEAR.search(date)
    return year[0] if year else ""


def names_of(text: str) -> tuple[str, ...]:
    """Return the names in ``Doe, Jane and Roe, R.`` or ``Doe, Jane; Roe, R.``, the given name first in each."""
    found = _BETWEEN.split(" ".join(text[:_MAX_NAMES_CHARS].split()))
    return tuple(_in_order(name) for name in found if name and name.casefold() != "others")


def _in_order(name: str) -> str:
    family, comma, given = name.partition(",")
    return f"{given.strip(' ,')} {family.strip()}".strip() if comma else name


def first_of(fields: Mapping[str, str], *names: str) -> str:
    """Return the first of these fields that says something, else ""."""
    return next((fields[name] for name in names if fields.get(name, "").strip()), "")
