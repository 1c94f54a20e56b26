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
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from paperdigest.errors import SchemaVersionError, StoreError
from paperdigest.query import parse_query
from paperdigest.store import Store, schema
from paperdigest.store.claims import Outcome
from paperdigest.store.digests import Digests, Shown
from paperdigest.store.engine import Database, connect_raw
from paperdigest.store.judgements import Judgements
from paperdigest.store.learning import Learning, Replay
from paperdigest.store.ledger import Ledger
from paperdigest.store.outbox import Outbox
from paperdigest.store.statistics import Statistics
from paperdigest.store.subscribers import Subscribers
from paperdigest.store.vectors import Vectors, digest_of
from paperdigest.types import (
    DeliveryState,
    Digest,
    Entry,
    Highlight,
    Judgement,
    MailPhase,
    OnEmpty,
    Placement,
    RankedPaper,
    Subscriber,
    SubscriberStatus,
    Topic,
    Validators,
)
from tests import ledger_samples
from tests.ledger_samples import HASH
from tests.store_samples import DAY, MOMENT, arxiv, listing, named, paper

FOLDER = Path(__file__).parent
GOLDEN = sorted(FOLDER.glob("golden-*.sql"))

KEPT_UNTIL = MOMENT + timedelta(days=30)
LETTER = ("b+token@bounces.example.org", b"Subject: papers\r\n\r\nTracing.\r\n")


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


def fill_ranking(store: Store) -> None:
    """What schema 0002 added, and a digest that uses it."""
    who = Subscribers(store.database).add(
        Subscriber(
            email="you@example.org",
            topics=(Topic(name="trace", query="trace", threshold=0.25), Topic(name="liked", query="")),
            created_at=MOMENT,
        )
    )
    first, second = (store.paper(arxiv(local)) for local in ("2604.00001", "2604.00002"))
    explored = RankedPaper(
        stored=second,
        score=0.5,
        topic="trace",
        also=("liked",),
        placement=Placement.EXPLORED,
        propensity=0.25,
        highlights=(Highlight(field="title", start=0, end=1),),
    )
    made = Digest(
        subscriber=who,
        edition=DAY,
        composed_at=MOMENT,
        ranked=(explored,),
        revised=(first,),
        notes=("More like it.",),
        method="bt",
        considered=2,
    )
    Digests(store.database).add(made, message_id=lambda number: f"<{number}@x>", expires_at=MOMENT)
    Statistics(store.database).update()
    Vectors(store.database).put("model", {digest_of("text"): np.array([0.5, -1.0])})
    said = Judgement(paper_id=arxiv("2604.00001"), title="Tracing", liked=True, judged_at=MOMENT, topic="trace")
    Judgements(store.database).add(who.id, [said])
    replay = Replay(topic="trace", judgements_seen=1, kept=True, before=0.25, after=0.5, judged_at=MOMENT)
    Learning(store.database).save(who.id, [replay])


OPERATIONS = """
INSERT INTO bounces VALUES (1, 1, 2, '2026-04-16T07:00:00.000000Z', 'mailbox', '4.2.2', 'mailbox full');
INSERT INTO suppressions VALUES (
  x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 1, 'suspended', '2026-03-01T00:00:00.000000Z',
  '2026-03-31T00:00:00.000000Z', 'mailbox full');
INSERT INTO pauses VALUES ('mail', '2026-04-15T06:00:00.000000Z', '2026-04-15T07:00:00.000000Z', '535 no');
INSERT INTO alarms VALUES ('mail', '2026-04-15T06:00:00.000000Z', NULL, '535 no');
INSERT INTO runs VALUES
  (1, 'send', 'host:1:aa', '2026-04-15T06:00:00.000000Z', '2026-04-15T06:01:00.000000Z', '{"sent": 1}');
UPDATE subscribers SET examined_on = '2026-04-14', examined_papers = 2;
"""
"""Rows of the tables that tell of trouble, as plain as their columns."""


def fill_delivery(store: Store) -> None:
    """What schema 0003 added: a sent digest, one deferred, and one in doubt whose bytes were kept."""
    who = Subscribers(store.database).get("you@example.org")
    changed = replace(who, status=SubscriberStatus.ACTIVE, on_empty=OnEmpty.NOTE, attach_bibtex=True)
    who = Subscribers(store.database).update(changed)
    for days in (1, 2):
        quiet = Digest(subscriber=who, edition=DAY + timedelta(days=days), composed_at=MOMENT, quiet=("A holiday.",))
        Digests(store.database).add(quiet, message_id=lambda number: f"<{number}@x>", expires_at=KEPT_UNTIL)
    with contextlib.closing(connect_raw(store.path)) as connection:
        connection.execute("UPDATE deliveries SET expires_at = '2026-05-15T06:00:00.000000Z'")
        connection.executescript(OPERATIONS)
    again = MOMENT + timedelta(minutes=5)
    told = {"detail": "no answer after the final dot", "phase": MailPhase.DOT, "next_attempt_at": again}
    ends = (
        Outcome(state=DeliveryState.IN_DOUBT, letter=LETTER, **told),  # type: ignore[arg-type]  # by keyword
        Outcome(state=DeliveryState.SENT, code=250, status="2.0.0", detail="queued"),
        Outcome(state=DeliveryState.DEFERRED, code=452, status="4.2.2", phase=MailPhase.RCPT, next_attempt_at=again),
    )
    for end in ends:
        assert ledger_samples.settle(store, ledger_samples.claim_one(store, MOMENT), end, MOMENT)


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


