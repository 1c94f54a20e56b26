"""The feed suites of feedparser, newsboat and reader, and feedparser itself as the oracle."""

from __future__ import annotations

import calendar
import io
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feedparser
import pytest

from paperdigest.errors import ParseError
from paperdigest.protocols import ParseContext
from paperdigest.sources.feed import FeedSource
from paperdigest.sources.feed.authors import author_names
from paperdigest.sources.feed.dates import parse_date
from paperdigest.sources.feed.fast import NotWalkableError, read_fast
from paperdigest.sources.feed.fields import Markup, RawEntry
from paperdigest.sources.feed.intake import take_in
from paperdigest.sources.feed.links import is_web
from paperdigest.sources.feed.markup import plain
from paperdigest.sources.feed.source import read_feed
from paperdigest.sources.feed.tolerant import read_tolerant
from paperdigest.sources.opml import Outline, read_opml
from paperdigest.types import Listing, ListingState

pytestmark = pytest.mark.real

SUITES = ("feeds-feedparser", "feeds-newsboat", "feeds-reader")

READERS_DIFFER = {
    "atom/entry_link_no_href_link_priority.xml": "feedparser takes the text of an enclosure link for the page",
    "atom10/entry_link_no_href_link_priority.xml": "the same",
    "atom/entry_link_rel_enclosure_no_href.xml": "the same",
    "atom10/entry_link_rel_enclosure_no_href.xml": "the same",
    "rss/item_category_image.xml": "feedparser takes the title of a picture inside a category for the item's",
    "rss/item_guid_isPermaLink_ValueError.xml": "a guid that is no URL is kept as it is, feedparser drops it",
}


@dataclass(frozen=True)
class Seen:
    """The fields that are compared, as text."""

    guid: str | None
    link: str | None
    title: str
    text: str
    content: str
    authors: tuple[str, ...]
    published: datetime | None
    updated: datetime | None
    identifiers: tuple[str, ...]
    categories: tuple[str, ...]


def seen(entry: RawEntry) -> Seen:
    def text(markup: Markup | None) -> str:
        return plain(markup) if markup else ""

    return Seen(
        guid=entry.guid,
        link=entry.link if is_web(entry.link) else None,
        title=text(entry.title),
        text=text(entry.summary) or text(entry.content),
        content=text(entry.content),
        authors=tuple(author.name for author in author_names(entry.authors)),
        published=parse_date(entry.published) or parse_date(entry.updated),
        updated=parse_date(entry.updated),
        identifiers=entry.identifiers,
        categories=entry.categories,
    )


@pytest.fixture(scope="module")
def suites(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suites")
    for name in (*SUITES, "opml-listparser"):
        with tarfile.open(shared / "data" / name / "files.tar.xz") as pack:
            pack.extractall(folder / name, filter="data")
    return folder


def files(suites: Path, *names: str) -> Iterator[tuple[str, bytes]]:
    for name in names or SUITES:
        for path in sorted((suites / name).rglob("*.*")):
            if path.is_file():
                yield f"{path.parent.name}/{path.name}", path.read_bytes()


def test_every_file_of_every_suite_gives_a_listing_or_a_parse_error(suites: Path, now: datetime) -> None:
    source = FeedSource("suite", {"url": "https://feeds.example.org/"})
    listings, refused = [], {}
    for name, body in files(suites, *SUITES, "opml-listparser"):
        try:
            listings.append(source.parse(body, ParseContext(source="suite", retrieved_at=now, name=name)))
        except ParseError as error:
            refused[name] = str(error)
    assert len(listings) + len(refused) == 2107 + 26 + 12 + 110
    assert all(isinstance(listing, Listing) for listing in listings)
    feeds = sorted(name for name in refused if not name.endswith(".opml") and not _is_list(name))
    assert feeds == [
        "data/empty.xml",
        "data/sqlite_releases.html",
        "illformed/rss_empty_document.xml",
        "rdf/doctype_contains_entity_decl.xml",
        "rdf/rdf_channel_description.xml",
        "rdf/rss_version_10.xml",
        "rdf/rss_version_10_not_default_ns.xml",
        "rss/entity_in_doctype.xml",
        "rss/rss_version_090.xml",
    ]


def _is_list(name: str) -> bool:
    folders = {"files", "opml", "categories", "include", "link", "opportunities", "malformed", "yandex"}
    return (
        name.partition("/")[0] in folders or "foaf" in name or name in ("rdf/rss_channel-empty.xml", "rdf/version.xml")
    )


def test_the_quick_and_the_tolerant_reader_agree_on_well_formed_files(suites: Path) -> None:
    walked, differing = 0, set()
    for name, body in files(suites):
        try:
            text = take_in(body, name).text
            quick = read_fast(text)
        except (ParseError, NotWalkableError):
            continue
        walked += 1
        tolerant = read_tolerant(text, name)
        if [seen(entry) for entry in quick.entries] != [seen(entry) for entry in tolerant.entries]:
            differing.add(name)
    assert walked >= 1830
    assert differing == set(READERS_DIFFER)


# Where our reader and feedparser say different things, and why ours is meant.
FEEDPARSER_DIFFERS = {
    **{name: reason for name, reason in READERS_DIFFER.items() if "guid" not in name},
    "encoding/bozo_linenoise.xml": "declared UTF-8 and broken: the good characters are kept, feedparser reads Latin-2",
    "chardet/shiftjis.xml": "no encoding is declared and none fits: two ways of reading line noise",
    "illformed/rss_incomplete_cdata.xml": "an entry that the end of the feed cuts in two is not a paper",
    "rss/entity_in_doctype.xml": "documents that declare entities are refused",
    "sanitize/item_content_encoded_script_nested_cdata.xml": "only brackets are left of it",
    **{
        f"sanitize/{name}_crazy.xml": "feedparser shows a part of the script, we none of it"
        for name in (
            "entry_content",
            "entry_summary",
            "entry_title",
            "item_content_encoded",
            "item_description",
            "item_fullitem",
        )
    },
}


def test_the_readers_see_what_feedparser_sees(suites: Path) -> None:
    agreeing, differing = 0, set()
    for name, body in files(suites, "feeds-feedparser", "feeds-newsboat"):
        if name.endswith((".json", ".opml")):
            continue
        theirs = [theirs_seen(entry) for entry in feedparser.parse(io.BytesIO(body))["entries"]]
        try:
            ours = [ours_seen(entry) for entry in read_feed(body, name).entries]
        except ParseError:
            ours = []
        if ours == theirs:
            agreeing += 1
        else:
            differing.add(name)
    assert differing == set(FEEDPARSER_DIFFERS)
    assert agreeing == 2124 - len(FEEDPARSER_DIFFERS)


HTML_TYPES = ("text/html", "application/xhtml+xml")


def ours_seen(entry: RawEntry) -> tuple[object, ...]:
    this = seen(entry)
    return this.link, this.title, this.text, this.authors, this.published, this.updated


def theirs_seen(entry: Mapping[str, Any]) -> tuple[object, ...]:
    raw = dict(entry.items())
    link = raw.get("link")
    names = [author["name"] for author in raw.get("authors", ()) if dict.get(author, "name")]
    published = moment(raw.get("published_parsed") or raw.get("created_parsed"))
    updated = moment(raw.get("updated_parsed"))
    contents = [content for content in raw.get("content", ()) if content["value"].strip()]
    content = plain(Markup(contents[0]["value"], html=contents[0]["type"] in HTML_TYPES)) if contents else ""
    text = their_text(raw, "summary") or content
    authors = tuple(author.name for author in author_names(names or ([raw["author"]] if raw.get("author") else [])))
    return link if is_web(link) else None, their_text(raw, "title"), text, authors, published or updated, updated


def their_text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name) or ""
    detail: Mapping[str, Any] = raw.get(f"{name}_detail") or next(
        (c for c in raw.get("content", ()) if c["value"] == value), {}
    )
    return plain(Markup(value, html=detail.get("type") in HTML_TYPES))


