"""The use case ``deliver``: hand over what is waiting, once, over several connections at a time.

::

    recover, expire     what dead runs left behind; what came too late
    claim               a batch, under a lease that is renewed while this run lives
    render              from the frozen digest: a pure function, so that a resend is a true copy
    lanes               wanted? send, intend, dot, settle (see `lanes`)

Trouble with one digest is a row in the ledger and never stops the others. A server that asks for patience slows down
what goes to its domain (`pacing`). Trouble with us (no connection, a refused login, refusals by policy) ends the run,
gives back what was not tried, and may make all sending pause (`breaking`): no subscriber is blamed for it.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf

from paperdigest.errors import MailError, PaperDigestError
from paperdigest.failpoints import failpoint
from paperdigest.logs import masked
from paperdigest.pipeline.breaking import Breaker, next_pause
from paperdigest.pipeline.feeding import Feeder, RenderMessage, domain_of
from paperdigest.pipeline.lanes import Done, Lanes
from paperdigest.pipeline.making import Maker
from paperdigest.pipeline.outcomes import backoff, blamed, is_throttling
from paperdigest.pipeline.pacing import Pace
from paperdigest.protocols import Mailer
from paperdigest.refusals import Blame
from paperdigest.store import Store
from paperdigest.store.claims import LEASE, Claim, Outcome, new_owner
from paperdigest.store.digests import Digests
from paperdigest.store.ledger import Ledger
from paperdigest.store.marks import Marks
from paperdigest.store.pauses import Pause, Pauses
from paperdigest.types import Delivery, DeliveryState, MailPhase
from paperdigest.waiting import Signal, ToldOf

__all__ = ["DeliveryReport", "DeliveryTerms", "backoff", "deliver"]

TOLD = 50
"""Of so many problems each is told; the others are counted."""

STOPS_WITHIN_S = 20.0
"""When somebody wants us to stop, messages in flight are waited for that long; then they are in doubt."""

_TICK_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryTerms:
    """What the settings say about delivering.

    ``on_refused`` is told of refusals for good, whose trouble they are (a mailbox's, or ours), and when.
    ``lease`` is for how long a claim holds without a sign of life.
    """

    on_in_doubt: str = "resend"
    max_per_s: float = 0
    max_per_domain_per_s: float = 0
    lease: timedelta = LEASE
    on_refused: Callable[[Delivery, Blame, MailError, datetime], None] | None = None


@dataclass(slots=True, kw_only=True)
class DeliveryReport:
    """How many deliveries came into which state in this run, and what was wrong with those that did not arrive.

    ``slowed`` counts how often a server asked for patience.
    """

    sent: int = 0
    deferred: int = 0
    failed: int = 0
    expired: int = 0
    skipped: int = 0
    in_doubt: int = 0
    released: int = 0
    elapsed_s: float = 0.0
    slowed: int = 0
    problems: list[str] = field(default_factory=list)
    untold: int = 0

    @property
    def per_s(self) -> float:
        """How many a second were sent."""
        return self.sent / self.elapsed_s if self.elapsed_s else 0.0

    def tell(self, problem: str) -> None:
        """Add a problem; after fifty they are only counted."""
        if len(self.problems) < TOLD:
            self.problems.append(problem)
        else:
            self.untold += 1


def deliver(
    store: Store,
    mailer: Mailer,
    render: RenderMessage,
    *,
    clock: Callable[[], datetime],
    terms: DeliveryTerms | None = None,
    stop: threading.Event | None = None,
    at_most_s: float = inf,
    monotonic: Callable[[], float] = time.monotonic,
) -> DeliveryReport:
    """Deliver everything that is due.

    Args:
        store: digests and ledger.
        mailer: hands messages over.
        render: writes the message of a frozen digest (see `RenderMessage`).
        clock: the time of day, UTC.
        terms: see `DeliveryTerms`.
        stop: when set, messages in flight are finished, the rest is given back, and this returns.
        at_most_s: after so many seconds this returns in the same way, and the next run goes on.
        monotonic: seconds, for paces and heartbeats.

    Raises:
        StoreError: the database cannot be read or written; no final dot was sent without a mark.
    """
    terms = terms or DeliveryTerms()
    ledger, report, now, begun = Ledger(store.database), DeliveryReport(), clock(), monotonic()
    report.in_doubt += ledger.recover(now, on_in_doubt=terms.on_in_doubt, wait=backoff).in_doubt
    report.expired += ledger.expire(now)
    pauses = Pauses(store.database)
    last = pauses.last()
    if last is not None and last.since_at <= now < last.until_at:
        report.tell(f"nothing is sent before {last.until_at:%Y-%m-%d %H:%M} UTC: {last.reason}")
        return report
    with Marks(store.database, clock, lease=terms.lease) as marks:
        run = _Run(
            store=store,
            ledger=ledger,
            marks=marks,
            mailer=mailer,
            render=render,
            clock=clock,
            terms=terms,
            report=report,
            last_pause=last,
            stop=stop or threading.Event(),
            ends_at=begun + at_most_s,
            monotonic=monotonic,
        )
        run.work()
    run.check_written()
    report.elapsed_s = monotonic() - begun
    if report.untold:
        report.problems.append(f"and {report.untold} more")
    return report


class _Run:
    """One run over what is due, from claim to settlement."""

    def __init__(
        self,
        *,
        store: Store,
        ledger: Ledger,
        marks: Marks,
        mailer: Mailer,
        render: RenderMessage,
        clock: Callable[[], datetime],
        terms: DeliveryTerms,
        report: DeliveryReport,
        last_pause: Pause | None,
        stop: threading.Event,
        ends_at: float,
        monotonic: Callable[[], float],
    ) -> None:
        self._ledger, self._marks = ledger, marks
        self._pauses, self._last_pause = Pauses(store.database), last_pause
        self._clock, self._terms, self._report = clock, terms, report
        self._stop, self._monotonic = stop, monotonic
        self._owner = new_owner()
        self._lanes = Lanes(mailer, marks, clock, _jitter, mailer.lanes)
        self._pace = Pace(terms.max_per_s, terms.max_per_domain_per_s, monotonic)
        self._breaker = Breaker()
        self._feeder = Feeder(
            ledger,
            Digests(store.database),
            render,
            self._pace,
            owner=self._owner,
            lease=terms.lease,
            clock=clock,
            monotonic=monotonic,
            settle=self._settle,
            lose=self._lose,
            spoil=self._spoil,
            tell=report.tell,
        )
        self._maker = Maker(self._feeder, stop, monotonic)
        self._ends_at = ends_at
        self._under_way = 0
        self._written: deque[tuple[Claim, Outcome, Signal[bool]]] = deque()
        self._beaten = monotonic()
        self._give_back_until: datetime | None = None  # set: the run is over, and the rest waits until then

    def work(self) -> None:
        """Go on until nothing is due, or there is reason to stop."""
        try:
            while self._give_back_until is None and not self._stop.is_set() and self._monotonic() < self._ends_at:
                self._beat()
                self._collect(0)
                has_room = self._under_way <= self._lanes.most
                if has_room and (made := self._maker.feed(self._lanes)):
                    self._under_way += made
                    continue
                if not self._under_way and self._feeder.is_empty:
                    return
                if not has_room or self._feeder.is_waiting:
                    self._collect(min(_TICK_S, self._terms.lease.total_seconds() / 6))
        finally:
            self._wind_up()

    def check_written(self) -> None:
        """Say which outcomes could not be written down, because others had taken the deliveries over."""
        for one in self._written:
            self._check_written(*one)
        self._written.clear()

    def _check_written(self, claim: Claim, outcome: Outcome, written: Signal[bool]) -> None:
        if not written.result():
            told = f"delivery {claim.delivery.id} was taken over by another run before its outcome was written down"
            self._report.tell(f"{told}: {outcome.state.value}; it may arrive twice")

    def _settle(self, claim: Claim, outcome: Outcome) -> None:
        self._handle(Done(claim, outcome, None, self._marks.settle(claim, outcome)))

    def _lose(self, claim: Claim) -> None:
        """Settle what has no digest: it is damaged, or removed with its subscriber, and then there is no row left."""
        lost = Outcome(state=DeliveryState.FAILED, detail="its digest cannot be read; see `paperdigest db check`")
        self._marks.settle(claim, lost)
        self._report.failed += 1
        self._report.tell(f"delivery {claim.delivery.id}: {lost.detail}")

    def _spoil(self, number: int) -> None:
        self._report.failed += 1
        self._report.tell(f"delivery {number} failed: its row is damaged; see `paperdigest db check`")

    # What became of letters

    def _collect(self, patience_s: float) -> None:
        """Take in what the lanes have done; wait for the first of it."""
        self._lanes.turn(patience_s)
        while self._lanes.done:
            self._take_in(self._lanes.done.popleft())

    def _take_in(self, done: Done | BaseException) -> None:
        if isinstance(done, BaseException):
            raise done
        self._under_way -= 1
        self._handle(done)

    def _handle(self, done: Done) -> None:
        if done.outcome is None:
            self._report.tell(f"delivery {done.claim.delivery.id} was taken over by another run; nothing was sent")
            return
        self._count(done)
        if done.outcome.state is DeliveryState.SENT:
            self._succeeded(done.claim)
        elif done.error is not None:
            self._refused(done.claim, done.error)
        if done.written is not None:
            self._written.append((done.claim, done.outcome, done.written))
        while self._written and self._written[0][2].is_set:
            self._check_written(*self._written.popleft())

    def _count(self, done: Done) -> None:
        outcome, delivery = done.outcome, done.claim.delivery
        assert outcome is not None  # its caller looked
        setattr(self._report, outcome.state.value, getattr(self._report, outcome.state.value) + 1)
        if outcome.state is not DeliveryState.SENT:
            # The number, not the address: reports end up in logs.
            detail = re.sub(re.escape(delivery.email), "<address>", outcome.detail or "", flags=re.IGNORECASE)
            self._report.tell(f"delivery {delivery.id} {outcome.state.value.replace('_', ' ')}: {detail}")

    def _succeeded(self, claim: Claim) -> None:
        self._breaker.count(refused=False)
        self._maker.accepted()
        self._pace.accepted(domain_of(claim))
        self._lanes.widen(self._under_way + 1)
        # One that was begun in this run stands, though a mail that was under way is taken after all.
        if self._last_pause is not None and self._give_back_until is None:
            self._pauses.end(since_at=self._last_pause.since_at)
            self._last_pause = None

    def _refused(self, claim: Claim, error: MailError) -> None:
        whose = blamed(error)
        self._maker.refused()
        if error.permanent and whose not in (None, Blame.MESSAGE) and self._terms.on_refused is not None:
            self._terms.on_refused(claim.delivery, whose, error, self._clock())
        if is_throttling(error):
            self._report.slowed += 1
            self._pace.throttled(domain_of(claim) if error.phase in _OF_A_RECIPIENT else None)
        refused_us = error.permanent and whose is Blame.SENDER
        wants_login = error.phase in (MailPhase.TLS, MailPhase.LOGIN) or error.code in _WANT_LOGIN
        if self._breaker.count(refused=refused_us) or wants_login:
            self._pause(str(error))
        elif error.systemic:
            self._give_back_until = self._clock() + backoff(1)

    def _pause(self, reason: str) -> None:
        """Make everybody stop for a while; a pause that stands is an alarm for the operator."""
        now, last = self._clock(), self._last_pause
        if self._give_back_until is not None:
            return
        standing = self._pauses.last()
        if standing is not None and standing != last and standing.until_at > now:  # of another run; as good as ours
            self._give_back_until = standing.until_at
            return
        pause = Pause(since_at=now, until_at=now + next_pause(last.length if last else None), reason=masked(reason))
        self._pauses.start(pause)
        self._last_pause = pause
        self._give_back_until = pause.until_at

    # Life and end

    def _beat(self) -> None:
        """Renew the leases in time."""
        now = self._monotonic()
        if now - self._beaten >= self._terms.lease.total_seconds() / 3:
            self._beaten = now
            self._ledger.heartbeat(self._clock(), owner=self._owner, lease=self._terms.lease)

    def _wind_up(self) -> None:
        """Give back what was not begun, and finish what is in flight: it has deadlines of its own.

        Whatever the database refuses meanwhile, what servers answer is heard, and written down as soon as it can be.
        """
        failures: list[BaseException] = []
        left = [*(letter.claim for letter in self._lanes.halt()), *self._maker.rest()]
        until = time.monotonic() + STOPS_WITHIN_S if self._stop.is_set() else None
        try:
            if self._try(lambda: self._give_back(left), failures):
                left = []
            while not self._lanes.have_ended(_TICK_S):
                self._try(self._beat, failures)
                if self._stop.is_set():  # somebody waits for us
                    until = until or time.monotonic() + STOPS_WITHIN_S
                    if time.monotonic() >= until:
                        break
            self._drain(failures)
            failpoint("before_release")
            left += [letter.claim for letter in self._lanes.left()]
            if until is None or time.monotonic() < until:  # or who waits for us has waited for long: leases end, too
                self._try(lambda: self._give_back(left), failures)
        finally:
            self._maker.close()
            self._lanes.close()
        if failures:
            raise failures[0]

    def _try(self, do: Callable[[], None], failures: list[BaseException]) -> bool:
        try:
            do()
        except (PaperDigestError, OSError) as error:
            failures.append(error)
            return False
        return True

    def _give_back(self, claims: Sequence[Claim]) -> None:
        if claims:
            moment = self._give_back_until or self._clock()
            self._report.released += self._ledger.release(claims, next_attempt_at=moment)

    def _drain(self, failures: list[BaseException]) -> None:
        """Take in what the lanes did last, and what they ended by, whatever that is."""
        with ToldOf(failures.append):
            self._lanes.turn(0)
        while self._lanes.done:
            with ToldOf(failures.append):
                self._take_in(self._lanes.done.popleft())


_WANT_LOGIN = frozenset({530, 534, 535, 538})  # RFC 4954, 6: a login or encryption is wanted
_OF_A_RECIPIENT = frozenset({MailPhase.RCPT, MailPhase.DATA, MailPhase.BODY, MailPhase.DOT})


def _jitter() -> float:
    return random.uniform(-1, 1)
