"""How well a subscriber's topics rank the subscriber's own likes, each held back in turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from paperdigest.app.ranking import REFERENCE, Rankings
from paperdigest.evaluation import Compared, compare
from paperdigest.evaluation.own_likes import Standing, rank_among, standing
from paperdigest.ranking import Round
from paperdigest.store import Store, archive
from paperdigest.store.judgements import Judgements
from paperdigest.types import Judgement, Paper, PaperId, RankRequest, StoredPaper, Subscriber, Topic

__all__ = ["ENOUGH", "OwnLikes", "TopicLikes", "own_likes"]

ENOUGH = 5
"""With fewer likes the figures are an anecdote."""

AT_MOST = 50
"""The newest likes that are held back, as ranking itself does before it keeps what it learned."""

_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicLikes:
    """One topic: how its likes stand by its keywords alone, and with what is learned from the other likes.

    ``tried`` likes were held back. ``keywords`` is None where the topic has none, ``learned`` where there is no
    other like to learn from; ``compared`` are the reciprocal ranks of the two. ``note`` says why not to rely on it.
    """

    topic: Topic
    likes: int
    dislikes: int
    tried: int
    keywords: Standing | None = None
    learned: Standing | None = None
    compared: Compared | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLikes:
    """All topics; the likes were ranked among so many papers of the archive."""

    subscriber: Subscriber
    papers: int
    topics: tuple[TopicLikes, ...]


def own_likes(store: Store, rankings: Rankings, subscriber: Subscriber, today: date) -> OwnLikes:
    """Measure a subscriber's topics on their own likes; nothing is stored.

    Raises:
        QueryError: a topic's query cannot be read.
        StoreError, ModelError: in words.
    """
    judgements = Judgements(store.database).of([subscriber.id])[subscriber.id]
    rivals = _newest(store)
    judged = {judgement.paper_id for judgement in judgements}
    papers = [*rivals, *_papers(judgements)]
    request = RankRequest(subscriber=subscriber, edition=today, since=_EVER, new_since=_EVER)
    round_ = rankings.ranker(papers).round([request])
    others = np.array([column for key, column in round_.corpus.column.items() if key not in judged], dtype=np.intp)
    replay = _Replay(round_, request, judgements, others)
    return OwnLikes(
        subscriber=subscriber, papers=len(others), topics=tuple(replay.topic(topic) for topic in subscriber.topics)
    )


class _Replay:
    def __init__(
        self, round_: Round, request: RankRequest, judgements: Sequence[Judgement], others: np.ndarray
    ) -> None:
        self._round, self._request = round_, request
        self._judgements, self._others = judgements, others

    def topic(self, topic: Topic) -> TopicLikes:
        """Hold back each like of a topic in turn."""
        own = [one for one in self._judgements if one.topic in (None, topic.name)]
        likes = list(dict.fromkeys(one.paper_id for one in own if one.liked))
        tried = likes[-AT_MOST:]
        found = TopicLikes(
            topic=topic,
            likes=len(likes),
            dislikes=len({one.paper_id for one in own if not one.liked}),
            tried=len(tried),
            note=_note(len(likes), len(self._others)),
        )
        if not tried or not len(self._others):
            return found
        plain = self._ranks(topic, tried, ()) if topic.query.strip() else None
        taught = self._ranks(topic, tried, own) if len(likes) > 1 else None
        return TopicLikes(
            topic=topic,
            likes=found.likes,
            dislikes=found.dislikes,
            tried=found.tried,
            keywords=standing(list(plain.values()), len(self._others)) if plain else None,
            learned=standing(list(taught.values()), len(self._others)) if taught else None,
            compared=compare(_reciprocal(taught), _reciprocal(plain)) if plain and taught else None,
            note=found.note,
        )

    def _ranks(self, topic: Topic, held_back: Iterable[PaperId], judged: Sequence[Judgement]) -> dict[str, float]:
        """Return the rank of each like by keywords and what is learned from the others."""
        return {str(like): self._rank(topic, like, judged) for like in held_back}

    def _rank(self, topic: Topic, like: PaperId, judged: Sequence[Judgement]) -> float:
        known = tuple(one for one in judged if one.paper_id != like)
        request = RankRequest(
            subscriber=self._request.subscriber,
            edition=self._request.edition,
            since=self._request.since,
            new_since=self._request.new_since,
            judgements=known,
            kept=frozenset((topic.name,)),
        )
        _, _, raw = self._round.raw(topic, request)
        return rank_among(float(raw[self._round.corpus.column[like]]), raw[self._others])


def _reciprocal(ranks: dict[str, float]) -> dict[str, float]:
    return {like: 1 / rank for like, rank in ranks.items()}


def _newest(store: Store) -> list[StoredPaper]:
    """Return the newest papers of the archive, authors and all."""
    reference = archive.reference(store.database, REFERENCE)
    if not reference:
        return []
    wanted = {stored.paper.id for stored in reference}
    oldest = min(stored.first_seen_at for stored in reference)
    return [stored for stored in store.papers_first_seen(oldest) if stored.paper.id in wanted]


def _papers(judgements: Iterable[Judgement]) -> list[StoredPaper]:
    return [
        StoredPaper(paper=Paper(id=one.paper_id, title=one.title, abstract=one.abstract), first_seen_at=one.judged_at)
        for one in judgements
    ]


def _note(likes: int, others: int) -> str | None:
    if not others:
        return "there are no papers to rank among; run `paperdigest fetch` first"
    if likes == 0:
        return "no likes yet"
    if likes == 1:
        return "one like: there is no other to learn from"
    if likes < ENOUGH:
        return f"only {likes} likes: the figures may be chance"
    return None
