"""One round of ranking: some subscribers, the papers that may be theirs, and every number behind each choice.

A topic's raw score of a paper, and with it the score in [0, 1]::

    raw   = weight * (keywords + k / (k + 5) * learned + popularity)
    score = calibration(raw)

``keywords`` are those of `batch`, ``learned`` is what `learning` makes of the likes and dislikes, and a topic made
of examples alone has the learned part whole. A score depends on the paper, the topic and the archive, never on
the other papers of the day or on other subscribers.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from paperdigest.errors import QueryError
from paperdigest.protocols import Encoder
from paperdigest.ranking.archive import Archive
from paperdigest.ranking.batch import Batch, TopicPlan, weighed
from paperdigest.ranking.calibration import EXAMPLES, JOINED, LEXICAL, SEMANTIC, Calibration
from paperdigest.ranking.corpus import Corpus
from paperdigest.ranking.crowd import best_of_all
from paperdigest.ranking.duplicates import Neighbours
from paperdigest.ranking.highlights import highlights
from paperdigest.ranking.lessons import Learner, Lesson
from paperdigest.ranking.popularity import popularity, popularity_reason
from paperdigest.ranking.quota import shares_of
from paperdigest.ranking.selection import POOL, Choice, Claim, Exploration, Selection
from paperdigest.types import Highlight, PaperId, RankedPaper, Ranking, RankRequest, Reason, StoredPaper, Topic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Best = tuple[NDArray[np.int32], NDArray[np.float64]]

__all__ = ["Options", "Round", "TopicScores", "midnight"]

CHOICES, SHOWN = 250, 8000
"""How many choices (up to 30 KB each) and ranked papers, reasons, highlights (1 KB) a round keeps for others who ask
for the same. They need not stand next to each other, but it helps."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the settings say: the least score, whether to explore, and what upvotes count (0: nothing).

    ``is_digest`` False: a plain list, in the order of scores, in which near-duplicates do not step back.
    """

    threshold: float = 0.0
    explore: bool = False
    is_digest: bool = True
    popularity: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicScores:
    """One topic of one request, scored.

    ``best`` are the columns and raw scores that qualify: the best of the new ones, then of those that waited.
    """

    topic: Topic
    plan: TopicPlan
    lesson: Lesson | None
    best: tuple[tuple[int, float], ...]


class Round:
    """The papers and topics of some requests, scored once; then each request is answered from that."""

    def __init__(
        self, topics: Iterable[Topic], papers: Corpus, archive: Archive, encoder: Encoder | None, options: Options
    ) -> None:
        self.corpus, self.options = papers, options
        self.batch = Batch(topics, papers, archive, encoder)
        self._learner = Learner(papers, archive, encoder)
        self._neighbours = Neighbours(papers)
        self._encoder = encoder
        self._first_seen = np.array([stored.first_seen_at.timestamp() for stored in papers.papers])
        self._moments = np.unique(self._first_seen)
        self._choices: dict[Hashable, _Chosen] = {}
        self._shown: dict[Hashable, Any] = {}

    @property
    def method(self) -> str:
        """By what papers are ranked, in words."""
        return "by words alone" if self._encoder is None else f"by words and vectors ({self._encoder.name})"

    def calibration(self, plan: TopicPlan) -> Calibration:
        """Return what maps the raw scores of a topic to [0, 1]."""
        if not plan.clauses:
            return EXAMPLES
        if not self.batch.has_vectors:
            return LEXICAL
        return SEMANTIC if plan.joined is None else JOINED

    def rank_all(self, requests: Sequence[RankRequest]) -> Iterator[tuple[RankRequest, Ranking | QueryError]]:
        """Answer each request; the topics of those who have judged nothing are scored all together."""
        best = self._best_of_plain(requests)
        for number, request in enumerate(requests):
            try:
                yield request, self.rank(request, best.get(number))
            except QueryError as error:
                yield request, error

    def rank(self, request: RankRequest, best: Sequence[_Best] | None = None) -> Ranking:
        """Answer one request (see `Ranker.rank`); ``best`` when its topics have been scored already."""
        candidates = self.candidates(request)
        chosen = self._chosen(request, candidates) if best is None else self._chosen_plain(request, best)
        lot = Exploration.of(str(request.subscriber.id or request.subscriber.email), request.edition.isoformat())
        choices = chosen.selection.choices(lot if self.options.explore else None)
        scored = chosen.scored
        return Ranking(
            ranked=tuple(self._ranked(choice, chosen, request) for choice in choices),
            considered=int(np.count_nonzero(candidates)),
            notes=tuple(note for each in scored if each.lesson for note in each.lesson.notes),
            method=self.method,
            verdicts=tuple(each.lesson.verdict for each in scored if each.lesson and each.lesson.verdict),
        )

    def _chosen(self, request: RankRequest, candidates: NDArray[np.bool_]) -> _Chosen:
        return self._selected(
            [self._scored(topic, request, candidates) for topic in request.subscriber.topics], request
        )

    def _chosen_plain(self, request: RankRequest, best: Sequence[_Best]) -> _Chosen:
        """Return the same object for all who ask for the same and for whom the same papers are the best."""
        topics = request.subscriber.topics
        found = tuple((columns.tobytes(), raw.tobytes()) for columns, raw in best)
        key = (topics, _places(request), self._batches_before(request.new_since), found)
        plain = zip(topics, best, strict=True)
        return _once(
            self._choices, CHOICES, key, lambda: self._selected([self._plain(*each) for each in plain], request)
        )

    def _selected(self, scored: list[TopicScores], request: RankRequest) -> _Chosen:
        selection = Selection(
            [one for number, each in enumerate(scored) for one in self._claims(number, each, request)],
            shares_of([topic.quota for topic in request.subscriber.topics]),
            _places(request),
            near=self._neighbours if self.options.is_digest else None,
        )
        return _Chosen(scored=scored, selection=selection)

    def _best_of_plain(self, requests: Sequence[RankRequest]) -> dict[int, list[_Best]]:
        """Score the topics of many requests at once; those with judgements, or a query that is none, are left out."""
        plain = [number for number, request in enumerate(requests) if self._is_plain(request)]
        if not plain:
            return {}
        owners = [number for number in plain for _ in requests[number].subscriber.topics]
        queries = [topic.query for number in plain for topic in requests[number].subscriber.topics]
        seen = [self._columns(requests[number].seen) for number in owners]
        rows = np.repeat(np.arange(len(owners)), [len(columns) for columns in seen])
        excluded = (rows, np.concatenate(seen).astype(np.intp))
        masks = self._masks([requests[number] for number in plain])
        most = max(_shortlist(requests[number]) for number in plain)
        best: dict[int, list[_Best]] = {number: [] for number in plain}
        halves = []
        for half in (0, 1):
            allowed = [masks[id(requests[number])][half] for number in owners]
            halves.append(best_of_all(self.batch, queries, most, masks=allowed, excluded=excluded))
        for place, number in enumerate(owners):
            few = _shortlist(requests[number])
            columns = np.concatenate([half.columns[place][:few] for half in halves])
            raw = np.concatenate([half.raw[place][:few] for half in halves]).astype(np.float64)
            best[number].append((columns[columns >= 0], raw[columns >= 0]))
        return best

    def _masks(self, requests: Sequence[RankRequest]) -> dict[int, tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
        """Return for each request which papers are recent and new to it, and which have waited; few are different."""
        known: dict[tuple[float, int], tuple[NDArray[np.bool_], NDArray[np.bool_]]] = {}
        found = {}
        for request in requests:
            since = midnight(request.since).timestamp()
            key = (since, self._batches_before(request.new_since))
            if key not in known:
                recent, new = self._first_seen >= since, self._first_seen >= request.new_since.timestamp()
                known[key] = (recent & new, recent & ~new)
            found[id(request)] = known[key]
        return found

    def _batches_before(self, moment: datetime) -> int:
        """Count the moments at which papers came before this one: between two of them every moment means the same."""
        return int(np.searchsorted(self._moments, moment.timestamp()))

    def _columns(self, ids: Iterable[PaperId]) -> NDArray[np.intp]:
        columns = (self.corpus.column.get(one) for one in ids)
        return np.array(sorted(column for column in columns if column is not None), dtype=np.intp)

    def _is_plain(self, request: RankRequest) -> bool:
        if request.judgements or self.options.popularity or not request.subscriber.topics:
            return False
        try:
            return all(self.batch.plan(topic.query).clauses for topic in request.subscriber.topics)
        except QueryError:
            return False

    def candidates(self, request: RankRequest) -> NDArray[np.bool_]:
        """Say for each paper whether it may stand in the digest: recent enough, and not seen."""
        mask: NDArray[np.bool_] = self._first_seen >= midnight(request.since).timestamp()
        mask[self._columns(request.seen)] = False
        return mask

    def raw(self, topic: Topic, request: RankRequest) -> tuple[TopicPlan, Lesson | None, NDArray[np.float64]]:
        """Return how a topic is scored, what was learned for it, and the raw scores, shape (papers,).

        A raw score is -inf where the topic says nothing of a paper.

        Raises:
            QueryError: its query cannot be read.
        """
        plan = self.batch.plan(topic.query)
        judged = [one for one in request.judgements if one.topic in (None, topic.name)]
        kept = None if request.kept is None else topic.name in request.kept
        lesson = self._learner.lesson(topic, judged, kept=kept) if judged else None
        if lesson is not None and lesson.kept:
            raw = self.batch.ordinary(plan) + lesson.scores
        else:
            raw = self.batch.raw(plan).astype(np.float64)
        if self.options.popularity:
            moment = _end_of(request)
            raw = raw + self.options.popularity * np.array([popularity(one, moment) for one in self.corpus.papers])
        return plan, lesson, raw * topic.weight

    def near_duplicates(self, paper: StoredPaper) -> frozenset[PaperId]:
        """Return the papers of the round that say nearly the same as this one."""
        return self._neighbours.get(paper.paper.id)

    def threshold(self, topic: Topic) -> float:
        """Return the least score that qualifies for a topic: its own, or the settings'."""
        return self.options.threshold if topic.threshold is None else topic.threshold

    def _scored(self, topic: Topic, request: RankRequest, candidates: NDArray[np.bool_]) -> TopicScores:
        plan, lesson, raw = self.raw(topic, request)
        new = self._first_seen >= request.new_since.timestamp()
        halves = []
        for half in (new, ~new):  # what waited may not crowd out what is new
            fit = np.flatnonzero(candidates & half & np.isfinite(raw))
            # Columns are in the order of ids, so a stable sort settles ties by id.
            halves.append(fit[np.argsort(-raw[fit], kind="stable")][: _shortlist(request)])
        best = np.concatenate(halves)
        return self._topic_scores(topic, plan, lesson, best, raw[best])

    def _plain(self, topic: Topic, best: _Best) -> TopicScores:
        columns, raw = best
        return self._topic_scores(topic, self.batch.plan(topic.query), None, columns, raw * topic.weight)

    def _topic_scores(
        self,
        topic: Topic,
        plan: TopicPlan,
        lesson: Lesson | None,
        columns: NDArray[np.integer],
        raw: NDArray[np.float64],
    ) -> TopicScores:
        threshold = 0.0 if plan.is_filter else self.threshold(topic)
        fit = raw >= self.calibration(plan).raw(threshold)
        if threshold:
            fit &= raw > 0  # an ordinary paper is none for a digest, however young the archive
        best = tuple(zip(columns[fit].tolist(), raw[fit].tolist(), strict=True))
        return TopicScores(topic=topic, plan=plan, lesson=lesson, best=best)

    def reasons(
        self, topic: Topic, plan: TopicPlan, lesson: Lesson | None, paper: StoredPaper, request: RankRequest
    ) -> tuple[Reason, ...]:
        """Return everything that decided a paper's raw score for a topic, the weightiest first.

        The contributions add up to the raw score (to within 1e-3), if that is finite.
        """
        if lesson is None and not self.options.popularity:
            key = ("reasons", topic.query, topic.weight, paper.paper.id)
            return _once(self._shown, SHOWN, key, lambda: _weighed(self.batch.reasons(plan, paper), topic))
        found = self.batch.reasons(plan, paper)
        if lesson is not None:
            found += lesson.reasons(self.corpus.column[paper.paper.id])
        if self.options.popularity and (votes := popularity_reason(paper, _end_of(request), self.options.popularity)):
            found.append(votes)
        return _weighed(found, topic)

    def _claims(self, number: int, scored: TopicScores, request: RankRequest) -> Iterator[Claim]:
        new_since = request.new_since.timestamp()
        for column, raw in scored.best:
            yield Claim(
                paper_id=self.corpus.papers[column].paper.id,
                topic=number,
                score=self.calibration(scored.plan).unit(raw),
                raw=raw,
                is_new=bool(self._first_seen[column] >= new_since),
            )

    def _ranked(self, choice: Choice, chosen: _Chosen, request: RankRequest) -> RankedPaper:
        """Return what is shown of a choice: the same object for all who ask for the same and have judged nothing."""
        if choice.paper_id not in chosen.ranked:
            home = chosen.scored[choice.topic]
            topics = (home.topic, *(chosen.scored[other].topic for other in choice.also))
            key = (topics, choice.paper_id, choice.score, choice.placement, choice.propensity)
            is_common = home.lesson is None and not self.options.popularity
            chosen.ranked[choice.paper_id] = (
                _once(self._shown, SHOWN, key, lambda: self._made(choice, chosen.scored, request))
                if is_common
                else self._made(choice, chosen.scored, request)
            )
        return chosen.ranked[choice.paper_id]

    def _made(self, choice: Choice, scored: Sequence[TopicScores], request: RankRequest) -> RankedPaper:
        home, others = scored[choice.topic], [scored[other] for other in choice.also]
        stored = self.corpus.papers[self.corpus.column[choice.paper_id]]
        return RankedPaper(
            stored=stored,
            score=choice.score,
            topic=home.topic.name,
            reasons=self.reasons(home.topic, home.plan, home.lesson, stored, request),
            also=tuple(other.topic.name for other in others),
            placement=choice.placement,
            propensity=choice.propensity,
            highlights=self._highlights([home, *others], stored),
        )

    def _highlights(self, topics: Sequence[TopicScores], stored: StoredPaper) -> tuple[Highlight, ...]:
        document = self.corpus.documents[self.corpus.column[stored.paper.id]]
        keywords = (keyword for one in topics for keyword in one.plan.query.keywords)
        key = ("highlights", tuple(one.topic.query for one in topics), stored.paper.id)
        return _once(self._shown, SHOWN, key, lambda: highlights(keywords, document))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """A choice up to the lot; ``ranked`` is what is shown of each paper, as far as it was asked for."""

    scored: Sequence[TopicScores]
    selection: Selection
    ranked: dict[PaperId, RankedPaper] = field(default_factory=dict)


def _once(known: dict[Hashable, _T], most: int, key: Hashable, made: Callable[[], _T]) -> _T:
    """Return what was made for that key before, or make it."""
    if key not in known:
        if len(known) >= most:
            known.clear()
        known[key] = made()
    return known[key]


def _weighed(reasons: Iterable[Reason], topic: Topic) -> tuple[Reason, ...]:
    return tuple(sorted((weighed(reason, topic.weight) for reason in reasons), key=lambda reason: -reason.contribution))


def midnight(moment: datetime) -> datetime:
    """Return the beginning of a moment's UTC day: what differs by hours is asked for together."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _end_of(request: RankRequest) -> datetime:
    """Return the moment by which a paper's age is told: the same all day."""
    return datetime.combine(request.edition, time.max, UTC)


def _shortlist(request: RankRequest) -> int:
    """Return how many papers of a topic can matter: its places, the lot's, some near-duplicates and others' besides."""
    return 3 * _places(request) + POOL


def _places(request: RankRequest) -> int:
    return request.subscriber.max_papers if request.places is None else request.places
