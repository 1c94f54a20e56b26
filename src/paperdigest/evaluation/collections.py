"""Relevance collections: folders of papers, questions and judgements, in the layout of BEIR.

==================  ================================================================================================
``corpus.jsonl``    one paper a line: ``_id``, ``title``, ``text`` (the abstract, may be empty)
``queries.jsonl``   one question a line: ``_id``, ``text``, and perhaps ``metadata`` with ``keywords`` (a subscriber's),
                    ``liked`` (ids of liked papers) or ``candidates_prefix`` (of the ids among which likes are drawn)
``qrels.tsv``       question, paper and grade (a whole number; 0 and below: not relevant), split by tabs; a first
                    line without a grade is a header. ``qrels/test.tsv`` is read when there is no such file
==================  ================================================================================================

Source: N. Thakur et al., "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval Models"
(2021).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paperdigest.errors import UsageError

__all__ = ["Collection", "Document", "Query", "find_collections", "lines_of", "read_collection"]

MAX_LINE_CHARS = 10_000_000
MAX_GRADE = 1000
_LAYOUT = "A collection is a folder with corpus.jsonl, queries.jsonl and qrels.tsv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A paper of a collection; ``text`` is its abstract, empty when there is none."""

    id: str
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question of a collection; see the module for what the optional parts mean."""

    id: str
    text: str
    keywords: tuple[str, ...] = ()
    liked: tuple[str, ...] = ()
    candidates_prefix: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """Papers, questions and judgements: ``judgements[query][paper]`` is a grade, relevant above 0.

    ``notes`` say what of the files could not be used.
    """

    name: str
    documents: tuple[Document, ...]
    queries: tuple[Query, ...]
    judgements: Mapping[str, Mapping[str, int]]
    notes: tuple[str, ...] = ()


def find_collections(folders: Iterable[Path]) -> tuple[Path, ...]:
    """Return the collections among folders; one that is none itself stands for those in it, by name.

    Raises:
        UsageError: a folder is none and holds none, or two of one name were given.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        inside = [folder] if _is_collection(folder) else _collections_in(folder)
        if not inside:
            raise UsageError(f"{folder} is no collection and holds none", _LAYOUT)
        for each in inside:
            name = _name(each)
            if found.setdefault(name, each).resolve() != each.resolve():
                raise UsageError(f"{found[name]} and {each} have the same name", "Measure them one after the other")
    return tuple(found.values())


def read_collection(folder: Path) -> Collection:
    """Read a collection; linear in its size, and in memory as a whole.

    Raises:
        UsageError: a file is missing or broken; names the file and the line.
    """
    documents = tuple(_documents(folder / "corpus.jsonl"))
    queries = tuple(_queries(folder / "queries.jsonl"))
    judgements, notes = _judgements(_qrels(folder), {one.id for one in queries}, {one.id for one in documents})
    return Collection(name=_name(folder), documents=documents, queries=queries, judgements=judgements, notes=notes)


