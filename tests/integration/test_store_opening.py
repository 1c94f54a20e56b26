"""Opening a database: what is not ours, damaged, newer, missing or not writable is refused in words, untouched."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from paperdigest.errors import AlreadyExistsError, StoreError
from paperdigest.store import Store, open_database, schema, upgrade
from paperdigest.store.engine import BUSY_TIMEOUT, Database, Turns, connect_raw, database_path
from tests.store_samples import listing, paper, picture


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "papers.db"


def made(path: Path, papers: int = 1) -> Path:
    """A closed database with a few papers."""
    store = Store.open(path, create=True)
    told = [paper(f"2604.{number:05}", abstract="word " * 200) for number in range(papers)]
    store.record(listing(*told), authority=2)
    store.close()
    return path


def refused(path: Path, words: str) -> None:
    """Both ways of opening say why, and no byte beside or in the file has changed."""
    before = contents(path.parent)
    for opening in (open_database, upgrade):
        with pytest.raises(StoreError, match=words) as caught:
            opening(path)
        assert caught.value.hint
    with pytest.raises(StoreError, match=words):
        open_database(path, create=True)
    assert contents(path.parent) == before


def contents(folder: Path) -> dict[str, bytes]:
    # SQLite may leave its (empty) log and index of the log beside a file that it finds damaged.
    files = [one for one in folder.iterdir() if one.is_file() and not one.name.endswith(("-wal", "-shm"))]
    return {one.name: one.read_bytes() for one in files}


def test_a_missing_database_is_created_only_when_asked(path: Path) -> None:
    with pytest.raises(StoreError, match=r"does not exist.*paperdigest init"):
        open_database(path)
    with pytest.raises(StoreError, match="does not exist"):
        upgrade(path)
    assert not path.exists()
    open_database(path, create=True).close()
    open_database(path).close()


def test_folders_are_made_and_the_file_is_for_its_owner_alone(path: Path) -> None:
    deep = path.parent / "a" / "b" / "papers.db"
    store = Store.open(deep, create=True)
    store.record(listing(paper()), authority=2)
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in deep.parent.iterdir()}
    store.close()
    assert set(modes.values()) == {0o600}, modes


def test_an_empty_file_is_as_good_as_none(path: Path) -> None:
    path.touch()
    with pytest.raises(StoreError, match="is empty"):
        open_database(path)
    open_database(path, create=True).close()


def test_a_database_is_durable_and_checks_references(path: Path) -> None:
    database = open_database(path, create=True)
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
    with database.reading() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}
    database.close()
    assert found == wanted


def test_a_database_left_without_a_wal_gets_it_when_it_is_opened(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(made(path))) as connection:
        assert connection.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    open_database(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_database_that_others_are_writing_is_opened_without_switching_it(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(made(path), isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("BEGIN IMMEDIATE")
        open_database(path, busy_timeout=timedelta(0)).close()
        connection.execute("ROLLBACK")
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_text_file_is_not_a_database(path: Path) -> None:
    path.write_text("papers: none\n" * 100)
    refused(path, "is not a database")


def test_a_folder_is_not_a_database(path: Path) -> None:
    path.mkdir()
    refused(path, "is a folder")


def test_a_database_of_another_program_is_refused(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
        connection.commit()
    refused(path, "of another program")


def test_a_database_that_says_it_is_another_programs_is_refused(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(made(path))) as connection:
        connection.execute("PRAGMA application_id = 252006674")  # Fossil
    refused(path, "of another program")


def test_a_database_cut_short_is_damaged(path: Path) -> None:
    content = made(path, papers=50).read_bytes()
    path.write_bytes(content[:5000])
    refused(path, "damaged")


def test_a_database_whose_first_page_is_garbage_is_damaged(path: Path) -> None:
    content = bytearray(made(path).read_bytes())
    content[100:4096] = b"\xff" * 3996
    path.write_bytes(content)
    refused(path, "damaged")


def test_a_database_without_one_of_its_tables_is_damaged(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(made(path))) as connection:
        connection.execute("DROP TABLE votes")
    refused(path, "damaged: without votes")


def test_damage_further_in_is_found_by_check(path: Path) -> None:
    content = bytearray(made(path, papers=300).read_bytes())
    for page in range(len(content) // 8192, len(content) // 4096, 3):
        content[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(content)
    store = Store.open(path)
    findings = store.check()
    store.close()
    assert findings
    assert all("damaged" in finding for finding in findings[:1])


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ("UPDATE paper_keys SET paper_id = 2 WHERE paper_id = 1", "another paper's identifier"),
        ("DELETE FROM provenance WHERE paper_id = 1", "unknown origin"),
        ("INSERT INTO authors VALUES (1, 7, 'A', NULL)", "gap in their authors"),
        ("INSERT INTO authors VALUES (1, 1, 'A', NULL)", "more authors named than counted"),
        ("DELETE FROM entries", "stand in no listing"),
        ("UPDATE entries SET upvotes = 5", "votes are not in the history"),
        ("INSERT INTO votes VALUES (9, 1, 77, 1, 1, '2026')", "votes refer to papers"),
        ("UPDATE papers SET title = 'Other words' WHERE id = 1", "search index"),
        ("INSERT INTO versions VALUES (1, 1, '1999', 'hf')", "first seen later"),
    ],
)
def test_every_broken_invariant_is_named(path: Path, mistake: str, words: str) -> None:
    with contextlib.closing(sqlite3.connect(made(path, papers=2))) as connection:
        connection.execute(mistake)
        connection.commit()
    store = Store.open(path)
    findings = store.check()
    store.close()
    assert any(words in finding for finding in findings), findings


@pytest.fixture
def nobody() -> Iterator[Path]:
    """A folder, and the rights of somebody who is not root (root may write everywhere)."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    user = os.geteuid()
    yield folder
    os.seteuid(user)
    folder.chmod(0o755)
    shutil.rmtree(folder)


