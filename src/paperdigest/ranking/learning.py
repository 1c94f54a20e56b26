"""Learning from likes and dislikes: how near a paper is to what a reader liked, on the scale of the archive.

A reader's profile has up to three parts. Each scores a paper ``x``, all vectors being of length 1::

    words      mean over likes of x . like  -  0.25 * mean over dislikes of x . dislike     in TF-IDF space
    meaning    the same                                                                     in the model's space
    direction  x . w,  w = (cov + a I)^-1 (mean(likes) - mean(archive)),  a = trace(cov) / dimensions

``direction`` (Fisher's linear discriminant, one inverse for all readers) joins from ten likes on: with fewer
it is worse than none. Each part becomes a z-score over the reference archive, which makes parts and days
comparable, and the learned score is the mean of the profile's parts: without a model ``words`` alone. A part that
knows nothing of a paper counts 0 for it, as for an ordinary one. The score enters a topic with `weight_of`.

Dislikes without any like only push down: a part above 0 then counts 0.

Everything is a sum of whole numbers below 2**53 (see `spaces`), hence exact: the order of likes, of papers and
of the archive changes nothing, and neither does the company in which a paper is scored.

Source: J. J. Rocchio, "Relevance feedback in information retrieval" (1971); R. A. Fisher, "The use of multiple
measurements in taxonomic problems" (1936).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import sparse

from paperdigest.ranking.spaces import WORD_GRID, Background, Texts, known_rows
from paperdigest.ranking.vectors import GRID, on_grid

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Rows: TypeAlias = sparse.csr_array | Floats

__all__ = ["Learned", "Profile", "nearest", "weight_of"]

DISLIKED = 0.25
"""What the mean of the dislikes counts against that of the likes."""

HALF_LEARNED = 5
"""The number of likes at which learning counts half of what it can."""

LIKES_FOR_DIRECTION = 10

PRIOR_PAPERS, PRIOR_SPREAD = 10, 0.05
"""The archive's spread is taken together with this many papers of this one: an archive of two says little."""


def weight_of(likes: int, dislikes: int = 0) -> float:
    """Return what the learned score counts beside the keywords: ``k / (k + 5)``, in [0, 1).

    ``k`` is the number of likes; without any like, a dislike counts a quarter of one.
    """
    counted = float(likes) if likes else DISLIKED * dislikes
    return counted / (counted + HALF_LEARNED)


