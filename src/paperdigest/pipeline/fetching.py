"""The use case ``fetch``: from sources (or files) to listings in the store.

For every source, in this order::

    known validators ← store        so that an unchanged page costs a few hundred bytes
    listing ← source.fetch          in threads, one source's days one after the other
    state ← completeness.judge      against the calendar and what the source listed before
    store.record                    listing and validators in ONE transaction: a crash between the two
                                    would lose the day, because the next request answered 304

One source's trouble is a value in the report and never stops the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import NamedTuple

from paperdigest import http
from paperdigest.errors import FetchError, SourceError
from paperdigest.http import HttpClient
from paperdigest.pipeline.completeness import History, expected_day, judge
from paperdigest.protocols import FetchRequest, ParseContext, Source
from paperdigest.store import Recorded, Store, StoredListing
from paperdigest.types import Listing, ListingState, Period, Unmodified, Validators

__all__ = [
    "ConfiguredSource",
    "Document",
    "FetchReport",
    "ListingReport",
    "fetch",
    "jobs_for",
    "look",
    "read_document",
    "unreadable",
]

GOOD = frozenset({ListingState.COMPLETE, ListingState.QUIET})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredSource:
    """A source and what the settings say around it."""

    source: Source
    allow_private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Bytes that were had by other means than a source's own fetching; ``name`` is file or URL."""

    name: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingReport:
    """What became of one listing.

    ``listed_on`` is None for a document of which not even the day could be read. ``elapsed_s`` is wall
    time from request to commit.
    """

    source: str
    kind: str
    listed_on: date | None
    state: ListingState
    announced: int | None = None
    entries: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    note: str | None = None
    error: str | None = None
    elapsed_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchReport:
    """What became of every listing, in the order in which they were finished."""

    listings: tuple[ListingReport, ...]

    @property
    def is_good(self) -> bool:
        """True when nothing is partial, stale or failed."""
        return all(report.state in GOOD for report in self.listings)


Job = tuple[ConfiguredSource, date | None]
Outcome = Listing | Unmodified | SourceError
Progress = Callable[[ListingReport], None]


class _Judged(NamedTuple):
    """A listing as it is reported, and as it is recorded for its own day.

    They differ for the dated listing of an earlier day: the source is behind, yet the day is told in full.
    """

    reported: Listing
    recorded: Listing


class _Finished(NamedTuple):
    """A job that was run, when it was begun (`time.perf_counter`), and the stored listing that still stands."""

    job: Job
    outcome: Outcome
    started_s: float
    stored: StoredListing | None = None


def jobs_for(
    sources: Sequence[ConfiguredSource],
    store: Store,
    *,
    now: datetime,
    since: date | None = None,
    until: date | None = None,
    repair_days: int = 7,
) -> Iterator[Job]:
    """Yield what is to be fetched, oldest day first.

    Without a range: the current listing of each source, and where past days can be asked for, every
    announcing day of the last ``repair_days`` that is missing or was left partial, stale, failed, or read
    before it was over. With a range: its announcing days that are not yet well stored, so that an
    interrupted back-fill goes on where it stopped.
    """
    today = now.date()
    for configured in sources:
        source = configured.source
        if not source.has_days():
            if since is None:
                yield configured, None
            continue
        first = since or today - timedelta(days=repair_days)
        last = until or today
        stored = {found.listed_on: found for found in store.listings(source.name, first, last)}
        for back in range((last - first).days + 1):
            day = first + timedelta(days=back)
            # One day alone was asked for by name: it is read again whatever is stored.
            if since == until == day or _is_wanted(source, day, stored.get(day), today, asked=since is not None):
                yield configured, day


def _is_wanted(source: Source, day: date, stored: StoredListing | None, today: date, *, asked: bool) -> bool:
    if day == today and not asked:
        return True
    if source.announces_on(day) is False:
        return False
    return stored is None or stored.state not in GOOD or stored.retrieved_at.date() <= day


