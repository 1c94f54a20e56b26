"""Vectors of texts, kept under what they were made of: a model's name and a digest of the text.

So a paper whose text changes simply has no vector yet, two papers with one text share it, and keywords are
kept like papers. Vectors are stored as float16 (768 bytes for 384 dimensions; measured to cost no quality).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Connection, func, insert, select, text

from paperdigest.errors import StoreError
from paperdigest.store.chunking import chunks
from paperdigest.store.engine import Database
from paperdigest.store.ranking_tables import vector_models, vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DIGEST_BYTES", "Vectors", "digest_of"]

DIGEST_BYTES = 16
_STORED = np.dtype("<f2")
_PUT = text(
    "INSERT INTO vectors (model, digest, vector) VALUES (:model, :digest, :vector)"
    " ON CONFLICT (model, digest) DO UPDATE SET vector = excluded.vector"
)


def digest_of(text: str) -> bytes:
    """Return 16 bytes that stand for the text (BLAKE2b-128, RFC 7693)."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()


class Vectors:
    """The vectors of one database. Every method may raise StoreError; writers are all or nothing.

    ``model`` is an `Encoder`'s name, ``digest`` what `digest_of` makes of a text. A stored vector of a length
    that is not its model's (a damaged row) is as good as missing.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, model: str, digests: Sequence[bytes]) -> dict[bytes, NDArray[np.float16]]:
        """Return the vectors that are stored, by digest, in the order asked for; each read-only, shape (dimensions,).

        Needs memory for the result alone: ask in blocks where that is much.
        """
        wanted = select(vectors.c.digest, vectors.c.vector).where(vectors.c.model == model)
        found: dict[bytes, NDArray[np.float16]] = {}
        with self._database.reading() as connection:
            dimensions = _dimensions(connection, model)
            if dimensions is None:
                return {}
            for chunk in chunks(dict.fromkeys(digests)):
                rows = dict(connection.execute(wanted.where(vectors.c.digest.in_(chunk))).all())
                for digest in chunk:
                    vector = _read(rows.get(digest), dimensions)
                    if vector is not None:
                        found[digest] = vector
        return found

    def missing(self, model: str, digests: Sequence[bytes]) -> tuple[bytes, ...]:
        """Return the digests of which no usable vector is stored, each once, in the order given."""
        there: set[bytes] = set()
        with self._database.reading() as connection:
            dimensions = _dimensions(connection, model) or 0
            whole = select(vectors.c.digest).where(
                vectors.c.model == model, func.length(vectors.c.vector) == dimensions * _STORED.itemsize
            )
            for chunk in chunks(dict.fromkeys(digests)):
                there.update(connection.execute(whole.where(vectors.c.digest.in_(chunk))).scalars())
        return tuple(digest for digest in dict.fromkeys(digests) if digest not in there)

    def put(self, model: str, made: Mapping[bytes, NDArray[np.floating]]) -> None:
        """Store vectors in one transaction; one that is stored already is replaced.

        Raises:
            ValueError: a digest is not 16 bytes, or the vectors are not finite and of one dimension.
            StoreError: the model's other vectors have another number of dimensions.
        """
        if not made:
            return
        rows = [{"model": model, "digest": digest, "vector": _stored(digest, made[digest])} for digest in sorted(made)]
        sizes = {len(vector) for vector in made.values()}
        if len(sizes) > 1:
            raise ValueError(f"vectors of one model have one number of dimensions, not {sorted(sizes)}")
        with self._database.writing() as connection:
            _announce(connection, model, sizes.pop())
            connection.execute(_PUT, rows)

    def models(self) -> dict[str, int]:
        """Return how many vectors there are of each model."""
        counted = select(vectors.c.model, func.count()).group_by(vectors.c.model).order_by(vectors.c.model)
        with self._database.reading() as connection:
            return dict(connection.execute(counted).all())


def _dimensions(connection: Connection, model: str) -> int | None:
    return connection.execute(select(vector_models.c.dimensions).where(vector_models.c.name == model)).scalar()


def _announce(connection: Connection, model: str, dimensions: int) -> None:
    known = _dimensions(connection, model)
    if known is None:
        connection.execute(insert(vector_models).values(name=model, dimensions=dimensions))
    elif known != dimensions:
        raise StoreError(
            f"the vectors of {model!r} have {known} dimensions, not {dimensions}",
            "Two models must not have one name: give the new one another name",
        )


def _read(blob: bytes | None, dimensions: int) -> NDArray[np.float16] | None:
    if blob is None or len(blob) != dimensions * _STORED.itemsize:
        return None
    return np.frombuffer(blob, dtype=_STORED).astype(np.float16, copy=False)


def _stored(digest: bytes, vector: NDArray[np.floating]) -> bytes:
    if len(digest) != DIGEST_BYTES:
        raise ValueError(f"a digest has {DIGEST_BYTES} bytes, not {len(digest)}")
    if vector.ndim != 1 or not len(vector):
        raise ValueError(f"a vector has one dimension and is not empty, not shape {vector.shape}")
    with np.errstate(over="ignore"):  # what does not fit becomes infinite, and is refused below
        narrow = vector.astype(_STORED)
    if not np.isfinite(narrow).all():
        raise ValueError("a vector holds finite numbers that fit float16")
    return narrow.tobytes()
