"""A person at the command line, in a home of their own."""

from __future__ import annotations

import io
import json
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from paperdigest.cli import main


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Person:
    """Types commands; everything they own lies below ``home``."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
        self.home = home
        self._monkeypatch, self._capture = monkeypatch, capfdbinary
        own = ("CONFIG", "MODEL", "SECRET_KEY", "SMTP_PASSWORD")
        for name in (f"PAPERDIGEST_{key}" for key in own):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
        monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
        monkeypatch.chdir(home)

    @property
    def database(self) -> Path:
        return self.home / "data" / "paperdigest" / "paperdigest.db"

    @property
    def mails(self) -> list[Path]:
        return sorted((self.home / "data" / "paperdigest" / "Maildir" / "new").glob("*"))

    def settings(self, text: str) -> None:
        path = self.home / "config" / "paperdigest" / "config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def types(self, *arguments: str, stdin: bytes = b"") -> Result:
        self._capture.readouterr()
        self._monkeypatch.setattr(sys, "argv", ["paperdigest", *arguments])
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code: Any = 0
        try:
            main()
        except SystemExit as exit_:
            code = exit_.code
        captured = self._capture.readouterr()
        return Result(code or 0, captured.out.decode(), captured.err.decode())


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Person:
    """A person with an empty home."""
    return Person(tmp_path, monkeypatch, capfdbinary)


@pytest.fixture(scope="session")
def archive_days(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of 436 real Daily Papers days."""
    folder = tmp_path_factory.mktemp("archive")
    with tarfile.open(shared / "data" / "hf-daily-archive" / "dev-days.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "dev-days"
