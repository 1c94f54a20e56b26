"""The self-test of a conversion, on the machine that will use it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from paperdigest.errors import ModelError
from paperdigest.semantic.encoder import OnnxEncoder

__all__ = ["AGREEMENT", "Trial", "try_out"]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """``agreement`` is the least cosine between exact and converted vectors over a few fixed texts."""

    agreement: float
    dimensions: int


def try_out(exact: bytes, model: bytes, tokenizer: str) -> Trial:
    """Compare the converted ``model`` with the ``exact`` one (both ONNX).

    Raises:
        ModelError: they disagree, a vector is not of length 1, or a text without words has one.
    """
    # One after the other: two models at once would double the memory.
    wanted = OnnxEncoder("exact", exact, tokenizer, threads=1).encode(TEXTS)
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
    return Trial(agreement=agreement, dimensions=encoder.dimensions)
