"""How a database of an earlier schema becomes one of the current schema (alembic; run by `schema.upgrade`)."""
