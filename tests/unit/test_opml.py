"""Subscription lists in and out."""

from __future__ import annotations

from pathlib import Path

import pytest

from paperdigest.errors import ParseError
from paperdigest.sources.opml import Outline, read_opml, write_opml

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "feed" / "subscriptions.opml"


def opml(body: str) -> bytes:
    return f'<opml version="2.0"><head/><body>{body}</body></opml>'.encode()


def test_groups_categories_includes_and_pages_are_read_and_programs_are_not() -> None:
    journal, notes, more, page = read_opml(SAMPLE.read_bytes())
    assert journal == Outline(
        url="https://journal.example.org/feed",
        title="Journal of Examples",
        html_url="https://journal.example.org/",
        categories=(("Journals", "Software / Engineering"), ("again",)),
    )
    assert (notes.title, notes.categories) == ("No text", (("a", "b"), ("c",)))
    assert (more.kind, more.url) == ("list", "https://lists.example.org/more.opml")
    assert (page.kind, page.url) == ("page", "https://page.example.org/")


def test_what_was_read_can_be_written_and_read_again() -> None:
    lines = read_opml(SAMPLE.read_bytes())
    assert set(read_opml(write_opml(lines))) == set(lines)


def test_a_list_without_body_is_empty() -> None:
    assert read_opml(b'<opml version="1.0"><head><title>x</title></head></opml>') == ()


def test_outlines_count_also_when_the_root_is_misnamed() -> None:
    (line,) = read_opml(b'<not-opml><body><outline xmlUrl="https://e.org/1"/></body></not-opml>')
    assert (line.url, line.title, line.categories) == ("https://e.org/1", None, ())


@pytest.mark.parametrize(
    "url", ["", " ", "file:///etc/passwd", "|~/bin/x", "javascript:x", "feed://e.org", "https://u@e.org/"]
)
def test_only_web_addresses_are_taken(url: str) -> None:
    assert read_opml(opml(f'<outline text="x" xmlUrl="{url}"/>')) == ()


@pytest.mark.parametrize(
    "broken",
    [
        '<outline text="caf&eacute; &amp; &nonsense;" xmlUrl="https://e.org/1"/>',
        '<outline text="AT&T" xmlUrl="https://e.org/1"></outline></b>',
        '<outline text="x" xmlUrl="https://e.org/1">',
    ],
)
def test_broken_lists_give_what_stands_in_them(broken: str) -> None:
    assert [line.url for line in read_opml(opml(broken))] == ["https://e.org/1"]


def test_html_entities_in_titles_are_read() -> None:
    (line,) = read_opml(opml('<outline text="caf&eacute; &nonsense;" xmlUrl="https://e.org/1"/>'))
    assert line.title == "café &nonsense;"


def test_planets_of_people_are_read_with_their_groups() -> None:
    rdf = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:foaf="http://xmlns.com/foaf/0.1/"
      xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#" xmlns:rss="http://purl.org/rss/1.0/"><foaf:Group>
      <foaf:name>Planet</foaf:name><foaf:member><foaf:Agent><foaf:name>Ada</foaf:name><foaf:weblog>
      <foaf:Document rdf:about="https://ada.example.org/"><rdfs:seeAlso>
      <rss:channel rdf:about="https://ada.example.org/feed"/></rdfs:seeAlso></foaf:Document></foaf:weblog>
      </foaf:Agent></foaf:member></foaf:Group></rdf:RDF>"""
    assert read_opml(rdf.encode()) == (
        Outline(url="https://ada.example.org/feed", title="Ada", categories=(("Planet",),)),
    )


def test_only_the_lists_of_people_one_knows_are_taken_from_see_also() -> None:
    rdf = """<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:f="http://xmlns.com/foaf/0.1/"
      xmlns:s="http://www.w3.org/2000/01/rdf-schema#"><f:Person><s:seeAlso r:resource="https://e.org/me"/>
      <f:knows><f:Person><s:seeAlso r:resource="https://e.org/friend"/></f:Person></f:knows></f:Person></r:RDF>"""
    assert [(line.kind, line.url) for line in read_opml(rdf.encode())] == [("list", "https://e.org/friend")]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "the body is empty, not a subscription list"),
        (b"<html><body>Sign in</body></html>", "an HTML page, not a subscription list"),
        (b'{"feeds": []}', "JSON, not a subscription list"),
        (b'<rss version="2.0"><channel/></rss>', "the root element is <rss>"),
        (b'<!DOCTYPE opml [<!ENTITY a "b">]><opml/>', "the document type declares entities"),
        (opml("<outline>" * 200 + "</outline>" * 200), "nested deeper than 100"),
        (opml("<outline>" * 200_000), "nested deeper than 100"),
    ],
)
def test_what_is_no_list_costs_one_clear_error(body: bytes, problem: str) -> None:
    with pytest.raises(ParseError) as caught:
        read_opml(body, "list.opml")
    assert problem in str(caught.value)
    assert caught.value.where == "list.opml"


def test_written_lists_hold_no_characters_that_xml_forbids() -> None:
    written = write_opml([Outline(url="https://e.org/1", title="a\x00b\ud800c", categories=(("x\x01y",),))])
    (line,) = read_opml(written)
    assert (line.title, line.categories) == ("a b c", (("x y",),))


def test_a_feed_of_two_groups_is_written_into_both_and_read_once() -> None:
    feed = Outline(url="https://e.org/1", title="x", categories=(("a",), ("b", "c")))
    written = write_opml([feed])
    assert written.count(b"https://e.org/1") == 2
    assert read_opml(written) == (feed,)
