"""What delivery needs: fragments, attempts, quiet days, bounces, suppressed addresses, pauses, alarms, runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_MOMENT = sa.String(27)


def upgrade() -> None:
    """Add tables and columns; what is stored stays as it is."""
    _widen()
    _create_attempts_and_fragments()
    _create_bounces()
    _create_operations()


def _widen() -> None:
    op.add_column("subscribers", sa.Column("on_empty", sa.Text(), nullable=False, server_default="skip"))
    op.add_column("subscribers", sa.Column("attach_bibtex", sa.Boolean(), nullable=False, server_default="0"))
    op.add_column("subscribers", sa.Column("examined_papers", sa.Integer(), nullable=True))
    op.add_column("digest_items", sa.Column("fragment", sa.LargeBinary(), nullable=True))
    op.add_column("deliveries", sa.Column("status", sa.Text(), nullable=True))
    op.add_column("deliveries", sa.Column("phase", sa.Text(), nullable=True))
    op.add_column("deliveries", sa.Column("content_hash", sa.LargeBinary(), nullable=True))


def _create_attempts_and_fragments() -> None:
    op.create_table(
        "fragments",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("frozen", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_fragments"),
    )
    op.create_table(
        "attempts",
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name="fk_attempts_delivery_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("delivery_id", "number", name="pk_attempts"),
        sqlite_with_rowid=False,
    )


def _create_bounces() -> None:
    op.create_table(
        "suppressions",
        sa.Column("address_hash", sa.LargeBinary(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since_at", _MOMENT, nullable=False),
        sa.Column("until_at", _MOMENT, nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name="fk_suppressions_subscriber_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("address_hash", name="pk_suppressions"),
    )
    op.create_index("ix_suppressions_subscriber_id", "suppressions", ["subscriber_id"])
    op.create_table(
        "bounces",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=True),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name="fk_bounces_subscriber_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name="fk_bounces_delivery_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_bounces"),
        sa.UniqueConstraint("delivery_id", "kind", name="uq_bounces_delivery_id_kind"),
    )
    op.create_index("ix_bounces_subscriber", "bounces", ["subscriber_id", "received_at"])
    op.create_index("ix_bounces_received", "bounces", ["received_at"])


def _create_operations() -> None:
    op.create_table(
        "pauses",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("since_at", _MOMENT, nullable=False),
        sa.Column("until_at", _MOMENT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_pauses"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alarms",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("raised_at", _MOMENT, nullable=False),
        sa.Column("told_at", _MOMENT, nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_alarms"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("finished_at", _MOMENT, nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_kind", "runs", ["kind", "started_at"])
