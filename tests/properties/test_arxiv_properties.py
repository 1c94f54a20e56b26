"""Whatever the bytes: a listing or a ParseError; and the little rules that hold for every text."""

from __future__ import annotations

import string
from datetime import UTC, date, datetime, time

from hypothesis import given, settings
from hypothesis import strategies as st

from paperdigest.errors import ParseError
from paperdigest.latex import readable
from paperdigest.sources.arxiv import papers as making
from paperdigest.sources.arxiv.authors import from_line
from paperdigest.sources.arxiv.calendar import announces_on, latest_listing, submission_window
from paperdigest.sources.arxiv.withdrawn import says_withdrawn
from paperdigest.types import Listing
from tests.arxiv_bodies import ENTRIES, body, read

GOOD = [body(name) for name in ENTRIES]
OPENINGS = [
    b"",
    b"<",
    b"<?xml version='1.0'?>",
    b"<rss><channel>",
    b"<html><h3>",
    b"\\\\\narXiv:",
    b"<record>",
    b"\xff\xfe",
]
DAYS = st.dates(min_value=date(1993, 1, 1), max_value=date(2100, 1, 1))


def listing_or_refusal(content: bytes) -> Listing | None:
    try:
        listing = read(content)
    except ParseError as refusal:
        assert str(refusal).startswith("input: ")
        return None
    assert len({entry.paper.id for entry in listing.entries}) == len(listing.entries)
    return listing


@given(opening=st.sampled_from(OPENINGS), content=st.binary(max_size=2000))
def test_any_bytes_give_a_listing_or_a_refusal(opening: bytes, content: bytes) -> None:
    listing_or_refusal(opening + content)


@settings(max_examples=200)
@given(content=st.sampled_from(GOOD), data=st.data())
def test_a_cut_body_gives_a_listing_or_a_refusal(content: bytes, data: st.DataObject) -> None:
    end = data.draw(st.integers(0, len(content)))
    listing_or_refusal(content[:end])
    listing_or_refusal(content[end:])


@settings(max_examples=300)
@given(content=st.sampled_from(GOOD), data=st.data())
def test_a_body_with_a_piece_replaced_gives_a_listing_or_a_refusal(content: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 40)))
    piece = data.draw(st.one_of(st.binary(max_size=20), st.text(max_size=20).map(str.encode)))
    listing_or_refusal(content[:start] + piece + content[end:])


@settings(max_examples=300)
@given(content=st.sampled_from(GOOD), data=st.data())
def test_hostile_text_in_any_field_gives_a_listing_or_a_refusal(content: bytes, data: st.DataObject) -> None:
    text = content.decode()
    words = [word for word in set(text.split()) if word.isalnum()]
    word = data.draw(st.sampled_from(sorted(words)))
    hostile = data.draw(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<&"), max_size=60))
    listing_or_refusal(text.replace(word, hostile).encode())


@given(st.text())
def test_text_that_is_called_plain_is_returned_by_the_tex_reader_as_it_is(text: str) -> None:
    collapsed = " ".join(text.split())
    if making._is_plain(collapsed):
        assert readable(collapsed) == collapsed


@given(st.text(alphabet=string.ascii_letters + string.digits + "(),.;:&' andAND-\\\"{}", max_size=200), st.booleans())
def test_any_line_of_authors_gives_names_without_brackets_lost(line: str, split_and: bool) -> None:
    for one in from_line(line, split_and=split_and):
        assert any(char.isalnum() for char in one.name)


@given(st.lists(st.from_regex(r"[A-Z][a-z]{2,8} [A-Z][a-z]{2,8}", fullmatch=True), min_size=1, max_size=8))
def test_names_joined_by_commas_come_back_in_their_order(names: list[str]) -> None:
    assert [one.name for one in from_line(", ".join(names), split_and=True)] == names


@given(st.text(max_size=400), st.text(max_size=400))
def test_without_the_words_nothing_is_withdrawn(comment: str, abstract: str) -> None:
    if not any(word in f"{comment} {abstract}".lower() for word in ("withdr", "retract", "removed")):
        assert not says_withdrawn(comment, abstract)


@given(DAYS)
def test_a_day_has_a_window_exactly_when_it_has_a_listing(day: date) -> None:
    window = submission_window(day)
    assert (window is not None) == announces_on(day)
    if window is not None:
        assert window[0] < window[1] < datetime(day.year, day.month, day.day, 23, tzinfo=UTC)


@given(DAYS, st.times())
def test_the_latest_listing_is_a_day_with_a_listing_not_later_than_now(today: date, hour: time) -> None:
    now = datetime.combine(today, hour, UTC)
    day = latest_listing(now)
    assert announces_on(day)
    assert 0 <= (now.date() - day).days <= 6
