"""How many letters are made in a row, and who finishes them."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from paperdigest.errors import StoreError
from paperdigest.pipeline.feeding import Begun, Feeder, Finish
from paperdigest.pipeline.lanes import Lanes, Letter
from paperdigest.pipeline.making import (
    LEAST_IN_A_ROW,
    LEAST_TO_JUDGE,
    MOST_IN_A_ROW,
    MOST_IN_A_ROW_S,
    ROWS_ALONE,
    SOME_IN_A_ROW,
    Finisher,
    Maker,
)
from paperdigest.protocols import OutgoingMessage
from paperdigest.store.claims import Claim

MANY = 10_000


def claim_of(number: int) -> Claim:
    return cast("Claim", f"claim {number}")


def message(number: int) -> OutgoingMessage:
    return OutgoingMessage(sender="s@x", recipient="r@x", message_id=f"<{number}@x>", content=b"x\r\n")


@dataclass
class Room:
    """A maker, with its feeder and lanes in one."""

    left: int = MANY
    cost_s: float = 0.0
    seconds: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)
    rows: list[list[Letter]] = field(default_factory=list)
    error: StoreError | None = None
    number: int = 0

    def __post_init__(self) -> None:
        self.maker = Maker(cast("Feeder", self), self.stop, lambda: self.seconds)

    def next(self) -> Begun | None:
        if not self.left:
            return None
        self.left -= 1
        self.number += 1
        self.seconds += self.cost_s
        number = self.number
        return Begun(claim_of(number), lambda: message(number))

    def rest(self) -> list[Claim]:
        return [claim_of(MANY)]

    def put(self, letters: Sequence[Letter]) -> None:
        if self.error is not None:
            raise self.error
        self.rows.append(list(letters))

    def feed(self) -> int:
        return self.maker.feed(cast("Lanes", self))

    def accept(self, count: int) -> None:
        for _ in range(count):
            self.maker.accepted()


@pytest.fixture
def room() -> Room:
    return Room()


def test_few_are_made_at_first_and_one_more_in_a_row_for_each_that_was_accepted(room: Room) -> None:
    assert [room.feed(), room.feed()] == [LEAST_IN_A_ROW] * 2
    room.accept(5)
    assert room.feed() == LEAST_IN_A_ROW + 5
    room.accept(MANY)
    assert room.feed() == MOST_IN_A_ROW
    assert [letter.message.message_id for row in room.rows for letter in row] == [
        f"<{number}@x>" for number in range(1, room.number + 1)
    ]
    assert [letter.claim for letter in room.rows[0]] == [claim_of(1), claim_of(2)]


def test_few_are_made_after_a_refusal(room: Room) -> None:
    room.accept(MANY)
    room.maker.refused()
    assert room.feed() == LEAST_IN_A_ROW


def test_some_are_made_in_a_row_while_the_lanes_take_longer(room: Room) -> None:
    room.accept(MANY)
    room.cost_s = 0.001
    room.feed()
    room.seconds += 0.07
    assert room.feed() == SOME_IN_A_ROW  # which took .008 s
    room.seconds += 0.007
    assert room.feed() == MOST_IN_A_ROW


def test_lanes_wait_for_slow_making_only_so_long(room: Room) -> None:
    room.accept(MANY)
    room.cost_s = MOST_IN_A_ROW_S / 4
    assert room.feed() == 5


def test_none_is_begun_after_a_stop(room: Room) -> None:
    room.stop.set()
    assert (room.feed(), room.number, room.rows) == (0, 0, [])


def test_none_is_put_when_there_is_none(room: Room) -> None:
    room.left = 1
    assert [room.feed(), room.feed()] == [1, 0]
    assert [len(row) for row in room.rows] == [1]


def test_what_the_lanes_did_not_take_is_handed_over_with_the_rest(room: Room) -> None:
    room.error = StoreError("locked", "")
    with pytest.raises(StoreError):
        room.feed()
    assert room.maker.rest() == [claim_of(1), claim_of(2), claim_of(MANY)]
    assert room.maker.rest() == [claim_of(MANY)]


class Workshop:
    """A finisher and what it is given to do."""

    def __init__(self) -> None:
        self.finisher = Finisher()
        self.threads: dict[int, threading.Thread] = {}
        self.begun, self.goes_on = threading.Event(), threading.Event()
        self.is_tried = True

    def finish(self, number: int, *, slow: bool = False, error: Exception | None = None) -> Finish:
        def finished() -> OutgoingMessage:
            self.threads[number] = threading.current_thread()
            if slow:
                self.begun.set()
                assert self.goes_on.wait(30)
            if error is not None:
                raise error
            return message(number)

        return finished


def test_who_wants_the_letters_finishes_what_the_thread_has_not_begun() -> None:
    shop, here = Workshop(), threading.current_thread()
    for number in (1, 2, 3):
        shop.finisher.put(shop.finish(number, slow=number == 1))
    assert shop.begun.wait(30)
    waiting = threading.Timer(0.05, shop.goes_on.set)
    waiting.start()
    assert shop.finisher.finished() == [message(1), message(2), message(3)]
    assert shop.threads[1] is not here
    assert shop.threads[2] is shop.threads[3] is here
    shop.finisher.close()
    for thread in (shop.threads[1], waiting):
        thread.join(30)
        assert not thread.is_alive()


def test_a_single_letter_costs_no_thread() -> None:
    shop = Workshop()
    for number in (1, 2):
        shop.finisher.put(shop.finish(number))
        assert len(shop.finisher.finished()) == 1
    assert set(shop.threads.values()) == {threading.current_thread()}
    shop.finisher.close()


@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_one_ends_by_comes_out_and_the_next_row_is_made_as_ever(place: int) -> None:
    shop = Workshop()
    for number in range(3):
        shop.finisher.put(shop.finish(number, error=ZeroDivisionError() if number == place else None))
    made = shop.finisher.finished()
    assert [number for number, one in enumerate(made) if isinstance(one, ZeroDivisionError)] == [place]
    assert sum(isinstance(one, OutgoingMessage) for one in made) == 2
    shop.finisher.put(shop.finish(7))
    assert shop.finisher.finished() == [message(7)]
    shop.finisher.close()


def test_where_no_thread_is_to_be_had_messages_are_finished_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    shop = Workshop()
    monkeypatch.setattr(threading.Thread, "start", refused)
    for number in range(3):
        shop.finisher.put(shop.finish(number))
    assert shop.finisher.finished() == [message(number) for number in range(3)]
    shop.finisher.close()


@pytest.mark.parametrize(("busy", "row", "is_helped"), [(1.0, 32, False), (1.6, 32, True), (1.0, 8, True)])
def test_the_thread_is_left_alone_for_a_while_where_no_processor_is_free_for_it(
    busy: float, row: int, is_helped: bool
) -> None:
    shop, now, here = Workshop(), [0.0], threading.current_thread()
    shop.finisher = Finisher(lambda: now[0], lambda: busy * now[0])

    def helped(size: int) -> bool:
        """Make a row whose first letter is not finished before all are put, and say who finished it."""
        shop.goes_on.clear()
        shop.threads.clear()
        shop.begun.clear()
        for number in range(size):
            shop.finisher.put(shop.finish(number, slow=number == 0 and shop.is_tried))
        now[0] += 1
        if shop.is_tried:
            assert shop.begun.wait(30)
            threading.Timer(0.02, shop.goes_on.set).start()
        else:
            time.sleep(0.002)  # enough for a thread that has something to do
            assert not shop.threads
        assert shop.finisher.finished() == [message(number) for number in range(size)]
        return shop.threads[0] is not here

    shop.is_tried = True
    assert (row >= LEAST_TO_JUDGE) is (row == 32)
    assert helped(row)
    shop.is_tried = is_helped
    assert [helped(row) for _ in range(ROWS_ALONE)] == [is_helped] * ROWS_ALONE
    shop.is_tried = True
    assert helped(row)
    shop.finisher.close()
