"""Every number behind one paper's place, also when it has none."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from paperdigest.ranking.round import Round
from paperdigest.types import Placement, RankRequest, Reason, StoredPaper, Topic

__all__ = ["Explanation", "TopicExplanation", "explain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicExplanation:
    """A paper under one topic: ``reasons`` add up to ``raw`` (to within 1e-3), which maps to ``score``.

    ``raw`` is -inf, and ``score`` 0, when the topic says nothing of the paper. ``place`` is its place among all
    candidates by this topic alone, from 1; None when it is no candidate.
    """

    topic: Topic
    raw: float
    score: float
    threshold: float
    place: int | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What becomes of a paper: ``verdict`` in words, ``place`` in the digest from 1 or None."""

    paper: StoredPaper
    place: int | None
    verdict: str
    method: str
    topics: tuple[TopicExplanation, ...]


def explain(scored: Round, request: RankRequest, paper: StoredPaper, *, is_news: bool = True) -> Explanation:
    """Say what a request makes of a paper of the round's corpus; ``is_news`` False: it may not be shown as new.

    Raises:
        QueryError: a topic's query cannot be read.
    """
    topics = tuple(_topics(scored, request, paper))
    ranked = scored.rank(request).ranked
    found = next((one for one in enumerate(ranked, start=1) if one[1].stored.paper.id == paper.paper.id), None)
    if found is not None:
        place, chosen = found
        verdict = _PLACED[chosen.placement].format(place=place, topic=chosen.topic)
        return Explanation(paper=paper, place=place, verdict=verdict, method=scored.method, topics=topics)
    same = scored.near_duplicates(paper)
    twin = next((place for place, one in enumerate(ranked, start=1) if one.stored.paper.id in same), None)
    verdict = _left_out(scored, request, paper, topics, is_news=is_news, twin=twin)
    return Explanation(paper=paper, place=None, verdict=verdict, method=scored.method, topics=topics)


_PLACED = {
    Placement.NEW: "place {place} of the digest, for {topic}",
    Placement.WAITED: "place {place} of the digest, for {topic}: it missed an earlier cut, and today has room",
    Placement.EXPLORED: "place {place} of the digest, for {topic}: it nearly missed the cut and was drawn by lot",
}


def _topics(scored: Round, request: RankRequest, paper: StoredPaper) -> Iterator[TopicExplanation]:
    column = scored.corpus.column[paper.paper.id]
    candidates = scored.candidates(request)
    for topic in request.subscriber.topics:
        plan, lesson, every = scored.raw(topic, request)
        raw = float(every[column])
        better = (candidates & (every > raw)).sum() + (candidates[:column] & (every[:column] == raw)).sum()
        yield TopicExplanation(
            topic=topic,
            raw=raw,
            score=scored.calibration(plan).unit(raw),
            threshold=scored.threshold(topic),
            place=int(better) + 1 if candidates[column] and math.isfinite(raw) else None,
            reasons=scored.reasons(topic, plan, lesson, paper, request) if math.isfinite(raw) else (),
        )


def _left_out(
    scored: Round,
    request: RankRequest,
    paper: StoredPaper,
    topics: tuple[TopicExplanation, ...],
    *,
    is_news: bool,
    twin: int | None,
) -> str:
    """Say why a paper has no place; ``twin`` is the place of one that says nearly the same."""
    column = scored.corpus.column[paper.paper.id]
    if paper.paper.withdrawn:
        return "left out: it was withdrawn"
    if not is_news:
        return "left out: it was only met as the new version of an older paper"
    if paper.paper.id in request.seen:
        return "left out: it was sent to them, or judged by them, before"
    if not scored.candidates(request)[column]:
        days = f"{paper.first_seen_at:%Y-%m-%d}, before the days that count (from {request.since:%Y-%m-%d})"
        return f"left out: first seen on {days}"
    if all(not math.isfinite(one.raw) for one in topics):
        return "left out: no topic says anything of it (no word in common, or a + or - keeps it out)"
    if all(one.score < one.threshold or (one.threshold and one.raw <= 0) for one in topics):
        return "left out: below the least score of every topic"
    if twin is not None:
        return f"left out: it says nearly the same as place {twin}, and steps back; it comes when there is room"
    return "left out: the places went to others; it may come within the days of the queue"
