"""The peers that ranking is compared with do what they are described to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bench.__main__ import table
from bench._peers import Averaged, Fts5, Sanity, Substrings, library_weights
from bench.timing import Row
from paperdigest.evaluation import Document, Examples

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAPERS = (
    Document(id="a", title="Storage of graphs", text="We drag and drop."),
    Document(id="b", title="RAG for traces", text="A rag of requirements; tracing with RAG."),
    Document(id="c", title="Sparse bandits"),
)


class FirstLetters:
    """A vector of one letter each."""

    name = "letters"
    dimensions = 26

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([np.eye(26, dtype=np.float32)[ord(text[0].lower()) - ord("a")] for text in texts])


def examples(*, liked: Sequence[int], archive: Sequence[int], candidates: Sequence[int]) -> Examples:
    columns = [np.array(places, dtype=np.intp) for places in (liked, (), archive, candidates)]
    return Examples(liked=columns[0], disliked=columns[1], archive=columns[2], candidates=columns[3])


def test_substrings_count_letters_and_not_words() -> None:
    prepared = Substrings().prepare(PAPERS)
    assert next(prepared.topics([("rag", "drop")])).tolist() == [3.0, 3.0, -np.inf]
    assert prepared.likes(examples(liked=[0], archive=[], candidates=[1, 2])).tolist() == [-np.inf, -np.inf]


def test_full_text_search_finds_any_of_the_words_and_their_inflections() -> None:
    prepared = Fts5().prepare(PAPERS)
    first, second, nothing = prepared.topics([("the trace of",), ('graph" OR', "bandit AND near"), ("...",)])
    assert np.isfinite(first).tolist() == [False, True, False]
    assert first[1] > 0
    assert np.isfinite(second).tolist() == [True, False, True]
    assert np.isneginf(nothing).all()
    assert np.isneginf(prepared.likes(examples(liked=[0], archive=[], candidates=[1]))).all()


def test_the_averaged_embedding_weighs_later_additions_more() -> None:
    prepared = Averaged(FirstLetters()).prepare(PAPERS)
    latest, earlier = library_weights(2).tolist()
    scores = prepared.likes(examples(liked=[0, 1], archive=[], candidates=[0, 1, 2]))
    assert scores == pytest.approx([10 * latest, 10 * earlier, 10 * latest])
    assert next(prepared.topics([("rust", "sand")])) == pytest.approx([10 * earlier, 10 * latest, 10 * earlier])


def test_the_weights_of_a_library_fall_with_the_logarithm_of_the_rank() -> None:
    weights = library_weights(10)
    assert weights.sum() == pytest.approx(1)
    assert weights[0] / weights[9] == pytest.approx(2)
    assert (np.diff(weights) < 0).all()


def test_a_linear_machine_puts_papers_like_the_liked_ones_first() -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is needed by a benchmark alone")
    texts = ["trace link recovery", "trace link quality", "sparse bandit regret", "bandit regret bound"]
    # Common words fill the papers: a word of more than a tenth of them is no feature.
    papers = [
        Document(id=f"{place}", title=texts[place] if place < 4 else f"filler{place} only") for place in range(40)
    ]
    prepared = Sanity().prepare(papers)
    liked, other = prepared.likes(examples(liked=[0], archive=range(4, 40), candidates=[1, 3])).tolist()
    assert liked > other
    cosines = next(prepared.topics([("bandit", "regret")]))
    assert set(np.flatnonzero(cosines > 0).tolist()) == {2, 3}


def test_a_table_shows_plain_numbers_as_they_are() -> None:
    row = Row(name="nDCG", ours_s=0.5432, peer_s=0.52, ratio=0.5432 / 0.52, limit=1, better="higher", unit="1")
    assert row.met
    assert table([row]).splitlines()[1].split() == ["nDCG", "0.543", "0.520", "1.04", ">=", "1", "ok"]
