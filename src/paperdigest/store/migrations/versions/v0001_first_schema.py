"""The first schema: papers, listings, votes, what HTTP told; subscribers, digests and deliveries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    _create_papers()
    _create_listings()
    _create_network()
    _create_subscribers()
    _create_digests()
    _create_search()


def _create_papers() -> None:
    op.create_table(
        "papers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("first_seen_at", sa.String(27), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("authors_count", sa.Integer(), nullable=True),
        sa.Column("published_at", sa.String(27), nullable=True),
        sa.Column("updated_at", sa.String(27), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("pdf_url", sa.Text(), nullable=True),
        sa.Column("code_url", sa.Text(), nullable=True),
        sa.Column("primary_category", sa.Text(), nullable=True),
        sa.Column("categories", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("journal_ref", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_source", sa.Text(), nullable=True),
        sa.Column("abstract", sa.Text(), nullable=True),
        sa.Column("abstract_source", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_papers"),
        sa.UniqueConstraint("key", name="uq_papers_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_papers_first_seen_at", "papers", ["first_seen_at"], unique=False)
    op.create_index("ix_papers_published_at", "papers", ["published_at"], unique=False)
    op.create_table(
        "paper_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["papers.id"], name="fk_paper_keys_paper_id"),
        sa.PrimaryKeyConstraint("key", name="pk_paper_keys"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_paper_keys_paper_id", "paper_keys", ["paper_id"], unique=False)
    op.create_table(
        "provenance",
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("authority", sa.Integer(), nullable=False),
        sa.Column("observed_at", sa.String(27), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("stamps", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["paper_id"], ["papers.id"], name="fk_provenance_paper_id"),
        sa.PrimaryKeyConstraint("paper_id", name="pk_provenance"),
    )
    op.create_table(
        "versions",
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("first_seen_at", sa.String(27), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["papers.id"], name="fk_versions_paper_id"),
        sa.PrimaryKeyConstraint("paper_id", "version", name="pk_versions"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "authors",
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("affiliation", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["paper_id"], ["papers.id"], name="fk_authors_paper_id"),
        sa.PrimaryKeyConstraint("paper_id", "position", name="pk_authors"),
        sqlite_with_rowid=False,
    )


def _create_listings() -> None:
    op.create_table(
        "listings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("listed_on", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("retrieved_at", sa.String(27), nullable=False),
        sa.Column("attempted_at", sa.String(27), nullable=False),
        sa.Column("announced_count", sa.Integer(), nullable=True),
        sa.Column("dropped", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('complete', 'partial', 'stale', 'quiet', 'failed')", name="ck_listings_state"),
        sa.PrimaryKeyConstraint("id", name="pk_listings"),
        sa.UniqueConstraint("source", "period", "listed_on", name="uq_listings_source_period_listed_on"),
    )
    op.create_table(
        "entries",
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("announce_type", sa.Text(), nullable=True),
        sa.Column("placed_at", sa.String(27), nullable=False),
        sa.Column("upvotes", sa.Integer(), nullable=True),
        sa.Column("comments", sa.Integer(), nullable=True),
        sa.Column("voted_at", sa.String(27), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name="fk_entries_listing_id"),
        sa.ForeignKeyConstraint(["paper_id"], ["papers.id"], name="fk_entries_paper_id"),
        sa.PrimaryKeyConstraint("listing_id", "paper_id", name="pk_entries"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_entries_paper_id", "entries", ["paper_id"], unique=False)
    op.create_table(
        "votes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.Column("upvotes", sa.Integer(), nullable=True),
        sa.Column("comments", sa.Integer(), nullable=True),
        sa.Column("observed_at", sa.String(27), nullable=False),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name="fk_votes_listing_id"),
        sa.ForeignKeyConstraint(["paper_id"], ["papers.id"], name="fk_votes_paper_id"),
        sa.PrimaryKeyConstraint("id", name="pk_votes"),
    )
    op.create_index(
        "ix_votes_pair",
        "votes",
        ["listing_id", "paper_id", sa.text("coalesce(upvotes, -1)"), sa.text("coalesce(comments, -1)")],
        unique=True,
    )
    op.create_index("ix_votes_paper_id", "votes", ["paper_id"], unique=False)


def _create_network() -> None:
    op.create_table(
        "validators",
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("moved_to", sa.Text(), nullable=True),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("next_attempt_at", sa.String(27), nullable=True),
        sa.Column("observed_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("url", name="pk_validators"),
    )
    op.create_table(
        "waits",
        sa.Column("host_group", sa.Text(), nullable=False),
        sa.Column("not_before_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("host_group", name="pk_waits"),
    )


def _create_subscribers() -> None:
    op.create_table(
        "subscribers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("days", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("tz", sa.Text(), nullable=False),
        sa.Column("pause_until", sa.Date(), nullable=True),
        sa.Column("max_papers", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("examined_on", sa.Date()),
        sa.CheckConstraint("status IN ('pending', 'active', 'paused', 'unsubscribed')", name="ck_subscribers_status"),
        sa.PrimaryKeyConstraint("id", name="pk_subscribers"),
        sa.UniqueConstraint("email", name="uq_subscribers_email"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "topics",
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("quota", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name="fk_topics_subscriber_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("subscriber_id", "position", name="pk_topics"),
        sa.UniqueConstraint("subscriber_id", "name", name="uq_topics_subscriber_id_name"),
        sqlite_with_rowid=False,
    )


def _create_digests() -> None:
    op.create_table(
        "digests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("edition", sa.Date(), nullable=False),
        sa.Column("composed_at", sa.String(27), nullable=False),
        sa.Column("considered", sa.Integer(), nullable=False),
        sa.Column("frozen", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name="fk_digests_subscriber_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_digests"),
        sa.UniqueConstraint("subscriber_id", "edition", name="uq_digests_subscriber_id_edition"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "digest_items",
        sa.Column("digest_id", sa.Integer(), nullable=False),
        sa.Column("paper_key", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["digest_id"], ["digests.id"], name="fk_digest_items_digest_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest_id", "paper_key", name="pk_digest_items"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("next_attempt_at", sa.String(27), nullable=False),
        sa.Column("expires_at", sa.String(27), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.String(27), nullable=True),
        sa.Column("lease_epoch", sa.Integer(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.String(27), nullable=True),
        sa.CheckConstraint(
            "state IN ('planned', 'leased', 'sending', 'sent', 'deferred', 'failed', 'expired', 'skipped', 'in_doubt')",
            name="ck_deliveries_state",
        ),
        sa.ForeignKeyConstraint(["digest_id"], ["digests.id"], name="fk_deliveries_digest_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("digest_id", name="uq_deliveries_digest_id"),
        sa.UniqueConstraint("message_id", name="uq_deliveries_message_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "letters",
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name="fk_letters_delivery_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("delivery_id", name="pk_letters"),
    )
    op.create_index(
        "ix_deliveries_deferred",
        "deliveries",
        ["next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("state = 'deferred'"),
        postgresql_where=sa.text("state = 'deferred'"),
    )
    op.create_index(
        "ix_deliveries_leased",
        "deliveries",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("state = 'leased'"),
        postgresql_where=sa.text("state = 'leased'"),
    )
    op.create_index(
        "ix_deliveries_planned",
        "deliveries",
        ["next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("state = 'planned'"),
        postgresql_where=sa.text("state = 'planned'"),
    )
    op.create_index(
        "ix_deliveries_sending",
        "deliveries",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("state = 'sending'"),
        postgresql_where=sa.text("state = 'sending'"),
    )


def _create_search() -> None:
    op.execute(
        """
    CREATE VIEW paper_texts AS
    SELECT id, title, abstract, (
      SELECT group_concat(name, '; ') FROM (
        SELECT name FROM authors WHERE paper_id = papers.id ORDER BY position
      )
    ) AS authors
    FROM papers
    """
    )
    op.execute(
        """
    CREATE VIRTUAL TABLE paper_search USING fts5(
      title, abstract, authors, content='paper_texts', content_rowid='id',
      tokenize="porter unicode61 remove_diacritics 2 separators '⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ₀₁₂₃₄₅₆₇₈₉'"
    )
    """
    )
