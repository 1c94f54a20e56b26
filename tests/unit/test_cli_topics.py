"""Topics as typed at the prompt."""

from __future__ import annotations

import pytest

from paperdigest.cli.topics import changed_topics
from paperdigest.errors import QueryError, UsageError
from paperdigest.types import Topic


def typed(*given: str, known: tuple[Topic, ...] = (), **numbers: tuple[str, ...]) -> tuple[Topic, ...]:
    return changed_topics(known, given, numbers)


@pytest.mark.parametrize(
    ("text", "name", "query"),
    [
        ("trace", "trace", "trace"),
        ("links=trace", "links", "trace"),
        ("my links=trace", "my links", "trace"),
        ('links="software traceability" trace', "links", '"software traceability" trace'),
        ("links=", "links", ""),
        ("links = ", "links =", None),
        ("=TRACE", "=TRACE", "=TRACE"),
        ("trace =TRACE", "trace =TRACE", "trace =TRACE"),
        ("links==TRACE", "links", "=TRACE"),
        ("title:=TRACE", "title:=TRACE", "title:=TRACE"),
        ("(=A OR =B)", "(=A OR =B)", "(=A OR =B)"),
        ("+=TRACE", "+=TRACE", "+=TRACE"),
        ('"a=b"', '"a=b"', "a=b"),
        ("one two three four five=trace", None, None),
        ("R&D/ops=trace", "R&D/ops", "trace"),
        ("Überblick=trace", "Überblick", "trace"),
    ],
)
def test_a_name_stands_before_the_first_sign_of_equality(text: str, name: str | None, query: str | None) -> None:
    try:
        (topic,) = typed(text)
    except QueryError:
        assert query is None
        return
    assert name is None or topic.name == name
    assert query is None or topic.query == query


def test_numbers_are_set_by_name_and_taken_back() -> None:
    topics = typed("a=x", "b=y", weight=("a=2",), quota=("b=0.25",), threshold=("b=0.5", "a=0"))
    assert topics == (
        Topic(name="a", query="x", weight=2.0, threshold=0.0),
        Topic(name="b", query="y", quota=0.25, threshold=0.5),
    )
    back = typed(known=topics, weight=("a=default",), quota=("b=default",), threshold=("b=default",))
    assert back == (Topic(name="a", query="x", threshold=0.0), Topic(name="b", query="y"))


def test_a_number_alone_is_for_the_only_topic() -> None:
    assert typed("trace", weight=("3",))[0].weight == 3
    assert typed("=TRACE", quota=("=TRACE=0.5",))[0].quota == 0.5


def test_a_topic_given_again_keeps_its_numbers() -> None:
    known = (Topic(name="a", query="x", weight=2.0, quota=0.5), Topic(name="b", query="y"))
    assert typed("a=z", known=known) == (Topic(name="a", query="z", weight=2.0, quota=0.5),)
    assert typed(known=known) == known


@pytest.mark.parametrize(
    ("given", "numbers", "says"),
    [
        (("a=x", "a=y"), {}, "two topics are named 'a'"),
        (("a=x",), {"quota": ("b=1",)}, "no topic is named so. Topics: a"),
        (("a=x", "b=y"), {"quota": ("0.5",)}, "no topic is named so"),
        (("a=x",), {"quota": ("a=much",)}, "'much' is no number"),
        (("a=x",), {"quota": ("a=2",)}, "share in (0, 1]"),
        (("a=x",), {"threshold": ("a=1",)}, "[0, 1)"),
        (("a=x",), {"weight": ("a=0",)}, "above 0"),
        (("a=x",), {"weight": ("a=nan",)}, "above 0"),
        (("a=x",), {"threshold": ("a=nan",)}, "[0, 1)"),
        ((), {"weight": ("2",)}, "Topics: none"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    given: tuple[str, ...], numbers: dict[str, tuple[str, ...]], says: str
) -> None:
    with pytest.raises(UsageError) as caught:
        changed_topics((), given, numbers)
    assert says in str(caught.value)
