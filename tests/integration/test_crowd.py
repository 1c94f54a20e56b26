"""All topics of a batch together get what each gets alone."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from paperdigest.errors import QueryError
from paperdigest.protocols import Encoder
from paperdigest.ranking import crowd
from paperdigest.ranking.archive import Archive
from paperdigest.ranking.batch import Batch
from paperdigest.ranking.bt import ArchiveStatistics
from paperdigest.ranking.corpus import Corpus
from paperdigest.ranking.crowd import best_of_all
from paperdigest.types import Paper, PaperId, StoredPaper, Topic

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TEXT = "trace graph model causal stack norm matrix query link requirement software hessian bandit sparse"
WORDS = _TEXT.split()
QUERIES = (
    "trace",
    'trace "software requirement"',
    "trace graph^2 causal model^0.5",
    "+matrix trace",
    "query -graph =Trace",
    "title:sparse bandit",
    "( hessian OR norm ) trace",
    "nothing",
    "",
)


class WordsEncoder:
    """A vector for each text from its words alone: near when they share some."""

    name = "words"
    dimensions = 32

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> NDArray[np.float32]:
        total = np.zeros(self.dimensions, dtype=np.float32)
        for word in text.lower().replace(",", " ").replace(".", " ").split():
            total += np.random.default_rng(zlib.crc32(word.encode())).normal(size=self.dimensions)
        return total / max(float(np.linalg.norm(total)), 1e-9)


def paper(number: int, random: np.random.Generator) -> StoredPaper:
    seen = datetime(2026, 4, 15, tzinfo=UTC)
    title, abstract = (" ".join(random.choice(WORDS, size)) for size in (4, 25))
    id_ = PaperId(scheme="arxiv", local=f"2604.{number:05}")
    return StoredPaper(
        paper=Paper(id=id_, title=title, abstract=abstract, url="https://example.org"), first_seen_at=seen
    )


@pytest.fixture(params=[None, WordsEncoder()], ids=["words alone", "with vectors"])
def batch(request: pytest.FixtureRequest) -> Batch:
    encoder: Encoder | None = request.param
    random = np.random.default_rng(3)
    papers = [paper(number, random) for number in range(150)]
    reference = Corpus(papers[:100], encoder)
    topics = [Topic(name=f"topic {place}", query=query) for place, query in enumerate(QUERIES)]
    return Batch(topics, Corpus(papers, encoder), Archive(ArchiveStatistics.of(papers), reference), encoder)


@pytest.mark.parametrize("together", [1, 4, 1000])
def test_a_crowd_gets_what_each_gets_alone(batch: Batch, together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "TOGETHER", together)
    queries = QUERIES * 3
    out = np.random.default_rng(0).integers(0, (len(queries), 150), (2000, 2))
    best = best_of_all(batch, queries, 10, excluded=(out[:, 0], out[:, 1]))
    for place, query in enumerate(queries):
        alone = batch.raw(batch.plan(query)).copy()
        alone[out[out[:, 0] == place, 1]] = -np.inf
        order = np.argsort(-alone, kind="stable")[:10]
        order = order[alone[order] > -np.inf]
        assert best.columns[place].tolist() == [*order.tolist(), *[-1] * (10 - len(order))]
        np.testing.assert_array_equal(best.raw[place, : len(order)], alone[order])


def test_the_topics_of_the_test_find_something_and_differ(batch: Batch) -> None:
    best = best_of_all(batch, QUERIES, 3)
    assert (best.columns[:-2] >= 0).any(axis=1).all()
    assert (best.columns[-1] == -1).all()
    assert len({tuple(row) for row in best.columns.tolist()}) >= 7


def test_a_query_that_cannot_be_read_is_said(batch: Batch) -> None:
    with pytest.raises(QueryError):
        best_of_all(batch, ["trace", '"open'], 3)
