"""Databases of every schema that was ever released are brought up to the current one, with all they hold.

``golden-NNNN.sql`` is the text of a small database of schema NNNN and is never changed again. A new schema
gets its own: run this module (``python -m tests.migrations.test_golden_databases > tests/migrations/golden-NNNN.sql``).
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paperdigest.errors import SchemaVersionError, StoreError
from paperdigest.query import parse_query
from paperdigest.store import Store, schema
from paperdigest.store.engine import Database, connect_raw
from paperdigest.types import Entry, Validators
from tests.store_samples import DAY, arxiv, listing, named, paper

FOLDER = Path(__file__).parent
GOLDEN = sorted(FOLDER.glob("golden-*.sql"))


def fill(store: Store) -> None:
    """A little of everything."""
    traced = paper(
        "2604.00001",
        "Tracing what was traced",
        abstract="We trace traces.",
        authors=named("Ada Lovelace", "Émilie du Châtelet"),
        version=2,
        published_at=datetime(2026, 4, 1, tzinfo=UTC),
        categories=("cs.SE", "cs.PL"),
    )
    told = Validators(url="https://a.example/", etag='W/"1"')
    store.record(
        listing(Entry(paper=traced, rank=1, upvotes=3, comments=0), paper("2604.00002"), validators=(told,)),
        authority=2,
    )
    store.record(listing(Entry(paper=traced, announce_type="replace"), source="arxiv", hours=1), authority=3)
    store.record(listing(Entry(paper=traced, upvotes=5), day=DAY + timedelta(days=1), hours=24), authority=2)
    store.save_waits({"arxiv": datetime(2026, 4, 15, 12, tzinfo=UTC)})


def text_of(connection: sqlite3.Connection) -> str:
    """The database as SQL: schema, rows, marks; the search index is rebuilt from its texts."""
    master = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        " AND name NOT LIKE 'paper_search_%' ORDER BY type = 'index', type = 'view', rowid"
    ).fetchall()
    virtual = [sql for _, _, sql in master if sql.startswith("CREATE VIRTUAL")]
    plain = [sql for _, _, sql in master if sql not in virtual]
    lines = [f"{sql.strip()};" for sql in plain + virtual]
    for kind, name, sql in master:
        if kind == "table" and sql not in virtual:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
            values = " || ', ' || ".join(f'quote("{column}")' for column in columns)
            lines += [
                f"INSERT INTO {name} VALUES ({row});" for (row,) in connection.execute(f"SELECT {values} FROM {name}")
            ]
    lines += ["INSERT INTO paper_search (paper_search) VALUES ('rebuild');"]
    for pragma in ("application_id", "user_version"):
        lines.append(f"PRAGMA {pragma} = {connection.execute(f'PRAGMA {pragma}').fetchone()[0]};")
    return "\n".join(lines) + "\n"


def load(golden: Path, path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(golden.read_text(encoding="utf-8"))
        connection.execute("PRAGMA journal_mode = WAL")


def described(path: Path) -> list[tuple[str, ...]]:
    """Tables, columns, keys and indexes as SQLite understands them, whatever the spelling of their SQL."""
    found: list[tuple[str, ...]] = []
    with contextlib.closing(connect_raw(path, mode="ro")) as connection:
        names = connection.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall()
        for kind, name in names:
            found.append((kind, name))
            if kind in ("table", "view"):
                for pragma in ("table_info", "foreign_key_list"):
                    rows = connection.execute(f"PRAGMA {pragma}({name})").fetchall()
                    found += [(name, pragma, *map(str, row)) for row in rows]
                lists = connection.execute(f"PRAGMA table_list({name})").fetchall()
                found += [(name, "table_list", *map(str, row)) for row in lists if row[0] == "main"]
            if kind == "index":
                found += [(name, *map(str, row)) for row in connection.execute(f"PRAGMA index_xinfo({name})")]
        indexes = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'"
        found += [(name, sql.partition(" WHERE ")[2]) for name, sql in connection.execute(indexes)]
        checks = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql LIKE '%CHECK%'").fetchall()
        found += [(name, "CHECK" + sql.partition("CHECK")[2].partition("\n")[0].rstrip(", ")) for name, sql in checks]
    return sorted(found)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "fresh.db", create=True)
    yield store
    store.close()


def test_every_schema_has_its_golden_database() -> None:
    assert [golden.stem for golden in GOLDEN] == [f"golden-{revision}" for revision in schema.REVISIONS]


def test_the_migrations_are_one_line_in_the_known_order() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(revisions)) == schema.REVISIONS


def test_migrations_from_nothing_make_what_a_new_database_is_made_of(fresh: Store, tmp_path: Path) -> None:
    path = tmp_path / "migrated.db"
    path.touch()
    database = Database(path)
    with database.writing() as connection:
        schema._migrate(connection)
        schema.mark_current(connection)
    database.close()
    assert described(path) == described(fresh.path)


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_database_is_migrated_with_all_it_holds(golden: Path, fresh: Store, tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    load(golden, path)
    schema.upgrade(path)
    assert described(path) == described(fresh.path)
    store = Store.open(path)
    try:
        assert store.check() == ()
        counts = store.counts()
        assert (counts["papers"], counts["entries"], counts["listings"]) == (2, 4, 3)
        stored = store.paper(arxiv("2604.00001"))
        assert stored.paper.authors == named("Ada Lovelace", "Émilie du Châtelet")
        assert [entry.upvotes for entry in stored.entries] == [None, 3, 5]
        assert store.search(parse_query("chatelet"), 10).total == 1
        assert store.validators()["https://a.example/"].etag == 'W/"1"'
        fill(store)
        assert store.counts() == counts, "and it goes on as before"
    finally:
        store.close()


def test_a_current_database_is_left_alone_by_an_upgrade(fresh: Store) -> None:
    before = sorted(fresh.path.parent.iterdir())
    upgraded = schema.upgrade(fresh.path)
    assert (upgraded.found, upgraded.now, upgraded.backup) == (schema.HEAD, schema.HEAD, None)
    assert sorted(fresh.path.parent.iterdir()) == before


@pytest.fixture
def next_schema(fresh: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A paperdigest later than the one of ``fresh``: one more migration, in a folder of its own."""
    folder = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(schema, "MIGRATIONS", folder)
    monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, "9999"))
    monkeypatch.setattr(schema, "HEAD", "9999")
    migration = folder / "versions" / "v9999_next.py"
    migration.write_text(
        f"from alembic import op\nimport sqlalchemy as sa\nrevision, down_revision = '9999', {schema.REVISIONS[-2]!r}\n"
        "def upgrade():\n    op.add_column('papers', sa.Column('mood', sa.Text()))\n",
        encoding="utf-8",
    )
    return migration


