"""Texts as long as abstracts, and the least that encodes them: onnxruntime on token batches that are ready.

Run as a script, it encodes once with one side and prints the bytes that this added to the process:
``python -m bench._encoders ours|padded``.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from paperdigest.semantic.encoder import MAX_TOKENS, OnnxEncoder

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(os.environ.get("PAPERDIGEST_MODEL") or ROOT / ".cache" / "model")
TEXTS = 64
PADDED = 32
THREADS = 2

_PROSE = """trace model learning graph data method results of the a in for with we show neural software analysis robust
sparse attention language retrieval bounds proof network inference causal field theory quantum measurement"""
_WORDS = _PROSE.split()

Batch = dict[str, NDArray[np.int64]]


def texts() -> list[str]:
    """Return texts of 60 to 300 words: 190 tokens on average, a few of them cut."""
    draw = random.Random(20260414)
    return [" ".join(draw.choices(_WORDS, k=round(draw.triangular(60, 300, 180)))) for _ in range(TEXTS)]


def ours() -> Callable[[], object]:
    """Return encoding as the product does it, tokens and all."""
    model, tokenizer = (FOLDER / "model.onnx").read_bytes(), (FOLDER / "tokenizer.json").read_text("utf-8")
    encoder = OnnxEncoder("bench", model, tokenizer, threads=THREADS)
    wanted = texts()
    return lambda: encoder.encode(wanted)


def padded() -> Callable[[], object]:
    """Return bare onnxruntime on batches of 32 sorted by length and padded: the usual way."""
    session = _session(THREADS)
    rows = sorted(_tokens(), key=len)
    batches = [_batch(rows[start : start + PADDED]) for start in range(0, len(rows), PADDED)]
    return lambda: [session.run(None, batch) for batch in batches]


def alone() -> Callable[[], object]:
    """Return bare onnxruntime on the batches of the product: one text each, as many at once as there are threads."""
    session = _session(1)
    batches = [_batch([row]) for row in _tokens()]

    def run() -> object:
        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(lambda batch: session.run(None, batch), batches))

    return run


def _session(threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(FOLDER / "model.onnx", options, providers=["CPUExecutionProvider"])


def _tokens() -> list[list[int]]:
    tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return [encoding.ids for encoding in tokenizer.encode_batch(texts())]


def _batch(rows: Sequence[list[int]]) -> Batch:
    width = max(map(len, rows))
    ids = np.array([row + [0] * (width - len(row)) for row in rows], np.int64)
    mask = np.array([[1] * len(row) + [0] * (width - len(row)) for row in rows], np.int64)
    return {"input_ids": ids, "attention_mask": mask}


def main(side: str) -> None:
    """Print how many bytes loading the model and encoding added to the process's peak."""
    before = _peak_bytes()
    {"ours": ours, "padded": padded}[side]()()
    print(_peak_bytes() - before)


def _peak_bytes() -> int:
    """Return the most memory this process ever held; getrusage would count what its parent held before."""
    (line,) = (line for line in Path("/proc/self/status").read_text("ascii").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main(sys.argv[1])
