"""What a subscriber would get now, or why they would get nothing; nothing is stored or sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from paperdigest.pipeline.quiet import Calendar, QuietDay, nearest_requests
from paperdigest.ranking import Ranker
from paperdigest.store import Store
from paperdigest.store.ledger import Ledger
from paperdigest.store.suppressions import Suppression
from paperdigest.types import (
    DeliveryState,
    Digest,
    OnEmpty,
    Ranking,
    RankRequest,
    StoredPaper,
    Subscriber,
    SubscriberStatus,
)

__all__ = ["Preview", "obstacles", "quiet_sentences"]

_STATUS = {
    SubscriberStatus.PENDING: "they have not confirmed their address (subscriber set {email} --confirmed)",
    SubscriberStatus.PAUSED: "they are paused (subscriber resume {email})",
    SubscriberStatus.UNSUBSCRIBED: "they have unsubscribed (subscriber set {email} --confirmed when they ask again)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A digest as it would be planned now.

    ``quiet`` says why there is nothing in it; empty when there is. ``obstacles`` say why no mail would go out, whatever
    is in it; empty when one would.
    """

    digest: Digest
    quiet: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()


def quiet_sentences(
    store: Store,
    ranker: Ranker,
    papers: Sequence[StoredPaper],
    calendars: Mapping[str, Calendar],
    answered: tuple[RankRequest, Ranking],
    now: datetime,
) -> tuple[str, ...]:
    """Return what the note of a quiet day says (see `pipeline.quiet`)."""
    near = [ranker.rank(request).ranked for request in nearest_requests([answered])]
    nearest = near[0][0] if near and near[0] else None
    return QuietDay(store, papers, calendars, now).sentences(*answered, nearest)


def obstacles(
    store: Store, subscriber: Subscriber, today: date, stopped: Suppression | None, *, is_quiet: bool
) -> tuple[str, ...]:
    """Return why a subscriber would get no mail on a day of theirs; ``is_quiet``: there is nothing to send."""
    found = []
    if subscriber.status in _STATUS:
        found.append(_STATUS[subscriber.status].format(email=subscriber.email))
    if stopped is not None:
        found.append(f"{stopped.sentence()} (subscriber unsuppress {subscriber.email})")
    pause_until = subscriber.schedule.pause_until
    if pause_until is not None and today < pause_until:
        found.append(f"they are paused until {pause_until} (subscriber resume {subscriber.email})")
    if (planned := Ledger(store.database).of(subscriber.id).get(today)) is not None:
        state = "was sent" if planned.state is DeliveryState.SENT else f"is {planned.state.value.replace('_', ' ')}"
        found.append(f"their digest of {today} {state} (outbox show {planned.id}); the next comes on another day")
    if is_quiet and subscriber.on_empty is OnEmpty.SKIP:
        found.append(f"on a quiet day they want none (subscriber set {subscriber.email} --on-empty note)")
    return tuple(found)
