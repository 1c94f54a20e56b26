"""For any bytes: a listing or a ParseError; for any page that is written by the grammar: its papers."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from paperdigest.errors import ParseError
from paperdigest.protocols import ParseContext
from paperdigest.sources.text_dump import TextDumpSource
from paperdigest.types import Listing, ListingState

HEAD = "Daily Papers\n\nbyAK and the research community\n\n"
FRAGMENTS = st.sampled_from((
    "Daily Papers", "byAK and the research community", "Apr 14", "Feb 29", "new", "Subscribe", "\n", "\n\n", "\r\n",
    "  • 2 authors\n·\nMay 27, 2023", "• 3 authors", "·", "Jun 23, 2024 1", "Dec 31", "A title", "An abstract, long.",
    "\ufeff", "$x^2$", "\\", "{", "\u2028", "\x85", "\x0c", "• 1 authors · Foo 99", "• 1 authors\n·\nFeb 30, 0000",
))  # fmt: skip
BODIES = st.one_of(
    st.binary(max_size=300),
    st.lists(FRAGMENTS, max_size=40).map(lambda parts: "".join(parts).encode()),
    st.lists(FRAGMENTS, max_size=40).map(lambda parts: (HEAD + "Apr 14\n\n" + "".join(parts)).encode()),
)
MOMENTS = st.dates().map(lambda day: datetime.combine(day, time(12), UTC))
WORD = st.text(st.characters(categories=["Lu", "Ll"], max_codepoint=0x24F), min_size=1, max_size=12)
LINE = st.lists(WORD, min_size=2, max_size=8).map(lambda words: "On " + " ".join(words))
DATES = st.dates(min_value=date(1990, 1, 1), max_value=date(2026, 11, 22))


@given(BODIES, MOMENTS, st.none() | st.dates(), st.sampled_from(["page.txt", "2026-04-14.txt", "00000000"]))
def test_any_bytes_give_a_listing_or_a_parse_error(body: bytes, now: datetime, day: date | None, name: str) -> None:
    context = ParseContext(source="copied", retrieved_at=now, listed_on=day, name=name)
    try:
        listing = TextDumpSource("copied", {}).parse(body, context)
    except ParseError as error:
        assert str(error).startswith(name)
    else:
        assert isinstance(listing, Listing)
        assert listing.entries
        assert (listing.dropped > 0) == (listing.state is ListingState.PARTIAL)
        assert listing.listed_on == (day or listing.listed_on)


def written(title: str, abstract: str, byline: tuple[int, date, int] | None, page_day: date) -> str:
    text = f"{title}\n\n{abstract}\n\n"
    if byline is None:
        return text
    authors, day, comments = byline
    year = f", {day.year}" if day.year != page_day.year else ""
    return f"{text}  • {authors} authors\n·\n{day:%b} {day.day}{year}{f' {comments}' if comments else ''}\n\n"


@given(
    st.lists(
        st.tuples(LINE, LINE, st.none() | st.tuples(st.integers(1, 999), DATES, st.integers(0, 99))),
        min_size=1, max_size=8, unique_by=lambda paper: paper[0],
    ),
    DATES,
)  # fmt: skip
def test_what_is_written_by_the_grammar_is_read_back(
    papers: list[tuple[str, str, tuple[int, date, int] | None]], page_day: date
) -> None:
    assume(all(byline is None or byline[1] <= page_day for _, _, byline in papers))
    text = HEAD + f"{page_day:%b} {page_day.day}\n\n" + "".join(written(*paper, page_day) for paper in papers)
    now = datetime(page_day.year, page_day.month, page_day.day, 12, tzinfo=UTC) + timedelta(days=1)
    context = ParseContext(source="copied", retrieved_at=now, listed_on=page_day, name="page.txt")
    listing = TextDumpSource("copied", {}).parse(text.encode(), context)
    read = [
        (
            entry.paper.title,
            entry.paper.abstract,
            None
            if entry.paper.published_at is None
            else (entry.paper.authors_count, entry.paper.published_at.date(), entry.comments),
        )
        for entry in listing.entries
    ]
    assert read == papers
    assert (listing.dropped, listing.listed_on, listing.state) == (0, page_day, ListingState.COMPLETE)
