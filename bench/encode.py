"""Encoding texts as vectors: against bare onnxruntime, on its usual padded batches and on ours."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from bench import _encoders
from bench.timing import Row, paired


def run() -> Iterator[Row]:
    """Yield the rows; without an installed model there are none, which is said."""
    if not (_encoders.FOLDER / "model.onnx").exists():
        print(f"encode: left out, no model in {_encoders.FOLDER}", file=sys.stderr)
        return
    what = f"{_encoders.TEXTS} texts of 190 tokens"
    ours = _encoders.ours()
    yield paired(ours, _encoders.alone(), pairs=7).times_faster(0.9, f"{what} | onnxruntime, the same batches")
    usual = _encoders.padded()
    padded = f"{what} | onnxruntime, padded batches of {_encoders.PADDED}"
    yield paired(ours, usual, pairs=3).times_faster(0.9, padded)
    wall = paired(ours, usual, pairs=5, clock=time.perf_counter)
    yield wall.times_faster(0.9, padded, f"wall time; ours {_encoders.TEXTS / wall.ours_s:.0f} texts/s")
    yield _memory()


def _memory() -> Row:
    mine, theirs = (_bytes_added(side) for side in ("ours", "padded"))
    return Row(
        name=f"memory to load and encode | padded batches of {_encoders.PADDED}",
        ours_s=mine,
        peer_s=theirs,
        ratio=mine / theirs,
        limit=1,
        unit="B",
        note="added to the peak of a process",
    )


def _bytes_added(side: str) -> int:
    command = [sys.executable, "-m", "bench._encoders", side]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
