"""Month names, and the days in a file's name."""

from __future__ import annotations

from datetime import date

import pytest

from paperdigest.sources.dates import days_in_name, month_number


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("2026-04-14.json", [date(2026, 4, 14)]),
        ("/saved/2025-01-01/cs.SE-2026-04-14.xml", [date(2026, 4, 14)]),
        (r"C:\saved\2025-01-01\cs.SE.xml", []),
        ("2026-02-30_2026-03-01.xml", [date(2026, 3, 1)]),
        ("2026-04-14--2026-04-15", [date(2026, 4, 14), date(2026, 4, 15)]),
        ("12026-04-14", []),
        ("2026-04-141", []),
        ("20260414.txt", []),
        ("1234-01-01", []),
    ],
)
def test_a_name_says_the_days_of_its_last_segment(name: str, days: list[date]) -> None:
    assert list(days_in_name(name)) == days


def test_digits_without_strokes_are_a_day_only_where_they_may_be() -> None:
    assert list(days_in_name("page-20260414.txt", joined=True)) == [date(2026, 4, 14)]
    assert list(days_in_name("2026-0414.txt", joined=True)) == []


@pytest.mark.parametrize(("name", "number"), [("jan", 1), ("SEPT", 9), ("December", 12), ("ja", None), ("", None)])
def test_a_month_is_known_by_its_first_three_letters(name: str, number: int | None) -> None:
    assert month_number(name) == number