def drop_rights() -> None:
    if os.geteuid() == 0:
        os.seteuid(65534)


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_may_not_be_written_is_refused(nobody: Path, what: str) -> None:
    path = made(nobody / "papers.db")
    path.chmod(0o444 if what == "file" else 0o666)
    nobody.chmod(0o777 if what == "file" else 0o555)
    before = contents(nobody)
    drop_rights()
    with pytest.raises(StoreError, match="may not be written"):
        open_database(path)
    with pytest.raises(StoreError, match=r"cannot be created|may not be written"):
        open_database(nobody / "other.db" if what == "folder" else path, create=True)
    assert contents(nobody) == before


def test_what_may_not_be_read_is_refused(nobody: Path) -> None:
    path = made(nobody / "papers.db")
    path.chmod(0)
    drop_rights()
    with pytest.raises(StoreError, match="cannot be read"):
        open_database(path)


@pytest.mark.parametrize(
    ("given", "found"),
    [("papers.db", "papers.db"), ("sqlite:///rel/p.db", "rel/p.db"), ("sqlite:////a/p.db", "/a/p.db")],
)
def test_a_database_is_named_by_path_or_url(given: str, found: str) -> None:
    assert database_path(given) == Path(found)


@pytest.mark.parametrize("given", ["postgresql://db.example/papers", ":memory:", "", "sqlite:///"])
def test_other_databases_are_refused(given: str) -> None:
    with pytest.raises(StoreError, match="Name a file"):
        open_database(given)


def test_a_path_with_signs_that_mean_something_in_urls_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a ?#%20&b.db"
    made(path)
    assert [one.name for one in tmp_path.iterdir()] == ["a ?#%20&b.db"]