def test_listparser_sees_the_same_lists(suites: Path) -> None:
    met, unmet = 0, []
    for name, body in files(suites, "opml-listparser"):
        try:
            outlines = read_opml(body, name)
        except ParseError:
            outlines = ()
        result = {
            key: [as_listparser(outline) for outline in outlines if outline.kind == kind]
            for key, kind in (("feeds", "feed"), ("lists", "list"), ("opportunities", "page"))
        }
        for expected in re.findall(r"Eval: (.*)", body.decode()):
            if any(word in expected for word in ("bozo", "meta", "version")):
                continue  # we keep no owner and no dates of a list, and call nothing "bozo"
            if eval(expected, {"__builtins__": {"len": len}}, {"result": result}):
                met += 1
            else:
                unmet.append((name, expected))
    assert unmet == []
    assert met == 183


def as_listparser(outline: Outline) -> dict[str, object]:
    return {
        "url": outline.url,
        "title": outline.title or "",
        "categories": [list(path) for path in outline.categories],
        "tags": [path[0] for path in outline.categories if len(path) == 1],
    }


@pytest.mark.parametrize(
    ("name", "urls"),
    [
        ("body-element-missing.opml", []),
        ("opml-element-missing.opml", ["https://example.com/another_feed.atom", "https://example.com/firehose"]),
        ("piped.opml", ["https://example.com/feed.atom"]),
    ],
)
def test_newsboat_lists_give_their_web_feeds(suites: Path, name: str, urls: list[str]) -> None:
    body = (suites / "feeds-newsboat" / "test" / "data" / name).read_bytes()
    assert [outline.url for outline in read_opml(body, name)] == urls


@pytest.mark.parametrize(("name", "entries"), [("feed", 30), ("feed_weekly", 6), ("feed_monthly", 105)])
def test_feeds_made_from_daily_papers_give_clean_papers(shared: Path, now: datetime, name: str, entries: int) -> None:
    body = (shared / "data" / "hf-rss-built" / f"{name}.xml").read_bytes()
    source = FeedSource("hf", {"url": "https://feeds.example.org/"})
    listing = source.parse(body, ParseContext(source="hf", retrieved_at=now.replace(month=8), name=f"{name}.xml"))
    assert (listing.state, len(listing.entries)) == (ListingState.COMPLETE, entries)
    for entry in listing.entries:
        paper = entry.paper
        assert paper.id.scheme == "arxiv"
        assert paper.url == f"https://arxiv.org/abs/{paper.id.local}"
        assert paper.published_at is not None
        assert paper.published_at.year == 2026
        assert paper.abstract
        assert not re.search(r"</?[a-z]|Upvotes:|Authors:", paper.abstract)
        assert paper.authors
        assert entry.upvotes is not None


def moment(parsed: Any) -> datetime | None:
    return datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed else None
