"""The use case ``compose``: what is asked of ranking for a subscriber, and the digest made of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from paperdigest.pipeline.candidates import liked_papers, revised_papers, seen_papers
from paperdigest.store import Store
from paperdigest.store.digests import Digests
from paperdigest.store.judgements import Judgements
from paperdigest.store.learning import Learning, Replay
from paperdigest.types import Digest, Judgement, Ranking, RankRequest, StoredPaper, Subscriber

__all__ = ["LOOK_BACK", "Composer"]

LOOK_BACK = timedelta(days=60)
"""How far back papers are looked for; whoever was away for longer gets one digest all the same."""

REPLAY_LASTS = timedelta(days=7)
"""After that, what was learned is tried again although nothing was judged: the archive has moved on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is stored of some subscribers' judgements and of what was learned from them."""

    judgements: dict[int, tuple[Judgement, ...]]
    replays: dict[int, tuple[Replay, ...]]


class Composer:
    """Makes requests and digests from what the store knows of the subscribers.

    ``queue`` is for how long a paper that missed the cut may still come. Every method may raise StoreError.
    """

    def __init__(self, store: Store, queue: timedelta) -> None:
        self._store, self._queue = store, queue
        self._digests, self._learning = Digests(store.database), Learning(store.database)
        self._judgements = Judgements(store.database)

    def since(self, subscriber: Subscriber, now: datetime) -> datetime:
        """Return from when on papers are candidates: the last digest or the queue's days, whichever is longer ago.

        A weekly digest at nine, after one that came out at five past seven the week before, misses nothing.
        """
        last = self._digests.covered_until(subscriber.id) or now
        return max(min(now - self._queue, last), now - max(LOOK_BACK, self._queue))

    def requests(
        self, due: Sequence[tuple[Subscriber, date]], papers: Sequence[StoredPaper], now: datetime
    ) -> tuple[RankRequest, ...]:
        """Return what is to be ranked for subscribers and their editions, out of ``papers``."""
        numbers = [subscriber.id for subscriber, _ in due]
        known = _Known(judgements=self._judgements.of(numbers), replays=self._learning.of(numbers))
        return tuple(self._request(subscriber, edition, papers, known, now) for subscriber, edition in due)

    def digest(self, request: RankRequest, ranking: Ranking, now: datetime) -> Digest:
        """Return the digest of what was ranked, with the new versions of papers the subscriber liked."""
        is_news = any(judgement.judged_at >= request.new_since for judgement in request.judgements)
        return Digest(
            subscriber=request.subscriber,
            edition=request.edition,
            composed_at=now,
            ranked=ranking.ranked,
            revised=self._revised(request),
            notes=ranking.notes if is_news else (),
            method=ranking.method,
            considered=ranking.considered,
        )

    def remember(self, request: RankRequest, ranking: Ranking, now: datetime) -> None:
        """Keep what was found out about learning, so that it is not tried again before there is reason to."""
        replays = [
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
        if replays:
            self._learning.save(request.subscriber.id, replays)

    def _request(
        self, subscriber: Subscriber, edition: date, papers: Sequence[StoredPaper], known: _Known, now: datetime
    ) -> RankRequest:
        judgements = known.judgements.get(subscriber.id, ())
        start = self.since(subscriber, now)
        return RankRequest(
            subscriber=subscriber,
            edition=edition,
            since=start,
            new_since=self._digests.covered_until(subscriber.id) or start,
            seen=seen_papers(papers, self._digests.sent_keys(subscriber.id), judgements),
            judgements=judgements,
            kept=_kept(subscriber, judgements, known.replays.get(subscriber.id, ()), now),
        )

    def _revised(self, request: RankRequest) -> tuple[StoredPaper, ...]:
        likes = liked_papers(request.judgements)
        if not likes:
            return ()
        stored = self._store.papers(likes)
        return revised_papers(stored, self._digests.shown(request.subscriber.id), request.judgements)


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
