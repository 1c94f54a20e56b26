"""Where a mail leads back to: the reader's own pages, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from paperdigest.render import Links, Renderer
from paperdigest.render.links import NO_LINKS, checked
from tests.digest_samples import chosen, digest, paper, ranked
from tests.html_pages import elements, hrefs, parsed, words

BASE = "https://digest.example.org"
ALL = Links(
    unsubscribe=f"{BASE}/u/TOKEN", manage=f"{BASE}/m/TOKEN", read=f"{BASE}/d/TOKEN", unsubscribe_mailto="u@example.org"
)


def ours(links: Links) -> list[tuple[str, str]]:
    """The links to our own pages in the HTML of a digest without links of its own, with their words."""
    made = digest(ranked(paper(url=None, pdf_url=None)))
    root = parsed(Renderer().digest(made, links).html_page)
    return [(words(node), str(node.get("href")).removeprefix(BASE)) for node in elements(root) if node.get("href")]


def test_all_links_stand_in_their_places() -> None:
    assert ours(ALL) == [
        ("Read on the web", "/d/TOKEN"),
        ("Unsubscribe", "/u/TOKEN"),
        ("More like this", "/d/TOKEN/1/like"),
        ("Less like this", "/d/TOKEN/1/less"),
        ("Change topics, day and hour", "/m/TOKEN"),
        ("Unsubscribe", "/u/TOKEN"),
    ]


@pytest.mark.parametrize(
    ("links", "shown"),
    [
        (Links(read=ALL.read), ["Read on the web", "More like this", "Less like this"]),
        (Links(unsubscribe=ALL.unsubscribe), ["Unsubscribe", "Unsubscribe"]),
        (Links(manage=ALL.manage), ["Change topics, day and hour"]),
        (Links(unsubscribe_mailto="u@example.org"), ["send an empty mail to u@example.org"]),
        (
            Links(manage=ALL.manage, unsubscribe_mailto="u@example.org"),
            ["Change topics, day and hour", "send an empty mail to u@example.org"],
        ),
        (NO_LINKS, []),
    ],
)
def test_what_there_is_not_is_not_shown(links: Links, shown: list[str]) -> None:
    assert [name for name, _ in ours(links)] == shown
    text = Renderer().digest(digest(ranked()), links).text_page
    assert ("or to stop it, write to the sender" in text) == (links in (NO_LINKS, Links(read=ALL.read)))
    assert ("write to the sender" in text) == (links.manage is None)
    assert "paperdigest subscriber" not in text  # a reader has no command line


def test_likes_lead_to_the_place_of_the_paper_in_the_digest_not_on_the_page() -> None:
    made = chosen()  # one of graphs stands second in the digest and third on the page
    done = Renderer().digest(made, ALL)
    likes = [href.removeprefix(f"{BASE}/d/TOKEN/") for href in hrefs(parsed(done.html_page)) if href.endswith("/like")]
    assert likes == ["1/like", "3/like", "2/like"]
    lines = done.text_page.split("\n")
    titles = [line[4:] for line in lines if line[:2] in ("1.", "2.", "3.")]
    assert titles == ["Tracing the trace", "Paper number 3", "Paper number 2"]
    assert [line.split("/")[-2] for line in lines if line.endswith("/less")] == ["1", "3", "2"]


def test_links_of_the_same_name_are_told_apart_for_those_who_hear_them() -> None:
    root = parsed(Renderer().digest(digest(ranked(), ranked(paper(2))), ALL).html_page)
    labels = [str(node.get("aria-label")) for node in elements(root) if "like this" in words(node) and node.get("href")]
    assert labels[0] == "More like this: Paper number 1" and len(set(labels)) == 4


def test_what_is_left_out_is_read_on_the_web_when_there_is_one() -> None:
    made = digest(*(ranked(paper(number, abstract="A word. " * 100)) for number in range(1, 101)))
    with_web, without = (Renderer().digest(made, links) for links in (ALL, NO_LINKS))
    left = 100 - with_web.html_page.count("<h3 ")
    assert left > 0
    assert f"… and {left} more: read them on the web\n  {ALL.read}\n" in with_web.text_page
    assert f"… and {left} more: <a" in with_web.html_page and "did not fit" not in with_web.html_page
    assert "did not fit into one mail" in without.html_page and "web" not in without.text_page
    assert f"{100 - left} of 46 unseen papers" in with_web.text_page


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "/u/TOKEN", "ftp://example.org", "https://a b@c/", "x" * 5_000, "", "https://x\x00"]
)
def test_what_is_no_web_address_becomes_no_link(url: str) -> None:
    given = Links(unsubscribe=url, manage=url, read=url, unsubscribe_mailto=url)
    assert checked(given) == NO_LINKS
    assert ours(given) == []


@pytest.mark.parametrize("address", ["a b@example.org", "a@b\r\nBcc: c@d", "a@b>", "<a@b>", "a", "@", "é@example.org"])
def test_what_is_no_plain_mail_address_becomes_no_link(address: str) -> None:
    assert checked(Links(unsubscribe_mailto=address)).unsubscribe_mailto is None


def test_addresses_of_our_own_stay_as_they_are() -> None:
    assert checked(ALL) == ALL
    odd = replace(ALL, read="https://example.org/d?token=a&b='c'")
    assert checked(odd) == odd
    assert "https://example.org/d?token=a&b='c'/1/like" in Renderer().digest(digest(ranked()), odd).text_page
