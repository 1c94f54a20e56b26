"""A virtual environment for a peer that is not among our own dependencies, made once and kept in the cache folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["python_with"]


def python_with(name: str, *requirements: str) -> Path | None:
    """Return the Python of an environment that has the requirements; None when they cannot be had."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "paperdigest-bench"
    tag = f"{sys.implementation.cache_tag}-{name}"
    python = cache / tag / "bin" / "python"
    if _imports(python, name):
        return python
    make = [sys.executable, "-m", "venv", "--clear", "--without-pip", str(cache / tag)]
    install = [sys.executable, "-m", "pip", "-qq", "--python", str(python), "install", *requirements]
    for command in (make, install):
        if subprocess.run(command, check=False, stdout=sys.stderr).returncode:
            return None
    return python if _imports(python, name) else None


def _imports(python: Path, name: str) -> bool:
    return python.exists() and not subprocess.run([python, "-c", f"import {name}"], check=False).returncode
