"""Announcement feeds, RSS and Atom: types, one creator string, days, weekends, errors, the cap."""

from __future__ import annotations

from datetime import date

import pytest

from paperdigest.errors import ParseError
from paperdigest.types import ListingState, Period
from tests.arxiv_bodies import body, ids, papers, read

RSS = body("rss.xml").decode()


def test_every_field_of_an_item_is_read() -> None:
    listing = read(RSS)
    assert [entry.announce_type for entry in listing.entries] == ["new", "cross", "replace", "replace-cross"]
    assert ids(listing) == ["2604.11111", "2604.22222", "2306.07487", "math/0306266"]
    new, cross, replaced, old = papers(listing)
    assert new.title == "Tracing tests to requirements & back"
    assert new.abstract == "Tests are linked to what they check, with café-grade care."
    assert new.abstract_source == r"Tests are linked to what they check, with caf\'e-grade care."
    assert [(one.name, one.affiliation) for one in new.authors] == [
        ("Ada Lovelace", "University of Here, Lab There"),
        ("Grace B. Hopper", None),
        ("Sezgin Aygün", None),
    ]
    assert (new.primary_category, new.categories) == ("cs.SE", ("cs.SE", "cs.AI"))
    assert (new.version, replaced.version, old.version) == (1, 3, 2)
    assert (replaced.journal_ref, [str(alias) for alias in replaced.aliases]) == (
        "A Conference (2024)",
        ["doi:10.1145/3597503.3608140"],
    )
    assert cross.primary_category == "cs.LG"


def test_the_day_of_the_announcement_is_no_paper_s_day_of_publication() -> None:
    assert {paper.published_at for paper in papers(read(RSS))} == {None}


def test_the_feed_is_complete_and_dated_in_eastern_time() -> None:
    listing = read(RSS)
    assert (listing.state, listing.period, listing.listed_on) == (ListingState.COMPLETE, Period.DAY, date(2026, 4, 14))
    assert read(RSS.replace("00:00:00 -0400", "03:59:59 +0000")).listed_on == date(2026, 4, 13)
    assert read(RSS.replace("00:00:00 -0400", "04:00:00 +0000")).listed_on == date(2026, 4, 14)


def test_the_entries_own_date_goes_before_the_feeds() -> None:
    stale = RSS.replace("<pubDate>Tue, 14 Apr", "<pubDate>Wed, 15 Apr", 1)
    listing = read(stale)
    assert listing.listed_on == date(2026, 4, 14)
    assert listing.note == "the feed is dated 2026-04-15, its entries 2026-04-14"


def test_the_feeds_date_is_taken_when_entries_have_none() -> None:
    head, separator, rest = RSS.partition("<item>")
    rest = rest.replace("<pubDate>Tue, 14 Apr 2026 00:00:00 -0400</pubDate>", "")
    assert read(head + separator + rest).listed_on == date(2026, 4, 14)


def test_a_day_that_was_asked_for_wins_and_the_difference_is_told() -> None:
    listing = read(RSS, listed_on=date(2026, 4, 13))
    assert listing.listed_on == date(2026, 4, 13)
    assert listing.note == "dated 2026-04-13 as asked, the body says 2026-04-14"


def test_the_atom_form_says_the_same_as_the_rss_form() -> None:
    atom, rss = read(body("announce_atom.xml")), read(RSS)
    assert atom.entries == rss.entries[:1]
    assert (atom.listed_on, atom.state) == (rss.listed_on, rss.state)


def test_a_weekend_feed_is_quiet() -> None:
    listing = read(body("rss_weekend.xml"))
    assert (listing.state, listing.listed_on, listing.entries) == (ListingState.QUIET, date(2026, 4, 18), ())
    assert listing.note == "no announcement: weekend or holiday"


def test_an_empty_feed_on_a_weekday_says_that_the_calendar_knows_better() -> None:
    listing = read(body("rss_weekend.xml").replace(b"Sat, 18 Apr", b"Fri, 17 Apr"))
    assert listing.state is ListingState.QUIET
    assert "arXiv's calendar has an announcement that day" in (listing.note or "")


@pytest.mark.parametrize("form", ["rss", "atom"])
def test_an_error_feed_raises_arxivs_own_words(form: str) -> None:
    rss = body("rss_error.xml").decode()
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>Feed error for query: cs.XX</title>'
        "<subtitle>Bad category 'XX'.</subtitle></feed>"
    )
    with pytest.raises(ParseError, match="error feed: Bad category 'XX'"):
        read(rss if form == "rss" else atom)


def test_a_feed_at_the_cap_is_partial() -> None:
    head, _, rest = RSS.partition("<item>")
    item = f"<item>{rest.partition('</item>')[0]}</item>"
    items = "".join(item.replace("2604.11111", f"2604.{number:05}") for number in range(2000))
    listing = read(f"{head}{items}</channel></rss>")
    assert (len(listing.entries), listing.state) == (2000, ListingState.PARTIAL)
    assert "its limit" in (listing.note or "")


@pytest.mark.parametrize("missing", ["guid", "description", "link"])
def test_the_id_is_found_wherever_it_stands(missing: str) -> None:
    start = RSS.index(f"<{missing}", RSS.index("<item>"))
    end = RSS.index(f"</{missing}>", start) + len(f"</{missing}>")
    assert "2604.11111" in ids(read(RSS[:start] + RSS[end:]))


def test_the_type_is_taken_from_the_description_when_its_element_is_missing() -> None:
    listing = read(RSS.replace("<arxiv:announce_type>cross</arxiv:announce_type>", ""))
    assert listing.entries[1].announce_type == "cross"


def test_a_type_we_do_not_know_is_none() -> None:
    assert read(RSS.replace(">cross<", ">absonly<")).entries[1].announce_type is None


def test_a_paper_in_several_categories_is_one_entry() -> None:
    listing = read(RSS.replace("2604.22222", "2604.11111"))
    assert ids(listing) == ["2604.11111", "2306.07487", "math/0306266"]
    assert [entry.rank for entry in listing.entries] == [1, 2, 3]


def test_the_feed_of_somebody_else_is_refused_with_a_hint() -> None:
    with pytest.raises(ParseError, match=r"not arXiv's \(try --as feed\)"):
        read("<rss version='2.0'><channel><title>A blog</title><item><title>x</title></item></channel></rss>")
    with pytest.raises(ParseError, match="without a channel"):
        read("<rss version='2.0'/>")


def test_unwanted_announce_types_are_left_out_and_told() -> None:
    listing = read(RSS, announce_types=["new", "cross"])
    assert ids(listing) == ["2604.11111", "2604.22222"]
    assert (listing.state, listing.note) == (ListingState.COMPLETE, "2 entries left out by announce_types")


def test_a_description_without_its_prefix_is_the_abstract() -> None:
    plain = RSS.replace("arXiv:2604.22222v1 Announce Type: cross \nAbstract: It belongs", "It belongs")
    listing = read(plain)
    assert papers(listing)[1].abstract == "It belongs to two fields."
    assert listing.entries[1].announce_type == "cross"
