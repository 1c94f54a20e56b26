"""Author strings: brackets, keys, suffixes, collaborations, TeX and stray marks."""

from __future__ import annotations

import pytest

from paperdigest.sources.arxiv.authors import author, from_family_first, from_line


def names(line: str, *, split_and: bool = True) -> list[str]:
    return [one.name for one in from_line(line, split_and=split_and)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Ada Lovelace", ["Ada Lovelace"]),
        ("Ada Lovelace, Grace Hopper", ["Ada Lovelace", "Grace Hopper"]),
        ("Ada Lovelace and Grace Hopper", ["Ada Lovelace", "Grace Hopper"]),
        ("Ada Lovelace, Grace Hopper, and Emmy Noether", ["Ada Lovelace", "Grace Hopper", "Emmy Noether"]),
        ("Ada Lovelace and\n  Grace Hopper", ["Ada Lovelace", "Grace Hopper"]),
        ("Sandy Anderson and Andy Sand", ["Sandy Anderson", "Andy Sand"]),
        ("ATLAS Collaboration: Ada Lovelace, B. Two", ["ATLAS Collaboration", "Ada Lovelace", "B. Two"]),
        ("The Belle II Collaboration", ["The Belle II Collaboration"]),
        ("John Smith, Jr., Ada Lovelace", ["John Smith Jr.", "Ada Lovelace"]),
        (r"Sezgin Ayg\"un, Jos\'e P\'erez", ["Sezgin Aygün", "José Pérez"]),
        (":, Ada Lovelace, --, et al.", ["Ada Lovelace"]),
        ("Haritha GB and Sahana N.B", ["Haritha GB", "Sahana N.B"]),
        ("", []),
        (" , ,", []),
        ("Ada Lovelace (Uni (X, Y", ["Ada Lovelace (Uni (X", "Y"]),
    ],
)
def test_a_line_of_authors_is_parted_at_the_right_places(line: str, expected: list[str]) -> None:
    assert names(line) == expected


def test_commas_and_ands_in_brackets_part_nothing() -> None:
    found = from_line("A. One (Uni X, Dept (Y and Z)), B. Two (Lab and Co), C. Three", split_and=True)
    assert [(one.name, one.affiliation) for one in found] == [
        ("A. One", "Uni X, Dept (Y and Z)"),
        ("B. Two", "Lab and Co"),
        ("C. Three", None),
    ]


def test_numbers_in_brackets_are_looked_up_in_the_closing_key() -> None:
    found = from_line("A. One (1), B. Two (1 and 2), C. Three ((1) Uni X, (2) Lab Y)", split_and=True)
    assert [(one.name, one.affiliation) for one in found] == [
        ("A. One", "Uni X"),
        ("B. Two", "Uni X; Lab Y"),
        ("C. Three", None),
    ]


def test_the_feeds_never_part_names_at_and() -> None:
    assert names("Institute for This and That, Ada Lovelace", split_and=False) == [
        "Institute for This and That",
        "Ada Lovelace",
    ]


def test_family_names_that_stand_first_are_turned_round() -> None:
    found = from_family_first(
        ["von Neumann-Cosel, P.", "Ponomarev, V. Yu.", "King, M. L., Jr.", "The D0 Collaboration"]
    )
    assert [one.name for one in found] == [
        "P. von Neumann-Cosel",
        "V. Yu. Ponomarev",
        "M. L. King Jr.",
        "The D0 Collaboration",
    ]


@pytest.mark.parametrize("stray", ["", " ", ":", ",", "...", "et al.", "x" * 301])
def test_what_is_no_name_is_no_author(stray: str) -> None:
    assert author(stray) is None


@pytest.mark.parametrize("filling", [",", "1", "1,", "and", " &"])
def test_a_bracket_full_of_separators_is_read_at_once(filling: str) -> None:
    """An expression that tries every way of grouping them would need longer than the world stands."""
    (found,) = from_line(f"A. One ({filling * 300}x)", split_and=True)
    assert (found.name, found.affiliation) == ("A. One", " ".join(f"{filling * 300}x".split()))


def test_groups_in_groups_are_followed_however_deep_they_are() -> None:
    assert names("ATLAS Collaboration: CMS group: Ada Lovelace") == ["ATLAS Collaboration", "CMS group", "Ada Lovelace"]
    assert len(names("A group: " * 20_000 + "Ada Lovelace")) == 20_001
