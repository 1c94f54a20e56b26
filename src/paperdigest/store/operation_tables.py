"""The tables of what goes wrong: bounces, suppressed addresses, pauses, alarms, runs."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from paperdigest.store.tables import UtcDateTime, metadata

__all__ = ["alarms", "bounces", "pauses", "runs", "suppressions"]

suppressions = Table(
    "suppressions",
    metadata,
    # HMAC-SHA-256 of the address under the secret key: outlives the subscriber's erasure, and tells nobody who it was.
    Column("address_hash", LargeBinary, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="SET NULL"), index=True),
    Column("reason", Text, nullable=False),  # a `SuppressionReason`
    Column("since_at", UtcDateTime, nullable=False),
    Column("until_at", UtcDateTime),  # None: for good; else one mail is tried then
    Column("detail", Text),  # never holds an address
)
"""Addresses that no mail goes to, whoever asks for it."""

bounces = Table(
    "bounces",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
    Column("delivery_id", ForeignKey("deliveries.id", ondelete="SET NULL")),
    Column("received_at", UtcDateTime, nullable=False),
    Column("kind", Text, nullable=False),  # a `BounceKind`, or "unsubscribed" (see `bounces.Bounces.unsubscribe`)
    Column("status", Text),
    Column("detail", Text),  # what was said; without a delivery the mark of the message that said it
    # The same report read twice counts once.
    UniqueConstraint("delivery_id", "kind"),
    Index("ix_bounces_subscriber", "subscriber_id", "received_at"),
    Index("ix_bounces_received", "received_at"),
)
"""What came back, per subscriber."""

pauses = Table(
    "pauses",
    metadata,
    Column("name", Text, primary_key=True),  # "mail": all sending
    Column("since_at", UtcDateTime, nullable=False),
    Column("until_at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""What is not to be tried before a moment (the circuit breaker): outlives the process that found out."""

alarms = Table(
    "alarms",
    metadata,
    Column("name", Text, primary_key=True),  # what about: "source huggingface", "mail", "run send"
    Column("raised_at", UtcDateTime, nullable=False),
    Column("told_at", UtcDateTime),  # when the operator was last told; None: not yet
    Column("detail", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""What the operator must know; a row goes when the trouble is over."""

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),  # "fetch" or "send"
    Column("owner", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),  # None: still at it, or dead
    Column("detail", Text),  # JSON of the report
    Index("ix_runs_kind", "kind", "started_at"),
)
"""What ran when: how an operator learns that a run did not finish. Pruned after a while."""
