"""How results are shown: one JSON object for programs, tables for people.

Values become JSON as design and docs/reference say: dates ISO 8601, moments with a ``Z``, enums by name.
"""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import click

from paperdigest.cli.session import clean_lines
from paperdigest.types import PaperId, StoredPaper

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["as_json", "json_option", "paper_fields", "progress_bar", "table"]

json_option = click.option("--json", "as_json_", is_flag=True, help="Print one JSON object on standard output.")


def as_json(value: object) -> None:
    """Print one JSON object on standard output."""
    click.echo(json.dumps(value, default=_plain, ensure_ascii=False))


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, PaperId):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def paper_fields(stored: StoredPaper) -> dict[str, Any]:
    """Return the JSON fields of a paper (command ``papers``)."""
    paper = stored.paper
    return {
        "id": str(paper.id),
        "title": paper.title,
        "abstract": paper.abstract,
        "authors": [author.name for author in paper.authors],
        "authors_count": paper.authors_count,
        "published_at": paper.published_at,
        "first_seen_at": stored.first_seen_at,
        "url": paper.url,
        "version": paper.version,
        "withdrawn": paper.withdrawn,
        "aliases": [str(alias) for alias in paper.aliases],
        "entries": [
            {
                "source": entry.source,
                "listed_on": entry.listed_on,
                "rank": entry.rank,
                "upvotes": entry.upvotes,
                "comments": entry.comments,
                "announce_type": entry.announce_type,
            }
            for entry in stored.entries
        ],
    }


def table(head: Sequence[str], rows: Iterable[Sequence[object]], *, wrap: int) -> None:
    """Print an aligned table; column ``wrap`` takes what width is left and is wrapped, never cut."""
    cells = [[clean(str(value)) if value is not None else "" for value in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(head), *cells]) for i in range(len(head))]
    room = max(24, shutil.get_terminal_size((100, 24)).columns - sum(widths) + widths[wrap] - 2 * (len(head) - 1))
    widths[wrap] = min(widths[wrap], room)
    click.echo(_line(head, widths))
    click.echo(_line(["─" * width for width in widths], widths))
    for row in cells:
        lines = textwrap.wrap(row[wrap], widths[wrap]) or [""]
        click.echo(_line([*row[:wrap], lines[0], *row[wrap + 1 :]], widths))
        for line in lines[1:]:
            click.echo(_line(["" if i != wrap else line for i in range(len(head))], widths))


def clean(text: str) -> str:
    """Return one line without control characters: a title must not drive the reader's terminal."""
    return clean_lines(text).replace("\n", " ")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


@contextmanager
def progress_bar(total: int, label: str) -> Iterator[Callable[[str], None]]:
    """Show a progress bar on a terminal, nothing elsewhere; yields a function to call per step."""
    if total < 2 or not sys.stderr.isatty():
        yield lambda _text: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    from rich.console import Console

    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)

        def step(text: str) -> None:
            bar.update(task, advance=1, description=text)

        yield step
