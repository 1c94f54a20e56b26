"""The installed model itself: what it finds near, and that it finds the same whatever stands beside."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from paperdigest.semantic import MINILM, InstalledEncoder, read_manifest

KEYWORDS = ("software traceability", "Hessian matrix", "bandits", "trace")
TITLES = (
    "Recovering traceability links between requirements and source code",
    "Estimating the trace of the Hessian of deep networks",
    "Regret bounds for stochastic multi-armed bandits",
    "Execution traces for debugging distributed programs",
)
ODD = (
    "",
    " \n\t",
    "\0\x1b[31m",
    "😀",
    "\ud800",
    "データの追跡可能性",
    "Rückverfolgbarkeit von Anforderungen",
    "x" * 1_000_000,
    "trace " * 200_000,
)


@pytest.fixture(scope="module")
def encoder(model: Path) -> InstalledEncoder:
    return InstalledEncoder(model)


def test_it_is_the_pinned_model(encoder: InstalledEncoder, model: Path) -> None:
    manifest = read_manifest(model)
    assert manifest is not None
    assert manifest.weights_sha256 == MINILM.weights.sha256
    assert (encoder.name, encoder.dimensions) == ("all-MiniLM-L6-v2/int8/256", 384)
    assert manifest.size_bytes < 25e6


def test_a_keyword_is_nearest_to_the_title_on_its_subject(encoder: InstalledEncoder) -> None:
    cosines = encoder.encode(KEYWORDS) @ encoder.encode(TITLES).T
    assert cosines[:3].argmax(axis=1).tolist() == [0, 1, 2]
    assert cosines[0, 0] > cosines[0, 1] + 0.2  # software traceability is not about the trace of a matrix


def test_known_cosines_of_the_original_model_are_kept(encoder: InstalledEncoder) -> None:
    # Made with the float32 graph of the same weights; int8 moved cosines by at most 0.03 here.
    wanted = [0.781, 0.309, 0.041, 0.685]
    found = encoder.encode(KEYWORDS[:1]) @ encoder.encode(TITLES).T
    assert np.abs(found - wanted).max() < 0.05


def test_vectors_do_not_depend_on_company_order_or_number(encoder: InstalledEncoder) -> None:
    draw = random.Random(7)
    words = ("trace", "link", "code", "graph", "model", "proof", "of", "the", "a", "network", "paper", "bound")
    texts = [" ".join(draw.choices(words, k=draw.randrange(1, 300))) for _ in range(24)]
    whole = encoder.encode(texts)
    mixed = draw.sample(range(24), 24)
    assert (encoder.encode([texts[at] for at in mixed]) == whole[mixed]).all()
    assert all((encoder.encode([texts[at]])[0] == whole[at]).all() for at in (0, 11, 23))
    assert (encoder.encode(texts[3:8]) == whole[3:8]).all()


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_texts_have_a_unit_vector_or_none(encoder: InstalledEncoder, text: str) -> None:
    (vector,) = encoder.encode([text])
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4) or not vector.any()


def test_a_text_without_words_is_near_to_nothing(encoder: InstalledEncoder) -> None:
    assert not encoder.encode(["", "  ", "\x07"]).any()
