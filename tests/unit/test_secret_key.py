"""The key that is made on first use: whole or not there at all, and its owner's alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from paperdigest.app.storage import ensure_secret_key
from paperdigest.config import Settings


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path / "paperdigest" / "secret.key"


def test_a_key_is_made_once_and_is_its_owners_alone(key: Path) -> None:
    ensure_secret_key(Settings(), {})
    made = key.read_bytes()
    ensure_secret_key(Settings(), {})
    assert (len(made), key.read_bytes()) == (65, made)
    assert key.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in key.parent.iterdir()] == ["secret.key"]


def test_a_crash_while_it_is_written_leaves_no_empty_key(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(size: int) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("paperdigest.app.storage.secrets.token_hex", crash)
        with pytest.raises(KeyboardInterrupt):
            ensure_secret_key(Settings(), {})
    assert not key.exists()
    ensure_secret_key(Settings(), {})
    assert key.stat().st_size == 65


def test_of_two_that_start_at_once_the_first_ones_key_stays(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def late(made: str, name: Path) -> None:
        name.write_text("the other one's", encoding="ascii")
        link(made, name)

    monkeypatch.setattr("paperdigest.app.storage.os.link", late)
    ensure_secret_key(Settings(), {})
    assert key.read_text(encoding="ascii") == "the other one's"
