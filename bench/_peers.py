"""How others rank, each written here from a description of what it does: systems for `paperdigest.evaluation`.

==============  ====================================================================================================
substrings      how often the keywords stand in the text, as letters: most digest scripts
fts5-or         SQLite's full-text search, any word of the keywords that is no stop word, by ``bm25()``
sanity          arxiv-sanity-lite: TF-IDF, and for likes a linear SVM of the liked against all other papers
averaged        zotero-arxiv-daily: the mean likeness of vectors to everything in the library, later additions more
==============  ====================================================================================================

Where a peer has no notion of a question, it gets the nearest that it has: for keywords the TF-IDF cosine, and a
library of the keywords; for likes nothing of the first two. Scores are -inf where a peer shows nothing.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from paperdigest.evaluation import Document, Examples
from paperdigest.protocols import Encoder
from paperdigest.query.text import STOP_WORDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Scores = NDArray[np.float64]

__all__ = ["Averaged", "Fts5", "Sanity", "Substrings", "library_weights"]

NEGATIVES = 2000
_WORD = re.compile(r"\w+")


def _text(document: Document) -> str:
    return f"{document.title}. {document.text}" if document.text else document.title


class Substrings:
    """Counts the keywords in the text, as letters: "rag" is in "storage"."""

    name = "substrings"

    def prepare(self, documents: Sequence[Document]) -> _PreparedSubstrings:
        """Lower the texts."""
        return _PreparedSubstrings([_text(document).lower() for document in documents])


class _PreparedSubstrings:
    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts

    def topics(self, topics: Sequence[tuple[str, ...]]) -> Iterator[Scores]:
        for topic in topics:
            names = [name.lower() for name in topic]
            counts = np.array([sum(text.count(name) for name in names) for text in self._texts], dtype=np.float64)
            yield np.where(counts > 0, counts, -np.inf)

    def likes(self, examples: Examples) -> Scores:
        """Show nothing: there are no keywords."""
        return np.full(len(examples.candidates), -np.inf)


class Fts5:
    """Full-text search for any of the words."""

    name = "fts5-or"

    def prepare(self, documents: Sequence[Document]) -> _PreparedFts5:
        """Index the papers in memory."""
        return _PreparedFts5(documents)


class _PreparedFts5:
    def __init__(self, documents: Sequence[Document]) -> None:
        self._papers = len(documents)
        self._database = sqlite3.connect(":memory:")
        columns = "title, abstract, tokenize = 'porter unicode61 remove_diacritics 2'"
        self._database.execute(f"CREATE VIRTUAL TABLE papers USING fts5 ({columns})")
        rows = ((number, document.title, document.text) for number, document in enumerate(documents))
        self._database.executemany("INSERT INTO papers (rowid, title, abstract) VALUES (?, ?, ?)", rows)

    def topics(self, topics: Sequence[tuple[str, ...]]) -> Iterator[Scores]:
        for topic in topics:
            every = [word for name in topic for word in _WORD.findall(name.lower())]
            words = [word for word in every if word not in STOP_WORDS] or every
            scores = np.full(self._papers, -np.inf)
            if words:
                asked = " OR ".join(f'"{word}"' for word in words)
                found = self._database.execute("SELECT rowid, -bm25(papers) FROM papers WHERE papers MATCH ?", [asked])
                for row, score in found:
                    scores[row] = score
            yield scores

    def likes(self, examples: Examples) -> Scores:
        """Show nothing: there are no words to look for."""
        return np.full(len(examples.candidates), -np.inf)


class Sanity:
    """TF-IDF of words and pairs of words, and a linear SVM for each reader (needs scikit-learn)."""

    name = "sanity"

    def prepare(self, documents: Sequence[Document]) -> _PreparedSanity:
        """Compute the features of all papers."""
        return _PreparedSanity(documents)


class _PreparedSanity:
    def __init__(self, documents: Sequence[Document]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        least = 5 if len(documents) >= 50 else 1
        self._vectorizer = TfidfVectorizer(
            ngram_range=(1, 2), min_df=least, max_df=0.1, max_features=20_000, sublinear_tf=True, stop_words="english"
        )
        self._rows = self._vectorizer.fit_transform([_text(document) for document in documents])

    def topics(self, topics: Sequence[tuple[str, ...]]) -> Iterator[Scores]:
        for topic in topics:
            asked = self._vectorizer.transform([" ".join(topic)])
            yield np.asarray((self._rows @ asked.T).todense(), dtype=np.float64).ravel()

    def likes(self, examples: Examples) -> Scores:
        """Return the distances from the plane between the likes and (at most 2,000 of) everything else known."""
        from sklearn.svm import LinearSVC

        others = np.concatenate([examples.disliked, examples.archive])[:NEGATIVES]
        known = np.concatenate([examples.liked, others])
        labels = np.repeat([1, 0], [len(examples.liked), len(others)])
        machine = LinearSVC(C=0.01, class_weight="balanced", random_state=0)
        machine.fit(self._rows[known], labels)
        return np.asarray(machine.decision_function(self._rows[examples.candidates]), dtype=np.float64)


class Averaged:
    """The likeness of a paper to each one in the library, averaged; what was added later counts more."""

    name = "averaged"

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def prepare(self, documents: Sequence[Document]) -> _PreparedAveraged:
        """Encode the papers."""
        return _PreparedAveraged(self._encoder.encode([_text(document) for document in documents]), self._encoder)


class _PreparedAveraged:
    def __init__(self, vectors: NDArray[np.float32], encoder: Encoder) -> None:
        self._vectors, self._encoder = vectors, encoder

    def topics(self, topics: Sequence[tuple[str, ...]]) -> Iterator[Scores]:
        for topic in topics:
            yield self._likeness(self._encoder.encode(list(topic)), self._vectors)

    def likes(self, examples: Examples) -> Scores:
        """Return the scores of the candidates; a library has no dislikes."""
        return self._likeness(self._vectors[examples.liked], self._vectors[examples.candidates])

    @staticmethod
    def _likeness(library: NDArray[np.float32], papers: NDArray[np.float32]) -> Scores:
        cosines = papers.astype(np.float64) @ library.T.astype(np.float64)
        return np.asarray(10 * (cosines @ library_weights(len(library))), dtype=np.float64)


def library_weights(size: int) -> Scores:
    """Return the weights of a library's papers, the latest first: like 1 / (1 + log10(rank + 1)), adding up to 1."""
    weights = 1 / (1 + np.log10(np.arange(size) + 1.0))
    return np.asarray(weights / weights.sum(), dtype=np.float64)
