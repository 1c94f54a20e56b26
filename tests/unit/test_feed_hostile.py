"""Feeds that are none, broken ones, and ones made to hurt: one clear error, or a capped result."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import feedparser
import pytest

from paperdigest.errors import ParseError
from paperdigest.protocols import ParseContext
from paperdigest.sources.feed import FeedSource, source
from paperdigest.sources.feed.armour import MAX_TAGS, armour
from paperdigest.sources.feed.fields import Markup
from paperdigest.sources.feed.intake import MAX_BODY_BYTES, take_in
from paperdigest.sources.feed.markup import MAX_FIELD_CHARS
from paperdigest.types import Listing, ListingState

NOW = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)
MB = 1024 * 1024


def parse(body: bytes | str) -> Listing:
    feed = FeedSource("notes", {"url": "https://feeds.example.org/"})
    context = ParseContext(source="notes", retrieved_at=NOW, name="bad.xml")
    return feed.parse(body.encode() if isinstance(body, str) else body, context)


def rss(items: str) -> str:
    return f'<rss version="2.0"><channel><title>T</title><link>https://e.org/</link>{items}</channel></rss>'


def item(description: str) -> str:
    return f"<item><title>A</title><description>{description}</description></item>"


@pytest.fixture
def no_feedparser(monkeypatch: pytest.MonkeyPatch) -> None:
    """What must be refused or read before feedparser is asked."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("feedparser was given this body")

    monkeypatch.setattr(feedparser, "parse", refuse)


LAUGHS = '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
QUADRATIC = f'<!DOCTYPE r [<!ENTITY a "{"a" * 50_000}">]>'
XXE = '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
PARAMETER = '<!DOCTYPE r [<!ENTITY % a SYSTEM "https://e.org/x.dtd"> %a;]>'


