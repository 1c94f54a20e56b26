"""The use case ``compose``: what is asked of ranking for subscribers, and the digests made of the answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from paperdigest.pipeline.candidates import liked_papers, papers_by_name, revised_papers, seen_papers
from paperdigest.store import Store
from paperdigest.store.digests import Digests
from paperdigest.store.judgements import Judgements
from paperdigest.store.learning import Learning, Replay
from paperdigest.store.standing import Reached, Standings
from paperdigest.store.taking_over import NOTHING, Instead, Waiting
from paperdigest.types import Digest, Judgement, PaperId, Ranking, RankRequest, StoredPaper, Subscriber

__all__ = ["LOOK_BACK", "Composer"]

LOOK_BACK = timedelta(days=60)
"""How far back papers are looked for; whoever was away for longer gets one digest all the same."""

REPLAY_LASTS = timedelta(days=7)
"""After that, what was learned is tried again although nothing was judged: the archive has moved on."""

CLOCK_MAY_ERR = timedelta(days=2)
"""A digest cannot hold a paper that was first seen after it was composed, but for clocks that were set right since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is stored of some subscribers, by number."""

    reached: Mapping[int, Reached]
    sent: Mapping[int, frozenset[str]]
    judgements: Mapping[int, tuple[Judgement, ...]]
    replays: Mapping[int, tuple[Replay, ...]]


class Composer:
    """Makes requests and digests from what the store knows of the subscribers: a few queries for any number of them.

    ``queue`` is for how long a paper that missed the cut may still come, ``expires_after`` for how long a digest may
    wait to be delivered. Every method may raise StoreError.
    """

    def __init__(self, store: Store, queue: timedelta, expires_after: timedelta) -> None:
        self._store, self._queue = store, queue
        self._digests, self._learning = Digests(store.database), Learning(store.database)
        self._judgements, self._standings = Judgements(store.database), Standings(store.database)
        self._waiting = Waiting(store.database, expires_after)

    def instead(self, editions: Mapping[int, date]) -> Instead:
        """Return the digests that still wait and that editions would take over, by subscriber."""
        return self._waiting.earlier(editions)

    def since(self, subscriber: Subscriber, edition: date, now: datetime) -> datetime:
        """Return from when on papers are candidates for one subscriber's edition (see `starts`)."""
        return self.starts({subscriber.id: edition}, now)[subscriber.id]

    def starts(self, editions: Mapping[int, date], now: datetime) -> dict[int, datetime]:
        """Return from when on papers are candidates: the last digest or the queue's days, whichever is longer ago.

        A weekly digest at nine, after one that came out at five past seven the week before, misses nothing. After
        digests that were lost, the queue's days reach back from the first of them: what was in it is not too old now.
        """
        reached = self._standings.reached([*editions], now, _every(self.instead(editions)))
        return {number: self._start(reached[number], now) for number in editions}

    def requests(
        self,
        due: Sequence[tuple[Subscriber, date]],
        papers: Sequence[StoredPaper],
        now: datetime,
        instead: Instead = NOTHING,
    ) -> tuple[RankRequest, ...]:
        """Return what is to be ranked for subscribers and their editions, out of ``papers``.

        The papers of digests that they take over are to be had again.
        """
        numbers = [subscriber.id for subscriber, _ in due]
        reached = self._standings.reached(numbers, now, _every(instead))
        first = min((self._start(reached[number], now) for number in numbers), default=now)
        known = _Known(
            reached=reached,
            sent=self._standings.sent(numbers, first - CLOCK_MAY_ERR, _every(instead)),
            judgements=self._judgements.of(numbers),
            replays=self._learning.of(numbers),
        )
        by_name = papers_by_name(papers)
        return tuple(self._request(subscriber, edition, by_name, known, now) for subscriber, edition in due)

    def digest(self, request: RankRequest, ranking: Ranking, now: datetime) -> Digest:
        """Return the digest of what was ranked, with the new versions of papers the subscriber liked."""
        return self.digests([(request, ranking)], now)[0]

    def digests(
        self, answered: Sequence[tuple[RankRequest, Ranking]], now: datetime, instead: Instead = NOTHING
    ) -> tuple[Digest, ...]:
        """Return the digests of what was ranked, in their order (see `digest` and `requests`)."""
        revised = self._revised([request for request, _ in answered], instead)
        return tuple(
            Digest(
                subscriber=request.subscriber,
                edition=request.edition,
                composed_at=now,
                ranked=ranking.ranked,
                revised=revised.get(request.subscriber.id, ()),
                notes=ranking.notes if _is_judged_anew(request) else (),
                method=ranking.method,
                considered=ranking.considered,
            )
            for request, ranking in answered
        )

    def remember(self, answered: Iterable[tuple[RankRequest, Ranking]], now: datetime) -> None:
        """Keep what was found out about learning, so that it is not tried again before there is reason to."""
        self._learning.save_all(
            {
                request.subscriber.id: [
                    Replay(
                        topic=verdict.topic,
                        judgements_seen=verdict.judgements,
                        kept=verdict.kept,
                        before=verdict.before,
                        after=verdict.after,
                        judged_at=now,
                    )
                    for verdict in ranking.verdicts
                ]
                for request, ranking in answered
                if ranking.verdicts
            }
        )

    def _start(self, reached: Reached, now: datetime) -> datetime:
        queued = (reached.missed or now) - self._queue
        return max(min(queued, reached.last or now), now - max(LOOK_BACK, self._queue))

    def _request(
        self,
        subscriber: Subscriber,
        edition: date,
        by_name: Mapping[str, PaperId],
        known: _Known,
        now: datetime,
    ) -> RankRequest:
        judgements = known.judgements.get(subscriber.id, ())
        reached = known.reached[subscriber.id]
        start = self._start(reached, now)
        return RankRequest(
            subscriber=subscriber,
            edition=edition,
            since=start,
            new_since=reached.last or start,
            seen=seen_papers(by_name, known.sent.get(subscriber.id, frozenset()), judgements),
            judgements=judgements,
            kept=_kept(subscriber, judgements, known.replays.get(subscriber.id, ()), now),
        )

    def _revised(self, requests: Sequence[RankRequest], instead: Instead) -> dict[int, tuple[StoredPaper, ...]]:
        """Return the new versions of liked papers, for those who like any, by subscriber."""
        likes = {one.subscriber.id: liked_papers(one.judgements) for one in requests if one.judgements}
        wanted = {paper_id for some in likes.values() for paper_id in some}
        if not wanted:
            return {}
        stored = {one.paper.id: one for one in self._store.papers(sorted(wanted))}
        lost = [number for subscriber in likes for number in instead.get(subscriber, ())]
        shown = self._digests.shown_to(list(likes), lost)
        found = {}
        for request in requests:
            if mine := likes.get(request.subscriber.id):
                known = (stored[paper_id] for paper_id in mine if paper_id in stored)
                found[request.subscriber.id] = revised_papers(known, shown[request.subscriber.id], request.judgements)
        return found


def _every(instead: Instead) -> list[int]:
    return [number for some in instead.values() for number in some]


def _is_judged_anew(request: RankRequest) -> bool:
    """Say whether there is anything to learn from since the last digest."""
    return any(judgement.judged_at >= request.new_since for judgement in request.judgements)


def _kept(
    subscriber: Subscriber, judgements: Sequence[Judgement], replays: Sequence[Replay], now: datetime
) -> frozenset[str] | None:
    """Return the topics for which learning is kept, None when it has to be tried anew."""
    by_topic = {replay.topic: replay for replay in replays}
    kept = set()
    for topic in subscriber.topics:
        judged = [one for one in judgements if one.topic in (None, topic.name)]
        replay = by_topic.get(topic.name)
        if not judged:
            continue
        newest = max(one.judged_at for one in judged)
        if replay is None or replay.judgements_seen != len(judged) or replay.judged_at < newest:
            return None
        if now - replay.judged_at > REPLAY_LASTS:
            return None
        if replay.kept:
            kept.add(topic.name)
    return frozenset(kept)
