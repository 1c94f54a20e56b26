"""What the latest replay of each topic's judgements came to, so that a digest speaks only of what changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select

from paperdigest.store.chunking import chunks
from paperdigest.store.delivery_tables import subscribers
from paperdigest.store.engine import Database
from paperdigest.store.ranking_tables import learning
from paperdigest.types.moments import require_utc

__all__ = ["Learning", "Replay"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """How well a topic ranks the subscriber's own held-back likes without (``before``) and with what was learned.

    ``judgements_seen`` counts the judgements it was made with; ``kept`` says whether the learned part is used.
    """

    topic: str
    judgements_seen: int
    kept: bool
    before: float
    after: float
    judged_at: datetime

    def __post_init__(self) -> None:
        require_utc(self.judged_at, "judged_at")


class Learning:
    """The latest replays in one database. Every method may raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, subscriber_ids: Iterable[int]) -> dict[int, tuple[Replay, ...]]:
        """Return each subscriber's latest replays by topic; an empty tuple for who has none."""
        found: dict[int, list[Replay]] = {}
        wanted = select(learning).order_by(learning.c.subscriber_id, learning.c.topic)
        with self._database.reading() as connection:
            for chunk in chunks(dict.fromkeys(subscriber_ids)):
                found.update((number, []) for number in chunk)
                rows = connection.execute(wanted.where(learning.c.subscriber_id.in_(chunk)))
                for number, topic, seen, kept, before, after, judged_at in rows:
                    replay = Replay(
                        topic=topic,
                        judgements_seen=seen,
                        kept=kept,
                        before=before,
                        after=after,
                        judged_at=judged_at,
                    )
                    found[number].append(replay)
        return {number: tuple(replays) for number, replays in found.items()}

    def save(self, subscriber_id: int, replays: Iterable[Replay]) -> None:
        """Put these in the place of all that was stored for the subscriber."""
        self.save_all({subscriber_id: tuple(replays)})

    def save_all(self, replays: Mapping[int, Iterable[Replay]]) -> None:
        """Put these in the place of all that was stored for each subscriber, in one transaction.

        Those who were removed meanwhile are passed over.
        """
        if not replays:
            return
        with self._database.writing() as connection:
            for some in chunks(replays):
                connection.execute(delete(learning).where(learning.c.subscriber_id.in_(some)))
                here = connection.execute(select(subscribers.c.id).where(subscribers.c.id.in_(some))).scalars()
                rows = [_row(number, replay) for number in here for replay in replays[number]]
                if rows:
                    connection.execute(insert(learning), rows)


def _row(subscriber_id: int, replay: Replay) -> dict[str, Any]:
    return {
        "subscriber_id": subscriber_id,
        "topic": replay.topic,
        "judgements_seen": replay.judgements_seen,
        "kept": replay.kept,
        "score_before": replay.before,
        "score_after": replay.after,
        "judged_at": replay.judged_at,
    }