GOLDEN_DIGEST = """
INSERT INTO subscribers VALUES
  (1, 'you@example.org', NULL, 'active', '01234', '07:00', 'UTC', NULL, 10, '2026-04-01T00:00:00.000000Z', NULL);
INSERT INTO topics VALUES (1, 1, 'trace', 'trace', 2.0, 0.5);
INSERT INTO digests VALUES (1, 1, '2026-04-17', '2026-04-17T06:00:00.000000Z', 2, '{}');
INSERT INTO digest_items VALUES (1, 'arxiv:2604.00001', 1), (1, 'arxiv:2604.00002', 2);
INSERT INTO deliveries VALUES (1, 1, 'sent', 1, '<1@x>', '2026-04-17T06:00:00.000000Z', '2026-04-19T06:00:00.000000Z',
  NULL, NULL, 1, 250, NULL, '2026-04-17T06:00:01.000000Z');
INSERT INTO versions VALUES (1, 3, '2026-04-18T06:00:00.000000Z', 'arxiv');
"""
"""Rows of schema 0001 whose tables 0002 changed; version 3 came after the digest."""


def test_subscribers_and_digests_of_schema_0001_are_kept_and_told_which_versions_were_shown(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    load(FOLDER / "golden-0001.sql", path)
    with contextlib.closing(connect_raw(path)) as connection:
        connection.executescript(GOLDEN_DIGEST)
    schema.upgrade(path)
    store = Store.open(path)
    try:
        assert store.check() == ()
        who = Subscribers(store.database).get("you@example.org")
        assert who.topics == (Topic(name="trace", query="trace", weight=2.0, quota=0.5),)
        edition = DAY + timedelta(days=2)
        assert Digests(store.database).shown(who.id) == {
            "arxiv:2604.00001": Shown(edition=edition, version=2),
            "arxiv:2604.00002": Shown(edition=edition, version=None),
        }
        with contextlib.closing(connect_raw(path)) as connection:
            columns = "paper_key, position, placement, propensity, score, topic, version"
            assert connection.execute(f"SELECT {columns} FROM digest_items").fetchall() == [
                ("arxiv:2604.00001", 1, "new", None, None, None, 2),
                ("arxiv:2604.00002", 2, "new", None, None, None, None),
            ]
        Statistics(store.database).update()
        assert Statistics(store.database).load().documents == 2
        assert store.check() == ()
    finally:
        store.close()


def test_what_schema_0002_added_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    load(FOLDER / "golden-0002.sql", path)
    if schema.HEAD != "0002":
        schema.upgrade(path)
    store = Store.open(path)
    try:
        assert store.check() == ()
        who = Subscribers(store.database).get("you@example.org")
        assert [(topic.query, topic.threshold) for topic in who.topics] == [("trace", 0.25), ("", None)]
        digest = Digests(store.database).latest(who.id)
        assert digest is not None
        (explored,), (revised,) = digest.ranked, digest.revised
        assert (explored.placement, explored.propensity, explored.also) == (Placement.EXPLORED, 0.25, ("liked",))
        assert explored.highlights == (Highlight(field="title", start=0, end=1),)
        assert (revised.paper.id, digest.notes, digest.method) == (arxiv("2604.00001"), ("More like it.",), "bt")
        assert Digests(store.database).shown(who.id).keys() == {"arxiv:2604.00001", "arxiv:2604.00002"}
        counts = Statistics(store.database).load()
        assert (counts.documents, counts.document_frequency["trace"]) == (2, 1)
        found = Vectors(store.database).get("model", [digest_of("text")])
        assert [vector.tolist() for vector in found.values()] == [[0.5, -1.0]]
        assert [one.title for one in Judgements(store.database).of([who.id])[who.id]] == ["Tracing"]
        assert [one.after for one in Learning(store.database).of([who.id])[who.id]] == [0.5]
    finally:
        store.close()


def test_what_schema_0003_added_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    load(FOLDER / "golden-0003.sql", path)
    if schema.HEAD != "0003":
        schema.upgrade(path)
    store = Store.open(path)
    try:
        assert store.check() == ()
        who = Subscribers(store.database).get("you@example.org")
        assert (who.on_empty, who.attach_bibtex) == (OnEmpty.NOTE, True)
        first, quiet = (Digests(store.database).get(number) for number in (1, 2))
        assert [one.stored.paper.id for one in first.ranked] == [arxiv("2604.00002")]
        assert (quiet.ranked, quiet.quiet) == ((), ("A holiday.",))
        ledger, outbox = Ledger(store.database), Outbox(store.database)
        found = {one.id: one for one in ledger.of(who.id).values()}
        assert [found[number].state.value for number in (1, 2, 3)] == ["in_doubt", "sent", "deferred"]
        assert [found[number].content_hash for number in (1, 2, 3)] == [HASH, HASH, None]
        assert (found[2].sent_at, found[3].phase, found[3].status) == (MOMENT, MailPhase.RCPT, "4.2.2")
        assert ledger.letter(1) == LETTER
        assert [one.state for one in outbox.attempts(1)] == [DeliveryState.IN_DOUBT]
        assert [one.reason for one in outbox.overview(MOMENT).pauses] == ["535 no"]
        with contextlib.closing(connect_raw(path)) as connection:
            for table in ("bounces", "suppressions", "alarms", "runs"):
                assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,), table
        claims = ledger.claim(MOMENT + timedelta(hours=1), owner="test")
        assert [claim.delivery.id for claim in claims] == [3]
    finally:
        store.close()


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
        assert store.search(parse_query("author:chatelet"), 10).total == 1
        assert store.search(parse_query('"trace traces"'), 10).total == 1
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
        fill_ranking(written)
        fill_delivery(written)
        with contextlib.closing(connect_raw(written.path)) as opened:
            print(text_of(opened), end="")  # noqa: T201  this is its purpose
        written.close()
