"""The tables of subscribers, digests and the delivery ledger (papers and listings: `tables`)."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from paperdigest.store.tables import UtcDateTime, metadata
from paperdigest.types import DeliveryState, SubscriberStatus

__all__ = ["attempts", "deliveries", "digest_items", "digests", "fragments", "letters", "subscribers", "topics"]


def _one_of(column: str, values: type[DeliveryState | SubscriberStatus]) -> str:
    return f"{column} IN ({', '.join(repr(value.value) for value in values)})"


subscribers = Table(
    "subscribers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email", Text, nullable=False, unique=True),  # the domain in lower case, as A-labels
    Column("name", Text),
    Column("status", Text, nullable=False),
    Column("days", Text, nullable=False),  # weekdays, Monday = 0, as digits: "01234"
    Column("at", Text, nullable=False),  # local time, HH:MM
    Column("tz", Text, nullable=False),
    Column("pause_until", Date),
    Column("max_papers", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # The newest edition that was looked at and found empty: when its day is over it is not looked at again.
    Column("examined_on", Date),
    Column("on_empty", Text, nullable=False, server_default="skip"),  # an `OnEmpty`: what to do on a quiet day
    Column("attach_bibtex", Boolean, nullable=False, server_default="0"),
    # How many papers there were then (`standing.Standings.papers`): while it is the same, nothing new is found.
    Column("examined_papers", Integer),
    CheckConstraint(_one_of("status", SubscriberStatus), name="status"),
    # Never give a number twice: a late bounce must not meet somebody else.
    sqlite_autoincrement=True,
)
"""One row per address."""

topics = Table(
    "topics",
    metadata,
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("query", Text, nullable=False),  # empty: the topic is its liked examples alone
    Column("weight", Float, nullable=False),
    Column("quota", Float),
    Column("threshold", Float),
    UniqueConstraint("subscriber_id", "name"),
    sqlite_with_rowid=False,
)
"""What a subscriber is interested in, in their order."""

digests = Table(
    "digests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
    Column("edition", Date, nullable=False),
    Column("composed_at", UtcDateTime, nullable=False),
    Column("considered", Integer, nullable=False),
    # JSON of the digest (see `freezing`) without its ranked papers, which are in `fragments`; digests older than schema
    # 0003 hold them here. A resend needs nothing else.
    Column("frozen", Text, nullable=False),
    # The one thing that makes "never twice" true, whoever plans: cron, daemon, or both at once.
    UniqueConstraint("subscriber_id", "edition"),
    sqlite_autoincrement=True,
)
"""What was chosen for whom, as it was at that moment; never changed afterwards."""

digest_items = Table(
    "digest_items",
    metadata,
    Column("digest_id", ForeignKey("digests.id", ondelete="CASCADE"), primary_key=True),
    # The printed PaperId at that time, not a row number: papers may be joined later, and every id ever
    # printed keeps naming its paper in paper_keys.
    Column("paper_key", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    # Of the columns from here on, those of digests older than schema 0002 say only the placement and the version.
    Column("placement", Text, nullable=False, server_default="new"),  # a `Placement`, or "revised"
    Column("propensity", Float),
    Column("score", Float),
    Column("topic", Text),
    Column("version", Integer),  # of the paper, as it was shown
    Column("fragment", LargeBinary),  # key in `fragments`; None for a revised paper, and before schema 0003
    sqlite_with_rowid=False,
)
"""Which papers a digest holds, for "never sent to them before", and why each stands there.

The new versions of liked papers (``revised``) come after the ranked ones.
"""

fragments = Table(
    "fragments",
    metadata,
    Column("key", LargeBinary, primary_key=True),  # blake2b of the text, 16 bytes
    Column("frozen", Text, nullable=False),  # JSON of a `RankedPaper` (see `freezing`)
)
"""Ranked papers as they were frozen, each once, however many digests show it for the same reasons."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest_id", ForeignKey("digests.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("message_id", Text, nullable=False, unique=True),
    Column("next_attempt_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("lease_owner", Text),
    Column("lease_until", UtcDateTime),
    # Counts the claims: whoever was paused beyond the lease finds a higher number and may not write any more.
    Column("lease_epoch", Integer, nullable=False),
    Column("code", Integer),
    Column("detail", Text),
    Column("sent_at", UtcDateTime),
    Column("status", Text),  # enhanced status code (RFC 3463) of the last refusal
    Column("phase", Text),  # a `MailPhase`: how far the last attempt came
    # 16 bytes of SHA-256 of the message whose final dot was about to be sent: a copy of it can be told from another.
    Column("content_hash", LargeBinary),
    CheckConstraint(_one_of("state", DeliveryState), name="state"),
    sqlite_autoincrement=True,
)
"""The ledger: one row per digest. Thin, because each change rewrites the row; the body is in ``digests``."""

attempts = Table(
    "attempts",
    metadata,
    Column("delivery_id", ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("state", Text, nullable=False),  # the outcome
    Column("phase", Text),
    Column("code", Integer),
    Column("status", Text),
    Column("detail", Text),
    sqlite_with_rowid=False,
)
"""What became of each attempt that did not simply succeed the first time; pruned after a while."""

letters = Table(
    "letters",
    metadata,
    Column("delivery_id", ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True),
    Column("sender", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),  # compressed with zlib
)
"""The bytes of a message in doubt: settings and templates may change before it is sent again."""

for _state in (DeliveryState.PLANNED, DeliveryState.DEFERRED, DeliveryState.LEASED, DeliveryState.SENDING):
    # One partial index per state that is looked for: claiming was measured 4 times slower with a shared one.
    Index(
        f"ix_deliveries_{_state.value}",
        deliveries.c.lease_until
        if _state in (DeliveryState.LEASED, DeliveryState.SENDING)
        else deliveries.c.next_attempt_at,
        sqlite_where=text(f"state = '{_state.value}'"),
        postgresql_where=text(f"state = '{_state.value}'"),
    )
