"""Digests in the database: frozen once, under the key (subscriber, edition)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import func, select

from paperdigest.errors import NotFoundError, StoreError
from paperdigest.failpoints import failpoint
from paperdigest.store.chunking import chunks
from paperdigest.store.delivery_tables import deliveries, digest_items, digests
from paperdigest.store.engine import Database
from paperdigest.store.fragments import Fragments, write_fragments
from paperdigest.store.freezing import Freezer, Frozen, thaw_head
from paperdigest.store.tables import paper_keys, papers, to_stored
from paperdigest.store.taking_over import NOTHING, Instead, take_over, those_claimed
from paperdigest.types import DeliveryState, Digest

__all__ = ["Added", "Digests", "MessageId", "Shown"]

MessageId = Callable[[Digest, int], str]
"""Makes a Message-ID from a digest and its number."""

_LOST = (DeliveryState.FAILED.value, DeliveryState.EXPIRED.value, DeliveryState.SKIPPED.value)
"""What ends so has not been seen."""

_REVISED = "revised"
"""How a new version of a liked paper is placed, beside the members of `types.Placement`."""

_ADD_DIGEST = """
INSERT INTO digests (subscriber_id, edition, composed_at, considered, frozen)
SELECT id, ?, ?, ?, ? FROM subscribers WHERE id = ?
ON CONFLICT (subscriber_id, edition) DO NOTHING
RETURNING id
"""

_ADD_ITEM = """
INSERT INTO digest_items (digest_id, position, paper_key, placement, propensity, score, topic, version, fragment)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

_ADD_DELIVERY = """
INSERT INTO deliveries (digest_id, state, attempts, message_id, next_attempt_at, expires_at, lease_epoch)
VALUES (?, 'planned', 0, ?, ?, ?, 0)
"""


