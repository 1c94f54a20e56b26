"""What cannot be taken back is asked for first."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.e2e.conftest import Person

WHO = "jane@example.org"


@pytest.fixture
def known(person: Person) -> Person:
    person.types("init")
    assert person.types("subscriber", "add", WHO, "--topic", "trace", "--confirmed").code == 0
    return person


def is_there(person: Person) -> bool:
    return person.types("subscriber", "show", WHO).code == 0


def answered(answer: str, *arguments: str) -> tuple[int, str]:
    """Type a command at a terminal, and an answer to what it asks."""
    ours, theirs = os.openpty()
    try:
        command = [sys.executable, "-m", "paperdigest", *arguments]
        with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            os.write(ours, f"{answer}\n".encode())
            _, said = process.communicate(timeout=60)
        return process.returncode, said.decode()
    finally:
        os.close(ours)
        os.close(theirs)


def test_without_a_terminal_nobody_is_erased_by_mistake(known: Person) -> None:
    result = known.types("subscriber", "erase", WHO)
    assert result.code == 2
    assert "nothing is erased" in result.err
    assert "erase jane@example.org --yes" in result.err
    assert is_there(known)
    assert known.types("subscriber", "erase", WHO, "--yes").code == 0
    assert not is_there(known)


@pytest.mark.parametrize("command", ["erase", "remove"])
def test_on_a_terminal_the_answer_counts(known: Person, command: str) -> None:
    code, said = answered("n", "subscriber", command, WHO)
    assert (code, is_there(known)) == (130, True)
    assert f"Remove {WHO} with everything stored about them?" in said
    assert "nothing is removed" in said
    assert answered("y", "subscriber", command, WHO)[0] == 0
    assert not is_there(known)


def test_on_a_terminal_yes_means_that_nobody_asks(known: Person) -> None:
    code, said = answered("", "subscriber", "erase", WHO, "--yes")
    assert (code, "There is no way back" in said) == (0, False)
    assert not is_there(known)


def test_nobody_is_asked_about_who_is_not_there(known: Person) -> None:
    code, said = answered("y", "subscriber", "erase", "nobody@example.org")
    assert (code, "There is no way back" in said) == (4, False)
