"""A system, or a run file, measured on a collection."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import IO, TYPE_CHECKING

import numpy as np

from paperdigest.errors import UsageError
from paperdigest.evaluation.collections import Collection
from paperdigest.evaluation.metrics import average_precision, descending_places, ndcg, order, recall
from paperdigest.evaluation.runs import Run, write_run
from paperdigest.evaluation.systems import System
from paperdigest.evaluation.tasks import Kind, Question, Setup, Task, alert_questions, kind_of, questions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = dict[str, float]

__all__ = ["ALERT_SIZES", "DEPTH", "Measured", "measure", "measure_alert", "measure_run"]

DEPTH = 1000
"""How many papers of a ranking are looked at."""

BLOCK_BYTES = 64 * 1024 * 1024
"""What the grades of the questions that are asked at once may take."""

ALERT_SIZES = (100, 200, 500)
ALERT_SEEDS = (0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a ranking came to: ``by_query[measure][query]`` is the mean over the question's tasks.

    ``tasks`` says how many rankings of each question were measured; ``least`` is the grade from which a paper is
    relevant for MAP.
    """

    kind: Kind
    by_query: Mapping[str, Mapping[str, float]]
    tasks: Mapping[str, int]
    least: int = 1

    @property
    def queries(self) -> int:
        """How many questions were measured."""
        return len(self.by_query["ndcg_10"])

    @property
    def means(self) -> dict[str, float]:
        """The mean of each measure over the questions; over all the days of all of them where these are subscribers."""
        is_daily = self.kind is Kind.SUBSCRIBERS
        weights = {query: count if is_daily else 1 for query, count in self.tasks.items()}
        whole = sum(weights.values())
        return {
            name: math.fsum(value * weights[query] for query, value in values.items()) / whole
            for name, values in self.by_query.items()
        }


def measure(collection: Collection, system: System, setup: Setup, run_out: IO[str] | None = None) -> Measured:
    """Measure a system.

    Args:
        collection: what to measure on.
        system: what to measure.
        setup: how its tasks are made.
        run_out: gets the first `DEPTH` papers of each ranking, when given.

    Raises:
        UsageError: no question can be measured.
    """
    places = _Places(collection)

    def ranked() -> Iterator[tuple[Question, Task, NDArray[np.int64]]]:
        for question, scores in _answers(collection, system, questions(collection, setup)):
            for task in question.tasks:
                best, values = _best(scores[_columns(question, task)], places.of(question, task))
                if run_out is not None:
                    names = (places.ids[question.pool[column]] for column in task.columns[best])
                    write_run(run_out, system.name, task.id, zip(names, values.tolist(), strict=True))
                yield question, task, task.grades[best]

    return _measured(collection, setup, ranked())


def measure_run(collection: Collection, run: Run, setup: Setup) -> Measured:
    """Measure a run; a task of which it says nothing counts 0, and so does a paper that is not of the task.

    Raises:
        UsageError: it says nothing of any task.
    """
    names = [document.id for document in collection.documents]
    asked = [(question, task) for question in questions(collection, setup) for task in question.tasks]
    if asked and not any(task.id in run for _, task in asked):
        raise UsageError(
            f"the run knows none of the {len(asked)} rankings of {collection.name}, like {asked[0][1].id!r}",
            "Name its questions as --run-out does",
        )

    def ranked() -> Iterator[tuple[Question, Task, NDArray[np.int64]]]:
        for question, task in asked:
            found = run.get(task.id, {})
            grades = dict(zip((names[place] for place in question.pool[task.columns]), task.grades, strict=True))
            best, _ = _best(np.array(list(found.values()), dtype=np.float64), descending_places(list(found)))
            of_run = np.array([grades.get(name, 0) for name in found], dtype=np.int64)
            yield question, task, of_run[best]

    return _measured(collection, setup, ranked())


