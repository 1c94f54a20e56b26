"""The vector model with everything it needs, made from the settings."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from paperdigest.config import Settings
from paperdigest.errors import ModelError, PaperDigestError
from paperdigest.pipeline import encoding
from paperdigest.pipeline.encoding import CachedEncoder
from paperdigest.semantic import MINILM, InstalledEncoder, Manifest, ModelSpec, install
from paperdigest.store import Store
from paperdigest.store.vectors import Vectors

__all__ = ["LOOKED_AT", "ModelState", "Stored", "encode_new", "encoder", "folder", "install_model", "look", "stored"]

ENVIRONMENT = "PAPERDIGEST_MODEL"

LOOKED_AT = 2000
"""The newest papers, which scores are measured against: these at least have vectors after a fetch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelState:
    """What there is of the model. ``problem`` says why it is not used, None when it is."""

    folder: Path
    encoder: InstalledEncoder | None
    manifest: Manifest | None
    problem: str | None

    @property
    def method(self) -> str:
        """What ranking goes by, in words."""
        if self.encoder is not None:
            return f"words and vectors ({self.encoder.name})"
        return f"words alone ({self.problem})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Of the newest ``papers``, ``encoded`` have a vector; ``vectors`` are stored of this model, keywords and all."""

    papers: int
    encoded: int
    vectors: int


def folder(settings: Settings) -> Path:
    """Return where the model lives or would live."""
    named = os.environ.get(ENVIRONMENT)
    return Path(named).absolute() if named else settings.file(settings.semantic.folder, f"models/{MINILM.name}")


def look(settings: Settings) -> ModelState:
    """Look what is installed, without loading it."""
    place = folder(settings)
    if not settings.semantic.enabled:
        return ModelState(folder=place, encoder=None, manifest=None, problem="[semantic] enabled = false")
    try:
        found = InstalledEncoder(place, threads=settings.semantic.threads)
    except ModelError as error:
        return ModelState(folder=place, encoder=None, manifest=None, problem=error.problem)
    return ModelState(folder=place, encoder=found, manifest=found.manifest, problem=None)


def encoder(settings: Settings, store: Store) -> CachedEncoder | None:
    """Return the model with the vectors kept in ``store``, None when it cannot be used."""
    found = look(settings).encoder
    return None if found is None else CachedEncoder(Vectors(store.database), found)


def install_model(
    settings: Settings, *, now: datetime, origin: Path | None, say: Callable[[str], None], spec: ModelSpec = MINILM
) -> Manifest:
    """Install the model where the settings want it (see `semantic.install`).

    Raises:
        ModelError: in words.
    """
    return install(folder(settings), now=now, origin=origin, say=say, spec=spec)


def stored(store: Store, state: ModelState) -> Stored | None:
    """Count papers and vectors; None without a model.

    Raises:
        StoreError: in words.
    """
    if state.encoder is None:
        return None
    vectors = Vectors(store.database)
    encoded, papers = encoding.count_encoded(store, CachedEncoder(vectors, state.encoder), LOOKED_AT)
    return Stored(papers=papers, encoded=encoded, vectors=vectors.models().get(state.encoder.name, 0))


def encode_new(store: Store, cached: CachedEncoder, new: int, progress: Callable[[int], None]) -> str | None:
    """Encode the newest papers, ``new`` of them at least; return what went wrong, None when nothing did.

    A fetch must not fail for it: ranking encodes what it needs, or goes without.
    """
    try:
        encoding.encode_newest(store, cached, max(new, LOOKED_AT), progress)
    except PaperDigestError as error:
        return f"the new papers have no vectors yet: {error}"
    return None
