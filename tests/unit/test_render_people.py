"""The line of authors: the first few, and those whom the reader follows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from paperdigest.render import Renderer
from paperdigest.render.people import authors_spans, followed_by
from paperdigest.render.words import Span
from paperdigest.types import Subscriber, Topic
from tests.digest_samples import digest, named, paper, ranked, subscriber
from tests.html_pages import of_class, parsed, words

MANY = named(*(f"Author Number{chr(65 + n % 26)}{chr(97 + n // 26)}" for n in range(100)), "Jane A. Doe", "Kim Roe")


def follower(*queries: str) -> Subscriber:
    return replace(subscriber(), topics=tuple(Topic(name=f"topic {n}", query=one) for n, one in enumerate(queries)))


def line(*queries: str, names: tuple[str, ...]) -> str:
    spans = authors_spans(paper(authors=named(*names)), followed_by(follower(*queries).topics))
    assert all(span.text for span in spans)
    return "".join(f"*{span.text}*" if span.strong else span.text for span in spans)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ('author:"Jane Doe"', "Ada Example, *Jane A. Doe*, Kim Roe"),
        ('trace +author:"J. Doe"^2', "Ada Example, *Jane A. Doe*, Kim Roe"),
        ('(author:"Kim Roe" OR author:"Ada Example")', "*Ada Example*, Jane A. Doe, *Kim Roe*"),
        ("author:ro*", "Ada Example, Jane A. Doe, *Kim Roe*"),
        ('author:="Jane Doe"', "Ada Example, Jane A. Doe, Kim Roe"),
        ('trace -author:"Jane Doe"', "Ada Example, Jane A. Doe, Kim Roe"),
        ("Doe", "Ada Example, Jane A. Doe, Kim Roe"),
        ("author:", "Ada Example, Jane A. Doe, Kim Roe"),
        ('(broken author:"Jane Doe"', "Ada Example, Jane A. Doe, Kim Roe"),
        ("", "Ada Example, Jane A. Doe, Kim Roe"),
    ],
)
def test_who_is_followed_is_marked_as_the_query_means_it(query: str, shown: str) -> None:
    assert line(query, names=("Ada Example", "Jane A. Doe", "Kim Roe")) == shown


def test_names_of_all_topics_are_followed_and_a_broken_query_takes_none_of_them_away() -> None:
    shown = line('author:"Jane Doe"', '(broken author:"x', 'author:"Kim Roe"', names=("Jane Doe", "Kim Roe"))
    assert shown == "*Jane Doe*, *Kim Roe*"


def test_followed_authors_are_named_wherever_they_stand_and_the_others_counted() -> None:
    followed = followed_by(follower('author:"Jane Doe" author:"Kim Roe"').topics)
    spans = authors_spans(paper(authors=MANY), followed)
    assert [span.text for span in spans if span.strong] == ["Jane A. Doe", "Kim Roe"]
    assert spans[-1] == Span(" + 96 more")
    assert authors_spans(paper(authors=MANY))[-1].text.endswith("+ 98 more")


def test_of_many_followed_authors_three_are_named_beside_the_first_four() -> None:
    names = tuple(f"{chr(65 + n)}da Roe" for n in range(20))
    assert line('author:"Roe"', names=names).count("*") == 2 * 7


def test_the_mail_marks_followed_authors_in_both_parts() -> None:
    made = digest(ranked(paper(authors=named("Ada Example", "Jane Doe"))), to=follower('author:"Jane Doe"'))
    done = Renderer().digest(made)
    (authors,) = (node for node in of_class(parsed(done.html_page), "meta") if "Jane Doe" in words(node))
    assert [words(node) for node in authors.iter("strong")] == ["Jane Doe"]
    assert "\n    Ada Example, *Jane Doe*\n" in done.text_page
