"""Trees of web pages: what is left out, which bytes mean what, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from paperdigest.errors import ParseError
from paperdigest.sources.html import MAX_BYTES, MAX_DEPTH, MAX_TAGS, attribute, soup


def title(body: bytes) -> str:
    found = soup(body, "page.html").title
    assert found is not None
    return found.get_text()


def said(body: bytes) -> str:
    with pytest.raises(ParseError) as caught:
        soup(body, "page.html")
    return str(caught.value)


def test_a_page_becomes_a_tree_of_its_elements_and_their_text() -> None:
    page = soup(b"<!doctype html><p class='a b' id=c>One &amp; <b>two</b><!-- three --><?four?>.", "page.html")
    (paragraph,) = page.find_all("p")
    assert paragraph.get_text() == "One & two."
    assert [str(part) for part in paragraph.strings] == ["One & ", "two", "."]
    assert (attribute(paragraph, "class"), attribute(paragraph, "id"), attribute(paragraph, "x")) == ("a b", "c", "")


def test_elements_that_are_not_wanted_are_read_through() -> None:
    def wanted(tag: str, attributes: Mapping[str, str]) -> bool:
        return tag == "p" or "data-x" in attributes

    page = soup(b"<title>T</title><p>One <b>two</b> <i data-x=1>three<br></i></p><b>four</b>", "page.html", only=wanted)
    assert [tag.name for tag in page.find_all(True)] == ["p", "i"]
    assert [tag.get_text() for tag in page.find_all(True)] == ["One two three", "three"]


def test_the_end_of_an_unwanted_element_ends_no_wanted_one_of_the_same_name() -> None:
    page = soup(b"<div id=a>One <div>two</div> three</div>", "page.html", only=lambda _, attributes: "id" in attributes)
    assert [tag.get_text() for tag in page.find_all(True)] == ["One two three"]


def test_an_encoding_declared_far_behind_the_start_is_not_looked_for() -> None:
    late = "<title>Émilie</title>" + "<p>" * 1500 + "<meta charset=koi8-r>" + " " * 100_000
    assert title(late.encode()) == "Émilie"


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ("<title>Émilie</title>".encode(), "Émilie"),
        ("<title>Émilie</title>".encode("utf-8-sig"), "Émilie"),
        ("\ufeff<title>Émilie</title>".encode("utf-16-le"), "Émilie"),
        ("\ufeff<title>Émilie</title>".encode("utf-16-be"), "Émilie"),
        ("<meta charset=iso-8859-1><title>Émilie’s</title>".encode("cp1252"), "Émilie’s"),
        (
            '<meta http-equiv="Content-Type" content="text/html; charset=KOI8-R"><title>Да</title>'.encode("koi8-r"),
            "Да",
        ),
        ("<meta charset=gb18030><title>论文</title>".encode("gb18030"), "论文"),
        ("<meta charset=utf-8><meta charset=latin-1><title>Émilie</title>".encode(), "Émilie"),
        ("<meta charset=utf-16><title>Émilie</title>".encode(), "Émilie"),
        ("<meta charset=punycode><title>Émilie</title>".encode(), "Émilie"),
        ("<meta charset=no-such-thing><title>Émilie</title>".encode(), "Émilie"),
        ("<title>Émilie</title>".encode("cp1252"), "\N{REPLACEMENT CHARACTER}milie"),
        (b"<title>a\x00b\x1fc</title>", "a b c"),
        (b"<?xml version='1.0' encoding='windows-1251'?><title>\xc4\xe0</title>", "Да"),
    ],
)
def test_bytes_are_in_the_encoding_that_they_declare_else_in_utf_8(body: bytes, read: str) -> None:
    assert title(body) == read


def test_text_is_taken_as_it_is_whatever_it_declares() -> None:
    found = soup("<meta charset=koi8-r><title>Émilie \ud800</title>", "page.html").title
    assert found is not None
    assert found.get_text() == "Émilie ?"


@pytest.mark.parametrize("body", [b"", b"  ", b"words", b"https://example.org/page.html", b"page.html"])
def test_what_holds_no_tag_is_no_page(body: bytes) -> None:
    assert said(body) == "page.html: not a web page: there is no tag in it"


@pytest.mark.parametrize("body", [b"<", b"<!-- only this -->", b"<?xml version='1.0'?>", b"<!doctype html>", b"</p"])
def test_a_page_of_nothing_is_an_empty_tree(body: bytes) -> None:
    assert soup(body, "page.html").find_all(["title", "a", "div"]) == []


def test_a_hundred_open_elements_are_read_and_one_more_is_refused() -> None:
    within = MAX_DEPTH - 2  # in html and body
    assert len(soup(b"<div>" * within, "page.html").find_all("div")) == within
    assert len(soup(b"<div>" * within + b"</div>" * within + b"<p>", "page.html").find_all("p")) == 1
    assert said(b"<div>" * (within + 1)) == "page.html: tags nested deeper than 100, which is refused"


@pytest.mark.parametrize("open_tag", ["<p>", "<li>", "<br>", "<img src=x>", "<td>", "<option>", "<dt><dd>"])
def test_elements_that_need_no_end_do_not_count_as_nested(open_tag: str) -> None:
    name = open_tag[1:].partition(">")[0].split()[0]
    page = soup(f"<table><tr><td><ul>{open_tag * 1000}".encode(), "page.html")
    assert len(page.find_all(name)) >= 1000


def test_pages_that_are_too_long_or_of_too_many_tags_are_refused() -> None:
    assert said(b"<p>" + b" " * MAX_BYTES).startswith("page.html: 16,777,219 bytes are too many for a web page")
    with pytest.raises(ParseError, match="more than 200,000 tags"):
        soup(b"<p>" * (MAX_TAGS + 1), "page.html", only=lambda *_: False)


@pytest.mark.parametrize(
    "body",
    [
        b"<a " * 200_000,
        b"<a " + b"".join(b"a%d " % number for number in range(100_000)),
        b"<" * 200_000,
        b"<!--" * 200_000,
        b"<div>" * 90 + b"</x>" * 200_000,
        b"<meta " * 200_000,
        b"&amp;" * 200_000 + b"<p>",
        b"<p class='" + b"a " * 200_000 + b"'>",
    ],
)
def test_endless_repetitions_are_read_in_one_pass(body: bytes) -> None:
    assert len(soup(body, "page.html").find_all(True)) < MAX_DEPTH