def fetch(
    jobs: Iterable[Job],
    store: Store,
    client: HttpClient,
    *,
    now: datetime,
    workers: int = 16,
    progress: Progress | None = None,
) -> FetchReport:
    """Fetch, judge and record every job.

    Args:
        jobs: from `jobs_for`.
        store: where listings are recorded; only this thread writes.
        client: makes the requests, in up to ``workers`` threads; its waits are persisted.
        now: the moment of the run.
        workers: how many sources are asked at once.
        progress: is told of each finished listing.
    """
    validators = store.validators()

    def asked(job: Job) -> _Finished:
        started = time.perf_counter()
        return _Finished(job, _fetch_one(job, client, validators, now), started)

    reports = []
    parallel = [
        http.Job(name=f"{job[0].source.name} {job[1]}", run=partial(asked, job), group=_group(job[0].source))
        for job in jobs
    ]
    for batch in http.batches_by_host(parallel, workers=workers):
        for part in _apart([done.value for done in batch if done.value is not None]):
            together = [_asked_again(store, client, finished, now) for finished in part]
            settled = _settle(store, together, validators, now)
            store.save_waits(client.waits)
            for finished, report in zip(together, settled, strict=True):
                reports.append(replace(report, elapsed_s=round(time.perf_counter() - finished.started_s, 3)))
                if progress is not None:
                    progress(reports[-1])
    return FetchReport(listings=tuple(reports))


def _group(source: Source) -> str:
    """Return whom a source asks, as far as it says so (see `protocols.Source`)."""
    group: str = getattr(source, "group", source.name)
    return group


def read_document(
    source: Source, document: Document, store: Store, *, now: datetime, day: date | None = None
) -> ListingReport:
    """Parse, judge and record a document that is at hand: a file, standard input, a saved page.

    Nothing is stored of one that cannot be read: it is no proof that the source failed on that day.
    """
    started = time.perf_counter()
    context = ParseContext(source=source.name, retrieved_at=now, listed_on=day, name=document.name)
    try:
        listing = source.parse(document.body, context)
        judged = _judged(store, source, listing, asked=listing.listed_on, now=now)
        report = _reported(judged.reported, store.record(judged.recorded, authority=source.authority))
    except SourceError as error:
        report = unreadable(source, day, error)
    return replace(report, elapsed_s=round(time.perf_counter() - started, 3))


def unreadable(source: Source, day: date | None, error: SourceError) -> ListingReport:
    """Return the report of a listing that could not be had."""
    return ListingReport(
        source=source.name, kind=source.kind, listed_on=day, state=ListingState.FAILED, error=str(error)
    )


def look(configured: ConfiguredSource, client: HttpClient, *, now: datetime) -> ListingReport:
    """Ask a source for its current listing and store nothing."""
    started = time.perf_counter()
    source = configured.source
    outcome = _fetch_one((configured, None), client, {}, now)
    if isinstance(outcome, Listing):
        judged = judge(outcome, History(), source.announces_on, asked=None, now=now)
        report = _reported(
            judged, Recorded(new=0, updated=0, unchanged=0, entries=len(judged.entries), state=judged.state)
        )
    elif isinstance(outcome, Unmodified):
        report = ListingReport(
            source=source.name, kind=source.kind, listed_on=outcome.listed_on, state=ListingState.COMPLETE
        )
    else:
        report = unreadable(source, now.date(), outcome)
    return replace(report, elapsed_s=round(time.perf_counter() - started, 3))


def _fetch_one(job: Job, client: HttpClient, validators: Mapping[str, Validators], now: datetime) -> Outcome:
    configured, day = job
    request = FetchRequest(now=now, day=day, validators=validators)
    try:
        return configured.source.fetch(client.view(allow_private=configured.allow_private), request)
    except SourceError as error:
        return error


def _asked_again(store: Store, client: HttpClient, finished: _Finished, now: datetime) -> _Finished:
    """Ask without conditions where the server said 304 and nothing is stored: under this name, say, or any more."""
    job, outcome, *_ = finished
    if not isinstance(outcome, Unmodified):
        return finished
    if (stored := store.confirm(outcome, is_day_known=job[1] is not None)) is not None:
        return finished._replace(stored=stored)
    again = _fetch_one(job, client, {}, now)
    if isinstance(again, Unmodified):
        again = SourceError("the source says that nothing changed, but nothing of it is stored", source=again.source)
    return finished._replace(outcome=again)


def _apart(batch: Sequence[_Finished]) -> Iterator[list[_Finished]]:
    """Split a batch so that no part has a source twice: a day is judged by the days that are stored before it."""
    part: dict[str, _Finished] = {}
    for finished in batch:
        name = finished.job[0].source.name
        if name in part:
            yield list(part.values())
            part = {}
        part[name] = finished
    if part:
        yield list(part.values())


