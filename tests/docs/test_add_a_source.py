"""The plug-in of docs/how-to/add-a-source.md, taken from the page and run as its reader would run it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGE = ROOT / "docs" / "how-to" / "add-a-source.md"
MAX_LINES = 30
CONTRACT_TESTS = 10


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """The page's files, and the metadata that installing them would leave."""
    source, contract = blocks("python")
    (tmp_path / "institute.py").write_text(source, encoding="utf-8")
    (tmp_path / "test_institute.py").write_text(contract, encoding="utf-8")
    (tmp_path / "papers.json").write_text(blocks("json")[0], encoding="utf-8")
    project = tomllib.loads(blocks("toml")[0])["project"]
    installed = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\n", encoding="utf-8")
    lines = [f"[{group}]\n{name} = {value}\n" for group, points in project["entry-points"].items()
             for name, value in points.items()]  # fmt: skip
    (installed / "entry_points.txt").write_text("".join(lines), encoding="utf-8")
    return tmp_path


def run(plugin: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(plugin), "HOME": str(plugin), "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {
        name: value for name, value in environment.items() if not name.startswith(("XDG_", "COV_", "PYTEST_"))
    }
    return subprocess.run(
        [sys.executable, "-W", "error", *command],
        env=environment, cwd=plugin, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def run_contract(plugin: Path) -> subprocess.CompletedProcess[str]:
    return run(plugin, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "test_institute.py")


def test_the_plugin_has_at_most_thirty_lines_of_code() -> None:
    assert len([line for line in blocks("python")[0].splitlines() if line.strip()]) <= MAX_LINES


def test_the_plugin_keeps_the_contract(plugin: Path) -> None:
    result = run_contract(plugin)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{CONTRACT_TESTS} passed" in result.stdout


@pytest.mark.parametrize(
    ("right", "wrong", "caught_by"),
    [
        ("except ValueError", "except KeyError", "test_hostile_bodies_are_refused_or_read"),
        ("ParseError(context.name, ", "ParseError('input', ", "test_bad_bodies_are_refused_by_name"),
        ("context.retrieved_at,", "__import__('datetime').datetime.now(__import__('datetime').UTC),", "pure_function"),
        ("enumerate(papers.values(), 1)", "((1, one) for one in papers.values())", "good_bodies_have_their_entries"),
        ("source=context.source", "source='mine'", "good_bodies_have_their_entries"),
        ('kind = "institute"', 'kind = ""', "test_it_is_a_source"),
        ("readable(self.title)", "self.title + '\\n'", "good_bodies_have_their_entries"),
    ],
)
def test_the_contract_catches_a_broken_plugin(plugin: Path, right: str, wrong: str, caught_by: str) -> None:
    path = plugin / "institute.py"
    code = path.read_text(encoding="utf-8")
    assert right in code
    path.write_text(code.replace(right, wrong), encoding="utf-8")
    result = run_contract(plugin)
    assert result.returncode == 1, result.stdout + result.stderr
    assert re.search(rf"FAILED .*{caught_by}", result.stdout), result.stdout


def test_the_registered_name_is_a_kind_like_any_other(plugin: Path) -> None:
    settings = tomllib.loads(blocks("toml")[1])["sources"][0]
    script = f"""
import json, pathlib
from datetime import UTC, datetime
from paperdigest.plugins import known_plugins, load_plugin
from paperdigest.protocols import ParseContext
from paperdigest.sources import BUILTIN
assert {settings["kind"]!r} in known_plugins("sources", BUILTIN)
source = load_plugin("sources", {settings["kind"]!r}, BUILTIN)({settings["name"]!r}, {{"url": {settings["url"]!r}}})
context = ParseContext(source=source.name, retrieved_at=datetime(2026, 4, 15, tzinfo=UTC))
listing = source.parse(pathlib.Path("papers.json").read_bytes(), context)
print(json.dumps([[str(entry.paper.id), entry.paper.title, entry.rank] for entry in listing.entries]))
"""
    result = run(plugin, "-c", script)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == [
        ["institute:ei-7", "Tracing requirements in O(n)", 1],
        ["institute:ei-8", "A quiet proof", 2],
    ]
