"""The best papers of very many topics at once, from the scores of their distinct keywords.

What a batch of subscribers asks for is a matrix of topics; what the day brings is a matrix of scores, one
row a distinct clause, one column a paper. A topic's raw score of a paper is::

    raw = best + 0.5 * (sum of the positive others) + nearness to its words joined

over its clauses' scores, each times the clause's weight. Gathering, adding and choosing go block by block
through buffers that stay in the processor's cache: time grows with the clauses of all topics together,
memory with the block alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from paperdigest.ranking.topic_rows import Best, Context, TopicRows, check_batch
from paperdigest.ranking.topk import candidates, most_rows, ranked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Floats = NDArray[np.float32]
    _Indexes = NDArray[np.intp]
    _Mask = NDArray[np.bool_]

__all__ = ["BLOCK_BYTES", "best_columns"]

BLOCK_BYTES = 1024 * 1024
"""What the buffers of one block take by default: about half of what a core's own cache holds."""

OTHERS = 0.5
_BYTES_EACH = 23  # five floats, half a one where columns are dealt into groups, and a flag for each topic and paper
_BLOCKS_RANKED = 16
_NEVER = np.float32(-np.inf)


def best_columns(
    rows: TopicRows,
    scores: _Floats,
    k: int,
    *,
    context: Context | None = None,
    gates: _Mask | None = None,
    excluded: tuple[_Indexes, _Indexes] | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Best:
    """Return the ``k`` best columns of every topic; of equal ones the first columns.

    The result does not depend on the size of the blocks nor on which other topics are in the batch.

    Args:
        rows: the topics.
        scores: float32, shape (clauses, papers); finite, or -inf where a clause does not count for a paper. A
            paper of which no clause counts is never chosen.
        k: how many columns each; below 1 gives none.
        context: see `Context`.
        gates: shape (gates, papers): the columns that each gate admits.
        excluded: pairs (row, column) that must not be chosen, as two arrays of one length.
        block_bytes: the size of the working memory; at least what one topic needs is taken.

    Raises:
        ValueError: shapes that do not fit, an index out of range, a weight not above 0, NaN or +inf.
    """
    check_batch(rows, scores, context, gates, excluded)
    count, papers = len(rows.clauses), scores.shape[1]
    k = max(k, 0)
    columns, raw = np.full((count, k), -1, dtype=np.int32), np.full((count, k), _NEVER, dtype=np.float32)
    if not (k and papers and count):
        return Best(columns, raw)
    packed = _Packed.of(rows, excluded)
    filled, best = packed.ends[0] if packed.ends else 0, min(k, papers)
    block = max(1, min(block_bytes // (papers * _BYTES_EACH), filled))
    together = min(block * _BLOCKS_RANKED, most_rows(papers))
    adder = _Adder(packed, scores, context, gates, block)
    for start in range(0, filled, together):
        stop = min(start + together, filled)
        places, values = zip(*_found(adder, range(start, stop, block), stop, best), strict=True)
        shape = stop - start, papers
        columns[start:stop, :best], raw[start:stop, :best] = ranked(
            np.concatenate(places), np.concatenate(values), shape, best
        )
    return Best(columns[packed.place], raw[packed.place])


def _found(adder: _Adder, starts: range, stop: int, k: int) -> Iterator[tuple[_Indexes, _Floats]]:
    """Yield the candidates of each block, placed in the matrix of all blocks."""
    for start in starts:
        raw = adder.add(start, min(start + starts.step, stop))
        places, values = candidates(raw, k)
        places += (start - starts.start) * raw.shape[1]
        yield places, values


@dataclass(frozen=True, slots=True)
class _Packed:
    """The topics, those with most clauses first, so that the n-th clauses of a block are those of its first topics.

    ``order`` says which topic stands where, ``place`` where each topic stands; the first ``ends[n]`` of them have
    an n-th clause.
    """

    order: _Indexes
    place: _Indexes
    ends: tuple[int, ...]
    clauses: _Indexes
    weights: _Floats | None
    gates: _Indexes | None
    excluded: tuple[_Indexes, _Indexes]

    @classmethod
    def of(cls, rows: TopicRows, excluded: tuple[_Indexes, _Indexes] | None) -> _Packed:
        present = rows.clauses >= 0
        counts = present.sum(axis=1)
        order = np.argsort(-counts, kind="stable")
        clauses, weights = rows.clauses, rows.weights
        if not (present[:, :-1] >= present[:, 1:]).all():
            left = np.argsort(~present, axis=1, kind="stable")
            clauses = np.take_along_axis(clauses, left, axis=1)
            weights = None if weights is None else np.take_along_axis(weights, left, axis=1)
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        out_rows, out_columns = excluded or (order[:0], order[:0])
        at = place[out_rows]
        by_place = np.argsort(at, kind="stable")
        return cls(
            order=order,
            place=place,
            ends=tuple(int(np.count_nonzero(counts > slot)) for slot in range(clauses.shape[1])),
            clauses=np.ascontiguousarray(clauses[order].T),
            weights=None if weights is None else np.ascontiguousarray(weights[order].T, dtype=np.float32),
            gates=None if rows.gates is None else rows.gates[order],
            excluded=(at[by_place], np.asarray(out_columns)[by_place]),
        )


class _Adder:
    """Adds up the raw scores of a block in buffers that all blocks share."""

    def __init__(
        self, topics: _Packed, scores: _Floats, context: Context | None, gates: _Mask | None, block: int
    ) -> None:
        self._topics, self._scores, self._context, self._gates = topics, scores, context, gates
        # Two arrays of one shape are compared twice as fast as an array and a number: hence the zeros.
        self._best, self._others, self._taken, self._lesser, self._zeros = np.zeros(
            (5, block, scores.shape[1]), dtype=np.float32
        )

    def add(self, start: int, stop: int) -> _Floats:
        """Return raw scores, shape (stop - start, papers), -inf where not to be chosen; valid until the next call."""
        raw = self._best[: stop - start]
        self._add_clauses(raw, start)
        if self._context is not None:
            self._add_context(self._context, raw, start)
        self._shut_gates(raw, start, stop)
        rows, columns = self._topics.excluded
        if len(rows):
            first, last = np.searchsorted(rows, (start, stop))
            raw[rows[first:last] - start, columns[first:last]] = _NEVER
        return raw

    def _add_clauses(self, best: _Floats, start: int) -> None:
        """Write best + 0.5 * positive others.

        The others grow by the lesser of the best so far and the newcomer: nothing is ever subtracted, so
        nothing cancels.
        """
        several = 0
        for slot, end in enumerate(self._topics.ends):
            if (many := min(end - start, len(best))) <= 0:
                break
            if not slot:
                self._take(slot, start, best)
                continue
            top, rest = best[:many], self._others[:many]
            taken = self._take(slot, start, self._taken[:many])
            several = several or many
            lesser = rest if slot == 1 else self._lesser[:many]
            np.minimum(top, taken, out=lesser)
            np.maximum(top, taken, out=top)
            np.maximum(lesser, self._zeros[:many], out=lesser)
            if slot > 1:
                rest += lesser
        if several:
            self._others[:several] *= OTHERS
            best[:several] += self._others[:several]

    def _take(self, slot: int, start: int, into: _Floats) -> _Floats:
        """Gather the weighted scores of the ``slot``-th clauses of as many topics as ``into`` has rows."""
        block = slice(start, start + len(into))
        np.take(self._scores, self._topics.clauses[slot, block], axis=0, out=into, mode="clip")
        if self._topics.weights is not None:
            weights = self._topics.weights[slot, block]
            if (weights != 1).any():
                into *= weights[:, np.newaxis]
        return into

    def _add_context(self, context: Context, raw: _Floats, start: int) -> None:
        texts = context.texts[self._topics.order[start : start + len(raw)]]
        joined = np.flatnonzero(texts >= 0)
        near = np.take(context.near, texts[joined], axis=0, out=self._taken[: len(joined)], mode="clip")
        if len(joined) == len(raw):
            raw += near
        else:
            raw[joined] += near

    def _shut_gates(self, raw: _Floats, start: int, stop: int) -> None:
        if self._topics.gates is None or self._gates is None:
            return
        numbers = self._topics.gates[start:stop]
        gated = np.flatnonzero(numbers >= 0)
        if gated.size:
            raw[gated] = np.where(self._gates[numbers[gated]], raw[gated], _NEVER)
