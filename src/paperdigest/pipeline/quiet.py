"""Why a day is quiet, in sentences, from facts: what the sources said, and what became of the papers there were."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from paperdigest.pipeline.completeness import PUBLICATION_LAG
from paperdigest.schedule import parse_zone
from paperdigest.store import Store, StoredListing
from paperdigest.types import ListingState, RankedPaper, Ranking, RankRequest, StoredPaper

__all__ = ["Calendar", "QuietDay", "nearest_requests"]

Calendar = Callable[[date], bool | None]
"""`Source.announces_on`."""

REMEMBERED = timedelta(days=30)
"""How far back listings are looked at."""


def nearest_requests(empty: Sequence[tuple[RankRequest, Ranking]]) -> list[RankRequest]:
    """Return what is to be ranked to learn which paper came nearest, for those who had papers but no match."""
    found = []
    for request, ranking in empty:
        if ranking.considered:
            lenient = tuple(replace(topic, threshold=0.0) for topic in request.subscriber.topics)
            found.append(replace(request, subscriber=replace(request.subscriber, topics=lenient), places=1))
    return found


class QuietDay:
    """What there is to say at one moment; the sources are asked about once for everybody.

    Args:
        store: for the listings. May raise StoreError when first asked.
        papers: the batch's.
        calendars: by source; only of these is anything said, or of every source with a listing when there are none.
        now: the moment of the run.
    """

    def __init__(
        self, store: Store, papers: Sequence[StoredPaper], calendars: Mapping[str, Calendar], now: datetime
    ) -> None:
        self._store, self._calendars, self._now = store, calendars, now
        self._first_seen = {one.paper.id: one.first_seen_at for one in papers}
        self._moments = sorted(self._first_seen.values())
        self._of_sources: tuple[str, ...] | None = None

    def sentences(self, request: RankRequest, ranking: Ranking, nearest: RankedPaper | None) -> tuple[str, ...]:
        """Say why a subscriber's edition is empty: first what became of the papers, then what the sources said."""
        if self._of_sources is None:
            self._of_sources = tuple(self._about_sources())
        return (*self._about_papers(request, ranking, nearest), *self._of_sources)

    def _about_papers(self, request: RankRequest, ranking: Ranking, nearest: RankedPaper | None) -> Iterator[str]:
        new = len(self._moments) - bisect_left(self._moments, request.new_since)
        zone = parse_zone(request.subscriber.schedule.tz)
        since = f"since {_day(request.new_since.astimezone(zone).date())}"
        if new:
            but = f", but nothing matched your {_topics(request)}" if ranking.considered else ""
            yield f"{_papers(new).capitalize()} came {since}{but}."
        else:
            yield f"No new papers have come {since}."
        if ranking.considered and not new:
            yield f"Of the days before, {_papers(ranking.considered)} did not match your {_topics(request)}."
        known = sum(self._first_seen[one] >= request.since for one in request.seen if one in self._first_seen)
        if known:
            yield f"{_papers(known).capitalize()} of the last days went to you before."
        if nearest is not None:
            name = nearest.stored.paper.title.rstrip(".")
            yield f"What came nearest, but not near enough, was “{name}” ({nearest.score:.0%} for {nearest.topic})."

    def _about_sources(self) -> Iterator[str]:
        by_source: dict[str, list[StoredListing]] = {name: [] for name in self._calendars}
        for one in self._store.listings(since=(self._now - REMEMBERED).date()):
            if one.source in by_source or not self._calendars:
                by_source.setdefault(one.source, []).append(one)
        today = (self._now - PUBLICATION_LAG).date()
        for name, listings in sorted(by_source.items()):
            calendar = self._calendars.get(name)
            if calendar is not None and calendar(today) is False:
                yield f"{name} announces nothing on {_day(today)}: weekend or holiday."
            if sentence := _about(name, listings, calendar, today):
                yield sentence


def _about(name: str, listings: Sequence[StoredListing], calendar: Calendar | None, today: date) -> str | None:
    """Say what is wrong with a source by its listings, oldest first; None when nothing is.

    Args:
        name: the source's.
        listings: its listings of the last days.
        calendar: on which days it announces something; None: nothing is known of it any more.
        today: the newest day of which it can have announced something by now.
    """
    if not listings:
        return f"{name} has no listing of the last days."
    last = listings[-1]
    if last.state is ListingState.FAILED:
        good = next((one for one in reversed(listings) if one.state is not ListingState.FAILED), None)
        before = f"; its last good listing is that of {_day(good.listed_on)}" if good is not None else ""
        return f"{name} could not be read on {_day(last.attempted_at.date())}{before}."
    day = _day(last.listed_on)
    missed = (today - timedelta(days=back) for back in range((today - last.listed_on).days))
    if calendar is not None and any(calendar(one) for one in missed):
        return f"{name} has not been read since {_day(last.attempted_at.date())}."
    if last.state is ListingState.STALE:
        return f"{name} has announced nothing new yet; its last listing is that of {day}."
    if last.state is ListingState.QUIET:
        return f"{name} announced nothing on {day}."
    if last.state is ListingState.PARTIAL:
        return f"{name} could only be read in part on {day}; the rest may come later."
    return None


def _papers(count: int) -> str:
    return "one paper" if count == 1 else f"{count} papers"


def _topics(request: RankRequest) -> str:
    return "topic" if len(request.subscriber.topics) == 1 else "topics"


def _day(day: date) -> str:
    return f"{day:%A}, {day.day} {day:%B}"
