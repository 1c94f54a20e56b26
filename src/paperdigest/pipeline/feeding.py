"""The feeder: claims what is due, holds back what is too fast for its domain, and makes messages of the rest.

A domain that may not be sent to now holds up no other: its deliveries are kept at hand, as claims alone (their digests
are read when they go), and go as the pace allows. When very many wait so, further ones are given back to the ledger
for a while. A domain that is so slow that nobody should wait for it is left to later runs.
"""

from __future__ import annotations

import heapq
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from paperdigest.errors import MailError, PaperDigestError
from paperdigest.failpoints import failpoint
from paperdigest.pipeline.lanes import content_hash
from paperdigest.pipeline.outcomes import backoff
from paperdigest.pipeline.pacing import Pace
from paperdigest.protocols import OutgoingMessage
from paperdigest.store.claims import Claim, Outcome
from paperdigest.store.digests import Digests
from paperdigest.store.ledger import Ledger
from paperdigest.types import Delivery, DeliveryState, Digest, MailPhase
from paperdigest.waiting import ToldOf

__all__ = ["BATCH", "Begun", "Feeder", "Finish", "RenderMessage", "domain_of"]

_LOG = logging.getLogger(__name__)

Finish = Callable[[], OutgoingMessage]
"""Signs a message and returns it; may be called by any thread."""

RenderMessage = Callable[[Digest, Delivery], Finish]
"""Writes the message of a frozen digest but for its signature, byte by byte the same each time.

What cannot be written is a RenderError or MailError here; whoever finishes it finds nothing to object to.
"""

BATCH = 100
"""So many deliveries are claimed at once."""

AT_ONCE = 20
"""After so many letters that cannot be made the caller is asked whether to go on."""

MOST_HELD = 20_000
"""So many claims are held back in all, at about a kilobyte each."""

PATIENCE_S = 30.0
"""For a mail that may go within that time a run waits; domains that are slower are left to later runs."""

REST = timedelta(minutes=10)
"""By then a slow domain may have become faster: what was given back is looked at again."""

_DRY_S = 0.5  # nothing was due; so soon nothing else is


@dataclass(frozen=True, slots=True)
class Begun:
    """A claim, and who finishes the message written for it."""

    claim: Claim
    finish: Finish


