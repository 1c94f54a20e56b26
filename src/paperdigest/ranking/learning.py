"""Learning from likes and dislikes: how near a paper is to what a reader liked, on the scale of the archive.

A reader's profile has up to three parts. Each scores a paper ``x``, all rows being of length 1::

    words      x . m,  m = mean(likes) - 0.25 * mean(dislikes)                      in TF-IDF space
    meaning    the same                                                             in the model's space
    direction  x . (cov + 0.03 I)^-1 (m - mean(archive))                            in TF-IDF space

(in the last, dislikes are taken from the archive's mean too). ``direction``, Fisher's linear discriminant, tells the
likes from the rest of the archive; it joins from ten likes on, with fewer it is worse than none. Each part becomes
a z-score over the reference archive, which makes parts and days comparable, and the learned score of ``k`` likes is
their weighted mean::

    (k^2 / (k^2 + 1.5) * words + meaning + direction) / (the sum of these weights)

because the words of a single like say little. Without a model there is no ``meaning``. A part that knows nothing of
a paper counts 0 for it, as for an ordinary one. The score enters a topic with `weight_of`.

Dislikes without any like only push down: a part above 0 then counts 0.

Likenesses are sums of whole numbers below 2**53 (see `spaces`), hence exact: the order of likes, of papers and
of the archive changes nothing, and neither does the company in which a paper is scored.

Source: J. J. Rocchio, "Relevance feedback in information retrieval" (1971); R. A. Fisher, "The use of multiple
measurements in taxonomic problems" (1936). Which parts, and how much each counts, was measured on systematic
reviews with 1 to 20 likes: see docs/explanation/learning.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from paperdigest.ranking.spaces import WORD_GRID, Background, Texts
from paperdigest.ranking.vectors import GRID

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

    from paperdigest.ranking.spaces import Rows

    Floats: TypeAlias = NDArray[np.float64]

__all__ = ["Learned", "Profile", "nearest", "weight_of"]

DISLIKED = 0.25
"""What the mean of the dislikes counts against that of the likes."""

HALF_LEARNED = 5
"""The number of likes at which learning counts half of what it can."""

LIKES_FOR_DIRECTION = 10

FEW = 1.5
"""The square of the number of likes at which their words count half of what those of many do."""

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
    weight: float = 1.0

    def scores(self, texts: Texts) -> tuple[Floats, Floats]:
        """Return what likes and dislikes add to each paper's z-score, 0 where nothing is known of a paper.

        Without any like, dislikes only push down.
        """
        rows = texts.rows(self.name)
        pro, against = np.zeros(len(texts)), np.zeros(len(texts))
        if rows is None:
            return pro, against
        if self.liked is not None:
            pro = self.liked.likeness(rows) / self.spread
        if self.disliked is not None:
            against = -self.disliked.likeness(rows) / self.spread
            against = against if self.liked is not None else np.minimum(against, 0.0)
        known = texts.is_known(self.name)
        return np.where(known, pro, 0.0), np.where(known, against, 0.0)


@dataclass(frozen=True, slots=True)
class Learned:
    """What a profile says of some papers; all arrays have the shape (papers,) and hold z-scores, never NaN.

    ``score`` is the sum of ``parts`` (``words``, ``meaning``, ``direction``: each one's share in the mean), and
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
    def of(cls, background: Background, likes: Texts, dislikes: Texts, *, with_direction: bool = True) -> Self:
        """Learn from judged papers; without any, or from unknown words alone, the profile scores 0 everywhere."""
        judged = len(likes) or len(dislikes)
        weights = {"words": judged**2 / (judged**2 + FEW) if judged else 0.0, "meaning": 1.0}
        if with_direction and len(likes) >= LIKES_FOR_DIRECTION:
            weights["direction"] = 1.0
        parts = (_part(name, weight, background, likes, dislikes) for name, weight in weights.items())
        return cls(tuple(part for part in parts if part is not None), weight_of(len(likes), len(dislikes)))

    def score(self, texts: Texts) -> Learned:
        """Score papers, each by itself; linear in their words and in the dimensions of their vectors."""
        whole = sum(part.weight for part in self.parts)
        liked, disliked = np.zeros(len(texts)), np.zeros(len(texts))
        parts = {}
        for part in self.parts:
            pro, against = (side * (part.weight / whole) for side in part.scores(texts))
            liked, disliked = liked + pro, disliked + against
            parts[part.name] = pro + against
        return Learned(
            score=liked + disliked,
            parts=parts,
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


def _part(name: str, weight: float, background: Background, likes: Texts, dislikes: Texts) -> Part | None:
    """Compare with the judged papers, and put the outcome on the scale of the archive."""
    if name == "direction":
        liked, disliked = _direction(background, likes, dislikes)
    else:
        liked, disliked = _side(name, likes, 1.0), _side(name, dislikes, DISLIKED)
    if liked is None and disliked is None:
        return None
    reference = background.known(name)
    sides = [_likeness(side, reference) for side in (liked, disliked)]
    liked, disliked = (_centred(side, found) for side, found in zip((liked, disliked), sides, strict=True))
    return Part(name, liked, disliked, _spread(sides[0] - sides[1]), weight)


def _side(name: str, judged: Texts, factor: float) -> Side | None:
    """Add up the judged papers of which anything is known; None when there is none."""
    rows = judged.rows(name)
    count = int(np.count_nonzero(judged.is_known(name)))
    if rows is None or not count:
        return None
    grid = WORD_GRID if name == "words" else GRID
    return Side(np.asarray(rows.sum(axis=0), dtype=np.float64), factor / count / grid**2)


def _direction(background: Background, likes: Texts, dislikes: Texts) -> tuple[Side | None, Side | None]:
    """Return the directions away from the archive's mean to the likes and to the dislikes, the first of length 1."""
    ways = [
        background.direction(mean - background.mean) for mean in map(_mean_row, (likes, dislikes)) if mean is not None
    ]
    if _mean_row(likes) is None:
        return None, None
    lengths = [math.sqrt(math.fsum((way * way).tolist())) for way in ways]
    if not lengths[0] > 0:
        return None, None
    sides = [
        Side(np.rint(way / (length or 1) * WORD_GRID), length / lengths[0] / WORD_GRID**2)
        for way, length in zip(ways, lengths, strict=True)
    ]
    disliked = Side(sides[1].total, sides[1].factor * DISLIKED) if len(sides) > 1 else None
    return sides[0], disliked


def _mean_row(judged: Texts) -> Floats | None:
    """Return the mean row of words of judged papers in units of one, None when they have no known word."""
    total = np.asarray(judged.words.sum(axis=0), dtype=np.float64)
    return total / (len(judged) * WORD_GRID) if total.any() else None


def _centred(side: Side | None, found: Floats) -> Side | None:
    return None if side is None else Side(side.total, side.factor, _mean(found))


def _likeness(side: Side | None, reference: Rows | None) -> Floats:
    """Return the likeness of the reference papers, shape (papers,): 0 to nobody, and no papers without a model."""
    if reference is None:
        return np.zeros(0)
    return np.zeros(int(reference.shape[0])) if side is None else side.likeness(reference)


def _mean(values: Floats) -> float:
    """Return the mean, rounded once, so that the order of the values plays no part; 0 of none."""
    return math.fsum(values.tolist()) / len(values) if len(values) else 0.0


def _spread(values: Floats) -> float:
    """Return the standard deviation over the archive, held up by the prior: never 0."""
    mean = _mean(values)
    squares = math.fsum(((values - mean) ** 2).tolist())
    return math.sqrt((squares + PRIOR_PAPERS * PRIOR_SPREAD**2) / (len(values) + PRIOR_PAPERS))
