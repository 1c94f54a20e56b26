"""The best papers of very many topics at once, from the scores of their distinct keywords.

What a batch of subscribers asks for is a matrix of topics; what the day brings is a matrix of scores, one
row a distinct clause, one column a paper. A topic's raw score of a paper is::

    raw = best + 0.5 * (sum of the positive others) + scale * (sum of the context) + shift

over its clauses' scores, each times the clause's weight. Gathering, adding and choosing go block by block
through buffers that stay in the processor's cache: time grows with the clauses of all topics together,
memory with the block alone.

Choosing k of P columns costs a pass over P and little more: the columns are dealt into groups, the k-th best
of the groups' maxima is a bound that at least k columns reach, and the columns above it are few.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Floats = NDArray[np.float32]
    _Indexes = NDArray[np.intp]
    _Mask = NDArray[np.bool_]

__all__ = ["BLOCK_BYTES", "Best", "Context", "TopicRows", "best_columns"]

BLOCK_BYTES = 2 * 1024 * 1024
"""What the buffers of one block take by default: about what a core's own cache holds."""

OTHERS = 0.5
_GROUPS_EACH = 8
_FEWEST_GROUPS = 64
_NEVER = np.float32(-np.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRows:
    """What each topic asks for: row ``r`` of every array is one topic.

    ``clauses``, shape (n, m), holds rows of the score matrix, in any order, -1 where a topic has no more;
    ``weights``, same shape, finite and above 0 where there is a clause (None: all 1). ``gates``, shape (n,),
    names the row of the gate matrix that says which columns the topic admits, -1 for all (None: all -1).
    """

    clauses: _Indexes
    weights: _Floats | None = None
    gates: _Indexes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """How near a paper is to all clauses of a topic joined; linear in what the clauses have each.

    ``matrix``, shape (clauses, papers), is finite: row ``c`` the cosine of clause ``c`` (of several joined
    alternatives their sum). A topic's term is ``scale * sum of its clauses' rows + shift``, with ``scale``
    and ``shift`` of shape (n,): for the z-score of the cosine with the normalised sum ``v`` of the clauses'
    vectors ``scale = 1 / (|v| * sd)`` and ``shift = -mean / sd``. Columns where ``present`` (shape (papers,);
    None: everywhere) is False get no term.
    """

    matrix: _Floats
    scale: _Floats
    shift: _Floats
    present: _Mask | None = None


@dataclass(frozen=True, slots=True)
class Best:
    """For each topic its best columns and their raw scores, shape (n, k), best first; -1 and -inf beyond the last."""

    columns: NDArray[np.int32]
    raw: _Floats


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
    _check(rows, scores, context, gates, excluded)
    count, papers = len(rows.clauses), scores.shape[1]
    k = max(k, 0)
    best = Best(np.full((count, k), -1, dtype=np.int32), np.full((count, k), _NEVER, dtype=np.float32))
    if not (k and papers and count):
        return best
    packed = _Packed.of(rows, excluded)
    block = _block_rows(block_bytes, papers)
    adder = _Adder(packed, scores, context, gates, min(block, packed.filled))
    for start in range(0, packed.filled, block):
        stop = min(start + block, packed.filled)
        raw = adder.add(start, stop)
        row, rank, column = _choose(raw, min(k, papers))
        topic = packed.order[start:stop][row]
        best.columns[topic, rank] = column
        best.raw[topic, rank] = raw[row, column]
    return best


def _block_rows(block_bytes: int, papers: int) -> int:
    """Return how many topics fit a block: four floats and two flags a paper; a key must hold row and column."""
    bits = 32 - max(papers - 1, 1).bit_length()
    return max(1, min(block_bytes // (papers * 18), 1 << bits))


@dataclass(frozen=True, slots=True)
class _Packed:
    """The topics, those with most clauses first, so that the n-th clauses of a block are those of its first topics.

    ``order`` says which topic stands where; ``filled`` how many have a clause at all.
    """

    order: _Indexes
    filled: int
    counts: _Indexes
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
            filled=int(np.count_nonzero(counts)),
            counts=counts[order],
            clauses=np.ascontiguousarray(clauses[order].T),
            weights=None if weights is None else np.ascontiguousarray(weights[order].T, dtype=np.float32),
            gates=None if rows.gates is None else rows.gates[order],
            excluded=(at[by_place], np.asarray(out_columns)[by_place]),
        )

    def slots(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Yield (number of the clause, how many topics of the block have one)."""
        counts = self.counts[start:stop]
        for slot in range(int(counts[0])):
            yield slot, int(np.searchsorted(-counts, -slot, side="left"))


class _Adder:
    """Adds up the raw scores of a block in buffers that all blocks share."""

    def __init__(
        self, topics: _Packed, scores: _Floats, context: Context | None, gates: _Mask | None, block: int
    ) -> None:
        self._topics, self._scores, self._context, self._gates = topics, scores, context, gates
        shape = (block, scores.shape[1])
        self._best, self._others, self._taken, self._lesser = (np.empty(shape, dtype=np.float32) for _ in range(4))

    def add(self, start: int, stop: int) -> _Floats:
        """Return raw scores, shape (stop - start, papers), -inf where not to be chosen; valid until the next call."""
        raw = self._add_clauses(start, stop)
        if self._context is not None:
            self._add_context(self._context, raw, start, stop)
        self._shut_gates(raw, start, stop)
        rows, columns = self._topics.excluded
        first, last = np.searchsorted(rows, (start, stop))
        raw[rows[first:last] - start, columns[first:last]] = _NEVER
        return raw

    def _add_clauses(self, start: int, stop: int) -> _Floats:
        """Return best + 0.5 * positive others.

        The others grow by the lesser of the best so far and the newcomer: nothing is ever subtracted, so
        nothing cancels.
        """
        best, several = self._best[: stop - start], 0
        for slot, many in self._topics.slots(start, stop):
            if not slot:
                self._take(slot, start, many, best)
                continue
            top, rest = best[:many], self._others[:many]
            taken = self._take(slot, start, many, self._taken[:many])
            several = several or many
            lesser = rest if slot == 1 else self._lesser[:many]
            np.minimum(top, taken, out=lesser)
            np.maximum(top, taken, out=top)
            np.maximum(lesser, 0, out=lesser)
            if slot > 1:
                rest += lesser
        if several:
            self._others[:several] *= OTHERS
            best[:several] += self._others[:several]
        return best

    def _take(self, slot: int, start: int, many: int, into: _Floats) -> _Floats:
        """Gather the weighted scores of the ``slot``-th clauses of the ``many`` first topics of a block."""
        block = slice(start, start + many)
        np.take(self._scores, self._topics.clauses[slot, block], axis=0, out=into, mode="clip")
        if self._topics.weights is not None:
            weights = self._topics.weights[slot, block]
            if (weights != 1).any():
                into *= weights[:, np.newaxis]
        return into

    def _add_context(self, context: Context, raw: _Floats, start: int, stop: int) -> None:
        together = self._others[: stop - start]
        topics = self._topics.order[start:stop]
        for slot, many in self._topics.slots(start, stop):
            indexes = self._topics.clauses[slot, start : start + many]
            taken = self._taken[:many] if slot else together
            np.take(context.matrix, indexes, axis=0, out=taken, mode="clip")
            if slot:
                together[:many] += taken
        together *= context.scale[topics, np.newaxis]
        together += context.shift[topics, np.newaxis]
        if context.present is not None:
            together *= context.present
        raw += together

    def _shut_gates(self, raw: _Floats, start: int, stop: int) -> None:
        if self._topics.gates is None or self._gates is None:
            return
        numbers = self._topics.gates[start:stop]
        gated = np.flatnonzero(numbers >= 0)
        if gated.size:
            raw[gated] = np.where(self._gates[numbers[gated]], raw[gated], _NEVER)


def _choose(raw: _Floats, k: int) -> tuple[_Indexes, _Indexes, _Indexes]:
    """Return row, rank and column of the ``k`` best finite scores of each row, of equal ones the first columns.

    At least k columns reach the bound, and above it lie at most those of k - 1 groups. The others that are
    needed equal the bound exactly: the first of them are taken, one for each row in every round.
    """
    count, papers = raw.shape
    bound = _bound(raw, k)[:, np.newaxis]
    rows, columns = np.divmod(np.flatnonzero(raw > bound), papers)
    missing = k - np.bincount(rows, minlength=count)
    missing[bound[:, 0] == _NEVER] = 0
    found_rows, found_columns = [rows], [columns]
    if (most := int(missing.max())) > 0:
        equal = raw == bound
        for have in range(most):
            short = np.flatnonzero(missing > have)
            column = equal[short].argmax(axis=1) if len(short) < count else equal.argmax(axis=1)
            equal[short, column] = False
            found_rows.append(short)
            found_columns.append(column)
    return _ranked(raw, np.concatenate(found_rows), np.concatenate(found_columns), k)


def _bound(raw: _Floats, k: int) -> _Floats:
    """Return for each row the k-th best of the maxima of at least k groups of columns."""
    papers = raw.shape[1]
    size = max(1, papers // max(_FEWEST_GROUPS, _GROUPS_EACH * k))
    groups = -(-papers // size)
    maxima = raw[:, :groups].copy()
    for first in range(groups, papers, groups):
        part = raw[:, first : first + groups]
        np.maximum(maxima[:, : part.shape[1]], part, out=maxima[:, : part.shape[1]])
    maxima.partition(groups - k, axis=1)
    return maxima[:, groups - k]


def _ranked(raw: _Floats, rows: _Indexes, columns: _Indexes, k: int) -> tuple[_Indexes, _Indexes, _Indexes]:
    """Sort candidates by row, falling score and column, and keep the first k of each row.

    The three stand in one 64-bit key: a float's bits, the sign bit turned (or all bits of a negative one),
    order like the float itself; turned once more they fall.
    """
    papers = raw.shape[1]
    wide = max(papers - 1, 1).bit_length()
    bits = (raw[rows, columns] + np.float32(0)).view(np.uint32)  # -0 and 0 are equal, so they must look equal
    falling = np.where(bits >> 31, bits, ~bits & np.uint32(0x7FFFFFFF))
    keys = rows.astype(np.uint64) << np.uint64(32 + wide)
    keys |= falling.astype(np.uint64) << np.uint64(wide)
    keys |= columns.astype(np.uint64)
    keys.sort()
    rows = (keys >> np.uint64(32 + wide)).astype(np.intp)
    columns = (keys & np.uint64(2**wide - 1)).astype(np.intp)
    starts = np.searchsorted(rows, np.arange(len(raw)))
    rank = np.arange(len(rows)) - starts[rows]
    kept = rank < k
    return rows[kept], rank[kept], columns[kept]


def _check(
    rows: TopicRows,
    scores: _Floats,
    context: Context | None,
    gates: _Mask | None,
    excluded: tuple[_Indexes, _Indexes] | None,
) -> None:
    """Refuse what would be read wrongly, one sentence for each."""
    count, (clauses, papers) = len(rows.clauses), scores.shape
    _refuse(rows.clauses.ndim != 2, "clauses must have two dimensions")
    _refuse(scores.dtype != np.float32, f"scores must be float32, not {scores.dtype}")
    _refuse(_beyond(rows.clauses, -1, clauses), f"a clause is none of the {clauses} rows of the scores")
    _refuse(scores.size > 0 and not scores.max() < np.inf, "scores must be below infinity and numbers")
    if rows.weights is not None:
        _refuse(rows.weights.shape != rows.clauses.shape, "each clause needs one weight")
        used = rows.weights[rows.clauses >= 0]
        _refuse(not ((used > 0) & (used < np.inf)).all(), "weights must be finite and above 0")
    if rows.gates is not None:
        _refuse(rows.gates.shape != (count,), "each topic needs one gate, or -1")
        _refuse(_beyond(rows.gates, -1, 0 if gates is None else len(gates)), "a gate is not among the gates")
    if gates is not None:
        _refuse(gates.shape[1:] != (papers,), "a gate must say something of every paper")
    if excluded is not None:
        _refuse(excluded[0].shape != excluded[1].shape, "excluded rows and columns must be pairs")
        _refuse(_beyond(excluded[0], 0, count) or _beyond(excluded[1], 0, papers), "an excluded pair is out of range")
    if context is not None:
        _check_context(context, scores.shape, count)


def _check_context(context: Context, shape: tuple[int, ...], count: int) -> None:
    _refuse(context.matrix.shape != shape, "the context's matrix must have the shape of the scores")
    _refuse(context.matrix.dtype != np.float32, f"the context must be float32, not {context.matrix.dtype}")
    _refuse(context.scale.shape != (count,) or context.shift.shape != (count,), "each topic needs a scale and a shift")
    _refuse(context.present is not None and context.present.shape != shape[1:], "present must name every paper")
    for numbers in (context.matrix, context.scale, context.shift):
        finite = not numbers.size or (numbers.max() < np.inf and numbers.min() > -np.inf)
        _refuse(not finite, "the context must be finite")


def _beyond(indexes: _Indexes, least: int, end: int) -> bool:
    return bool(indexes.size and (indexes.min() < least or indexes.max() >= end))


def _refuse(wrong: bool | np.bool_, what: str) -> None:
    if wrong:
        raise ValueError(what)