def measure_alert(collection: Collection, system: System) -> dict[int, dict[str, float]]:
    """Measure keywords as alerts: for days of each size, what the first ten and twenty papers hold.

    Returns:
        By size: ``ndcg_10``, ``recall_10``, ``recall_20``, and ``all_in_10``, the share of days whose relevant papers
        are all among the first ten; means over all questions and days that have a relevant paper.
    """
    places = _Places(collection)
    sums: dict[int, list[tuple[float, ...]]] = {size: [] for size in ALERT_SIZES}
    for question, scores in _answers(collection, system, alert_questions(collection, ALERT_SIZES, ALERT_SEEDS)):
        for task in question.tasks:
            best, _ = _best(scores[task.columns], places.of(question, task))
            ranked, first_ten = task.grades[best], recall(task.grades[best], task.grades, 10)
            size = int(task.id.removeprefix(f"{question.query}/").split("/")[0])
            sums[size].append(
                (ndcg(ranked, task.grades, 10), first_ten, recall(ranked, task.grades, 20), float(first_ten == 1.0))
            )
    names = ("ndcg_10", "recall_10", "recall_20", "all_in_10")
    return {
        size: dict(zip(names, np.mean(np.array(found), axis=0).tolist(), strict=True))
        for size, found in sums.items()
        if found
    }


class _Places:
    """The order of the papers' ids, by which ties are settled."""

    def __init__(self, collection: Collection) -> None:
        self.ids = [document.id for document in collection.documents]
        self._places = descending_places(self.ids)

    def of(self, question: Question, task: Task) -> NDArray[np.intp]:
        found: NDArray[np.intp] = self._places[question.pool[task.columns]]
        return found


def _answers(
    collection: Collection, system: System, asked: Iterable[Question]
) -> Iterator[tuple[Question, NDArray[np.float64]]]:
    """Ask the system, which reads each pool once, in blocks of bounded memory."""
    for pool, together in groupby(asked, key=lambda question: question.pool.tobytes()):
        places = np.frombuffer(pool, dtype=np.intp)
        prepared = system.prepare([collection.documents[place] for place in places.tolist()])
        while block := list(islice(together, max(16, BLOCK_BYTES // max(len(pool), 1)))):
            topics = [question for question in block if question.examples is None]
            if topics:
                yield from zip(topics, prepared.topics([question.topic for question in topics]), strict=True)
            for question in block:
                if question.examples is not None:
                    yield question, prepared.likes(question.examples)


def _columns(question: Question, task: Task) -> NDArray[np.intp] | slice:
    """Return where a task's scores stand: those after examples are of its candidates already."""
    return task.columns if question.examples is None else slice(None)


def _best(scores: NDArray[np.float64], places: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the first `DEPTH` papers that are shown at all, and their scores."""
    shown = np.flatnonzero(~np.isneginf(scores))
    best = shown[order(scores[shown], places[shown])][:DEPTH]
    return best, scores[best]


def _measured(
    collection: Collection, setup: Setup, ranked: Iterable[tuple[Question, Task, NDArray[np.int64]]]
) -> Measured:
    kind = kind_of(collection, setup)
    least = _least(collection, kind)
    values: dict[str, list[Values]] = {}
    for question, task, grades in ranked:
        judged = np.concatenate([task.grades, np.array(task.unseen, dtype=np.int64)])
        values.setdefault(question.query, []).append(_values(kind, grades, judged, least))
    if not values:
        raise UsageError(f"{collection.name}: no question can be measured", _reason(kind, setup))
    names = list(next(iter(values.values()))[0])
    by_query = {
        name: {query: math.fsum(one[name] for one in found) / len(found) for query, found in values.items()}
        for name in names
    }
    return Measured(
        kind=kind, by_query=by_query, tasks={query: len(found) for query, found in values.items()}, least=least
    )


def _values(kind: Kind, ranked: NDArray[np.int64], judged: NDArray[np.int64], least: int) -> Values:
    found = {
        "ndcg_10": ndcg(ranked, judged, 10),
        "map": average_precision(ranked, judged, least),
        "recall_100": recall(ranked, judged, 100),
    }
    if kind is Kind.SUBSCRIBERS:
        found |= {f"recall_{k}": recall(ranked, judged, k, capped=True) for k in (10, 20)}
    if kind is Kind.LIKES:
        found["recall_20"] = recall(ranked, judged, 20)
    return found


def _least(collection: Collection, kind: Kind) -> int:
    """Return the grade from which a paper counts for MAP: beside one like, 1 often means no more than "related"."""
    grades: Sequence[int] = [grade for judged in collection.judgements.values() for grade in judged.values()]
    return 2 if kind is Kind.ONE_LIKE and max(grades, default=0) >= 2 else 1


def _reason(kind: Kind, setup: Setup) -> str:
    if kind is Kind.LIKES:
        return f"None has {setup.likes} relevant papers to draw from and enough to find; ask for fewer --likes"
    return "None has a relevant paper among those that are ranked"
