"""The lexical scorer "bt": BM25 over stems, the title counted twice, and a bonus for the phrase.

For a keyword with the words ``t`` and a paper ``d``::

    score = sum over t of idf(t) * tf / (tf + k1 * (1 - b + b * length(d) / average length))
          + 0.5 * sum over t of idf(t)        when the whole phrase stands in the title or the abstract
    idf(t) = max(1, ln(1 + (N - df(t) + 0.5) / (df(t) + 0.5)))

with k1 = 1.2, b = 0.75 and ``tf`` the occurrences in the abstract plus twice those in the title. ``N``,
``df`` and the average length come from the archive, never from the papers at hand, and the bonus is half
of what the keyword can reach at most: a paper's score depends on the paper, the keyword and the archive
alone, and the scores of two days compare. The floor of 1 says that a word somebody asks for counts,
however common: an archive that was fetched for "trace" has the word nearly everywhere.

Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), in
the form of Lucene's BM25Similarity.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from paperdigest.query import Keyword
from paperdigest.query.text import TITLE_COPIES, Document, Field, Terms, find_run, prepare, stems, terms
from paperdigest.types import Reason, StoredPaper

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Postings = dict[str, tuple[NDArray[np.intp], NDArray[np.float64]]]

__all__ = ["ArchiveStatistics", "BtScorer"]

K1 = 1.2
B = 0.75
PHRASE_BONUS = 0.5
LEAST_IDF = 1.0
_FORMS_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveStatistics:
    """How common words are in the archive, so that a score means the same every day.

    ``documents`` is the number of papers, ``average_length`` their mean length in words (title twice),
    ``document_frequency`` the number of papers that hold a stem; a stem that is not in it is in none.
    """

    documents: int = 0
    average_length: float = 0.0
    document_frequency: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.documents < 0 or not 0 <= self.average_length < math.inf:
            raise ValueError(
                f"an archive has 0 or more papers of finite length, not {self.documents} of {self.average_length}"
            )

    @classmethod
    def of(cls, papers: Iterable[StoredPaper]) -> Self:
        """Count the archive; linear in its words, and independent of the order of the papers."""
        documents = length = 0
        frequency: Counter[str] = Counter()
        for stored in papers:
            title, abstract = stems(stored.paper.title), stems(stored.paper.abstract or "")
            documents += 1
            length += Document(title, abstract).length
            frequency.update(set(chain(title, abstract)))
        return cls(
            documents=documents,
            average_length=length / documents if documents else 0.0,
            document_frequency=dict(frequency),
        )

    def idf(self, stem: str) -> float:
        """Return how much a stem tells: at least 1, finite, the rarer the more."""
        found = min(max(self.document_frequency.get(stem, 0), 0), self.documents)
        return max(LEAST_IDF, math.log1p((self.documents - found + 0.5) / (found + 0.5)))

    def damping(self, length: int) -> float:
        """Return what stands beside ``tf`` below the line: more in a longer paper, which holds more words anyway."""
        relative = length / self.average_length if self.average_length else 1.0
        return K1 * (1 - B + B * relative)


class BtScorer:
    """Scores keywords by the words of title and abstract; holds nothing but the archive's statistics."""

    name: ClassVar[str] = "bt"

    def __init__(self, statistics: ArchiveStatistics) -> None:
        self.statistics = statistics

    def score(self, keywords: Sequence[Keyword], papers: Sequence[StoredPaper]) -> NDArray[np.float64]:
        """Return raw scores, shape (keywords, papers): 0 means no word in common.

        Each paper is read once for all keywords, and each keyword touches only the papers that hold
        one of its words.
        """
        wanted = [terms(keyword.words) for keyword in keywords]
        documents = [prepare(stored.paper.title, stored.paper.abstract) for stored in papers]
        postings = self._postings({word for looked_for in wanted for word, _ in looked_for.words}, documents)
        scores = np.zeros((len(keywords), len(papers)), dtype=np.float64)
        for row, looked_for in zip(scores, wanted, strict=True):
            for word, times in looked_for.words:
                if word in postings:
                    columns, weights = postings[word]
                    row[columns] += times * weights
            if looked_for.phrase:
                row[_columns_with_phrase(looked_for, postings, documents)] += self._bonus(looked_for)
        return scores

    def explain(self, keyword: Keyword, paper: StoredPaper) -> tuple[Reason, ...]:
        """Return why ``paper`` scores what it does for ``keyword``, with the words as they stand in the text.

        The contributions add up to the raw score of `score` (to within rounding).
        """
        looked_for = terms(keyword.words)
        title, abstract = (Field.of(text) for text in (paper.paper.title, paper.paper.abstract or ""))
        length = Document(title.stems, abstract.stems).length
        reasons: list[Reason] = []
        for field_, where in ((title, "title"), (abstract, "abstract")):
            if looked_for.phrase and not reasons and (text := field_.run(looked_for.phrase)):
                reasons.append(_reason(f"phrase *{text}* in the {where}", keyword, self._bonus(looked_for), where))
        for word, times in looked_for.words:
            in_title, in_abstract = title.stems.count(word), abstract.stems.count(word)
            count = TITLE_COPIES * in_title + in_abstract
            if not count:
                continue
            each = times * self._weight(word, count, length) / count
            if in_title:
                text = f"title matches {_emphasise(title.forms(word))}"
                reasons.append(_reason(text, keyword, each * TITLE_COPIES * in_title, "title"))
            if in_abstract:
                text = f"abstract has {_emphasise(abstract.forms(word))}" + (f" ({in_abstract}x)" * (in_abstract > 1))
                reasons.append(_reason(text, keyword, each * in_abstract, "abstract"))
        return tuple(reasons)

    def _weight(self, word: str, count: int, length: int) -> float:
        """Return BM25's share of one word that counts ``count`` times in a paper of ``length`` words."""
        return self.statistics.idf(word) * count / (count + self.statistics.damping(length))

    def _bonus(self, looked_for: Terms) -> float:
        """Return half of what the keyword's words can reach at most, each word being worth less than its idf."""
        return PHRASE_BONUS * sum(times * self.statistics.idf(word) for word, times in looked_for.words)

    def _postings(self, wanted: set[str], documents: Sequence[Document]) -> _Postings:
        """Return for each word wanted and found the columns of the papers that hold it, and its weight in each."""
        found: dict[str, list[tuple[int, float]]] = {}
        for column, document in enumerate(documents):
            counts = Counter(document.abstract)
            for word in document.title:
                counts[word] += TITLE_COPIES
            for word in wanted & counts.keys():
                weight = self._weight(word, counts[word], document.length)
                found.setdefault(word, []).append((column, weight))
        return {
            word: (
                np.array([column for column, _ in pairs], dtype=np.intp),
                np.array([weight for _, weight in pairs], dtype=np.float64),
            )
            for word, pairs in found.items()
        }


def _columns_with_phrase(looked_for: Terms, postings: _Postings, documents: Sequence[Document]) -> list[int]:
    """Return the columns of the papers with the whole phrase; only papers with its rarest word are read."""
    if any(word not in postings for word, _ in looked_for.words):
        return []
    columns: list[int] = min((postings[word][0] for word, _ in looked_for.words), key=len).tolist()
    run = looked_for.phrase
    return [
        column
        for column in columns
        if find_run(run, documents[column].title) >= 0 or find_run(run, documents[column].abstract) >= 0
    ]


def _emphasise(forms: Sequence[str]) -> str:
    """Return ``*traces*, *TRACED*``, at most three of them."""
    more = ", …" if len(forms) > _FORMS_SHOWN else ""
    return ", ".join(f"*{form}*" for form in forms[:_FORMS_SHOWN]) + more


def _reason(text: str, keyword: Keyword, contribution: float, where: str) -> Reason:
    return Reason(text=text, keyword=str(keyword), contribution=contribution, where=where)
