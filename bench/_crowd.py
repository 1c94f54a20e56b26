"""A made-up crowd: papers of drawn words, keywords that people share as words are shared, topics of three each."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from paperdigest.query import Keyword
from paperdigest.ranking.topic_rows import Context, TopicRows
from paperdigest.types import Paper, PaperId, StoredPaper

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KEYWORDS", "PAPERS", "PLACES", "TOPICS", "context", "keywords", "matrix", "papers", "topics"]

TOPICS, PAPERS, KEYWORDS, PLACES = 100_000, 500, 15_000, 10
_EACH, _VOCABULARY, _LONGEST, _TITLE, _ABSTRACT = 3, 20_000, 11, 10, 160
_LETTERS = list("etaoinshrdlucmfwypvbgk")


def zipf(size: int, flat: float = 0.0) -> NDArray[np.float64]:
    """Return probabilities that fall like 1 / (rank + flat)."""
    shares: NDArray[np.float64] = 1 / (np.arange(1, size + 1) + flat)
    return shares / float(shares.sum())


def topics(count: int, seed: int = 1) -> TopicRows:
    """Return topics of three keywords each; few keywords are asked for by many."""
    draw = np.random.default_rng(seed)
    return TopicRows(clauses=draw.choice(KEYWORDS, size=(count, _EACH), p=zipf(KEYWORDS)))


def context(count: int) -> Context:
    """Return the worst case of joined words: a text of its own for every topic."""
    return Context(texts=np.arange(count), near=matrix(count, seed=2))


def matrix(rows: int, seed: int = 3) -> NDArray[np.float32]:
    """Return standard scores, shape (rows, PAPERS)."""
    return np.random.default_rng(seed).standard_normal((rows, PAPERS), dtype=np.float32)


def papers() -> list[StoredPaper]:
    """Return papers as long as abstracts are (about 1,300 characters)."""
    draw = np.random.default_rng(4)
    seen = datetime(2026, 4, 15, tzinfo=UTC)
    titles, abstracts = (_drawn(draw, size * PAPERS).reshape(PAPERS, size) for size in (_TITLE, _ABSTRACT))
    return [
        StoredPaper(
            paper=Paper(
                id=PaperId(scheme="arxiv", local=f"2604.{number:05}"),
                title=" ".join(title),
                abstract=" ".join(abstract),
                url=f"https://arxiv.org/abs/2604.{number:05}",
            ),
            first_seen_at=seen,
        )
        for number, (title, abstract) in enumerate(zip(titles.tolist(), abstracts.tolist(), strict=True))
    ]


def keywords() -> list[Keyword]:
    """Return distinct keywords of one to three words, drawn as the papers' words are."""
    draw = np.random.default_rng(6)
    sizes, words = draw.integers(1, 4, 4 * KEYWORDS).tolist(), iter(_drawn(draw, 12 * KEYWORDS).tolist())
    found = dict.fromkeys(Keyword(tuple(islice(words, size))) for size in sizes)
    return list(found)[:KEYWORDS]


def _drawn(draw: np.random.Generator, count: int) -> NDArray[np.str_]:
    """Return words of a made-up language, content words only: the commonest stands in every second paper."""
    letters = np.random.default_rng(5).choice(_LETTERS, (_VOCABULARY, _LONGEST))
    lengths = np.random.default_rng(7).integers(3, _LONGEST + 1, _VOCABULARY)
    words = np.array(["".join(row[:length]) for row, length in zip(letters, lengths, strict=True)])
    picked: NDArray[np.str_] = draw.choice(words, count, p=zipf(_VOCABULARY, flat=50))
    return picked