@pytest.mark.usefixtures("next_schema")
def test_an_older_database_is_refused_until_it_is_upgraded_and_a_copy_is_kept(fresh: Store) -> None:
    fill(fresh)
    fresh.close()
    with pytest.raises(SchemaVersionError, match=r"older paperdigest.*paperdigest db upgrade"):
        schema.open_database(fresh.path)
    upgraded = schema.upgrade(fresh.path)
    assert (upgraded.found, upgraded.now) == (schema.REVISIONS[-2], "9999")
    assert upgraded.backup is not None
    with contextlib.closing(connect_raw(upgraded.backup)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == len(schema.REVISIONS) - 1
        assert connection.execute("SELECT count(*) FROM papers").fetchone()[0] == 2
    with contextlib.closing(connect_raw(fresh.path)) as connection:
        assert connection.execute("SELECT count(*), count(mood) FROM papers").fetchone() == (2, 0)
    schema.open_database(fresh.path).close()


def test_a_migration_that_fails_leaves_the_database_as_it_was(fresh: Store, next_schema: Path) -> None:
    next_schema.write_text(next_schema.read_text() + "    op.execute('DELETE FROM nowhere')\n", encoding="utf-8")
    fill(fresh)
    fresh.close()
    before = described(fresh.path)
    for _ in range(2):
        with pytest.raises(StoreError, match="no such table: nowhere"):
            schema.upgrade(fresh.path)
    assert described(fresh.path) == before
    assert len(list(fresh.path.parent.glob("*.backup"))) == 2, "no backup is overwritten"


def test_a_database_of_a_newer_paperdigest_is_refused(fresh: Store) -> None:
    fresh.close()
    with contextlib.closing(connect_raw(fresh.path)) as connection:
        connection.execute("PRAGMA user_version = 77")
    for refused in (schema.open_database, schema.upgrade):
        with pytest.raises(SchemaVersionError, match=r"newer paperdigest \(schema 77") as caught:
            refused(fresh.path)
        assert caught.value.found == "77"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        written = Store.open(Path(folder) / "golden.db", create=True)
        fill(written)
        with contextlib.closing(connect_raw(written.path)) as opened:
            print(text_of(opened), end="")  # noqa: T201  this is its purpose
        written.close()
