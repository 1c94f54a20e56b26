"""What a server says or does over TLS, seen from the socket: words, records that are none, and ends of every kind."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from paperdigest.mail.replies import offers_in
from paperdigest.mail.tls import Tls
from paperdigest.mail.transaction import transact
from paperdigest.mail.wire import Lost, Wire
from paperdigest.protocols import OutgoingMessage
from paperdigest.waiting import alone
from tests.certificates import Authority

CONTENT = b"Subject: Papers\r\n\r\nTwo papers.\r\n"
MESSAGE = OutgoingMessage(sender="a@example.org", recipient="b@example.net", message_id="<1@x>", content=CONTENT)
ENVELOPE = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n"
MUCH = bytes(range(256)) * 20_000
BOTH = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


class Server:
    """The far end, whose records are made here and sent when a test wants it."""

    def __init__(self, connection: socket.socket, context: ssl.SSLContext) -> None:
        self.connection = connection
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def shake(self, *, then: bytes = b"", told: bool = True) -> None:
        """Do the handshake; ``then`` goes with the last of it; without ``told`` the last of it is kept."""
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                if self.outgoing.pending:
                    self.connection.sendall(self.outgoing.read())
                self.incoming.write(self.connection.recv(99_999))
            else:
                break
        if told:
            self.connection.sendall(self.sealed(then))

    def sealed(self, words: bytes) -> bytes:
        """Return words as records."""
        if words:
            self.tls.write(words)
        return self.outgoing.read()

    def goodbye(self) -> bytes:
        """Return close_notify."""
        with pytest.raises(ssl.SSLWantReadError):
            self.tls.unwrap()
        return self.outgoing.read()

    def hear(self, size: int) -> bytes:
        """Return so many octets of what was said to it, however many records that takes."""
        heard = bytearray()
        while len(heard) < size:
            try:
                heard += self.tls.read(99_999)
            except ssl.SSLWantReadError:
                chunk = self.connection.recv(99_999)
                assert chunk, f"the end after {len(heard)} octets"
                self.incoming.write(chunk)
        return bytes(heard)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def trust(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.file))


@pytest.fixture(params=BOTH, ids=lambda version: version.name)
def ends(request: pytest.FixtureRequest, authority: Authority, trust: ssl.SSLContext) -> Iterator[tuple[Wire, Server]]:
    near, far = socket.socketpair()
    wire = Wire(near, timeout_s=30, until=time.monotonic() + 60)
    server = Server(far, authority.server(version=request.param))
    with near, far:
        shaken(wire, trust, server.shake)
        yield wire, server


def shaken(wire: Wire, trust: ssl.SSLContext, server: Callable[[], None]) -> None:
    thread = threading.Thread(target=server)
    thread.start()
    alone(wire.encrypt("localhost", trust))
    thread.join()


def waits_of(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows with each wait."""
    ready, waits = wire._ready, []

    async def counted(events: int) -> bool:
        waits.append(events)
        return await ready(events)

    monkeypatch.setattr(wire, "_ready", counted)
    return waits


