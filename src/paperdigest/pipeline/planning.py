"""The use case ``plan``: which digests are due, and what is in them.

For every active subscriber, in this order::

    due slots ← schedule.due      since the last planned edition; of several missed ones only the newest
    requests ← composer           candidates: first seen in the last days or since the last digest, never sent to them
    rankings ← rank               injected: the pipeline knows no scorer; many subscribers at a time
    digests.add                   frozen with its delivery under the key (subscriber, edition)

``candidates = planned + excluded``, where the candidates are those who are due: nobody is lost without
a reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

from paperdigest import schedule
from paperdigest.errors import UsageError
from paperdigest.pipeline.candidates import is_news
from paperdigest.pipeline.composing import LOOK_BACK, Composer
from paperdigest.schedule import Due
from paperdigest.store import Store
from paperdigest.store.digests import Digests
from paperdigest.store.subscribers import Subscribers
from paperdigest.types import Digest, Ranking, RankRequest, StoredPaper, Subscriber

__all__ = ["PlanReport", "Prepare", "RankAll", "Terms", "news", "plan"]

RankAll = Callable[[Iterable[RankRequest]], Iterator[tuple[RankRequest, Ranking | UsageError]]]
Prepare = Callable[[Sequence[StoredPaper]], RankAll]
MessageId = Callable[[Digest, int], str]

TOGETHER = 2000
"""Subscribers whose requests are made and ranked at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReport:
    """How many subscribers were due, how many digests were planned, and why the others got none.

    ``waiting`` counts active subscribers whose hour has not come.
    """

    candidates: int
    waiting: int
    planned: int
    excluded: Counter[str]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the settings say about planning."""

    queue: timedelta
    expires_after: timedelta


@dataclass(slots=True)
class _Tally:
    """What is counted on the way."""

    planned: int = 0
    excluded: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def cannot(self, subscriber: Subscriber, error: UsageError) -> None:
        """Count somebody whose zone or topic an older version let in: it is theirs alone."""
        self.excluded["cannot be planned"] += 1
        self.problems.append(f"subscriber {subscriber.id}: {error}")


def plan(
    store: Store, prepare: Prepare, message_id: MessageId, terms: Terms, *, now: datetime, dry_run: bool = False
) -> PlanReport:
    """Freeze a digest for everybody who is due and for whom something was found.

    Args:
        store: papers, subscribers and digests.
        prepare: takes the papers that anybody may get, and returns what ranks them for requests.
        message_id: makes the Message-ID from digest and its number.
        terms: see `Terms`.
        now: the moment of the run.
        dry_run: count only, store nothing.
    """
    subscribers, digests = Subscribers(store.database), Digests(store.database)
    composer, tally = Composer(store, terms.queue), _Tally()
    active = subscribers.active()
    due = list(_due(active, subscribers, digests, tally, now))
    earliest = min((composer.since(subscriber, now) for subscriber, _ in due), default=now)
    papers = news(store, earliest, now) if due else ()
    rank_all = prepare(papers)
    for first in range(0, len(due), TOGETHER):
        for request, ranking in rank_all(composer.requests(due[first : first + TOGETHER], papers, now)):
            if isinstance(ranking, UsageError):
                tally.cannot(request.subscriber, ranking)
                continue
            digest = composer.digest(request, ranking, now)
            if not dry_run:
                composer.remember(request, ranking, now)
            if not digest.ranked and not digest.revised:
                tally.excluded["no new papers" if not digest.considered else "nothing matched"] += 1
                if not dry_run:
                    subscribers.mark_examined(request.subscriber.id, digest.edition)
            elif dry_run or digests.add(
                digest, message_id=partial(message_id, digest), expires_at=now + terms.expires_after
            ):
                tally.planned += 1
            else:
                tally.excluded["planned by another run"] += 1
    candidates = tally.planned + tally.excluded.total()
    return PlanReport(
        candidates=candidates,
        waiting=len(active) - candidates,
        planned=tally.planned,
        excluded=tally.excluded,
        problems=tuple(tally.problems),
    )


def news(store: Store, since: datetime, now: datetime) -> tuple[StoredPaper, ...]:
    """Return the papers that may be new to somebody: first seen from the day of ``since`` on, as ranking takes them."""
    start = datetime.combine(since.date(), time.min, UTC)
    return tuple(filter(is_news, store.papers_first_seen(start, now + timedelta(microseconds=1))))


def _due(
    active: Iterable[Subscriber], subscribers: Subscribers, digests: Digests, tally: _Tally, now: datetime
) -> Iterator[tuple[Subscriber, date]]:
    """Yield who is due and for which edition."""
    for subscriber in active:
        try:
            slot = _newest_due(subscriber, subscribers, digests, now)
        except UsageError as error:
            tally.cannot(subscriber, error)
            continue
        if slot is not None:
            yield subscriber, slot.edition


def _newest_due(subscriber: Subscriber, subscribers: Subscribers, digests: Digests, now: datetime) -> Due | None:
    """Return the newest slot that has come and was not planned yet; a few days of downtime give one, not three.

    One that was looked at and found empty is looked at again on its own local date only: papers that come on
    Saturday are no reason to mail somebody who wants mail from Monday to Friday.
    """
    zone = schedule.parse_zone(subscriber.schedule.tz)
    joined = (subscriber.created_at or now).astimezone(zone)
    # Their first day counts from its midnight, so that the first digest does not wait for tomorrow.
    since = datetime.combine(joined.date(), time.min, zone).astimezone(UTC) - timedelta(microseconds=1)
    slots = schedule.due(subscriber.schedule, max(since, now - LOOK_BACK), now)
    if not slots:
        return None
    newest, today = slots[-1], now.astimezone(zone).date()
    planned, examined = digests.latest_edition(subscriber.id), subscribers.examined_on(subscriber.id)
    if planned is not None and newest.edition <= planned:
        return None
    if examined is not None and newest.edition <= examined and newest.edition < today:
        return None
    return newest
