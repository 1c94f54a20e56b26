"""The use case ``plan``: which digests are due, and what is in them.

::

    due ← schedule.latest         the newest slot of each active subscriber that was not planned
    requests ← composer           candidates: first seen in the last days or since the last digest, never sent to them
    rankings ← rank               injected: the pipeline knows no scorer
    digests.add_many              frozen with their deliveries under the key (subscriber, edition), a chunk at a time

Memory does not grow with the subscribers: they are gone through once for who is due (`due`) and then planned chunk by
chunk, each chunk one transaction. ``candidates = planned + excluded``, where the candidates are those who are due:
nobody is lost without a reason, and should it happen all the same, the report says so.

A quiet day. Who wants a note for an empty edition gets it as soon as their hour has come: it *is* that edition, and
papers that are fetched later on that day come with the next one. For everybody else the edition is looked at again,
until its local day is over, whenever papers have come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from paperdigest.errors import UsageError
from paperdigest.pipeline.candidates import is_news
from paperdigest.pipeline.composing import LOOK_BACK, Composer
from paperdigest.pipeline.due import DueSubscribers
from paperdigest.pipeline.quiet import Calendar, QuietDay, nearest_requests
from paperdigest.store import Store
from paperdigest.store.digests import Added, Digests, MessageId
from paperdigest.store.standing import Standings
from paperdigest.store.subscribers import Subscribers
from paperdigest.store.taking_over import Instead
from paperdigest.types import Digest, OnEmpty, Ranking, RankRequest, StoredPaper, Subscriber, SubscriberStatus

__all__ = ["PlanReport", "Prepare", "RankAll", "Terms", "news", "plan"]

RankAll = Callable[[Iterable[RankRequest]], Iterator[tuple[RankRequest, Ranking | UsageError]]]
Prepare = Callable[[Sequence[StoredPaper]], RankAll]

TOGETHER = 2000
"""Subscribers that are ranked at a time and, usually, planned in one transaction."""

PAPERS = 20_000
"""Ranked papers (2 KB each) that one transaction takes at most: of fewer subscribers, if they want a hundred each."""

TOLD = 20
"""Of so many problems of one kind each is told; the others are counted."""

_Answer = tuple[RankRequest, Ranking]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReport:
    """How many subscribers were due, how many digests were planned, and why the others got none.

    ``waiting`` counts active subscribers whose hour has not come; ``notes`` those of the planned digests that only say
    why there is nothing; ``taken_over`` earlier digests that had not been delivered and whose papers the planned ones
    have.
    """

    candidates: int
    waiting: int
    planned: int
    excluded: Counter[str]
    notes: int = 0
    taken_over: int = 0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the settings say about planning. ``calendars`` has `Source.announces_on` of each source that is asked."""

    queue: timedelta
    expires_after: timedelta
    calendars: Mapping[str, Calendar] = field(default_factory=dict)


@dataclass(slots=True)
class _Tally:
    """What is counted on the way."""

    planned: int = 0
    notes: int = 0
    taken_over: int = 0
    excluded: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def cannot(self, number: int, error: UsageError) -> None:
        """Count somebody whose zone or topic an older version let in: it is theirs alone."""
        self.excluded["cannot be planned"] += 1
        self.problems.append(f"subscriber {number}: {error}")

    def report(self, due: DueSubscribers, *, is_stopped: bool) -> PlanReport:
        """Check that nobody who was due is missing; of those whom a stop has left out no more is known."""
        candidates = len(due) + len(due.broken) + due.suppressed + due.unchanged
        left = candidates - self.planned - self.excluded.total()
        if is_stopped and left > 0:
            self.excluded["left to the next run, because it was told to stop"] = left
        problems = self.problems[:TOLD]
        if len(self.problems) > TOLD:
            problems.append(f"and {len(self.problems) - TOLD} more like these")
        if (told := self.planned + self.excluded.total()) != candidates:
            problems.append(
                f"ALARM: {candidates} subscribers were due, but {told} are accounted for:"
                f" {self.planned} planned and {self.excluded.total()} excluded. Please report it"
            )
        return PlanReport(
            candidates=candidates,
            waiting=due.waiting,
            planned=self.planned,
            notes=self.notes,
            taken_over=self.taken_over,
            excluded=self.excluded,
            problems=tuple(problems),
        )


