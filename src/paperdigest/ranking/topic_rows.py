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
    """What the topics' words mean together: a term of its own beside those of the clauses.

    ``texts``, shape (n,), names for each topic the row of ``near`` that belongs to its words joined, -1 where
    there is none; ``near``, shape (texts, papers), is float32 and finite.
    """

    texts: _Indexes
    near: _Floats


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
        _check_context(context, count, papers)


def _check_context(context: Context, count: int, papers: int) -> None:
    near = context.near
    _refuse(near.shape[1:] != (papers,), "the context must say something of every paper")
    _refuse(near.dtype != np.float32, f"the context must be float32, not {near.dtype}")
    _refuse(near.size > 0 and not (near.max() < np.inf and near.min() > -np.inf), "the context must be finite")
    _refuse(context.texts.shape != (count,), "each topic needs one text, or -1")
    _refuse(_beyond(context.texts, -1, len(near)), "a text is not among those of the context")


def _beyond(indexes: _Indexes, least: int, end: int) -> bool:
    return bool(indexes.size and (indexes.min() < least or indexes.max() >= end))


def _refuse(wrong: bool | np.bool_, what: str) -> None:
    if wrong:
        raise ValueError(what)
