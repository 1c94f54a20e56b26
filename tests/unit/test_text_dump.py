"""The copied text of a Daily Papers page: grammar, dates, and what becomes of damage."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from paperdigest.errors import ParseError, SourceError
from paperdigest.http import HttpClient, Request, Response
from paperdigest.protocols import FetchRequest, ParseContext
from paperdigest.sources.text_dump import TextDumpSource
from paperdigest.types import Entry, Listing, ListingState, Period, Unmodified, Validators

PAGE = (Path(__file__).resolve().parents[1] / "data" / "text_dump" / "page.txt").read_text(encoding="utf-8")
HEAD = "Daily Papers\n\nbyAK and the research community\n\nApr 14\n\n"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def parse(text: str | bytes, *, listed_on: date | None = None, name: str = "page.txt", now: datetime = NOW) -> Listing:
    body = text.encode() if isinstance(text, str) else text
    context = ParseContext(source="copied", retrieved_at=now, listed_on=listed_on, name=name)
    return TextDumpSource("copied", {}).parse(body, context)


def read(entry: Entry) -> tuple[int | None, str | None, int | None]:
    published = entry.paper.published_at
    return entry.paper.authors_count, published.date().isoformat() if published else None, entry.comments


def paper(number: int, byline: str = "  • 2 authors\n·\nMay 27, 2023\n\n") -> str:
    return f"Title number {number}\n\nThe abstract of paper number {number}, in one line.\n\n{byline}"


@pytest.mark.real
def test_the_seed_page_reads_as_its_reference_says(shared: Path) -> None:
    folder = shared / "data" / "seed-trace"
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))["papers"]
    listing = parse((folder / "seed.txt").read_bytes(), name="seed.txt")
    assert (listing.listed_on, listing.state, listing.dropped) == (date(2026, 4, 14), ListingState.COMPLETE, 0)
    assert [(entry.paper.title, *read(entry)) for entry in listing.entries] == [
        (one["title"], one["authors_count"], one["date"], one["comments"]) for one in expected
    ]
    sources = [entry.paper.abstract_source or entry.paper.abstract or "" for entry in listing.entries]
    assert [len(text) for text in sources] == [one["abstract_chars"] for one in expected]


def test_a_page_is_read_in_order() -> None:
    listing = parse(PAGE)
    assert [(entry.rank, entry.paper.title[:8], *read(entry)) for entry in listing.entries] == [
        (1, "TRACE: C", 4, "2026-04-06", 0),
        (2, "Enhancin", None, None, None),
        (3, "Trace is", 3, "2024-06-23", 1),
        (4, "CoCoNUT:", 1, "2025-11-08", 0),
    ]
    assert (listing.kind, listing.period, listing.state) == ("text-dump", Period.SEARCH, ListingState.COMPLETE)
    assert listing.announced_count is None
    assert str(listing.entries[0].paper.id).startswith("title:trace-capability-targeted")


def test_tex_becomes_readable_and_the_source_text_is_kept() -> None:
    first, second, third, _ = (entry.paper for entry in parse(PAGE).entries)
    assert first.abstract is not None and "34.43% is" in first.abstract and "the story." in first.abstract
    assert first.abstract_source is not None and "{\\em story}" in first.abstract_source
    assert second.abstract_source is None
    assert third.abstract is not None and third.abstract.endswith("in O(n²) time.")


@pytest.mark.parametrize(
    "text",
    [
        PAGE.replace("\n", "\r\n"),
        PAGE.replace("\n", "\r"),
        PAGE.rstrip("\n"),
        PAGE + "\n\n  \n",
        PAGE.replace("\n\n", "\n \t\n\n\u00a0\n"),
        PAGE.replace("\n·\n", "\n\n·\n\n"),
        PAGE.replace("\n·\n", " · "),
        PAGE.replace("  • ", "• ").replace("new\n", "", 1),
        "\n\n" + PAGE,
        PAGE.replace("Subscribe", "Get trending papers in your email inbox once a day!\n\nSubscribe"),
        PAGE.replace("Get trending papers in your email inbox!\n\nSubscribe\n\n", ""),
        PAGE.replace("byAK and", "by\n\nAK\n\nand"),
        "Hugging Face\nModels\nDatasets\n\n" + PAGE,
        PAGE.replace("Daily Papers\n\nbyAK and the research community\n\nApr 14",
                     "Apr 14\n\nbyAK and the research community\n\nDaily Papers"),
        PAGE.replace("of what", "of\nwhat").replace("agents that are", "agents\nthat are"),
    ],
)  # fmt: skip
def test_harmless_differences_of_the_copy_change_nothing(text: str) -> None:
    assert parse(text).entries == parse(PAGE).entries


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_understood(encoding: str) -> None:
    text = HEAD + paper(1)
    assert parse(text.encode(encoding)).entries == parse(text).entries


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "it is empty"),
        (b" \n\n ", "it is empty"),
        (b"<html><body>Daily Papers</body></html>", "starts with '<html>"),
        (b'[{"paper": {}}]', "starts with '[{"),
        (b"Dear all,\n\nthe Daily Papers are late today.\n", "starts with 'Dear all,'"),
        (b"Daily Papers\n\nA title\n\nAn abstract.\n", "starts with 'Daily Papers'"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "byte 1"),
        (b"Daily Papers\n\nApr 14\n\n\x00\x00\n\nx\n", "binary data"),
        ("Träume".encode("latin-1"), "byte 3"),
        (HEAD.encode(), "no title with an abstract"),
        ((HEAD + "Only a title\n").encode(), "no title with an abstract"),
    ],
)
def test_what_is_not_such_a_page_is_refused_by_name(body: bytes, says: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(body, name="saved.txt")
    assert str(caught.value).startswith("saved.txt: ")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("head", "bylines", "listed_on", "name", "now", "day"),
    [
        ("Apr 14", "Nov 8, 2025", None, "page.txt", NOW, date(2026, 4, 14)),
        ("Apr 14", "Nov 8, 2023", None, "page.txt", NOW, date(2024, 4, 14)),
        ("Apr 14", "Apr 6", None, "page.txt", NOW, date(2026, 4, 14)),
        ("Dec 30", "Apr 6", None, "page.txt", NOW, date(2025, 12, 30)),
        ("Nov 23", "Apr 6", None, "page.txt", NOW, date(2026, 11, 23)),
        ("Nov 24", "Apr 6", None, "page.txt", NOW, date(2025, 11, 24)),
        ("Jan 1", "Apr 6", None, "page.txt", datetime(2026, 12, 31, 23, tzinfo=UTC), date(2027, 1, 1)),
        ("Dec 30", "Nov 8, 2026", None, "page.txt", NOW, date(2025, 12, 30)),
        ("Apr 14, 2021", "Apr 6", None, "page.txt", NOW, date(2021, 4, 14)),
        ("Apr 14", "Nov 8, 2023", None, "2026-04-14.txt", NOW, date(2026, 4, 14)),
        ("Apr 14", "Nov 8, 2023", None, "saved/20250414-trace.txt", NOW, date(2025, 4, 14)),
        ("Apr 14", "Nov 8, 2023", None, "2026-05-01.txt", NOW, date(2024, 4, 14)),
        ("Apr 14", "Nov 8, 2023", date(2026, 4, 15), "page.txt", NOW, date(2026, 4, 15)),
        ("Feb 29", "Apr 6", None, "page.txt", NOW, date(2024, 2, 29)),
        ("Feb 30", "Apr 6", None, "page.txt", NOW, date(2026, 11, 22)),
    ],
)
def test_the_page_s_year_is_inferred_and_never_lies_ahead(
    head: str, bylines: str, listed_on: date | None, name: str, now: datetime, day: date
) -> None:
    text = HEAD.replace("Apr 14", head) + paper(1, f"  • 2 authors\n·\n{bylines}\n")
    assert parse(text, listed_on=listed_on, name=name, now=now).listed_on == day


@pytest.mark.parametrize(
    ("page_date", "listed_on", "printed", "day"),
    [
        ("Apr 14", None, "Apr 6", "2026-04-06"),
        ("Apr 14", date(2024, 4, 15), "Apr 6", "2024-04-06"),
        ("Jan 3", date(2026, 1, 3), "Dec 30", "2025-12-30"),
        ("Dec 31", date(2026, 1, 1), "Dec 31", "2025-12-31"),
        ("Apr 14", None, "June 3, 2023", "2023-06-03"),
        ("Apr 14", None, "Feb 30, 2023", None),
        ("Apr 14", None, "Foo 3, 2023", None),
    ],
)
def test_a_byline_without_year_is_of_the_page_s_year(
    page_date: str, listed_on: date | None, printed: str, day: str | None
) -> None:
    text = HEAD.replace("Apr 14", page_date) + paper(1, f"  • 2 authors\n·\n{printed} 7\n")
    assert [read(entry) for entry in parse(text, listed_on=listed_on).entries] == [(2, day, 7)]


def test_a_stretch_with_a_missing_block_is_dropped_and_counted() -> None:
    text = HEAD + paper(1) + "A title without abstract\n\n  • 2 authors\n·\nMay 27, 2023\n\n" + paper(2) + "Cut sho"
    listing = parse(text)
    assert [entry.paper.title for entry in listing.entries] == ["Title number 1", "Title number 2"]
    assert (listing.state, listing.dropped) == (ListingState.PARTIAL, 2)
    assert listing.note is not None and listing.note.startswith("2 papers left out")


def test_a_title_as_long_as_an_abstract_shows_that_the_order_is_lost() -> None:
    listing = parse(HEAD + paper(1) + f"{'long ' * 100}\n\nA title\n\n  • 2 authors\n·\nMay 27, 2023\n\n")
    assert (len(listing.entries), listing.dropped) == (1, 1)


def test_a_paper_that_stands_twice_is_one_entry() -> None:
    listing = parse(HEAD + paper(1) + paper(2) + paper(1))
    assert [entry.rank for entry in listing.entries] == [1, 2]


def test_a_line_that_only_begins_like_a_byline_is_text() -> None:
    abstract = "We count\n• 3 authors of plays and\n• 4 authors of novels"
    (entry,) = parse(HEAD + f"A title\n\n{abstract}\n\n  • 2 authors\n·\nMay 27, 2023\n").entries
    assert entry.paper.abstract == "We count • 3 authors of plays and • 4 authors of novels"


class _Server(HttpClient):
    """Answers every request with one page, or with 304 when it is conditional."""

    def __init__(self, body: str) -> None:
        self.body, self.asked = body.encode(), list[Request]()

    def get(self, request: Request) -> Response:
        self.asked.append(request)
        return Response(
            url=request.url, status=200, body=self.body, retrieved_at=NOW, unmodified=request.validators is not None,
            validators=Validators(url=request.url, etag='"1"'),
        )  # fmt: skip


def test_without_url_the_source_says_how_files_are_read() -> None:
    with pytest.raises(SourceError, match=r"copied: .*files only .*fetch --from FILE --as text-dump"):
        TextDumpSource("copied", {}).fetch(_Server(PAGE), FetchRequest(now=NOW))


def test_with_url_the_page_is_fetched_and_then_asked_for_conditionally() -> None:
    url, server = "https://example.org/page.txt", _Server(PAGE)
    source = TextDumpSource("copied", {"url": url})
    listing = source.fetch(server, FetchRequest(now=NOW))
    assert isinstance(listing, Listing)
    assert (listing.url, listing.source, len(listing.entries)) == (url, "copied", 4)
    again = source.fetch(server, FetchRequest(now=NOW, validators={url: listing.validators[0]}))
    assert isinstance(again, Unmodified)
    assert again.validators == listing.validators
    assert [request.validators for request in server.asked] == [None, listing.validators[0]]


@pytest.mark.parametrize("settings", [{"url": "ftp://example.org/x"}, {"path": "x.txt"}, {"url": 5}])
def test_wrong_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TextDumpSource("copied", settings)


def test_copied_text_has_neither_calendar_nor_past_days() -> None:
    source = TextDumpSource("copied", {})
    assert source.announces_on(date(2026, 4, 14)) is None
    assert not source.has_days()