class Feeder:
    """Finds the next letter to write. Not for use by two threads at once.

    Args:
        ledger: where to claim.
        digests: where digests are read.
        render: see `RenderMessage`.
        pace: how fast mail may go.
        owner: the name of this run.
        lease: for how long claims hold.
        clock: the time of day, UTC.
        monotonic: seconds.
        settle: told what became of a claim that came to no letter.
        lose: told of a claim whose digest cannot be read.
        spoil: told of a delivery that has failed already, because its row cannot be read.
        tell: told of problems in words.
        most_held: how many claims are held back in all.
    """

    def __init__(
        self,
        ledger: Ledger,
        digests: Digests,
        render: RenderMessage,
        pace: Pace,
        *,
        owner: str,
        lease: timedelta,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        settle: Callable[[Claim, Outcome], None],
        lose: Callable[[Claim], None],
        spoil: Callable[[int], None],
        tell: Callable[[str], None],
        most_held: int = MOST_HELD,
    ) -> None:
        self._ledger, self._digests, self._render, self._pace = ledger, digests, render, pace
        self._owner, self._lease, self._clock, self._monotonic = owner, lease, clock, monotonic
        self._settle, self._lose, self._spoil, self._tell = settle, lose, spoil, tell
        self._most_held = most_held
        self._ready: deque[tuple[Claim, Digest]] = deque()
        self._in_hand: tuple[Claim, ...] = ()  # what is being read or given back, and would be forgotten if that fails
        self._held: dict[str, deque[Claim]] = {}
        self._held_count = 0
        self._turns: list[tuple[float, str]] = []  # when to look at which domain again: one entry for each in _held
        self._dry_until: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was due when it was last looked, and nothing is held back that may go soon."""
        return self._dry_until is not None and not self._held and not self._ready

    @property
    def is_waiting(self) -> bool:
        """Whether nothing more is to be had before some time has passed, or a mail was taken."""
        return self._dry_until is not None or bool(self._pace.wait())

    def next(self) -> Begun | None:
        """Write a letter that may go now; None when there is none just now (or none among the next ones due)."""
        for _ in range(AT_ONCE):
            if self._pace.wait() or (found := self._held_back() or self._new()) is None:
                return None
            self._in_hand = found[:1]
            finish = self._written(*found)
            self._in_hand = ()
            if finish is not None:
                self._pace.take(domain_of(found[0]))
                return Begun(found[0], finish)
        return None

    def rest(self) -> list[Claim]:
        """Hand over all claims that came to no letter yet; the feeder is empty then."""
        held = (claim for kept in self._held.values() for claim in kept)
        left = [*self._in_hand, *(claim for claim, _ in self._ready), *held]
        self._in_hand = ()
        self._ready.clear()
        self._held.clear()
        self._turns.clear()
        self._held_count = 0
        return left

    # What is held back

    def _hold(self, claim: Claim) -> None:
        domain = domain_of(claim)
        if domain not in self._held:
            self._held[domain] = deque()
            wait = self._pace.wait(domain)
            turn = self._monotonic() + (wait if wait <= PATIENCE_S else 0.0)  # too slow: to be given back at once
            heapq.heappush(self._turns, (turn, domain))
        self._held[domain].append(claim)
        self._held_count += 1

    def _held_back(self) -> tuple[Claim, Digest] | None:
        """Return what was held back and may go now; give back what would have to wait for too long."""
        now = self._monotonic()
        while self._turns and self._turns[0][0] <= now:
            _, domain = heapq.heappop(self._turns)
            wait = self._pace.wait(domain)
            if wait > PATIENCE_S:
                slow = self._held.pop(domain)
                self._held_count -= len(slow)
                self._give_back(slow, REST)
            elif wait:
                heapq.heappush(self._turns, (now + wait, domain))
            else:
                claim = self._held[domain].popleft()
                self._held_count -= 1
                if self._held[domain]:
                    heapq.heappush(self._turns, (now, domain))
                else:
                    del self._held[domain]
                if read := self._read([claim]):
                    return read[0]
        return None

    def _give_back(self, claims: Iterable[Claim], rest: timedelta) -> None:
        self._in_hand = tuple(claims)
        self._ledger.release(self._in_hand, next_attempt_at=self._clock() + rest)
        self._in_hand = ()

    # What is new

    def _new(self) -> tuple[Claim, Digest] | None:
        """Return what is next in the queue and may go now, from one batch at most."""
        if not self._ready:
            self._claim()
        while self._ready:
            claim, digest = self._ready.popleft()
            domain = domain_of(claim)
            if domain not in self._held and not self._pace.wait(domain):
                return claim, digest
            self._hold(claim)
        return None

    def _claim(self) -> None:
        """Claim a batch; read the digests of what may go now."""
        if self._dry_until is not None and self._monotonic() < self._dry_until:
            return
        spoilt: list[int] = []
        now = self._clock()
        claims = self._ledger.claim(now, owner=self._owner, limit=BATCH, lease=self._lease, damaged=spoilt.append)
        failpoint("after_claim")
        for number in spoilt:
            self._spoil(number)
        self._dry_until = None if claims or spoilt else self._monotonic() + _DRY_S
        waits = {domain: self._pace.wait(domain) for domain in {domain_of(claim) for claim in claims}}
        at_once: list[Claim] = []
        too_many: list[Claim] = []
        for claim in claims:
            domain = domain_of(claim)
            if domain not in self._held and not waits[domain]:
                at_once.append(claim)
            elif self._held_count < self._most_held:
                self._hold(claim)
            else:
                too_many.append(claim)
        self._ready.extend(self._read(at_once, besides=too_many))
        if too_many:  # until half of those before them may have gone
            fastest = max(self._pace.rate(domain_of(claim)) for claim in too_many)
            self._give_back(too_many, min(REST, timedelta(seconds=1 + self._held_count / (2 * fastest or 1))))

    def _read(self, claims: Sequence[Claim], *, besides: Sequence[Claim] = ()) -> list[tuple[Claim, Digest]]:
        """Read the digests of claims; those that have none are lost. When that fails, it is with others ``besides``."""
        self._in_hand = (*claims, *besides)
        digests = self._digests.get_many([claim.delivery.digest_id for claim in claims])
        self._in_hand = ()
        found: list[tuple[Claim, Digest]] = []
        for claim in claims:
            if (digest := digests.get(claim.delivery.digest_id)) is not None:
                found.append((claim, digest))
            else:
                self._lose(claim)
        return found

    # What is made of it

    def _written(self, claim: Claim, digest: Digest) -> Finish | None:
        """Write what is to be sent: the very bytes of an attempt in doubt where they were kept."""
        delivery = claim.delivery
        if digest.subscriber.email != delivery.email:
            moved = "the subscriber's address has changed since it was planned"
            self._settle(claim, Outcome(state=DeliveryState.SKIPPED, detail=moved))
            return None
        if delivery.content_hash is not None and (kept := self._ledger.letter(delivery.id)) is not None:
            message = OutgoingMessage(
                sender=kept[0],
                recipient=delivery.email,
                message_id=delivery.message_id,
                content=kept[1],
                needs_smtputf8=not delivery.email.isascii(),
            )
            return lambda: message
        errors: list[BaseException] = []
        with ToldOf(errors.append):
            return self._compared(delivery, self._render(digest, delivery))
        self.refuse(claim, errors[0])
        return None

    def refuse(self, claim: Claim, error: BaseException) -> None:
        """Settle a claim whose message cannot be made: that holds up no other.

        Raises:
            BaseException: ``error``, if it is no `Exception` but somebody's wish to stop.
        """
        if isinstance(error, MailError):
            self._settle(claim, Outcome(state=DeliveryState.FAILED, detail=str(error)))
            return
        if isinstance(error, PaperDigestError):  # templates can be mended, and settings
            detail = str(error)
        elif isinstance(error, Exception):  # and so can we
            _LOG.error("delivery %d cannot be written; please report it", claim.delivery.id, exc_info=error)
            detail = f"a mistake of paperdigest: {type(error).__name__}; see the log, and please report it"
        else:
            raise error
        later = self._clock() + backoff(claim.delivery.attempts)
        self._settle(claim, Outcome(state=DeliveryState.DEFERRED, detail=detail, next_attempt_at=later))

    def _compared(self, delivery: Delivery, finish: Finish) -> Finish:
        """Tell when a mail in doubt would be sent again otherwise than it was."""
        if delivery.phase is MailPhase.DOT and delivery.code is None and delivery.content_hash is not None:
            again = finish()
            if content_hash(again.content) != delivery.content_hash:
                changed = "templates or settings have changed"
                self._tell(f"delivery {delivery.id} is sent again after a doubt, but not as it was: {changed}")
            return lambda: again
        return finish


def domain_of(claim: Claim) -> str:
    """Return where a delivery goes, for its pace."""
    return claim.delivery.email.rpartition("@")[2].lower()
