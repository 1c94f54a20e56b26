"""What every tier of tests shares: the place of the real listings, and a fixed moment."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
MODEL = Path(os.environ.get("PAPERDIGEST_MODEL") or ROOT / ".cache" / "model")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real listings beside the checkout; a clean clone without it skips, CI fails."""
    if not (SHARED / "data").is_dir():
        reason = f"the real listings are not at {SHARED}/data"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return SHARED


@pytest.fixture(scope="session")
def model() -> Path:
    """The folder of the installed vector model; without it the test skips, CI fails."""
    if not (MODEL / "manifest.json").is_file():
        reason = f"no vector model in {MODEL}: PAPERDIGEST_MODEL={MODEL} paperdigest model install"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return MODEL


@pytest.fixture
def now() -> datetime:
    """A fixed moment: Wednesday, 15 April 2026, 06:00 UTC."""
    return datetime(2026, 4, 15, 6, 0, tzinfo=UTC)
