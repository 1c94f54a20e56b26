"""One small feed of every format, and what becomes of each of its fields."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from paperdigest.errors import ParseError
from paperdigest.protocols import ParseContext
from paperdigest.sources.feed import FeedSource
from paperdigest.sources.feed.fields import Markup, RawEntry
from paperdigest.sources.feed.source import read_feed
from paperdigest.types import Author, Entry, Listing, ListingState, PaperId

DATA = Path(__file__).resolve().parents[1] / "data" / "feed"
NOW = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)


def parse(body: bytes | str, *, name: str = "input", listed_on: date | None = None) -> Listing:
    source = FeedSource("notes", {"url": "https://feeds.example.org/"})
    context = ParseContext(source="notes", retrieved_at=NOW, listed_on=listed_on, name=name)
    return source.parse(body.encode() if isinstance(body, str) else body, context)


def sample(name: str) -> tuple[Entry, ...]:
    return parse((DATA / name).read_bytes(), name=name).entries


def rss(items: str, *, head: str = "<title>T</title><link>https://e.org/</link>") -> str:
    return f'<rss version="2.0"><channel>{head}{items}</channel></rss>'


def only(items: str) -> Entry:
    (entry,) = parse(rss(items)).entries
    return entry


def test_rss_2_text_is_freed_of_markup_once_and_only_once() -> None:
    paper = sample("rss20.xml")[0].paper
    assert paper.title == "Links & Traces in CO2 Models"
    assert paper.abstract == "First paragraph. Second, with 1 < 2."
    assert paper.authors == (Author(name="Ada Lovelace"),)
    assert paper.categories == ("tracing", "models")
    assert paper.published_at == datetime(2026, 4, 14, 13, 30, tzinfo=UTC)
    assert paper.id == PaperId(scheme="url", local="https://notes.example.org/posts/links")


def test_an_item_without_a_title_is_called_by_its_first_sentence() -> None:
    entry = sample("rss20.xml")[1]
    assert entry.paper.title == "An item without a title."
    assert entry.paper.url == "https://notes.example.org/posts/untitled"
    assert [author.name for author in entry.paper.authors] == ["Alan Turing", "Hopper, Grace"]
    assert entry.paper.published_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_the_first_of_two_entries_with_one_id_is_kept_and_ranks_count_on() -> None:
    assert [entry.rank for entry in sample("rss20.xml")] == [1, 2, 4]


def test_an_arxiv_link_gives_id_and_version_and_a_cut_summary_gives_way_to_the_content() -> None:
    paper = sample("rss20.xml")[2].paper
    assert (paper.id, paper.version) == (PaperId(scheme="arxiv", local="2304.12345"), 3)
    assert paper.abstract == "A teaser that ends early no more, for this is the whole text."
    assert paper.authors[1] == Author(name="Alan Turing", affiliation="Bletchley, UK")


def test_rss_1_gives_doi_date_and_authors() -> None:
    paper = sample("rss10.xml")[0].paper
    assert paper.id == PaperId(scheme="doi", local="10.1234/example.2026.001")
    assert paper.aliases == (PaperId(scheme="url", local="https://journal.example.org/a/1"),)
    assert [author.name for author in paper.authors] == ["Lovelace, Ada", "Turing, Alan"]
    assert paper.published_at == datetime(2026, 4, 13, tzinfo=UTC)
    assert paper.abstract is None


def test_rss_091_passes_with_its_doctype_and_encoding() -> None:
    assert sample("rss091.xml")[0].paper.title == "A café of traces"


def test_atom_resolves_links_and_reads_every_kind_of_text() -> None:
    first, second = (entry.paper for entry in sample("atom10.xml"))
    assert first.url == "https://atom.example.org/papers/1.html"
    assert first.title == "Mixed markup of École"
    assert first.abstract == "One. Two: a < b."
    assert first.authors == (Author(name="Ada Lovelace"),)
    assert first.published_at == datetime(2026, 4, 14, 3, 30, tzinfo=UTC)
    assert first.updated_at == datetime(2026, 4, 14, 8, tzinfo=UTC)
    assert second.title == "Plain a < b and <b>not bold</b>"


def test_an_arxiv_announcement_gives_its_type_and_a_clean_abstract() -> None:
    entry = sample("atom10.xml")[1]
    assert entry.paper.id == PaperId(scheme="arxiv", local="astro-ph/0601001")
    assert (entry.announce_type, entry.paper.version) == ("replace", 2)
    assert entry.paper.abstract == "Short and plain."


def test_json_feeds_are_read_and_what_is_no_item_is_counted() -> None:
    listing = parse((DATA / "feed.json").read_bytes())
    first, second = (entry.paper for entry in listing.entries)
    assert first.id == PaperId(scheme="doi", local="10.1234/json.7")
    assert first.url == "https://json.example.org/seven"
    assert first.abstract == "All seven of them."
    assert first.categories == ("tracing",)
    assert second.title == "No title here"
    assert second.authors == (Author(name="Alan Turing"),)
    assert (listing.state, listing.dropped, listing.note) == (ListingState.PARTIAL, 1, "1 of 3 items were not read")


def test_a_broken_feed_that_is_all_there_is_complete() -> None:
    listing = parse((DATA / "broken.xml").read_bytes())
    assert (listing.state, listing.dropped) == (ListingState.COMPLETE, 0)
    paper = listing.entries[0].paper
    assert paper.title == "Fish & chips — traced"
    assert paper.url == "https://broken.example.org/1?a=1&b=2"
    assert paper.abstract == "An unclosed paragraph and a stray < sign"


def test_a_feed_made_from_daily_papers_is_taken_apart() -> None:
    blob = (
        "&lt;p&gt;&lt;img src='x.png'/&gt;&lt;/p&gt;"
        "&lt;p&gt;&lt;b&gt;Authors:&lt;/b&gt; Ada Lovelace, Alan Turing&lt;/p&gt;"
        "&lt;p&gt;&lt;b&gt;Upvotes:&lt;/b&gt; 52&lt;/p&gt;&lt;p&gt;&lt;b&gt;Summary:&lt;/b&gt; We trace.&lt;/p&gt;"
    )
    guid = '<guid isPermaLink="false">https://arxiv.org/abs/2604.00001</guid>'
    entry = only(f"<item><title>Tracing</title><description>{blob}</description>{guid}</item>")
    assert entry.paper.id == PaperId(scheme="arxiv", local="2604.00001")
    assert entry.paper.url == "https://arxiv.org/abs/2604.00001"
    assert entry.paper.abstract == "We trace."
    assert [author.name for author in entry.paper.authors] == ["Ada Lovelace", "Alan Turing"]
    assert entry.upvotes == 52


def test_a_title_of_the_single_character_0_is_a_title() -> None:
    assert only("<item><title>0</title><link>https://e.org/1</link></item>").paper.title == "0"


def test_tex_becomes_readable_and_the_source_is_kept() -> None:
    paper = only("<item><title>A\n  wrapped   title</title><link>https://e.org/1</link></item>").paper
    assert (paper.title, paper.title_source) == ("A wrapped title", None)


def test_links_that_several_entries_share_identify_none_of_them() -> None:
    listing = parse(rss("".join(f"<item><title>Paper {n}</title><link>https://e.org/new</link></item>" for n in "ab")))
    assert [entry.paper.id.scheme for entry in listing.entries] == ["title", "title"]


def test_the_feeds_own_page_identifies_no_entry() -> None:
    assert only("<item><title>Paper</title><link>https://e.org</link></item>").paper.id.scheme == "title"


def test_bare_digits_are_no_arxiv_id() -> None:
    paper = only("<item><title>Paper</title><guid isPermaLink='false'>2104.12255</guid></item>").paper
    assert paper.id.scheme == "title"


def test_two_arxiv_ids_in_one_entry_never_join_two_papers() -> None:
    entry = only(
        "<item><title>Paper</title><guid>https://arxiv.org/abs/2604.00001</guid>"
        "<link>https://arxiv.org/abs/2604.00002</link></item>"
    )
    assert (entry.paper.id.local, entry.paper.aliases) == ("2604.00001", ())


@pytest.mark.parametrize("link", ["javascript:alert(1)", "ftp://e.org/1", "https://[broken", "https://u:p@/", "x y"])
def test_links_that_are_no_web_pages_are_not_kept(link: str) -> None:
    head = "<title>T</title>"
    (entry,) = parse(rss(f"<item><title>Paper</title><link>{link}</link></item>", head=head)).entries
    assert entry.paper.url is None
    assert entry.paper.id.scheme == "title"


def test_relative_links_are_resolved_against_the_feeds_url() -> None:
    body = rss("<item><title>Paper</title><link>../a/1</link></item>", head="<title>T</title>")
    (entry,) = parse(body, name="https://e.org/feeds/new.xml").entries
    assert entry.paper.url == "https://e.org/a/1"


def test_entries_with_nothing_to_know_them_by_are_counted() -> None:
    listing = parse(rss("<item><pubDate>2026</pubDate></item><item><title>Paper</title></item>"))
    assert (listing.state, listing.dropped, len(listing.entries)) == (ListingState.PARTIAL, 1, 1)
    assert listing.note == "1 entries without title, link, id and text were left out"


def test_an_entry_with_only_an_id_is_called_by_it() -> None:
    assert only("<item><guid>https://e.org/1</guid></item>").paper.title == "https://e.org/1"


@pytest.mark.parametrize(
    "body",
    [
        rss(""),
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>Weekend</title></feed>',
        '{"version": "https://jsonfeed.org/version/1", "items": []}',
    ],
)
def test_a_feed_without_entries_is_quiet(body: str) -> None:
    listing = parse(body)
    assert (listing.state, listing.note) == (ListingState.QUIET, "the feed has no entries")


def test_a_feed_that_breaks_off_gives_its_whole_entries_and_says_so() -> None:
    listing = parse(rss("<item><title>One</title></item><item><title>Two</title></item>").partition("Two")[0])
    assert [entry.paper.title for entry in listing.entries] == ["One"]
    assert (listing.state, listing.dropped) == (ListingState.PARTIAL, 1)
    assert listing.note == "the feed breaks off before its end"


def test_an_error_that_comes_as_a_feed_is_an_error() -> None:
    head = "<title>Feed error for query: cs.XX</title><link>https://rss.arxiv.org/rss/cs.XX</link>"
    with pytest.raises(ParseError, match="an error, not a feed: 'Feed error for query: cs"):
        parse(rss("", head=head))


def test_an_error_entry_of_the_arxiv_api_is_an_error() -> None:
    entry = "<entry><id>http://arxiv.org/api/errors#x</id><title>Error</title><summary>bad id</summary></entry>"
    with pytest.raises(ParseError, match="an error, not a feed: 'bad id'"):
        parse(f'<feed xmlns="http://www.w3.org/2005/Atom">{entry}</feed>')


@pytest.mark.parametrize(
    ("listed_on", "name", "expected"),
    [
        (date(2026, 4, 1), "feed-2026-03-01.xml", date(2026, 4, 1)),
        (None, "saved/2020-01-01/feed-2026-03-01.xml", date(2026, 3, 1)),
        (None, "feed-2026-13-01.xml", date(2026, 4, 15)),
        (None, "feed.xml", date(2026, 4, 15)),
    ],
)
def test_the_day_is_the_one_asked_for_else_the_files_else_today(
    listed_on: date | None, name: str, expected: date
) -> None:
    assert parse(rss(""), name=name, listed_on=listed_on).listed_on == expected


def test_a_date_years_ahead_is_a_typing_error_and_one_months_ahead_is_not() -> None:
    ahead = "<item><title>A</title><pubDate>{}</pubDate></item>"
    assert only(ahead.format("2026-12-01")).paper.published_at == datetime(2026, 12, 1, tzinfo=UTC)
    assert only(ahead.format("2062-12-01")).paper.published_at is None


@pytest.mark.parametrize("name", ["rss20.xml", "rss10.xml", "rss091.xml", "atom10.xml"])
def test_breaking_a_feed_a_little_changes_nothing_of_what_is_read(name: str) -> None:
    body = (DATA / name).read_bytes()
    broken = body.rstrip().removesuffix(b">") + b">&</nothing>"
    assert parse(broken).entries == parse(body).entries


def test_entries_in_unusual_places_are_found() -> None:
    (entry,) = parse(rss("<items><item><title>Paper</title></item></items>")).entries
    assert entry.paper.title == "Paper"


@pytest.mark.parametrize("wrong", ["true", "1.5", "[]", "{}", "null"])
def test_json_fields_of_wrong_types_are_absent(wrong: str) -> None:
    fields = ("id", "url", "summary", "content_html", "date_published", "authors", "author", "tags")
    item = ", ".join(f'"{name}": {wrong}' for name in fields)
    body = f'{{"version": "https://jsonfeed.org/version/1.1", "items": [{{"title": "Paper", {item}}}]}}'
    (entry,) = parse(body).entries
    assert entry.paper.id.scheme == "title"
    assert read_feed(body.encode(), "x").entries == (RawEntry(title=Markup("Paper")),)


def test_podcast_elements_are_left_to_the_tolerant_reader() -> None:
    body = (
        '<rss xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel><title>T</title>'
        "<item><title>Talk</title><itunes:author>Ada Lovelace</itunes:author></item></channel></rss>"
    )
    (entry,) = parse(body).entries
    assert entry.paper.authors == (Author(name="Ada Lovelace"),)


def test_the_channel_format_of_old_browsers_is_read() -> None:
    (entry,) = parse(
        '<CHANNEL><TITLE>T</TITLE><ITEM HREF="https://e.org/1"><TITLE>Item</TITLE></ITEM></CHANNEL>'
    ).entries
    assert (entry.paper.title, entry.paper.url) == ("Item", "https://e.org/1")


@pytest.mark.parametrize("guid", ["https://e.org/feed", "doi:10.1000/journal", "https://arxiv.org/abs/2604.00001"])
def test_a_guid_that_different_entries_carry_identifies_none_of_them(guid: str) -> None:
    items = "".join(
        f"<item><title>Paper {n}</title><link>https://e.org/{n}</link><guid isPermaLink='false'>{guid}</guid></item>"
        for n in range(5)
    )
    papers = [entry.paper for entry in parse(rss(items)).entries]
    assert [str(paper.id) for paper in papers] == [f"url:https://e.org/{n}" for n in range(5)]
    assert {paper.aliases for paper in papers} == {()}


def test_an_entry_that_stands_twice_keeps_its_guid() -> None:
    guid = "<guid isPermaLink='false'>doi:10.1000/one</guid>"
    item = f"<item><title>Paper</title><link>https://e.org/{{}}</link>{guid}</item>"
    assert str(only(item.format(1) + item.format(2)).paper.id) == "doi:10.1000/one"
