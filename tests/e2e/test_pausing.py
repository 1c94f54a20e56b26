"""Pausing, resuming and quiet days, at the command line."""

from __future__ import annotations

from importlib.resources import files

import pytest

from tests.e2e.conftest import Person

SAMPLE = str(files("paperdigest").joinpath("sample/daily-papers.html"))
EMAIL = "you@example.org"


def planned(person: Person, now: str) -> int:
    """Count the digests that would go at a moment."""
    count: int = person.types("--now", now, "send", "--dry-run", "--json").json["planned"]
    return count


@pytest.fixture
def reader(person: Person) -> Person:
    noon = "2026-04-14T12:00Z"
    person.types("--now", noon, "init")
    person.types("--now", noon, "fetch", "--from", SAMPLE, "--as", "huggingface")
    person.types("--now", noon, "subscriber", "add", EMAIL, "--topic", "trace", "--confirmed")
    assert planned(person, noon) == 1
    return person


def test_a_pause_with_a_day_ends_by_itself(reader: Person) -> None:
    result = reader.types("--now", "2026-04-14T12:00Z", "subscriber", "pause", EMAIL, "--until", "2026-04-16", "--json")
    assert (result.json["status"], result.json["pause_until"]) == ("active", "2026-04-16")
    assert [planned(reader, f"2026-04-{day}T07:00Z") for day in (14, 15, 16)] == [0, 0, 1]


def test_a_pause_without_a_day_ends_when_they_resume(reader: Person) -> None:
    result = reader.types("subscriber", "pause", EMAIL)
    assert (result.code, "paused" in result.out) == (0, True)
    assert planned(reader, "2026-04-16T07:00Z") == 0
    assert reader.types("subscriber", "resume", EMAIL, "--json").json["status"] == "active"
    assert planned(reader, "2026-04-16T07:00Z") == 1


def test_resuming_ends_a_pause_with_a_day_too(reader: Person) -> None:
    reader.types("--now", "2026-04-14T12:00Z", "subscriber", "pause", EMAIL, "--until", "2027-01-01")
    assert "from 2027-01-01 on" in reader.types("subscriber", "show", EMAIL).out
    assert reader.types("subscriber", "resume", EMAIL, "--json").json["pause_until"] is None
    assert planned(reader, "2026-04-14T12:00Z") == 1


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_pausing_and_resuming_confirm_nobody(reader: Person, command: str) -> None:
    reader.types("subscriber", "add", "new@example.org", "--topic", "trace")
    result = reader.types("subscriber", command, "new@example.org")
    assert (result.code, "is pending" in result.err) == (2, True)
    assert reader.types("subscriber", "show", "new@example.org", "--json").json["status"] == "pending"


def test_a_pause_must_end_on_a_day_to_come(reader: Person) -> None:
    result = reader.types("--now", "2026-04-14T12:00Z", "subscriber", "pause", EMAIL, "--until", "2026-04-14")
    assert (result.code, "no day to come" in result.err) == (2, True)


def test_a_note_and_bibtex_are_asked_for_and_taken_back(reader: Person) -> None:
    wanted = reader.types("subscriber", "set", EMAIL, "--on-empty", "note", "--bibtex", "--json").json
    assert (wanted["on_empty"], wanted["attach_bibtex"]) == ("note", True)
    kept = reader.types("subscriber", "set", EMAIL, "--at", "08:00", "--json").json
    assert (kept["on_empty"], kept["attach_bibtex"]) == ("note", True)
    assert "a note on quiet days, with BibTeX" in reader.types("subscriber", "show", EMAIL).out
    back = reader.types("subscriber", "set", EMAIL, "--on-empty", "skip", "--no-bibtex", "--json").json
    assert (back["on_empty"], back["attach_bibtex"]) == ("skip", False)


def test_a_quiet_day_is_planned_for_who_wants_a_note(reader: Person) -> None:
    reader.types("subscriber", "set", EMAIL, "--topic", "xylophone")
    assert planned(reader, "2026-04-14T12:00Z") == 0
    reader.types("subscriber", "set", EMAIL, "--on-empty", "note")
    assert planned(reader, "2026-04-14T12:00Z") == 1
