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

__all__ = ["choose"]

_GROUPS_EACH = 8
_FEWEST_GROUPS = 64


def choose(raw: _Floats, k: int) -> tuple[_Indexes, _Indexes, _Indexes]:
    """Return row, rank and column of the ``k`` best finite scores of each row, of equal ones the first columns.

    At least k columns reach the bound, and above it lie at most those of k - 1 groups. The others that are
    needed equal the bound exactly: the first of them are taken, one for each row in every round.
    """
    count, papers = raw.shape
    bound = _bound(raw, k)[:, np.newaxis]
    rows, columns = np.divmod(np.flatnonzero(raw > bound), papers)
    missing = k - np.bincount(rows, minlength=count)
    missing[bound[:, 0] == -np.inf] = 0
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
