"""What was learned, in words: the reasons of a paper, and what changed for a reader."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from paperdigest.query.text import STOP_WORDS, Field
from paperdigest.ranking.learning import Learned
from paperdigest.ranking.spaces import Texts, WordSpace
from paperdigest.types import Judgement, Reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["learned_reasons", "what_changed"]

_TITLE_CHARS = 70
_MAX_RUN = 3
KEYWORD = "likes"
"""What stands in the place of a keyword in the reasons that were learned."""


def learned_reasons(
    learned: Learned, place: int, like: Judgement | None, dislike: Judgement | None = None
) -> tuple[Reason, ...]:
    """Return why the learned score of one paper is what it is; contributions add up to ``weight * score[place]``.

    Args:
        learned: the scores.
        place: the paper's place in them.
        like: the like nearest to it (`learning.nearest`), None when none is near.
        dislike: the same of the dislikes.
    """
    pro = learned.weight * float(learned.liked[place])
    against = learned.weight * float(learned.disliked[place])
    texts = (_of_likes(pro, like), _of_dislikes(against, dislike))
    return tuple(
        Reason(text=text, keyword=KEYWORD, contribution=contribution)
        for text, contribution in zip(texts, (pro, against), strict=True)
        if contribution
    )


def what_changed(space: WordSpace, judged: Texts, said: Sequence[Judgement], known: Collection[str] = ()) -> str | None:
    """Say what a topic sees more (or less) of since these judgements: ``more like X because you liked “Y”``.

    X is up to three neighbouring words of a judged title, chosen for what they weigh in all the judged papers
    together; Y is that title. None when no title has a word that the topic does not name itself.

    Args:
        space: the space of ``judged``.
        judged: the judged papers, one row each.
        said: their judgements, in the same order, all likes or all dislikes.
        known: stems that the topic's query names: saying them would be no news.
    """
    weights = np.asarray(judged.words.sum(axis=0), dtype=np.float64)
    found = [
        (-weight, run.casefold(), judgement.title, run, judgement.liked)
        for judgement in said
        for run, weight in _runs(judgement.title, space, weights, known)
    ]
    if not found:
        return None
    _, _, title, run, liked = min(found)
    more, verb = ("more", "liked") if liked else ("less", "disliked")
    return f"{more} like {run} because you {verb} “{shortened(title)}”"


def shortened(title: str, limit: int = _TITLE_CHARS) -> str:
    """Return a title of at most ``limit`` characters, cut between words where it can be."""
    title = " ".join(title.split())
    if len(title) <= limit:
        return title
    head = title[: limit - 1]
    return (head.rpartition(" ")[0] or head).rstrip(" ,;:-") + "…"


def _of_likes(contribution: float, like: Judgement | None) -> str:
    if contribution > 0 and like is not None:
        return f"like {_named(like)}"
    return "near what you liked" if contribution > 0 else "unlike what you liked"


def _of_dislikes(contribution: float, dislike: Judgement | None) -> str:
    if contribution < 0:
        return f"near {_named(dislike)}, which you disliked" if dislike is not None else "near what you disliked"
    return f"unlike {_named(dislike)}, which you disliked" if dislike is not None else "unlike what you disliked"


def _named(judgement: Judgement) -> str:
    """Return ``2305.17490 (title)``; ids that tell a reader nothing are left out."""
    paper = judgement.paper_id
    title = shortened(judgement.title)
    return f"{paper.local} ({title})" if paper.scheme in ("arxiv", "doi") and title else f"“{title or paper}”"


def _runs(
    title: str, space: WordSpace, weights: NDArray[np.float64], known: Collection[str]
) -> Iterator[tuple[str, float]]:
    """Yield the neighbouring words of a title that may stand for it, each run with its weight."""
    field = Field.of(title)
    words = [field.text[start:end] for start, end in field.places]
    columns = [
        None if word.casefold() in STOP_WORDS else _telling(stem, space)
        for word, stem in zip(words, field.stems, strict=True)
    ]
    for first in range(len(columns)):
        for last in range(first, min(first + _MAX_RUN, len(columns))):
            inside = [column for column in columns[first : last + 1] if column is not None]
            stems = field.stems[first : last + 1]
            if len(inside) < len(stems) or all(stem in known for stem in stems):
                continue
            weight = math.fsum(weights[column] for column in inside) / math.sqrt(len(inside))
            if weight > 0:
                yield field.text[field.places[first][0] : field.places[last][1]], weight


def _telling(stem: str, space: WordSpace) -> int | None:
    """Return the column of a word that more than one paper has: of another there is no more to come."""
    column = space.column.get(stem)
    return column if column is not None and space.frequencies[column] > 1 else None