@pytest.mark.usefixtures("no_feedparser")
@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "the body is empty"),
        (b" \r\n\t\x00", "the body is empty"),
        (b"\xef\xbb\xbf", "the body is empty"),
        (b"<!doctype html><title>Sign in</title>", "an HTML page, not a feed"),
        (b"<?xml version='1.0'?><!-- x --><!DOCTYPE html PUBLIC 'x'><html/>", "an HTML page, not a feed"),
        (b"<HTML><BODY>", "an HTML page, not a feed"),
        (b"<script>challenge()</script>", "an HTML page, not a feed"),
        (gzip.compress(b"<rss/>", mtime=0), "gzip-compressed bytes"),
        (b"PK\x03\x04....", "a ZIP archive"),
        (b"%PDF-1.7", "a PDF file"),
        (b"Service unavailable", "neither XML nor JSON, so not a feed; it begins 'Service unavailable'"),
        (b"[]", "the top is a list, not an object"),
        (b"{", "not readable as JSON"),
        (b"[" * MB, "not readable as JSON"),
        (b'{"version": ' + b"9" * 5000 + b"}", "not readable as JSON"),
        (b'{"daily": 1}', "it needs version and items, and has daily"),
        (f"{LAUGHS}<rss>&b;</rss>".encode(), "the document type declares entities"),
        (f"{QUADRATIC}<rss>{'&a;' * 1000}</rss>".encode(), "the document type declares entities"),
        (f"{XXE}<rss>&a;</rss>".encode(), "the document type declares entities"),
        (f"{PARAMETER}<rss/>".encode(), "the document type declares entities"),
        (f"{XXE}<rss>&a;</rss>".encode("utf-16"), "the document type declares entities"),
        (f"<?xml version='1.0' encoding='utf-7'?>{XXE}<rss/>".encode(), "the document type declares entities"),
        (b"<!DOCTYPE " + b"a" * 4 * MB + b"<", "the document type never ends"),
        (b"<!DOCTYPE r [" + b"] " * MB, "the document type never ends"),
        (b"x" * (MAX_BODY_BYTES + 1), "bytes are too many for a feed"),
        (rss(item("<b>" * 200_000)).encode(), "nested deeper than 100"),
        (rss(item("<b>" * 200_000 + "</b>" * 200_000)).encode(), "nested deeper than 100"),
        (rss(item("<b>" * 101 + "</b>" * 101)).encode(), "nested deeper than 100"),
        (rss(item("<b>" * 200_000)).encode("utf-16"), "nested deeper than 100"),
        (rss(item("<b " * 200_000)).encode(), "nested deeper than 100"),
    ],
)
def test_what_is_no_feed_costs_one_clear_error_and_no_parser(body: bytes, problem: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(body)
    assert problem in str(caught.value)
    assert caught.value.where == "bad.xml"


@pytest.mark.parametrize("body", ["<svg/>", "<opml><body/></opml>", "<rdf:RDF xmlns:rdf='x'/>", "<a>&</a>"])
def test_xml_that_is_no_feed_is_named_by_its_root(body: str) -> None:
    with pytest.raises(ParseError, match="XML, but no feed: the root element is"):
        parse(body)


@pytest.mark.usefixtures("no_feedparser")
@pytest.mark.parametrize("description", ["word " * (2 * MB - 100_000), "&lt;div&gt;" * 50_000, "&#60;" * 100_000])
def test_a_well_formed_giant_is_cut_with_a_mark_without_feedparser(description: str) -> None:
    listing = parse(rss(item(description) + item("short")))
    assert listing.state is ListingState.COMPLETE
    abstract = listing.entries[0].paper.abstract
    assert abstract is not None
    assert abstract.endswith("…")
    assert len(abstract) <= MAX_FIELD_CHARS + 2


@pytest.mark.parametrize("description", ["word " * MB, "<![CDATA[" + "word " * MB + "]]>", "&lt;div&gt;" * 50_000])
def test_a_broken_giant_reaches_feedparser_only_after_it_was_cut(
    monkeypatch: pytest.MonkeyPatch, description: str
) -> None:
    given = sizes_given_to_feedparser(monkeypatch)
    (entry,) = parse(rss(item(description)) + "</nothing>").entries
    assert given == [pytest.approx(MAX_FIELD_CHARS, abs=1000)]
    assert entry.paper.abstract is not None
    assert entry.paper.abstract.endswith("…")


def sizes_given_to_feedparser(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    sizes: list[int] = []
    real = feedparser.parse

    def spy(stream: object, **kwargs: object) -> object:
        sizes.append(len(stream.getvalue()))  # type: ignore[attr-defined]  # a BytesIO; feedparser must get nothing else
        return real(stream, **kwargs)

    monkeypatch.setattr(feedparser, "parse", spy)
    return sizes


@pytest.mark.parametrize(
    "rubbish",
    ["<", "</a>", "<!-- x -->", "<? x >", "<! ", "<!---->", "<![CDATA[x]]>", "<br>"],
)
def test_rubbish_is_read_up_to_a_bound(rubbish: str) -> None:
    safe = armour("<rss><channel>" + rubbish * (MAX_TAGS + 10), "bad.xml")
    assert len(safe.text) < 2 * MB
    assert safe.notes == ("only the first 0 entries were read",)


@pytest.mark.parametrize("rubbish", ["<!--", "<![CDATA[", "&", "&a", "<a b='"])
def test_what_never_ends_is_not_looked_for_again_and_again(rubbish: str) -> None:
    body = "<rss><channel><item><title>x" + rubbish * 100_000
    try:
        listing = parse(body)
    except ParseError as error:
        assert "nested deeper" in str(error)
    else:
        assert listing.state is ListingState.PARTIAL
        assert listing.entries == ()


def test_only_so_many_entries_are_read_from_a_well_formed_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    listing = parse(rss("".join(f"<item><title>Paper number {n}</title></item>" for n in range(10_001))))
    assert (listing.state, len(listing.entries), listing.dropped) == (ListingState.PARTIAL, 10_000, 1)
    assert listing.note == "only the first 10,000 of 10,001 entries were read"


def test_only_so_many_entries_are_read_from_a_broken_feed() -> None:
    safe = armour(rss("<item><title>x</title></item>" * 10_001), "bad.xml")
    assert safe.text.count("<item>") == safe.opened == 10_000
    assert safe.notes == ("only the first 10,000 entries were read",)


def test_only_so_many_items_are_read_from_a_json_feed() -> None:
    items = ",".join(f'{{"id": "{n}", "title": "Paper number {n}"}}' for n in range(10_001))
    listing = parse(f'{{"version": "https://jsonfeed.org/version/1.1", "items": [{items}]}}')
    assert (listing.state, len(listing.entries), listing.dropped) == (ListingState.PARTIAL, 10_000, 1)


def test_an_entry_inside_an_entry_does_not_end_it() -> None:
    safe = armour("<rss><channel><item><title>x</title><entry></entry><title>cut o", "bad.xml")
    assert (safe.text, safe.opened, safe.cut_off) == ("<rss><channel>", 0, 1)


def test_a_giant_tag_is_left_out_and_said_so() -> None:
    attributes = 'a="b" ' * 10_000
    listing = parse(rss(f"<item><title {attributes}>x</title><link>https://e.org/1</link></item>") + "</x>")
    assert listing.state is ListingState.PARTIAL
    assert listing.note is not None
    assert "a tag of 60,008 characters was left out" in listing.note
    assert [entry.paper.url for entry in listing.entries] == ["https://e.org/1"]


def test_unclosed_markup_does_not_add_up_over_entries() -> None:
    listing = parse(rss(item("<p>one<p>two<br>") * 200) + "</x>")
    assert len(armour(rss(item("<p>one<p>two<br>") * 200), "bad.xml").text) > 0
    assert listing.state is ListingState.COMPLETE


@pytest.mark.parametrize(
    ("encode", "declared"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", "utf-16"),
        ("utf-16-le", ""),
        ("utf-16-be", "utf-16"),
        ("utf-32", "utf-32"),
        ("utf-32-le", ""),
        ("iso-8859-1", "iso-8859-1"),
        ("windows-1252", "iso-8859-1"),
        ("windows-1252", "windows-1252"),
        ("windows-1252", "utf-8"),
        ("windows-1252", ""),
        ("utf-8", "utf-16"),
        ("utf-8", "no-such-charset"),
        ("utf-8", "punycode"),
        ("cp037", "cp037"),
    ],
)
def test_the_encoding_is_found_whatever_the_prolog_says(encode: str, declared: str) -> None:
    prolog = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    title = "Café – traces" if "8859" not in encode and encode != "cp037" else "Café traces"
    listing = parse((prolog + rss(f"<item><title>{title}</title></item>")).encode(encode))
    assert listing.entries[0].paper.title == title


@pytest.mark.parametrize(("encoding", "word"), [("koi8-r", "След"), ("gb2312", "追踪"), ("shift_jis", "追跡")])
def test_declared_charsets_of_other_scripts_are_read(encoding: str, word: str) -> None:
    body = f'<?xml version="1.0" encoding="{encoding}"?>{rss(f"<item><title>{word}</title></item>")}'
    assert parse(body.encode(encoding)).entries[0].paper.title == word


@pytest.mark.parametrize(
    "codec", ["unicode_escape", "raw_unicode_escape", "idna", "utf-7", "rot13", "zlib", "undefined"]
)
def test_codecs_that_are_no_charsets_are_not_used(codec: str) -> None:
    body = f"<?xml version='1.0' encoding='{codec}'?>" + rss("<item><title>a \\u0062 +AGM- d</title></item>")
    (entry,) = source.read_feed(body.encode(), "bad.xml").entries
    assert entry.title == Markup("a \\u0062 +AGM- d")


def test_one_broken_byte_does_not_spoil_the_other_letters() -> None:
    body = rss("<item><title>École, café, naïve</title></item>").encode().replace(b"na", b"na\xff")
    assert parse(body).entries[0].paper.title == "École, café, na\N{REPLACEMENT CHARACTER}ïve"


def test_nul_and_control_characters_are_taken_out() -> None:
    (entry,) = parse(rss("<item><title>a\x00b\x0cc</title></item>")).entries
    assert entry.paper.title == "abc"


def test_a_document_type_without_entities_passes() -> None:
    doctype = "<!DOCTYPE rss [<!ELEMENT rss ANY> <!ATTLIST rss version CDATA '2.0'>]>"
    assert len(parse(doctype + rss(item("x"))).entries) == 1


def test_entity_declarations_that_are_only_written_about_are_text() -> None:
    (entry,) = parse(rss(item("<![CDATA[use &lt;!ENTITY x&gt; with care]]>"))).entries
    assert entry.paper.abstract == "use <!ENTITY x> with care"


@pytest.mark.parametrize("reference", ["&#0;", "&#xD800;", "&#1114112;", "&#99999999999999999999999;", "&#xFFFFFFFFF"])
def test_references_to_characters_that_do_not_exist_cost_one_character_not_the_feed(reference: str) -> None:
    (entry,) = parse(rss(f"<item><title>a {reference} b</title></item>")).entries
    assert entry.paper.title.startswith("a \N{REPLACEMENT CHARACTER}")


@pytest.mark.parametrize("error", [ValueError("x"), AttributeError("x"), RecursionError("x"), OverflowError("x")])
def test_whatever_breaks_inside_feedparser_is_told_as_a_broken_feed(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(feedparser, "parse", broken)
    with pytest.raises(ParseError, match="too broken to be read as a feed"):
        parse("<rss>&</rss>")


def test_feedparser_never_gets_a_name_that_it_could_open(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = sizes_given_to_feedparser(monkeypatch)
    with pytest.raises(ParseError):
        parse("https://feeds.example.org/feed.xml")
    with pytest.raises(ParseError):
        parse("<file:///etc/hostname>")
    assert len(sizes) <= 1


def test_a_well_formed_feed_never_needs_feedparser(no_feedparser: None) -> None:
    taken = take_in(rss(item("x")).encode(), "good.xml")
    assert taken.root == "rss"
    assert len(source.read_feed(rss(item("x")).encode(), "good.xml").entries) == 1
