"""Small collections and a simple system to measure: no ranking of ours takes part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from paperdigest.evaluation import Collection, Document, Examples, Query

TINY = Path(__file__).parent / "data" / "evaluation" / "tiny"


class Counting:
    """Scores a paper by how often its text holds the keywords; after examples, by the words it shares with them."""

    name = "counting"

    def __init__(self) -> None:
        self.prepared: list[int] = []
        self.asked: list[Examples] = []

    def prepare(self, documents: Sequence[Document]) -> CountingPrepared:
        self.prepared.append(len(documents))
        return CountingPrepared(documents, self.asked)


class CountingPrepared:
    def __init__(self, documents: Sequence[Document], asked: list[Examples]) -> None:
        self.texts = [f"{one.title} {one.text}".lower() for one in documents]
        self.asked = asked

    def topics(self, topics: Sequence[tuple[str, ...]]) -> Iterator[NDArray[np.float64]]:
        for topic in topics:
            counts = np.array([sum(text.count(word) for word in topic) for text in self.texts], dtype=np.float64)
            yield np.where(counts > 0, counts, -np.inf)

    def likes(self, examples: Examples) -> NDArray[np.float64]:
        self.asked.append(examples)
        pro, against = (
            {word for column in columns for word in self.texts[column].split()}
            for columns in (examples.liked, examples.disliked)
        )
        words = [set(self.texts[column].split()) for column in examples.candidates]
        return np.array([len(each & pro) - len(each & against) for each in words], dtype=np.float64)


def collection(
    texts: Mapping[str, str], queries: Sequence[Query], judgements: Mapping[str, Mapping[str, int]]
) -> Collection:
    """A collection made on the spot; titles only."""
    return Collection(
        name="made",
        documents=tuple(Document(id=name, title=text) for name, text in texts.items()),
        queries=tuple(queries),
        judgements=judgements,
    )
