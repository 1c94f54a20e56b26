"""The graph against the same network written down in numpy, and the encoder on top of it."""

from __future__ import annotations

import math

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from paperdigest.errors import ModelError
from paperdigest.semantic.encoder import MAX_CHARACTERS, MAX_TOKENS, OnnxEncoder
from paperdigest.semantic.graph import FACTOR_STEPS, Precision, build_graph, quantised
from paperdigest.semantic.trial import try_out, vectors_of
from tests import tiny_model
from tests.tiny_model import HEADS, LAYERS, WIDTH, WORDS

Array = NDArray[np.float64]
TEXTS = (
    "trace",
    "software traces",
    "the trace of the matrix",
    "links of code",
    "graph graph code the of " * 30,
    "the software",
)


def reference(weights: dict[str, NDArray[np.float32]], ids: list[int]) -> Array:
    """The network as its papers describe it, for one text."""
    w = {name: tensor.astype(np.float64) for name, tensor in weights.items()}

    def norm(x: Array, name: str) -> Array:
        spread = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        found: Array = spread * w[f"{name}.weight"] + w[f"{name}.bias"]
        return found

    def dense(x: Array, name: str) -> Array:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def gelu(x: Array) -> Array:
        found: Array = x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))
        return found

    x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    size = WIDTH // HEADS
    for layer in range(LAYERS):
        start = f"encoder.layer.{layer}."
        query, key, value = (dense(x, f"{start}attention.self.{name}") for name in ("query", "key", "value"))
        heads = []
        for head in (slice(at * size, (at + 1) * size) for at in range(HEADS)):
            scores = np.exp(query[:, head] @ key[:, head].T / math.sqrt(size))
            heads.append(scores / scores.sum(-1, keepdims=True) @ value[:, head])
        attended = dense(np.concatenate(heads, -1), f"{start}attention.output.dense")
        x = norm(x + attended, f"{start}attention.output.LayerNorm")
        inner = gelu(dense(x, f"{start}intermediate.dense"))
        x = norm(x + dense(inner, f"{start}output.dense"), f"{start}output.LayerNorm")
    mean = x.mean(0)
    found: Array = mean / np.linalg.norm(mean)
    return found


def run(model: bytes, rows: list[list[int]]) -> NDArray[np.float32]:
    """Run the bare model on rows of different lengths, padded."""
    width = max(map(len, rows))
    ids = np.array([row + [0] * (width - len(row)) for row in rows], np.int64)
    mask = np.array([[1] * len(row) + [0] * (width - len(row)) for row in rows], np.int64)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"input_ids": ids, "attention_mask": mask})
    return np.asarray(found)


ROWS = [[2, 4, 3], [2, 5, 6, 7, 9, 3], [2, 10, 11, 4, 12, 12, 8, 3], [2, 3]]


def test_the_float32_graph_computes_what_the_network_is() -> None:
    weights = tiny_model.weights()
    found = run(build_graph(weights, heads=HEADS, precision="float32"), ROWS)
    wanted = np.array([reference(weights, row) for row in ROWS])
    assert np.abs(found - wanted).max() < 1e-5


def test_padding_does_not_change_what_the_float32_graph_says() -> None:
    model = build_graph(tiny_model.weights(), heads=HEADS, precision="float32")
    alone = np.concatenate([run(model, [row]) for row in ROWS])
    assert np.abs(run(model, ROWS) - alone).max() < 1e-5


def test_the_int8_graph_stays_near_the_float32_one_and_is_a_quarter_of_its_size() -> None:
    weights = tiny_model.weights()
    exact, narrow = (build_graph(weights, heads=HEADS, precision=p) for p in ("float32", "int8"))
    for row in ROWS:
        assert float(run(exact, [row])[0] @ run(narrow, [row])[0]) > 0.99
    matrices = sum(tensor.size for tensor in weights.values() if tensor.ndim == 2)
    places = weights["embeddings.position_embeddings.weight"].size  # stay as they are
    assert len(exact) - len(narrow) > 2.5 * (matrices - places - 2 * WIDTH) - 6000


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_the_graph_is_valid_onnx_of_the_stated_versions(precision: Precision) -> None:
    content = build_graph(tiny_model.weights(), heads=HEADS, precision=precision)
    onnx.checker.check_model(content, full_check=True)
    model = onnx.load_from_string(content)
    assert (model.ir_version, [(one.domain, one.version) for one in model.opset_import]) == (9, [("", 20)])


def test_the_same_weights_give_the_same_bytes() -> None:
    first, second = (build_graph(tiny_model.weights(), heads=HEADS, precision="int8") for _ in range(2))
    assert first == second


def test_quantised_rows_are_within_half_a_step_and_a_row_of_zeros_stays_one() -> None:
    matrix = np.array([[0.5, -1.0, 0.25], [0, 0, 0], [1e-6, 2e-6, -3e-6]], np.float32)
    for steps in (FACTOR_STEPS, 127):
        whole, scales = quantised(matrix, steps)
        assert whole.dtype == np.int8
        assert np.all(np.abs(whole * scales[:, None] - matrix) <= scales[:, None] / 2 * 1.001)
        assert not whole[1].any()
        assert whole[0, 1] == -steps


