"""Which papers count as saying the same: by words, by vectors, and never by chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from paperdigest.query.text import STOP_WORDS, stems
from paperdigest.ranking.corpus import Corpus
from paperdigest.ranking.duplicates import FEWEST_WORDS, SAME_SENSE, SAME_WORDS, Neighbours
from paperdigest.types import StoredPaper
from tests.digest_samples import NOW, paper

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = [f"{one}q{other}x" for one in LETTERS for other in LETTERS]


class Angles:
    """Turns a text into a vector by the angle, in degrees, that ends it; a text without one has none."""

    name = "angles"
    dimensions = 2

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        last = [text.rstrip(".").rpartition(" ")[2] for text in texts]
        angles = np.radians([float(one) if one.replace(".", "").isdigit() else np.nan for one in last])
        vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        found: NDArray[np.float32] = np.nan_to_num(vectors).astype(np.float32)
        return found


def corpus(*texts: tuple[str, str | None], encoder: Angles | None = None) -> Corpus:
    papers = [
        StoredPaper(paper=paper(number, title=title, abstract=abstract), first_seen_at=NOW)
        for number, (title, abstract) in enumerate(texts)
    ]
    return Corpus(papers, encoder)


def near(*texts: tuple[str, str | None], encoder: Angles | None = None) -> list[set[int]]:
    """For each text the numbers of its near-duplicates."""
    found = Neighbours(corpus(*texts, encoder=encoder))
    return [{int(one.local[5:]) for one in found.get(paper(number).id)} for number in range(len(texts))]


def sharing(common: int, own: int) -> tuple[tuple[str, str], tuple[str, str]]:
    """Two papers with some words in common and so many of their own each."""
    ours, first, second = WORDS[:common], WORDS[common : common + own], WORDS[common + own : common + 2 * own]
    return ("", " ".join(ours + first)), ("", " ".join(second + ours))


def test_the_made_up_words_are_stems_of_their_own() -> None:
    assert len(set(stems(" ".join(WORDS)))) == len(WORDS)


@pytest.mark.parametrize(("common", "own", "same"), [(40, 20, True), (39, 20, False), (40, 0, True), (0, 40, False)])
def test_half_of_all_words_in_common_is_the_same(common: int, own: int, same: bool) -> None:
    assert (common / (common + 2 * own) >= SAME_WORDS) is same
    assert near(*sharing(common, own)) == ([{1}, {0}] if same else [set(), set()])


def test_title_and_abstract_are_one_text() -> None:
    words = " ".join(WORDS[:30])
    assert near((words, None), ("", words), (words[:50], words[50:])) == [{1, 2}, {0, 2}, {0, 1}]


def test_stop_words_and_inflections_make_no_difference() -> None:
    nouns = "trace graph model method code test link paper tool engine parser store queue field topic score word rank"
    nouns += " sign text"
    plural = " of the ".join(f"{noun}s" for noun in nouns.split())
    assert near((nouns, None), (plural, None)) == [{1}, {0}]
    other = " ".join(sorted(STOP_WORDS))
    assert near((f"{other} {WORDS[0]}", None), (f"{other} {WORDS[1]}", None)) == [set(), set()]


def test_bare_titles_are_only_the_same_word_for_word() -> None:
    assert near(("A survey of agents", None), ("Agents: survey", None), ("A survey of agents in games", None)) == [
        {1},
        {0},
        set(),
    ]
    short, long = WORDS[: FEWEST_WORDS - 1], WORDS[:FEWEST_WORDS]
    assert near((" ".join(short), None), (" ".join(long), None)) == [set(), set()]
    assert near((" ".join(long), None), (" ".join(WORDS[: FEWEST_WORDS + 1]), None)) == [{1}, {0}]


def test_papers_without_words_have_no_twins() -> None:
    assert near(("", None), ("", ""), ("?!", None), ("of the", None)) == [set()] * 4
    assert near() == []


def test_vectors_find_what_is_said_in_other_words() -> None:
    degrees = float(np.degrees(np.arccos(SAME_SENSE)))
    texts = [("alpha", "0"), ("beta", f"{degrees - 0.1:.2f}"), ("gamma", f"{degrees + 0.1:.2f}"), ("delta", "90")]
    assert near(*texts, encoder=Angles()) == [{1}, {0, 2}, {1}, set()]
    assert near(*texts) == [set()] * 4


def test_a_paper_without_a_vector_is_compared_by_words_alone() -> None:
    assert near(("alpha", None), ("beta", None), ("alpha", None), encoder=Angles()) == [{2}, set(), {0}]


def test_the_company_changes_nothing() -> None:
    alone = Neighbours(corpus(*sharing(40, 20)))
    crowd = Neighbours(corpus(*sharing(40, 20), *((f"paper {word}", f"{word} {word}") for word in WORDS[100:200])))
    assert alone.get(paper(0).id) == crowd.get(paper(0).id) == {paper(1).id}


def test_a_paper_that_is_not_there_has_no_twins() -> None:
    assert Neighbours(corpus(("a", "b"))).get(paper(99).id) == frozenset()


def test_what_was_found_once_is_remembered() -> None:
    found = Neighbours(corpus(*sharing(40, 20)))
    assert found.get(paper(0).id) is found.get(paper(0).id)
