"""Markup, dates, authors and labels of feeds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from paperdigest.sources.feed.authors import author_names
from paperdigest.sources.feed.blob import Blob, unpack
from paperdigest.sources.feed.dates import parse_date
from paperdigest.sources.feed.fields import Markup
from paperdigest.sources.feed.markup import MAX_FIELD_CHARS, looks_like_html, plain


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>One</p><p>Two</p>", "One Two"),
        ("H<sub>2</sub>O and <i>E</i><sup>2</sup>", "H2O and E2"),
        ("a &lt; b &amp;amp; c", "a < b &amp; c"),
        ("if x<y and z>w", "if x<y and z>w"),
        ("1 < 2 > 0", "1 < 2 > 0"),
        ("I <3 it", "I <3 it"),
        ("<custom>kept</custom>", "kept"),
        ('<custom x="1">kept', "kept"),
        ("<jats:title>Abstract</jats:title>Text", "Abstract Text"),
        ("<ce:bold so odd>kept</ce:bold>", "kept"),
        ("<script>alert('x')</script>after", "after"),
        ("<style>p { color: red }</style>after", "after"),
        ("<math><mi>x</mi><annotation>\\(x\\)</annotation></math>", "x"),
        ("before<!-- a > b -->after", "beforeafter"),
        ("before<!-- never ends", "before"),
        ('<a title="a > b">link</a>', "link"),
        ("tabs\tand\nlines\r\n  too", "tabs and lines too"),
        ("&#150; &nbsp; &unknown;", "– &unknown;"),
        ("\x96 dash and \x00 nothing", "– dash and nothing"),
        ("Ã©cole", "école"),
    ],
)
def test_markup_becomes_the_text_a_reader_sees(markup: str, expected: str) -> None:
    assert plain(Markup(markup, html=True)) == expected


def test_text_that_is_no_markup_keeps_its_brackets_and_entities() -> None:
    assert plain(Markup("<b>x</b> &amp; y")) == "<b>x</b> &amp; y"


def test_long_fields_are_cut_with_a_mark_and_never_inside_a_tag() -> None:
    text = plain(Markup("word " * (MAX_FIELD_CHARS // 5) + '<a href="x' + "y" * 900, html=True))
    assert text.endswith("word …")
    assert len(text) <= MAX_FIELD_CHARS + 2


def test_lone_surrogates_do_not_get_through() -> None:
    assert plain(Markup("a\ud800b")) == "a\N{REPLACEMENT CHARACTER}b"


@pytest.mark.parametrize("text", ["<b>x</b>", "AT&amp;T", "x &#8212; y"])
def test_undeclared_html_is_recognised(text: str) -> None:
    assert looks_like_html(text)


@pytest.mark.parametrize(
    "text", ["a < b", "AT&T", "use <x> and </x>", "the <script></script> element", "&bogus; <b>", ""]
)
def test_undeclared_text_that_only_resembles_html_stays_text(text: str) -> None:
    assert not looks_like_html(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Thu, 01 Jan 2026 19:48:21 GMT", at(2026, 1, 1, 19, 48, 21)),
        ("Mon, 01 Jan 2026 19:48 +0100", at(2026, 1, 1, 18, 48)),
        ("01 Jan 26 19:48:21 EST", at(2026, 1, 2, 0, 48, 21)),
        ("01-Jan-99", at(1999, 1, 1)),
        ("1 January 2026", at(2026, 1, 1)),
        ("January 5, 2026", at(2026, 1, 5)),
        ("Jan. 5th, 2026", None),
        ("5th Jan 2026", at(2026, 1, 5)),
        ("Thu Jan  1 10:00:00 2026", at(2026, 1, 1, 10)),
        ("Thu Jan 1 10:00:00 PST 2026", at(2026, 1, 1, 18)),
        ("Thu, 01 Jan 2026 24:00:00 GMT", at(2026, 1, 2)),
        ("Thu, 01 Jan 2026 10:00:60 GMT", at(2026, 1, 1, 10, 0, 59)),
        ("Thu, 01 Jan 2026 10:00:00 A", at(2026, 1, 1, 10)),
        ("Thu, 01 Jan 2026 10:00:00 GMT+02:00", at(2026, 1, 1, 8)),
        ("Thu, 01 Jan 2026 10:00:00 +0000 (UTC)", at(2026, 1, 1, 10)),
        ("2026-01-01T10:00:00Z", at(2026, 1, 1, 10)),
        ("2026-01-01T10:00:00.123456-05:00", at(2026, 1, 1, 15)),
        ("2026-01-01T10:00", at(2026, 1, 1, 10)),
        ("2026-01-01 10:00:00", at(2026, 1, 1, 10)),
        ("2026-01-01T10Z", at(2026, 1, 1, 10)),
        ("2026-1-5", at(2026, 1, 5)),
        ("20260105", at(2026, 1, 5)),
        ("20260105T101112Z", at(2026, 1, 5, 10, 11, 12)),
        ("2026-01", at(2026, 1, 1)),
        ("2026", at(2026, 1, 1)),
        ("2026-032", at(2026, 2, 1)),
        ("2026-W02-3", at(2026, 1, 7)),
        ("April 2026", at(2026, 4, 1)),
        (" 2026-01-05 \n", at(2026, 1, 5)),
        ("0001-01-01", None),
        ("2026-02-30", None),
        ("2026-366", None),
        ("32 Jan 2026", None),
        ("1 Nonsense 2026", None),
        ("2026-01-01T10:99", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("2026-01-01T10:00:00+99:00", None),
        ("yesterday", None),
        ("9" * 101, None),
        ("", None),
        (None, None),
    ],
)
def test_dates_are_read_in_every_form_that_feeds_use(text: str | None, expected: datetime | None) -> None:
    assert parse_date(text) == expected


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        (["ada@example.org (Ada Lovelace)"], ["Ada Lovelace"]),
        (["Ada Lovelace <ada@example.org>"], ["Ada Lovelace"]),
        (["Ada Lovelace (ada@example.org)"], ["Ada Lovelace"]),
        (["mailto:ada@example.org"], []),
        (["Lovelace, Ada"], ["Lovelace, Ada"]),
        (["Lovelace, Ada; Turing, Alan;"], ["Lovelace, Ada", "Turing, Alan"]),
        (["Ada Lovelace, Alan Turing"], ["Ada Lovelace", "Alan Turing"]),
        (["Ada Lovelace, Alan Turing, and Grace Hopper"], ["Ada Lovelace", "Alan Turing", "Grace Hopper"]),
        (["Ada Lovelace and Alan Turing"], ["Ada Lovelace", "Alan Turing"]),
        (["Rock and Roll"], ["Rock and Roll"]),
        (["The ATLAS Collaboration"], ["The ATLAS Collaboration"]),
        (["Lovelace, Ada", "Turing, Alan"], ["Lovelace, Ada", "Turing, Alan"]),
        (["Ada", "Ada", "  "], ["Ada"]),
        (["Author name)"], ["Author name)"]),
    ],
)
def test_author_fields_become_names(fields: list[str], names: list[str]) -> None:
    assert [author.name for author in author_names(fields)] == names


def test_an_institute_in_brackets_is_an_affiliation() -> None:
    (ada, alan) = author_names(["Ada Lovelace (Some Lab, UK), Alan Turing"])
    assert (ada.name, ada.affiliation, alan.affiliation) == ("Ada Lovelace", "Some Lab, UK", None)


def test_descriptions_without_labels_are_all_abstract() -> None:
    assert unpack("Authors of tools: we say Summary: of it") == Blob(abstract="Authors of tools: we say Summary: of it")