def test_records_without_words_are_neither_words_nor_the_end_and_are_not_waited_for_over_and_over(
    ends: tuple[Wire, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, server = ends
    assert not alone(wire.spoken())  # the tickets of TLS 1.3
    assert not alone(wire.spoken())
    waits = waits_of(wire, monkeypatch)
    wire.timeout_s = 0.05
    with pytest.raises(Lost, match="no answer in time"):
        alone(wire.reply())
    assert len(waits) == 1
    assert server.tls.version() in ("TLSv1.2", "TLSv1.3")


def test_a_flood_of_records_without_words_ends_with_the_time(authority: Authority, trust: ssl.SSLContext) -> None:
    near, far = socket.socketpair()
    wire = Wire(near, timeout_s=30, until=time.monotonic() + 60)
    with near, far:
        shaken(wire, trust, Server(far, authority.server()).shake)
        alone(wire.spoken())  # takes the tickets

        class Flood(Tls):
            def recv(self) -> bytes:
                raise BlockingIOError

        wire._tls = Flood(near, trust, "localhost")
        far.sendall(b"never taken, so that there always is something")
        now = iter(range(100))
        wire.until, wire.clock = 50, lambda: float(next(now))
        with pytest.raises(Lost, match="too long altogether"):
            alone(wire.reply())


def test_an_answer_that_is_here_when_the_time_is_over_is_heard(ends: tuple[Wire, Server]) -> None:
    wire, server = ends
    server.connection.sendall(server.sealed(b"250 queued\r\n"))
    wire.until = wire.clock()
    assert alone(wire.reply()).text == "queued"
    with pytest.raises(Lost, match="too long altogether"):
        alone(wire.reply())


def test_words_in_pieces_of_a_record_are_put_together(ends: tuple[Wire, Server]) -> None:
    wire, server = ends
    records = server.sealed(b"250-one\r\n25") + server.sealed(b"0 two\r\n250 three\r\n")

    def dribble() -> None:
        for place in range(0, len(records), 7):
            server.connection.sendall(records[place : place + 7])

    thread = threading.Thread(target=dribble)
    thread.start()
    assert [alone(wire.reply()).lines for _ in range(2)] == [(b"one", b"two"), (b"three",)]
    thread.join()


def test_words_that_come_with_the_last_of_the_handshake_are_heard(authority: Authority, trust: ssl.SSLContext) -> None:
    for version in BOTH:
        near, far = socket.socketpair()
        wire = Wire(near, timeout_s=30, until=time.monotonic() + 60)
        server = Server(far, authority.server(version=version))
        with near, far:
            shaken(wire, trust, lambda server=server: server.shake(then=b"220 welcome\r\n"))  # type: ignore[misc]  # bound now
            assert alone(wire.reply()).text == "welcome"


def test_clear_words_that_came_too_late_to_be_seen_break_the_handshake(
    authority: Authority, trust: ssl.SSLContext
) -> None:
    near, far = socket.socketpair()
    wire = Wire(near, timeout_s=30, until=time.monotonic() + 60)
    with near, far:
        far.sendall(b"250-AUTH PLAIN\r\n250 ok\r\n")
        with pytest.raises(ssl.SSLError):
            alone(wire.encrypt("localhost", trust))
        assert wire._buffer == b""


def test_a_server_that_ends_in_mid_handshake_is_told_as_that(trust: ssl.SSLContext) -> None:
    near, far = socket.socketpair()
    wire = Wire(near, timeout_s=30, until=time.monotonic() + 60)
    with near, far:
        far.shutdown(socket.SHUT_WR)
        with pytest.raises(ssl.SSLError, match="EOF"):
            alone(wire.encrypt("localhost", trust))


def test_a_server_that_is_not_trusted_is_told_so(authority: Authority) -> None:
    near, far = socket.socketpair()
    wire = Wire(near, timeout_s=30, until=time.monotonic() + 60)
    server = Server(far, authority.server())
    problems: list[ssl.SSLError] = []

    def shake() -> None:
        try:
            server.shake()
        except ssl.SSLError as problem:
            problems.append(problem)

    with near, far:
        thread = threading.Thread(target=shake)
        thread.start()
        with pytest.raises(ssl.SSLCertVerificationError):
            alone(wire.encrypt("localhost", ssl.create_default_context()))
        thread.join()
    assert "UNKNOWN_CA" in str(problems[0])


@pytest.mark.parametrize("hangs_up", [True, False])
def test_last_words_are_heard_before_close_notify_ends_it(ends: tuple[Wire, Server], hangs_up: bool) -> None:
    wire, server = ends
    server.connection.sendall(server.sealed(b"421 4.3.2 good night\r\n") + server.goodbye())
    if hangs_up:
        server.connection.shutdown(socket.SHUT_WR)
    assert alone(wire.spoken())
    assert alone(wire.reply()).text == "4.3.2 good night"
    with pytest.raises(Lost, match="closed the connection"):
        alone(wire.spoken())


@pytest.mark.parametrize("wait", ["reply", "spoken"])
def test_close_notify_is_a_hang_up_though_the_connection_stays(ends: tuple[Wire, Server], wait: str) -> None:
    wire, server = ends
    server.connection.sendall(server.goodbye())
    with pytest.raises(Lost, match="closed the connection"):
        alone(getattr(wire, wait)())


def test_an_end_without_close_notify_and_in_mid_record_is_a_hang_up(ends: tuple[Wire, Server]) -> None:
    wire, server = ends
    server.connection.sendall(server.sealed(b"250 never whole\r\n")[:-3])
    assert not alone(wire.spoken())
    server.connection.shutdown(socket.SHUT_WR)
    with pytest.raises(Lost, match="closed the connection"):
        alone(wire.reply())


def test_what_is_not_tls_breaks_the_connection_after_the_words_before_it_and_the_server_is_told(
    ends: tuple[Wire, Server],
) -> None:
    wire, server = ends
    forged = bytearray(server.sealed(b"250 forged\r\n"))
    forged[-1] ^= 1
    server.connection.sendall(bytes(forged))
    with pytest.raises(Lost, match=r"connection broke \(.*(?i:mac|record)"):
        alone(wire.reply())
    with pytest.raises(ssl.SSLError, match=r"(?i:alert)"):
        server.hear(1)


def test_words_before_what_is_not_tls_are_heard(ends: tuple[Wire, Server]) -> None:
    wire, server = ends
    server.connection.sendall(server.sealed(b"421 4.3.2 good night\r\n") + b"garbage garbage garbage")
    assert alone(wire.reply()).text == "4.3.2 good night"
    with pytest.raises(Lost, match="connection broke"):
        alone(wire.reply())


def test_a_large_message_is_encrypted_a_little_ahead_only(ends: tuple[Wire, Server]) -> None:
    wire, _ = ends
    wire.timeout_s = 0.05
    with pytest.raises(Lost, match="no answer in time"):
        alone(wire.write(MUCH))
    assert wire._tls is not None
    assert 0 < len(wire._tls.unsent) < 300_000


def test_what_was_encrypted_goes_out_whole_however_little_is_taken_at_once(ends: tuple[Wire, Server]) -> None:
    wire, server = ends
    server.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    heard: list[bytes] = []
    thread = threading.Thread(target=lambda: heard.append(server.hear(len(MUCH) + 3)))
    thread.start()
    assert alone(wire.write(MUCH))
    assert alone(wire.write(b".\r\n"))
    thread.join()
    assert heard == [MUCH + b".\r\n"]


def test_what_was_encrypted_for_a_connection_that_takes_nothing_just_then_goes_out_later(
    ends: tuple[Wire, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, server = ends
    refusals = iter([True, False] * 99)

    class Fussy:
        """Takes something every second time."""

        def __init__(self, connection: socket.socket) -> None:
            self.connection = connection

        def send(self, data: bytes) -> int:
            if next(refusals):
                raise BlockingIOError
            return self.connection.send(data)

    assert wire._tls is not None
    monkeypatch.setattr(wire._tls, "_connection", Fussy(wire._tls._connection))
    for words in (b"MAIL FROM:<a@example.org>\r\n", b"RCPT TO:<b@example.net>\r\n"):
        assert alone(wire.write(words))
        assert server.hear(len(words)) == words


def test_the_end_of_a_message_for_which_there_is_no_room_is_not_sent_by_whoever_listens(
    ends: tuple[Wire, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, server = ends
    wire.offers = offers_in([b"test", b"PIPELINING"])
    has_room = True

    class Full:
        """Takes nothing of the end until its server was heard, who breaks the rules."""

        def __init__(self, connection: socket.socket) -> None:
            self.connection = connection

        def send(self, data: bytes) -> int:
            if not has_room:
                forged = bytearray(server.sealed(b"250 forged\r\n"))
                forged[-1] ^= 1
                server.connection.sendall(forged)
                raise BlockingIOError
            return self.connection.send(data)

        def recv(self, size: int) -> bytes:
            nonlocal has_room
            has_room = True
            return self.connection.recv(size)

    async def leave() -> bool:
        nonlocal has_room
        has_room = False
        return True

    def answer() -> None:
        server.hear(len(ENVELOPE))
        server.connection.sendall(server.sealed(b"250 ok\r\n250 ok\r\n354 go ahead\r\n"))

    assert wire._tls is not None
    monkeypatch.setattr(wire._tls, "_connection", Full(wire._tls._connection))
    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises(Lost, match="connection broke"):
        alone(transact(wire, "test", MESSAGE, leave, kept=False))
    thread.join()
    assert not wire.in_doubt
    assert server.hear(len(MESSAGE.content)) == MESSAGE.content
    with pytest.raises(AssertionError, match="the end after 0 octets"):
        server.hear(1)


def test_after_a_write_that_was_given_up_the_records_stay_whole(ends: tuple[Wire, Server]) -> None:
    wire, server = ends
    server.connection.sendall(server.sealed(b"452 full\r\n"))
    assert not alone(wire.write(MUCH, heeding=True))
    assert alone(wire.reply()).text == "full"
    heard: list[bytes] = []
    # What had been encrypted comes first, unharmed.
    thread = threading.Thread(target=lambda: heard.append(server.hear(256 * 1024 + 6)))
    thread.start()
    alone(wire.write(b"RSET\r\n"))
    thread.join()
    assert heard[0].startswith(MUCH[:1000]) and heard[0].endswith(b"RSET\r\n")


def test_close_notify_during_a_long_write_is_heard_at_once(
    ends: tuple[Wire, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, server = ends
    server.connection.sendall(server.sealed(b"421 bye\r\n") + server.goodbye())
    waits = waits_of(wire, monkeypatch)
    assert not alone(wire.write(MUCH))
    assert len(waits) == 1
    assert alone(wire.reply()).text == "bye"


def test_a_flood_of_words_during_a_long_write_is_cut_off(ends: tuple[Wire, Server]) -> None:
    wire, server = ends

    def flood() -> None:
        try:
            while True:
                server.connection.sendall(server.sealed(b"2" * 60_000))
        except OSError:
            return

    thread = threading.Thread(target=flood)
    thread.start()
    with pytest.raises(Lost, match="does not end"):
        alone(wire.write(MUCH))
    server.connection.close()
    thread.join()
