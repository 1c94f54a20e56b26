r"""The text of arXiv's announcement mails: entries between rules, fields with continuation lines.

Rules of dashes part the entries; ``%-%-%-`` opens the cross-lists, ``%%--%%--`` the replacements, and
``%%%---%%%---`` ends the mail. In an entry the lines ``\\`` stand before the fields, between fields and
abstract, and at the end (``\\ ( https://arxiv.org/abs/ID ,  243kb)``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from paperdigest.errors import ParseError
from paperdigest.protocols import ParseContext
from paperdigest.sources.arxiv.authors import from_line
from paperdigest.sources.arxiv.calendar import listing_day
from paperdigest.sources.arxiv.dates import from_mail, from_words
from paperdigest.sources.arxiv.papers import Item, listing_of, make_paper
from paperdigest.types import Listing, Period

__all__ = ["looks_like_mail", "parse"]

_MAX_LINES = 500_000
_LOOKS = re.compile(r"^\\\\\s*$|^Subject: .* (?:daily|weekly|new)\b", re.MULTILINE)
_ID_LINE = re.compile(r"(?:arXiv|Paper)(?P<early_cross>\s*\(\*cross-listing\*\))?:\s*(?P<id>\S+)(?P<rest>.*)")
_SUBJECT = re.compile(r"^Subject:.*?\b(?P<new>\d{1,6}) new \+\s*+(?P<cross>\d{1,6})?\s*+crosses", re.MULTILINE)
_HEAD_DATE = re.compile(r"^Date:\s*(.+)$", re.MULTILINE)
_DAY_HEAD = re.compile(r"/\*(.{0,100}?)\*/")
_FIELD = re.compile(r"(?P<name>[A-Z][A-Za-z-]*(?: \(revised v\d+\))?):\s*(?P<value>.*)")
_REVISED = re.compile(r"Date \(revised v(\d{1,4})\)")
_REPLACED = re.compile(r"(?:replaced with revised version|(?:figures|part) added)\s*(?P<date>.*)", re.IGNORECASE)
_SIZE = re.compile(r"\(\d+kb(?:,(?P<flags>\w+))?\)\s*$")
_MARK = re.compile(r"\\\\\s*(?:\(.*)?")
_RULES = (("-" * 20, ""), ("%-%-%-", "cross"), ("%%--%%--", "replace"), ("%%%---%%%", "end"))


@dataclass(slots=True)
class _Block:
    """What stands between two rules, and in which section."""

    section: str
    lines: list[str] = field(default_factory=list)


def looks_like_mail(text: str) -> bool:
    r"""Say whether ``text`` has the ``\\`` lines of an announcement, or the subject of one."""
    return _LOOKS.search(text) is not None


def parse(body: bytes, context: ParseContext) -> Listing:
    """Return the announced entries; complete when the counts of the subject are met and the end is there.

    The day is the one the announcement is listed under: 20:31 on Thursday (Eastern) is Friday's. A mail
    with several day heads is a week's, dated by the newest.

    Raises:
        ParseError: no entry, and no subject that says so.
    """
    if body.count(b"\n") > _MAX_LINES:
        raise ParseError(context.name, f"has more than {_MAX_LINES} lines", source=context.source)
    text = body.decode("utf-8", "replace").replace("\r\n", "\n").lstrip("\ufeff")
    blocks = list(_blocks(text))
    head = "\n".join(next((block.lines for block in blocks if block.lines), []))
    items: list[Item] = []
    dropped = 0
    for block in blocks:
        entry = _entry(block)
        if entry is not None:
            item = _item(*entry)
            items += [item] if item else []
            dropped += item is None
    subject = _SUBJECT.search(head)
    if not items and not dropped and (subject is None or int(subject["new"])):
        raise ParseError(context.name, "is no announcement mail: it has no entries", source=context.source)
    week = [day for match in _DAY_HEAD.finditer(text) if (day := from_words(match[1]))]
    gaps = [] if any(block.section == "end" for block in blocks) else ["the end of the mail is missing"]
    gaps += _missing(subject, items)
    return listing_of(
        context,
        items,
        proved_on=max(week, default=_announced_on(head)),
        period=Period.WEEK if len(set(week)) > 1 else Period.DAY,
        announced=int(subject["new"]) + int(subject["cross"] or 0) if subject else None,
        counted=len(items) + dropped,
        dropped=dropped,
        gaps=gaps,
    )


def _blocks(text: str) -> Iterator[_Block]:
    """Cut the text at its rules; what follows the end rule is a signature and is left out."""
    block = _Block("new")
    for line in text.split("\n"):
        change = next((section for rule, section in _RULES if line.startswith(rule)), None)
        if change is None:
            block.lines.append(line)
            continue
        yield block
        block = _Block(change or block.section)
        if change == "end":
            break
    yield block


def _announced_on(head: str) -> date | None:
    match = _HEAD_DATE.search(head)
    moment = from_mail(match[1]) if match else None
    return listing_day(moment) if moment else None


def _missing(subject: re.Match[str] | None, items: list[Item]) -> list[str]:
    """Compare the subject's counts with what was found, section by section."""
    gaps = []
    for name in ("new", "cross"):
        announced = int(subject[name] or 0) if subject else 0
        found = sum(kind == name for _, kind in items)
        if found < announced:
            gaps.append(f"{found} of {announced} {name} entries")
    return gaps


