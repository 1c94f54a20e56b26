"""What is installed: a folder with two files and a manifest that proves them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from paperdigest.errors import ModelError
from paperdigest.semantic.weights import sha256_of

__all__ = ["MANIFEST", "MODEL", "TOKENIZER", "InstalledFile", "Manifest", "read_manifest", "verify"]

MANIFEST, MODEL, TOKENIZER = "manifest.json", "model.onnx", "tokenizer.json"
_LIMIT_BYTES = 100_000
_AGAIN = "Run: paperdigest model install"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledFile:
    """A file of the installation."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """An installation: the model, the name of its vectors, its files, and what it was made from and with."""

    model: str
    encoder: str
    dimensions: int
    created_at: datetime
    weights_sha256: str
    files: tuple[InstalledFile, ...]
    versions: Mapping[str, str]

    @property
    def size_bytes(self) -> int:
        """The size of the files together."""
        return sum(file.size_bytes for file in self.files)

    def to_json(self) -> str:
        """Return what `read_manifest` reads."""
        return json.dumps(asdict(self) | {"created_at": self.created_at.isoformat()}, indent=2) + "\n"


def read_manifest(folder: Path) -> Manifest | None:
    """Return what is installed in ``folder``, None when nothing is.

    Raises:
        ModelError: the manifest is damaged or cannot be read.
    """
    path = folder / MANIFEST
    try:
        with path.open("rb") as stream:
            raw = json.loads(stream.read(_LIMIT_BYTES))
        raw["files"] = tuple(InstalledFile(**file) for file in raw["files"])
        raw["created_at"] = datetime.fromisoformat(raw["created_at"])
        manifest = Manifest(**raw)
        numbers = (manifest.dimensions, *(file.size_bytes for file in manifest.files))
        if not all(type(number) is int and number > 0 for number in numbers):
            raise ModelError(f"{path} is damaged", _AGAIN)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}", _AGAIN) from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ModelError(f"{path} is damaged", _AGAIN) from error
    return manifest


def verify(folder: Path, manifest: Manifest) -> None:
    """Check that the files are the ones that were installed.

    Raises:
        ModelError: one is missing or other than the manifest says.
    """
    known = {file.name: file for file in manifest.files}
    for name in (MODEL, TOKENIZER):
        path = folder / name
        try:
            found = sha256_of(path) if name in known else None
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror}", _AGAIN) from error
        if found is None or found != known[name].sha256:
            raise ModelError(f"{path} is not the file that was installed", _AGAIN)
