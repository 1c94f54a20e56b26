"""The arXiv source keeps the contract, and reads every real body we have of it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from paperdigest.errors import ParseError
from paperdigest.protocols import ParseContext, Source
from paperdigest.sources.arxiv import ArxivSource
from paperdigest.testing.contract import SourceContract
from paperdigest.types import Listing, ListingState, Paper, Period
from tests.arxiv_bodies import ENTRIES, body, ids, papers, read


class TestArxivKeepsTheContract(SourceContract):
    good = tuple((body(name), count) for name, count in ENTRIES.items())
    bad = (
        body("api_error.xml"),
        body("rss_error.xml"),
        b"<html><body>Log in</body></html>",
        b'{"error": "no"}',
        b"Hello",
    )

    def make(self) -> Source:
        return ArxivSource("arxiv", {"category": "cs.SE"})


def recorded(shared: Path) -> dict[str, tuple[int, str]]:
    """Every recorded reply of the API by its file name: status and body."""
    found = {}
    for path in sorted((shared / "data/arxiv-atom-arxivpy").glob("*.json")):
        reply = json.loads(path.read_text())
        found[path.name] = (reply["status_code"], reply["body"])
    return found


def read_file(path: Path) -> Listing:
    context = ParseContext(source="arxiv", retrieved_at=datetime(2026, 5, 12, tzinfo=UTC), name=path.name)
    return ArxivSource("arxiv", {}).parse(path.read_bytes(), context)


@pytest.mark.real
def test_every_recorded_reply_of_the_api_is_read_or_refused(shared: Path) -> None:
    bodies = recorded(shared)
    assert len(bodies) == 20
    for name, (status, content) in bodies.items():
        if status != 200:
            with pytest.raises(ParseError, match="incorrect id format for abc"):
                read(content, name=name)
            continue
        listing = read(content, name=name)
        assert len(listing.entries) == content.count("<entry>"), name
        assert (listing.dropped, listing.period) == (0, Period.SEARCH), name
        assert all(
            paper.abstract and paper.authors and paper.published_at and paper.version for paper in papers(listing)
        )


@pytest.mark.real
def test_overlapping_pages_name_the_same_papers(shared: Path) -> None:
    bodies = {name: content for name, (_, content) in recorded(shared).items() if name.startswith("q_testing")}
    pages = {name.removeprefix("q_testing_")[:-18]: read(content) for name, content in bodies.items()}
    first, second, whole = (ids(pages[name]) for name in ("s0_m15", "s5_m10", "s0_m100"))
    assert first[5:15] == second
    assert set(first) | set(second) <= set(whole)
    assert all(page.announced_count == 214881 for page in pages.values())


@pytest.mark.real
def test_old_ids_the_title_zero_and_two_ids_with_one_answer(shared: Path) -> None:
    bodies = {name.partition("_s0")[0]: content for name, (_, content) in recorded(shared).items()}
    assert papers(read(bodies["id_2104.12255v1"]))[0].title == "0"
    old = papers(read(bodies["id_astro-ph_0601001"]))[0]
    assert (str(old.id), old.authors[0].affiliation, old.journal_ref) == (
        "arxiv:astro-ph/0601001",
        "Ohio State",
        "ActaAstron.56:1-50,2006",
    )
    assert ids(read(bodies["id_0808.05394_1707.08567"])) == ["1707.08567"]
    assert read(bodies["id_0808.05394"]).state is ListingState.QUIET


@pytest.mark.real
@pytest.mark.parametrize("path", ["arxiv-atom-oldlayout/arxiv_response.xml", "hf-api-llmradar/arxiv_response.xml"])
def test_both_layouts_of_the_api_are_read(shared: Path, path: str) -> None:
    listing = read_file(shared / "data" / path)
    assert (len(listing.entries), listing.dropped) == (2, 0)
    assert all("\n" not in (paper.title + (paper.abstract or "") + (paper.comment or "")) for paper in papers(listing))


@pytest.mark.real
def test_the_listing_page_proves_that_it_is_complete(shared: Path) -> None:
    listing = read_file(shared / "data/arxiv-listing-html/arxiv_listing_sample.html")
    assert (listing.state, listing.announced_count, listing.listed_on) == (ListingState.COMPLETE, 6, date(2026, 8, 12))
    kinds = [entry.announce_type for entry in listing.entries]
    assert kinds == ["new", "new", "cross", "cross", "replace", "replace"]
    affirmative = papers(listing)[3]
    assert affirmative.title.startswith('"YES! YES! I absolutely love this insight!" Affirmative')
    assert (affirmative.primary_category, affirmative.journal_ref) == ("cs.HC", "2026 Narrative Inquiry 23 (2)")
    assert len(papers(listing)[5].authors) == 8


@pytest.mark.real
def test_the_mail_has_thirteen_new_and_three_replaced(shared: Path) -> None:
    listing = read_file(shared / "data/arxiv-mail-listing/new")
    assert [entry.announce_type for entry in listing.entries] == ["new"] * 13 + ["replace"] * 3
    assert (listing.state, listing.announced_count, listing.listed_on) == (ListingState.COMPLETE, 13, date(2023, 3, 17))
    assert not any(paper.withdrawn for paper in papers(listing))
    assert [one.name for one in papers(listing)[0].authors] == ["Louis Saddier", "Matteo Marsili"]


@pytest.mark.real
def test_all_ten_withdrawn_records_are_known_by_flag_and_by_words(shared: Path) -> None:
    records = sorted((shared / "data/arxiv-mail-listing/withdrawn-abs").glob("*.abs"))
    assert len(records) == 10
    for record in records:
        assert papers(read_file(record))[0].withdrawn, record.name
        without_flag = record.read_bytes().replace(b"(0kb,I)", b"(9kb)")
        assert papers(read(without_flag))[0].withdrawn, record.name


@pytest.mark.real
def test_no_paper_of_the_other_real_bodies_is_taken_for_withdrawn(shared: Path) -> None:
    found: list[Paper] = []
    for status, content in recorded(shared).values():
        found += papers(read(content)) if status == 200 else []
    assert len(found) > 200
    assert not any(paper.withdrawn for paper in found)


@pytest.mark.real
@pytest.mark.parametrize("name", ["0901_2443", "1711_04702", "1711_05739", "math_0306266"])
def test_single_oai_records_agree_with_their_expected_output(shared: Path, name: str) -> None:
    folder = shared / "data/arxiv-oai-ads"
    (paper,) = papers(read_file(folder / f"arxiv_{name}.xml"))
    expected = json.loads((folder / f"arxiv_{name}.json").read_text())
    assert paper.published_at is not None
    assert paper.published_at.date().isoformat() == expected["pubDate"]["electrDate"]
    assert len(paper.authors) == len(expected["authors"])
    assert paper.title.split()[0] == expected["title"]["textEnglish"].split()[0]
    for ours, theirs in zip(paper.authors, expected["authors"], strict=True):
        family, _, given = theirs["name"]["pubraw"].partition(", ")
        assert ours.name == f"{given} {family}"


@pytest.mark.real
def test_the_oai_list_has_three_of_1090_records(shared: Path) -> None:
    listing = read_file(shared / "data/arxiv-oai-ads/arxiv_multi_20230125.xml")
    assert (len(listing.entries), listing.announced_count, listing.state) == (3, 1090, ListingState.PARTIAL)
    assert (listing.period, listing.listed_on) == (Period.DAY, date(2023, 1, 25))
    assert [len(paper.aliases) for paper in papers(listing)] == [0, 1, 1]
