"""From a collection to tasks: which papers are ranked for which question, and how good each of them is.

==============  ======================  ================================================================================
kind            recognised by           protocol
==============  ======================  ================================================================================
keywords        (none of the others)    each question's text is one keyword; all papers are ranked
subscribers     ``keywords``            each subscriber's keywords are one topic; the papers, shuffled, come in days
likes           ``candidates_prefix``   some relevant papers of a shuffled first half are liked, the second is ranked
one like        ``liked``               the judged papers are ranked; all the others are the archive
==============  ======================  ================================================================================

All shuffling is by ``numpy.random.RandomState(seed)``, whose numbers are frozen: the same tasks on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from paperdigest.evaluation.collections import Collection, Query
from paperdigest.evaluation.systems import Examples

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Kind", "Question", "Setup", "Task", "alert_questions", "kind_of", "questions"]

LEAST_RELEVANT_AHEAD = 3
"""A draw is left out when fewer relevant papers are to come: its figure would be an accident."""


class Kind(StrEnum):
    """The protocols; see the module."""

    KEYWORDS = "keywords"
    SUBSCRIBERS = "subscribers"
    LIKES = "likes"
    ONE_LIKE = "one like"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How tasks are made: likes and dislikes to draw, the seeds of the draws, and days of how many papers.

    ``by_likes`` measures collections of keywords by likes too, with all their papers as candidates.
    """

    likes: int = 5
    dislikes: int = 0
    by_likes: bool = False
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    day: int = 200
    day_seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One ranking to be measured: of the papers in ``columns``, whose ``grades`` stand beside them.

    ``id`` names it in run files; ``unseen`` are the grades of judged papers that nobody can find.
    """

    id: str
    columns: NDArray[np.intp]
    grades: NDArray[np.int64]
    unseen: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a system is asked at once: a topic, or examples; its scores are used for all of the ``tasks``.

    ``pool`` are the papers it is asked about, as places in the collection; columns are places in the pool.
    """

    query: str
    pool: NDArray[np.intp]
    topic: tuple[str, ...] = ()
    examples: Examples | None = None
    tasks: tuple[Task, ...]


def kind_of(collection: Collection, setup: Setup) -> Kind:
    """Return the protocol by which a collection is measured."""
    if all(query.keywords for query in collection.queries):
        return Kind.SUBSCRIBERS
    if all(query.candidates_prefix is not None for query in collection.queries):
        return Kind.LIKES
    if all(query.liked for query in collection.queries):
        return Kind.ONE_LIKE
    return Kind.LIKES if setup.by_likes else Kind.KEYWORDS


def questions(collection: Collection, setup: Setup) -> Iterator[Question]:
    """Yield the questions of a collection, those of one pool together; without tasks that have nothing to find."""
    make = {
        Kind.KEYWORDS: _keywords,
        Kind.SUBSCRIBERS: _subscribers,
        Kind.LIKES: _likes,
        Kind.ONE_LIKE: _one_like,
    }[kind_of(collection, setup)]
    index = _Index(collection)
    for query in collection.queries:
        if query.id in collection.judgements:
            yield from make(index, query, setup)


def alert_questions(collection: Collection, sizes: Sequence[int], seeds: Sequence[int]) -> Iterator[Question]:
    """Yield questions of keywords over days of so many papers each; tasks are named ``query/size/seed/day``."""
    index = _Index(collection)
    cut = {
        f"{size}/{seed}/{number}": day
        for size in sizes
        for seed in seeds
        for number, day in enumerate(_days(index, size, seed))
    }
    for query in collection.queries:
        if query.id in collection.judgements:
            yield from index.question(query, (query.text,), cut)


