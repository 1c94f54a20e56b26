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

__all__ = ["candidates", "most_rows", "ranked"]

_GROUPS_EACH = 4
_FEWEST_GROUPS = 32
_LEAST = np.finfo(np.float32).min
_KEY_BITS = 63


def most_rows(columns: int) -> int:
    """Return how many rows `ranked` can take at once: their numbers must fit into a key."""
    return 1 << (_KEY_BITS - 32 - _width(columns))


def candidates(raw: _Floats, k: int) -> tuple[_Indexes, _Floats]:
    """Return places in ``raw`` (laid flat) and values that hold the ``k`` best finite values of each row.

    Of equal values the first columns are among them. There are little more than ``k`` a row.

    Args:
        raw: shape (rows, columns), contiguous, neither NaN nor +inf.
        k: from 1 to the number of columns.
    """
    bound = _bound(raw, k)
    reached = raw >= np.maximum(bound, _LEAST)[:, np.newaxis]
    if np.count_nonzero(reached) > 2 * k * len(raw):
        reached = _without_needless_ties(raw, bound, k)
    places = np.flatnonzero(reached)
    return places, raw.ravel()[places]


def ranked(places: _Indexes, values: _Floats, shape: tuple[int, int], k: int) -> tuple[NDArray[np.int32], _Floats]:
    """Return columns and values of the ``k`` best candidates of each row, of equal ones the first columns.

    Row, falling value and column stand in one 64-bit key: the bits of a float, taken for a whole number, order as
    floats do (those behind the sign turned around if it is set).

    Args:
        places: candidates, see `candidates`, of a matrix of ``shape``: at most `most_rows`.
        values: theirs.
        shape: rows and columns.
        k: how many of each row.

    Returns:
        Two arrays of shape (rows, k), best first; -1 and -inf where a row has no more candidates.
    """
    count, width = shape[0], _width(shape[1])
    rows, columns = np.divmod(places, shape[1])
    bits = (values + np.float32(0)).view(np.int32)  # makes -0, which equals 0, look like it
    keys = (((rows << 32) + (0x7FFFFFFF - _turned(bits).astype(np.int64))) << width) + columns
    keys.sort()
    counts = np.bincount(rows, minlength=count)[:, np.newaxis]
    ranks = np.arange(k)
    first = np.cumsum(counts)[:, np.newaxis] - counts
    found = keys.take(first + ranks, mode="clip") if len(keys) else np.zeros((count, k), np.int64)
    best = _turned((0x7FFFFFFF - ((found >> width) & 0xFFFFFFFF)).astype(np.int32)).view(np.float32)
    found &= (1 << width) - 1
    if counts.min() < k:
        found[ranks >= counts], best[ranks >= counts] = -1, -np.inf
    return found.astype(np.int32), best


def _turned(bits: NDArray[np.int32]) -> NDArray[np.int32]:
    """Turn the bits of floats into whole numbers of the same order, and back."""
    return bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))


def _bound(raw: _Floats, k: int) -> _Floats:
    """Return for each row the k-th best of the maxima of at least k groups of columns.

    The groups are made by laying one half of the columns over the other, again and again.
    """
    maxima, groups = raw, raw.shape[1]
    while groups >= 2 * max(_FEWEST_GROUPS, _GROUPS_EACH * k):
        half = (groups + 1) // 2
        folded = maxima[:, :half].copy() if maxima is raw else maxima
        np.maximum(folded[:, : groups - half], maxima[:, half:groups], out=folded[:, : groups - half])
        maxima, groups = folded, half
    return np.partition(maxima[:, :groups], groups - k, axis=1)[:, groups - k]


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


def _width(columns: int) -> int:
    return max(columns - 1, 1).bit_length()
