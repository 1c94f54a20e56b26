"""Raw scores of topics for the papers of a batch, and the reasons that add up to them.

    raw = best clause + 0.5 * the positive others + standard score of the cosine with all clauses joined by ", "

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
from paperdigest.ranking.scores import ABSENT, KeywordScores, spoken
from paperdigest.ranking.vectors import on_grid
from paperdigest.types import Reason, StoredPaper, Topic

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["OTHERS", "Batch", "TopicPlan", "keywords_of", "weighed"]

OTHERS = 0.5
"""What a topic's further clauses count, beside its best one."""

_NAMED = 3
"""How many words of a topic are named where all of them are meant."""

_FILTERS = (Field.CATEGORY, Field.SOURCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicPlan:
    """A query as the batch scores it.

    ``clauses`` are those that add up, with ``rows`` their places in `Batch.clauses`. ``gate`` says for each
    paper whether ``+`` and ``-`` admit it, None when there are none. ``joined`` is the row of the joined term in
    `Batch.joined`, None when there is none.
    """

    query: Query
    clauses: tuple[Clause, ...]
    rows: tuple[int, ...]
    gate: NDArray[np.bool_] | None
    joined: int | None = None

    @property
    def is_filter(self) -> bool:
        """True when only names, categories or sources are asked for: a paper has them or not, and nothing between."""
        fields = {keyword.field for clause in self.clauses for keyword in clause.keywords}
        return bool(fields) and fields <= {Field.AUTHOR, *_FILTERS}


def keywords_of(topics: Iterable[Topic]) -> tuple[Keyword, ...]:
    """Return the distinct keywords of any number of topics, in order of first use.

    A query that cannot be read has none: whoever has it is told when it is their turn.
    """
    return tuple(dict.fromkeys(keyword for query in _readable(topics) for keyword in query.keywords))


class Batch:
    """A corpus scored for the topics of any number of subscribers.

    ``standard`` has one row for each distinct group of alternatives, shape (clauses, papers); ``joined`` one for
    each distinct joined text, shape (texts, papers), 0 for papers without a vector, None without a model.
    """

    def __init__(
        self, topics: Iterable[Topic], corpus: Corpus, archive: Archive, encoder: Encoder | None = None
    ) -> None:
        queries = _readable(topics)
        wanted = dict.fromkeys(clause.keywords for query in queries for clause in query.scored)
        self.corpus = corpus
        self.keywords = KeywordScores((keyword for group in wanted for keyword in group), corpus, archive, encoder)
        self._place = {group: place for place, group in enumerate(wanted)}
        self.standard = self._best_of(list(wanted))
        texts = dict.fromkeys(filter(None, (_joined_text(query) for query in queries)))
        self._joined_place = {text: place for place, text in enumerate(texts)}
        self.joined = self._nearness(list(texts), encoder)
        self._plans: dict[str, TopicPlan] = {}

    @property
    def has_vectors(self) -> bool:
        """Say whether a model took part."""
        return self.keywords.near is not None

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
        if plan.joined is not None and self.joined is not None:
            best += self.joined[plan.joined]
        if plan.gate is not None:
            best[~plan.gate] = ABSENT
        return best

    def ordinary(self, plan: TopicPlan) -> NDArray[np.float32]:
        """Return `raw`, with 0 for papers that have none of the words but that the query would not keep out.

        By words alone nothing is said of them, but likes may say something. -inf where ``+`` and ``-`` keep a paper
        out, and where everything that is looked for was said precisely and the paper has none of it.
        """
        raw = self.raw(plan)
        if plan.clauses and all(keyword.is_strict for clause in plan.clauses for keyword in clause.keywords):
            return raw
        silent = raw == ABSENT if plan.gate is None else (raw == ABSENT) & plan.gate
        return np.where(silent, np.float32(0), raw)

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
            weighed(reason, clause.weight * (1.0 if place == best else OTHERS))
            for place, clause in enumerate(plan.clauses)
            if place == best or scores[place] > 0
            for reason in self._explain(clause, paper)
        ]
        if plan.joined is not None and self.joined is not None and (near := float(self.joined[plan.joined, column])):
            text = f"{'close to' if near > 0 else 'far from'} {_together(plan.query)}"
            found.append(Reason(text=text, keyword=str(plan.query), contribution=near))
        return found

    def _explain(self, clause: Clause, paper: StoredPaper) -> tuple[Reason, ...]:
        """Explain a clause by its best keyword."""
        column = self.corpus.column[paper.paper.id]
        rows = [self.keywords.row[keyword] for keyword in clause.keywords]
        best = int(np.argmax(self.keywords.standard[rows, column]))
        return self.keywords.explain(clause.keywords[best], paper)

    def _best_of(self, groups: Sequence[tuple[Keyword, ...]]) -> NDArray[np.float32]:
        """Return one row a group: the best of its keywords for each paper."""
        rows = [[self.keywords.row[keyword] for keyword in group] for group in groups]
        if all(len(each) == 1 for each in rows):
            return self.keywords.standard
        return np.stack([self.keywords.standard[each].max(axis=0) for each in rows])

    def _nearness(self, texts: Sequence[str], encoder: Encoder | None) -> NDArray[np.float32] | None:
        """Return the standard scores of the cosines with texts, shape (texts, papers)."""
        if encoder is None or self.corpus.vectors is None or not texts:
            return None
        return self.keywords.archive.nearness(on_grid(encoder.encode(texts)), self.corpus)

    def _planned(self, query: Query) -> TopicPlan:
        clauses = _adding(query)
        gate = None
        if any(clause.occur is not Occur.MAY for clause in query.clauses):
            gate = np.array([admits(query, document) for document in self.corpus.documents], dtype=bool)
        rows = tuple(self._place[clause.keywords] for clause in clauses)
        return TopicPlan(
            query=query, clauses=clauses, rows=rows, gate=gate, joined=self._joined_place.get(_joined_text(query))
        )


def weighed(reason: Reason, weight: float) -> Reason:
    """Return the reason with its contribution so many times as great."""
    return reason if weight == 1 else replace(reason, contribution=reason.contribution * weight)


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


def _said(query: Query) -> list[str]:
    """Return what each clause that adds up says, by its first keyword that can be understood; "" left out."""
    heads = (next(filter(None, map(spoken, clause.keywords)), "") for clause in _adding(query))
    return [text for text in heads if text]


def _joined_text(query: Query) -> str:
    """Return what a query's clauses say together; empty when fewer than two say anything."""
    said = _said(query)
    return ", ".join(said) if len(said) > 1 else ""


def _together(query: Query) -> str:
    """Return ``*trace* and *software traceability* together``, of many the first few."""
    said = _said(query)
    named = " and ".join(f"*{text}*" for text in said[:_NAMED])
    return f"{named} and others together" if len(said) > _NAMED else f"{named} together"