def lines_of(path: Path) -> Iterator[tuple[str, str]]:
    """Yield for each line that is not blank its place, to be named in messages, and its text.

    Raises:
        UsageError: the file cannot be read, is not UTF-8, or has a line beyond all measure.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            number = 0
            while line := file.readline(MAX_LINE_CHARS + 1):
                number += 1
                place = f"{path}, line {number}"
                if len(line) > MAX_LINE_CHARS:
                    raise UsageError(f"{place}: longer than {MAX_LINE_CHARS} characters", _LAYOUT)
                if line.strip():
                    yield place, line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8: {error.reason}", "Convert it, e.g. with iconv -t utf-8") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}", _LAYOUT) from error


def _is_collection(folder: Path) -> bool:
    return (folder / "corpus.jsonl").is_file()


def _collections_in(folder: Path) -> list[Path]:
    try:
        return [each for each in sorted(folder.iterdir()) if _is_collection(each)]
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror or error}", _LAYOUT) from error


def _name(folder: Path) -> str:
    return folder.resolve().name or "collection"


def _documents(path: Path) -> Iterator[Document]:
    for place, record in _records(path):
        yield Document(id=record["_id"], title=_text(place, record, "title"), text=_text(place, record, "text"))


def _queries(path: Path) -> Iterator[Query]:
    for place, record in _records(path):
        metadata = record.get("metadata") or {}
        if not isinstance(metadata, dict):
            raise UsageError(f"{place}: metadata is no object", "Leave it out or write {…}")
        prefix = metadata.get("candidates_prefix")
        if prefix is not None and not isinstance(prefix, str):
            raise UsageError(f"{place}: candidates_prefix is no text", "Write what the papers' ids begin with")
        yield Query(
            id=record["_id"],
            text=_text(place, record, "text"),
            keywords=_texts(place, metadata, "keywords"),
            liked=_texts(place, metadata, "liked"),
            candidates_prefix=prefix,
        )


def _records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects of a file with their places; ``_id`` is a text without white space, and occurs once."""
    seen: set[str] = set()
    for place, line in lines_of(path):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{place}: no JSON ({error})", "Write one JSON object a line") from error
        if not isinstance(record, dict):
            raise UsageError(f"{place}: JSON, but no object", 'Write one object a line, like {"_id": "1", …}')
        found = record.get("_id")
        name = str(found) if isinstance(found, str | int) else ""
        if not name or name.split() != [name]:
            raise UsageError(f"{place}: _id is missing, empty or has white space", 'Write "_id": "some-name"')
        if name in seen:
            raise UsageError(f"{place}: the _id {name!r} occurs twice", "Give each line a name of its own")
        seen.add(name)
        yield place, {**record, "_id": name}
    if not seen:
        raise UsageError(f"{path} is empty", _LAYOUT)


def _text(place: str, record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{place}: {key} is no text", f'Write "{key}": "…", or leave it out')
    return value or ""


def _texts(place: str, metadata: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = metadata.get(key) or []
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        raise UsageError(f"{place}: {key} is no list of texts", f'Write "{key}": ["…", "…"]')
    return tuple(dict.fromkeys(value))


def _qrels(folder: Path) -> Path:
    elsewhere = folder / "qrels" / "test.tsv"
    return elsewhere if elsewhere.is_file() and not (folder / "qrels.tsv").exists() else folder / "qrels.tsv"


def _judgements(
    path: Path, queries: set[str], documents: set[str]
) -> tuple[dict[str, dict[str, int]], tuple[str, ...]]:
    """Return the grades, and notes of what judgements are of unknown questions and papers."""
    found: dict[str, dict[str, int]] = {}
    unasked = absent = 0
    for number, (place, line) in enumerate(lines_of(path)):
        cells = line.split("\t")
        if number == 0 and len(cells) == 3 and not _is_number(cells[2]):
            continue
        query, paper, grade = _judgement(place, cells)
        if query not in queries:
            unasked += 1
            continue
        absent += paper not in documents
        if found.setdefault(query, {}).setdefault(paper, grade) != grade:
            raise UsageError(f"{place}: {paper!r} has two grades for {query!r}", "Keep one of them")
    if not any(grade > 0 for grades in found.values() for grade in grades.values()):
        raise UsageError(f"{path} calls no paper relevant for any question", "A grade above 0 says that one is")
    notes = []
    if unasked:
        notes.append(f"{unasked} judgements are of questions that are not in queries.jsonl; they are left out")
    if absent:
        notes.append(f"{absent} judgements are of papers that are not in corpus.jsonl; they count as not found")
    return found, tuple(notes)


def _judgement(place: str, cells: list[str]) -> tuple[str, str, int]:
    if len(cells) != 3 or not _is_number(cells[2]):
        raise UsageError(
            f"{place}: not a question, a paper and a grade split by tabs", "Write e.g. q1<tab>paper7<tab>1"
        )
    grade = int(cells[2])
    if abs(grade) > MAX_GRADE:
        raise UsageError(f"{place}: a grade beyond {MAX_GRADE}", "Grades are small whole numbers")
    return cells[0].strip(), cells[1].strip(), grade


def _is_number(text: str) -> bool:
    digits = text.strip().removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) < 10
