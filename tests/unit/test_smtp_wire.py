"""What a server says or does while a message is on its way, before the final dot."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from paperdigest.mail.wire import Lost, Wire, stuffed

CONTENT = b"Subject: Papers\r\n\r\nTwo papers.\r\n"


@pytest.fixture
def ends() -> Iterator[tuple[Wire, socket.socket]]:
    near, far = socket.socketpair()
    wire = Wire(timeout_s=30, until=time.monotonic() + 60, hello="client.test")
    wire.sock = near
    with near, far:
        yield wire, far


def test_the_dot_is_the_last_thing_sent(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    far.sendall(b"354 go ahead\r\n")
    assert wire.say("DATA").code == 354
    far.shutdown(socket.SHUT_WR)
    with pytest.raises(Lost, match="closed the connection"):
        wire.transmit(CONTENT)
    assert far.recv(9999) == b"DATA\r\n" + CONTENT
    assert not wire.in_doubt


@pytest.mark.parametrize("together", [True, False])
def test_a_refusal_before_the_dot_is_returned_and_ends_the_connection(
    ends: tuple[Wire, socket.socket], together: bool
) -> None:
    wire, far = ends
    far.sendall(b"354 go ahead\r\n" + (b"452 disk full\r\n" if together else b""))
    wire.say("DATA")
    if not together:
        far.sendall(b"452 disk full\r\n")
    assert str(wire.transmit(CONTENT)) == "452 disk full"
    assert not wire.in_doubt
    assert far.recv(9999) == b"DATA\r\n" + CONTENT
    with pytest.raises(Lost, match="connection is closed"):
        wire.say("RSET")


def test_consent_before_the_dot_makes_no_sense(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    far.sendall(b"250 queued\r\n")
    with pytest.raises(Lost, match="makes no sense"):
        wire.transmit(CONTENT)
    assert not wire.in_doubt


def test_a_connection_that_breaks_is_told_as_that(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    far.close()
    with pytest.raises(Lost, match=r"connection broke \(Broken pipe\)"):
        wire.transmit(CONTENT)
    assert not wire.in_doubt


def test_when_time_is_up_nothing_more_is_said(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    wire.until = time.monotonic()
    with pytest.raises(Lost, match="too long altogether"):
        wire.say("NOOP")
    assert far.recv(9) == b""


def test_patience_is_bounded_by_the_silence_and_the_deadline_and_after_the_dot_by_the_deadline_alone() -> None:
    wire = Wire(timeout_s=30, until=time.monotonic() + 600, hello="client.test")
    assert wire._patience() == 30
    wire.in_doubt = True
    assert 30 < wire._patience() <= 600
    wire.in_doubt, wire.until = False, time.monotonic() + 10
    assert 0 < wire._patience() <= 10


def test_stuffed_messages_end_their_last_line() -> None:
    assert stuffed(b"") == b"\r\n"
    assert stuffed(b".a\r\n..\r\nb") == b"..a\r\n...\r\nb\r\n"
