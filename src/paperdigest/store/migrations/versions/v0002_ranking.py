"""What ranking needs: word counts of the archive, vectors, judgements, thresholds, and why a paper was chosen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_VERSIONS_SHOWN = """
UPDATE digest_items SET version = (
  SELECT max(v.version) FROM versions v
  JOIN paper_keys k ON k.paper_id = v.paper_id
  JOIN digests d ON d.id = digest_items.digest_id
  WHERE k.key = digest_items.paper_key AND v.first_seen_at <= d.composed_at
)
"""
"""The version that was shown is the highest one known when the digest was composed."""


def upgrade() -> None:
    """Add tables and columns; what is stored stays as it is."""
    _create_statistics()
    _create_vectors()
    _create_judgements()
    op.add_column("topics", sa.Column("threshold", sa.Float(), nullable=True))
    _widen_digest_items()


def _create_statistics() -> None:
    op.create_table(
        "archive_statistics",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("total_length", sa.BigInteger(), nullable=False),
        sa.Column("counted_up_to", sa.Integer(), nullable=False),
        sa.Column("counted_by", sa.String(32), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_archive_statistics_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_archive_statistics"),
    )
    op.create_table(
        "term_statistics",
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("term", name="pk_term_statistics"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "recounts",
        sa.Column("paper_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("abstract", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("paper_id", name="pk_recounts"),
    )


def _create_vectors() -> None:
    op.create_table(
        "vector_models",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("dimensions", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_vector_models"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vectors",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["model"], ["vector_models.name"], name="fk_vectors_model", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("model", "digest", name="pk_vectors"),
    )


def _create_judgements() -> None:
    op.create_table(
        "judgements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("paper_key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("abstract", sa.Text(), nullable=True),
        sa.Column("liked", sa.Boolean(), nullable=False),
        sa.Column("judged_at", sa.String(27), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name="fk_judgements_subscriber_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_judgements"),
    )
    op.create_index(
        "ix_judgements_said",
        "judgements",
        ["subscriber_id", sa.text("coalesce(topic, '')"), "paper_key"],
        unique=True,
    )
    op.create_table(
        "learning",
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("judgements_seen", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("score_before", sa.Float(), nullable=False),
        sa.Column("score_after", sa.Float(), nullable=False),
        sa.Column("judged_at", sa.String(27), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name="fk_learning_subscriber_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("subscriber_id", "topic", name="pk_learning"),
        sqlite_with_rowid=False,
    )


def _widen_digest_items() -> None:
    op.add_column("digest_items", sa.Column("placement", sa.Text(), nullable=False, server_default="new"))
    op.add_column("digest_items", sa.Column("propensity", sa.Float(), nullable=True))
    op.add_column("digest_items", sa.Column("score", sa.Float(), nullable=True))
    op.add_column("digest_items", sa.Column("topic", sa.Text(), nullable=True))
    op.add_column("digest_items", sa.Column("version", sa.Integer(), nullable=True))
    op.execute(_VERSIONS_SHOWN)
