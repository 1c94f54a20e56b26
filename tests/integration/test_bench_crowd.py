"""The crowd's benchmark notices every digest that is not sent or did not arrive; the crash matrix every copy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench._crowd_sending import Sent, Spent
from bench._verdict import Verdict, compare
from bench._waiting import fill
from bench.crowd import Crowd
from paperdigest.store.engine import connect_raw

SPENT: Spent = {"cpu_s": 2.0, "wall_s": 3.0, "memory": 100_000_000}


def crowd(**other: object) -> Crowd:
    sent: Sent = {
        "before": 90_000_000,
        "planning": SPENT,
        "delivering": SPENT,
        "planned": 10,
        "sent": 10,
        "states": {"sent": 10},
        "problems": [],
    }
    return Crowd(size=10, sent=sent | other, arrived=10, findings=())  # type: ignore[arg-type]  # its keys


def test_a_crowd_of_which_everything_was_sent_and_arrived_misses_nothing() -> None:
    assert crowd().missing() == 0


@pytest.mark.parametrize(
    "wrong",
    [
        replace(crowd(), arrived=9),
        replace(crowd(), arrived=11),
        replace(crowd(planned=0, sent=0, states={}), arrived=0),
        replace(crowd(), findings=("3 deliveries without a digest",)),
        crowd(states={"sent": 9, "deferred": 1}),
        crowd(states={"sent": 9}),
        crowd(sent=9),
        crowd(planned=0),
        crowd(planned=9, sent=9, states={"sent": 9}),
        crowd(problems=["delivery 7 deferred: try later"]),
    ],
)
def test_whatever_is_astray_in_a_crowd_is_counted(wrong: Crowd) -> None:
    assert wrong.missing() > 0


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("delivered")
    fill(folder, 3)
    return folder


def test_a_copy_of_a_mail_in_doubt_is_told_from_one_that_never_was(delivered: Path) -> None:
    connection = connect_raw(delivered / "papers.db")
    names = [name for (name,) in connection.execute("SELECT message_id FROM deliveries ORDER BY id")]
    connection.execute(
        "INSERT INTO attempts (delivery_id, number, ended_at, state)"
        " SELECT id, 1, '2026-04-15T06:00:00.000000Z', 'in_doubt' FROM deliveries WHERE message_id = ?",
        (names[0],),
    )
    connection.close()
    lines = [f"1 {names[0]} same", f"2 {names[0]} same", f"1 {names[1]} one", f"2 {names[1]} other"]
    (delivered / "truth.log").write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    found = Verdict()
    compare(delivered, found)
    assert found == Verdict(arrived=2, lost=1, twice=2, doubts=1, outside_doubt=1, altered=1)


def test_rounds_of_stops_add_up() -> None:
    total = Verdict()
    total.add(Verdict(kills=4, arrived=9, twice=2, doubts=3, most_doubts=1, late=1, mid_write=1, at_moment=2))
    total.add(Verdict(kills=3, arrived=8, lost=1, outside_doubt=1, altered=1, most_doubts=2, unsound=["x"]))
    assert total == Verdict(
        kills=7,
        arrived=17,
        lost=1,
        twice=2,
        doubts=3,
        most_doubts=2,
        outside_doubt=1,
        altered=1,
        at_moment=2,
        mid_write=1,
        late=1,
        unsound=["x"],
    )
