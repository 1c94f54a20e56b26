"""The installed model as an encoder that costs nothing until it is asked for a vector."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from paperdigest.errors import ModelError
from paperdigest.semantic.extra import check_extra, needing_extra
from paperdigest.semantic.manifest import MODEL, TOKENIZER, Manifest, read_manifest, verify

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from paperdigest.semantic.encoder import OnnxEncoder

__all__ = ["InstalledEncoder"]


class InstalledEncoder:
    """An `Encoder`. Its name and dimensions are known from the manifest; the model is loaded with the first text.

    Most runs find every vector in the store and need no more than the name. Safe to use from several threads.
    """

    def __init__(self, folder: Path, *, threads: int = 2) -> None:
        """Look what is installed in ``folder``; ``threads`` texts will be encoded at once.

        Raises:
            ModelError: nothing is installed there, it is damaged, or the extra is missing.
        """
        manifest = read_manifest(folder)
        if manifest is None:
            raise ModelError(f"no vector model is installed in {folder}", "Run: paperdigest model install")
        check_extra("onnxruntime", "tokenizers")
        self.name = manifest.encoder
        self.dimensions = manifest.dimensions
        self.manifest = manifest
        self._folder, self._threads = folder, threads
        self._lock = threading.Lock()
        self._loaded: OnnxEncoder | None = None

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one vector a text (see `semantic.encoder`).

        Raises:
            ModelError: the model is damaged, cannot be loaded, or failed.
        """
        with self._lock:
            if self._loaded is None:
                self._loaded = _load(self._folder, self.manifest, self._threads)
        return self._loaded.encode(texts)


def _load(folder: Path, manifest: Manifest, threads: int) -> OnnxEncoder:
    with needing_extra():
        from paperdigest.semantic.encoder import OnnxEncoder  # noqa: PLC0415 - the extra may be absent
    verify(folder, manifest)
    model, tokenizer = (folder / MODEL).read_bytes(), (folder / TOKENIZER).read_text(encoding="utf-8")
    return OnnxEncoder(manifest.encoder, model, tokenizer, threads=threads)
