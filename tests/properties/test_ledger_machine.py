"""Whatever several owners do, and whoever dies: one holder at a time, and no second mail unless the first is in doubt.

The states are read after every step and must have gone along the arrows of the ledger's picture. Beside them stands
what really happened: each final dot that was sent, and what its sender knew of it.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from paperdigest.store import Store, open_database
from paperdigest.store.claims import Claim, Intent, Outcome
from paperdigest.store.engine import connect_raw
from paperdigest.store.ledger import MAX_DOUBTFUL, Ledger
from paperdigest.store.marks import Marks
from paperdigest.types import DeliveryState, MailPhase
from tests.ledger_samples import HASH, Clock, plan, wait

ROWS = 3
OWNER = st.integers(0, 2)
PLACE = st.sampled_from((0, 0, 0, 1, 1, 2, 3, 4, 5))

ARROWS = {
    "claim": {("planned", "leased"), ("deferred", "leased")},
    "intend": {("leased", "sending")},
    "settle": {
        *(("leased", state) for state in ("deferred", "failed", "skipped")),
        *(("sending", state) for state in ("sent", "deferred", "failed", "in_doubt")),
        *(("in_doubt", state) for state in ("sent", "deferred", "failed")),  # a late answer
    },
    "release": {("leased", "planned"), ("leased", "deferred")},
    "recover": {("leased", "planned"), ("sending", "in_doubt"), ("in_doubt", "deferred"), ("in_doubt", "sent")},
    "expire": {("planned", "expired"), ("deferred", "expired")},
}

OUTCOMES = (
    DeliveryState.SENT,
    DeliveryState.DEFERRED,
    DeliveryState.FAILED,
    DeliveryState.SKIPPED,
    DeliveryState.IN_DOUBT,
)


@cache
def template() -> Path:
    """A database with a few deliveries that wait, made once."""
    path = Path(tempfile.mkdtemp()) / "template.db"
    store = Store.open(path, create=True)
    plan(store, ROWS)
    store.close()
    return path


@dataclass(slots=True)
class Dot:
    """A final dot: ``open`` until its sender has said what became of it, or it was taken for doubtful."""

    epoch: int
    became: str = "open"


class LedgerMachine(RuleBasedStateMachine):
    """Three owners and an operator, each step one of theirs; time jumps to and fro."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "papers.db"
        shutil.copy(template(), self.path)
        self.database = open_database(self.path)
        self.ledger, self.clock = Ledger(self.database), Clock()
        self.marks = Marks(self.database, self.clock)
        self.marks.__enter__()
        self.lives = [0, 0, 0]
        self.reader = connect_raw(self.path, mode="ro")
        self.before = self.states()
        self.dots: dict[int, list[Dot]] = {number: [] for number in self.before}
        self.current: dict[int, int] = {}
        self.held: list[tuple[int, Claim]] = []  # by whom; nobody forgets a claim before he dies
        """Claims in the hands of the living, stale ones among them."""

    def teardown(self) -> None:
        self.marks.__exit__(None, None, None)
        self.reader.close()
        self.database.close()
        self.folder.cleanup()

    def states(self) -> dict[int, str]:
        return dict(self.reader.execute("SELECT id, state FROM deliveries").fetchall())

    def went(self, step: str, only: int | None = None) -> None:
        """Check the arrows that were gone since the step before."""
        now = self.states()
        for number, state in now.items():
            was = self.before[number]
            if state != was:
                assert (was, state) in ARROWS.get(step, set()), f"{step}: {was} -> {state}"
                assert only in (None, number)
            if state == "in_doubt" and self.dots[number][-1].became == "open":
                self.dots[number][-1].became = "doubt"
        self.before = now

    @initialize()
    def begin(self) -> None:
        self.claim(0)

    @rule(owner=OWNER)
    def claim(self, owner: int) -> None:
        given = self.ledger.claim(self.clock.now, owner=f"{owner}:{self.lives[owner]}", limit=2)
        for claim in given:
            assert claim.epoch > self.current.get(claim.delivery.id, 0)
            assert claim.delivery.expires_at is not None
            assert claim.delivery.expires_at > self.clock.now
            self.current[claim.delivery.id] = claim.epoch
        self.went("claim")
        assert all(self.before[claim.delivery.id] == "leased" for claim in given)
        self.held += [(owner, claim) for claim in given]

    def one_of(self, place: int) -> Claim:
        """Return a claim, the newest for place 0."""
        return self.held[-1 - place % len(self.held)][1]

    @precondition(lambda self: self.held)
    @rule(place=PLACE)
    def intend(self, place: int) -> None:
        claim = self.one_of(place)
        number, was = claim.delivery.id, self.before[claim.delivery.id]
        intent = self.marks.intend(claim, HASH)
        self.went("intend", number)
        if intent is Intent.GRANTED:
            assert was == "leased"
            assert claim.epoch == self.current[number]  # nobody has claimed it since
            assert {dot.became for dot in self.dots[number]} <= {"no", "doubt"}  # never a second one without a doubt
            assert [dot.became for dot in self.dots[number]].count("doubt") < MAX_DOUBTFUL
            self.dots[number].append(Dot(claim.epoch))
        else:
            assert intent is Intent.LOST
            assert self.before[number] == was

    @precondition(lambda self: self.held)
    @rule(place=PLACE, state=st.sampled_from(OUTCOMES))
    def settle(self, place: int, state: DeliveryState) -> None:
        claim = self.one_of(place)
        number, was = claim.delivery.id, self.before[claim.delivery.id]
        own = [dot for dot in self.dots[number] if dot.epoch == claim.epoch]
        if state is DeliveryState.SENT and not own:
            return  # nobody says that of what he has not sent
        later = state in (DeliveryState.DEFERRED, DeliveryState.IN_DOUBT)
        again = self.clock.now + wait(1) if later else None
        outcome = Outcome(state=state, phase=MailPhase.DOT, code=250, next_attempt_at=again)
        is_written = self.marks.settle(claim, outcome).result()
        self.went("settle", number)
        if is_written:
            assert claim.epoch == self.current[number]
            assert self.before[number] == state.value
            if own:
                own[-1].became = {"sent": "yes", "in_doubt": "doubt"}.get(state.value, "no")
        else:
            assert self.before[number] == was

    @precondition(lambda self: self.held)
    @rule(place=PLACE)
    def release(self, place: int) -> None:
        claim = self.one_of(place)
        self.ledger.release([claim], next_attempt_at=self.clock.now)
        self.went("release", claim.delivery.id)

    @rule(owner=OWNER)
    def die(self, owner: int) -> None:
        self.lives[owner] += 1
        self.held = [(who, claim) for who, claim in self.held if who != owner]

    @rule(owner=OWNER)
    def beat(self, owner: int) -> None:
        self.ledger.heartbeat(self.clock.now, owner=f"{owner}:{self.lives[owner]}")
        self.went("beat")

    @rule(minutes=st.sampled_from((1, 3, 5, 6)))
    def wait_a_while(self, minutes: int) -> None:
        self.clock.move(minutes=minutes)

    @rule(owner=OWNER, minutes=st.sampled_from((5, 6)))
    def take_over(self, owner: int, minutes: int) -> None:
        """What happens to whoever is stopped for long: the others take back, wait, and claim anew."""
        for _ in range(2):
            self.wait_a_while(minutes)
            self.recover("resend")
        self.claim(owner)

    @rule(hours=st.sampled_from((-24, -2, 2, 24, 36)))
    def jump(self, hours: int) -> None:
        self.clock.move(hours=hours)

    @rule(policy=st.sampled_from(("resend", "resend", "hold", "assume_sent")))
    def recover(self, policy: str) -> None:
        was = self.before
        found = self.ledger.recover(self.clock.now, on_in_doubt=policy, wait=wait)
        self.went("recover")
        moved = [(was[number], state) for number, state in self.before.items() if was[number] != state]
        assert found.planned == moved.count(("leased", "planned"))
        assert found.in_doubt == moved.count(("sending", "in_doubt"))
        assert found.resending == moved.count(("in_doubt", "deferred"))
        assert found.assumed == moved.count(("in_doubt", "sent"))

    @rule()
    def expire(self) -> None:
        was = self.before
        count = self.ledger.expire(self.clock.now)
        self.went("expire")
        assert count == sum(was[number] != state for number, state in self.before.items())

    @invariant()
    def what_is_settled_says_what_happened(self) -> None:
        for number, state in self.before.items():
            became = [dot.became for dot in self.dots[number]]
            assert became.count("yes") <= 1
            assert "yes" not in became or state == "sent"
            assert "open" not in became[:-1]


def test_no_order_of_events_gives_two_holders_or_a_second_mail_without_a_doubt() -> None:
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=60, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
