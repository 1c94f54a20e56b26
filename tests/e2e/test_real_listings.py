"""The main job on real listings: what stands in them stands in the store, once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Person

SEED = "data/seed-trace/seed.txt"


def test_the_seed_document_is_read_as_people_read_it(person: Person, shared: Path) -> None:
    result = person.types("fetch", "--from", str(shared / SEED), "--as", "text-dump", "--json")
    expected = json.loads((shared / "data/seed-trace/expected.json").read_text(encoding="utf-8"))["papers"]
    stored = {paper["title"]: paper for paper in person.types("papers", "--limit", "100", "--json").json["papers"]}
    assert [listing["entries"] for listing in result.json["listings"]] == [16]
    assert result.code == 0
    assert len(stored) == len(expected) == 16
    for paper in expected:
        found = stored[paper["title"]]
        assert found["authors_count"] == paper["authors_count"]
        assert (found["published_at"] or "")[:10] == (paper["date"] or "")
        assert [entry["comments"] for entry in found["entries"]] == [paper["comments"]]


def test_trace_finds_the_thirteen_papers_that_hold_a_form_of_the_word(person: Person, shared: Path) -> None:
    person.types("fetch", "--from", str(shared / SEED), "--as", "text-dump")
    found = person.types("papers", "trace", "--json").json
    titles = " ".join(paper["title"] for paper in found["papers"])
    assert found["total"] == 13
    for absent in ("Sparse Linear Regression", "Tight Regret Bounds", "How Many Code and Test Cases"):
        assert absent not in titles


def test_the_seed_may_come_from_standard_input(person: Person, shared: Path) -> None:
    body = (shared / SEED).read_bytes()
    result = person.types("fetch", "--from", "-", "--as", "text-dump", "--json", stdin=body)
    assert result.json["listings"][0]["new"] == 16


@pytest.mark.slow
def test_all_real_days_are_stored_and_each_paper_once(person: Person, archive_days: Path) -> None:
    first = person.types("fetch", "--from", str(archive_days), "--as", "huggingface", "--json")
    listings = first.json["listings"]
    refused = [listing for listing in listings if listing["state"] == "failed"]
    assert first.code == 3
    assert len(listings) == 436
    assert len(refused) == 21
    assert all("2024-12-" in one["error"] or "2025-01-" in one["error"] for one in refused)
    assert sum(listing["entries"] for listing in listings) == 6302
    assert sum(listing["new"] for listing in listings) == 6301
    assert person.types("papers", "--limit", "1", "--json").json["total"] == 6301
    twice = person.types("papers", "--limit", "10000", "--json").json["papers"]
    assert [paper["id"] for paper in twice if len(paper["entries"]) > 1] == ["arxiv:2604.07429"]

    second = person.types("fetch", "--from", str(archive_days), "--as", "huggingface", "--json").json["listings"]
    assert sum(listing["new"] + listing["updated"] for listing in second) == 0
    check = person.types("db", "check", "--json")
    assert check.json["findings"] == []
    assert check.json["counts"]["papers"] == 6301
    assert check.json["counts"]["entries"] == 6302


@pytest.mark.parametrize(
    ("page", "day", "count"),
    [("dev-2026-02-10-live.html", "2026-02-10", 33), ("dev-2025-05-21-prettified.html", "2025-05-21", 32)],
)
def test_a_page_and_its_api_body_are_the_same_listing(
    person: Person, shared: Path, page: str, day: str, count: int
) -> None:
    archive = shared / "data/hf-daily-archive/sample-dev" / f"{day}.json"
    reconstructed = shared / "data/hf-page-reconstructed" / page
    first = person.types("fetch", "--from", str(reconstructed), "--as", "huggingface", "--json").json["listings"][0]
    second = person.types("fetch", "--from", str(archive), "--as", "huggingface", "--json").json["listings"][0]
    assert (first["listed_on"], first["new"]) == (day, count)
    assert (second["listed_on"], second["new"], second["updated"]) == (day, 0, 0)


def test_every_recorded_arxiv_body_gives_a_listing_or_a_refusal_in_words(person: Person, shared: Path) -> None:
    states = {}
    for path in sorted((shared / "data/arxiv-atom-arxivpy").glob("*.json")):
        body = json.loads(path.read_text(encoding="utf-8"))["body"]
        result = person.types("fetch", "--from", "-", "--as", "arxiv", "--json", stdin=body.encode())
        states[path.name[:12]] = (result.json["listings"][0]["state"], result.json["listings"][0]["error"])
        assert "Traceback" not in result.err
    assert len(states) >= 10
    assert states["id_abc_s0_m1"][0] == "failed"
    assert "incorrect id format" in (states["id_abc_s0_m1"][1] or "")


@pytest.mark.parametrize(
    ("path", "entries"),
    [
        ("arxiv-atom-oldlayout/arxiv_response.xml", 2),
        ("hf-api-llmradar/arxiv_response.xml", 2),
        ("arxiv-oai-ads/arxiv_multi_20230125.xml", 3),
        ("arxiv-mail-listing/new", 16),
    ],
)
def test_every_form_of_arxiv_listing_is_read(person: Person, shared: Path, path: str, entries: int) -> None:
    listing = person.types("fetch", "--from", str(shared / "data" / path), "--as", "arxiv", "--json").json["listings"][
        0
    ]
    assert listing["error"] is None
    assert listing["entries"] == entries


def test_the_same_papers_from_two_kinds_of_source_are_the_same_papers(person: Person, shared: Path) -> None:
    items = json.loads((shared / "data/hf-daily-archive/sample-dev/2026-02-10.json").read_text(encoding="utf-8"))
    feed = "".join(
        f"<item><title>Seen elsewhere {number}</title><link>https://arxiv.org/abs/{item['paper']['id']}v1</link></item>"
        for number, item in enumerate(items)
    )
    body = f'<rss version="2.0"><channel><title>t</title>{feed}</channel></rss>'.encode()
    archive = shared / "data/hf-daily-archive/sample-dev/2026-02-10.json"
    person.types("fetch", "--from", str(archive), "--as", "huggingface")
    second = person.types("fetch", "--from", "-", "--as", "feed", "--json", stdin=body).json["listings"][0]
    papers = person.types("papers", "--limit", "100", "--json").json["papers"]
    assert (second["entries"], second["new"]) == (33, 0)
    assert {len({entry["source"] for entry in paper["entries"]}) for paper in papers} == {2}
