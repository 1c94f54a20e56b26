"""Which day a body is of: asked, proven, named, else the day it was had."""

from __future__ import annotations

from datetime import date

import pytest

from paperdigest.errors import ParseError
from paperdigest.sources.huggingface.days import Span, agreed_day, span_from_text, span_in_url
from paperdigest.types import Period
from tests.huggingface_bodies import RETRIEVED_AT, api, day_props, item, page, parse

UNDATED = {"submittedOnDailyAt": None}
TUESDAY, WEDNESDAY = date(2026, 4, 14), date(2026, 4, 15)


def listed_on(stamp: str) -> dict[str, object]:
    return {"submittedOnDailyAt": f"{stamp}T09:00:00.000Z"}


def test_the_day_that_was_asked_for_comes_first() -> None:
    body = api(item(paper=UNDATED))
    assert parse(body, listed_on=WEDNESDAY, name="2026-03-01.json").listed_on == WEDNESDAY


def test_the_items_prove_the_day_against_the_files_name() -> None:
    assert parse(api(item(1), item(2)), name="2026-03-01.json").listed_on == TUESDAY


@pytest.mark.parametrize(
    "name",
    [
        "2026-03-02.json",
        "archive/2026-01-01/day-2026-03-02.json",
        "https://huggingface.co/api/daily_papers?date=2026-03-02",
    ],
)
def test_a_date_in_the_name_serves_a_body_that_proves_nothing(name: str) -> None:
    assert parse(api(item(paper=UNDATED)), name=name).listed_on == date(2026, 3, 2)


@pytest.mark.parametrize("name", ["body.json", "2026-02-30.json", "12026-03-020.json", "2026-03-02/body.json"])
def test_the_day_of_retrieval_is_the_last_resort(name: str) -> None:
    assert parse(api(item(paper=UNDATED)), name=name).listed_on == RETRIEVED_AT.date()


def test_a_body_of_another_day_is_refused_with_both_days() -> None:
    with pytest.raises(ParseError, match="asked for 2026-04-15, but this is the listing of 2026-04-14"):
        parse(api(item(1), item(2)), listed_on=WEDNESDAY)
    with pytest.raises(ParseError, match="asked for 2026-04-15, but this is the listing of 2026-04-14"):
        parse(page(day_props(item(1))), listed_on=WEDNESDAY)


def test_items_of_many_days_prove_none_but_disprove_others() -> None:
    mixed = api(item(1, paper=listed_on("2026-04-13")), item(2, paper=listed_on("2026-04-14")))
    assert parse(mixed, listed_on=TUESDAY).listed_on == TUESDAY
    assert parse(mixed).listed_on == RETRIEVED_AT.date()
    with pytest.raises(ParseError, match="from 2026-04-13 to 2026-04-14"):
        parse(mixed, listed_on=WEDNESDAY)


@pytest.mark.parametrize(
    ("days", "size", "agreed"),
    [
        ([TUESDAY] * 9 + [WEDNESDAY], 10, TUESDAY),
        ([TUESDAY] * 8 + [WEDNESDAY] * 2, 10, None),
        ([TUESDAY] * 5, 10, TUESDAY),
        ([TUESDAY] * 4, 10, None),
        ([], 0, None),
    ],
)
def test_nine_tenths_of_half_the_items_must_agree(days: list[date], size: int, agreed: date | None) -> None:
    assert agreed_day(days, size) == agreed


@pytest.mark.parametrize(
    ("url", "span"),
    [
        ("https://huggingface.co/papers/date/2026-04-14", Span(Period.DAY, TUESDAY)),
        ("https://huggingface.co/papers?date=2026-04-14", Span(Period.DAY, TUESDAY)),
        ("https://huggingface.co/papers/week/2026-W16/", Span(Period.WEEK, date(2026, 4, 13))),
        ("https://huggingface.co/api/daily_papers?week=2026-W16&limit=100", Span(Period.WEEK, date(2026, 4, 13))),
        ("https://huggingface.co/papers/month/2026-04", Span(Period.MONTH, date(2026, 4, 1))),
        ("https://huggingface.co/papers/trending", Span(Period.TRENDING)),
        ("https://huggingface.co/api/daily_papers?date=2026-04-14&sort=trending", Span(Period.TRENDING)),
        ("https://huggingface.co/papers?q=trace&date=2026-04-14", Span(Period.SEARCH)),
        ("https://huggingface.co/papers", None),
        ("https://huggingface.co/papers/week/2026-W77", None),
        ("https://[broken", None),
        ("papers/trending", None),
        ("2026-04-14", None),
    ],
)
def test_a_url_says_what_span_it_asks_for(url: str, span: Span | None) -> None:
    assert span_in_url(url) == span


@pytest.mark.parametrize("text", ["2026-04-31", "2026-13", "2026-W54", "0000-W01", "Apr 14", "", "2026-04-14 and more"])
def test_what_is_no_span_is_none(text: str) -> None:
    assert span_from_text(text) is None
