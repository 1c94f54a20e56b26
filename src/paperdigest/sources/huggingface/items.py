"""API items become entries; the same items stand in the pages' ``data-props``.

What an item that is not as it should be becomes:

- a value of another type than ever seen (a string for the item, a list for the title, an unreadable
  date): the whole body is refused, because its shape has changed and a guess would store wrong papers;
- no title: the item is dropped and counted, there is nothing to show;
- no id: kept under its title when it has a title and a date, else dropped and counted;
- any other field absent: None. 0 upvotes are 0.

Every key but ``paper`` may be absent: the schema grew from 2024 to 2026 (``mediaUrls``, ``discussionId``,
``submittedOnDailyAt``, ``githubRepo``, ``organization`` came one after the other). Machine-written fields
(``ai_summary``, ``ai_keywords``) and those about submitters are never read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from paperdigest.errors import ParseError
from paperdigest.identity import normalise_url, split_arxiv, title_id, url_id
from paperdigest.latex import readable
from paperdigest.sources.huggingface.wire import Json, Record, printable, shape
from paperdigest.types import Author, Entry, Paper, PaperId

__all__ = ["PAPER_PAGE", "Identity", "Items", "identify", "read_items"]

PAPER_PAGE = "https://huggingface.co/papers/"
_MAX_URL = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """The entries of one body. ``size`` counts the items as they came: dropped and repeated ones too.

    ``submitted_on`` holds the UTC days on which they were put on the daily list, where that is said.
    """

    entries: tuple[Entry, ...]
    size: int
    dropped: int = 0
    submitted_on: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a paper's id on the site says about it."""

    id: PaperId
    version: int | None = None
    url: str | None = None
    pdf_url: str | None = None


def read_items(value: Json, name: str, what: str = "the body") -> Items:
    """Return the entries of a list of items, a paper listed twice kept once, at its first place.

    Args:
        value: the decoded list.
        name: the document's name, for messages.
        what: which part of the document ``value`` is, for messages.

    Raises:
        ParseError: ``value`` is no list, or an item has an unexpected shape.
    """
    if not isinstance(value, list):
        raise ParseError(name, f"{what} is {shape(value)}, expected a list of items")
    entries: dict[PaperId, Entry] = {}
    days = []
    rank = dropped = 0
    for number, raw in enumerate(value):
        item = Record.of(raw, name, f"item {number}")
        paper = item.record("paper")
        if paper is None:
            raise ParseError(name, f"item {number} has no 'paper', expected an object of that name")
        if (submitted_at := paper.moment("submittedOnDailyAt")) is not None:
            days.append(submitted_at.date())
        read = _read_paper(item, paper)
        if read is not None and read.id in entries:
            continue
        rank += 1
        if read is None:
            dropped += 1
            continue
        upvotes = paper.count("upvotes")
        entries[read.id] = Entry(
            paper=read,
            rank=rank,
            upvotes=item.count("upvotes") if upvotes is None else upvotes,
            comments=item.count("numComments"),
        )
    return Items(entries=tuple(entries.values()), size=len(value), dropped=dropped, submitted_on=tuple(days))


def _read_paper(item: Record, paper: Record) -> Paper | None:
    """The item's own ``publishedAt`` is US Eastern time marked as UTC (or another stamp): never used."""
    title_source = _less_damaged(item.text("title"), paper.text("title"))
    title = readable(title_source)
    published_at = paper.moment("publishedAt")
    identity = identify(paper.text("id"))
    if identity is None and title and published_at is not None:
        identity = Identity(id=title_id(title))
    authors = _visible_authors(paper)
    abstract_source = paper.text("summary") or item.text("summary")
    code_url = _web_address(paper.text("githubRepo") or item.text("githubRepo"))
    if identity is None or not title:
        return None
    abstract = readable(abstract_source) if abstract_source else ""
    return Paper(
        id=identity.id,
        title=title,
        title_source=title_source if title_source != title else None,
        abstract=abstract or None,
        abstract_source=abstract_source if abstract and abstract_source != abstract else None,
        authors=authors or (),
        authors_count=None if authors is None else len(authors),
        published_at=published_at,
        version=identity.version,
        url=identity.url,
        pdf_url=identity.pdf_url,
        code_url=code_url,
    )


def _less_damaged(outer: str | None, inner: str | None) -> str:
    r"""Choose between the item's title and the paper's: the one that kept more TeX, else the paper's.

    In the older files the paper's title lost its dollars and backslashes (``LLM$\times$MapReduce`` became
    ``LLMtimesMapReduce``) where the item's kept them.
    """
    outer, inner = outer or "", inner or ""
    if not inner.strip():
        return outer
    return outer if _tex_marks(outer) > _tex_marks(inner) else inner


def _tex_marks(title: str) -> int:
    return title.count("$") + title.count("\\")


def _visible_authors(paper: Record) -> tuple[Author, ...] | None:
    """Hidden authors asked not to be printed; records without a name have nothing to print."""
    records = paper.items("authors")
    if records is None:
        return None
    authors = []
    for number, record in enumerate(records):  # most of a body is authors: no object is made on the way
        if not isinstance(record, dict):
            raise ParseError(paper.name, f"{paper.place}: author {number} is {shape(record)}, expected an object")
        name = record.get("name")
        if name is None or record.get("hidden"):
            continue
        if not isinstance(name, str):
            raise Record(record, paper.name, f"{paper.place}: author {number}").refuse("name", "a string")
        if name := readable(printable(name)):
            authors.append(Author(name=name))
    return tuple(authors)


def identify(local: str | None) -> Identity | None:
    """Return what an id of the site says; on the site a paper's id is its arXiv id without version.

    None when there is none, or none that can be kept.
    """
    local = (local or "").strip()
    if not local or len(local) > _MAX_URL:
        return None
    if (arxiv := split_arxiv(local)) is not None:
        number, version = arxiv
        return Identity(
            id=PaperId(scheme="arxiv", local=number),
            version=version,
            url=f"https://arxiv.org/abs/{number}",
            pdf_url=f"https://arxiv.org/pdf/{number}",
        )
    url = PAPER_PAGE + quote(local, safe="/")
    by_url = url_id(url)
    return None if by_url is None else Identity(id=by_url, url=url)


def _web_address(url: str | None) -> str | None:
    """Return an http(s) address, and nothing else that a link could hold."""
    url = (url or "").strip()
    if len(url) > _MAX_URL or not url.isprintable() or " " in url or normalise_url(url) is None:
        return None
    return url