def _settle(
    store: Store, together: Sequence[_Finished], validators: Mapping[str, Validators], now: datetime
) -> list[ListingReport]:
    """Judge outcomes of different sources and record them, all listings in one transaction.

    What comes while one transaction waits for the disk shares the next, and the work on the search index.
    """
    listings = [_listing(store, finished, validators, now) for finished in together]
    to_record = [
        (listing.recorded, finished.job[0].source.authority)
        for finished, listing in zip(together, listings, strict=True)
        if listing is not None
    ]
    recorded = iter(store.record_all(to_record) if to_record else ())
    reports = []
    for ((configured, day), outcome, _, stored), listing in zip(together, listings, strict=True):
        if stored is not None:
            report = _confirmed(configured.source, stored, asked=day, now=now)
        else:
            assert listing is not None  # only what still stands has none
            report = _reported(listing.reported, next(recorded))
            if isinstance(outcome, SourceError):
                report = unreadable(configured.source, listing.reported.listed_on, outcome)
        reports.append(report)
    return reports


def _listing(store: Store, finished: _Finished, validators: Mapping[str, Validators], now: datetime) -> _Judged | None:
    """Return what is to be recorded; None when the stored listing stands."""
    (configured, day), outcome, *_ = finished
    if isinstance(outcome, Listing):
        return _judged(store, configured.source, outcome, asked=day, now=now)
    if isinstance(outcome, SourceError):
        failed = _failed(configured.source, outcome, day or now.date(), validators, now)
        return _Judged(reported=failed, recorded=failed)
    return None


def _judged(store: Store, source: Source, listing: Listing, *, asked: date | None, now: datetime) -> _Judged:
    past = store.history(listing)
    history = History(listed_before=past.listed_before, entries_this_day=past.entries_this_day, usual=past.usual)
    reported, recorded = (
        _without_unsafe_validators(judge(listing, history, source.announces_on, asked=day, now=now))
        for day in (asked, listing.listed_on)
    )
    return _Judged(reported=reported, recorded=recorded)


def _reported(listing: Listing, recorded: Recorded) -> ListingReport:
    return ListingReport(
        source=listing.source,
        kind=listing.kind,
        listed_on=listing.listed_on,
        state=listing.state,
        announced=listing.announced_count,
        entries=len(listing.entries),
        new=recorded.new,
        updated=recorded.updated,
        unchanged=recorded.unchanged,
        note=listing.note,
    )


def _without_unsafe_validators(listing: Listing) -> Listing:
    """Forget ETags of a partial body: sending them back would be answered 304, and the rest never come."""
    if listing.state is not ListingState.PARTIAL:
        return listing
    stripped = tuple(replace(known, etag=None, last_modified=None) for known in listing.validators)
    return replace(listing, validators=stripped)


def _confirmed(source: Source, stored: StoredListing, *, asked: date | None, now: datetime) -> ListingReport:
    """The server said 304: the stored listing stands, unless the calendar says there should be a new one."""
    state, note = stored.state, "unchanged since the last fetch"
    due = expected_day(source.announces_on, now)
    if asked is None and due is not None and stored.listed_on < due and state in GOOD:
        state, note = ListingState.STALE, f"unchanged, although {due.isoformat()} has been announced"
    return ListingReport(
        source=source.name,
        kind=source.kind,
        listed_on=stored.listed_on,
        state=state,
        announced=stored.announced_count,
        entries=stored.entries,
        unchanged=stored.entries,
        note=note,
    )


def _failed(
    source: Source, error: SourceError, day: date, validators: Mapping[str, Validators], now: datetime
) -> Listing:
    if error.source is None:
        error.source = source.name
    kept: tuple[Validators, ...] = ()
    if isinstance(error, FetchError) and (error.gone or error.next_attempt_at):
        known = validators.get(error.url) or Validators(url=error.url)
        kept = (replace(known, gone=known.gone or error.gone, next_attempt_at=error.next_attempt_at),)
    return Listing(
        source=source.name,
        kind=source.kind,
        listed_on=day,
        retrieved_at=now,
        state=ListingState.FAILED,
        period=Period.DAY,
        note=str(error),
        validators=kept,
    )
