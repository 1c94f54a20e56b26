"""Addresses that no mail goes to: keyed hashes, which outlive the subscriber's erasure and tell nobody who it was.

The hash is HMAC-SHA-256 under a key derived from the secret, of the address in small letters: whoever has the database
but not the secret cannot try addresses against it. When the secret changes, hashes under earlier ones are still known.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, or_, select
from sqlalchemy.engine import RowMapping

from paperdigest.store.delivery_tables import subscribers
from paperdigest.store.engine import Database
from paperdigest.store.operation_tables import suppressions
from paperdigest.store.subscribers import stored_address
from paperdigest.types import SuppressionReason

__all__ = ["Suppression", "Suppressions", "harmless"]

_ORDER = (SuppressionReason.SUSPENDED, SuppressionReason.GONE, SuppressionReason.COMPLAINT)
_ADDRESS = re.compile(r"[^\s<>@:;,]+@[^\s<>@:;,]+")
_LONGEST = 300


def harmless(text: str | None) -> str | None:
    """Return what a server said on one short line, without addresses, harmless to whoever looks at it."""
    if text is None:
        return None
    line = " ".join("".join(char if char.isprintable() else " " for char in text[: 2 * _LONGEST]).split())
    return _ADDRESS.sub("<address>", line)[:_LONGEST] or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """That, why and until when (None: for good) no mail goes to an address.

    ``detail`` is the status that was given for it, no words: those may name the address, and this outlives it.
    """

    reason: SuppressionReason
    since_at: datetime
    until_at: datetime | None
    detail: str | None

    def holds(self, now: datetime) -> bool:
        """Say whether mail must not go there at that moment."""
        return self.until_at is None or self.until_at > now

    def sentence(self) -> str:
        """Say it in words."""
        until = f" until {self.until_at:%Y-%m-%d}" if self.until_at else ""
        why = {
            SuppressionReason.GONE: "its server said that there is no such mailbox",
            SuppressionReason.COMPLAINT: "they told their provider that it is spam",
            SuppressionReason.SUSPENDED: "mail to it failed on five days",
        }[self.reason]
        told = f" ({self.detail})" if self.detail else ""
        return f"no mail goes to this address since {self.since_at:%Y-%m-%d}{until}: {why}{told}"


class Suppressions:
    """The suppressed addresses of one database. Every method may raise StoreError.

    Args:
        database: where they are.
        secrets: at least one; the first makes hashes, all are known.
    """

    def __init__(self, database: Database, secrets: Sequence[bytes]) -> None:
        if not secrets:
            raise ValueError("hashes of addresses need a secret")
        self._database = database
        self._keys = tuple(hmac.digest(one, b"paperdigest suppressed addresses", "sha256") for one in secrets)

    def of(self, email: str) -> Suppression | None:
        """Return what is kept about an address; it may be over (`Suppression.holds`)."""
        with self._database.reading() as connection:
            return self.found(connection, email)

    def standing(self, now: datetime) -> dict[int, Suppression]:
        """Return which subscribers get no mail at a moment, by number: what planning and sending go by."""
        wanted = select(suppressions).where(
            suppressions.c.subscriber_id.is_not(None),
            or_(suppressions.c.until_at.is_(None), suppressions.c.until_at > now),
        )
        with self._database.reading() as connection:
            rows = connection.execute(wanted.order_by(suppressions.c.since_at)).mappings().all()
        return {row["subscriber_id"]: _suppression(row) for row in rows}

    def lift(self, email: str) -> Suppression | None:
        """Let mail go to an address again, and return what had been kept about it."""
        with self._database.writing() as connection:
            before = self.found(connection, email)
            connection.execute(delete(suppressions).where(suppressions.c.address_hash.in_(self._hashes(email))))
            return before

    def found(self, connection: Connection, email: str) -> Suppression | None:
        """Return what is kept about an address, inside a transaction."""
        wanted = select(suppressions).where(suppressions.c.address_hash.in_(self._hashes(email)))
        rows = [_suppression(row) for row in connection.execute(wanted).mappings()]
        return max(rows, key=lambda one: _ORDER.index(one.reason), default=None)

    def put(self, connection: Connection, subscriber_id: int, said: Suppression) -> None:
        """Suppress a subscriber's address, inside a transaction; a weaker reason never replaces a stronger one."""
        email = connection.execute(select(subscribers.c.email).where(subscribers.c.id == subscriber_id)).scalar_one()
        self._put(connection, email, subscriber_id, said)

    def put_address(self, connection: Connection, email: str, said: Suppression) -> None:
        """Suppress an address, whoever has it now (see `put`)."""
        found = select(subscribers.c.id).where(func.lower(subscribers.c.email) == func.lower(email))
        self._put(connection, email, connection.execute(found).scalar(), said)

    def _put(self, connection: Connection, email: str, subscriber_id: int | None, said: Suppression) -> None:
        before = self.found(connection, email)
        if before is not None and _ORDER.index(before.reason) > _ORDER.index(said.reason):
            said = before
        hashes = self._hashes(email)
        connection.execute(delete(suppressions).where(suppressions.c.address_hash.in_(hashes)))
        row = {
            "address_hash": hashes[0],
            "subscriber_id": subscriber_id,
            "reason": said.reason.value,
            "since_at": said.since_at,
            "until_at": said.until_at,
            "detail": said.detail,
        }
        connection.execute(insert(suppressions).values(row))

    def _hashes(self, email: str) -> list[bytes]:
        address = stored_address(email)
        # The part before the @ may tell letters by case, but nobody's server does: a complaint must not be evaded so.
        return [hmac.digest(key, address.lower().encode("utf-8"), "sha256") for key in self._keys]


def _suppression(row: RowMapping) -> Suppression:
    return Suppression(
        reason=SuppressionReason(row["reason"]),
        since_at=row["since_at"],
        until_at=row["until_at"],
        detail=row["detail"],
    )