class _Index:
    """Where the papers of a collection stand, and their grades."""

    def __init__(self, collection: Collection) -> None:
        self.ids = [document.id for document in collection.documents]
        self.place = {name: place for place, name in enumerate(self.ids)}
        self.all = np.arange(len(self.ids), dtype=np.intp)
        self._judgements = collection.judgements

    def judged(self, query: Query) -> Mapping[str, int]:
        return self._judgements.get(query.id, {})

    def grades(self, query: Query) -> NDArray[np.int64]:
        """Return the grades of all papers, 0 for those without a judgement."""
        found = np.zeros(len(self.ids), dtype=np.int64)
        for name, grade in self.judged(query).items():
            if name in self.place:
                found[self.place[name]] = grade
        return found

    def question(
        self,
        query: Query,
        topic: tuple[str, ...],
        parts: Mapping[str, NDArray[np.intp]],
        unseen: tuple[int, ...] = (),
    ) -> Iterator[Question]:
        """Yield a question about all papers, with a task for each part that holds a relevant one."""
        grades = self.grades(query)
        tasks = tuple(
            Task(id=f"{query.id}/{name}" if name else query.id, columns=part, grades=grades[part], unseen=unseen)
            for name, part in parts.items()
            if (grades[part] > 0).any() or any(grade > 0 for grade in unseen)
        )
        if tasks:
            yield Question(query=query.id, pool=self.all, topic=topic, tasks=tasks)


def _keywords(index: _Index, query: Query, _setup: Setup) -> Iterator[Question]:
    unseen = tuple(grade for name, grade in index.judged(query).items() if name not in index.place)
    yield from index.question(query, (query.text,), {"": index.all}, unseen)


def _subscribers(index: _Index, query: Query, setup: Setup) -> Iterator[Question]:
    days = {str(number): day for number, day in enumerate(_days(index, setup.day, setup.day_seed))}
    yield from index.question(query, query.keywords, days)


def _days(index: _Index, size: int, seed: int) -> list[NDArray[np.intp]]:
    shuffled = np.random.RandomState(seed).permutation(len(index.ids)).astype(np.intp)
    return [shuffled[start : start + size] for start in range(0, len(shuffled), size)]


def _likes(index: _Index, query: Query, setup: Setup) -> Iterator[Question]:
    prefix = query.candidates_prefix or ""
    pool = np.array([place for place, name in enumerate(index.ids) if name.startswith(prefix)], dtype=np.intp)
    grades = index.grades(query)[pool]
    for seed in setup.seeds:
        examples = _draw(grades, setup, seed)
        if examples is None:
            continue
        task = Task(id=f"{query.id}/{seed}", columns=examples.candidates, grades=grades[examples.candidates])
        yield Question(query=query.id, pool=pool, examples=examples, tasks=(task,))


def _draw(grades: NDArray[np.int64], setup: Setup, seed: int) -> Examples | None:
    """Draw likes from the relevant papers of the first half, dislikes from the others; None when there are too few."""
    lot = np.random.RandomState(seed)
    shuffled = lot.permutation(len(grades)).astype(np.intp)
    past, future = shuffled[: len(shuffled) // 2], shuffled[len(shuffled) // 2 :]
    relevant, others = past[grades[past] > 0], past[grades[past] <= 0]
    ahead = np.count_nonzero(grades[future] > 0)
    if ahead < LEAST_RELEVANT_AHEAD or len(relevant) < setup.likes or len(others) < setup.dislikes:
        return None
    liked = lot.choice(relevant, setup.likes, replace=False)
    disliked = lot.choice(others, setup.dislikes, replace=False)
    archive = past[~np.isin(past, np.concatenate([liked, disliked]))]
    return Examples(liked=liked, disliked=disliked, archive=archive, candidates=future)


def _one_like(index: _Index, query: Query, _setup: Setup) -> Iterator[Question]:
    liked = [index.place[name] for name in query.liked if name in index.place]
    judged = [index.place[name] for name in index.judged(query) if name in index.place and name not in query.liked]
    grades = index.grades(query)
    if not liked or not (grades[judged] > 0).any():
        return
    candidates = np.array(judged, dtype=np.intp)
    examples = Examples(
        liked=np.array(liked, dtype=np.intp),
        disliked=np.zeros(0, dtype=np.intp),
        archive=np.setdiff1d(index.all, np.concatenate([liked, judged])).astype(np.intp),
        candidates=candidates,
    )
    task = Task(id=query.id, columns=candidates, grades=grades[candidates])
    yield Question(query=query.id, pool=index.all, examples=examples, tasks=(task,))
