"""A page never grows to where Gmail clips it and hides the footer."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from paperdigest.errors import RenderError
from paperdigest.render import MAX_HTML_BYTES, Links, Rendered, Renderer
from paperdigest.types import Digest
from tests.digest_samples import digest, named, paper, ranked, subscriber

MAIL = Links(unsubscribe_mailto="unsub@example.org")
LONG = "A sentence about traces in the software of a large system. " * 40


def many(count: int, **fields: object) -> Digest:
    papers = (ranked(paper(number, **({"abstract": LONG} | fields))) for number in range(1, count + 1))
    return digest(*papers, considered=count)


def drawn(made: Digest, links: Links = MAIL) -> Rendered:
    done = Renderer(postal_address="1 Road, Town").digest(made, links)
    assert len(done.html_page.encode("utf-8")) <= MAX_HTML_BYTES == 95_000
    for part in (done.html_page, done.text_page):  # the footer is always there
        assert part.count("You get this because") == part.count("To stop it") == 1
        assert "1 Road, Town" in part
    return done


def papers_in(html: str) -> int:
    return html.count("<h3 ")


def longest_abstract(html: str) -> int:
    found = re.findall(r'<p class="abstract"[^>]*>(.*?)</p>', html)
    return max((len(re.sub(r"<[^>]*>", "", one)) for one in found), default=0)


def test_ten_papers_keep_their_abstracts() -> None:
    html = drawn(many(10)).html_page
    assert papers_in(html) == 10
    assert 500 < longest_abstract(html) <= 600


def test_when_it_gets_tight_abstracts_are_shortened_before_a_paper_is_left_out() -> None:
    lengths = []
    for count in range(34, 82, 3):
        html = drawn(many(count)).html_page
        lengths.append(longest_abstract(html))
        assert lengths[-1] == 0 or papers_in(html) == count
    assert lengths == sorted(lengths, reverse=True)
    steps = {next(limit for limit in (0, 140, 300, 600) if length <= limit) for length in lengths}
    assert steps == {600, 300, 140, 0}


def test_no_more_papers_are_left_out_than_must_be() -> None:
    """One at a time: a paper more, and one has to go, or two, since it is said that there are more."""
    least = papers_in(drawn(many(100)).html_page)
    left_out = [count - papers_in(drawn(many(count)).html_page) for count in range(least - 3, least + 5)]
    assert left_out[0] == 0 and left_out[-1] > 3
    assert {after - before for before, after in pairwise(left_out)} <= {0, 1, 2}
    assert next(left for left in left_out if left) in (1, 2)


def test_a_hundred_long_papers_fill_the_page_with_the_best_and_say_how_many_are_left_out() -> None:
    done = drawn(many(100))
    shown = papers_in(done.html_page)
    assert 30 < shown < 100
    for part in (done.html_page, done.text_page):
        assert f"… and {100 - shown} papers more that did not fit into one mail." in part
        assert f"{shown} of 100 unseen papers for you" in part
        assert f"Paper number {shown}" in part and f"Paper number {shown + 1}" not in part
    # One more would not have fitted.
    per_paper = re.findall(r'<tr><td class="paper.*?</td></tr>', done.html_page, re.DOTALL)
    assert len(done.html_page.encode()) + max(len(one.encode()) for one in per_paper) > MAX_HTML_BYTES
    assert len(done.subject) <= 110


HUGE = "&\"'<" * 20_000
HUGE_FIELDS: dict[str, dict[str, object]] = {
    "title": {"title": HUGE},
    "abstract": {"abstract": HUGE},
    "abstract of emoji": {"abstract": "\U0001f600" * 100_000},
    "authors": {"authors": named(*[HUGE] * 50)},
    "addresses": {"url": "https://example.org/" + "&" * 900, "pdf_url": "https://example.org/" + "é" * 1900},
    "category": {"primary_category": HUGE},
}


@pytest.mark.parametrize("name", HUGE_FIELDS)
def test_no_field_of_a_paper_takes_the_page_for_itself(name: str) -> None:
    assert papers_in(drawn(many(5, **HUGE_FIELDS[name])).html_page) == 5


def test_no_reason_topic_name_or_address_takes_the_page_for_itself() -> None:
    topics = tuple(f"{number} {HUGE}" for number in range(50))
    papers = (ranked(paper(number), topic=topics[number], reasons=(HUGE,) * 9) for number in range(5))
    made = digest(*papers, to=subscriber(email="a" * 90_000 + "@example.org", topics=topics, name=HUGE))
    assert papers_in(drawn(made).html_page) == 5


def test_a_page_that_is_too_large_with_a_single_paper_is_refused_in_words() -> None:
    with pytest.raises(RenderError, match="above 95,000 bytes even with a single paper"):
        Renderer(postal_address="漢" * 20_000, title="漢" * 20_000).digest(many(3))
