"""Topics as typed: ``NAME=QUERY``, and the numbers of each, ``NAME=0.3``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from paperdigest.errors import UsageError
from paperdigest.query import parse_query
from paperdigest.types import Topic

__all__ = ["DEFAULT", "changed_topics"]

DEFAULT = "default"
"""What takes a topic's number back: ``--quota NAME=default``."""

_FRESH = Topic(name="fresh", query="")
# Up to four words that no query could begin with: no sign stands before "=", so that `trace =TRACE`,
# `title:=TRACE` and `(=A OR =B)` stay queries.
_NAMED = re.compile(r"\s*(?P<name>\w(?:[\w.,'&/-]|\ (?=\S)){0,78}\w|\w)=(?P<query>.*)\Z", re.DOTALL | re.VERBOSE)


def changed_topics(
    known: Sequence[Topic], given: Sequence[str], numbers: Mapping[str, Sequence[str]]
) -> tuple[Topic, ...]:
    """Return the topics after a command: ``given`` ones in the place of all; without any the known ones.

    A given topic with the name of a known one keeps its numbers.

    Args:
        known: the topics so far.
        given: ``NAME=QUERY`` or ``QUERY``, which is then its own name; ``NAME=`` is a topic of examples alone.
        numbers: for ``weight``, ``quota`` and ``threshold`` what was typed, each ``NAME=NUMBER``.

    Raises:
        QueryError: a query cannot be read.
        UsageError: two topics of one name; a number for no topic, or out of range.
    """
    before = {topic.name: topic for topic in known}
    topics = {}
    for text in given:
        name, query = _split(text)
        if name in topics:
            raise UsageError(f"two topics are named {name!r}", "Write --topic NAME=QUERY to tell them apart")
        topics[name] = replace(before.get(name, _FRESH), name=name, query=query)
    topics = topics or before
    for field, texts in numbers.items():
        for text in texts:
            name, value = _number(field, text, topics)
            try:
                topics[name] = Topic(**(asdict(topics[name]) | {field: value}))
            except ValueError as error:
                raise UsageError(f"--{field} {text}: {error}") from error
    return tuple(topics.values())


def _split(text: str) -> tuple[str, str]:
    match = _NAMED.match(text)
    if match is None or len(match["name"].split()) > 4:
        return text.strip(), str(parse_query(text))
    return match["name"], str(parse_query(match["query"])) if match["query"].strip() else ""


def _number(field: str, text: str, topics: Mapping[str, Topic]) -> tuple[str, float | None]:
    """Read ``NAME=0.3`` with the name of a topic, whatever signs it has; ``0.3`` alone is for the only one."""
    name, _, value = text.rpartition("=")
    if not name and len(topics) == 1:
        name = next(iter(topics))
    name = name.strip()
    if name not in topics:
        raise UsageError(f"--{field} {text}: no topic is named so", f"Topics: {', '.join(topics) or 'none'}")
    if value.strip() == DEFAULT:
        return name, getattr(_FRESH, field)
    try:
        return name, float(value)
    except ValueError as error:
        raise UsageError(f"--{field} {text}: {value!r} is no number", f"Write --{field} '{name}=0.3'") from error