def _entry(block: _Block) -> tuple[str, list[str], list[str]] | None:
    r"""Return section, field lines and abstract lines of a block that is an entry.

    A block is an entry when a line ``arXiv:ID`` follows a ``\\``; a block cut short before its abstract is one too.
    """
    marks = [at for at, line in enumerate(block.lines) if _MARK.fullmatch(line)]
    for place, at in enumerate(marks):
        end = marks[place + 1] if place + 1 < len(marks) else len(block.lines)
        fields = block.lines[at + 1 : end]
        if any(_ID_LINE.match(line) for line in fields):
            close = marks[place + 2] if place + 2 < len(marks) else len(block.lines)
            opened = end < len(block.lines) and block.lines[end].strip() == "\\\\"
            return block.section, fields, block.lines[end + 1 : close] if opened else []
    return None


def _item(section: str, lines: list[str], abstract: list[str]) -> Item | None:
    id_line: re.Match[str] | None = None
    written: dict[str, list[str]] = {}
    name = ""
    for line in lines:
        if line.startswith("  ") and name:
            written[name].append(line)
        elif id_line is None and (match := _ID_LINE.match(line)):
            id_line = match
        elif match := _REPLACED.match(line):
            name = "Replaced"
            written[name] = [match["date"]]
        elif match := _FIELD.match(line):
            name = match["name"] if match["name"] not in written else "repeated"
            written[name] = [match["value"]]
    if id_line is None:
        return None
    cross = id_line["early_cross"] or "cross-listing" in id_line["rest"]
    announce_type = "cross" if cross and section == "new" else section
    fields = {name: "\n".join(values) for name, values in written.items()}
    return _paper(id_line["id"], fields, "\n".join(abstract).strip() or None, announce_type)


def _paper(id_text: str, fields: dict[str, str], abstract: str | None, announce_type: str) -> Item | None:
    first, _ = _dated(fields.get("Date"))
    revised = [(int(match[1]), fields[name]) for name in fields if (match := _REVISED.fullmatch(name))]
    version, last = max(revised, default=(1 if announce_type == "new" else None, fields.get("Replaced")))
    updated, flags = _dated(last or fields.get("Date"))
    categories = fields.get("Categories", "").split()
    paper = make_paper(
        id_text=id_text,
        title=fields.get("Title"),
        abstract=abstract,
        authors=from_line(" ".join((fields.get("Authors") or fields.get("Author") or "").split()), split_and=True),
        version=version or None,
        published_at=first,
        updated_at=updated,
        primary_category=categories[0] if categories else None,
        categories=categories,
        comment=fields.get("Comments"),
        journal_ref=fields.get("Journal-ref"),
        doi=fields.get("DOI"),
        withdrawn="I" in flags,
    )
    return None if paper is None else (paper, announce_type)


def _dated(text: str | None) -> tuple[datetime | None, str]:
    """Read ``Wed, 15 Mar 2023 18:34:08 GMT   (243kb,D)``: the moment, and the flags (``I``: withdrawn)."""
    size = _SIZE.search(text or "")
    return from_mail((text or "")[: size.start()] if size else text), (size["flags"] or "") if size else ""
