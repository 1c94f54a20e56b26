"""What follows from a refusal, for the delivery and for those who wait: pure functions."""

from __future__ import annotations

from datetime import datetime, timedelta

from paperdigest.errors import MailError
from paperdigest.refusals import Blame, blame
from paperdigest.store.claims import Outcome
from paperdigest.types import Delivery, DeliveryState, MailPhase

__all__ = ["RETRY_MINUTES", "backoff", "blamed", "is_throttling", "outcome_of"]

RETRY_MINUTES = (5, 10, 20, 40, 66)
"""RFC 5321, 4.5.4.1 wants the first retries early and the later ones rare; the last one repeats."""

LONGEST_WISH = timedelta(hours=4)
"""A server may ask us to wait, but not for longer than a digest is worth waiting for."""


def backoff(attempts: int, jitter: float = 0.0) -> timedelta:
    """Return how long to wait after the ``attempts``-th failed attempt: 5, 10, 20, 40, then 66 minutes.

    Args:
        attempts: counted from 1.
        jitter: in [-1, 1]; stretches or shrinks the wait by up to a fifth.
    """
    minutes = RETRY_MINUTES[min(max(attempts, 1), len(RETRY_MINUTES)) - 1]
    return timedelta(minutes=minutes * (1 + 0.2 * jitter))


def blamed(error: MailError) -> Blame | None:
    """Say whose trouble an error is; None when nobody said anything (a lost line, a deadline)."""
    if error.code is None and error.status is None:
        return Blame.MESSAGE if error.permanent else None
    # At MAIL the recipient has not even been named. Without a code nobody refused: we saw that the server cannot.
    if error.systemic or (error.phase == MailPhase.MAIL and error.code is not None):
        return Blame.SENDER
    return blame(error.code, error.status, str(error))


def is_throttling(error: MailError) -> bool:
    """Say whether a server asked for patience: 421, or a temporary refusal for reasons of policy (4.7.x)."""
    return error.code == 421 or (error.status or "").startswith("4.7.")


def outcome_of(
    error: MailError, delivery: Delivery, letter: tuple[str, bytes], now: datetime, jitter: float
) -> Outcome:
    """Return what becomes of a delivery (the table of docs/explanation/delivery.md).

    A refusal that is about us (5.7.x, a login) fails no delivery: it is mended by the operator, and tried again.

    Args:
        error: why it was not accepted.
        delivery: what was tried.
        letter: its envelope sender and bytes, kept if it is in doubt.
        now: the moment.
        jitter: in [-1, 1].
    """
    again = now + (min(error.retry_after, LONGEST_WISH) if error.retry_after else backoff(delivery.attempts, jitter))
    phase = MailPhase(error.phase) if error.phase is not None else None
    if error.after_dot:
        again = now + backoff(delivery.attempts)
        return Outcome(
            state=DeliveryState.IN_DOUBT,
            detail=str(error),
            code=error.code,
            status=error.status,
            phase=phase or MailPhase.DOT,
            next_attempt_at=again,
            letter=letter,
        )
    gives_up = error.permanent and blamed(error) is not Blame.SENDER
    return Outcome(
        state=DeliveryState.FAILED if gives_up else DeliveryState.DEFERRED,
        detail=str(error),
        code=error.code,
        status=error.status,
        phase=phase,
        next_attempt_at=None if gives_up else again,
    )
