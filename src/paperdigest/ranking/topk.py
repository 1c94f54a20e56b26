"""The k best columns of each row of a matrix, of equal ones the first, in little more than one pass.

The columns are dealt into groups; the k-th best of the groups' maxima is a bound that at least k columns
reach, and the columns above it are few.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Floats = NDArray[np.float32]
    _Indexes = NDArray[np.intp]

__all__ = ["choose", "most_rows"]

_GROUPS_EACH = 8
_FEWEST_GROUPS = 64
_LEAST = np.finfo(np.float32).min
_KEY_BITS = 63


def most_rows(columns: int) -> int:
    """Return how many rows `choose` can take at once: their numbers must fit into a key."""
    return 1 << (_KEY_BITS - 32 - _width(columns))


def choose(raw: _Floats, k: int) -> tuple[NDArray[np.int32], _Floats]:
    """Return columns and values of the ``k`` best finite values of each row, of equal ones the first columns.

    Args:
        raw: shape (rows, columns), contiguous, neither NaN nor +inf; at most `most_rows`.
        k: from 1 to the number of columns.

    Returns:
        Two arrays of shape (rows, k), best first; -1 and -inf where a row has no more finite values.
    """
    columns = raw.shape[1]
    bound = _bound(raw, k)
    reached = raw >= np.maximum(bound, _LEAST)[:, np.newaxis]
    if np.count_nonzero(reached) > 2 * k * len(raw):
        reached = _without_needless_ties(raw, bound, k)
    return _ranked(raw, *np.divmod(np.flatnonzero(reached), columns), k)


def _bound(raw: _Floats, k: int) -> _Floats:
    """Return for each row the k-th best of the maxima of at least k groups of columns."""
    columns = raw.shape[1]
    size = max(1, columns // max(_FEWEST_GROUPS, _GROUPS_EACH * k))
    groups = -(-columns // size)
    maxima = raw[:, :groups].copy()
    for first in range(groups, columns, groups):
        part = raw[:, first : first + groups]
        np.maximum(maxima[:, : part.shape[1]], part, out=maxima[:, : part.shape[1]])
    maxima.partition(groups - k, axis=1)
    return maxima[:, groups - k]


def _without_needless_ties(raw: _Floats, bound: _Floats, k: int) -> NDArray[np.bool_]:
    """Return which values are candidates where very many are equal: bounded by k and the size of a group.

    Above the bound lie at most the columns of k - 1 groups. The others that are needed equal it exactly: the
    first of them are taken, one for each row in every round.
    """
    above: NDArray[np.bool_] = raw > bound[:, np.newaxis]
    missing = np.where(bound > -np.inf, k - np.count_nonzero(above, axis=1), 0)
    equal = raw == bound[:, np.newaxis]
    for have in range(int(missing.max())):
        short = np.flatnonzero(missing > have)
        column = equal[short].argmax(axis=1)
        equal[short, column] = False
        above[short, column] = True
    return above


def _ranked(raw: _Floats, rows: _Indexes, columns: _Indexes, k: int) -> tuple[NDArray[np.int32], _Floats]:
    """Sort candidates by row, falling value and column, and keep the first k of each row.

    The three stand in one 64-bit key: the bits of a float, taken for a whole number, order as floats do (those
    behind the sign turned around if it is set).
    """
    wide, size = _width(raw.shape[1]), raw.shape[1]
    values = raw.ravel()
    bits = (values[rows * size + columns] + np.float32(0)).view(np.int32)  # makes -0, which equals 0, look like it
    rising = bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))
    keys = (((rows << 32) + (0x7FFFFFFF - rising.astype(np.int64))) << wide) + columns
    keys.sort()
    counts = np.bincount(rows, minlength=len(raw))[:, np.newaxis]
    ranks = np.arange(k)
    first = np.cumsum(counts)[:, np.newaxis] - counts
    found = (
        keys.take(first + ranks, mode="clip") & ((1 << wide) - 1) if len(keys) else np.zeros((len(raw), k), np.int64)
    )
    best = values[found + np.arange(0, raw.size, size)[:, np.newaxis]]
    if counts.min() < k:
        found[ranks >= counts], best[ranks >= counts] = -1, -np.inf
    return found.astype(np.int32), best


def _width(columns: int) -> int:
    return max(columns - 1, 1).bit_length()
