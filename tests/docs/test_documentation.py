"""The code blocks of README and docs run as a newcomer would run them, against a loopback source."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from paperdigest.cli import root
from tests.conftest import ROOT

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES_WITH_COMMANDS = [page for page in PAGES if BLOCK.search(page.read_text(encoding="utf-8"))]
SAMPLE = files("paperdigest").joinpath("sample/daily-papers.html")
MAX_README_LINES = 150


def commands(page: Path) -> str:
    """The page's shell blocks in order; make targets are only looked up, they would run these very tests."""
    text = "\n".join(BLOCK.findall(page.read_text(encoding="utf-8")))
    return re.sub(r"^make ", "make --dry-run --silent --directory=$ROOT ", text, flags=re.MULTILINE)


def environment(home: Path, page: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "ROOT": str(ROOT),
        "PAGE": str(page),
        "PAPER": "url:https://example.org/p/1",
        "LC_ALL": "C.UTF-8",
    }


@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_run(page: Path, tmp_path: Path, httpserver: HTTPServer) -> None:
    settings = tmp_path / ".config" / "paperdigest" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(
        '[[sources]]\nname = "huggingface"\nkind = "feed"\nallow_private = true\n'
        f'url = "{httpserver.url_for("/feed")}"\n',
        encoding="utf-8",
    )
    httpserver.expect_request("/feed").respond_with_data(FEED, content_type="application/atom+xml")
    saved = tmp_path / "daily-papers.html"
    saved.write_bytes(SAMPLE.read_bytes())
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands(page)],
        env=environment(tmp_path, saved),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


FEED = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>A journal</title><id>urn:x:journal</id>
<updated>2026-04-15T00:00:00Z</updated>
<entry><title>Tracing requirements to code</title><id>https://example.org/p/1</id>
<link href="https://example.org/p/1"/><updated>2026-04-15T00:00:00Z</updated>
<author><name>Ada Lovelace</name></author>
<summary>Software traceability links requirements to the code that meets them; we trace both.</summary></entry>
</feed>"""


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= MAX_README_LINES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_command_is_in_the_reference() -> None:
    reference = (ROOT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
    names = set(root.commands_in)
    assert {name for name in names if f"`{name}" not in reference} == set()


def test_every_exit_code_of_the_errors_is_in_the_reference() -> None:
    from paperdigest import errors

    reference = (ROOT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
    codes = {getattr(errors, name).exit_code for name in errors.__all__ if name.endswith("Error")}
    assert {code for code in codes - {1} if f"| {code} |" not in reference} == set()


def test_the_make_targets_of_the_readme_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"\bmake ([a-z]+)\b", text)) - {"up"}
    assert {target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)} == set()
