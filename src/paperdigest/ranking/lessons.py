"""What one reader's likes and dislikes teach about one topic: the numbers, whether they are kept, and the words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from paperdigest.protocols import Encoder
from paperdigest.query.text import prepare
from paperdigest.ranking.archive import Archive
from paperdigest.ranking.batch import Batch
from paperdigest.ranking.corpus import Corpus
from paperdigest.ranking.learned_words import learned_reasons, what_changed
from paperdigest.ranking.learning import Learned, Profile, nearest
from paperdigest.ranking.replaying import Replay, replay
from paperdigest.ranking.spaces import Background, Texts, WordSpace
from paperdigest.ranking.vectors import on_grid
from paperdigest.types import Judgement, Paper, Reason, StoredPaper, Topic, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Learner", "Lesson"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What was learned for one topic: ``scores`` add to the topic's raw scores, shape (papers,); 0 if not kept.

    ``verdict`` says how well held-back likes rank before and after, None when the caller knew whether to keep it;
    ``notes`` say what there is more and less of, or that nothing changes.
    """

    scores: NDArray[np.float64]
    kept: bool
    verdict: Verdict | None
    notes: tuple[str, ...]
    _learned: Learned
    _likes: tuple[Judgement, ...]
    _dislikes: tuple[Judgement, ...]
    _nearest_like: NDArray[np.intp]
    _nearest_dislike: NDArray[np.intp]
    _factor: float

    def reasons(self, column: int) -> tuple[Reason, ...]:
        """Return the reasons whose contributions add up to ``scores[column]``."""
        if not self.kept:
            return ()
        like, dislike = int(self._nearest_like[column]), int(self._nearest_dislike[column])
        found = learned_reasons(
            self._learned,
            column,
            self._likes[like] if like >= 0 else None,
            self._dislikes[dislike] if dislike >= 0 else None,
        )
        return tuple(
            Reason(text=one.text, keyword=one.keyword, contribution=one.contribution * self._factor) for one in found
        )


class Learner:
    """Learns from judgements against an archive; what it needs is made when the first reader has judged anything."""

    def __init__(self, corpus: Corpus, archive: Archive, encoder: Encoder | None) -> None:
        self._corpus, self._archive, self._encoder = corpus, archive, encoder

    def lesson(self, topic: Topic, judged: Sequence[Judgement], *, kept: bool | None = None) -> Lesson:
        """Learn from judgements (at least one).

        Args:
            topic: its query is what learning must beat; without one, what was learned is all there is, in full.
            judged: likes and dislikes.
            kept: whether an earlier replay of the same judgements kept them; None to replay now.
        """
        likes = tuple(one for one in judged if one.liked)
        dislikes = tuple(one for one in judged if not one.liked)
        pro, against = self._texts(likes), self._texts(dislikes)
        learned = Profile.of(self._background, pro, against).score(self._candidates)
        verdict = self._verdict(topic, judged, likes, pro, against) if kept is None else None
        is_kept = verdict.kept if verdict is not None else kept is True
        factor = 1.0 if topic.query.strip() or not learned.weight else 1 / learned.weight
        return Lesson(
            scores=learned.score * (learned.weight * factor) if is_kept else np.zeros(len(self._corpus)),
            kept=is_kept,
            verdict=verdict,
            notes=self._notes(topic, likes, pro, dislikes, against) if is_kept else (_changes_nothing(topic),),
            _learned=learned,
            _likes=likes,
            _dislikes=dislikes,
            _nearest_like=nearest(self._candidates, pro),
            _nearest_dislike=nearest(self._candidates, against),
            _factor=factor,
        )

    def _verdict(
        self, topic: Topic, judged: Sequence[Judgement], likes: Sequence[Judgement], pro: Texts, against: Texts
    ) -> Verdict:
        """Try what was learned; a topic of examples alone has nothing to compare it with, and keeps it."""
        tried = self._replay(topic, likes, pro, against) if topic.query.strip() else None
        return Verdict(
            topic=topic.name,
            judgements=len(judged),
            kept=tried is None or tried.kept,
            before=tried.before if tried else 0.0,
            after=tried.after if tried else 0.0,
        )

    def _replay(self, topic: Topic, likes: Sequence[Judgement], pro: Texts, against: Texts) -> Replay:
        """Replay the likes among the archive's papers, scored by the topic's keywords."""
        reference = self._archive.reference
        judged = [_paper(one) for one in likes]
        own = Batch([topic], Corpus(judged, self._encoder), self._archive, self._encoder)
        others = Batch([topic], reference, self._archive, self._encoder)
        of_likes = own.ordinary(own.plan(topic.query))
        of_reference = others.ordinary(others.plan(topic.query))
        return replay(
            self._background,
            pro,
            against,
            keywords_of_likes=_finite(of_likes)[[own.corpus.column[one.paper.id] for one in judged]],
            keywords_of_reference=_finite(of_reference),
            judged=[reference.column[one.paper.id] for one in judged if one.paper.id in reference.column],
        )

    def _notes(
        self, topic: Topic, likes: Sequence[Judgement], pro: Texts, dislikes: Sequence[Judgement], against: Texts
    ) -> tuple[str, ...]:
        known = self._known_stems(topic)
        said = (
            what_changed(self._space, texts, judged, known) if judged else None
            for texts, judged in ((pro, likes), (against, dislikes))
        )
        return tuple(f"{topic.name}: {sentence}" for sentence in said if sentence)

    def _known_stems(self, topic: Topic) -> frozenset[str]:
        return frozenset(prepare(topic.query, None).title)

    def _texts(self, judged: Sequence[Judgement]) -> Texts:
        papers = [_paper(one).paper for one in judged]
        vectors = None
        if self._encoder is not None:
            texts = [paper.text for paper in papers]
            vectors = on_grid(self._encoder.encode(texts) if texts else np.zeros((0, self._encoder.dimensions)))
        return self._space.texts((prepare(paper.title, paper.abstract) for paper in papers), vectors)

    @cached_property
    def _space(self) -> WordSpace:
        return WordSpace(self._archive.statistics)

    @cached_property
    def _background(self) -> Background:
        return Background(self._space.texts(self._archive.reference.stems, self._archive.reference.vectors))

    @cached_property
    def _candidates(self) -> Texts:
        return self._space.texts(self._corpus.stems, self._corpus.vectors)


def _changes_nothing(topic: Topic) -> str:
    return f"{topic.name}: your likes change nothing yet, because by them your own past likes would rank no better"


def _paper(judgement: Judgement) -> StoredPaper:
    paper = Paper(id=judgement.paper_id, title=judgement.title, abstract=judgement.abstract)
    return StoredPaper(paper=paper, first_seen_at=judgement.judged_at)


def _finite(raw: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return scores with a number for "nothing said": below every other that there is."""
    found = raw.astype(np.float64)
    said = np.isfinite(found)
    return np.where(said, found, min(found[said].min(initial=0.0), 0.0) - 1.0)
