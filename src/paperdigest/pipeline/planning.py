"""The use case ``plan``: which digests are due, and what is in them.

For every active subscriber, in this order::

    due slots ← schedule.due      since the last planned edition; of several missed ones only the newest
    candidates                    first seen in the last days or since the last digest, never sent to them
    ranked ← rank                 injected: the pipeline knows no scorer; prepared once for all who are due
    digests.add                   frozen with its delivery under the key (subscriber, edition)

``candidates = planned + excluded``, where the candidates are those who are due: nobody is lost without
a reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial

from paperdigest import schedule
from paperdigest.errors import UsageError
from paperdigest.schedule import Due
from paperdigest.store import Store
from paperdigest.store.digests import Digests
from paperdigest.store.subscribers import Subscribers
from paperdigest.types import Digest, RankedPaper, StoredPaper, Subscriber, Topic

__all__ = ["PlanReport", "Prepare", "Rank", "Terms", "compose", "plan", "since"]

Rank = Callable[[Sequence[Topic], Sequence[StoredPaper], int], tuple[RankedPaper, ...]]
Prepare = Callable[[Sequence[Topic], Sequence[StoredPaper]], Rank]
MessageId = Callable[[Digest, int], str]

LOOK_BACK = timedelta(days=60)
"""How far back missed slots and papers are looked for; whoever was away for longer gets one digest all the same."""


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


def plan(
    store: Store, prepare: Prepare, message_id: MessageId, terms: Terms, *, now: datetime, dry_run: bool = False
) -> PlanReport:
    """Freeze a digest for everybody who is due and for whom something was found.

    Args:
        store: papers, subscribers and digests.
        prepare: takes the topics of everybody who is due and all their candidates, and returns what orders some
            of these papers for some of these topics.
        message_id: makes the Message-ID from digest and its number.
        terms: see `Terms`.
        now: the moment of the run.
        dry_run: count only, store nothing.
    """
    subscribers, digests = Subscribers(store.database), Digests(store.database)
    planned, waiting, excluded = 0, 0, Counter[str]()
    problems: list[str] = []
    active = subscribers.active()
    due: list[tuple[Subscriber, Due, datetime]] = []
    for subscriber in active:
        try:
            slot = _newest_due(subscriber, subscribers, digests, now)
        except UsageError as error:  # a zone that an older version let in: theirs alone
            excluded["cannot be planned"] += 1
            problems.append(f"subscriber {subscriber.id}: {error}")
            continue
        if slot is None:
            waiting += 1
        else:
            due.append((subscriber, slot, since(subscriber, digests, terms, now)))
    earliest = min((start for _, _, start in due), default=now)
    papers = store.papers_first_seen(earliest, now + timedelta(microseconds=1)) if due else ()
    rank = prepare([topic for subscriber, _, _ in due for topic in subscriber.topics], papers)
    for subscriber, slot, start in due:
        candidates = [stored for stored in papers if stored.first_seen_at >= start]
        try:
            digest = compose(subscriber, candidates, digests, rank, edition_of=slot, now=now)
        except UsageError as error:  # a topic that an older version let in: theirs alone
            excluded["cannot be planned"] += 1
            problems.append(f"subscriber {subscriber.id}: {error}")
            continue
        if not digest.ranked:
            excluded["no new papers" if not digest.considered else "nothing matched"] += 1
            if not dry_run:
                subscribers.mark_examined(subscriber.id, digest.edition)
        elif dry_run or digests.add(
            digest,
            message_id=partial(message_id, digest),
            expires_at=now + terms.expires_after,
        ):
            planned += 1
        else:
            excluded["planned by another run"] += 1
    return PlanReport(
        candidates=len(active) - waiting, waiting=waiting, planned=planned, excluded=excluded, problems=tuple(problems)
    )


def compose(
    subscriber: Subscriber,
    papers: Sequence[StoredPaper],
    digests: Digests,
    rank: Rank,
    *,
    edition_of: Due | None,
    now: datetime,
) -> Digest:
    """Choose a digest's papers: those of ``papers`` that were never sent to the subscriber, ranked and cut.

    Args:
        subscriber: who it is for.
        papers: the candidates of everybody.
        digests: knows what was sent.
        rank: orders them.
        edition_of: the slot; None for a preview, which is of the subscriber's local today.
        now: the moment of composition, frozen with the digest.

    Raises:
        UsageError: a topic or the zone cannot be read.
    """
    sent = digests.sent_keys(subscriber.id)
    unseen = [stored for stored in papers if str(stored.paper.id) not in sent and _is_news(stored)]
    zone = schedule.parse_zone(subscriber.schedule.tz)
    return Digest(
        subscriber=subscriber,
        edition=edition_of.edition if edition_of else now.astimezone(zone).date(),
        composed_at=now,
        ranked=rank(subscriber.topics, unseen, subscriber.max_papers),
        considered=len(unseen),
    )


def since(subscriber: Subscriber, digests: Digests, terms: Terms, now: datetime) -> datetime:
    """Return from when on papers are candidates: the last digest or the queue's days, whichever is longer ago.

    A weekly digest at nine, after one that came out at five past seven the week before, misses nothing.
    """
    last = digests.covered_until(subscriber.id) or now
    return max(min(now - terms.queue, last), now - max(LOOK_BACK, terms.queue))


def _is_news(stored: StoredPaper) -> bool:
    """Say whether a paper may be shown as new: not withdrawn, and not met only as the new version of an older one."""
    replaced = [entry.announce_type in ("replace", "replace-cross") for entry in stored.entries]
    return not stored.paper.withdrawn and not (replaced and all(replaced))


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
