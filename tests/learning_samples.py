"""A small archive of three subjects, with vectors, for tests of learning."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from paperdigest.query.text import prepare
from paperdigest.ranking.bt import ArchiveStatistics
from paperdigest.ranking.spaces import Background, Texts, WordSpace
from paperdigest.ranking.vectors import on_grid
from paperdigest.types import Judgement, Paper, PaperId, StoredPaper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NOW = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)
DIMENSIONS = 16

SUBJECTS = (
    ("requirements", "traceability", "links", "artefacts", "code"),
    ("galaxies", "redshift", "survey", "spectra", "clusters"),
    ("proteins", "folding", "residues", "binding", "enzymes"),
)
AROUND = ("model", "data", "new", "results", "large", "evaluation", "method", "study")


def title(subject: int, number: int) -> str:
    """A title of three words of its subject and one of none; different for each number below 40."""
    words = SUBJECTS[subject]
    picked = (words[number % 5], words[(number // 5 + 1 + number) % 5], words[(number + 3) % 5])
    return " ".join((*picked, AROUND[(number + 3 * subject) % 8]))


TITLES = [title(subject, number) for number in range(20) for subject in range(3)]
"""Sixty titles: the subject of number n is n % 3."""


def vectors_of(titles: Sequence[str]) -> NDArray[np.float32]:
    """Vectors near to each other for titles of one subject; zero for a title without a word of any."""
    rows = np.zeros((len(titles), DIMENSIONS))
    for row, text in enumerate(titles):
        for subject, words in enumerate(SUBJECTS):
            rows[row, subject] = sum(word in text.split() for word in words)
        for place, word in enumerate(AROUND):
            rows[row, 3 + place] = 0.25 * (word in text.split())
    return on_grid(rows)


def stored(text: str, number: int = 0) -> StoredPaper:
    paper = Paper(id=PaperId(scheme="test", local=str(number)), title=text)
    return StoredPaper(paper=paper, first_seen_at=NOW)


def space_of(titles: Sequence[str]) -> WordSpace:
    return WordSpace(ArchiveStatistics.of(stored(text, number) for number, text in enumerate(titles)))


def texts(space: WordSpace, titles: Sequence[str], *, with_vectors: bool = True) -> Texts:
    return space.texts([prepare(text, None) for text in titles], vectors_of(titles) if with_vectors else None)


SPACE = space_of(TITLES)
BACKGROUND = Background(texts(SPACE, TITLES))
WORDS_ONLY = Background(texts(SPACE, TITLES, with_vectors=False))


def said(text: str, *, liked: bool = True, local: str = "2305.17490") -> Judgement:
    return Judgement(paper_id=PaperId(scheme="arxiv", local=local), title=text, liked=liked, judged_at=NOW)
