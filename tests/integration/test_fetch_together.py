"""Recording what came together: as if it had come one by one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import ClassVar

import pytest

from paperdigest.errors import FetchError
from paperdigest.http import HttpClient, Job, Outcome, batches_by_host
from paperdigest.pipeline.fetching import ConfiguredSource, fetch
from paperdigest.protocols import FetchRequest, ParseContext
from paperdigest.store import Store
from paperdigest.types import Entry, Listing, ListingState, Paper, PaperId, Period, Unmodified, Validators

NOW = datetime(2026, 4, 15, 6, tzinfo=UTC)
MONDAY, TUESDAY = date(2026, 4, 13), date(2026, 4, 14)


class Told:
    """A source that says what it was told to say, asked for any day."""

    kind: ClassVar[str] = "told"
    authority: ClassVar[int] = 1

    def __init__(
        self,
        name: str,
        *papers: str,
        error: FetchError | None = None,
        unmodified: bool = False,
        period: Period = Period.DAY,
        current: date = TUESDAY,
    ) -> None:
        self.name, self.papers, self.error, self.is_unmodified = name, papers, error, unmodified
        self.period, self.current = period, current

    def fetch(self, client: HttpClient, request: FetchRequest) -> Listing | Unmodified:
        if self.error is not None:
            raise self.error
        day = request.day or self.current
        self.is_unmodified = self.is_unmodified and bool(request.validators)
        told = (Validators(url=f"https://{self.name}.example/", etag='"1"'),)
        if self.is_unmodified:
            return Unmodified(source=self.name, kind=self.kind, listed_on=day, retrieved_at=NOW, validators=told)
        papers = [Paper(id=PaperId(scheme="arxiv", local=local), title=f"Paper {local}") for local in self.papers]
        return Listing(
            source=self.name, kind=self.kind, listed_on=day, retrieved_at=NOW, state=ListingState.COMPLETE,
            entries=tuple(Entry(paper=paper) for paper in papers), validators=told, period=self.period,
        )  # fmt: skip

    def parse(self, body: bytes, context: ParseContext) -> Listing:
        raise NotImplementedError

    def announces_on(self, day: date) -> bool:
        return day in (MONDAY, TUESDAY)

    def has_days(self) -> bool:
        return True


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "papers.db", create=True)
    yield store
    store.close()


@pytest.fixture
def client() -> HttpClient:
    return HttpClient(contact=None, clock=lambda: NOW)


@pytest.fixture
def all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything comes in one batch, in the order of the jobs."""

    def one_batch(jobs: list[Job[object]], *, workers: int) -> Iterator[tuple[Outcome[object], ...]]:
        assert workers > 1
        yield tuple(outcome for batch in batches_by_host(jobs, workers=1) for outcome in batch)

    monkeypatch.setattr("paperdigest.http.batches_by_host", one_batch)


class Waits(Told):
    """A source of an operator who lets one in at a time: it counts how many are asked together."""

    group: ClassVar[str] = "slow.example"
    lock: ClassVar[threading.Lock] = threading.Lock()

    def fetch(self, client: HttpClient, request: FetchRequest) -> Listing | Unmodified:
        assert self.lock.acquire(blocking=False), "two sources of one group were asked at once"
        try:
            neighbour_is_done.wait(10)
            return super().fetch(client, request)
        finally:
            self.lock.release()


class Neighbour(Told):
    """A source of somebody else."""

    def fetch(self, client: HttpClient, request: FetchRequest) -> Listing | Unmodified:
        neighbour_is_done.set()
        return super().fetch(client, request)


neighbour_is_done = threading.Event()


def jobs(*sources: Told) -> list[tuple[ConfiguredSource, date | None]]:
    return [(ConfiguredSource(source=source), None) for source in sources]


@pytest.mark.usefixtures("all_at_once")
def test_each_outcome_of_a_batch_gets_its_own_report(store: Store, client: HttpClient) -> None:
    fetch(jobs(Told("old", "2604.00001", "2604.00002")), store, client, now=NOW)
    down = FetchError("https://down.example/", "the server is on fire")
    sources = (
        Told("one", "2604.00003"),
        Told("down", error=down),
        Told("old", unmodified=True),
        Told("two", "2604.00003"),
    )
    report = fetch(jobs(*sources), store, client, now=NOW)
    told = [(one.source, one.state, one.entries, one.new, one.unchanged) for one in report.listings]
    assert told == [
        ("one", ListingState.COMPLETE, 1, 1, 0),
        ("down", ListingState.FAILED, 0, 0, 0),
        ("old", ListingState.COMPLETE, 2, 0, 2),
        ("two", ListingState.COMPLETE, 1, 0, 0),
    ]
    assert "on fire" in (report.listings[1].error or "")
    assert store.counts()["papers"] == 3
    assert {stored.source: stored.state for stored in store.listings()} == {
        "one": ListingState.COMPLETE,
        "down": ListingState.FAILED,
        "old": ListingState.COMPLETE,
        "two": ListingState.COMPLETE,
    }
    assert set(store.validators()) == {f"https://{name}.example/" for name in ("one", "two", "old")}


@pytest.mark.usefixtures("all_at_once")
def test_a_day_is_judged_by_the_day_before_also_when_both_come_together(store: Store, client: HttpClient) -> None:
    same = ConfiguredSource(source=Told("same", *(f"2604.{number:05}" for number in range(1, 11))))
    report = fetch([(same, MONDAY), (same, TUESDAY)], store, client, now=NOW)
    assert [(one.listed_on, one.state) for one in report.listings] == [
        (MONDAY, ListingState.COMPLETE),
        (TUESDAY, ListingState.STALE),
    ]


def test_sources_of_one_group_leave_workers_to_the_others(store: Store, client: HttpClient) -> None:
    neighbour_is_done.clear()
    waiting = [Waits(f"slow {number}", f"2604.0000{number}") for number in range(4)]
    report = fetch(jobs(*waiting, Neighbour("quick", "2604.00009")), store, client, now=NOW, workers=2)
    assert report.listings[0].source == "quick"
    assert {one.state for one in report.listings} == {ListingState.COMPLETE}


def test_what_is_unchanged_but_not_stored_under_this_name_is_fetched_whole(store: Store, client: HttpClient) -> None:
    fetch(jobs(Told("before", "2604.00001")), store, client, now=NOW)
    renamed = Told("after", "2604.00001", unmodified=True)
    report = fetch(jobs(renamed), store, client, now=NOW).listings[0]
    assert (report.state, report.entries) == (ListingState.COMPLETE, 1)
    assert [one.entries for one in store.listings("after")] == [1]


def test_an_unchanged_trending_page_stands(store: Store, client: HttpClient) -> None:
    fetch(jobs(Told("hot", "2604.00001", period=Period.TRENDING)), store, client, now=NOW)
    again = Told("hot", "2604.00001", period=Period.TRENDING, unmodified=True)
    report = fetch(jobs(again), store, client, now=NOW).listings[0]
    assert (report.state, report.unchanged, report.note) == (ListingState.COMPLETE, 1, "unchanged since the last fetch")


def test_the_dated_listing_of_an_earlier_day_is_shown_as_that_days(store: Store, client: HttpClient) -> None:
    late = datetime(2026, 4, 14, 12, tzinfo=UTC)
    report = fetch(jobs(Told("late", "2604.00001", current=MONDAY)), store, client, now=late).listings[0]
    assert (report.state, report.new) == (ListingState.STALE, 1)
    assert [(one.listed_on, one.state, one.entries) for one in store.listings("late")] == [
        (MONDAY, ListingState.COMPLETE, 1)
    ]
