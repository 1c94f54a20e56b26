"""Recording listings: each paper once, everything that was complete kept, and what a second look adds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from paperdigest.errors import NotFoundError
from paperdigest.store import Store
from paperdigest.store.engine import connect_raw
from paperdigest.types import Author, Entry, ListingState, PaperId, Period, Unmodified, Validators
from tests.store_samples import DAY, MOMENT, arxiv, listing, named, paper, picture

DOI = PaperId(scheme="doi", local="10.1000/trace")
URL = PaperId(scheme="url", local="https://example.org/trace")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "papers.db", create=True)
    yield opened
    assert opened.check() == ()
    opened.close()


def test_a_paper_comes_back_as_it_was_recorded(store: Store) -> None:
    told = paper(
        title="Größe: 0",
        abstract="Über alles.",
        title_source='Gr\\"o{\\ss}e: 0',
        abstract_source='\\"Uber\nalles.',
        authors=(Author(name="Ada Lovelace", affiliation="London"), Author(name="The Team")),
        authors_count=5,
        published_at=datetime(2026, 4, 14, 17, 59, 58, 123456, tzinfo=UTC),
        updated_at=datetime(2026, 4, 15, tzinfo=UTC),
        version=2,
        url="https://arxiv.org/abs/2604.00001",
        pdf_url="https://arxiv.org/pdf/2604.00001",
        code_url="https://code.example/",
        primary_category="cs.SE",
        categories=("cs.SE", "cs.AI"),
        comment="9 pages",
        journal_ref="J. 1 (2026)",
        withdrawn=True,
        aliases=(DOI,),
    )
    store.record(listing(Entry(paper=told, rank=3, upvotes=0, comments=2, announce_type="new")), authority=3)
    stored = store.paper(told.id)
    assert stored.paper == told
    assert stored.first_seen_at == MOMENT
    [appearance] = stored.entries
    assert (appearance.source, appearance.listed_on, appearance.rank) == ("hf", DAY, 3)
    assert (appearance.upvotes, appearance.comments, appearance.announce_type) == (0, 2, "new")


def test_a_title_of_one_zero_and_a_paper_without_anything_else_are_stored(store: Store) -> None:
    store.record(listing(paper(title="0")), authority=2)
    assert store.paper(arxiv("2604.00001")).paper == paper(title="0")


def test_counts_tell_new_updated_and_unchanged_apart(store: Store) -> None:
    one, two = paper("2604.00001"), paper("2604.00002")
    first = store.record(listing(one, Entry(paper=two, upvotes=1)), authority=2)
    assert (first.new, first.updated, first.unchanged, first.entries) == (2, 0, 0, 2)
    assert {stored.paper.id for stored in store.papers_first_seen(MOMENT)} == {one.id, two.id}
    again = store.record(listing(one, Entry(paper=two, upvotes=4), paper("2604.00003"), hours=1), authority=2)
    assert (again.new, again.updated, again.unchanged, again.entries) == (1, 1, 1, 3)
    third = store.record(listing(replace(one, abstract="Now with an abstract."), hours=2), authority=2)
    assert (third.new, third.updated, third.unchanged) == (0, 1, 0)


def test_one_paper_on_two_days_is_one_paper_with_two_entries(store: Store) -> None:
    one = paper("2604.07429", "A paper that was listed twice")
    for day in (date(2026, 4, 10), date(2026, 4, 16)):
        recorded = store.record(listing(one, day=day), authority=2)
    assert (recorded.new, recorded.updated) == (0, 1)
    assert [entry.listed_on.day for entry in store.paper(one.id).entries] == [10, 16]
    assert store.counts()["papers"] == 1
    assert store.counts()["entries"] == 2


def test_a_paper_twice_in_one_listing_is_one_entry(store: Store) -> None:
    told = listing(
        Entry(paper=paper(), rank=4, announce_type="cross"), Entry(paper=paper(), rank=9, announce_type="new")
    )
    recorded = store.record(told, authority=3)
    assert (recorded.new, recorded.entries) == (1, 1)
    [entry] = store.paper(paper().id).entries
    assert entry.rank == 4


def test_sources_that_share_an_identifier_share_the_paper_and_stay_on_it(store: Store) -> None:
    feed = replace(paper(title="Trace, as a feed has it"), id=DOI)
    archive = paper("2604.00009", "Trace, as the archive has it", aliases=(DOI,), version=1)
    store.record(listing(feed, source="journal"), authority=1)
    assert store.paper(DOI).paper.id == DOI
    recorded = store.record(listing(archive, source="arxiv", hours=1), authority=3)
    assert (recorded.new, recorded.updated) == (0, 1)
    stored = store.paper(DOI)
    assert stored.paper.id == archive.id, "the strongest identifier names it from now on"
    assert stored.paper.aliases == (DOI,), "the old one still finds it"
    assert stored.paper.title == "Trace, as the archive has it"
    assert {entry.source for entry in stored.entries} == {"journal", "arxiv"}


def test_a_paper_known_by_its_title_only_is_found_again_by_title_author_and_year(store: Store) -> None:
    published = datetime(2026, 4, 14, tzinfo=UTC)
    archived = paper(
        "2604.00009", "Tracing the origin of things", authors=named("Ada Lovelace"), published_at=published
    )
    store.record(listing(replace(archived, id=URL), source="feed"), authority=1)
    store.record(listing(archived, source="arxiv"), authority=3)
    assert store.counts()["papers"] == 1
    assert store.paper(URL).paper.id == arxiv("2604.00009")


def test_titles_that_only_begin_alike_are_different_papers(store: Store) -> None:
    titles = ["TRACE: capability targeted", "TRACE: task adaptive", "TRACE is the new thing"]
    told = [paper(f"2604.0000{place}", title, authors=named("A B")) for place, title in enumerate(titles)]
    assert store.record(listing(*told), authority=2).new == 3


def test_two_rows_become_one_when_a_third_observation_bridges_them(store: Store) -> None:
    by_doi = replace(paper(title="By DOI", abstract="Abstract."), id=DOI)
    by_url = replace(paper(title="By address", comment="9 pages"), id=URL)
    store.record(listing(Entry(paper=by_doi, rank=1, upvotes=3), Entry(paper=by_url, rank=2)), authority=1)
    store.record(listing(Entry(paper=by_url, upvotes=5), day=DAY - timedelta(days=1), hours=1), authority=1)
    assert store.counts()["papers"] == 2
    bridge = paper("2604.00009", "By the archive", aliases=(DOI, URL), version=1)
    recorded = store.record(listing(bridge, source="arxiv", hours=2), authority=3)
    assert (recorded.new, recorded.updated) == (0, 1)
    assert store.counts()["papers"] == 1
    stored = store.paper(URL)
    assert (stored.paper.title, stored.paper.abstract) == ("By the archive", "Abstract.")
    assert stored.paper.comment == "9 pages"
    assert [(e.source, e.rank, e.upvotes) for e in stored.entries] == [
        ("hf", None, 5),
        ("arxiv", None, None),
        ("hf", 1, 3),
    ]
    assert store.search(None, 10).total == 1


def test_versions_never_make_a_new_paper_and_are_all_remembered(store: Store) -> None:
    for version in (2, 1, 3):
        told = listing(paper(version=version, title=f"Title {version}"), source="arxiv", hours=version)
        store.record(told, authority=3)
    stored = store.paper(paper().id)
    assert (stored.paper.version, stored.paper.title) == (3, "Title 3")
    with connect_raw(store.path) as connection:
        versions = connection.execute("SELECT version, substr(first_seen_at, 12, 2) FROM versions").fetchall()
    connection.close()
    assert versions == [(1, "07"), (2, "08"), (3, "09")]


def test_first_seen_is_not_published_so_a_bulk_import_is_seen_now(store: Store) -> None:
    old = [paper(f"1801.{number:05}", published_at=datetime(2018, 1, 1, tzinfo=UTC)) for number in range(30)]
    store.record(listing(*old, day=date(2018, 1, 2)), authority=3)
    later = MOMENT + timedelta(days=1)
    assert len(store.papers_first_seen(MOMENT, later)) == 30
    assert store.papers_first_seen(later) == ()
    store.record(listing(*old, hours=48), authority=2)
    assert store.papers_first_seen(later) == (), "seen again is not first seen"


def test_a_feed_that_links_a_version_tells_of_the_version_and_of_nothing_else(store: Store) -> None:
    store.record(listing(paper(title="As the index has it")), authority=2)
    linked = paper(title="As a feed calls it", version=2, withdrawn=True)
    assert store.record(listing(linked, source="feed", hours=1), authority=1).updated == 1
    stored = store.paper(paper().id).paper
    assert (stored.title, stored.version, stored.withdrawn) == ("As the index has it", 2, False)


def test_a_reading_that_turns_out_to_be_older_dates_the_first_sight_back(store: Store) -> None:
    for hours in (5, 1, 3):
        store.record(listing(paper(version=1), hours=hours), authority=2)
    assert store.paper(paper().id).first_seen_at == MOMENT + timedelta(hours=1)


def test_papers_come_newest_first_and_limited(store: Store) -> None:
    for hour in range(3):
        store.record(listing(paper(f"2604.0000{hour}"), hours=hour), authority=2)
    found = store.papers_first_seen(MOMENT, limit=2)
    assert [str(stored.paper.id) for stored in found] == ["arxiv:2604.00002", "arxiv:2604.00001"]


@pytest.mark.parametrize("state", [ListingState.PARTIAL, ListingState.STALE, ListingState.FAILED, ListingState.QUIET])
@pytest.mark.parametrize("worse_first", [False, True])
def test_a_worse_reading_takes_nothing_away(store: Store, state: ListingState, worse_first: bool) -> None:
    good = listing(
        Entry(paper=paper("2604.00001"), rank=1, upvotes=1), paper("2604.00002"), announced_count=2, note="fine"
    )
    entries = (Entry(paper=paper("2604.00001"), upvotes=9),) if state is ListingState.PARTIAL else ()
    worse = listing(*entries, state=state, hours=1, announced_count=0, note="cut")
    for told in (worse, good) if worse_first else (good, worse):
        recorded = store.record(told, authority=2)
    [stored] = store.listings("hf", DAY, DAY)
    assert recorded.state is stored.state is ListingState.COMPLETE
    assert (stored.entries, stored.announced_count, stored.note) == (2, 2, "fine")
    assert stored.retrieved_at == MOMENT
    assert stored.attempted_at == MOMENT + timedelta(hours=1)
    votes = store.paper(arxiv("2604.00001")).entries[0].upvotes
    assert votes == (9 if state is ListingState.PARTIAL else 1)


def test_a_batch_that_is_served_again_does_not_put_its_papers_on_a_second_day(store: Store) -> None:
    one, two = paper("2604.00001"), paper("2604.00002")
    tomorrow = DAY + timedelta(days=1)
    store.record(listing(one), authority=2)
    store.record(listing(one, day=tomorrow, state=ListingState.STALE, hours=20), authority=2)
    assert [entry.listed_on for entry in store.paper(one.id).entries] == [DAY]
    store.record(listing(two, day=tomorrow, hours=24), authority=2)
    [_, stored] = store.listings("hf")
    assert (stored.listed_on, stored.state, stored.entries) == (tomorrow, ListingState.COMPLETE, 1)


def test_a_failed_day_is_remembered_until_it_is_repaired(store: Store) -> None:
    recorded = store.record(listing(state=ListingState.FAILED, note="503 Service Unavailable"), authority=2)
    assert (recorded.entries, recorded.state) == (0, ListingState.FAILED)
    [stored] = store.listings("hf", DAY, DAY)
    assert (stored.state, stored.note) == (ListingState.FAILED, "503 Service Unavailable")
    assert store.record(listing(paper(), hours=1), authority=2).state is ListingState.COMPLETE


def test_each_pair_of_votes_is_remembered_once_with_its_first_moment(store: Store) -> None:
    for hours, upvotes in ((0, 1), (1, 5), (2, 5), (3, 1)):
        store.record(listing(Entry(paper=paper(), upvotes=upvotes, comments=0), hours=hours), authority=2)
    connection = connect_raw(store.path)
    history = connection.execute(
        "SELECT upvotes, comments, substr(observed_at, 12, 2) FROM votes ORDER BY 3"
    ).fetchall()
    connection.close()
    assert history == [(1, 0, "06"), (5, 0, "07")]
    assert store.paper(paper().id).entries[0].upvotes == 1


def test_votes_that_turn_out_to_be_older_are_dated_back(store: Store) -> None:
    for hours in (5, 1, 3):
        store.record(listing(Entry(paper=paper(), upvotes=1), hours=hours), authority=2)
    connection = connect_raw(store.path)
    history = connection.execute("SELECT upvotes, substr(observed_at, 12, 2) FROM votes").fetchall()
    connection.close()
    assert history == [(1, "07")]


def test_one_batch_may_repeat_papers_and_bridge_them(store: Store) -> None:
    by_url = replace(paper(title="By address"), id=URL)
    by_other = replace(paper(title="By DOI"), id=PaperId(scheme="url", local="https://doi.example/"), aliases=(DOI,))
    store.record_all([(listing(by_url, by_other), 1)])
    bridge = paper("2604.00009", "By the archive", aliases=(DOI, URL))
    again = [(listing(by_url, by_other, hours=5), 1), (listing(bridge, source="arxiv", hours=2), 3)]
    counts = [(one.new, one.updated, one.entries) for one in store.record_all(again)]
    assert counts == [(0, 1, 1), (0, 1, 1)]
    assert store.paper(URL).paper.title == "By the archive"
    with connect_raw(store.path) as connection:
        assert connection.execute("SELECT count(*) FROM entries").fetchone() == (2,)
    connection.close()


def test_votes_that_are_not_said_do_not_wipe_out_known_ones(store: Store) -> None:
    store.record(listing(Entry(paper=paper(), rank=1, upvotes=7, comments=2)), authority=2)
    store.record(listing(Entry(paper=paper(), rank=2), hours=1), authority=2)
    [entry] = store.paper(paper().id).entries
    assert (entry.rank, entry.upvotes, entry.comments) == (2, 7, 2)


def test_a_refresh_of_votes_leaves_papers_and_search_index_alone(store: Store) -> None:
    told = [paper(f"2604.{number:05}", abstract="Words.", authors=named("A B")) for number in range(20)]
    store.record(listing(*[Entry(paper=one, upvotes=1) for one in told]), authority=2)
    connection = connect_raw(store.path)
    tables = ("papers", "authors", "paper_keys", "paper_search_data")
    before = [connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables]
    recorded = store.record(listing(*[Entry(paper=one, upvotes=2) for one in told], hours=1), authority=2)
    assert (recorded.new, recorded.updated) == (0, 20)
    assert [connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables] == before
    connection.close()


def test_validators_are_stored_with_the_listing_and_the_latest_wins(store: Store) -> None:
    url = "https://rss.arxiv.org/atom/cs.SE"
    wait = MOMENT + timedelta(hours=5)
    new = Validators(url=url, etag='W/"b"', last_modified="Wed, 15 Apr 2026 04:00:00 GMT", next_attempt_at=wait)
    store.record(listing(validators=(new,), hours=1), authority=2)
    store.record(listing(validators=(Validators(url=url, etag='"a"'),)), authority=2)
    assert store.validators() == {url: new} == store.validators([url])
    assert store.validators(["https://other.example/"]) == {}
    gone = Validators(url=url, moved_to="https://new.example/", gone=True)
    store.record(listing(validators=(gone,), hours=2, state=ListingState.FAILED), authority=2)
    assert store.validators()[url] == gone


def test_waits_are_remembered(store: Store) -> None:
    assert store.waits() == {}
    store.save_waits({"arxiv": MOMENT, "huggingface": MOMENT})
    store.save_waits({"arxiv": MOMENT + timedelta(hours=1)})
    store.save_waits({})
    assert store.waits() == {"arxiv": MOMENT + timedelta(hours=1), "huggingface": MOMENT}


def test_an_unchanged_listing_is_confirmed_with_its_validators(store: Store) -> None:
    told = Validators(url="https://a.example/", etag='"1"')
    unmodified = Unmodified(
        source="hf", kind="k", listed_on=DAY, retrieved_at=MOMENT + timedelta(hours=3), validators=(told,)
    )
    assert store.confirm(unmodified, is_day_known=True) is None
    store.record(listing(paper()), authority=2)
    for is_day_known in (True, False):
        stored = store.confirm(unmodified, is_day_known=is_day_known)
        assert stored is not None
        assert (stored.listed_on, stored.entries, stored.state) == (DAY, 1, ListingState.COMPLETE)
    assert store.listings("hf")[0].retrieved_at == MOMENT + timedelta(hours=3)
    assert store.validators() == {told.url: told}


def test_the_history_tells_what_the_source_has_listed_before(store: Store) -> None:
    one, two, three = (paper(f"2604.0000{number}") for number in range(3))
    store.record(listing(one, two), authority=2)
    store.record(listing(three, source="arxiv"), authority=3)
    told = store.history(listing(one, two, three, day=DAY + timedelta(days=1)))
    assert (told.listed_before, told.entries_this_day, told.usual) == (2, 0, (2,))
    store.record(listing(three, day=DAY + timedelta(days=1)), authority=2)
    told = store.history(listing(one, two, three, day=DAY + timedelta(days=2)))
    assert told.listed_before == 1, "the last listing counts"
    replaced = [replace(entry, announce_type="replace") for entry in listing(three).entries]
    told = store.history(replace(listing(day=DAY + timedelta(days=2)), entries=tuple(replaced)))
    assert told.listed_before == 0, "new versions are no repetition"
    same = store.history(listing(one, paper("2604.00007")))
    assert (same.listed_before, same.entries_this_day, same.usual) == (0, 2, ())


def test_listings_are_given_by_source_day_and_period(store: Store) -> None:
    for back in range(3):
        store.record(listing(paper(), day=DAY - timedelta(days=back)), authority=2)
    store.record(listing(paper(), period=Period.WEEK), authority=2)
    store.record(listing(source="quiet", state=ListingState.QUIET), authority=2)
    assert [one.listed_on for one in store.listings("hf", DAY - timedelta(days=1))] == [DAY - timedelta(days=1), DAY]
    assert len(store.listings("hf", period=None)) == 4
    assert len(store.listings()) == 4


def test_a_paper_that_is_not_stored_is_named_in_the_error(store: Store) -> None:
    with pytest.raises(NotFoundError, match=r"arxiv:9999\.99999"):
        store.paper(arxiv("9999.99999"))


def test_half_characters_and_numbers_beyond_all_bounds_are_tamed(store: Store) -> None:
    bad = paper(
        title="half \ud800 character", abstract="\udfff", authors=(Author(name="A \ud800"),), authors_count=10**30
    )
    told = listing(Entry(paper=bad, upvotes=10**30, comments=-(10**30)), note="\ud800", announced_count=10**25)
    assert store.record(told, authority=2).new == 1
    stored = store.paper(bad.id)
    assert stored.paper.title == "half ? character"
    assert stored.paper.authors == named("A ?")
    assert stored.entries[0].upvotes == 2**63 - 1
    assert store.record(told, authority=2).unchanged == 1


def test_a_listing_that_cannot_be_stored_whole_is_not_stored_at_all(store: Store) -> None:
    before = picture(store)
    with pytest.raises(AttributeError):
        store.record_all([(listing(paper()), 2), (None, 2)])  # type: ignore[list-item]  # the bug that breaks off
    assert picture(store) == before
    assert store.record(listing(paper()), authority=2).new == 1


def test_papers_are_found_by_any_of_their_names_and_unknown_ones_left_out(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "p.db", create=True)
    store.record(listing(paper("2604.00001", "One"), paper("2604.00002", "Two")), authority=2)
    wanted = [PaperId(scheme="arxiv", local=name) for name in ("2604.00002", "2604.99999", "2604.00001", "2604.00002")]
    assert [one.paper.title for one in store.papers(wanted)] == ["One", "Two"]
    assert store.papers([]) == ()
    store.close()
