"""What must hold when the disk is full, read-only, or the database is taken away: nothing is sent unrecorded."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from paperdigest.errors import StoreError
from paperdigest.store import Store, open_database
from paperdigest.store.claims import Intent
from paperdigest.store.engine import connect_raw
from paperdigest.store.ledger import LEASE, Ledger
from paperdigest.store.marks import Marks
from tests.ledger_samples import HASH, NOW, SENT, Clock, plan, states, wait

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "papers.db", create=True)
    plan(opened, 4)
    yield opened
    opened.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of 2 MB; skips where this user may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0777", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("no disk can be mounted here: a full and a read-only disk are not tested")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill_up(disk: Path) -> Path:
    """Take all the space there is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 512)
    return ballast


def test_a_full_disk_stops_sending_before_the_dot_and_keeps_what_was_sent(disk: Path) -> None:
    store = Store.open(disk / "papers.db", create=True)
    plan(store, 20)
    claims = Ledger(store.database).claim(NOW, owner="test")
    with Marks(store.database, Clock()) as marks:
        for claim in claims[:5]:
            assert marks.intend(claim, HASH) is Intent.GRANTED
        ballast = fill_up(disk)
        sent = [marks.settle(claim, SENT) for claim in claims[:5]]
        refused = 0
        for claim in claims[5:]:
            try:
                marks.intend(claim, HASH)
            except StoreError as error:
                assert "no space left" in str(error)
                refused += 1
        assert refused > 10  # the log may have had a page to spare
        ballast.unlink()
        assert all(future.result(10) for future in sent)
        assert marks.intend(claims[-1], HASH) is Intent.GRANTED
    assert list(states(store.path).values())[:5] == ["sent"] * 5
    assert store.check() == ()
    store.close()


def claim_again_and_again(store: Store) -> None:
    """Claim until the last page of the log is full."""
    for _ in range(100):
        Ledger(store.database).claim(NOW, owner="test", limit=1, lease=timedelta(0))
        Ledger(store.database).recover(NOW, on_in_doubt="hold", wait=wait)


def test_on_a_full_disk_nothing_is_claimed(disk: Path) -> None:
    store = Store.open(disk / "papers.db", create=True)
    plan(store, 4)
    ballast = fill_up(disk)
    with pytest.raises(StoreError, match="no space left"):
        claim_again_and_again(store)
    ballast.unlink()
    assert Ledger(store.database).claim(NOW, owner="test")
    store.close()


def test_a_disk_that_became_read_only_sends_nothing(disk: Path) -> None:
    store = Store.open(disk / "papers.db", create=True)
    plan(store, 1)
    (claim,) = Ledger(store.database).claim(NOW, owner="test")
    store.close()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    try:
        with pytest.raises(StoreError, match=r"cannot be opened|may not be written"):
            open_database(disk / "papers.db")
        with pytest.raises(StoreError), Marks(store.database, Clock()) as marks:
            marks.intend(claim, HASH)
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert states(disk / "papers.db") == {1: "leased"}


def test_a_database_that_refuses_to_be_written_sends_nothing_until_it_can_be(store: Store) -> None:
    first, second = Ledger(store.database).claim(NOW, owner="test", limit=2)
    with Marks(store.database, Clock()) as marks:
        assert marks.intend(first, HASH) is Intent.GRANTED
        marks._writer.execute("PRAGMA query_only = ON")  # what SQLite does when the right to write is taken away
        sent = marks.settle(first, SENT)
        with pytest.raises(StoreError, match="may not be written"):
            marks.intend(second, HASH)
        marks._writer.execute("PRAGMA query_only = OFF")
        assert sent.result(10)
        assert marks.intend(second, HASH) is Intent.GRANTED


def delete(path: Path) -> None:
    path.unlink()


def replace(path: Path) -> None:
    copy = path.with_suffix(".copy")
    shutil.copy(path, copy)
    copy.replace(path)


@pytest.mark.parametrize(("take_away", "words"), [(delete, "was deleted"), (replace, "was replaced by another file")])
def test_a_database_taken_away_while_in_use_is_noticed_and_nothing_is_sent(
    store: Store, take_away: Callable[[Path], None], words: str
) -> None:
    first, second = Ledger(store.database).claim(NOW, owner="test", limit=2)
    with Marks(store.database, Clock(), patience_s=0) as marks:
        assert marks.intend(first, HASH) is Intent.GRANTED
        take_away(store.path)
        with pytest.raises(StoreError, match=words):
            marks.intend(second, HASH)
        with pytest.raises(StoreError, match=words):
            marks.settle(first, SENT).result()
        with pytest.raises(StoreError, match=words):
            Ledger(store.database).claim(NOW, owner="test")
        with pytest.raises(StoreError, match=words):
            Ledger(store.database).expire(NOW)


