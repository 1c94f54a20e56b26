"""OAI-PMH: three metadata formats, deleted records, counts, errors, single records."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from paperdigest.errors import ParseError
from paperdigest.types import ListingState, Period
from tests.arxiv_bodies import body, ids, papers, read

DUBLIN, ARXIV, RAW = (body(f"oai_{name}.xml").decode() for name in ("dc", "arxiv", "raw"))
ENVELOPE = (
    '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><responseDate>2026-04-14T12:00:00Z</responseDate>'
    '<request verb="ListRecords" from="2026-04-14" until="2026-04-14">http://oaipmh.arxiv.org/oai</request>{}</OAI-PMH>'
)


def test_dublin_core_tells_descriptions_and_identifiers_apart() -> None:
    (paper,) = papers(read(DUBLIN))
    assert str(paper.id) == "arxiv:1412.1417"
    assert paper.title == "Current algebras and categorified quantum groups"
    assert paper.abstract == "A trace is the same as an algebra, it turns out."
    assert paper.comment == "28 pages, v3: revised"
    assert paper.journal_ref == "A Journal, Vol 95, pages 248-276"
    assert [str(alias) for alias in paper.aliases] == ["doi:10.1112/jlms.12001"]
    names = [one.name for one in paper.authors]
    assert names == ["P. von Neumann-Cosel", "Aaron D. Lauda Jr.", "The Categories Collaboration"]
    assert paper.published_at == datetime(2014, 12, 3, tzinfo=UTC)
    assert paper.updated_at == datetime(2026, 4, 12, tzinfo=UTC)
    assert (paper.categories, paper.primary_category) == (("math.QA", "hep-th"), None)


def test_deleted_records_are_skipped_and_told() -> None:
    listing = read(DUBLIN)
    assert (listing.state, listing.announced_count, listing.dropped) == (ListingState.COMPLETE, 1, 0)
    assert listing.note == "1 deleted records skipped"


def test_only_deleted_records_are_quiet() -> None:
    start, end = DUBLIN.index("<record>"), DUBLIN.index("<record>\n<header status")
    listing = read(DUBLIN[:start] + DUBLIN[end:].replace('completeListSize="2"', ""))
    assert (listing.state, listing.note) == (ListingState.QUIET, "1 deleted records skipped")


def test_arxivs_own_format_has_collaborations_suffixes_and_affiliations() -> None:
    paper, old = papers(read(ARXIV))
    assert [(one.name, one.affiliation) for one in paper.authors] == [
        ("The ATLAS Collaboration", None),
        ("Ada Lovelace III", "University of Here; Lab There"),
    ]
    assert (paper.primary_category, paper.categories) == ("cs.SE", ("cs.SE", "cs.AI"))
    assert (paper.comment, paper.journal_ref) == ("9 pages", "A Journal 1 (2026) 2-3")
    assert [str(alias) for alias in paper.aliases] == ["doi:10.1234/abc"]
    assert paper.published_at == datetime(2026, 4, 10, tzinfo=UTC)
    assert paper.updated_at == datetime(2026, 4, 12, tzinfo=UTC)
    assert (old.published_at, old.updated_at) == (None, datetime(2026, 4, 13, tzinfo=UTC)), "2016 is in its id"


def test_the_raw_format_has_versions_and_withdrawals() -> None:
    listing = read(RAW)
    new, gone = papers(listing)
    assert [(one.name, one.affiliation) for one in new.authors] == [
        ("Ada Lovelace", "University of Here"),
        ("Grace B. Hopper", "University of Here; Lab There"),
        ("Emmy Noether", None),
    ]
    assert (new.version, new.withdrawn) == (1, False)
    assert new.published_at == new.updated_at == datetime(2026, 4, 10, 18, 15, 42, tzinfo=UTC)
    assert (gone.version, gone.withdrawn) == (10, True), "the highest version counts, wherever it stands"
    assert gone.published_at == datetime(2023, 6, 12, 1, tzinfo=UTC)
    assert gone.updated_at == datetime(2026, 4, 13, 9, tzinfo=UTC)
    assert [one.name for one in gone.authors] == ["Yangruibo Ding", "Ben Steenhoek", "Kexin Pei"]
    assert [entry.announce_type for entry in listing.entries] == [None, "replace"]


def test_a_list_of_one_day_is_that_days_and_a_range_is_a_search() -> None:
    assert (read(RAW).period, read(RAW).listed_on) == (Period.DAY, date(2026, 4, 14))
    assert read(DUBLIN).period is Period.DAY, "without an end, but with records of that day only"
    wide = read(RAW.replace('from="2026-04-14"', 'from="2026-04-01"'))
    assert (wide.period, wide.listed_on) == (Period.SEARCH, date(2026, 4, 14))
    asked = read(RAW.replace('from="2026-04-14"', 'from="2026-04-01"'), listed_on=date(2026, 4, 13))
    assert (asked.period, asked.listed_on) == (Period.DAY, date(2026, 4, 13))


def test_more_pages_and_unmet_counts_are_partial() -> None:
    more = read(DUBLIN.replace("></resumptionToken>", ">6460044|1001</resumptionToken>"))
    assert (more.state, more.note) == (ListingState.PARTIAL, "more pages follow; 1 deleted records skipped")
    short = read(DUBLIN.replace('completeListSize="2"', 'completeListSize="1090"'))
    assert (short.state, short.announced_count) == (ListingState.PARTIAL, 1090)
    assert "2 of 1090 announced entries" in (short.note or "")


def test_a_bare_record_is_read_with_and_without_namespace() -> None:
    record = DUBLIN[DUBLIN.index("<record>") : DUBLIN.index("</record>") + len("</record>")]
    for body_ in (record, record.replace("<record>", '<record xmlns="http://www.openarchives.org/OAI/2.0/">', 1)):
        listing = read(body_)
        assert ids(listing) == ["1412.1417"]
        assert (listing.period, listing.state) == (Period.SEARCH, ListingState.COMPLETE)
        assert listing.listed_on == date(2026, 4, 14)


def test_a_single_record_that_was_asked_for_is_read() -> None:
    record = RAW[RAW.index("<record>") : RAW.index("</record>") + len("</record>")]
    assert ids(read(ENVELOPE.format(f"<GetRecord>{record}</GetRecord>"))) == ["2604.11111"]


def test_no_records_match_is_quiet() -> None:
    listing = read(ENVELOPE.format('<error code="noRecordsMatch">Nothing</error>'))
    assert (listing.state, listing.listed_on, listing.period) == (ListingState.QUIET, date(2026, 4, 14), Period.DAY)


@pytest.mark.parametrize("code", ["badArgument", "badResumptionToken", "idDoesNotExist"])
def test_every_other_error_is_raised_with_its_code(code: str) -> None:
    with pytest.raises(ParseError, match=rf"\({code}\): No such thing"):
        read(ENVELOPE.format(f'<error code="{code}">No such\n thing</error>'))


def test_a_reply_to_another_question_is_refused() -> None:
    with pytest.raises(ParseError, match="without records"):
        read(ENVELOPE.format("<Identify><repositoryName>arXiv</repositoryName></Identify>"))


def test_a_record_in_an_unknown_format_is_counted() -> None:
    listing = read(RAW.replace("<arXivRaw", "<marc", 1).replace("</arXivRaw>", "</marc>", 1))
    assert (ids(listing), listing.dropped, listing.state) == (["2306.07487"], 1, ListingState.PARTIAL)


@pytest.mark.parametrize("version", ["", "1", "vv", "v0", "v-1", "v99999999999", "v²"])
def test_an_impossible_version_is_no_version(version: str) -> None:
    paper = papers(read(RAW.replace('version="v1"', f'version="{version}"', 1)))[0]
    assert (paper.version, paper.published_at) == (None, None)


def test_a_search_is_dated_by_its_newest_datestamp() -> None:
    wide = RAW.replace('from="2026-04-14"', 'from="2026-04-01"').replace(
        "<datestamp>2026-04-14", "<datestamp>2026-04-02", 1
    )
    assert (read(wide).period, read(wide).listed_on) == (Period.SEARCH, date(2026, 4, 14))
