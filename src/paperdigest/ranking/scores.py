"""The keyword x paper matrix of a batch: every distinct keyword is scored once, whoever asked for it.

A keyword's score of a paper is made of two standard scores (see `archive`): how the paper's words match counts
`WORDS`, and how near its vector is counts the rest. Where a vector is missing, the paper counts as ordinarily near.
Without a model the words are all there is. With one, a paper's words also echo in its neighbours': `ECHO` times the
mean of the twenty papers of the archive that are nearest to it, for a paper whose like are full of a word is about
it, whatever it calls it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from paperdigest.protocols import Encoder
from paperdigest.query import Field, Form, Keyword
from paperdigest.query.matching import matcher
from paperdigest.ranking.archive import Archive
from paperdigest.ranking.corpus import Corpus
from paperdigest.ranking.vectors import on_grid
from paperdigest.types import Reason, StoredPaper

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ABSENT", "KeywordScores", "spoken"]

ABSENT = np.float32(-np.inf)
"""The score of a paper that a keyword says nothing about; it adds nothing, and is below every other."""

FOLLOWED = 12.0
"""The score of a paper by an author who is followed: as much as the rarest word gives."""

LISTED = 3.0
"""The score of a paper in a category or source that was asked for."""

WORDS = 0.45
"""What the words count, beside the vectors."""

ECHO = 0.5
"""What the words of a paper's neighbours count, beside its own."""

_METADATA = {Field.AUTHOR: FOLLOWED, Field.CATEGORY: LISTED, Field.SOURCE: LISTED}


class KeywordScores:
    """Scores of distinct keywords against a corpus, computed once for a batch of subscribers.

    Attributes:
        keywords: the distinct keywords; ``row`` maps each to its row.
        standard: their scores, shape (keywords, papers); `ABSENT` where a strict keyword does not match or,
            without vectors, no word is in common.
        near: the part of the vectors, shape (keywords, papers), or None without a model; 0 where one is missing.
        echo: what the neighbours' words add to the raw scores of the words, or None when there are no neighbours.

    Takes 12 bytes for each keyword and paper.
    """

    def __init__(
        self, keywords: Iterable[Keyword], corpus: Corpus, archive: Archive, encoder: Encoder | None = None
    ) -> None:
        self.keywords = tuple(dict.fromkeys(keywords))
        self.row = {keyword: row for row, keyword in enumerate(self.keywords)}
        self.corpus, self.archive = corpus, archive
        self.near: NDArray[np.float32] | None = None
        if encoder is not None and corpus.vectors is not None:
            self.near = archive.nearness(_vectors(self.keywords, encoder), corpus)
        shape = (len(self.keywords), len(corpus))
        neighbours = archive.neighbours(corpus)
        self.echo = None if neighbours is None else np.zeros(shape, dtype=np.float32)
        self.standard = np.empty(shape, dtype=np.float32)
        self._mean, self._deviation = np.empty(shape[0]), np.empty(shape[0])
        elsewhere = archive.scorer.rows(self.keywords, archive.reference)
        here = archive.scorer.rows(self.keywords, corpus)
        for place, (keyword, others, raw) in enumerate(zip(self.keywords, elsewhere, here, strict=True)):
            self._mean[place], self._deviation[place] = archive.moments_of(keyword, others)
            if self.echo is not None and neighbours is not None and not keyword.is_strict:
                self.echo[place] = ECHO * (neighbours @ others - self._mean[place] * corpus.has_vector)
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
        share = 1.0 if self.near is None else WORDS
        mean, deviation = float(self._mean[place]), float(self._deviation[place])
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
        if self.echo is not None and (echo := float(self.echo[place, column])):
            text = f"the papers nearest to it have {'more' if echo > 0 else 'less'} of {_marked(keyword)} than others"
            reasons.append(Reason(text=text, keyword=str(keyword), contribution=share * echo / deviation))
        if self.near is not None and (near := float(self.near[place, column])):
            text = f"{'close to' if near > 0 else 'far from'} {_marked(keyword)}"
            reasons.append(Reason(text=text, keyword=str(keyword), contribution=(1 - WORDS) * near))
        return tuple(reasons)

    def _standardised(self, place: int, keyword: Keyword, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        if keyword.field in _METADATA:
            hits = np.array(list(map(matcher(keyword), self.corpus.documents)), dtype=bool)
            given: NDArray[np.float64] = np.where(hits, _METADATA[keyword.field], ABSENT)
            return given
        echo = 0.0 if self.echo is None else self.echo[place]
        scores: NDArray[np.float64] = (raw + echo - self._mean[place]) / self._deviation[place]
        if self.near is not None:
            scores = WORDS * scores + (1 - WORDS) * self.near[place]
        if keyword.is_strict or self.near is None:
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