_HEADS = "SELECT id, frozen FROM digests WHERE id IN (SELECT value FROM json_each(?))"
_KEYS = """
SELECT digest_id, fragment FROM digest_items
WHERE digest_id IN (SELECT value FROM json_each(?)) AND fragment IS NOT NULL ORDER BY digest_id, position
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """That a subscriber was shown a paper: in which edition last, and its highest version (None: never said)."""

    edition: date
    version: int | None


class Added(StrEnum):
    """What became of a digest that was to be added."""

    PLANNED = "planned"
    KNOWN = "planned by another run"
    """The subscriber has a digest of this edition already; it stays as it is."""
    GONE = "removed meanwhile"
    """There is no such subscriber any more."""
    HELD = "held by an earlier one"
    """A digest that it was to take over is being delivered at the moment."""


_Item = tuple[int, int, str, str, float | None, float | None, str | None, int | None, bytes | None]


class Digests:
    """The digests of one database. Every method may raise StoreError.

    Ranked papers that were read once are kept (`fragments`), so whoever reads many digests keeps one of these.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._fragments, self._freezer = Fragments(), Freezer()

    def add_many(
        self, made: Sequence[Digest], *, message_id: MessageId, expires_at: datetime, instead: Instead = NOTHING
    ) -> tuple[Added, ...]:
        """Freeze digests with their items, fragments and deliveries in one transaction: all of it, or nothing.

        The key (subscriber, edition) decides: of two runs that plan the same, one does. For the use of one thread.

        Args:
            made: what was chosen, for subscribers that are stored.
            message_id: makes the Message-ID from a digest and its number.
            expires_at: when to give up delivering them.
            instead: the digests that they take over (`taking_over`).

        Returns:
            What became of each, in their order.
        """
        frozen = [self._freezer.freeze(digest) for digest in made]
        with self._database.recording() as cursor:
            held = those_claimed(cursor, instead)
            numbers = [
                None if one.subscriber.id in held else _add_digest(cursor, one, pieces.head)
                for one, pieces in zip(made, frozen, strict=True)
            ]
            new = [trio for trio in zip(numbers, made, frozen, strict=True) if trio[0] is not None]
            write_fragments(cursor, [pieces for _, _, pieces in new])
            cursor.executemany(
                _ADD_ITEM, (item for number, one, pieces in new for item in _items(number or 0, one, pieces))
            )
            expires = to_stored(expires_at)
            cursor.executemany(
                _ADD_DELIVERY,
                ((n, message_id(one, n), to_stored(one.composed_at), expires) for n, one, _ in new if n is not None),
            )
            take_over(
                cursor,
                (
                    (old, one.edition, one.composed_at)
                    for _, one, _ in new
                    for old in instead.get(one.subscriber.id, ())
                ),
            )
            added = tuple(
                Added.HELD if one.subscriber.id in held else _became(cursor, one, number)
                for one, number in zip(made, numbers, strict=True)
            )
            failpoint("before_plan_commit")
        failpoint("after_plan_chunk")
        return added

    def add(self, digest: Digest, *, message_id: Callable[[int], str], expires_at: datetime) -> bool:
        """Freeze one digest like `add_many`; False when the subscriber has one of this edition already, or is gone."""
        (added,) = self.add_many([digest], message_id=lambda _, number: message_id(number), expires_at=expires_at)
        return added is Added.PLANNED

    def get(self, number: int) -> Digest:
        """Return the frozen digest with that number.

        Raises:
            NotFoundError: there is none (the subscriber was removed).
            StoreError: it is damaged.
        """
        found = self.get_many([number])
        if number in found:
            return found[number]
        with self._database.reading() as connection:
            if connection.execute(select(digests.c.id).where(digests.c.id == number)).first() is None:
                raise NotFoundError("digest", str(number))
        raise StoreError(
            f"the digest {number} in {self._database.path} is damaged", "See what is left with `paperdigest db check`"
        )

    def get_many(self, numbers: Iterable[int]) -> dict[int, Digest]:
        """Return the frozen digests with those numbers; one that is gone or damaged is left out (`get` says which).

        A ranked paper of one key is the same object in all of them, as long as it is kept.
        """
        heads: dict[int, str] = {}
        keys: dict[int, list[bytes]] = {}
        with self._database.reading() as connection:
            cursor = connection.connection.cursor()  # the driver's: SQLAlchemy's rows cost more than SQLite's
            for some in chunks(numbers):
                wanted = (json.dumps(some),)
                heads.update(cursor.execute(_HEADS, wanted).fetchall())
                for number, key in cursor.execute(_KEYS, wanted).fetchall():
                    keys.setdefault(number, []).append(key)
            ranked = self._fragments.ranked(connection, (key for some in keys.values() for key in some))
        found = {}
        for number, head in heads.items():
            try:
                mine = [ranked[key] for key in keys.get(number, ())]
                found[number] = thaw_head(head, number=number, ranked=mine)
            except (LookupError, TypeError, ValueError, RecursionError):
                continue  # somebody changed a row: nobody else's digest suffers for it
        return found

    def latest(self, subscriber_id: int) -> Digest | None:
        """Return the newest digest of a subscriber."""
        newest = select(digests.c.id).where(digests.c.subscriber_id == subscriber_id)
        with self._database.reading() as connection:
            number = connection.execute(newest.order_by(digests.c.edition.desc()).limit(1)).scalar()
        return None if number is None else self.get(number)

    def shown(self, subscriber_id: int) -> dict[str, Shown]:
        """Return what a subscriber was shown, or is about to be, by the identifier each paper is known by now."""
        return self.shown_to([subscriber_id])[subscriber_id]

    def shown_to(self, subscriber_ids: Sequence[int], lost: Iterable[int] = ()) -> dict[int, dict[str, Shown]]:
        """Return for each subscriber what `shown` says; the digests ``lost`` do not count."""
        key = func.coalesce(papers.c.key, digest_items.c.paper_key)
        wanted = (
            select(digests.c.subscriber_id, key, func.max(digests.c.edition), func.max(digest_items.c.version))
            .select_from(digest_items)
            .join(digests, digests.c.id == digest_items.c.digest_id)
            .join(deliveries, deliveries.c.digest_id == digests.c.id)
            .outerjoin(paper_keys, paper_keys.c.key == digest_items.c.paper_key)
            .outerjoin(papers, papers.c.id == paper_keys.c.paper_id)
            .where(deliveries.c.state.not_in(_LOST), digests.c.id.not_in(list(lost)))
            .group_by(digests.c.subscriber_id, key)
            .order_by(key)
        )
        found: dict[int, dict[str, Shown]] = {number: {} for number in subscriber_ids}
        with self._database.reading() as connection:
            for some in chunks(found):
                for number, one, edition, version in connection.execute(
                    wanted.where(digests.c.subscriber_id.in_(some))
                ):
                    found[number][one] = Shown(edition=edition, version=version)
        return found


def _add_digest(cursor: sqlite3.Cursor, digest: Digest, head: str) -> int | None:
    """Insert a head and return its number; None when there is one of this edition, or no such subscriber."""
    row = (digest.edition.isoformat(), to_stored(digest.composed_at), digest.considered, head, digest.subscriber.id)
    inserted = cursor.execute(_ADD_DIGEST, row).fetchone()
    return None if inserted is None else int(inserted[0])


def _became(cursor: sqlite3.Cursor, digest: Digest, number: int | None) -> Added:
    if number is not None:
        return Added.PLANNED
    known = cursor.execute("SELECT 1 FROM subscribers WHERE id = ?", (digest.subscriber.id,)).fetchone()
    return Added.GONE if known is None else Added.KNOWN


def _items(number: int, digest: Digest, frozen: Frozen) -> list[_Item]:
    """Return the rows of a digest's papers: the ranked ones, then the revised ones that are not among them."""
    rows: list[_Item] = [
        (
            number,
            position,
            str(ranked.stored.paper.id),
            ranked.placement.value,
            ranked.propensity,
            ranked.score,
            ranked.topic,
            ranked.stored.paper.version,
            fragment.key,
        )
        for position, (ranked, fragment) in enumerate(zip(digest.ranked, frozen.ranked, strict=True), start=1)
    ]
    chosen = {row[2] for row in rows}
    revised = {str(stored.paper.id): stored.paper.version for stored in digest.revised}
    beside = [(key, version) for key, version in revised.items() if key not in chosen]
    rows += [
        (number, position, key, _REVISED, None, None, None, version, None)
        for position, (key, version) in enumerate(beside, start=len(rows) + 1)
    ]
    return rows
