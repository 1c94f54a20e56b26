"""From a batch's scores to each subscriber's choice, and every number behind it.

A topic's raw score of a paper, and with it the score in [0, 1]::

    raw   = weight * (keywords + k / (k + 5) * learned + popularity)
    score = calibration(raw)

``keywords`` are those of `batch`, ``learned`` is what `learning` makes of the likes and dislikes, and a topic made
of examples alone has the learned part whole. A score depends on the paper, the topic and the archive, never on
the other papers of the day or on other subscribers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

import numpy as np

from paperdigest.protocols import Encoder
from paperdigest.ranking.archive import Archive
from paperdigest.ranking.batch import Batch, TopicPlan
from paperdigest.ranking.calibration import LEXICAL, SEMANTIC, Calibration
from paperdigest.ranking.corpus import Corpus
from paperdigest.ranking.lessons import Learner, Lesson
from paperdigest.ranking.popularity import popularity, popularity_reason
from paperdigest.ranking.quota import shares_of
from paperdigest.ranking.selection import POOL, Choice, Claim, Exploration, select
from paperdigest.types import RankedPaper, Ranking, RankRequest, Reason, StoredPaper, Topic

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Options", "Ranker", "TopicScores"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the settings say: the least score, whether to explore, and what upvotes count (0: nothing)."""

    threshold: float = 0.0
    explore: bool = False
    popularity: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicScores:
    """One topic of one request, scored: ``raw`` has shape (papers,), -inf where the topic says nothing."""

    topic: Topic
    plan: TopicPlan
    lesson: Lesson | None
    raw: NDArray[np.float64]
    threshold: float


class Ranker:
    """Ranks the papers of a corpus for any number of subscribers; made once for a batch.

    Args:
        topics: those of everybody who will ask.
        papers: the candidates of everybody.
        archive: what scores are measured against.
        encoder: the vector model, None to rank by words alone.
        options: see `Options`.
    """

    def __init__(
        self,
        topics: Iterable[Topic],
        papers: Corpus,
        archive: Archive,
        encoder: Encoder | None = None,
        options: Options | None = None,
    ) -> None:
        self.corpus = papers
        self.options = options or Options()
        self.batch = Batch(topics, papers, archive, encoder)
        self.calibration: Calibration = SEMANTIC if encoder is not None else LEXICAL
        self._learner = Learner(papers, archive, encoder)
        self._encoder = encoder
        self._first_seen = np.array([stored.first_seen_at.timestamp() for stored in papers.papers])

    @property
    def method(self) -> str:
        """By what papers are ranked, in words."""
        if self._encoder is None:
            return "by words alone: no vector model is installed (see paperdigest model)"
        return f"by words and by the vector model {self._encoder.name}"

    def rank(self, request: RankRequest) -> Ranking:
        """Choose and order the papers of one subscriber, best first.

        Topics are ranked apart and share the places by quota; a paper stands once, under the topic where it
        scores best, and names the others. The contributions of its reasons add up to its raw score.

        Raises:
            QueryError: a topic's query cannot be read.
        """
        topics = request.subscriber.topics
        candidates = self.candidates(request)
        scored = [self.score(topic, request) for topic in topics]
        claims = [
            claim for number, each in enumerate(scored) for claim in self._claims(number, each, candidates, request)
        ]
        lot = Exploration.of(str(request.subscriber.id or request.subscriber.email), request.edition.isoformat())
        choices = select(
            claims,
            shares_of([topic.quota for topic in topics]),
            request.subscriber.max_papers,
            explore=lot if self.options.explore else None,
        )
        return Ranking(
            ranked=tuple(self._ranked(choice, scored, request) for choice in choices),
            considered=int(np.count_nonzero(candidates)),
            notes=tuple(note for each in scored if each.lesson for note in each.lesson.notes),
            method=self.method,
            verdicts=tuple(each.lesson.verdict for each in scored if each.lesson and each.lesson.verdict),
        )

    def candidates(self, request: RankRequest) -> NDArray[np.bool_]:
        """Say for each paper whether it may stand in the digest: recent enough, and not seen."""
        mask: NDArray[np.bool_] = self._first_seen >= request.since.timestamp()
        seen = [column for one in request.seen if (column := self.corpus.column.get(one)) is not None]
        mask[seen] = False
        return mask

    def score(self, topic: Topic, request: RankRequest) -> TopicScores:
        """Score every paper for one topic.

        Raises:
            QueryError: its query cannot be read.
        """
        plan = self.batch.plan(topic.query)
        judged = [one for one in request.judgements if one.topic in (None, topic.name)]
        kept = None if request.kept is None else topic.name in request.kept
        lesson = self._learner.lesson(topic, judged, kept=kept) if judged else None
        raw = self.batch.raw(plan).astype(np.float64) if plan.clauses else np.zeros(len(self.corpus))
        if lesson is not None:
            raw = raw + lesson.scores
        if self.options.popularity:
            moment = _end_of(request)
            raw = raw + self.options.popularity * np.array([popularity(one, moment) for one in self.corpus.papers])
        threshold = self.options.threshold if topic.threshold is None else topic.threshold
        return TopicScores(topic=topic, plan=plan, lesson=lesson, raw=raw * topic.weight, threshold=threshold)

    def reasons(self, scored: TopicScores, paper: StoredPaper, request: RankRequest) -> tuple[Reason, ...]:
        """Return everything that decided a paper's raw score, the weightiest first.

        The contributions add up to the raw score (to within 1e-3); none when the topic says nothing of the paper.
        """
        found = self.batch.reasons(scored.plan, paper)
        column = self.corpus.column[paper.paper.id]
        if not np.isfinite(scored.raw[column]):
            return ()
        if scored.lesson is not None:
            found += scored.lesson.reasons(column)
        if self.options.popularity and (votes := popularity_reason(paper, _end_of(request), self.options.popularity)):
            found.append(votes)
        weighed = [replace(reason, contribution=reason.contribution * scored.topic.weight) for reason in found]
        return tuple(sorted(weighed, key=lambda reason: -reason.contribution))

    def _claims(
        self, number: int, scored: TopicScores, candidates: NDArray[np.bool_], request: RankRequest
    ) -> list[Claim]:
        """Return the topic's best papers among those that qualify: as many as can matter, best first."""
        least = self.calibration.raw(scored.threshold)
        fit = np.flatnonzero(candidates & np.isfinite(scored.raw) & (scored.raw >= least))
        # Columns are in the order of ids, so a stable sort settles ties by id.
        best = fit[np.argsort(-scored.raw[fit], kind="stable")][: 3 * request.subscriber.max_papers + POOL]
        new_since = request.new_since.timestamp()
        return [
            Claim(
                paper_id=self.corpus.papers[column].paper.id,
                topic=number,
                score=self.calibration.unit(float(scored.raw[column])),
                raw=float(scored.raw[column]),
                is_new=bool(self._first_seen[column] >= new_since),
            )
            for column in best.tolist()
        ]

    def _ranked(self, choice: Choice, scored: list[TopicScores], request: RankRequest) -> RankedPaper:
        home = scored[choice.topic]
        stored = self.corpus.papers[self.corpus.column[choice.paper_id]]
        return RankedPaper(
            stored=stored,
            score=choice.score,
            topic=home.topic.name,
            reasons=self.reasons(home, stored, request),
            also=tuple(scored[other].topic.name for other in choice.also),
            placement=choice.placement,
            propensity=choice.propensity,
        )


def _end_of(request: RankRequest) -> datetime:
    """Return the moment by which a paper's age is told: the same all day."""
    return datetime.combine(request.edition, time.max, UTC)