def test_no_processor_can_cut_off_the_sum_of_two_products() -> None:
    # Source: Intel's manual on VPMADDUBSW: unsigned bytes times signed ones, added in pairs with saturation.
    assert np.iinfo(np.int16).max >= 2 * 255 * FACTOR_STEPS
    model = onnx.load_from_string(build_graph(tiny_model.weights(), heads=HEADS, precision="int8"))
    constants = {one.name: onnx.numpy_helper.to_array(one) for one in model.graph.initializer}
    factors = [constants[node.input[1]] for node in model.graph.node if node.op_type == "MatMulInteger"]
    assert len(factors) == 4 * LAYERS
    assert all(np.abs(factor.astype(int)).max() == FACTOR_STEPS for factor in factors)


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    model = build_graph(tiny_model.weights(), heads=HEADS, precision="int8")
    return OnnxEncoder("tiny", model, tiny_model.tokenizer(), threads=2)


def test_a_text_has_the_same_vector_in_any_company_and_order(encoder: OnnxEncoder) -> None:
    together = encoder.encode(TEXTS)
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    backwards = encoder.encode(TEXTS[::-1])[::-1]
    many = encoder.encode(TEXTS * 60)[-len(TEXTS) :]
    assert (together == alone).all()
    assert (together == backwards).all()
    assert (together == many).all()


def test_one_thread_or_three_give_the_same_vectors(encoder: OnnxEncoder) -> None:
    model = build_graph(tiny_model.weights(), heads=HEADS, precision="int8")
    for threads in (0, 1, 3):
        other = OnnxEncoder("tiny", model, tiny_model.tokenizer(), threads=threads)
        assert (other.encode(TEXTS) == encoder.encode(TEXTS)).all()


def test_the_bare_model_does_depend_on_company_which_is_why_texts_are_encoded_alone(encoder: OnnxEncoder) -> None:
    model = build_graph(tiny_model.weights(), heads=HEADS, precision="int8")
    ids = [encoder.tokens(text) for text in TEXTS]
    assert np.abs(run(model, ids) - encoder.encode(TEXTS)).max() > 1e-4


@pytest.mark.parametrize(
    "text",
    ["", " \t\n", "\0", "\ud800", "😀", "日本語", "\x1b[31m", "\u202e\ufeff", "unheard", "x" * 1_000_000, "é" * 50],
)
def test_a_text_without_a_known_word_has_the_zero_vector(encoder: OnnxEncoder, text: str) -> None:
    assert not encoder.encode([text]).any()


@pytest.mark.parametrize("text", ["trace", "TRACE", "😀 trace \ud800\0", "trace " * 200_000, "unheard code"])
def test_a_text_with_a_known_word_has_a_vector_of_length_one(encoder: OnnxEncoder, text: str) -> None:
    assert np.linalg.norm(encoder.encode([text])[0]) == pytest.approx(1, abs=1e-5)


def test_only_the_first_tokens_count(encoder: OnnxEncoder) -> None:
    fitting = "code " * (MAX_TOKENS - 2)
    assert len(encoder.tokens(fitting + "trace")) == MAX_TOKENS
    assert (encoder.encode([fitting + "trace"]) == encoder.encode([fitting])).all()
    assert (encoder.encode([fitting[5:] + "trace"]) != encoder.encode([fitting])).any()


def test_what_lies_far_behind_is_not_even_looked_at(encoder: OnnxEncoder) -> None:
    assert encoder.encode([" " * (MAX_CHARACTERS - 5) + "trace"]).any()
    assert not encoder.encode([" " * MAX_CHARACTERS + "trace"]).any()


def test_no_text_has_no_vector(encoder: OnnxEncoder) -> None:
    assert encoder.encode([]).shape == (0, WIDTH)
    assert encoder.dimensions == WIDTH


def test_a_model_that_gives_nan_gives_the_zero_vector_instead() -> None:
    weights = tiny_model.weights()
    weights["embeddings.word_embeddings.weight"][WORDS.index("trace")] = np.nan
    model = build_graph(weights, heads=HEADS, precision="float32")
    encoder = OnnxEncoder("broken", model, tiny_model.tokenizer())
    found = encoder.encode(["trace", "code"])
    assert not found[0].any()
    assert found[1].any()


def test_bytes_that_are_no_model_are_refused_in_words() -> None:
    with pytest.raises(ModelError, match="onnxruntime cannot load"):
        OnnxEncoder("none", b"no model at all", tiny_model.tokenizer())


def test_the_self_test_finds_a_conversion_that_went_wrong() -> None:
    tokenizer = tiny_model.tokenizer()
    right = build_graph(tiny_model.weights(), heads=HEADS, precision="float32")
    wrong = build_graph(tiny_model.weights(seed=2), heads=HEADS, precision="int8")
    wanted = vectors_of(right, tokenizer)
    assert try_out(wanted, right, tokenizer) == pytest.approx(1)
    with pytest.raises(ModelError, match=r"self-test: cosine"):
        try_out(wanted, wrong, tokenizer)


def test_the_self_test_finds_a_model_that_gives_nothing() -> None:
    weights = tiny_model.weights()
    weights["embeddings.word_embeddings.weight"][:] = np.nan
    wanted = vectors_of(build_graph(tiny_model.weights(), heads=HEADS, precision="float32"), tiny_model.tokenizer())
    broken = build_graph(weights, heads=HEADS, precision="float32")
    with pytest.raises(ModelError, match=r"vectors of length 0\.000"):
        try_out(wanted, broken, tiny_model.tokenizer())