def plan(
    store: Store,
    prepare: Prepare,
    message_id: MessageId,
    terms: Terms,
    *,
    now: datetime,
    dry_run: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> PlanReport:
    """Freeze a digest for everybody who is due and for whom something was found, or who wants to know of it.

    Args:
        store: papers, subscribers and digests.
        prepare: takes the papers that anybody may get, and returns what ranks them for requests.
        message_id: makes the Message-ID from digest and its number.
        terms: see `Terms`.
        now: the moment of the run.
        dry_run: count only, store nothing.
        stop: asked before each subscriber is ranked; once it says yes, what is ranked is planned, and the others are
            as due at the next run as they were at this one.
    """
    composer, standings = Composer(store, terms.queue, terms.expires_after), Standings(store.database)
    # Counted before the papers are read, so that those that come meanwhile are noticed by the next run.
    count = standings.papers(now)
    due = DueSubscribers.find(standings, composer.starts, LOOK_BACK, now, papers=count, stop=stop)
    tally = _Tally()
    for number, error in due.broken.items():
        tally.cannot(number, error)
    if due.suppressed:
        tally.excluded["no mail goes to the address"] += due.suppressed
    if due.unchanged:
        tally.excluded["nothing new since it was last looked at"] += due.unchanged
    if due.earliest is not None and not stop():
        papers = news(store, due.earliest, now)
        planner = _Planner(store, composer, prepare, papers, terms, tally, now, count=count, stop=stop)
        for editions in due.chunks(TOGETHER):
            planner.plan(editions, None if dry_run else message_id)
            if stop():
                break
    return tally.report(due, is_stopped=stop())


def news(store: Store, since: datetime, now: datetime) -> tuple[StoredPaper, ...]:
    """Return the papers that may be new to somebody: first seen from the day of ``since`` on, as ranking takes them."""
    start = datetime.combine(since.date(), time.min, UTC)
    return tuple(filter(is_news, store.papers_first_seen(start, now + timedelta(microseconds=1))))


class _Planner:
    """Plans chunks of subscribers who are due, out of one batch of papers."""

    def __init__(
        self,
        store: Store,
        composer: Composer,
        prepare: Prepare,
        papers: Sequence[StoredPaper],
        terms: Terms,
        tally: _Tally,
        now: datetime,
        *,
        count: int,
        stop: Callable[[], bool],
    ) -> None:
        self._count, self._stop = count, stop
        self._composer, self._papers, self._terms, self._tally, self._now = composer, papers, terms, tally, now
        self._subscribers, self._digests = Subscribers(store.database), Digests(store.database)
        self._standings = Standings(store.database)
        self._rank_all = prepare(papers)
        self._quiet = QuietDay(store, papers, terms.calendars, now)

    def plan(self, editions: Mapping[int, date], message_id: MessageId | None) -> None:
        """Plan one chunk; ``message_id`` None: count only."""
        instead = self._composer.instead(editions)
        requests = self._composer.requests(self._present(editions), self._papers, self._now, instead)
        for answered in self._ranked(requests):
            mine = {one.subscriber.id for one, _ in answered}
            self._settle(answered, {who: some for who, some in instead.items() if who in mine}, message_id)

    def _settle(self, answered: Sequence[_Answer], instead: Instead, message_id: MessageId | None) -> None:
        """Freeze the digests of some rankings, and note whose edition is empty."""
        made = self._composer.digests(answered, self._now, instead)
        is_empty = [not digest.ranked and not digest.revised for digest in made]
        notes = self._notes([answer for answer, empty in zip(answered, is_empty, strict=True) if empty])
        silent = [one for one, empty in zip(made, is_empty, strict=True) if empty and one.subscriber.id not in notes]
        for one in silent:
            self._tally.excluded["nothing matched" if one.considered else "no new papers"] += 1
        if message_id is not None:
            self._composer.remember(answered, self._now)
            self._standings.mark_examined(((one.subscriber.id, one.edition) for one in silent), self._count)
        full = [one for one, empty in zip(made, is_empty, strict=True) if not empty]
        quiet = [replace(one, quiet=notes[one.subscriber.id]) for one in made if one.subscriber.id in notes]
        self._add([*full, *quiet], instead, message_id)

    def _present(self, editions: Mapping[int, date]) -> list[tuple[Subscriber, date]]:
        """Return those who are still there and want mail."""
        known = self._subscribers.get_many(list(editions))
        present = []
        for number, edition in editions.items():
            one = known.get(number)
            if isinstance(one, UsageError):
                self._tally.cannot(number, one)
            elif one is None or one.status is not SubscriberStatus.ACTIVE:
                self._tally.excluded["gone meanwhile"] += 1
            else:
                present.append((one, edition))
        return present

    def _ranked(self, requests: Sequence[RankRequest]) -> Iterator[list[_Answer]]:
        """Yield the rankings, all together unless they show very many papers."""
        answered: list[_Answer] = []
        papers = 0
        for request, ranking in self._rank_all(requests):
            if self._stop():
                break
            if isinstance(ranking, UsageError):
                self._tally.cannot(request.subscriber.id, ranking)
                continue
            answered.append((request, ranking))
            papers += len(ranking.ranked)
            if papers >= PAPERS:
                yield answered
                answered, papers = [], 0
        if answered:
            yield answered

    def _notes(self, empty: Sequence[_Answer]) -> dict[int, tuple[str, ...]]:
        """Return what is said to those who want a note, by number."""
        asking = [answer for answer in empty if answer[0].subscriber.on_empty is OnEmpty.NOTE]
        if not asking:
            return {}
        nearest = {
            request.subscriber.id: ranking.ranked[0]
            for request, ranking in self._rank_all(nearest_requests(asking))
            if isinstance(ranking, Ranking) and ranking.ranked
        }
        return {
            request.subscriber.id: self._quiet.sentences(request, ranking, nearest.get(request.subscriber.id))
            for request, ranking in asking
        }

    def _add(self, made: Sequence[Digest], instead: Instead, message_id: MessageId | None) -> None:
        added: Sequence[Added] = [Added.PLANNED] * len(made)
        if message_id is not None and made:
            expires_at = self._now + self._terms.expires_after
            added = self._digests.add_many(made, message_id=message_id, expires_at=expires_at, instead=instead)
        for digest, outcome in zip(made, added, strict=True):
            if outcome is Added.PLANNED:
                self._tally.planned += 1
                self._tally.notes += bool(digest.quiet)
                self._tally.taken_over += len(instead.get(digest.subscriber.id, ()))
            else:
                self._tally.excluded[_LEFT_TO[outcome]] += 1


_LEFT_TO = {
    Added.KNOWN: "planned by another run",
    Added.GONE: "gone meanwhile",
    Added.HELD: "the edition before is just being delivered",
}
