"""From keyword scores to a subscriber's order: topics apart, one threshold, shared places, reasons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from paperdigest.protocols import Scorer
from paperdigest.query import parse_query
from paperdigest.ranking.quota import share_places, shares_of
from paperdigest.ranking.scores import KeywordScores, distinct_papers
from paperdigest.types import PaperId, RankedPaper, Reason, StoredPaper, Topic

__all__ = ["HALF", "OTHERS", "rank", "to_unit"]

HALF = 3.0
"""The raw score that becomes 0.5. Among 2,000 abstracts with a librarian's subject terms, two of five pairs
that score as much are relevant, and nine of ten that score 0.73."""

OTHERS = 0.5
"""What a topic's further keywords count, beside its best one."""


@dataclass(frozen=True, slots=True)
class _Match:
    """A paper that qualifies for a topic; ``factors`` scale each keyword's raw score in its sum."""

    stored: StoredPaper
    topic: int
    score: float
    factors: tuple[float, ...]


def to_unit(raw: float) -> float:
    """Map a raw score to [0, 1]: ``raw / (raw + HALF)``.

    Monotone, 0 for 0, 0.5 for `HALF`, and never dependent on the other papers, so that one threshold
    means the same every day.
    """
    return 1 / (1 + HALF / raw) if raw > 0 else 0.0


def rank(
    topics: Sequence[Topic],
    papers: Iterable[StoredPaper],
    *,
    scorer: Scorer,
    limit: int,
    threshold: float = 0.0,
    scores: KeywordScores | None = None,
) -> tuple[RankedPaper, ...]:
    """Choose and order the papers for one subscriber, best first; ties by PaperId.

    Within a topic: ``raw = weight * (best keyword + 0.5 * sum of the others)``, mapped by `to_unit`.
    Topics are ranked apart and share the places by quota (`quota.share_places`). A paper stands once,
    under the topic where it scores best, and its reasons name the others too. The contributions of its
    reasons add up to its raw score. The order of ``papers``, and which others are among them, changes
    no score.

    Args:
        topics: the subscriber's topics.
        papers: the candidates; of several with one id the first counts.
        scorer: scores keywords and explains them.
        limit: how many papers at most; below 1 gives none.
        threshold: the least score in [0, 1] that qualifies; a score of 0 never does.
        scores: the batch's `KeywordScores`, when several subscribers share it; must hold these
            topics' keywords and these papers.

    Raises:
        QueryError: a topic's query cannot be read.
        PluginError: the scorer's answer is unusable.
    """
    candidates = distinct_papers(papers)
    if scores is None:
        scores = KeywordScores.of(topics, candidates, scorer)
    matches = [
        match
        for index, topic in enumerate(topics)
        for match in _matches(index, topic, candidates, scores)
        if match.score > 0 and match.score >= threshold
    ]
    matches.sort(key=lambda match: (-match.score, match.stored.paper.id, match.topic))
    shares = shares_of([topic.quota for topic in topics])
    chosen = share_places([(match.topic, match.stored.paper.id) for match in matches], shares, limit)
    together: dict[PaperId, list[_Match]] = {}
    for match in matches:
        if match.stored.paper.id in chosen:
            together.setdefault(match.stored.paper.id, []).append(match)
    return tuple(_ranked(found, topics, scorer) for found in together.values())


def _matches(index: int, topic: Topic, papers: Sequence[StoredPaper], scores: KeywordScores) -> Iterable[_Match]:
    """Yield the papers with a hit; each is added up by itself, so that rounding is the same in any batch."""
    raw_scores = scores.rows(parse_query(topic.query).keywords, papers)
    hits = np.flatnonzero(np.any(raw_scores, axis=0))
    for place, column in zip(hits.tolist(), raw_scores[:, hits].T.tolist(), strict=True):
        best = column.index(max(column))
        factors = tuple(topic.weight * (1.0 if row == best else OTHERS) for row in range(len(column)))
        raw = sum(factor * score for factor, score in zip(factors, column, strict=True))
        yield _Match(papers[place], index, to_unit(raw), factors)


def _ranked(matches: Sequence[_Match], topics: Sequence[Topic], scorer: Scorer) -> RankedPaper:
    """Put a paper under the best of its matches (they come best first), and say the other topics too."""
    home, *others = matches
    topic = topics[home.topic]
    return RankedPaper(
        stored=home.stored,
        score=home.score,
        topic=topic.name,
        reasons=(
            *_reasons(home, topic, scorer),
            *(_also(topics[match.topic], match) for match in others),
        ),
    )


def _reasons(match: _Match, topic: Topic, scorer: Scorer) -> list[Reason]:
    """Return what decided the score, the weightiest first."""
    scaled = [
        replace(reason, contribution=reason.contribution * factor)
        for keyword, factor in zip(parse_query(topic.query).keywords, match.factors, strict=True)
        for reason in scorer.explain(keyword, match.stored)
    ]
    return sorted(scaled, key=lambda reason: -reason.contribution)


def _also(topic: Topic, match: _Match) -> Reason:
    """Name another topic that the paper matches; it adds nothing to the score it got elsewhere."""
    return Reason(text=f"also matches {topic.name} ({match.score:.2f})", keyword=topic.query, contribution=0.0)
