"""The short mail of a day without papers: it says why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from paperdigest.render import Renderer
from paperdigest.render.samples import SAMPLE_LINKS
from paperdigest.render.subjects import subject_of
from paperdigest.types import Digest, StoredPaper
from tests.digest_samples import NOW, digest, paper, ranked
from tests.html_pages import of_class, only, parsed, words

WHY = ("arXiv announced nothing on Wednesday, 15 April.", "Of the days before, 3 papers did not match your topics.")


def note(*sentences: str) -> Digest:
    return replace(digest(considered=0), quiet=sentences or WHY)


def test_the_subject_says_that_the_day_is_quiet_and_the_first_reason() -> None:
    assert subject_of(note()) == "Quiet day, 15 April: arXiv announced nothing on Wednesday, 15 April"
    assert subject_of(note("", " \x00", "Two. Three.")) == "Quiet day, 15 April: Two. Three"
    assert subject_of(note("", "\u2028")) == "No papers for 15 April 2026"


@pytest.mark.parametrize("size", [10, 100, 1_000, 1_000_000])
def test_the_subject_is_one_line_of_at_most_110_characters(size: int) -> None:
    subject = subject_of(note("word\r\n" * size))
    assert len(subject) <= 110 and subject.startswith("Quiet day, 15 April: word word")


def test_both_parts_say_every_reason_and_the_way_out() -> None:
    done = Renderer(postal_address="1 Road").digest(note(), SAMPLE_LINKS[-1])
    root = parsed(done.html_page)
    assert [words(node) for node in of_class(root, "abstract")] == list(WHY)
    assert words(of_class(root, "edition")[0]) == "Wednesday, 15 April 2026 · no papers today"
    assert words(of_class(root, "preview")[0]) == WHY[1]
    assert "\n".join(WHY) in done.text_page and "no papers today" in done.text_page
    for part in (done.html_page, done.text_page):
        assert part.count("You get this because") == 1 and "/u/x" in part and "1 Road" in part
    assert len(done.html_page) < 8_000


def test_a_digest_with_papers_is_not_quiet_whatever_stands_beside_it() -> None:
    made = replace(digest(ranked()), quiet=WHY)
    done = Renderer().digest(made)
    assert "Quiet" not in done.subject and WHY[0] not in done.html_page and WHY[0] not in done.text_page


def test_new_versions_come_with_the_reasons_why_there_is_nothing_else() -> None:
    made = replace(note(), revised=(StoredPaper(paper=paper(version=2), first_seen_at=NOW),))
    done = Renderer().digest(made)
    assert done.subject == "1 new version of papers you liked: Paper number 1"
    for said in (*WHY, "version 2"):
        assert said in done.text_page and said in words(only(parsed(done.html_page), "body"))


def test_a_flood_of_reasons_is_cut() -> None:
    done = Renderer().digest(note(*(f"Source {number} is silent. " * 100 for number in range(5_000))))
    assert done.html_page.count('class="abstract"') == 12
    assert len(done.html_page) < 15_000
