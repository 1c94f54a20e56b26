"""Strict JSON, and fields that are what they should be or a `ParseError` that says what they are."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn, TypeAlias

from paperdigest.errors import ParseError

__all__ = ["Json", "Record", "decode", "load_json", "printable", "shape"]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

_MAX_COUNT = 2**31 - 1
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_REPR_OF_OBJECT = re.compile(r"\s*\{\s*'")


def decode(body: bytes, name: str) -> str:
    """Return ``body`` as text, without a byte order mark.

    Raises:
        ParseError: empty, or not UTF-8, which is all that the site serves.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseError(name, f"not UTF-8 text: byte {error.start} is {body[error.start]:#04x}") from error
    if not text.strip():
        raise ParseError(name, "the body is empty")
    return text


def load_json(text: str, name: str) -> Json:
    """Return the value that ``text`` spells, by RFC 8259: no NaN, no repeated keys, bounded depth and numbers.

    Raises:
        ParseError: it is not such JSON.
    """
    try:
        value: Json = json.loads(text, object_pairs_hook=_without_repeated_keys, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        problem = f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise ParseError(name, problem, hint="was it cut short?") from error
    except RecursionError as error:
        raise ParseError(name, "not a listing: the JSON is nested too deeply") from error
    except ValueError as error:  # repeated keys, NaN, or a number of more digits than Python reads
        raise ParseError(name, f"not usable JSON: {error}") from error
    return value


def printable(text: str) -> str:
    """Return ``text`` with half surrogate pairs replaced, which JSON may hold but no store or mail can write."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)


def _without_repeated_keys(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in found if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:80]!r} stands twice in one object")
    return found


def _refuse_constant(literal: str) -> NoReturn:
    raise ValueError(f"{literal} is no JSON number")


def shape(value: Json) -> str:
    """Return what ``value`` is, in words for a message.

    >>> shape("text"), shape([])
    ('a string', 'a list')
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str() if _REPR_OF_OBJECT.match(value):
            return "a string (the Python repr of an object?)"
        case str():
            return "a string"
        case int() | float():
            return "a number"
        case list():
            return "a list"
    return "an object"


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON object of a document: ``name`` is the document's, ``place`` the object's in it.

    Every reader returns None for a key that is absent or null, and raises `ParseError` for a value of
    another type than asked for.
    """

    fields: dict[str, Json]
    name: str
    place: str

    @classmethod
    def of(cls, value: Json, name: str, place: str) -> Record:
        """Return ``value`` as a record, refusing whatever is no object."""
        if not isinstance(value, dict):
            raise ParseError(name, f"{place} is {shape(value)}, expected an object")
        return cls(value, name, place)

    def refuse(self, key: str, expected: str) -> ParseError:
        """Return the error that ``key`` is not what was expected."""
        return ParseError(self.name, f"{self.place}: {key!r} is {shape(self.fields.get(key))}, expected {expected}")

    def text(self, key: str) -> str | None:
        """Return a `printable` string."""
        value = self.fields.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.refuse(key, "a string")
        return printable(value)

    def count(self, key: str) -> int | None:
        """Return a whole number from 0 to 2^31 - 1."""
        value = self.fields.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.refuse(key, "a whole number")
        if not 0 <= value <= _MAX_COUNT:
            raise ParseError(self.name, f"{self.place}: {key!r} is out of range, expected 0 to {_MAX_COUNT}")
        return value

    def moment(self, key: str) -> datetime | None:
        """Return an ISO 8601 time in UTC; a date alone is its midnight."""
        value = self.text(key)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError) as error:
            problem = f"{self.place}: {key!r} is {value[:40]!r}, expected an ISO 8601 time"
            raise ParseError(self.name, problem) from error

    def record(self, key: str) -> Record | None:
        """Return the object under ``key``."""
        value = self.fields.get(key)
        return None if value is None else Record.of(value, self.name, f"{self.place}: {key!r}")

    def items(self, key: str) -> list[Json] | None:
        """Return the list under ``key``."""
        value = self.fields.get(key)
        if value is not None and not isinstance(value, list):
            raise self.refuse(key, "a list")
        return value
