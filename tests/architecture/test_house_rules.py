"""The budgets and layers of the house, measured on the code itself."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "src" / "paperdigest"
MAX_MODULE, MAX_MEDIAN, MAX_FUNCTION = 400, 150, 60
EMPTY_NAMES = {"util", "utils", "helper", "helpers", "common", "base", "manager", "misc"}


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "templates" not in path.parts)


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def test_there_are_modules_to_measure() -> None:
    assert len(modules()) > 30


def test_no_module_is_longer_than_its_budget() -> None:
    too_long = {str(path.relative_to(ROOT)): lines(path) for path in modules() if lines(path) > MAX_MODULE}
    assert not too_long


def test_the_median_module_is_short() -> None:
    assert median(lines(path) for path in modules()) <= MAX_MEDIAN


def test_no_function_is_longer_than_its_budget() -> None:
    too_long = {
        f"{path.relative_to(ROOT)}:{name}": length
        for path in modules()
        if "migrations" not in path.parts  # a migration is the record of a schema, one statement a table
        for name, length in functions(path)
        if length > MAX_FUNCTION
    }
    assert not too_long


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty = [str(path) for path in modules() if EMPTY_NAMES & set(path.stem.split("_"))]
    assert not empty


def test_every_module_says_what_it_is_for() -> None:
    silent = [str(path) for path in modules() if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert not silent


def test_only_the_outermost_boundary_catches_everything() -> None:
    catching = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")))
        and not _only_cleans_up(node)
    ]
    assert [place.partition(":")[0] for place in catching] == ["src/paperdigest/cli/__init__.py"]


def _only_cleans_up(handler: ast.ExceptHandler) -> bool:
    """True when the handler puts things in order and raises the very error again."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_starting_the_command_line_imports_no_heavy_library() -> None:
    heavy = ("sqlalchemy", "pydantic", "numpy", "scipy", "lxml", "bs4", "requests", "jinja2", "feedparser", "rich")
    script = f"import sys, paperdigest.cli; print([name for name in {heavy!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("link", ["templates", "config.example.toml"])
def test_what_stands_at_the_top_level_is_package_data_too(link: str) -> None:
    path = PACKAGE / link
    assert path.is_symlink()
    assert path.resolve() == ROOT / link


def test_the_lock_files_hold_hashes_and_no_address() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text


def test_the_runtime_lock_names_what_the_project_declares() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    wanted = set(declared)
    listed = set((ROOT / "requirements.in").read_text(encoding="utf-8").splitlines())
    assert wanted <= listed
