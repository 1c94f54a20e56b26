"""The use case ``deliver``: hand over what is waiting, once.

For every claimed delivery, in this order::

    still wanted?       the subscriber is asked for again right before the mail leaves
    render              from the frozen digest; after a first attempt its very bytes, whatever changed since
    mark sending        committed before the mailer may reach the final dot
    send
    settle              sent | deferred | failed | in_doubt

Trouble with one digest is a row in the ledger and never stops the others. Trouble with the mail server
itself ends the run: nobody else would fare better now, and trying a login again and again locks accounts.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from paperdigest.errors import MailError, NotFoundError, RenderError
from paperdigest.protocols import Lane, Mailer, OutgoingMessage
from paperdigest.store import Store
from paperdigest.store.digests import Digests
from paperdigest.store.ledger import Claim, Ledger
from paperdigest.store.subscribers import Subscribers
from paperdigest.types import Delivery, DeliveryState, Digest

__all__ = ["DeliveryReport", "backoff", "deliver"]

RenderMessage = Callable[[Digest, Delivery], OutgoingMessage]

BATCH = 50
RETRY_MINUTES = (5, 10, 20, 40, 66)
"""RFC 5321, 4.5.4.1 wants the first retries early and the later ones rare; the last one repeats."""


@dataclass(slots=True, kw_only=True)
class DeliveryReport:
    """How many deliveries came into which state in this run, and what was wrong with those that did not arrive."""

    sent: int = 0
    deferred: int = 0
    failed: int = 0
    expired: int = 0
    skipped: int = 0
    in_doubt: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    state: DeliveryState
    detail: str | None = None
    code: int | None = None
    next_attempt_at: datetime | None = None
    stops_the_run: bool = False


def deliver(
    store: Store,
    mailer: Mailer,
    render: RenderMessage,
    *,
    clock: Callable[[], datetime],
    owner: str,
    on_in_doubt: str = "resend",
) -> DeliveryReport:
    """Deliver everything that is due.

    Args:
        store: digests and ledger.
        mailer: hands messages over; entered here.
        render: makes the message of a frozen digest, byte by byte the same each time.
        clock: the time of day, UTC.
        owner: names this process in the ledger.
        on_in_doubt: what to do with a mail that may or may not have been accepted.
    """
    ledger = Ledger(store.database)
    report = DeliveryReport()
    report.in_doubt += ledger.recover(clock(), on_in_doubt=on_in_doubt, wait=backoff).in_doubt
    report.expired += ledger.expire(clock())
    with mailer.lane() as lane:
        while claims := ledger.claim(clock(), owner=owner, limit=BATCH):
            for place, claim in enumerate(claims, start=1):
                outcome = _attempt(store, ledger, lane, render, claim, clock)
                if outcome is None:
                    continue
                _settle(ledger, claim, outcome, report, clock())
                if outcome.stops_the_run:
                    ledger.release(claims[place:], next_attempt_at=clock() + backoff(1))
                    return report
    return report


def backoff(attempts: int, jitter: float = 0.0) -> timedelta:
    """Return how long to wait after the ``attempts``-th failed attempt: 5, 10, 20, 40, then 66 minutes.

    Args:
        attempts: counted from 1.
        jitter: in [-1, 1]; stretches or shrinks the wait by up to a fifth.
    """
    minutes = RETRY_MINUTES[min(max(attempts, 1), len(RETRY_MINUTES)) - 1]
    return timedelta(minutes=minutes * (1 + 0.2 * jitter))


def _attempt(
    store: Store, ledger: Ledger, lane: Lane, render: RenderMessage, claim: Claim, clock: Callable[[], datetime]
) -> _Outcome | None:
    """Try once; None when the claim was lost to somebody else."""
    delivery = claim.delivery
    if not Subscribers(store.database).is_active(delivery.subscriber_id):
        return _Outcome(state=DeliveryState.SKIPPED, detail="the subscriber does not want mail any more")
    try:
        message = _message(store, ledger, render, delivery)
    except NotFoundError:
        return None  # removed with the subscriber, between the claim and now
    except RenderError as error:  # templates can be mended
        later = clock() + backoff(delivery.attempts)
        return _Outcome(state=DeliveryState.DEFERRED, detail=str(error), next_attempt_at=later)
    except MailError as error:
        return _Outcome(state=DeliveryState.FAILED, detail=str(error))
    letter = (message.sender, message.content)
    try:
        answer = lane.send(message, lambda: ledger.mark_sending(claim, letter, now=clock()))
        return None if answer is None else _Outcome(state=DeliveryState.SENT, detail=answer)
    except MailError as error:
        return _refused(error, delivery, clock())


def _message(store: Store, ledger: Ledger, render: RenderMessage, delivery: Delivery) -> OutgoingMessage:
    """Return what an earlier attempt sent, else what is rendered now."""
    digest = Digests(store.database).get(delivery.digest_id)
    if (letter := ledger.letter(delivery.id)) is None:
        return render(digest, delivery)
    sender, content = letter
    recipient = digest.subscriber.email
    return OutgoingMessage(sender=sender, recipient=recipient, message_id=delivery.message_id, content=content)


def _refused(error: MailError, delivery: Delivery, now: datetime) -> _Outcome:
    if error.after_dot:
        again = now + backoff(delivery.attempts)
        return _Outcome(state=DeliveryState.IN_DOUBT, detail=str(error), code=error.code, next_attempt_at=again)
    if error.permanent:
        return _Outcome(state=DeliveryState.FAILED, detail=str(error), code=error.code)
    later = now + backoff(delivery.attempts, random.uniform(-1, 1))
    return _Outcome(
        state=DeliveryState.DEFERRED,
        detail=str(error),
        code=error.code,
        next_attempt_at=later,
        stops_the_run=error.systemic,
    )


def _settle(ledger: Ledger, claim: Claim, outcome: _Outcome, report: DeliveryReport, now: datetime) -> None:
    """Write the outcome down and count it; say so when somebody else took the delivery over meanwhile."""
    if not ledger.settle(
        claim,
        outcome.state,
        now=now,
        detail=outcome.detail,
        code=outcome.code,
        next_attempt_at=outcome.next_attempt_at,
    ):
        told = f"delivery {claim.delivery.id} was taken over by another run before its outcome was written down"
        report.problems.append(f"{told}: {outcome.state.value}; it may arrive twice")
        return
    setattr(report, outcome.state.value, getattr(report, outcome.state.value) + 1)
    if outcome.state is not DeliveryState.SENT:
        # The number, not the address: reports end up in logs.
        detail = re.sub(re.escape(claim.delivery.email), "<address>", outcome.detail or "", flags=re.IGNORECASE)
        report.problems.append(f"delivery {claim.delivery.id} {outcome.state.value}: {detail}")
