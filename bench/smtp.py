"""The SMTP client alone: beside Postfix's smtp-source on its smtp-sink, and beside smtplib over a long line.

Rows are seconds a message, by the clock on the wall unless they say processor time; a ratio is how many times as many
messages a second ours sends. Leave (``before_final``) costs nothing here. Sinks run in processes of their own. Without
Debian's package postfix (its daemon need not run) the rows beside smtp-source are left out, and stderr says so.
"""

from __future__ import annotations

import os
import resource
import shutil
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any

from bench.timing import Paired, Row
from paperdigest.mail.smtp import SmtpMailer
from paperdigest.protocols import OutgoingMessage
from paperdigest.waiting import Loop
from tests.certificates import Authority

SENDER, RECIPIENT = "a@digest.example.org", "b@example.net"
SIZE = 43 * 1024
DELAY_S = 0.010  # each way
LANES = 8
MANY, FEW = 2000, 24
LONG = 8000  # so that the handshakes of eight connections, and a neighbour's second, weigh little
PAIRS = 5
MANY_PAIRS = 25  # where a pair varies by more than lies between what was found and its limit

_LINE = b"Two papers on software traceability, and what they have in common with the third.\r\n"
_HEAD = b"From: a@digest.example.org\r\nTo: b@example.net\r\nSubject: Papers\r\n\r\n"
CONTENT = _HEAD + _LINE * ((SIZE - len(_HEAD)) // len(_LINE))
MESSAGE = OutgoingMessage(
    sender=SENDER,
    recipient=RECIPIENT,
    message_id="<1@digest.example.org>",
    content=CONTENT,
    has_safe_lines=True,  # as the writer of all our messages says
)

Cost = tuple[float, float]
"""Seconds a message: on the wall, and of the processor."""


def run() -> Iterable[Row]:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101  the sink may run as nobody
        yield from _beside_postfix(Path(folder))
        yield from _far_away(Path(folder))
        yield from _encrypted(Path(folder))


# --- beside smtp-source


def _beside_postfix(folder: Path) -> Iterator[Row]:
    sink, source = (shutil.which(name, path="/usr/sbin:/usr/local/sbin") for name in ("smtp-sink", "smtp-source"))
    if not sink or not source:
        print("smtp: no smtp-sink and smtp-source here (Debian: package postfix): left out", file=sys.stderr)
        return
    letter = folder / "letter"
    letter.write_bytes(CONTENT.replace(b"\r\n", b"\n"))
    with _postfix_sink(sink) as port:
        for connections in (1, LANES):
            command = [source, "-4", "-d", "-s", str(connections), "-m", str(MANY), "-F", str(letter)]
            command += ["-f", SENDER, "-t", RECIPIENT, f"127.0.0.1:{port}"]
            wall, processor = _by_turns(_ours(port, connections, MANY), lambda c=command: _outside(c))  # type: ignore[misc]  # bound now
            what = f"{connections} connection{'s' if connections > 1 else ''}, smtp-sink"
            yield wall.times_faster(0.7, f"{what}, smtp-source", note="by the clock on the wall")
            yield processor.shown(f"{what}, smtp-source: processor time")
        wall, processor = _by_turns(_ours(port, 1, MANY), lambda: _smtplib(port, MANY))
        yield _faster(wall, "1 connection, smtp-sink, smtplib reused", "by the clock on the wall")
        aim = 100e-6
        yield Row(
            name="1 connection: processor time, beside the aim of 0.1 ms",
            ours_s=processor.ours_s,
            peer_s=aim,
            ratio=processor.ours_s / aim,
            limit=None,
            note="an absolute figure: it depends on what else the machine does",
        )
        yield processor.times_faster(2, "1 connection, smtplib reused: processor time")


@contextmanager
def _postfix_sink(sink: str) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with _process([sink, *user, "-m", "512", f"127.0.0.1:{port}", "1024"]):
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.01)
        yield port


# --- over a long line


def _far_away(folder: Path) -> Iterator[Row]:
    certificate = _certificate(folder)
    with _helper("_smtp_sink", str(certificate)) as near, _helper("_delay_proxy", str(near), str(DELAY_S)) as port:
        peers = {"a connection a message": _anew, "reused": _smtplib}
        for what, peer in peers.items():
            for lanes in (1, LANES):
                wall, _ = _by_turns(
                    _ours(port, lanes, FEW * lanes),
                    lambda peer=peer: peer(port, FEW),  # type: ignore[misc]  # bound now
                    pairs=3,
                )
                name = f"20 ms round trip, {lanes} lane{'s' if lanes > 1 else ''}; smtplib, {what}"
                note = "by the clock on the wall"
                yield wall.times_faster(5, name, note) if lanes > 1 else _faster(wall, name, note)
    with (
        _helper("_smtp_sink", str(certificate), "CHUNKING") as near,
        _helper("_delay_proxy", str(near), str(DELAY_S)) as port,
    ):
        wall, _ = _by_turns(_ours(port, 1, FEW), lambda: _smtplib(port, FEW), pairs=3)
        yield _faster(wall, "20 ms round trip, 1 lane, CHUNKING; smtplib, reused", "by the clock on the wall")


