"""Read tensors from a safetensors file without believing it.

The format: 8 bytes with the length of the header (little-endian), the header as JSON
(``{name: {dtype, shape, data_offsets: [begin, end]}}``, offsets counted from the header's end), then raw
little-endian numbers. Source: the description of the format in the safetensors repository.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["WeightsError", "read_tensors", "sha256_of"]

HEADER_LIMIT = 1_000_000
LENGTH_BYTES = 8
_PIECE = 1 << 20


class WeightsError(ValueError):
    """The bytes are no safetensors file with float32 tensors."""


def sha256_of(path: Path) -> str:
    """Return the hexadecimal digest of a file, read in pieces.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def read_tensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return the float32 tensors of a file, mapped and not copied; tensors of other types are left out.

    Raises:
        WeightsError: the file is not what it claims to be; nothing outside of it was read.
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(LENGTH_BYTES), "little")
        if size < LENGTH_BYTES or length > min(HEADER_LIMIT, size - LENGTH_BYTES):
            raise WeightsError(f"a header of {length} bytes in a file of {size}")
        header = _parsed(stream.read(length))
    start = LENGTH_BYTES + length
    data = np.memmap(path, np.uint8, "r") if size else np.empty(0, np.uint8)
    found = {name: _tensor(name, entry, data[start:]) for name, entry in header.items() if name != "__metadata__"}
    return {name: tensor for name, tensor in found.items() if tensor is not None}


def _parsed(header: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"the header is no JSON: {type(error).__name__}") from error
    if not isinstance(value, dict):
        raise WeightsError("the header is no JSON object")
    return value


def _tensor(name: str, entry: Any, data: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    try:
        dtype, shape, (begin, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
    except (TypeError, KeyError, ValueError) as error:
        raise WeightsError(f"tensor {name!r} is not described") from error
    numbers = (*shape, begin, end)
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise WeightsError(f"tensor {name!r} has a shape or place that is none")
    if not begin <= end <= len(data):
        raise WeightsError(f"tensor {name!r} lies outside of the file")
    if dtype != "F32":
        return None
    if math.prod(shape) * 4 != end - begin:
        raise WeightsError(f"tensor {name!r} of shape {shape} has {end - begin} bytes")
    try:
        return data[begin:end].view("<f4").reshape(shape)
    except (ValueError, OverflowError) as error:
        raise WeightsError(f"tensor {name!r} has a shape that cannot be: {error}") from error
