"""The tables that ranking draws on: word counts of the archive, vectors, judgements and what was learned of them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    func,
)

from paperdigest.store.tables import UtcDateTime, metadata

__all__ = [
    "archive_statistics",
    "judgements",
    "learning",
    "recounts",
    "term_statistics",
    "vector_models",
    "vectors",
]

archive_statistics = Table(
    "archive_statistics",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("documents", Integer, nullable=False),
    Column("total_length", BigInteger, nullable=False),  # in words, those of a title twice
    # Papers are numbered upwards: those up to here are counted, the others wait.
    Column("counted_up_to", Integer, nullable=False),
    Column("counted_by", String(32), nullable=False),  # by which rules texts were cut into words (see `statistics`)
    CheckConstraint("id = 1", name="one_row"),
)
"""The size of what is counted in ``term_statistics``; one row, none before the first count."""

term_statistics = Table(
    "term_statistics",
    metadata,
    Column("term", Text, primary_key=True),
    Column("documents", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""In how many of the counted papers each stem stands."""

recounts = Table(
    "recounts",
    metadata,
    # No foreign key: the paper may be gone, joined with another.
    Column("paper_id", Integer, primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
    Column("abstract", Text),
)
"""The text under which a paper was counted, where it has changed or gone since: what must be subtracted."""

vector_models = Table(
    "vector_models",
    metadata,
    Column("name", Text, primary_key=True),
    Column("dimensions", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""The models of which there are vectors; a name stands for model, weights and precision."""

vectors = Table(
    "vectors",
    metadata,
    Column("model", ForeignKey("vector_models.name", ondelete="CASCADE"), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),  # of the text (`vectors.digest_of`), 16 bytes
    Column("vector", LargeBinary, nullable=False),  # float16, little-endian
)
"""Vectors by the text they were made of, so that they know nothing of papers and never go stale."""

judgements = Table(
    "judgements",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
    Column("topic", Text),  # its name; NULL: said of all topics
    Column("paper_key", Text, nullable=False),  # a printed PaperId: the paper need not be stored
    Column("title", Text, nullable=False),
    Column("abstract", Text),
    Column("liked", Boolean(create_constraint=False), nullable=False),
    Column("judged_at", UtcDateTime, nullable=False),
    Column("origin", Text, nullable=False),
)
"""What subscribers said of papers, with the text it was said of."""

Index(
    "ix_judgements_said",
    judgements.c.subscriber_id,
    func.coalesce(judgements.c.topic, ""),
    judgements.c.paper_key,
    unique=True,
)

learning = Table(
    "learning",
    metadata,
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("judgements_seen", Integer, nullable=False),
    Column("kept", Boolean(create_constraint=False), nullable=False),
    Column("score_before", Float, nullable=False),
    Column("score_after", Float, nullable=False),
    Column("judged_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)
"""The latest replay of each topic's judgements: did learning from them rank held-back likes better?"""
