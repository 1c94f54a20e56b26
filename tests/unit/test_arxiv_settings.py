"""Settings and addresses of the arXiv source, and telling one format from another."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from paperdigest.errors import ParseError
from paperdigest.protocols import Source
from paperdigest.sources.arxiv import ArxivSource
from paperdigest.sources.arxiv.addresses import api_url, listing_url, oai_resume_url, oai_set, oai_url, rss_url
from paperdigest.sources.arxiv.settings import ArxivSettings
from paperdigest.types import ListingState
from tests.arxiv_bodies import ENTRIES, body, read

WINDOW = (datetime(2026, 4, 13, 18, tzinfo=UTC), datetime(2026, 4, 14, 18, tzinfo=UTC))


def settings(**values: object) -> ArxivSettings:
    return ArxivSettings.model_validate(values)


@pytest.mark.parametrize("category", ["cs.SE+cs.AI", "cs.SE cs.AI", "cs.SE, cs.AI", ["cs.SE", "cs.AI", "cs.SE"]])
def test_several_categories_can_be_written_in_several_ways(category: object) -> None:
    assert settings(category=category).category == ("cs.SE", "cs.AI")


@pytest.mark.parametrize("category", ["cs.SE", "hep-th", "cond-mat.mes-hall", "q-bio.GN", "physics.acc-ph", "math"])
def test_real_categories_are_taken(category: str) -> None:
    assert settings(category=category).category == (category,)


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"category": "cs/SE"}, "category"),
        ({"category": ["cs.SE", "CS"]}, "category"),
        ({"category": 7}, "category"),
        ({"via": "ftp"}, "via"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"colour": "red"}, "colour"),
        ({"announce_types": ["news"]}, "announce_types"),
        ({"via": "rss", "query": "all:trace"}, ""),
    ],
)
def test_a_bad_setting_is_refused_by_its_key(values: dict[str, object], key: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        ArxivSource("arxiv", values)
    assert [str(part) for error in refusal.value.errors() for part in error["loc"][:1]] == ([key] if key else [])


def test_a_query_means_the_api() -> None:
    assert settings(query="all:trace").via == "api"


def test_only_api_and_oai_have_past_days() -> None:
    days = {via: ArxivSource("arxiv", {"via": via}).has_days() for via in ("rss", "listing", "api", "oai")}
    assert days == {"rss": False, "listing": False, "api": True, "oai": True}


def test_it_is_a_source_with_arxivs_calendar() -> None:
    source = ArxivSource("arxiv", {})
    assert isinstance(source, Source)
    assert (source.announces_on(date(2026, 4, 17)), source.announces_on(date(2026, 4, 18))) == (True, False)


def test_each_interface_has_its_address() -> None:
    two = settings(category="cs.SE+hep-th")
    assert rss_url(two) == "https://rss.arxiv.org/rss/cs.SE+hep-th"
    assert listing_url(settings(via="listing"), "cs.SE") == "https://arxiv.org/list/cs.SE/new?skip=0&show=2000"
    assert oai_url(settings(via="oai"), category="cs.SE", day=date(2026, 4, 14)) == (
        "https://oaipmh.arxiv.org/oai?verb=ListRecords&metadataPrefix=arXivRaw"
        "&from=2026-04-14&until=2026-04-14&set=cs%3Acs%3ASE"
    )
    assert oai_resume_url(settings(via="oai"), "a|b&c").endswith("?verb=ListRecords&resumptionToken=a%7Cb%26c")
    assert rss_url(settings(category="cs.SE", url="http://localhost:1/feeds/")) == "http://localhost:1/feeds/cs.SE"


def test_a_query_asks_for_a_window_of_minutes_oldest_first() -> None:
    url = api_url(
        settings(via="api", category="cs.SE+math+hep-th", query="all:trace"), window=WINDOW, start=495, max_results=500
    )
    assert url == (
        "https://export.arxiv.org/api/query?search_query=%28all%3Atrace%29+AND+"
        "%28cat%3Acs.SE+OR+cat%3Amath.%2A+OR+cat%3Ahep-th%29+AND+"
        "submittedDate%3A%5B202604131800+TO+202604141759%5D"
        "&sortBy=submittedDate&sortOrder=ascending&start=495&max_results=500"
    )


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("cs.SE", "cs:cs:SE"),
        ("hep-th", "physics:hep-th"),
        ("astro-ph.CO", "physics:astro-ph:CO"),
        ("q-bio.GN", "q-bio:q-bio:GN"),
        ("cs", "cs"),
    ],
)
def test_a_category_becomes_group_archive_and_subject(category: str, expected: str) -> None:
    assert oai_set(category) == expected


@pytest.mark.parametrize("name", ENTRIES)
def test_every_format_is_known_by_its_look(name: str) -> None:
    listing = read(body(name))
    assert len(listing.entries) == ENTRIES[name]
    assert (listing.source, listing.kind) == ("arxiv", "arxiv")
    assert listing.state is not ListingState.FAILED


@pytest.mark.parametrize("name", [name for name in ENTRIES if name.endswith(".xml")])
def test_a_byte_order_mark_and_utf16_are_read_too(name: str) -> None:
    text = body(name).decode()
    assert read(b"\xef\xbb\xbf" + text.encode()).entries == read(text).entries
    wide = text.replace("encoding='UTF-8'", "encoding='UTF-16'").replace('encoding="UTF-8"', 'encoding="UTF-16"')
    assert read(wide.encode("utf-16")).entries == read(text).entries


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b" \r\n ", "is empty"),
        (b'{"dailyPapers": []}', "none of arXiv's formats"),
        (b"\x00\x01\x02", "none of arXiv's formats"),
        (b"<kml/>", "root element <kml>"),
        (b"<feed/>", "root element <feed>"),
        (b"<rss><channel>", "not well-formed"),
        (b"<rss>&nbsp;</rss>", "not well-formed"),
        (b"<?xml version='1.0' encoding='klingon'?><rss/>", "not well-formed"),
        (b"<a>" * 300 + b"</a>" * 300, "not well-formed"),
        (b'<!DOCTYPE rss [<!ENTITY a "aaa">]><rss>&a;</rss>', "document type or entities"),
        (b"<!--" + b"x" * 5000 + b'--><!DOCTYPE rss [<!ENTITY a "aaa">]><rss/>', "document type or entities"),
        (b'<!DOCTYPE rss SYSTEM "http://127.0.0.1/x.dtd"><rss/>', "document type or entities"),
    ],
)
def test_what_is_none_of_them_is_refused_by_name_and_reason(content: bytes, problem: str) -> None:
    with pytest.raises(ParseError, match=problem) as refusal:
        read(content, name="body.xml")
    assert str(refusal.value).startswith("body.xml: arxiv: ")


def test_an_entity_bomb_costs_nothing() -> None:
    lines = "".join(f'<!ENTITY b{number} "{f"&b{number - 1};" * 10}">' for number in range(1, 30))
    doctype = f'<!DOCTYPE rss [<!ENTITY b0 "ha">{lines}]>'
    bomb = f'<?xml version="1.0"?>{doctype}<rss><channel><title>&b29;</title></channel></rss>'
    with pytest.raises(ParseError, match="document type or entities"):
        read(bomb)
    wide = bomb.replace('version="1.0"', 'version="1.0" encoding="utf-16"').encode("utf-16")
    with pytest.raises(ParseError):
        read(wide)


@pytest.mark.parametrize("name", ["api.xml", "rss.xml", "oai_raw.xml"])
def test_comments_and_instructions_in_a_text_part_nothing(name: str) -> None:
    text = body(name).decode()
    spiced = text.replace("tests", "te<!-- hidden -->sts").replace("Trace", "Tra<?hidden too?>ce")
    assert spiced != text
    assert read(spiced).entries == read(text).entries


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (body("rss.xml").replace(b"</channel>", b"<a/>" * 2_000_001 + b"</channel>"), "more than 2000000 tags"),
        (body("list_new.html").replace(b"</body>", b"<p>" * 2_000_001 + b"</body>"), "more than 2000000 tags"),
        (body("mail_daily.txt") + b"\n" * 500_001, "more than 500000 lines"),
    ],
    ids=["feed", "page", "mail"],
)
def test_millions_of_tags_or_lines_are_refused_before_they_cost_memory(content: bytes, problem: str) -> None:
    with pytest.raises(ParseError, match=problem):
        read(content)
