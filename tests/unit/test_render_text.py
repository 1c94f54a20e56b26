"""The text part: complete, and at most 76 columns wide."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from paperdigest.render import Links, Renderer
from paperdigest.render.links import NO_LINKS
from paperdigest.types import Digest
from tests.digest_samples import digest, named, paper, ranked, subscriber


def text(made: Digest | None = None, links: Links = NO_LINKS, **settings: object) -> str:
    return Renderer(**settings).digest(made or digest(ranked()), links).text_page  # type: ignore[arg-type]  # keywords of Renderer


def flat(page: str) -> str:
    return " ".join(page.split())


def test_a_whole_digest_reads_like_this() -> None:
    made = digest(ranked(paper(1, title='A trace of <Trace> & "more"', withdrawn=True)))
    rule = "-" * 76
    assert text(made, title="Papers") == (
        "Papers\n"
        "Wednesday, 15 April 2026\n"
        "1 of 46 unseen papers for you\n"
        "\n\n"
        "trace (1 paper)\n"
        f"{rule}\n"
        "\n"
        '1.  A trace of <Trace> & "more"\n'
        "    Withdrawn by its authors.\n"
        "    Ada Example, Ben Example\n"
        "    13 April 2026 · hf (12 upvotes · 1 comment)\n"
        "\n"
        "    One sentence about a trace. And another one.\n"
        "\n"
        "    Why: abstract has *trace*\n"
        "    Abstract: https://arxiv.org/abs/2604.00001\n"
        "    PDF: https://arxiv.org/pdf/2604.00001\n"
        "\n\n"
        f"{rule}\n"
        "You get this because you@example.org asked for papers on trace.\n"
        "To change it or to stop it, write to the sender of this mail.\n"
    )


@pytest.mark.parametrize(
    ("considered", "line"),
    [(1, "1 of 1 unseen paper for you"), (46, "1 of 46 unseen papers for you"), (6302, "1 of 6,302 unseen")],
)
def test_the_head_says_how_many_of_how_many(considered: int, line: str) -> None:
    assert f"\n{line}" in text(digest(ranked(), considered=considered))


def test_papers_are_numbered_through_all_sections() -> None:
    made = digest(*(ranked(paper(number), topic=f"topic {number % 2}") for number in range(1, 5)))
    assert re.findall(r"^(\d)\.  Paper number (\d)", text(made), re.MULTILINE) == [
        ("1", "1"),
        ("2", "3"),
        ("3", "2"),
        ("4", "4"),
    ]


def test_only_web_addresses_are_wider_than_76_columns() -> None:
    long = "wide word " * 200 + "x" * 10_000
    url = "https://example.org/" + "a" * 500
    one = ranked(
        paper(title=long, abstract=long, authors=named(long, long), primary_category=long, url=url),
        topic=long,
        reasons=(long, long),
    )
    made = digest(one, to=subscriber(email="y" * 300 + "@example.org", topics=(long, "b" * 500)))
    wide = [line for line in text(made, title=long, postal_address=long).split("\n") if len(line) > 76]
    assert wide == [f"      {url}"]


def test_everything_that_is_known_of_each_paper_stands_in_the_text() -> None:
    papers = [ranked(paper(number, version=2, code_url=f"https://example.org/{number}")) for number in range(1, 11)]
    page = flat(text(digest(*papers)))
    for one in (entry.stored.paper for entry in papers):
        for wanted in (one.title, one.abstract, one.url, one.pdf_url, one.code_url, "version 2"):
            assert wanted is not None and wanted in page


def test_a_paper_of_which_only_the_title_is_known_leaves_no_gaps() -> None:
    bare = paper(abstract=None, authors=(), published_at=None, url=None, pdf_url=None)
    page = text(digest(ranked(bare, reasons=(), entries=())))
    assert "\n1.  Paper number 1\n\n\n----" in page


def test_a_day_without_papers_has_head_and_footer() -> None:
    page = text(digest(considered=3))
    assert "0 of 3 unseen papers for you" in page
    assert "write to the sender" in page


def test_the_footer_names_the_way_out_and_the_postal_address() -> None:
    page = text(links=Links(unsubscribe_mailto="unsub@example.org"), postal_address="1 Road,\nTown")
    assert (
        "To stop it, send an empty mail to\n  unsub@example.org\nTo change it, write to the sender of this mail.\n"
        in page
    )
    assert page.endswith("1 Road, Town\n")
    assert "paperdigest subscriber" not in page


def test_a_subscriber_without_topics_is_not_told_of_any() -> None:
    bare = replace(digest(), subscriber=subscriber(topics=()))
    assert "because you@example.org asked for papers.\n" in text(bare)
