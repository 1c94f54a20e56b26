"""API bodies: every field where it should be, and every shape that should not be."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from paperdigest.errors import ParseError
from paperdigest.types import ListingState, PaperId
from tests.huggingface_bodies import api, item, only, parse


def refusal(body: bytes) -> str:
    with pytest.raises(ParseError) as caught:
        parse(body, name="2026-04-14.json")
    assert str(caught.value).startswith("2026-04-14.json")
    return str(caught.value)


def test_an_item_becomes_an_entry_with_the_papers_own_fields() -> None:
    entry = only(api(item(paper={"githubRepo": "https://github.com/example/code"})))
    assert (entry.rank, entry.upvotes, entry.comments) == (1, 7, 2)
    paper = entry.paper
    assert paper.id == PaperId(scheme="arxiv", local="2604.00001")
    assert paper.title == "On the Tracing of Number 1"
    assert paper.title_source is None
    assert paper.abstract == "Number 1 is traced."
    assert paper.abstract_source == "Number 1\n  is traced."
    assert [author.name for author in paper.authors] == ["Ada Example"]
    assert paper.url == "https://arxiv.org/abs/2604.00001"
    assert paper.pdf_url == "https://arxiv.org/pdf/2604.00001"
    assert paper.code_url == "https://github.com/example/code"


def test_the_papers_date_is_used_and_not_the_items_eastern_one() -> None:
    assert only(api(item())).paper.published_at == datetime(2026, 4, 13, 22, 30, tzinfo=UTC)
    assert only(api(item(paper={"publishedAt": None}))).paper.published_at is None


def test_the_first_schema_with_nothing_but_the_oldest_keys_is_read() -> None:
    old = item(paper={"submittedOnDailyAt": None, "ai_summary": None}, mediaUrl="https://example.org/a.mp4")
    assert only(api(old)).paper.title == "On the Tracing of Number 1"


def test_an_abstract_is_never_the_machine_written_summary() -> None:
    assert only(api(item(paper={"summary": None}))).paper.abstract is None
    assert only(api(item(paper={"summary": " \n "}))).paper.abstract is None
    assert only(api(item(paper={"summary": None}, summary="The item's."))).paper.abstract == "The item's."


def test_zero_is_a_value_and_absent_is_not() -> None:
    zero = only(api(item(paper={"upvotes": 0}, numComments=0)))
    assert (zero.upvotes, zero.comments) == (0, 0)
    absent = only(api(item(paper={"upvotes": None}, numComments=None)))
    assert (absent.upvotes, absent.comments) == (None, None)
    assert only(api(item(paper={"upvotes": 0}, upvotes=9))).upvotes == 0


def test_hidden_and_nameless_authors_are_neither_printed_nor_counted() -> None:
    authors = [
        {"name": "Visible\n One", "hidden": False},
        {"name": "Hidden One", "hidden": True},
        {"name": "  "},
        {"_id": "nameless"},
        {"name": "The Whole\x00 Team"},
    ]
    paper = only(api(item(paper={"authors": authors}))).paper
    assert [author.name for author in paper.authors] == ["Visible One", "The Whole Team"]
    assert paper.authors_count == 2
    assert only(api(item(paper={"authors": None}))).paper.authors_count is None


@pytest.mark.parametrize(
    ("outer", "inner", "chosen"),
    [
        (r"LLM$\times$MapReduce: Long Texts", "LLMtimesMapReduce: Long Texts", r"LLM$\times$MapReduce: Long Texts"),
        (r"\textsc{Tool} for All", "Tool for\n  All", r"\textsc{Tool} for All"),
        ("Earn 1 Million", "Earn $1 Million", "Earn $1 Million"),
        ("The Same", "The\n  Same", "The\n  Same"),
        (None, "Only Inside", "Only Inside"),
        ("Only Outside", None, "Only Outside"),
        ("Only Outside", " ", "Only Outside"),
    ],
)
def test_the_less_damaged_title_is_taken_and_its_source_kept(outer: str, inner: str, chosen: str) -> None:
    paper = only(api(item(paper={"title": inner}, title=outer))).paper
    assert (paper.title_source or paper.title) == chosen
    assert "\n" not in paper.title


def test_a_title_of_one_zero_is_a_title() -> None:
    assert only(api(item(paper={"title": "0"}))).paper.title == "0"


@pytest.mark.parametrize(
    ("local", "expected", "version"),
    [
        ("2604.00001v3", "arxiv:2604.00001", 3),
        ("astro-ph/0601001", "arxiv:astro-ph/0601001", None),
        ("some-Talk 7", "url:https://huggingface.co/papers/some-Talk%207", None),
    ],
)
def test_an_id_is_an_arxiv_id_without_version_else_the_papers_page(
    local: str, expected: str, version: int | None
) -> None:
    paper = only(api(item(paper={"id": local}))).paper
    assert (str(paper.id), paper.version) == (expected, version)
    assert paper.url is not None


def test_an_item_without_id_is_kept_under_its_title_when_it_has_a_date() -> None:
    paper = only(api(item(paper={"id": None}))).paper
    assert paper.id.scheme == "title"
    assert (paper.url, paper.pdf_url) == (None, None)


@pytest.mark.parametrize(
    "lacking", [{"id": None, "publishedAt": None}, {"title": None}, {"title": " \n"}, {"id": "x" * 3000, "title": ""}]
)
def test_an_item_that_lacks_what_it_needs_is_dropped_and_counted(lacking: dict[str, object]) -> None:
    outer = {"title": None} if "title" in lacking else {}
    listing = parse(api(item(1), item(2, paper=lacking, **outer), item(3)))
    assert [entry.rank for entry in listing.entries] == [1, 3]
    assert (listing.dropped, listing.state) == (1, ListingState.PARTIAL)
    assert listing.note == "1 entries without id or title were dropped"


def test_a_paper_listed_twice_is_kept_once_at_its_first_place() -> None:
    listing = parse(api(item(1), item(2), item(1, numComments=5), item(3)))
    assert [(entry.paper.id.local, entry.rank) for entry in listing.entries] == [
        ("2604.00001", 1),
        ("2604.00002", 2),
        ("2604.00003", 3),
    ]
    assert listing.entries[0].comments == 2


@pytest.mark.parametrize("address", ["javascript:alert(1)", "ftp://a.b/c", "https://a.b/c d", "https://a.b/\x00", ""])
def test_only_web_addresses_become_links_to_code(address: str) -> None:
    assert only(api(item(paper={"githubRepo": address}))).paper.code_url is None


def test_half_a_surrogate_pair_is_replaced_because_nothing_can_write_it() -> None:
    body = json.dumps([item(paper={"title": "Half \ud83d pair", "authors": [{"name": "A\udc00 B"}]})]).encode()
    paper = only(body).paper
    assert paper.title == "Half \ufffd pair"
    assert paper.authors[0].name == "A\ufffd B"


def test_an_empty_list_is_quiet() -> None:
    listing = parse(b"[]", listed_on=date(2026, 4, 12))
    assert (listing.state, listing.entries, listing.listed_on) == (ListingState.QUIET, (), date(2026, 4, 12))
    assert listing.note == "the source lists nothing"


@pytest.mark.parametrize(
    ("size", "state"),
    [
        (49, ListingState.COMPLETE),
        (50, ListingState.PARTIAL),
        (51, ListingState.COMPLETE),
        (100, ListingState.PARTIAL),
    ],
)
def test_a_body_of_just_a_limit_may_be_cut(size: int, state: ListingState) -> None:
    listing = parse(api(*(item(number) for number in range(size))))
    assert (len(listing.entries), listing.state) == (size, state)
    assert (f"exactly {size} entries" in (listing.note or "")) == (state is ListingState.PARTIAL)


def test_the_python_repr_of_items_is_refused_with_file_and_shape() -> None:
    said = refusal(json.dumps([repr(item())]).encode())
    assert said == "2026-04-14.json: item 0 is a string (the Python repr of an object?), expected an object"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (b"\xff\xfe[]", "not UTF-8"),
        (b"plain words", "neither JSON nor HTML"),
        (b'"text"', "neither JSON nor HTML"),
        (b"[1, 2", "not JSON"),
        (b"[NaN]", "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"[" + b"9" * 5000 + b"]", "not usable JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'[{"paper": {}, "paper": {}}]', "'paper' stands twice"),
        (b'{"error": "date must be in the past"}', "date must be in the past"),
        (b'{"papers": [], "total": 0}', "an object (papers, total)"),
        (b"[null]", "item 0 is null"),
        (b"[[]]", "item 0 is a list"),
        (b"[true]", "item 0 is true or false"),
        (b"[7.5]", "item 0 is a number"),
        (b"[{}]", "item 0 has no 'paper'"),
        (b'[{"paper": "2604.00001"}]', "item 0: 'paper' is a string"),
        (api(item(), item(paper={"title": ["a"]})), "item 1: 'title' is a list"),
        (api(item(), item(paper={"title": ["a"]}, title="b")), "item 1: 'paper': 'title' is a list"),
        (api(item(paper={"id": 2604.00001})), "'id' is a number"),
        (api(item(paper={"upvotes": "7"})), "'upvotes' is a string"),
        (api(item(paper={"upvotes": True})), "'upvotes' is true or false"),
        (api(item(paper={"upvotes": 1.5})), "'upvotes' is a number, expected a whole number"),
        (api(item(paper={"upvotes": -1})), "'upvotes' is out of range"),
        (api(item(numComments=10**30)), "'numComments' is out of range"),
        (api(item(paper={"authors": "Ada"})), "'authors' is a string"),
        (api(item(paper={"authors": ["Ada"]})), "author 0 is a string"),
        (api(item(paper={"authors": [{"name": 7}]})), "author 0: 'name' is a number"),
        (api(item(paper={"publishedAt": "yesterday"})), "'publishedAt' is 'yesterday'"),
        (api(item(paper={"publishedAt": "0001-01-01T00:00:00+14:00"})), "'publishedAt' is"),
        (api(item(paper={"githubRepo": {}})), "'githubRepo' is an object"),
    ],
)
def test_an_unexpected_shape_is_refused_in_words(body: bytes, said: str) -> None:
    assert said in refusal(body)


def test_one_broken_item_refuses_the_whole_body() -> None:
    assert "item 2 is a string" in refusal(api(item(1), item(2), "item 3"))


def test_a_byte_order_mark_does_no_harm() -> None:
    assert len(parse(b"\xef\xbb\xbf" + api(item())).entries) == 1


def test_the_page_data_saved_as_json_are_read_too() -> None:
    listing = parse(json.dumps({"dailyPapers": [item()], "dateString": "2026-04-14", "periodType": "day"}).encode())
    assert (len(listing.entries), listing.listed_on) == (1, date(2026, 4, 14))
