"""Whatever the bytes: a listing or a `ParseError`."""

from __future__ import annotations

import json
from datetime import date
from html import escape

from hypothesis import given
from hypothesis import strategies as st

from paperdigest.errors import ParseError
from paperdigest.types import Listing
from tests.huggingface_bodies import api, day_props, item, page, parse

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
TIMES = st.sampled_from(["2026-04-14T01:02:03.000Z", "2026-04-14", "0001-01-01", "9999-12-31T23:59:59-23:59", "x"])
VALUES = st.recursive(
    SCALARS | TIMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
PAPER_KEYS = ("id", "title", "summary", "authors", "publishedAt", "submittedOnDailyAt", "upvotes", "githubRepo")
PAPERS = st.dictionaries(st.sampled_from(PAPER_KEYS), VALUES)
ITEMS = st.lists(
    st.builds(lambda paper, outer: item(paper=paper, **outer), PAPERS, st.fixed_dictionaries({"numComments": VALUES})),
    max_size=4,
)
PROPS = st.fixed_dictionaries(
    {},
    optional={
        "dailyPapers": ITEMS | VALUES,
        "searchResults": ITEMS | VALUES,
        "dateString": TIMES | VALUES,
        "periodType": st.sampled_from(["day", "week", "month"]) | VALUES,
        "query": st.just({"q": "trace"}) | VALUES,
        "paper": PAPERS | VALUES,
    },
)
NAMES = st.sampled_from(
    ["x.json", "2026-04-14.html", "https://huggingface.co/papers?q=trace", "https://huggingface.co/papers/trending"]
)
MARKUP = st.lists(
    st.sampled_from(
        [
            "<article>",
            "</article>",
            "<h3>",
            "</h3>",
            "<a href='/papers/2604.00001'>",
            "<a href='/papers/astro-ph/0601001#community'>",
            "<a href=/papers/>",
            "</a>",
            "<div class=leading-none>",
            "</div>",
            "3.29k",
            "7",
            "4 authors",
            "Feb 29",
            "Apr 6, 0000",
            "<p>",
            "<?xml version='1.0'?>",
            "<!--",
            "&#xd800;",
            "\x00",
            "<svg:a xmlns=''>",
            "data-props='[]'",
        ]
    )
    | st.text(max_size=10),
    max_size=30,
).map("".join)


def outcome(body: bytes, name: str, listed_on: date | None = None) -> Listing | ParseError:
    try:
        listing = parse(body, name=name, listed_on=listed_on)
    except ParseError as error:
        assert str(error).startswith(name)
        return error
    for entry in listing.entries:
        assert "\n" not in entry.paper.title
        json.dumps(entry.paper.title, ensure_ascii=False).encode("utf-8")
        (entry.paper.abstract or "").encode("utf-8")
    return listing


@given(st.binary(max_size=300), NAMES)
def test_any_bytes_give_a_listing_or_a_parse_error(body: bytes, name: str) -> None:
    assert isinstance(outcome(body, name), Listing | ParseError)


@given(st.lists(VALUES, max_size=3) | ITEMS, NAMES, st.none() | st.dates())
def test_any_json_gives_a_listing_or_a_parse_error(value: object, name: str, day: date | None) -> None:
    assert isinstance(outcome(json.dumps(value).encode(), name, day), Listing | ParseError)


@given(PROPS, st.sampled_from(["DailyPapers", "PaperContent"]), NAMES, st.none() | st.dates())
def test_any_page_data_give_a_listing_or_a_parse_error(
    props: dict[str, object], target: str, name: str, day: date | None
) -> None:
    assert isinstance(outcome(page(props, target=target), name, day), Listing | ParseError)


@given(MARKUP, NAMES, st.none() | st.dates())
def test_any_markup_gives_a_listing_or_a_parse_error(markup: str, name: str, day: date | None) -> None:
    assert isinstance(outcome(b"<" + markup.encode("utf-8", "replace"), name, day), Listing | ParseError)
    assert isinstance(outcome(b"<p>" + markup.encode("utf-8", "replace"), name, day), Listing | ParseError)


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1), st.booleans())
def test_every_title_survives_the_way_through_the_page(title: str, single: bool) -> None:
    one = item(paper={"title": title}, title=title)
    text = json.dumps(day_props(one), ensure_ascii=False)
    quoted = "'" + text.replace("&", "&amp;").replace("'", "&#39;") + "'" if single else f'"{escape(text)}"'
    saved = f"<body><div data-props={quoted} data-target='DailyPapers'></div></body>".encode()
    assert parse(saved).entries == parse(api(one)).entries
