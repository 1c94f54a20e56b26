"""Bodies in the forms of the site, made to measure; the papers in them do not exist."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from html import escape
from typing import Any

from paperdigest.protocols import ParseContext
from paperdigest.sources.huggingface import HuggingFaceSource
from paperdigest.types import Entry, Listing

RETRIEVED_AT = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)
SOURCE = HuggingFaceSource("papers", {})


def item(number: int = 1, *, paper: Mapping[str, object] | None = None, **outer: object) -> dict[str, object]:
    """An item as the API has given them since 2025; None takes a key away."""
    inner: dict[str, object] = {
        "id": f"2604.{number:05}",
        "authors": [{"_id": "a1", "name": "Ada Example", "hidden": False}],
        "publishedAt": "2026-04-13T22:30:00.000Z",
        "submittedOnDailyAt": "2026-04-14T00:12:00.000Z",
        "title": f"On the Tracing of Number {number}",
        "summary": f"Number {number}\n  is traced.",
        "upvotes": 7,
        "ai_summary": "Written by a machine.",
        **(paper or {}),
    }
    whole: dict[str, object] = {
        "paper": {key: value for key, value in inner.items() if value is not None},
        "publishedAt": "2026-04-13T18:30:00.000Z",
        "title": inner["title"],
        "numComments": 2,
        **outer,
    }
    return {key: value for key, value in whole.items() if value is not None}


def api(*items: object) -> bytes:
    return json.dumps(items).encode()


def page(props: object, *, target: str = "DailyPapers", url: str | None = None, inside: str = "") -> bytes:
    """A page whose data are in the attribute, as the site writes it."""
    head = f'<meta property="og:url" content="{url}">' if url else ""
    text = escape(json.dumps(props), quote=True)
    element = f'<div class="SVELTE_HYDRATER contents" data-target="{target}" data-props="{text}">{inside}</div>'
    return f"<!doctype html><html><head><title>Daily Papers</title>{head}</head><body>{element}</body></html>".encode()


def day_props(*items: object, day: str = "2026-04-14", period: str = "day") -> dict[str, object]:
    return {"canSubmit": False, "dailyPapers": list(items), "dateString": day, "periodType": period}


def parse(
    body: bytes, *, listed_on: date | None = None, name: str = "body.json", settings: Mapping[str, Any] | None = None
) -> Listing:
    source = HuggingFaceSource("papers", settings) if settings else SOURCE
    return source.parse(body, ParseContext(source="papers", retrieved_at=RETRIEVED_AT, listed_on=listed_on, name=name))


def only(body: bytes) -> Entry:
    (entry,) = parse(body).entries
    return entry
