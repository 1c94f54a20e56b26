"""What the benchmarks of quality share: the collections beside the checkout, the model, its vectors kept."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from platformdirs import user_cache_path

from bench._peers import Averaged, Fts5, Sanity, Substrings
from paperdigest.app.semantic import look
from paperdigest.config import load_settings
from paperdigest.evaluation import Collection, System, find_collections, read_collection
from paperdigest.pipeline.encoding import CachedEncoder
from paperdigest.store import Store
from paperdigest.store.vectors import Vectors

__all__ = ["COLLECTIONS", "collections", "encoder", "peers", "say"]

COLLECTIONS = Path(__file__).resolve().parents[2] / "shared" / "collections"


@contextmanager
def encoder() -> Iterator[CachedEncoder | None]:
    """Give the installed model with the vectors that ``eval ranking`` keeps; None, and say so, without one."""
    state = look(load_settings())
    if state.encoder is None:
        say(f"{state.method}; what needs vectors is left out (paperdigest model install)")
        yield None
        return
    folder = user_cache_path("paperdigest")
    folder.mkdir(parents=True, exist_ok=True)
    store = Store.open(folder / "evaluation.db", create=True)
    try:
        yield CachedEncoder(Vectors(store.database), state.encoder)
    finally:
        store.close()


def collections(*folders: Path) -> Iterator[Collection]:
    """Read the collections in some folders, by default in the one beside the checkout; none when it is not there."""
    if not folders and not COLLECTIONS.is_dir():
        say(f"no relevance collections at {COLLECTIONS}; nothing is measured")
        return
    for folder in find_collections(folders or (COLLECTIONS,)):
        yield read_collection(folder)


def peers(model: CachedEncoder | None) -> list[System]:
    """Return the systems that can be had here."""
    found: list[System] = [Substrings(), Fts5()]
    if find_spec("sklearn") is None:
        say("scikit-learn is not installed, which arxiv-sanity-lite's ranking needs; it is left out")
    else:
        found.append(Sanity())
    if model is not None:
        found.append(Averaged(model))
    return found


def say(text: str) -> None:
    """Tell the person at the terminal; the table alone goes to standard output."""
    print(text, file=sys.stderr, flush=True)