@dataclass(frozen=True, slots=True)
class Side:
    """What papers are compared with: the sum of some likes (or dislikes), and the archive's mean likeness to it.

    A paper's likeness is ``factor * (x . total)``; ``total`` holds whole numbers, shape (columns,).
    """

    total: Floats
    factor: float
    mean: float = 0.0

    def likeness(self, rows: Rows) -> Floats:
        """Return how much liker (in cosines) than the archive's mean each paper is, shape (papers,)."""
        found: Floats = (rows @ self.total) * self.factor - self.mean
        return found


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a profile: ``z(x) = (likeness to the likes - likeness to the dislikes) / spread``."""

    name: str
    liked: Side | None
    disliked: Side | None
    spread: float

    def scores(self, texts: Texts) -> tuple[Floats, Floats]:
        """Return what likes and dislikes add to each paper's z-score, 0 where nothing is known of a paper.

        Without any like, dislikes only push down.
        """
        rows = _rows(self.name, texts)
        pro, against = np.zeros(len(texts)), np.zeros(len(texts))
        if rows is None:
            return pro, against
        if self.liked is not None:
            pro = self.liked.likeness(rows) / self.spread
        if self.disliked is not None:
            against = -self.disliked.likeness(rows) / self.spread
            against = against if self.liked is not None else np.minimum(against, 0.0)
        known = _is_known(self.name, texts)
        return np.where(known, pro, 0.0), np.where(known, against, 0.0)


@dataclass(frozen=True, slots=True)
class Learned:
    """What a profile says of some papers; all arrays have the shape (papers,) and hold z-scores, never NaN.

    ``score`` is the sum of ``parts`` (``words``, ``meaning``, ``direction``: each part's share in the mean), and
    likewise ``liked + disliked``: what likes and what dislikes add. ``weight`` is that of `weight_of`: a topic's
    raw score becomes ``keywords + weight * score``.
    """

    score: Floats
    parts: Mapping[str, Floats]
    liked: Floats
    disliked: Floats
    weight: float


@dataclass(frozen=True, slots=True)
class Profile:
    """What one reader likes, for one topic: made from their judgements once, then asked for any papers."""

    parts: tuple[Part, ...]
    weight: float

    @classmethod
    def of(cls, background: Background, likes: Texts, dislikes: Texts) -> Self:
        """Learn from judged papers; without any, or from unknown words alone, the profile scores 0 everywhere."""
        wanted = ("words", "meaning", "direction") if len(likes) >= LIKES_FOR_DIRECTION else ("words", "meaning")
        parts = (_part(name, background, likes, dislikes) for name in wanted)
        return cls(tuple(part for part in parts if part is not None), weight_of(len(likes), len(dislikes)))

    def score(self, texts: Texts) -> Learned:
        """Score papers, each by itself; linear in their words and in the dimensions of their vectors."""
        both = {part.name: part.scores(texts) for part in self.parts}
        share = 1 / max(len(self.parts), 1)
        liked, disliked = np.zeros(len(texts)), np.zeros(len(texts))
        for pro, against in both.values():
            liked, disliked = liked + pro * share, disliked + against * share
        return Learned(
            score=liked + disliked,
            parts={name: (pro + against) * share for name, (pro, against) in both.items()},
            liked=liked,
            disliked=disliked,
            weight=self.weight,
        )


def nearest(texts: Texts, judged: Texts) -> NDArray[np.intp]:
    """Return for each paper the judged one nearest to it (of equally near ones the first), shape (papers,); else -1.

    Near is the mean of the cosines of words and of vectors; 0 in both is not near at all.
    """
    if not len(judged):
        return np.full(len(texts), -1, dtype=np.intp)
    near: Floats = (texts.words @ judged.words.T).toarray() / WORD_GRID**2
    if texts.vectors is not None and judged.vectors is not None:
        near = near + texts.vectors @ judged.vectors.T / GRID**2
    best = near.argmax(axis=1)
    return np.where(near.max(axis=1) > 0, best, -1)


def _part(name: str, background: Background, likes: Texts, dislikes: Texts) -> Part | None:
    """Compare with the judged papers, and put the outcome on the scale of the archive."""
    if name == "direction":
        liked, disliked = _direction(background, likes), None
    else:
        liked, disliked = _side(name, likes, 1.0), _side(name, dislikes, DISLIKED)
    if liked is None and disliked is None:
        return None
    reference = _rows(name, background.texts)
    plain = np.zeros(0)
    if reference is not None:
        reference = reference[np.flatnonzero(_is_known(name, background.texts))]
        sides = [side.likeness(reference) if side else np.zeros(reference.shape[0]) for side in (liked, disliked)]
        liked, disliked = (_centred(side, found) for side, found in zip((liked, disliked), sides, strict=True))
        plain = sides[0] - sides[1]
    return Part(name, liked, disliked, _spread(plain))


def _side(name: str, judged: Texts, factor: float) -> Side | None:
    """Add up the judged papers of which anything is known; None when there is none."""
    rows = _rows(name, judged)
    count = int(np.count_nonzero(_is_known(name, judged)))
    if rows is None or not count:
        return None
    grid = WORD_GRID if name == "words" else GRID
    return Side(np.asarray(rows.sum(axis=0), dtype=np.float64), factor / count / grid**2)


def _direction(background: Background, likes: Texts) -> Side | None:
    """Return the direction that tells the likes from the archive best (Fisher), with their spread taken as equal."""
    known = known_rows(likes.vectors)
    if known is None or len(known) < LIKES_FOR_DIRECTION or background.inverse is None or background.mean is None:
        return None
    away = background.inverse @ (known.sum(axis=0) / len(known) - background.mean)
    return Side(on_grid(away[None])[0].astype(np.float64), 1 / GRID**2)


def _centred(side: Side | None, found: Floats) -> Side | None:
    return None if side is None else Side(side.total, side.factor, _mean(found))


def _mean(values: Floats) -> float:
    """Return the mean, rounded once, so that the order of the values plays no part; 0 of none."""
    return math.fsum(values.tolist()) / len(values) if len(values) else 0.0


def _spread(values: Floats) -> float:
    """Return the standard deviation over the archive, held up by the prior: never 0."""
    mean = _mean(values)
    squares = math.fsum(((values - mean) ** 2).tolist())
    return math.sqrt((squares + PRIOR_PAPERS * PRIOR_SPREAD**2) / (len(values) + PRIOR_PAPERS))


def _rows(name: str, texts: Texts) -> Rows | None:
    return texts.words if name == "words" else texts.vectors


def _is_known(name: str, texts: Texts) -> NDArray[np.bool_]:
    """Say of which papers a part knows anything: a paper without known words is known to be like nothing."""
    if name == "words":
        return np.ones(len(texts), dtype=np.bool_)
    return np.zeros(len(texts), dtype=np.bool_) if texts.vectors is None else np.any(texts.vectors, axis=1)