def journal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


_UNCLOSED = """
import os, sys
from pathlib import Path
from paperdigest.store import open_database
from paperdigest.store.ledger import Ledger
from paperdigest.store.marks import Marks
from tests.ledger_samples import HASH, NOW, SENT, Clock
database = open_database(Path(sys.argv[1]))
claims = Ledger(database).claim(NOW, owner="test")
with Marks(database, Clock()) as marks:
    for claim in claims:
        marks.intend(claim, HASH)
        marks.settle(claim, SENT).result()
    os._exit(0)
"""


@pytest.mark.parametrize("seed", range(3))
def test_a_truncated_log_gives_an_earlier_sound_state(store: Store, tmp_path: Path, seed: int) -> None:
    store.close()
    subprocess.run([sys.executable, "-c", _UNCLOSED, str(store.path)], check=True, cwd=ROOT)
    whole = journal(store.path).stat().st_size
    chance = random.Random(seed)
    for number in range(5):
        copy = tmp_path / f"copy{number}.db"
        shutil.copy(store.path, copy)
        shutil.copy(journal(store.path), journal(copy))
        os.truncate(journal(copy), chance.randrange(whole))
        opened = Store.open(copy)
        assert opened.check() == ()
        found = list(states(copy).values())
        # Whoever was marked was marked in turn: sent ones, at most one on its way, and the rest untouched.
        assert found == sorted(found, key=["sent", "sending", "leased", "planned"].index)
        opened.close()
    assert list(states(store.path).values()) == ["sent"] * 4


def test_a_log_cut_under_a_running_program_stops_it_at_the_next_claim(store: Store) -> None:
    claims = Ledger(store.database).claim(NOW, owner="test", limit=2)
    with Marks(store.database, Clock(), patience_s=0) as marks:
        assert marks.intend(claims[0], HASH) is Intent.GRANTED
        store.database.close()  # whoever reads anew has nothing cached
        os.truncate(journal(store.path), 0)
        with pytest.raises(StoreError, match=r"damaged|refused to read"):
            Ledger(store.database).claim(NOW, owner="test")


def test_who_is_stopped_beyond_the_lease_finds_everything_taken(store: Store) -> None:
    script = _UNCLOSED.replace("os._exit(0)", "").replace(
        "    for claim in claims:",
        "    print(len(claims), flush=True)\n    sys.stdin.readline()\n    for claim in claims:",
    )
    script = script.replace("marks.intend(claim, HASH)", "print(marks.intend(claim, HASH), flush=True)")
    script = script.replace(
        "marks.settle(claim, SENT).result()", "print(marks.settle(claim, SENT).result(), flush=True)"
    )
    stopped = subprocess.Popen(
        [sys.executable, "-c", script, str(store.path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert stopped.stdin is not None
    assert stopped.stdout is not None
    assert stopped.stdout.readline() == "4\n"
    os.kill(stopped.pid, signal.SIGSTOP)
    later = NOW + LEASE
    ledger = Ledger(store.database)
    assert ledger.recover(later, on_in_doubt="resend", wait=wait).planned == 4
    claims = ledger.claim(later, owner="other")
    with Marks(store.database, lambda: later) as marks:
        for claim in claims[:2]:
            assert marks.intend(claim, HASH) is Intent.GRANTED
        assert marks.settle(claims[0], SENT).result()
        os.kill(stopped.pid, signal.SIGCONT)
        told, _ = stopped.communicate("\n", timeout=30)
        assert told.split() == ["lost", "False"] * 4
        assert marks.settle(claims[1], SENT).result()
    assert stopped.returncode == 0


def test_of_two_processes_that_mark_at_once_none_is_kept_out(store: Store) -> None:
    plan(store, 196)
    busy = connect_raw(store.path)
    done = threading.Event()

    def others() -> None:
        """Hold the lock nine tenths of the time, as a process does that commits all the time."""
        while not done.wait(0.0005):
            busy.execute("BEGIN IMMEDIATE")
            threading.Event().wait(0.005)
            busy.execute("COMMIT")

    other = threading.Thread(target=others)
    other.start()
    try:
        claims = Ledger(store.database).claim(NOW, owner="test", limit=50)
        with Marks(store.database, Clock()) as marks:
            for claim in claims:
                assert marks.intend(claim, HASH) is Intent.GRANTED
            settled = [marks.settle(claim, SENT) for claim in claims]
        assert all(future.result() for future in settled)
    finally:
        done.set()
        other.join()
        busy.close()
    assert Ledger(store.database).counts()["sent"] == 50
