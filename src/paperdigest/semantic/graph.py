"""The model as an ONNX graph, built from its tensors: no other framework has a part in it.

A BERT encoder (Devlin et al. 2019, as in MiniLM, Wang et al. 2020) with mean pooling and unit length
(Reimers & Gurevych 2019)::

    x = norm(word[ids] + position[0..] + type[0])
    each layer:  x = norm(x + dense(attention(x)));  x = norm(x + dense(gelu(dense(x))))
    embedding = unit(sum(x * mask) / sum(mask))

Attention is softmax(q k' / sqrt(width of a head) + (1 - mask) * -10000) v for each head. Queries, keys and
values are one product, and 1/sqrt(width) is part of the weights: the same numbers with fewer steps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

__all__ = ["Precision", "build_graph", "layers_of"]

Precision = Literal["float32", "int8"]
Weights = Mapping[str, NDArray[np.float32]]

OPSET = 20
IR_VERSION = 9
EPSILON = 1e-12  # of the layer norms
NO_ATTENTION = -1e4

FACTOR_STEPS = 63
"""What int8 matrices go up to. Processors without VNNI add two products of a byte and such a value in 16 bits, cut
off at 32767: 2 * 255 * 63 stays below, so every processor gets the same sums. It costs no quality (nDCG@10 of the
vectors alone, 127 / 63 steps: inspec-terms .4433 / .4435, cisi .4195 / .4237)."""


def layers_of(names: Sequence[str]) -> int:
    """Return how many layers tensors of these names make up."""
    return len({name.split(".")[2] for name in names if name.startswith("encoder.layer.")})


def build_graph(weights: Weights, *, heads: int, precision: Precision) -> bytes:
    """Return the serialised model.

    Inputs ``input_ids`` and ``attention_mask``: int64, (texts, tokens). Output ``embedding``: float32,
    (texts, width), rows of length 1.

    Args:
        weights: the tensors by their names in BERT; matrices are (out, in).
        heads: attention heads; the width of the model is a multiple of it.
        precision: ``int8`` keeps every matrix as int8 with one scale per output channel (word vectors: per word)
            and quantises what is multiplied with it at run time.
    """
    graph = _Graph(precision)
    graph.add("Identity", [_network(graph, weights, heads)], output="embedding")
    width = weights["embeddings.word_embeddings.weight"].shape[1]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    graph.inner.input.extend(inputs)
    graph.inner.output.append(helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["texts", width]))
    content: bytes = graph.model.SerializeToString()
    return content


def _network(graph: _Graph, weights: Weights, heads: int) -> str:
    mask = graph.add("Cast", ["attention_mask"], to=TensorProto.FLOAT)
    hidden = _embedded(graph, weights)
    bias = _attention_bias(graph, mask)
    for number in range(layers_of(list(weights))):
        prefix = f"encoder.layer.{number}."
        attended = _attention(graph, weights, prefix + "attention.", hidden, bias, heads)
        hidden = _normed(graph, weights, prefix + "attention.output.LayerNorm", hidden, attended)
        inner = graph.add("Gelu", [_dense(graph, weights, prefix + "intermediate.dense", hidden)])
        outer = _dense(graph, weights, prefix + "output.dense", inner)
        hidden = _normed(graph, weights, prefix + "output.LayerNorm", hidden, outer)
    return _pooled(graph, hidden, mask)


def _embedded(graph: _Graph, weights: Weights) -> str:
    positions = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    length = graph.add("Shape", ["input_ids"], start=1, end=2)
    zero = graph.constant(np.zeros(1, np.int64))
    place = graph.add("Slice", [graph.constant(positions), zero, length])
    word = graph.rows(weights["embeddings.word_embeddings.weight"], "input_ids")
    return _normed(graph, weights, "embeddings.LayerNorm", word, place)


def _attention_bias(graph: _Graph, mask: str) -> str:
    """0 where a token may be looked at, else far below every score; shape (texts, 1, 1, tokens)."""
    absent = graph.add("Sub", [graph.constant(np.float32(1)), mask])
    wide = graph.add("Unsqueeze", [absent, graph.constant(np.array([1, 2], np.int64))])
    return graph.add("Mul", [wide, graph.constant(np.float32(NO_ATTENTION))])


def _attention(graph: _Graph, weights: Weights, prefix: str, hidden: str, bias: str, heads: int) -> str:
    names = [f"{prefix}self.{name}" for name in ("query", "key", "value")]
    width = weights[f"{names[0]}.weight"].shape[0]
    scale = np.array([1 / math.sqrt(width // heads), 1, 1], np.float32)
    matrix = np.concatenate([weights[f"{name}.weight"] * by for name, by in zip(names, scale, strict=True)])
    offset = np.concatenate([weights[f"{name}.bias"] * by for name, by in zip(names, scale, strict=True)])
    together = graph.linear(hidden, matrix, offset)
    split = graph.constant(np.full(3, width, np.int64))
    parts = graph.add_many("Split", [together, split], 3, axis=2)
    by_head = graph.constant(np.array([0, 0, heads, width // heads], np.int64))
    query, key, value = (
        graph.add("Transpose", [graph.add("Reshape", [part, by_head])], perm=perm)
        for part, perm in zip(parts, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]), strict=True)
    )
    scores = graph.add("Add", [graph.add("MatMul", [query, key]), bias])
    mixed = graph.add("MatMul", [graph.add("Softmax", [scores], axis=-1), value])
    flat = graph.constant(np.array([0, 0, width], np.int64))
    joined = graph.add("Reshape", [graph.add("Transpose", [mixed], perm=[0, 2, 1, 3]), flat])
    return _dense(graph, weights, prefix + "output.dense", joined)


def _dense(graph: _Graph, weights: Weights, name: str, value: str) -> str:
    return graph.linear(value, weights[f"{name}.weight"], weights[f"{name}.bias"])


def _normed(graph: _Graph, weights: Weights, name: str, left: str, right: str) -> str:
    total = graph.add("Add", [left, right])
    scale, bias = (graph.constant(weights[f"{name}.{part}"]) for part in ("weight", "bias"))
    return graph.add("LayerNormalization", [total, scale, bias], axis=-1, epsilon=EPSILON)


def _pooled(graph: _Graph, hidden: str, mask: str) -> str:
    tokens, last = graph.constant(np.array([1], np.int64)), graph.constant(np.array([2], np.int64))
    kept = graph.add("Mul", [hidden, graph.add("Unsqueeze", [mask, last])])
    count = graph.add("Max", [graph.add("ReduceSum", [mask, tokens], keepdims=1), graph.constant(np.float32(1))])
    mean = graph.add("Div", [graph.add("ReduceSum", [kept, tokens], keepdims=0), count])
    length = graph.add("ReduceL2", [mean, tokens], keepdims=1)
    return graph.add("Div", [mean, graph.add("Max", [length, graph.constant(np.float32(1e-12))])])


class _Graph:
    """Collects nodes and constants; every method returns the name of the value it made."""

    def __init__(self, precision: Precision) -> None:
        # Filled in place: the helpers that put whole graphs together copy all tensors, twice.
        self.model = ModelProto(ir_version=IR_VERSION, producer_name="paperdigest")
        self.model.opset_import.append(helper.make_opsetid("", OPSET))
        self.inner = self.model.graph
        self.inner.name = "encoder"
        self._precision = precision

    def constant(self, value: NDArray[np.generic] | np.generic) -> str:
        name = f"c{len(self.inner.initializer)}"
        self.inner.initializer.append(
            numpy_helper.from_array(np.ascontiguousarray(value).reshape(np.shape(value)), name)
        )
        return name

    def add(self, operator: str, inputs: Sequence[str], *, output: str | None = None, **attributes: Any) -> str:
        name = output or f"v{len(self.inner.node)}"
        self.inner.node.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def add_many(self, operator: str, inputs: Sequence[str], count: int, **attributes: Any) -> list[str]:
        names = [f"v{len(self.inner.node)}_{number}" for number in range(count)]
        self.inner.node.append(helper.make_node(operator, inputs, names, **attributes))
        return names

    def linear(self, value: str, matrix: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
        """Return value @ matrix' + bias."""
        if self._precision == "float32":
            return self.add("Add", [self.add("MatMul", [value, self.constant(matrix.T)]), self.constant(bias)])
        whole, scales = quantised(matrix, FACTOR_STEPS)
        narrow, scale, zero = self.add_many("DynamicQuantizeLinear", [value], 3)
        product = self.add("MatMulInteger", [narrow, self.constant(whole.T), zero])
        factor = self.add("Mul", [scale, self.constant(scales)])
        return self.add(
            "Add", [self.add("Mul", [self.add("Cast", [product], to=TensorProto.FLOAT), factor]), self.constant(bias)]
        )

    def rows(self, table: NDArray[np.float32], ids: str) -> str:
        """Return the rows of ``table`` that ``ids`` name."""
        if self._precision == "float32":
            return self.add("Gather", [self.constant(table), ids], axis=0)
        whole, scales = quantised(table, 127)
        row = self.add("Cast", [self.add("Gather", [self.constant(whole), ids], axis=0)], to=TensorProto.FLOAT)
        return self.add("Mul", [row, self.add("Gather", [self.constant(scales[:, None]), ids], axis=0)])


def quantised(matrix: NDArray[np.float32], steps: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return values in [-steps, steps] and one scale a row: values * scale is within scale / 2 of ``matrix``."""
    scales = np.abs(matrix).max(axis=1) / steps
    scales[scales == 0] = 1
    whole = np.rint(matrix / scales[:, None]).astype(np.int8)
    return whole, scales.astype(np.float32)