def _faster(measured: Paired, name: str, note: str) -> Row:
    """Return a row whose ratio is how many times as fast we are, without a limit."""
    row = measured.times_faster(0, name, note)
    return Row(
        name=row.name, ours_s=row.ours_s, peer_s=row.peer_s, ratio=row.ratio, limit=None, better="higher", note=note
    )


# --- encrypted


def _encrypted(folder: Path) -> Iterator[Row]:
    authority = Authority(folder)
    certificate = authority.server_file()
    secure = {"tls": "starttls", "ca_file": str(authority.file)}
    with _helper("_smtp_sink", str(certificate)) as port:
        wall, processor = _by_turns(_ours(port, 1, MANY, **secure), _ours(port, 1, MANY))
        yield _faster(wall, "1 connection, STARTTLS; clear", "by the clock on the wall; client and sink take turns")
        yield processor.shown("1 connection, STARTTLS; clear: processor time")
        wall, _ = _by_turns(_ours(port, LANES, LONG, **secure), _ours(port, LANES, LONG), pairs=MANY_PAIRS)
        yield wall.times_faster(0.7, f"{LANES} connections, STARTTLS; clear", note="by the clock on the wall")
        trust = ssl.create_default_context(cafile=str(authority.file))
        wall, processor = _by_turns(_ours(port, 1, MANY, **secure), lambda: _smtplib(port, 200, trust), pairs=3)
        yield _faster(wall, "1 connection, STARTTLS; smtplib, reused", "by the clock on the wall")


# --- who sends


def _ours(port: int, lanes: int, count: int, **settings: object) -> Callable[[], Cost]:
    chosen = {"host": "127.0.0.1", "port": port, "tls": "none", "max_messages_per_connection": 100_000, **settings}

    def send() -> Cost:
        mailer = SmtpMailer(chosen)

        async def one(share: int) -> None:
            async with mailer.async_lane() as lane:
                for _ in range(share):
                    answer = await lane.send(MESSAGE, _leave)
                    assert answer is not None
                    assert answer.startswith("250")

        share = count // lanes
        start, used = time.perf_counter(), time.process_time()
        with closing(Loop()) as loop:
            for _ in range(lanes):
                loop.start(one(share))
            while not loop.is_idle:
                loop.turn(60)
        sent = share * lanes
        return (time.perf_counter() - start) / sent, (time.process_time() - used) / sent

    return send


async def _leave() -> bool:
    return True


def _outside(command: list[str]) -> Cost:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    elapsed = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return elapsed / MANY, used / MANY


def _smtplib(port: int, count: int, trust: ssl.SSLContext | None = None) -> Cost:
    start, used = time.perf_counter(), time.process_time()
    with smtplib.SMTP("127.0.0.1", port, local_hostname="client.test") as client:
        if trust is not None:
            client.starttls(context=trust)
        for _ in range(count):
            client.sendmail(SENDER, [RECIPIENT], CONTENT)
    return (time.perf_counter() - start) / count, (time.process_time() - used) / count


def _anew(port: int, count: int) -> Cost:
    start, used = time.perf_counter(), time.process_time()
    for _ in range(count):
        with smtplib.SMTP("127.0.0.1", port, local_hostname="client.test") as client:
            client.sendmail(SENDER, [RECIPIENT], CONTENT)
    return (time.perf_counter() - start) / count, (time.process_time() - used) / count


def _by_turns(ours: Callable[[], Cost], peer: Callable[[], Cost], *, pairs: int = PAIRS) -> tuple[Paired, Paired]:
    """Return seconds a message on the wall and of the processor; by turns, after a run of each to warm up."""
    ours(), peer()
    costs = [(ours(), peer()) for _ in range(pairs)]
    measured = [
        Paired(
            ours_s=median(mine[kind] for mine, _ in costs),
            peer_s=median(theirs[kind] for _, theirs in costs),
            ratio=median(mine[kind] / max(theirs[kind], 1e-9) for mine, theirs in costs),
        )
        for kind in (0, 1)
    ]
    return measured[0], measured[1]


# --- processes of their own


@contextmanager
def _helper(module: str, *arguments: str) -> Iterator[int]:
    """Run a module of this folder that prints its port."""
    with _process([sys.executable, "-m", f"bench.{module}", *arguments], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())


@contextmanager
def _process(command: list[str], **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, cwd=Path(__file__).parents[1], **more) as process:
        try:
            yield process
        finally:
            process.terminate()


def _certificate(folder: Path) -> Path:
    return Authority(folder).server_file()
