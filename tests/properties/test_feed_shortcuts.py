"""The shortcuts for what nearly every feed holds give what the long way gives."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import assume, example, given
from hypothesis import strategies as st

from paperdigest.identity import url_id
from paperdigest.protocols import ParseContext
from paperdigest.sources.feed import FeedSource
from paperdigest.sources.feed.dates import parse_date
from paperdigest.sources.feed.fields import Markup
from paperdigest.sources.feed.links import is_web
from paperdigest.sources.feed.markup import plain
from paperdigest.types import Paper

RETRIEVED_AT = datetime(2026, 4, 15, tzinfo=UTC)
SITES = st.sampled_from(
    ["http://a.example", "https://B.example:443", "https://doi.org", "https://doi.org/10.1234", "https://arxiv.org/abs"]
)
PATHS = st.text(st.sampled_from("aB10./?#=&%20-_~é[]"), max_size=12) | st.just("x" * 1990)
SPACED = st.lists(
    st.sampled_from(["a", "é", " ", "  ", "   ", "\n", "\t", "\x00", "\x7f", "\x85", "\xa0", "\u2028", "b", "\ud800"]),
    max_size=12,
).map("".join)
DIGITS = st.text("0123456789", min_size=2, max_size=2)


def only_paper(link: str) -> Paper:
    body = f"<rss><channel><item><title>T</title><link>{link.replace('&', '&amp;')}</link></item></channel></rss>"
    context = ParseContext(source="any", retrieved_at=RETRIEVED_AT, name="any")
    (entry,) = FeedSource("any", {"url": "https://a.example/"}).parse(body.encode(), context).entries
    return entry.paper


@given(SITES, PATHS)
@example("https://doi.org", "/10.1234/abc")
@example("https://a.example", "/10.1234/abc")
@example("https://arxiv.org/abs", "/2401.00001v2")
@example("http://a.example", "/" + "x" * (2000 - len("http://a.example/")))
def test_the_id_by_a_link_is_what_the_link_alone_gives(site: str, path: str) -> None:
    link = site + path
    assume(is_web(link) and url_id(link) is not None)
    paper = only_paper(link)
    assert (paper.id, paper.aliases) == (url_id(link), ())


@given(SPACED)
def test_text_without_markup_is_its_words_and_single_spaces(text: str) -> None:
    seen = text.replace("\x85", "…").replace("\ud800", "\N{REPLACEMENT CHARACTER}")
    for control in "\x00\x7f":
        seen = seen.replace(control, " ")
    assert plain(Markup(text)) == " ".join(seen.split())


@given(st.integers(1000, 2030), DIGITS, DIGITS, DIGITS, DIGITS, DIGITS)
def test_the_date_that_atom_writes_is_read_as_any_other(
    year: int, month: str, day: str, hour: str, minute: str, second: str
) -> None:
    text = f"{year}-{month}-{day}T{hour}:{minute}:{second}"
    assert parse_date(f"{text}Z") == parse_date(f"{text}+00:00")
