"""Raw scores of topics for the papers of a batch, and the reasons that add up to them.

    raw = best clause + 0.5 * the positive others + standard score of the cosine with all clauses joined

A clause's score is its weight times the best of its keywords' scores (see `scores`). The last term is for topics
of two clauses and more: a word takes its sense from its neighbours, "trace" beside "software traceability".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from paperdigest.errors import QueryError
from paperdigest.protocols import Encoder
from paperdigest.query import Clause, Field, Keyword, Occur, Query, parse_query
from paperdigest.query.matching import admits
from paperdigest.ranking.archive import Archive
from paperdigest.ranking.corpus import Corpus
from paperdigest.ranking.scores import ABSENT, KeywordScores
from paperdigest.ranking.vectors import GRID, on_grid
from paperdigest.types import Reason, StoredPaper, Topic

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["OTHERS", "Batch", "TopicPlan", "keywords_of"]

OTHERS = 0.5
"""What a topic's further clauses count, beside its best one."""

_FILTERS = (Field.CATEGORY, Field.SOURCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicPlan:
    """A query as the batch scores it.

    ``clauses`` are those that add up, with ``rows`` their places in `Batch.clauses`. ``gate`` says for each
    paper whether ``+`` and ``-`` admit it, None when there are none. The joined term of a paper is ``scale``
    times the sum of the clauses' weighted cosines plus ``shift``; a scale of 0 means that there is none.
    """

    query: Query
    clauses: tuple[Clause, ...]
    rows: tuple[int, ...]
    gate: NDArray[np.bool_] | None
    scale: float = 0.0
    shift: float = 0.0


def keywords_of(topics: Iterable[Topic]) -> tuple[Keyword, ...]:
    """Return the distinct keywords of any number of topics, in order of first use.

    A query that cannot be read has none: whoever has it is told when it is their turn.
    """
    return tuple(dict.fromkeys(keyword for query in _readable(topics) for keyword in query.keywords))


class Batch:
    """A corpus scored for the topics of any number of subscribers.

    ``standard`` and ``cosine`` have one row for each distinct group of alternatives, shape (clauses, papers);
    ``cosine`` is None without a model.
    """

    def __init__(
        self, topics: Iterable[Topic], corpus: Corpus, archive: Archive, encoder: Encoder | None = None
    ) -> None:
        queries = _readable(topics)
        wanted = dict.fromkeys(clause.keywords for query in queries for clause in query.scored)
        self.corpus = corpus
        self.keywords = KeywordScores((keyword for group in wanted for keyword in group), corpus, archive, encoder)
        self._place = {group: place for place, group in enumerate(wanted)}
        self.standard, self.cosine = self._matrices(list(wanted))
        self._plans: dict[str, TopicPlan] = {}

    @property
    def has_vectors(self) -> bool:
        """Say whether a model took part."""
        return self.cosine is not None

    def plan(self, query: str) -> TopicPlan:
        """Return how a query is scored; it must be one of the batch's topics, or empty.

        Raises:
            QueryError: it cannot be read.
        """
        if query not in self._plans:
            self._plans[query] = self._planned(parse_query(query) if query.strip() else Query())
        return self._plans[query]

    def raw(self, plan: TopicPlan) -> NDArray[np.float32]:
        """Return raw scores, shape (papers,); -inf where the query admits nothing or says nothing."""
        best = np.full(len(self.corpus), ABSENT, dtype=np.float32)
        others = np.zeros_like(best)
        for clause, row in zip(plan.clauses, plan.rows, strict=True):
            newcomer = self.standard[row] * np.float32(clause.weight)
            others += np.maximum(np.minimum(best, newcomer), 0)
            np.maximum(best, newcomer, out=best)
        best += others * np.float32(OTHERS)
        best += self._joined(plan, np.arange(len(best)))
        if plan.gate is not None:
            best[~plan.gate] = ABSENT
        return best

    def reasons(self, plan: TopicPlan, paper: StoredPaper) -> list[Reason]:
        """Return the reasons whose contributions add up to the raw score of a paper (to within 1e-3).

        Empty when the raw score is -inf.
        """
        column = self.corpus.column[paper.paper.id]
        if plan.gate is not None and not plan.gate[column]:
            return []
        scores = [
            float(self.standard[row, column]) * clause.weight
            for clause, row in zip(plan.clauses, plan.rows, strict=True)
        ]
        if not scores or max(scores) == ABSENT:
            return []
        best = scores.index(max(scores))
        found = [
            replace(reason, contribution=reason.contribution * clause.weight * (1.0 if place == best else OTHERS))
            for place, clause in enumerate(plan.clauses)
            if place == best or scores[place] > 0
            for reason in self._explain(clause, paper)
        ]
        if joined := float(self._joined(plan, np.array([column]))[0]):
            word = "close to" if joined > 0 else "far from"
            text = f"{word} all of your words together"
            found.append(Reason(text=text, keyword=str(plan.query), contribution=joined))
        return found

    def _explain(self, clause: Clause, paper: StoredPaper) -> tuple[Reason, ...]:
        """Explain a clause by its best keyword."""
        column = self.corpus.column[paper.paper.id]
        rows = [self.keywords.row[keyword] for keyword in clause.keywords]
        best = int(np.argmax(self.keywords.standard[rows, column]))
        return self.keywords.explain(clause.keywords[best], paper)

    def _joined(self, plan: TopicPlan, columns: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the joined term of some papers: 0 for those without a vector."""
        term = np.zeros(len(columns), dtype=np.float32)
        if self.cosine is None or plan.scale == 0:
            return term
        for clause, row in zip(plan.clauses, plan.rows, strict=True):
            term += self.cosine[row, columns] * np.float32(clause.weight)
        term *= np.float32(plan.scale)
        term += np.float32(plan.shift)
        return np.where(self.corpus.has_vector[columns], term, np.float32(0))

    def _matrices(
        self, groups: Sequence[tuple[Keyword, ...]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Return one row a group: the best of its keywords for each paper, and the cosine of its first."""
        rows = [[self.keywords.row[keyword] for keyword in group] for group in groups]
        if all(len(each) == 1 for each in rows):
            return self.keywords.standard, self.keywords.cosine
        best, near = self.keywords.standard, self.keywords.cosine
        standard = np.stack([best[each].max(axis=0) for each in rows])
        return standard, None if near is None else near[[each[0] for each in rows]]

    def _planned(self, query: Query) -> TopicPlan:
        clauses = _adding(query)
        gate = None
        if any(clause.occur is not Occur.MAY for clause in query.clauses):
            gate = np.array([admits(query, document) for document in self.corpus.documents], dtype=bool)
        rows = tuple(self._place[clause.keywords] for clause in clauses)
        scale, shift = self._context(clauses)
        return TopicPlan(query=query, clauses=clauses, rows=rows, gate=gate, scale=scale, shift=shift)

    def _context(self, clauses: Sequence[Clause]) -> tuple[float, float]:
        """Return scale and shift of the joined term: the standard score of the cosine with the sum of the vectors."""
        vectors = self.keywords.vectors
        if vectors is None:
            return 0.0, 0.0
        heads = [(clause.weight, vectors[self.keywords.row[clause.keywords[0]]]) for clause in clauses]
        meant = [(weight, vector) for weight, vector in heads if vector.any()]
        if len(meant) < 2:
            return 0.0, 0.0
        total = np.sum([weight * vector.astype(np.float64) for weight, vector in meant], axis=0) / GRID
        length = float(np.sqrt(total @ total))
        if length < 1e-6:
            return 0.0, 0.0
        moments = self.keywords.archive.semantic(on_grid(total[None]))
        return 1 / (length * float(moments.deviation[0])), -float(moments.mean[0] / moments.deviation[0])


def _readable(topics: Iterable[Topic]) -> list[Query]:
    queries = []
    for text in dict.fromkeys(topic.query for topic in topics if topic.query.strip()):
        try:
            queries.append(parse_query(text))
        except QueryError:
            continue
    return queries


def _adding(query: Query) -> tuple[Clause, ...]:
    """Return the clauses that add up: a demanded category or source says nothing of one admitted paper or another."""
    telling = [clause for clause in query.scored if not _is_filter(clause)]
    return tuple(telling) or query.scored


def _is_filter(clause: Clause) -> bool:
    return clause.occur is Occur.MUST and all(keyword.field in _FILTERS for keyword in clause.keywords)
