"""Whatever the bytes, the reader of weights refuses them in words or reads what is inside."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from paperdigest.semantic.weights import WeightsError, read_tensors

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
_ENTRY = st.fixed_dictionaries(
    {"dtype": st.sampled_from(["F32", "I64", 4]), "shape": _JSON, "data_offsets": _JSON}
) | st.fixed_dictionaries(
    {
        "dtype": st.just("F32"),
        "shape": st.lists(st.integers(-1, 4), max_size=3),
        "data_offsets": st.tuples(st.integers(-1, 40), st.integers(-1, 40)),
    }
)
_HEADER = st.dictionaries(st.text(max_size=4), _ENTRY | _JSON, max_size=3).map(lambda value: json.dumps(value).encode())


@given(header=_HEADER | st.binary(max_size=40), body=st.binary(max_size=40), wrong=st.integers(-3, 3) | st.just(0))
def test_no_bytes_do_harm(header: bytes, body: bytes, wrong: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights"
        path.write_bytes(max(0, len(header) + wrong).to_bytes(8, "little") + header + body)
        try:
            found = read_tensors(path)
        except WeightsError:
            return
        assert all(tensor.nbytes <= len(body) + 3 for tensor in found.values())
