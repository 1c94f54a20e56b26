"""The vector model: text to vectors, so that papers are near a topic that share no word with it.

An extra (``pip install "paperdigest[semantic]"``) and a model to be installed (`install`); without either,
ranking goes by words alone. Nothing here imports the packages of the extra before they are needed.
"""

from __future__ import annotations

from paperdigest.semantic.catalogue import MINILM, ModelSpec, PinnedFile
from paperdigest.semantic.installed import InstalledEncoder
from paperdigest.semantic.installing import install
from paperdigest.semantic.manifest import Manifest, read_manifest

__all__ = ["MINILM", "InstalledEncoder", "Manifest", "ModelSpec", "PinnedFile", "install", "read_manifest"]
