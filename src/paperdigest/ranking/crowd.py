"""All topics of a batch of subscribers together: from plans to the arrays of the kernel (see `matching`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from paperdigest.ranking.batch import Batch, TopicPlan
from paperdigest.ranking.matching import best_columns
from paperdigest.ranking.topic_rows import Best, Context, TopicRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Indexes = NDArray[np.intp]

__all__ = ["best_of_all"]

TOGETHER = 16_384
"""Topics a call: one topic of a hundred clauses widens the arrays of those beside it, not of all."""


def best_of_all(
    batch: Batch,
    queries: Sequence[str],
    k: int,
    *,
    masks: Sequence[NDArray[np.bool_]] | None = None,
    excluded: tuple[_Indexes, _Indexes] | None = None,
) -> Best:
    """Return for each query the ``k`` best columns of the corpus and their raw scores, as `Batch.raw` has them.

    Linear in the queries; each distinct one is planned once.

    Args:
        batch: the scored batch; it must hold the queries.
        queries: one topic's query each; any number may be equal.
        k: how many columns each, 0 or more.
        masks: for each query which columns it may choose; meant to be few objects, each named many times.
        excluded: pairs (place in ``queries``, column) that must not be chosen: papers that were sent already.

    Raises:
        QueryError: a query cannot be read.
    """
    best = Best(np.empty((len(queries), k), dtype=np.int32), np.empty((len(queries), k), dtype=np.float32))
    rows, columns = excluded or (np.empty(0, dtype=np.intp),) * 2
    by_row = np.argsort(rows, kind="stable")
    rows, columns = rows[by_row], columns[by_row]
    for start in range(0, len(queries), TOGETHER):
        plans = [batch.plan(query) for query in queries[start : start + TOGETHER]]
        first, last = np.searchsorted(rows, (start, start + TOGETHER))
        some = None if masks is None else masks[start : start + TOGETHER]
        found = _best_of(batch, plans, k, some, (rows[first:last] - start, columns[first:last]))
        best.columns[start : start + TOGETHER] = found.columns
        best.raw[start : start + TOGETHER] = found.raw
    return best


def _best_of(
    batch: Batch,
    plans: Sequence[TopicPlan],
    k: int,
    masks: Sequence[NDArray[np.bool_]] | None,
    excluded: tuple[_Indexes, _Indexes],
) -> Best:
    place, gates = _gates(plans, masks)
    rows = TopicRows(
        clauses=_padded([plan.rows for plan in plans], -1).astype(np.intp),
        weights=_padded([[clause.weight for clause in plan.clauses] for plan in plans], 1).astype(np.float32),
        gates=np.array(place, dtype=np.intp),
    )
    context = None
    if batch.joined is not None:
        texts = [-1 if plan.joined is None else plan.joined for plan in plans]
        context = Context(texts=np.array(texts, dtype=np.intp), near=batch.joined)
    return best_columns(
        rows, batch.standard, k, context=context, gates=np.stack(gates) if gates else None, excluded=excluded
    )


def _gates(
    plans: Sequence[TopicPlan], masks: Sequence[NDArray[np.bool_]] | None
) -> tuple[list[int], list[NDArray[np.bool_]]]:
    """Return the distinct gates (what a query admits of what its mask allows), and which is each query's, -1: none."""
    known: dict[tuple[int, int], int] = {}
    gates: list[NDArray[np.bool_]] = []
    place = []
    for number, plan in enumerate(plans):
        parts = [part for part in (plan.gate, None if masks is None else masks[number]) if part is not None]
        key = (id(plan.gate), 0 if masks is None else id(masks[number]))
        if parts and key not in known:
            known[key] = len(gates)
            gates.append(parts[0] if len(parts) == 1 else parts[0] & parts[1])
        place.append(known[key] if parts else -1)
    return place, gates


def _padded(ragged: Sequence[Sequence[float]], filler: float) -> NDArray[np.float64]:
    """Return the sequences as the rows of a matrix, filled up on the right."""
    lengths = np.array([len(each) for each in ragged], dtype=np.intp)
    matrix = np.full((len(ragged), int(lengths.max(initial=0))), filler, dtype=np.float64)
    matrix[np.arange(matrix.shape[1]) < lengths[:, np.newaxis]] = [value for each in ragged for value in each]
    return matrix
