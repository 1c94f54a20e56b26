"""Is what was learned any good? Each past like is held back and ranked among the archive, without and with learning.

Learning is kept only when it ranks the reader's own likes better than their keywords alone do.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from paperdigest.ranking.learning import Learned, Profile
from paperdigest.ranking.spaces import Background, Texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Replay", "blend", "replay"]

MAX_HELD_BACK = 50
"""The newest likes that are held back: more would say the same and take longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """How well held-back likes rank ``before`` and ``after`` learning: mean of ``1 / log2(1 + rank)``, in (0, 1].

    ``held_back`` is how many likes were tried; 0 (then both are 0) when there was nothing to compare: fewer than
    two likes, or no archive. Learning is then ``kept``: its weight is small (1/6 for one like), and a reader who
    has just begun to teach sees that it works.
    """

    before: float
    after: float
    kept: bool
    held_back: int


def blend(keywords: Floats, learned: Learned) -> Floats:
    """Return a topic's raw scores with what was learned: ``keywords + weight * learned``, shape (papers,)."""
    blended: Floats = keywords + learned.weight * learned.score
    return blended


def replay(
    background: Background,
    likes: Texts,
    dislikes: Texts,
    *,
    keywords_of_likes: Floats,
    keywords_of_reference: Floats,
    judged: Collection[int] = (),
) -> Replay:
    """Hold back each like in turn (of more than `MAX_HELD_BACK` the last ones) and rank it by the others.

    The direction is left out: it is fitted to the very papers that the like is ranked among.

    A topic of examples alone has no keywords to compare with: learning is all it has, and is kept.

    Args:
        background: the reference archive, among which a held-back like is ranked.
        likes: oldest first; only when there are very many does the order play a part.
        dislikes: used in full each time.
        keywords_of_likes: the topic's raw keyword scores of the likes, shape (likes,).
        keywords_of_reference: those of the reference papers, shape (reference,).
        judged: rows of the reference that are likes or dislikes themselves; nothing is ranked among them.
    """
    rivals = np.setdiff1d(np.arange(len(background.texts)), np.fromiter(judged, dtype=np.intp))
    if len(likes) < 2 or not len(rivals):
        return Replay(before=0.0, after=0.0, kept=True, held_back=0)
    tried = range(max(0, len(likes) - MAX_HELD_BACK), len(likes))
    before, after = [], []
    for row in tried:
        others = likes.take([other for other in range(len(likes)) if other != row])
        profile = Profile.of(background, others, dislikes, with_direction=False)
        own = blend(keywords_of_likes[[row]], profile.score(likes.take([row])))
        others_scores = blend(keywords_of_reference, profile.score(background.texts))
        before.append(_gain(float(keywords_of_likes[row]), keywords_of_reference[rivals]))
        after.append(_gain(float(own[0]), others_scores[rivals]))
    without, with_ = math.fsum(before) / len(before), math.fsum(after) / len(after)
    has_keywords = bool(np.any(keywords_of_reference)) or bool(np.any(keywords_of_likes))
    return Replay(before=without, after=with_, kept=with_ > without or not has_keywords, held_back=len(tried))


def _gain(own: float, rivals: Floats) -> float:
    """Return ``1 / log2(1 + rank)``; of equals, half stand before."""
    rank = 1 + np.count_nonzero(rivals > own) + np.count_nonzero(rivals == own) / 2
    return 1 / math.log2(1 + rank)
