"""The source on real bodies: two years of the API, and the pages made of them."""

from __future__ import annotations

import json
import tarfile
from datetime import date
from pathlib import Path

import pytest

from paperdigest.errors import ParseError
from paperdigest.types import ListingState, PaperId
from tests.huggingface_bodies import parse

pytestmark = pytest.mark.real


def test_every_well_formed_day_is_read_whole_and_the_damaged_ones_are_refused_by_name(shared: Path) -> None:
    papers, days, refused, at_the_limit = 0, 0, [], []
    ids: set[PaperId] = set()
    with tarfile.open(shared / "data" / "hf-daily-archive" / "dev-days.tar.xz") as archive:
        for member in archive:
            if not member.isfile() or (file := archive.extractfile(member)) is None:
                continue
            name, body = Path(member.name).name, file.read()
            try:
                listing = parse(body, name=name)
            except ParseError as error:
                assert str(error).startswith(f"{name}: item 0 is a string (the Python repr")
                refused.append(name)
                continue
            raw = json.loads(body)
            assert len(listing.entries) == len(raw), name
            assert listing.listed_on == date.fromisoformat(name[:10])
            assert [entry.paper.id.local for entry in listing.entries] == [item["paper"]["id"] for item in raw]
            if listing.state is not ListingState.COMPLETE:
                at_the_limit.append((name, listing.note))
            papers, days = papers + len(listing.entries), days + 1
            ids.update(entry.paper.id for entry in listing.entries)
    assert (days, papers, len(ids), len(refused)) == (415, 6302, 6301, 21)
    assert at_the_limit == [
        ("2025-09-30.json", "exactly 50 entries, the API's default limit: the listing may be cut"),
    ]


@pytest.mark.parametrize(
    ("page", "day", "count"),
    [("dev-2026-02-10-live.html", "2026-02-10", 33), ("dev-2025-05-21-prettified.html", "2025-05-21", 32)],
)
def test_a_page_gives_the_same_items_as_the_api_body_of_its_day(shared: Path, page: str, day: str, count: int) -> None:
    data = shared / "data"
    from_page = parse((data / "hf-page-reconstructed" / page).read_bytes(), name=page)
    from_api = parse((data / "hf-daily-archive" / "sample-dev" / f"{day}.json").read_bytes(), name=f"{day}.json")
    assert from_page.entries == from_api.entries
    assert len(from_page.entries) == count
    assert from_page.listed_on == from_api.listed_on == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("body", "day", "count"),
    [
        ("hf-api-sotawhat/hf_daily_papers.json", date(2026, 6, 12), 30),
        ("hf-api-llmradar/hf_daily_response.json", date(2026, 5, 8), 3),
    ],
)
def test_bodies_of_summer_2026_are_read_and_prove_their_day(shared: Path, body: str, day: date, count: int) -> None:
    listing = parse((shared / "data" / body).read_bytes(), name="body.json")
    assert (listing.listed_on, len(listing.entries)) == (day, count)
    assert all(entry.paper.id.scheme == "arxiv" and entry.paper.abstract for entry in listing.entries)
