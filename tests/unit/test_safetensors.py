"""The reader of weights: right files, and every kind of wrong one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paperdigest.semantic.weights import WeightsError, read_tensors, sha256_of
from tests import tiny_model


def packed(header: Any, body: bytes = b"\0" * 16, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + body


def one(**changes: Any) -> dict[str, Any]:
    return {"t": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]} | changes}


def test_tensors_come_back_as_they_were_written(tmp_path: Path) -> None:
    wanted = tiny_model.weights()
    (tmp_path / "w").write_bytes(tiny_model.safetensors(wanted))
    found = read_tensors(tmp_path / "w")
    assert found.keys() == wanted.keys()  # the one of another type is left out
    assert all((found[name] == wanted[name]).all() for name in wanted)
    assert all(tensor.dtype == np.float32 for tensor in found.values())


def test_a_mapped_tensor_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(packed(one()))
    with pytest.raises(ValueError, match="read-only"):
        read_tensors(tmp_path / "w")["t"][0, 0] = 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x10",
        b"\0" * 8,
        packed(one(), length=2**63),
        packed(one(), length=2_000_000),
        packed(json.dumps(one()).encode() + b" " * 1_000_000),
        packed(b"{" * 100_000),
        packed(b'{"a":' * 5_000),
        packed(b"\xff\xfe"),
        packed([1, 2]),
        packed({"t": 3}),
        packed({"t": {}}),
        packed({"t": None}),
        packed(one(data_offsets=[0, 16, 17])),
        packed(one(data_offsets=[8, 0])),
        packed(one(data_offsets=[0, 17])),
        packed(one(data_offsets=[0, 12])),
        packed(one(data_offsets=[-16, 0])),
        packed(one(data_offsets=["0", "16"])),
        packed(one(data_offsets=[0.0, 16.0])),
        packed(one(data_offsets=None)),
        packed(one(shape=[2, 3])),
        packed(one(shape=[-2, -2])),
        packed(one(shape=[True, 4])),
        packed(one(shape=[10**30])),
        packed(one(shape=5)),
        packed(one(shape=[1] * 1000 + [4])),
        packed(one(shape=[0, 10**30], data_offsets=[0, 0])),
    ],
    ids=range(28),
)
def test_a_file_that_is_not_what_it_claims_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w").write_bytes(content)
    with pytest.raises(WeightsError):
        read_tensors(tmp_path / "w")


def test_the_digest_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(b"abc")
    assert sha256_of(tmp_path / "w") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
