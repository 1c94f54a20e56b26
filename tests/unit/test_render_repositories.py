"""The address of a paper's code, found in its abstract."""

from __future__ import annotations

import pytest

from paperdigest.render.papers import paper_view
from paperdigest.render.repositories import code_url_in
from tests.digest_samples import paper, ranked


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("Code: https://github.com/a/b.", "https://github.com/a/b"),
        ("(see https://github.com/a/b).", "https://github.com/a/b"),
        ("at github.com/a/b, and", "https://github.com/a/b"),
        ("www.github.com/a/b", "https://www.github.com/a/b"),
        ("http://gitlab.com/a/b/-/tree/main?x=1", "http://gitlab.com/a/b/-/tree/main?x=1"),
        ("HTTPS://GitHub.com/A/b", "HTTPS://GitHub.com/A/b"),
        ("models at https://huggingface.co/a/b and", "https://huggingface.co/a/b"),
        ("https://zenodo.org/records/123456!", "https://zenodo.org/records/123456"),
        ("https://codeberg.org/a/b", "https://codeberg.org/a/b"),
        ("https://bitbucket.org/a/b", "https://bitbucket.org/a/b"),
        ("https://gist.github.com/a/b", "https://gist.github.com/a/b"),
        ("[code](https://github.com/a/b)", "https://github.com/a/b"),
        ("{https://github.com/a/b}", "https://github.com/a/b"),
        ("**https://github.com/a/b**", "https://github.com/a/b"),
        ("https://example.org/x then https://github.com/a/b", "https://github.com/a/b"),
        ("https://github.com/a/b and https://github.com/c/d", "https://github.com/a/b"),
    ],
)
def test_an_address_of_a_place_for_code_is_found_without_the_marks_around_it(text: str, url: str) -> None:
    assert code_url_in(text) == url


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "on GitHub",
        "https://github.com",
        "https://github.com/",
        "https://example.org/github.com/a",
        "https://evilgithub.com/a/b",
        "https://github.com.example.org/a/b",
        "javascript:github.com@evil.example/x",
        "me@github.com/x",
        "ftp://github.com/a/b",
        "https://user:pass@github.com/a",
        "https://github.com/" + "a" * 3000,
        "https://github.com/....",
    ],
)
def test_what_only_looks_like_one_is_none(text: str | None) -> None:
    assert code_url_in(text) is None


def links(**fields: object) -> list[str]:
    given: dict[str, object] = {"url": None, "pdf_url": None} | fields
    return [link.url for link in paper_view(ranked(paper(1, **given))).links]


def test_what_the_source_names_wins_over_the_abstract_and_that_over_the_comment() -> None:
    abstract, comment = "https://github.com/in/abstract", "10 pages, github.com/in/comment"
    assert links(code_url="https://example.org/x", abstract=abstract) == ["https://example.org/x"]
    assert links(code_url="javascript:x", abstract=abstract, comment=comment) == ["https://github.com/in/abstract"]
    assert links(abstract="None.", comment=comment) == ["https://github.com/in/comment"]
    assert links(abstract=None) == []


def test_only_the_beginning_of_an_endless_abstract_is_searched() -> None:
    assert code_url_in("=github.com/." * 1_000_000) is None
    assert code_url_in("x" * 10_000_000 + " https://github.com/a/b") is None
