"""Digests of hostile and broken texts: whatever a source, a subscriber or a token can hold, and worse."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import UTC

from hypothesis import strategies as st

from paperdigest.render import Links
from paperdigest.render.stretches import hole
from paperdigest.types import Appearance, Author, Digest, Highlight, Placement, RankedPaper, Topic
from tests.digest_samples import digest, paper, ranked, subscriber

FRAGMENTS = (
    "<img src=x onerror=alert(1)>",
    "</h3></td></tr></table>",
    "</title><script>alert(1)</script>",
    "</style>",
    "<!--",
    "]]>",
    "{{ 7*7 }}",
    "{% for x in ().__class__ %}",
    "{# ",
    "\r\nBcc: victim@example.org\r\n\r\n",
    "=?utf-8?q?a=0aBcc:_v@x?=",
    "\x00",
    "\ud800",
    "\udfff\ud83d",
    "\u202e\u2066",
    "\u200f\u061c",
    "\u200b\u2060\ufeff",
    "\ufdd0\uffff\U0010fffe",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "&amp;&#x3c;script&#62;&nbsp;",
    "\"'`=",
    "*",
    "**trace**",
    "https://example.org/" + "a" * 100,
    "x" * 10_000,
    "word " * 2_000,
    "\u0301" * 50,
    ". ",
    "\u2028\u2029\x85\x0b\x0c",
    "".join(map(hole, range(20))),
    "https://github.com/example/code).",
)
ANY_TEXT = st.text(st.characters(), max_size=40) | st.lists(
    st.sampled_from(FRAGMENTS) | st.text(st.characters(), max_size=10), max_size=5
).map("".join)
ANY_NAME = ANY_TEXT.map(lambda text: f"n{text}") | ANY_TEXT.filter(str.strip)
ANY_URL = (
    st.none()
    | ANY_TEXT
    | ANY_TEXT.map(lambda text: f"https://example.org/{text}")
    | ANY_TEXT.map(lambda text: f"{text}https://example.org")
    | st.sampled_from(["javascript:alert(1)", "data:text/html,x", "//example.org", "HTTPS://EXAMPLE.ORG/?a=b&c=d"])
)
COUNT = st.none() | st.integers(0, 2**63)

APPEARANCES = st.builds(
    Appearance,
    source=ANY_TEXT,
    listed_on=st.dates(),
    upvotes=COUNT,
    comments=COUNT,
    announce_type=st.sampled_from([None, "new", "replace-cross"]),
)


QUERIES = (
    st.sampled_from(["trace", 'author:"n" trace', "author:n* -author:x", "author:=n", "(broken author:", ""]) | ANY_TEXT
)
LINKS = st.builds(
    Links,
    unsubscribe=ANY_URL,
    manage=ANY_URL,
    read=ANY_URL,
    unsubscribe_mailto=st.sampled_from([None, "u@example.org", "u+'&=?`{|}~@example.org"]) | ANY_TEXT,
)


def keyed(made: Digest) -> Digest:
    """The digest as the store gives it back: papers that look alike have the same key."""
    keys = [hashlib.blake2b(repr(one).encode("utf-8", "surrogatepass"), digest_size=16).digest() for one in made.ranked]
    return replace(made, ranked=tuple(replace(one, key=key) for one, key in zip(made.ranked, keys, strict=True)))


HIGHLIGHTS = st.builds(
    lambda field, start, length: Highlight(field=field, start=start, end=start + length),
    st.sampled_from(["title", "abstract"]),
    st.integers(0, 60),
    st.integers(1, 30),
)


@st.composite
def rankings(draw: st.DrawFn) -> RankedPaper:
    authors = tuple(Author(name=name) for name in draw(st.lists(ANY_NAME, max_size=6)))
    one = paper(
        draw(st.integers(1, 99_999)),
        title=draw(ANY_TEXT),
        abstract=draw(st.none() | ANY_TEXT),
        authors=authors,
        authors_count=draw(st.none() | st.integers(len(authors), 10**9)),
        published_at=draw(st.none() | st.datetimes(timezones=st.just(UTC))),
        version=draw(st.none() | st.integers(1, 10**9)),
        url=draw(ANY_URL),
        pdf_url=draw(ANY_URL),
        code_url=draw(ANY_URL),
        primary_category=draw(st.none() | ANY_TEXT),
        withdrawn=draw(st.booleans()),
    )
    plain = ranked(
        one,
        topic=draw(ANY_NAME),
        reasons=tuple(draw(st.lists(ANY_TEXT, max_size=4))),
        entries=tuple(draw(st.lists(APPEARANCES, max_size=4))),
    )
    return replace(
        plain,
        also=tuple(draw(st.lists(ANY_NAME, max_size=3))),
        placement=draw(st.sampled_from(Placement)),
        highlights=tuple(draw(st.lists(HIGHLIGHTS, max_size=5))),
    )


@st.composite
def digests(draw: st.DrawFn) -> Digest:
    address = re.sub(r"[\s\x00-\x1f]", "", draw(ANY_TEXT)) + "@example.org"
    topics = draw(st.lists(ANY_NAME, max_size=3, unique=True))
    to = replace(
        subscriber(email=address, name=draw(ANY_TEXT)),
        topics=tuple(Topic(name=one, query=draw(QUERIES)) for one in topics),
    )
    made = digest(*draw(st.lists(rankings(), max_size=4)), considered=draw(st.integers(0, 10**9)), to=to)
    return replace(
        made,
        quiet=tuple(draw(st.lists(ANY_TEXT, max_size=3))),
        edition=draw(st.dates()),
        revised=tuple(one.stored for one in draw(st.lists(rankings(), max_size=2))),
        notes=tuple(draw(st.lists(ANY_TEXT, max_size=2))),
        method=draw(ANY_TEXT),
    )
