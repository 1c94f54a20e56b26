"""The keyword x paper matrix of a batch: every distinct keyword is scored once, whoever asked for it.

A keyword's score of a paper is the mean of two standard scores (see `archive`): how the paper's words match, and
how near its vector is. Without a vector on either side it is the first alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from paperdigest.protocols import Encoder
from paperdigest.query import Field, Form, Keyword
from paperdigest.query.matching import keyword_matches
from paperdigest.ranking.archive import Archive, Moments
from paperdigest.ranking.corpus import Corpus
from paperdigest.ranking.vectors import cosines, on_grid
from paperdigest.types import Reason, StoredPaper

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ABSENT", "KeywordScores", "spoken"]

ABSENT = np.float32(-np.inf)
"""The score of a paper that a keyword says nothing about; it adds nothing, and is below every other."""

FOLLOWED = 8.0
"""The score of a paper by an author who is followed: above nearly everything that words can give."""

LISTED = 3.0
"""The score of a paper in a category or source that was asked for."""

_METADATA = {Field.AUTHOR: FOLLOWED, Field.CATEGORY: LISTED, Field.SOURCE: LISTED}


class KeywordScores:
    """Scores of distinct keywords against a corpus, computed once for a batch of subscribers.

    Attributes:
        keywords: the distinct keywords; ``row`` maps each to its row.
        standard: their scores, shape (keywords, papers); `ABSENT` where a strict keyword does not match or,
            without vectors, no word is in common.
        cosine: the cosines, shape (keywords, papers), or None without a model; 0 where a vector is missing.
        vectors: the keywords' vectors on the grid, shape (keywords, dimensions), or None.

    Takes 8 bytes for each keyword and paper.
    """

    def __init__(
        self, keywords: Iterable[Keyword], corpus: Corpus, archive: Archive, encoder: Encoder | None = None
    ) -> None:
        self.keywords = tuple(dict.fromkeys(keywords))
        self.row = {keyword: row for row, keyword in enumerate(self.keywords)}
        self.corpus, self.archive = corpus, archive
        self.vectors = _vectors(self.keywords, encoder) if encoder and corpus.vectors is not None else None
        self.lexical = archive.lexical(self.keywords)
        self.semantic: Moments | None = None
        self.cosine: NDArray[np.float32] | None = None
        if self.vectors is not None and corpus.vectors is not None:
            self.semantic = archive.semantic(self.vectors)
            self.cosine = cosines(self.vectors, corpus.vectors)
        self.standard = np.empty((len(self.keywords), len(corpus)), dtype=np.float32)
        for place, (keyword, raw) in enumerate(
            zip(self.keywords, archive.scorer.rows(self.keywords, corpus), strict=True)
        ):
            self.standard[place] = self._standardised(place, keyword, raw)

    def explain(self, keyword: Keyword, paper: StoredPaper) -> tuple[Reason, ...]:
        """Return the reasons whose contributions add up to the keyword's score of that paper (to within 1e-4).

        Nothing when the score is `ABSENT`. The last reason of the words is what an ordinary paper gets.
        """
        place, column = self.row[keyword], self.corpus.column[paper.paper.id]
        score = float(self.standard[place, column])
        if score == ABSENT:
            return ()
        if keyword.field in _METADATA:
            return (Reason(text=_metadata_text(keyword), keyword=str(keyword), contribution=score),)
        near = self._nearness(place, column)
        share = 1.0 if near is None else 0.5
        mean, deviation = self.lexical.mean[place], self.lexical.deviation[place]
        reasons = [
            Reason(
                text=reason.text,
                keyword=reason.keyword,
                contribution=share * reason.contribution / deviation,
                where=reason.where,
            )
            for reason in self.archive.scorer.explain(keyword, paper)
        ]
        reasons.append(
            Reason(
                text=f"less what the archive's papers have of {_marked(keyword)} on average",
                keyword=str(keyword),
                contribution=-share * mean / deviation,
            )
        )
        if near is not None:
            word = "close to" if near > 0 else "far from"
            reasons.append(Reason(text=f"{word} {_marked(keyword)}", keyword=str(keyword), contribution=0.5 * near))
        return tuple(reasons)

    def _nearness(self, place: int, column: int) -> float | None:
        """Return the standard score of the cosine; None when a vector is missing."""
        if self.cosine is None or self.semantic is None or not self._has_vectors(place)[column]:
            return None
        return float((self.cosine[place, column] - self.semantic.mean[place]) / self.semantic.deviation[place])

    def _has_vectors(self, place: int) -> NDArray[np.bool_]:
        """Say for each paper whether its vector can be compared with that keyword's."""
        assert self.vectors is not None
        return self.corpus.has_vector & bool(np.any(self.vectors[place]))

    def _standardised(self, place: int, keyword: Keyword, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        if keyword.field in _METADATA:
            hits = np.array([keyword_matches(keyword, document) for document in self.corpus.documents], dtype=bool)
            return np.where(hits, _METADATA[keyword.field], ABSENT)
        scores = (raw - self.lexical.mean[place]) / self.lexical.deviation[place]
        if self.cosine is not None and self.semantic is not None:
            near = (self.cosine[place] - self.semantic.mean[place]) / self.semantic.deviation[place]
            scores = np.where(self._has_vectors(place), 0.5 * (scores + near), scores)
        if keyword.is_strict or self.cosine is None:
            scores[raw == 0] = ABSENT
        return scores


def spoken(keyword: Keyword) -> str:
    """Return a keyword as words to be understood: empty for a beginning of a word, a name or a category."""
    return "" if keyword.form is Form.PREFIX or keyword.field in _METADATA else " ".join(keyword.words)


def _vectors(keywords: Sequence[Keyword], encoder: Encoder) -> NDArray[np.float32]:
    """Return the keywords' vectors on the grid; zero for those that say nothing to be understood."""
    if not keywords:
        return np.zeros((0, encoder.dimensions), dtype=np.float32)
    return on_grid(encoder.encode([spoken(keyword) for keyword in keywords]))


def _metadata_text(keyword: Keyword) -> str:
    words = " ".join(keyword.words)
    return {Field.AUTHOR: f"by *{words}*, whom you follow", Field.CATEGORY: f"in category *{words}*"}.get(
        keyword.field or Field.SOURCE, f"in source *{words}*"
    )


def _marked(keyword: Keyword) -> str:
    return f"*{' '.join(keyword.words)}*"
