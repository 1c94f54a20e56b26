"""Announcement mails: sections, continuation lines, counts of the subject, weekly lists, cut ends."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from paperdigest.errors import ParseError
from paperdigest.types import ListingState, Period
from tests.arxiv_bodies import body, ids, papers, read

MAIL = body("mail_daily.txt").decode()


def test_the_sections_give_the_announce_types() -> None:
    listing = read(MAIL)
    assert ids(listing) == ["2604.11111", "2604.33333", "2604.22222", "2306.07487"]
    assert [entry.announce_type for entry in listing.entries] == ["new", "new", "cross", "replace"]
    assert (listing.state, listing.announced_count, listing.note) == (ListingState.COMPLETE, 3, None)


def test_every_field_of_an_entry_is_read() -> None:
    paper, gone, _, replaced = papers(read(MAIL))
    assert paper.title == "Tracing tests to requirements and back"
    assert [one.name for one in paper.authors] == ["Ada Lovelace", "Grace B. Hopper", "Sezgin Aygün", "Emmy Noether"]
    assert paper.abstract == "Tests are linked to what they check. Note: this line looks like a field."
    assert paper.comment == "9 pages: the figure says why"
    assert (paper.journal_ref, [str(alias) for alias in paper.aliases]) == (
        "A Journal 1 (2026) 2-3",
        ["doi:10.1234/abc"],
    )
    assert (paper.primary_category, paper.categories) == ("cs.SE", ("cs.SE", "cs.AI"))
    assert paper.published_at == datetime(2026, 4, 10, 18, 34, 8, tzinfo=UTC)
    assert (paper.version, paper.withdrawn, gone.withdrawn) == (1, False, True)
    assert replaced.title == "TRACED: Execution-aware Pre-training for Source Code"
    assert (replaced.version, replaced.published_at, replaced.abstract) == (None, None, None)
    assert replaced.updated_at == datetime(2026, 4, 13, 9, 5, 58, tzinfo=UTC)


def test_a_paper_of_size_zero_with_the_withdrawn_flag_needs_no_words() -> None:
    assert papers(read(MAIL.replace("Comments: paper withdrawn by author\n", "")))[1].withdrawn
    assert not papers(read(MAIL.replace("Comments: paper withdrawn by author\n", "").replace("(0kb,I)", "(9kb)")))[
        1
    ].withdrawn


def test_the_mail_of_an_evening_is_the_next_weekdays_listing() -> None:
    assert read(MAIL).listed_on == date(2026, 4, 14), "Monday 20:31 Eastern"
    assert read(MAIL.replace("Tue, 14 Apr 26 00:31:14 GMT", "Sun, 12 Apr 2026 20:31:14 -0400")).listed_on == date(
        2026, 4, 13
    )


@pytest.mark.parametrize(
    ("subject", "note"),
    [
        ("cs daily 3 new + 1 crosses", "2 of 3 new entries"),
        ("cs daily 2 new + 4 crosses", "1 of 4 cross entries"),
        ("cs daily 3 new +  crosses", "2 of 3 new entries"),
    ],
)
def test_fewer_entries_than_the_subject_says_are_partial(subject: str, note: str) -> None:
    listing = read(MAIL.replace("cs daily 2 new + 1 crosses", subject))
    assert listing.state is ListingState.PARTIAL
    assert note in (listing.note or "")


def test_an_empty_cross_count_is_no_count() -> None:
    listing = read(MAIL.replace("2 new + 1 crosses", "2 new +  crosses"))
    assert (listing.state, listing.announced_count) == (ListingState.COMPLETE, 2)


def test_a_mail_without_its_end_is_partial() -> None:
    listing = read(MAIL[: MAIL.index("%%%---")])
    assert (len(listing.entries), listing.state) == (4, ListingState.PARTIAL)
    assert listing.note == "the end of the mail is missing"


def test_a_mail_cut_inside_an_abstract_keeps_what_came_before() -> None:
    listing = read(MAIL[: MAIL.index("to what they check")])
    assert papers(listing)[0].abstract == "Tests are linked"
    assert listing.state is ListingState.PARTIAL


def test_the_older_form_of_the_identifier_line_is_read() -> None:
    old = MAIL.replace("arXiv:2604.22222 (*cross-listing*)", "Paper (*cross-listing*): quant-ph/9901070")
    entry = read(old).entries[2]
    assert (entry.paper.id.local, entry.announce_type) == ("quant-ph/9901070", "cross")


def test_a_weekly_list_is_a_week_dated_by_its_newest_day() -> None:
    listing = read(body("mail_weekly.txt"))
    assert (listing.period, listing.listed_on, listing.state) == (Period.WEEK, date(2023, 3, 3), ListingState.COMPLETE)
    assert [(entry.paper.title, entry.announce_type) for entry in listing.entries] == [
        ("Friday's paper", "new"),
        ("Thursday's paper", "cross"),
    ]


def test_a_mail_that_announces_nothing_is_quiet() -> None:
    head = MAIL[: MAIL.index("\\\\\n")].replace("2 new + 1 crosses", "0 new +  crosses")
    listing = read(head + "%%%---%%%---%%%---\n")
    assert (listing.state, listing.listed_on) == (ListingState.QUIET, date(2026, 4, 14))


def test_a_letter_is_no_announcement() -> None:
    with pytest.raises(ParseError, match="none of arXiv's formats"):
        read("Dear all,\n\nno papers today.\n")
    with pytest.raises(ParseError, match="it has no entries"):
        read("Subject: cs daily 3 new + 1 crosses received\n\nnothing here\n")


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    assert read("\ufeff" + MAIL.replace("\n", "\r\n")).entries == read(MAIL).entries


def test_an_entry_without_a_title_is_counted() -> None:
    listing = read(MAIL.replace("Title: A crossing paper\n", ""))
    assert (listing.dropped, listing.state) == (1, ListingState.PARTIAL)


def test_the_newest_revision_of_an_abs_record_counts() -> None:
    record = (
        "\\\\\narXiv:0704.0156\nFrom: Somebody\nDate: Mon, 2 Apr 2007 12:02:40 GMT   (903kb)\n"
        "Date (revised v2): Wed, 5 Mar 2008 04:28:27 GMT   (903kb)\n"
        "Date (revised v10): Thu, 6 Mar 2008 04:28:27 GMT   (0kb,I)\n\nTitle: Gone\nAuthors: Nobody\n"
        "Categories: astro-ph\n\\\\\n  We study the sun.\n\\\\\n"
    )
    (paper,) = papers(read(record))
    assert (paper.version, paper.withdrawn) == (10, True)
    assert paper.updated_at == datetime(2008, 3, 6, 4, 28, 27, tzinfo=UTC)


def test_a_list_with_one_day_head_is_that_days() -> None:
    weekly = body("mail_weekly.txt").replace(b"Thu, 2 Mar 2023 */", b"Fri, 3 Mar 2023 */")
    assert (read(weekly).period, read(weekly).listed_on) == (Period.DAY, date(2023, 3, 3))


def test_the_first_of_two_fields_of_one_name_counts() -> None:
    twice = MAIL.replace("Authors: Emmy Noether\n", "Authors: Emmy Noether\nAuthors: Nobody,\n  Somebody\n")
    assert read(twice).entries == read(MAIL).entries


def test_a_week_stays_a_week_when_a_day_is_asked_for() -> None:
    listing = read(body("mail_weekly.txt"), listed_on=date(2023, 3, 4))
    assert (listing.period, listing.listed_on) == (Period.WEEK, date(2023, 3, 4))
