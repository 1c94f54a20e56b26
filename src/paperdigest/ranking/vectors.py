"""Vectors on a grid of whole numbers, so that their products are exact.

A matrix product in floating point depends, in its last digits, on the shape of the matrices and on the machine:
the same two texts would be a little nearer to each other in one batch than in another. Here every component is
rounded to a multiple of 1/`GRID`. The products of such vectors are sums of whole numbers that stay below 2**24
(Cauchy and Schwarz bound every partial sum by the product of the lengths), which single precision holds exactly,
in whatever order they are added. The rounding moves a cosine by about 0.0001.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["GRID", "cosines", "on_grid"]

GRID = 4000


def on_grid(vectors: ArrayLike) -> NDArray[np.float32]:
    """Return vectors, shape (n, dimensions), as whole numbers: each of length `GRID`, or zero if it is unusable."""
    raw = np.nan_to_num(np.asarray(vectors, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    length = np.sqrt(np.einsum("ij,ij->i", raw, raw))[:, None]
    unit = np.divide(raw, length, out=np.zeros_like(raw), where=length > 1e-6)
    whole: NDArray[np.float32] = np.rint(unit * GRID).astype(np.float32)
    return whole


def cosines(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosines of vectors of `on_grid`, shape (left, right): exact, whatever stands beside them."""
    product: NDArray[np.float32] = left @ right.T
    product *= np.float32(1 / GRID**2)
    return product
