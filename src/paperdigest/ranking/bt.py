"""The lexical scorer "bt": BM25 over stems, the title counted twice, and a bonus for the phrase.

For a keyword with the words ``t`` and a paper ``d``::

    score = sum over t of idf(t) * tf / (tf + k1 * (1 - b + b * length(d) / average length))
          + 0.5 * sum over t of idf(t)        when the whole phrase stands in the title or the abstract
    idf(t) = max(1, ln(1 + (N - df(t) + 0.5) / (df(t) + 0.5)))

with k1 = 1, b = 0.6 and ``tf`` the occurrences in the abstract plus twice those in the title. ``N``,
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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

import numpy as np

from paperdigest.query import Form, Keyword
from paperdigest.query.matching import Document, keyword_matches, matcher, spans
from paperdigest.query.text import TITLE_COPIES, Terms, prepare, terms
from paperdigest.query.text import Document as Stems
from paperdigest.query.text import Field as Spelling
from paperdigest.ranking.corpus import Corpus
from paperdigest.types import Reason, StoredPaper

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Part = tuple[str, float, tuple[str, ...]]

__all__ = ["ArchiveStatistics", "BtScorer"]

Length = TypeVar("Length", float, "NDArray[np.float64]")

K1 = 1.0
B = 0.6
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
        return cls.of_stems(prepare(stored.paper.title, stored.paper.abstract) for stored in papers)

    @classmethod
    def of_stems(cls, papers: Iterable[Stems]) -> Self:
        """Count papers whose stems are known already (see `of`)."""
        documents = length = 0
        frequency: Counter[str] = Counter()
        for stems in papers:
            documents += 1
            length += stems.length
            frequency.update({*stems.title, *stems.abstract})
        return cls(
            documents=documents,
            average_length=length / documents if documents else 0.0,
            document_frequency=dict(frequency),
        )

    def idf(self, stem: str) -> float:
        """Return how much a stem tells: at least 1, finite, the rarer the more."""
        found = min(max(self.document_frequency.get(stem, 0), 0), self.documents)
        return max(LEAST_IDF, math.log1p((self.documents - found + 0.5) / (found + 0.5)))

    def damping(self, length: Length) -> Length:
        """Return what stands beside ``tf`` below the line: more in a longer paper, which holds more words anyway."""
        relative = length / self.average_length if self.average_length else length * 0 + 1
        return K1 * (1 - B + B * relative)


class BtScorer:
    """Scores keywords by the words of title and abstract; holds nothing but the archive's statistics.

    A keyword that names a prefix or an exact spelling is one word of its own, with an idf of 1 (a standard
    score takes every constant factor out again); it, and one that names a field, scores only where it matches.
    """

    name: ClassVar[str] = "bt"

    def __init__(self, statistics: ArchiveStatistics) -> None:
        self.statistics = statistics

    def score(self, keywords: Sequence[Keyword], papers: Sequence[StoredPaper]) -> NDArray[np.float64]:
        """Return raw scores, shape (keywords, papers): 0 means no word in common."""
        corpus = Corpus(papers)
        columns = [corpus.column[stored.paper.id] for stored in papers]
        scores = np.zeros((len(keywords), len(papers)), dtype=np.float64)
        for row, found in zip(scores, self.rows(keywords, corpus), strict=True):
            row[:] = found[columns]
        return scores

    def rows(self, keywords: Sequence[Keyword], corpus: Corpus) -> Iterator[NDArray[np.float64]]:
        """Yield for each keyword its raw scores, shape (papers,), in the order of the corpus.

        Each paper is read once for all keywords, and each keyword touches only the papers that hold one of
        its words. The array is the caller's to keep.
        """
        wanted = [terms(keyword.words) if _is_stemmed(keyword) else None for keyword in keywords]
        index = _Index.of([each for each in wanted if each], corpus)
        for keyword, looked_for in zip(keywords, wanted, strict=True):
            row = np.zeros(len(corpus), dtype=np.float64)
            if looked_for is None or keyword.field is not None:
                self._strict(keyword, corpus, row)
            else:
                self._plain(looked_for, index, row)
            yield row

    def explain(self, keyword: Keyword, paper: StoredPaper) -> tuple[Reason, ...]:
        """Return why ``paper`` scores what it does for ``keyword``, with the words as they stand in the text.

        The contributions add up to the raw score of `score` (to within rounding).
        """
        fields = {"title": _spelling(paper.paper.title), "abstract": _spelling(paper.paper.abstract or "")}
        length = TITLE_COPIES * len(fields["title"].stems) + len(fields["abstract"].stems)
        if keyword.is_strict:
            return self._explain_strict(keyword, paper, length)
        return self._explain_words(keyword, fields, length)

    def _plain(self, looked_for: Terms, index: _Index, row: NDArray[np.float64]) -> None:
        for word, times in looked_for.words:
            if word in index.counts:
                columns, counts = index.counts[word]
                row[columns] += times * self._weights(word, counts, index.lengths[columns])
        if looked_for.phrase in index.phrases:
            row[index.phrases[looked_for.phrase]] += self._bonus(looked_for)

    def _strict(self, keyword: Keyword, corpus: Corpus, row: NDArray[np.float64]) -> None:
        matches = matcher(keyword)
        for column, document in enumerate(corpus.documents):
            if matches(document):
                row[column] = self._strict_score(keyword, document, corpus.stems[column].length)

    def _strict_score(self, keyword: Keyword, document: Document, length: int) -> float:
        return math.fsum(part for _, part, _ in self._strict_parts(keyword, document, length))

    def _strict_parts(self, keyword: Keyword, document: Document, length: int) -> Iterator[_Part]:
        """Yield field, contribution and the forms found, for each field in which the keyword stands."""
        found: dict[str, list[str]] = {}
        for where, start, end in spans(keyword, document):
            text = document.title if where == "title" else document.abstract
            found.setdefault(where, []).append(" ".join(text[start:end].split()))
        shares = {where: len(forms) * (TITLE_COPIES if where == "title" else 1) for where, forms in found.items()}
        below = sum(shares.values()) + self.statistics.damping(length)
        for where, forms in found.items():
            yield where, shares[where] / below, tuple(dict.fromkeys(forms))

    def _explain_strict(self, keyword: Keyword, paper: StoredPaper, length: int) -> tuple[Reason, ...]:
        document = Document.of(paper)
        if not keyword_matches(keyword, document):
            return ()
        return tuple(
            _reason(f"{_STANDS[where]} {_emphasise(forms)}", keyword, part, where)
            for where, part, forms in self._strict_parts(keyword, document, length)
        )

    def _explain_words(self, keyword: Keyword, fields: Mapping[str, Spelling], length: int) -> tuple[Reason, ...]:
        looked_for = terms(keyword.words)
        reasons: list[Reason] = []
        for where, field_ in fields.items():
            if looked_for.phrase and not reasons and (text := field_.run(looked_for.phrase)):
                reasons.append(_reason(f"phrase *{text}* in the {where}", keyword, self._bonus(looked_for), where))
        for word, times in looked_for.words:
            in_title, in_abstract = (field_.stems.count(word) for field_ in fields.values())
            count = TITLE_COPIES * in_title + in_abstract
            if not count:
                continue
            each = times * self._weight(word, count, length) / count
            if in_title:
                text = f"title matches {_emphasise(fields['title'].forms(word))}"
                reasons.append(_reason(text, keyword, each * TITLE_COPIES * in_title, "title"))
            if in_abstract:
                times_said = f" ({in_abstract}x)" * (in_abstract > 1)
                text = f"abstract has {_emphasise(fields['abstract'].forms(word))}{times_said}"
                reasons.append(_reason(text, keyword, each * in_abstract, "abstract"))
        return tuple(reasons)

    def _weights(self, word: str, counts: NDArray[np.float64], lengths: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return BM25's share of one word in papers where it counts ``counts``, of so many ``lengths`` words."""
        weights: NDArray[np.float64] = self.statistics.idf(word) * counts / (counts + self.statistics.damping(lengths))
        return weights

    def _weight(self, word: str, count: int, length: int) -> float:
        return float(self.statistics.idf(word) * count / (count + self.statistics.damping(length)))

    def _bonus(self, looked_for: Terms) -> float:
        """Return half of what the keyword's words can reach at most, each word being worth less than its idf."""
        return PHRASE_BONUS * sum(times * self.statistics.idf(word) for word, times in looked_for.words)


