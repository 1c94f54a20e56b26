"""The statements that mark deliveries, one by one or many at once (part of the caller's transaction).

Many at once, because the driver lets go of Python's lock at each statement: where other threads are busy, to get it
back takes longer than the statement. So a group of marks is one statement, and only when one of them is refused are
they made one by one, to learn which.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from paperdigest.store.claims import Claim, Intent, Outcome
from paperdigest.store.tables import to_stored
from paperdigest.types import DeliveryState

__all__ = ["RECORD_ATTEMPT", "Settling", "intend", "intend_all", "sent_all", "settle", "wanting"]

AT_ONCE = 64
_WIDTH = 5

_UNSUPPRESSED = """NOT EXISTS (
    SELECT 1 FROM suppressions WHERE subscriber_id = {subscriber} AND (until_at IS NULL OR until_at > {now}))"""

_WANTING = f"""
SELECT id FROM subscribers WHERE id IN (SELECT value FROM json_each(?)) AND status = 'active'
  AND {_UNSUPPRESSED.format(subscriber="subscribers.id", now="?")}
"""  # noqa: S608  constants alone

_INTEND = f"""
UPDATE deliveries SET state = 'sending', lease_until = ?, content_hash = m.hash
FROM (SELECT column1 id, column2 epoch, column3 subscriber, column4 email, column5 hash FROM (VALUES %s)) m
WHERE deliveries.id = m.id AND lease_epoch = m.epoch AND state = 'leased' AND lease_until > ?
  AND EXISTS (SELECT 1 FROM subscribers WHERE id = m.subscriber AND status = 'active' AND email = m.email)
  AND {_UNSUPPRESSED.format(subscriber="m.subscriber", now="?")}
"""  # noqa: S608  constants alone

_HELD = "SELECT 1 FROM deliveries WHERE id = ? AND lease_epoch = ? AND state = 'leased' AND lease_until > ?"

_SENT = """
UPDATE deliveries SET state = 'sent', sent_at = ?, lease_owner = NULL, lease_until = NULL,
  detail = m.detail, code = m.code, status = m.status, phase = NULL
FROM (SELECT column1 id, column2 epoch, column3 detail, column4 code, column5 status FROM (VALUES %s)) m
WHERE deliveries.id = m.id AND lease_epoch = m.epoch AND state = 'sending'
"""

# From where an outcome may come. Out of doubt: its sender was slower than its lease, but nobody has tried since.
_FROM = {
    DeliveryState.SENT: "('sending', 'in_doubt')",
    DeliveryState.DEFERRED: "('leased', 'sending', 'in_doubt')",
    DeliveryState.FAILED: "('leased', 'sending', 'in_doubt')",
    DeliveryState.SKIPPED: "('leased')",
    DeliveryState.IN_DOUBT: "('sending')",
}

_SETTLE = {
    state: f"""
UPDATE deliveries SET state = '{state.value}', lease_owner = NULL, lease_until = NULL, detail = :detail, code = :code,
  status = :status, phase = :phase, sent_at = :sent_at, next_attempt_at = coalesce(:next, next_attempt_at)
