"""What very many topics ask for at once, as arrays, and what they get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Floats = NDArray[np.float32]
    _Indexes = NDArray[np.intp]
    _Mask = NDArray[np.bool_]

__all__ = ["Best", "Context", "TopicRows", "check_batch"]


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
    alternatives their sum). A topic's term is ``scale * sum of weight * row over its clauses + shift``, with
    ``scale`` and ``shift`` of shape (n,): for the z-score of the cosine with ``v``, the weighted sum of the
    clauses' vectors, ``scale = 1 / (|v| * sd)`` and ``shift = -mean / sd``; 0 and 0 for no term. Columns where ``present`` (shape (papers,);
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


def check_batch(
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