@dataclass(frozen=True, slots=True)
class _Index:
    """Where the wanted words and phrases stand: made by reading each paper once.

    ``counts`` maps a word to the columns that hold it and how often (title twice), ``phrases`` a phrase to
    its columns; ``lengths`` are the papers' lengths in words.
    """

    counts: Mapping[str, tuple[NDArray[np.intp], NDArray[np.float64]]]
    phrases: Mapping[tuple[str, ...], NDArray[np.intp]]
    lengths: NDArray[np.float64]

    @classmethod
    def of(cls, wanted: Sequence[Terms], corpus: Corpus) -> Self:
        words = {word for each in wanted for word, _ in each.words}
        starts: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
        for each in wanted:
            if each.phrase:
                starts.setdefault(each.phrase[:2], set()).add(each.phrase)
        counts: dict[str, tuple[list[int], list[int]]] = {}
        phrases: dict[tuple[str, ...], list[int]] = {}
        for column, document in enumerate(corpus.stems):
            said = Counter(document.abstract)
            for word in document.title:
                said[word] += TITLE_COPIES
            for word in words & said.keys():
                columns, numbers = counts.setdefault(word, ([], []))
                columns.append(column)
                numbers.append(said[word])
            for phrase in _phrases_in(document, starts):
                phrases.setdefault(phrase, []).append(column)
        return cls(
            {word: (np.array(c, dtype=np.intp), np.array(n, dtype=np.float64)) for word, (c, n) in counts.items()},
            {phrase: np.array(columns, dtype=np.intp) for phrase, columns in phrases.items()},
            np.array([document.length for document in corpus.stems], dtype=np.float64),
        )


def _phrases_in(document: Stems, starts: Mapping[tuple[str, ...], set[tuple[str, ...]]]) -> set[tuple[str, ...]]:
    """Return the wanted phrases that stand in a paper; ``starts`` maps their first two stems to them."""
    return {
        phrase
        for field_ in (document.title, document.abstract)
        for place, pair in enumerate(pairwise(field_))
        if pair in starts
        for phrase in starts[pair]
        if field_[place : place + len(phrase)] == phrase
    }


@lru_cache(maxsize=2000)
def _spelling(text: str) -> Spelling:
    """Return a text's words and their places; a thousand papers are remembered, for many readers see the same ones."""
    return Spelling.of(text)


def _is_stemmed(keyword: Keyword) -> bool:
    return keyword.form is Form.STEMMED


_STANDS = {"title": "title matches", "abstract": "abstract has"}


def _emphasise(forms: Sequence[str]) -> str:
    """Return ``*traces*, *TRACED*``, at most three of them."""
    more = ", …" if len(forms) > _FORMS_SHOWN else ""
    return ", ".join(f"*{form}*" for form in forms[:_FORMS_SHOWN]) + more


def _reason(text: str, keyword: Keyword, contribution: float, where: str) -> Reason:
    return Reason(text=text, keyword=str(keyword), contribution=contribution, where=where)