WHERE id = :id AND lease_epoch = :epoch AND state IN {origins}
"""  # noqa: S608  constants alone
    for state, origins in _FROM.items()
}

RECORD_ATTEMPT = """
INSERT INTO attempts (delivery_id, number, ended_at, state, phase, code, status, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (delivery_id, number) DO UPDATE SET
  ended_at = excluded.ended_at, state = excluded.state, phase = excluded.phase, code = excluded.code,
  status = excluded.status, detail = excluded.detail
"""

_KEEP_LETTER = "INSERT INTO letters (delivery_id, sender, content) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_DROP_LETTER = "DELETE FROM letters WHERE delivery_id = ?"

_CORRECT_ATTEMPT = """
UPDATE attempts SET ended_at = ?3, state = ?4, phase = ?5, code = ?6, status = ?7, detail = ?8
WHERE delivery_id = ?1 AND number = ?2
"""

# What the server refused has not arrived; only what is in doubt is compared with what is sent next time.
_FORGET_HASH = """
UPDATE deliveries SET content_hash = NULL
WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM attempts WHERE delivery_id = ?1 AND state = 'in_doubt')
"""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """An outcome to be written; ``letter`` is compressed already."""

    claim: Claim
    outcome: Outcome
    letter: tuple[str, bytes] | None = None


def wanting(connection: sqlite3.Connection, subscriber_ids: Sequence[int], now: datetime) -> set[int]:
    """Return which subscribers are active and not suppressed."""
    asked = json.dumps(subscriber_ids), to_stored(now)
    return {number for (number,) in connection.execute(_WANTING, asked)}


def intend_all(cursor: sqlite3.Cursor, marks: Sequence[tuple[Claim, bytes]], now: datetime, lease: timedelta) -> bool:
    """Mark all as ``sending``; False when one was refused, and then the transaction must be undone."""
    moment = to_stored(now)
    until = to_stored(now + lease)
    for some in _chunks(marks):
        values: list[Any] = []
        for claim, content_hash in some:
            one = claim.delivery
            values += (one.id, claim.epoch, one.subscriber_id, one.email, content_hash)
        if _write_many(cursor, _INTEND, until, values, (moment, moment)) != len(some):
            return False
    return True


def intend(cursor: sqlite3.Cursor, claim: Claim, content_hash: bytes, now: datetime, lease: timedelta) -> Intent:
    """Mark one as ``sending``, or say why not."""
    if intend_all(cursor, [(claim, content_hash)], now, lease):
        return Intent.GRANTED
    held = cursor.execute(_HELD, (claim.delivery.id, claim.epoch, to_stored(now))).fetchone()
    return Intent.LOST if held is None else Intent.UNWANTED


def sent_all(cursor: sqlite3.Cursor, marks: Sequence[Settling], now: datetime) -> bool:
    """Mark all as ``sent``; False when one was refused, and then the transaction must be undone."""
    moment = to_stored(now)
    for some in _chunks(marks):
        values: list[Any] = []
        for mark in some:
            outcome = mark.outcome
            values += (mark.claim.delivery.id, mark.claim.epoch, outcome.storable_detail, outcome.code, outcome.status)
        if _write_many(cursor, _SENT, moment, values) != len(some):
            return False
        for mark in some:
            if mark.claim.delivery.content_hash is not None:  # else no earlier attempt can have left anything
                number = mark.claim.delivery.id
                cursor.execute(_DROP_LETTER, (number,))
    return True


def settle(cursor: sqlite3.Cursor, mark: Settling, now: datetime) -> bool:
    """Write an outcome of whatever kind; False when the claim is not good for it any more."""
    outcome, number, moment = mark.outcome, mark.claim.delivery.id, to_stored(now)
    attempts, state = mark.claim.delivery.attempts, outcome.state
    detail, phase = outcome.storable_detail, outcome.phase.value if outcome.phase else None
    values = {
        "id": number,
        "epoch": mark.claim.epoch,
        "detail": detail,
        "code": outcome.code,
        "status": outcome.status,
        "phase": phase,
        "sent_at": moment if state is DeliveryState.SENT else None,
        "next": to_stored(outcome.next_attempt_at) if outcome.next_attempt_at else None,
    }
    if cursor.execute(_SETTLE[state], values).rowcount != 1:
        return False
    attempt = (number, attempts, moment, state.value, phase, outcome.code, outcome.status, detail)
    # What simply succeeded needs no record, unless somebody has recovered it meanwhile and recorded a doubt.
    cursor.execute(_CORRECT_ATTEMPT if state is DeliveryState.SENT else RECORD_ATTEMPT, attempt)
    if state is DeliveryState.DEFERRED:
        cursor.execute(_FORGET_HASH, (number,))
    elif state is not DeliveryState.IN_DOUBT:
        cursor.execute(_DROP_LETTER, (number,))
    elif mark.letter is not None:
        cursor.execute(_KEEP_LETTER, (number, *mark.letter))
    return True


def _chunks(marks: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(marks), AT_ONCE):
        yield marks[start : start + AT_ONCE]


def _write_many(
    cursor: sqlite3.Cursor, template: str, before: str, values: list[Any], after: tuple[str, ...] = ()
) -> int:
    """Run a statement over rows of five values and return how many rows it changed.

    Filled up with empty rows to a power of two, so that there are few statements, and the driver keeps them prepared.
    """
    rows = len(values) // _WIDTH
    size = 1 << (rows - 1).bit_length()
    filling = [None] * (_WIDTH * (size - rows))
    return cursor.execute(_with_rows(template, size), (before, *values, *filling, *after)).rowcount


@cache
def _with_rows(template: str, rows: int) -> str:
    return template % ", ".join([f"({', '.join('?' * _WIDTH)})"] * rows)
