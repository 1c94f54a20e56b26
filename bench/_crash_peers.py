"""How other mailers remember what they have sent, written from their description: a table, four connections."""

from __future__ import annotations

import smtplib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

__all__ = ["POLICIES", "Peer"]

BATCH = 50
CONNECTIONS = 4

POLICIES = (
    "marked before it is sent",
    "marked after the whole batch",
    "cursor moved when the batch is fetched",
)


class Peer:
    """A mailer with one of the policies.

    Args:
        folder: for its database.
        port: of the mail server.
        policy: one of `POLICIES`.
        count: how many messages wait.
    """

    def __init__(self, folder: Path, port: int, policy: str, count: int) -> None:
        self._path, self._port, self._policy = folder / "peer.db", port, policy
        with closing(self._connect()) as connection, connection:
            connection.execute("CREATE TABLE mails (id INTEGER PRIMARY KEY, sent INTEGER NOT NULL DEFAULT 0)")
            connection.execute("CREATE TABLE cursor (at INTEGER NOT NULL)")
            connection.execute("INSERT INTO cursor VALUES (0)")
            connection.executemany("INSERT INTO mails (id) VALUES (?)", [(number,) for number in range(1, count + 1)])

    def work(self) -> None:
        """Send what waits, batch by batch."""
        for batch in self._batches():
            parts = [batch[start::CONNECTIONS] for start in range(CONNECTIONS)]
            threads = [threading.Thread(target=self._send, args=(part,)) for part in parts if part]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if self._policy == "marked after the whole batch":
                self._mark(batch)

    def _batches(self) -> Iterator[Sequence[int]]:
        while True:
            with closing(self._connect()) as connection, connection:
                if self._policy == "cursor moved when the batch is fetched":
                    (at,) = connection.execute("SELECT at FROM cursor").fetchone()
                    rows = connection.execute("SELECT id FROM mails WHERE id > ? ORDER BY id LIMIT ?", (at, BATCH))
                    batch = [number for (number,) in rows]
                    if batch:
                        connection.execute("UPDATE cursor SET at = ?", (batch[-1],))
                else:
                    rows = connection.execute("SELECT id FROM mails WHERE NOT sent ORDER BY id LIMIT ?", (BATCH,))
                    batch = [number for (number,) in rows]
            if not batch:
                return
            yield batch

    def _send(self, numbers: Sequence[int]) -> None:
        with smtplib.SMTP("127.0.0.1", self._port, timeout=10) as server:
            for number in numbers:
                if self._policy == "marked before it is sent":
                    self._mark([number])
                text = f"Message-ID: <{number}@peer.example>\r\nSubject: {number}\r\n\r\n{'x' * 4000}\r\n"
                server.sendmail("a@peer.example", ["b@peer.example"], text)

    def _mark(self, numbers: Sequence[int]) -> None:
        with closing(self._connect()) as connection, connection:
            connection.executemany("UPDATE mails SET sent = 1 WHERE id = ?", [(number,) for number in numbers])

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=30)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection
