"""The self-test of a conversion, on the machine that will use it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paperdigest.errors import ModelError
from paperdigest.semantic.encoder import OnnxEncoder

__all__ = ["AGREEMENT", "try_out", "vectors_of"]

AGREEMENT = 0.97
"""The least cosine of the int8 and the float32 vector of a text; 0.982 was the lowest seen, 0.993 the mean."""

_LINKS = """Recovering links between requirements and source code. We study how well a retrieval model finds
the code that a requirement is about, on five projects, and compare it with what their developers wrote down."""
_MATRIX = """Randomised estimates of the trace of a large implicit matrix. Few products with random vectors are enough,
and we bound their number for a wanted accuracy."""
TEXTS = (
    "trace",
    "software traceability",
    _LINKS,
    _MATRIX,
    "Ökologie der Flüsse: Daten, Modelle, 湖",
    "long " * 400,
)


def vectors_of(exact: bytes, tokenizer: str) -> NDArray[np.float32]:
    """Return what the float32 model (ONNX) says of a few fixed texts, for `try_out` to compare with.

    Raises:
        ModelError: onnxruntime cannot use it.
    """
    return OnnxEncoder("exact", exact, tokenizer, threads=1).encode(TEXTS)


def try_out(wanted: NDArray[np.float32], model: bytes, tokenizer: str) -> float:
    """Return the least cosine between the vectors ``wanted`` and those of the converted model (ONNX).

    Raises:
        ModelError: they disagree, a vector is not of length 1, or a text without words has one.
    """
    encoder = OnnxEncoder("converted", model, tokenizer, threads=1)
    found = encoder.encode(TEXTS)
    lengths = np.linalg.norm(found, axis=1)
    if not np.allclose(lengths, 1, atol=1e-3):
        raise ModelError(f"the converted model fails its self-test: vectors of length {lengths.min():.3f}")
    if encoder.encode(["", " \n"]).any():
        raise ModelError("the converted model fails its self-test: an empty text has a direction")
    agreement = float((wanted * found).sum(axis=1).min())
    if agreement < AGREEMENT:
        raise ModelError(f"the converted model fails its self-test: cosine {agreement:.3f} to the original")
    return agreement
