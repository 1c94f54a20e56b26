"""Any bytes give a listing or a ParseError; what is written as OPML is read back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paperdigest.errors import ParseError
from paperdigest.protocols import ParseContext
from paperdigest.sources.feed import FeedSource
from paperdigest.sources.feed.armour import armour
from paperdigest.sources.feed.dates import parse_date
from paperdigest.sources.feed.fast import MAX_DEPTH
from paperdigest.sources.feed.fields import Markup
from paperdigest.sources.feed.markup import plain
from paperdigest.sources.opml import Outline, read_opml, write_opml
from paperdigest.types import Listing, ListingState

DATA = Path(__file__).resolve().parents[1] / "data" / "feed"
FEEDS = [path.read_bytes() for path in sorted(DATA.iterdir())]
PIECES = [
    b"<", b">", b"</", b"/>", b"<item>", b"</item>", b"<entry>", b"<title>", b"</title>", b"<link>", b"<b>",
    b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?", b"<!DOCTYPE", b"<!ENTITY", b"&amp;", b"&lt;", b"&nbsp;", b"&#0;",
    b"&#xD800;", b"&", b'"', b"'", b"\x00", b"\xff", b"\xc3\xa9", b"\xef\xbb\xbf", b"xmlns:a='b'", b"http://[", b" ",
    b"\n", b"10.1/", b"{", b"&#99999999999;",
]  # fmt: skip
SLOW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def check(body: bytes) -> None:
    feed = FeedSource("any", {"url": "https://feeds.example.org/"})
    context = ParseContext(source="any", retrieved_at=datetime(2026, 4, 15, tzinfo=UTC), name="any")
    try:
        listing = feed.parse(body, context)
    except ParseError as error:
        assert str(error).startswith("any: ")
    else:
        assert isinstance(listing, Listing)
        assert (listing.state is ListingState.QUIET) <= (not listing.entries)
        assert len({entry.paper.id for entry in listing.entries}) == len(listing.entries)
        assert all(entry.paper.title.strip() for entry in listing.entries)
        assert feed.parse(body, context) == listing


@SLOW
@given(st.binary(max_size=300))
def test_any_bytes_give_a_listing_or_a_parse_error(body: bytes) -> None:
    check(body)


@SLOW
@given(st.lists(st.sampled_from(PIECES), max_size=40), st.sampled_from([b"", b"<rss><channel>", b"<feed>", b"{"]))
def test_any_heap_of_tags_gives_a_listing_or_a_parse_error(pieces: list[bytes], head: bytes) -> None:
    check(head + b"".join(pieces))


@SLOW
@given(st.sampled_from(FEEDS), st.data())
def test_any_damaged_feed_gives_a_listing_or_a_parse_error(body: bytes, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        piece = data.draw(st.sampled_from(PIECES) | st.binary(max_size=3))
        body = body[:at] + piece + body[at + data.draw(st.integers(0, 20)) :]
    check(body)


@SLOW
@given(st.sampled_from(FEEDS), st.data())
def test_any_cut_off_feed_gives_a_listing_or_a_parse_error(body: bytes, data: st.DataObject) -> None:
    check(body[: data.draw(st.integers(0, len(body)))])


@given(st.text(), st.booleans())
def test_plain_text_is_one_printable_line(value: str, html: bool) -> None:
    text = plain(Markup(value, html=html))
    assert text == " ".join(text.split())
    assert not any(ord(char) < 32 or 0xD800 <= ord(char) < 0xE000 for char in text)


@given(st.from_regex(r"[A-Za-z]{1,9}( [A-Za-z]{1,9}){0,9}", fullmatch=True))
def test_plain_words_are_never_lost(words: str) -> None:
    assert plain(Markup(words, html=True)) == plain(Markup(words)) == words


@given(st.text(max_size=60))
def test_any_text_is_a_utc_date_or_none(text: str) -> None:
    date = parse_date(text)
    assert date is None or date.tzinfo is UTC


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001  # made aware in the next line
def test_iso_dates_are_read_back(moment: datetime) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    assert parse_date(moment.isoformat()) == moment


@given(st.lists(st.sampled_from([piece.decode("latin-1") for piece in PIECES]), max_size=60))
def test_armoured_text_holds_no_comment_declaration_or_stray_bracket(pieces: list[str]) -> None:
    try:
        text = armour("<rss>" + "".join(pieces), "any").text
    except ParseError as error:
        assert f"deeper than {MAX_DEPTH}" in str(error)
    else:
        assert "<!" not in text
        assert "<?" not in text
        assert "<<" not in text
        assert "\x00" not in text


WORDS = st.lists(st.text("aZ9é追/,&<>\"'", min_size=1, max_size=6), min_size=1, max_size=3).map(" ".join)
URLS = st.text("az0?=&/", max_size=10).map("https://feeds.example/".__add__)


KINDS: tuple[Literal["feed", "list", "page"], ...] = ("feed", "list", "page")


@st.composite
def outlines(draw: st.DrawFn) -> Outline:
    kind = draw(st.sampled_from(KINDS))
    url = draw(URLS)
    page = {"feed": draw(st.none() | URLS), "list": None, "page": url}[kind]
    paths = draw(st.lists(st.lists(WORDS, min_size=1, max_size=4).map(tuple), max_size=3, unique=True))
    return Outline(url=url, title=draw(st.none() | WORDS), html_url=page, categories=tuple(paths), kind=kind)


@given(st.lists(outlines(), max_size=8, unique_by=lambda line: (line.kind, line.url)))
def test_opml_is_read_back_as_it_was_written(lines: list[Outline]) -> None:
    def by_url(found: tuple[Outline, ...]) -> dict[tuple[str, str], tuple[object, ...]]:
        return {(line.kind, line.url): (line.title, line.html_url, frozenset(line.categories)) for line in found}

    assert by_url(read_opml(write_opml(lines))) == by_url(tuple(lines))


@SLOW
@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_any_heap_of_tags_gives_outlines_or_a_parse_error(pieces: list[bytes]) -> None:
    try:
        found = read_opml(b"<opml><body><outline xmlUrl='https://e.org/1'/>" + b"".join(pieces))
    except ParseError as error:
        assert str(error).startswith("input: ")
    else:
        assert all(line.url.startswith("http") for line in found)
