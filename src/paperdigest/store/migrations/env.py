"""Alembic's entry: run the migrations on the connection, and in the transaction, that `schema.upgrade` gives."""

from __future__ import annotations

from alembic import context

from paperdigest.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter a column; alembic then copies the table
)
context.run_migrations()