def test_another_writer_is_waited_for_and_then_named(path: Path) -> None:
    store = Store.open(made(path), busy_timeout=timedelta(milliseconds=50))
    with contextlib.closing(connect_raw(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another program has been writing"):
            store.record(listing(paper("2604.09999")), authority=2)
        assert store.counts()["papers"] == 1, "readers go on"
        other.execute("ROLLBACK")
    assert store.record(listing(paper("2604.09999")), authority=2).new == 1
    store.close()


def test_a_writers_first_look_waits_for_who_has_the_file_for_itself(path: Path) -> None:
    database = open_database(made(path))
    database.close()  # so that nobody else has the file open; the next use connects again
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")  # as whoever cleans up after a killed process has it
    holder.execute("BEGIN IMMEDIATE")
    holder.execute("COMMIT")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        connect_raw(path, busy_timeout=timedelta(0))
    timer = threading.Timer(0.1, holder.close)
    timer.start()
    with contextlib.closing(database.connect_writer()) as writer:
        assert writer.execute("SELECT count(*) FROM papers").fetchone() == (1,)
        assert writer.execute("PRAGMA busy_timeout").fetchone() == (0,)
    timer.join()


def test_a_writer_that_was_stopped_while_it_waited_asks_again_before_it_gives_up(path: Path) -> None:
    made(path)
    others, ours = (connect_raw(path, busy_timeout=timedelta(0)) for _ in range(2))
    now, pauses = 0.0, 0

    def stopped(_: float) -> None:  # SIGSTOP in its first pause, SIGCONT an hour later
        nonlocal now, pauses
        now, pauses = 3600, pauses + 1
        if pauses == 2:
            others.execute("COMMIT")

    with contextlib.closing(others), contextlib.closing(ours):
        others.execute("BEGIN IMMEDIATE")
        Turns(timedelta(seconds=10), monotonic=lambda: now, sleep=stopped).begin(ours)
        assert ours.in_transaction


def test_a_writer_gives_up_when_it_has_waited_as_long_as_it_may(path: Path) -> None:
    made(path)
    others, ours = (connect_raw(path, busy_timeout=timedelta(0)) for _ in range(2))
    pauses: list[float] = []
    with contextlib.closing(others), contextlib.closing(ours):
        others.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            Turns(timedelta(seconds=0.1), sleep=pauses.append).begin(ours)
    assert 0.1 <= sum(pauses) < 0.11


LOOK = """
import sys
from pathlib import Path
from paperdigest.store import Store
Store.open(Path(sys.argv[1])).close()
"""


@pytest.mark.parametrize("again", ["opened", "created", "upgraded", "copied", "not there"])
def test_another_opening_in_this_process_takes_no_lock_from_the_first(path: Path, again: str) -> None:
    store = Store.open(made(path))
    store.record(listing(paper("2604.09998")), authority=2)  # holds the file, as a daemon does
    match again:
        case "opened" | "created":
            Store.open(path, create=again == "created").close()
        case "upgraded":
            upgrade(path)
        case "copied":
            store.backup(path.with_name("copy.db"))
        case _:
            schema._create(path, BUSY_TIMEOUT)  # somebody made it meanwhile
    subprocess.run([sys.executable, "-c", LOOK, path], check=True, timeout=60)
    assert path.with_name("papers.db-wal").exists(), "the other process took itself for the last one"
    store.record(listing(paper("2604.09999")), authority=2)
    with contextlib.closing(connect_raw(path, mode="ro")) as other:
        found = other.execute("SELECT count(*) FROM papers").fetchone()
    assert found == (3,)
    store.close()


def test_a_full_disk_is_named_and_nothing_is_half_written(path: Path) -> None:
    store = Store.open(made(path))
    before = picture(store)
    pages = path.stat().st_size // 4096
    with store.database.recording() as cursor:  # on the very connection that records
        cursor.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="no space left"):
        store.record(listing(*[paper(f"2605.{n:05}", abstract="word " * 500) for n in range(50)]), authority=2)
    store.close()
    assert picture(store) == before
    assert store.check() == ()


def test_a_mistake_of_our_own_is_not_dressed_up_as_the_databases(path: Path) -> None:
    database = Database(made(path))
    with pytest.raises(sqlite3.ProgrammingError), database.writing() as connection:
        connection.connection.cursor().execute("SELECT ?", ())
    database.close()


RECORD = """
import sys
from pathlib import Path
from paperdigest.store import Store
from tests.store_samples import listing, paper
store = Store.open(sys.argv[1], create=True)
for number in range(int(sys.argv[3])):
    common = paper(f"2604.{number:05}", abstract="shared words", title=f"Title {number}")
    own = paper(f"26{sys.argv[2]}.{number:05}")
    store.record(listing(common, own, source=sys.argv[2], hours=number), authority=2)
store.close()
"""


def test_processes_that_create_and_write_at_once_lose_nothing(path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    writers = [
        subprocess.Popen([sys.executable, "-c", RECORD, str(path), source, "30"], cwd=root) for source in ("01", "02")
    ]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    store = Store.open(path)
    assert store.counts() | {"subscribers": 0} == {"papers": 90, "entries": 120, "listings": 2, "subscribers": 0}
    assert store.check() == ()
    store.close()


def test_a_backup_is_whole_while_another_process_writes(path: Path, tmp_path: Path) -> None:
    store = Store.open(made(path, papers=200))
    root = Path(__file__).resolve().parents[2]
    writer = subprocess.Popen([sys.executable, "-c", RECORD, str(path), "03", "60"], cwd=root)
    copies: list[Path] = []
    while writer.poll() is None or not copies:
        copies.append(tmp_path / f"copy-{len(copies)}.db")
        store.backup(copies[-1])
    assert writer.returncode == 0
    counts = []
    for copy in copies:
        opened = Store.open(copy)
        assert opened.check() == ()
        counts.append(opened.counts()["papers"])
        opened.close()
    assert counts == sorted(counts)
    assert counts[0] >= 200
    store.close()


def test_a_backup_never_overwrites_unless_told_to(path: Path, tmp_path: Path) -> None:
    store = Store.open(made(path))
    target = tmp_path / "copy.db"
    target.write_text("precious")
    with pytest.raises(AlreadyExistsError, match="--force"):
        store.backup(target)
    assert target.read_text() == "precious"
    store.backup(target, force=True)
    with pytest.raises(StoreError, match="database itself"):
        store.backup(path, force=True)
    with pytest.raises(StoreError, match="cannot be written"):
        store.backup(tmp_path / "missing" / "copy.db")
    store.close()
    copied = Store.open(target)
    assert picture(copied) == picture(store)
    copied.close()
    store.close()
    assert {one.name for one in tmp_path.iterdir()} == {"papers.db", "copy.db"}


def test_opening_a_current_database_needs_no_migration_machinery(path: Path) -> None:
    made(path)
    code = "import sys; from paperdigest.store import Store; Store.open(sys.argv[1]); print('alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
