"""What a server says or does while something is on its way, seen from the socket."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace

import pytest

from paperdigest.mail.envelope import stuffed
from paperdigest.mail.replies import offers_in
from paperdigest.mail.transaction import Refused, transact
from paperdigest.mail.wire import Lost, Wire
from paperdigest.protocols import OutgoingMessage
from paperdigest.types import MailPhase
from paperdigest.waiting import Loop, Ready, alone

CONTENT = b"Subject: Papers\r\n\r\nTwo papers.\r\n"
MESSAGE = OutgoingMessage(sender="a@example.org", recipient="b@example.net", message_id="<1@x>", content=CONTENT)
WELCOME = b"250 ok\r\n250 ok\r\n354 go ahead\r\n"
ENVELOPE = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n"
MUCH = b"x" * 5_000_000


@pytest.fixture
def ends() -> Iterator[tuple[Wire, socket.socket]]:
    near, far = socket.socketpair()
    wire = Wire(near, timeout_s=30, until=time.monotonic() + 60)
    wire.offers = offers_in([b"test", b"PIPELINING"])
    with near, far:
        yield wire, far


async def agreed() -> bool:
    return True


def answers(wire: Wire, far: socket.socket, said: bytes) -> None:
    """Answer the envelope when it has come, without reading on."""

    def answer() -> None:
        far.recv(9999)
        far.sendall(said)

    threading.Thread(target=answer).start()


def test_the_dot_is_the_last_thing_sent_and_only_after_leave(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    seen: list[bytes] = []

    async def leave() -> bool:
        seen.append(far.recv(9999))
        far.sendall(b"250 2.0.0 queued\r\n") if len(seen) > 1 else None
        return True

    answers(wire, far, WELCOME)
    wire.until = time.monotonic() + 0.3
    wire.timeout_s, wire.answer_timeout_s = 0.1, 0.2
    with pytest.raises(Lost, match=r"no answer in time|too long"):
        alone(transact(wire, "test", MESSAGE, leave, kept=False))
    assert (seen, far.recv(9999)) == ([CONTENT], b".\r\n")
    assert (wire.in_doubt, wire.phase) == (True, MailPhase.DOT)


def test_a_refusal_while_leave_was_asked_is_heard_before_the_dot(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends

    async def leave() -> bool:
        far.sendall(b"421 4.4.2 too slow\r\n")
        return True

    answers(wire, far, WELCOME)
    with pytest.raises(Refused) as caught:
        alone(transact(wire, "test", MESSAGE, leave, kept=False))
    assert (caught.value.phase, caught.value.usable, wire.in_doubt) == (MailPhase.BODY, False, False)
    assert far.recv(9999) == CONTENT


def test_no_leave_is_asked_when_the_server_refused_before(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    asked: list[bool] = []

    async def leave() -> bool:
        asked.append(True)
        return True

    answers(wire, far, WELCOME + b"452 4.3.1 disk full\r\n")
    with pytest.raises(Refused) as caught:
        alone(transact(wire, "test", MESSAGE, leave, kept=False))
    assert (caught.value.phase, str(caught.value.reply), asked) == (MailPhase.BODY, "452 4.3.1 disk full", [])
    assert far.recv(9999) == CONTENT


def test_a_server_that_hangs_up_while_leave_was_asked_does_not_get_the_dot(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends

    async def leave() -> bool:
        far.shutdown(socket.SHUT_WR)
        return True

    answers(wire, far, WELCOME)
    with pytest.raises(Lost, match="closed the connection"):
        alone(transact(wire, "test", MESSAGE, leave, kept=False))
    assert far.recv(9999) == CONTENT
    assert not wire.in_doubt


def test_words_from_before_the_envelope_answer_nothing(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    far.sendall(WELCOME)
    with pytest.raises(Lost, match="out of turn"):
        alone(transact(wire, "test", MESSAGE, agreed, kept=False))
    assert far.recv(9999) == b""


def test_a_connection_that_breaks_is_told_as_that(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    far.close()
    with pytest.raises(Lost, match=r"connection broke \(Broken pipe\)"):
        alone(wire.write(CONTENT))
    with pytest.raises(Lost, match="is closed"):
        alone(wire.say("RSET"))


def test_last_words_are_heard_though_nothing_more_can_be_sent(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    far.sendall(b"421 4.3.2 good night\r\n")
    far.close()
    assert not alone(wire.write(CONTENT))
    assert str(alone(wire.reply())) == "421 4.3.2 good night"


def test_words_during_a_long_write_are_heeded_at_once(
    ends: tuple[Wire, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, far = ends
    far.sendall(b"452 full\r\n")
    ready, waits = wire._ready, []

    async def once(events: int) -> bool:
        waits.append(events)
        return len(waits) == 1 and await ready(events)

    monkeypatch.setattr(wire, "_ready", once)
    assert not alone(wire.write(MUCH, heeding=True))
    assert len(waits) == 1


def test_words_during_a_long_write_are_heeded_or_kept(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    far.sendall(b"250 first\r\n")
    assert not alone(wire.write(MUCH, heeding=True))
    wire.timeout_s = 0.05
    assert not alone(wire.write(MUCH))  # in vain, but there is something to be read
    assert alone(wire.reply()).text == "first"
    with pytest.raises(Lost, match="no answer in time"):
        alone(wire.write(MUCH))


def test_a_flood_of_words_during_a_long_write_is_cut_off(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends

    def flood() -> None:
        try:
            while True:
                far.sendall(b"2" * 60_000)
        except OSError:
            return

    thread = threading.Thread(target=flood)
    thread.start()
    with pytest.raises(Lost, match="does not end"):
        alone(wire.write(MUCH))
    far.close()
    thread.join()


def test_leave_is_asked_when_the_end_can_go_at_once(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    room: list[bool] = []

    async def leave() -> bool:
        assert wire.sock is not None
        room.append(bool(select.select([], [wire.sock], [], 0)[1]))
        return True

    def read_slowly() -> None:
        far.recv(9999)
        far.sendall(WELCOME)
        left = len(MUCH) - 90_000  # what the connection holds then, and has little room besides
        while left:
            left -= len(far.recv(min(left, 4096)))
        time.sleep(0.2)
        last = b""
        while not last.endswith(b"\r\n.\r\n"):
            last = (last + far.recv(4096))[-5:]
        far.sendall(b"250 2.0.0 queued\r\n")

    reader = threading.Thread(target=read_slowly)
    reader.start()
    large = replace(MESSAGE, content=MUCH + b"\r\n", has_safe_lines=True)
    answer = alone(transact(wire, "test", large, leave, kept=False))
    reader.join()
    assert answer is not None
    assert room == [True]


def that_just_fits() -> int:
    """Return how much a connection takes in one call, after which it has no room for the three octets of an end."""
    for size in range(200_000, 400_000, 500):
        near, far = socket.socketpair()
        with near, far:
            near.setblocking(False)
            near.send(ENVELOPE)  # as before each message; it is read there
            far.recv(9999)
            if near.send(b"x" * size) < size:
                break
            try:
                near.send(b".\r\n")
            except BlockingIOError:
                return size
    raise AssertionError("no size fills a connection to the brim")


def test_room_for_the_end_is_waited_for_before_leave_is_asked(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    content = b"x" * (that_just_fits() - 2) + b"\r\n"
    has_read: list[bool] = []

    async def leave() -> bool:
        has_read.append(reads.is_set())
        return True

    reads = threading.Event()

    def serve() -> None:
        far.recv(9999)
        far.sendall(WELCOME)
        time.sleep(0.2)
        heard = b""
        while not heard.endswith(b"\r\n.\r\n"):
            reads.set()
            heard += far.recv(99_999)
        far.sendall(b"250 2.0.0 queued\r\n")

    server = threading.Thread(target=serve)
    server.start()
    large = replace(MESSAGE, content=content, has_safe_lines=True)
    assert alone(transact(wire, "test", large, leave, kept=False)) is not None
    server.join()
    assert has_read == [True]


def test_a_server_that_speaks_instead_of_making_room_is_heard(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    near = wire._open()
    with suppress(BlockingIOError):
        while True:
            near.send(MUCH)
    threading.Timer(0.05, far.sendall, [b"421 4.3.2 shutting down\r\n"]).start()
    assert alone(wire.room())
    assert alone(wire.reply()).code == 421


@pytest.mark.parametrize("room", [0, 1, 2])
@pytest.mark.parametrize(("last_words", "what"), [(b"", Lost), (b"421 4.3.2 shutting down\r\n", Refused)])
def test_the_end_of_a_message_leaves_at_once_or_not_at_all(
    ends: tuple[Wire, socket.socket], room: int, last_words: bytes, what: type[Exception]
) -> None:
    # Whoever waited in between could be stopped meanwhile, and send it long after the leave.
    wire, far = ends
    near = wire._open()

    class Full:
        """Has room for only so much of what follows the leave."""

        is_full = False

        def __getattr__(self, name: str) -> object:
            return getattr(near, name)

        def send(self, data: bytes) -> int:
            if not self.is_full:
                return near.send(data)
            far.sendall(last_words)
            if not room:
                raise BlockingIOError
            return near.send(data[:room])

    connection = Full()

    async def leave() -> bool:
        connection.is_full = True
        return True

    wire.sock = connection  # type: ignore[assignment]
    answers(wire, far, WELCOME)
    with pytest.raises(what, match=None if last_words else "it takes nothing more"):
        alone(transact(wire, "test", MESSAGE, leave, kept=False))
    assert not wire.in_doubt
    wire.close()
    far.settimeout(5)
    heard = b""
    while more := far.recv(9999):
        heard += more
    assert heard == MESSAGE.content + b".\r\n"[:room]


def test_an_answer_that_came_while_nobody_looked_counts_though_the_time_is_over(
    ends: tuple[Wire, socket.socket],
) -> None:
    wire, far = ends
    wire.timeout_s = wire.answer_timeout_s = 0.2
    answered: list[str] = []

    async def sends() -> None:
        answered.append(str(await transact(wire, "test", MESSAGE, agreed, kept=False)))

    async def works() -> None:
        while not wire.in_doubt:
            await Ready(far, select.POLLOUT, 0.01)
        far.sendall(b"250 2.0.0 queued\r\n")
        time.sleep(0.3)  # noqa: ASYNC251  the whole process is stopped, or makes letters

    answers(wire, far, WELCOME)
    with closing(Loop()) as loop:
        for one in (sends(), works()):
            loop.start(one)
        while not loop.is_idle:
            loop.turn(1)
    assert answered == ["250 2.0.0 queued"]


@pytest.mark.parametrize("offers", [b"PIPELINING", b"8BITMIME"])
@pytest.mark.parametrize(("answer", "what"), [(b"503 5.5.1 no\r\n", Refused), (b"250 ok\r\n", Lost)])
def test_a_connection_that_took_half_a_chunk_takes_no_other_message(
    ends: tuple[Wire, socket.socket], offers: bytes, answer: bytes, what: type[Exception]
) -> None:
    wire, far = ends
    wire.offers = offers_in([b"test", b"CHUNKING", offers])
    wire.timeout_s = 0.1

    def hears_nothing_more() -> None:
        far.recv(20)
        if offers == b"PIPELINING":
            far.sendall(b"250 ok\r\n250 ok\r\n" + answer)
            return
        far.sendall(b"250 ok\r\n")
        while b"RCPT" not in far.recv(99):
            pass
        far.sendall(b"250 ok\r\n")
        far.recv(20)
        far.sendall(answer)

    reader = threading.Thread(target=hears_nothing_more)
    reader.start()
    large = replace(MESSAGE, content=MUCH + b"\r\n", has_safe_lines=True)
    with pytest.raises(what) as caught:
        alone(transact(wire, "test", large, agreed, kept=False))
    reader.join()
    if isinstance(caught.value, Refused):
        assert (caught.value.phase, caught.value.usable) == (MailPhase.BODY, False)
    else:
        assert wire.sock is None
        assert "had not heard" in str(caught.value) or "makes no sense" in str(caught.value)
    assert not wire.in_doubt


def test_room_is_waited_for_only_so_long(ends: tuple[Wire, socket.socket]) -> None:
    wire, _ = ends
    wire.timeout_s = 0.05
    assert not alone(wire.room())  # nothing was written
    with suppress(BlockingIOError):
        while True:
            wire._open().send(MUCH)
    with pytest.raises(Lost, match="no answer in time"):
        alone(wire.room())


def test_when_time_is_up_nothing_more_is_waited_for(ends: tuple[Wire, socket.socket]) -> None:
    wire, _ = ends
    wire.until = time.monotonic()
    with pytest.raises(Lost, match="too long altogether"):
        alone(wire.say("NOOP"))


def test_patience_is_bounded_by_the_silence_and_the_deadline_and_after_the_dot_by_the_deadline_alone(
    ends: tuple[Wire, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, _ = ends
    waits: list[float] = []

    async def ready(_: socket.socket, __: int, seconds: float) -> bool:
        waits.append(seconds)
        return False

    monkeypatch.setattr("paperdigest.mail.wire.Ready", ready)
    wire.clock = lambda: 1000.0
    for wire.in_doubt, wire.until in ((False, 1600.0), (True, 1600.0), (False, 1010.0), (True, 1010.0), (True, 1000.0)):
        alone(wire._ready(1))
    assert waits == [30, 600, 10, 10]


def test_stuffed_messages_have_their_dots_doubled() -> None:
    assert stuffed(b"") == b""
    assert stuffed(b"\r\n") == b"\r\n"
    assert stuffed(b".a\r\n..\r\nb.\r\n") == b"..a\r\n...\r\nb.\r\n"
