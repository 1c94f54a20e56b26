"""The vector model with everything it needs, made from the settings."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from paperdigest.app.ranking import REFERENCE
from paperdigest.config import Settings
from paperdigest.errors import ModelError
from paperdigest.pipeline.encoding import CachedEncoder
from paperdigest.semantic import MINILM, InstalledEncoder, Manifest, ModelSpec, install
from paperdigest.store import Store, archive
from paperdigest.store.vectors import Vectors

__all__ = ["ModelState", "Stored", "encoder", "folder", "install_model", "look", "newest_texts", "stored"]

ENVIRONMENT = "PAPERDIGEST_MODEL"

AT_MOST = 20_000
"""Papers that one fetch encodes: some minutes, and 30 MB of text. Ranking encodes what else it comes upon."""


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


def tried(state: ModelState) -> ModelState:
    """Return what there is of the model once it has made a vector: a file that was damaged since is found so."""
    if state.encoder is None:
        return state
    try:
        state.encoder.encode(["a text"])
    except ModelError as error:
        return replace(state, encoder=None, problem=error.problem)
    return state


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
    texts = newest_texts(store, REFERENCE)
    left = len(CachedEncoder(vectors, state.encoder).without_vector(texts))
    kept = vectors.models().get(state.encoder.name, 0)
    return Stored(papers=len(texts), encoded=len(texts) - left, vectors=kept)


def newest_texts(store: Store, count: int) -> list[str]:
    """Return the texts of the newest papers, each text once: at least `REFERENCE`, at most `AT_MOST`.

    Raises:
        StoreError: in words.
    """
    papers = archive.reference(store.database, min(max(count, REFERENCE), AT_MOST))
    return list(dict.fromkeys(stored.paper.text for stored in papers))
