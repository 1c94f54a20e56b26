"""What passes between the delivery ledger and whoever delivers: claims, intents, outcomes. Values only."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from paperdigest.types import Delivery, DeliveryState, MailPhase

__all__ = ["LEASE", "Claim", "Intent", "Outcome", "Recovered", "new_owner"]

LEASE = timedelta(minutes=5)
"""How long a claim holds without a heartbeat; whoever is silent for longer is taken for dead."""

_DETAIL_CHARACTERS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to deliver one digest; ``epoch`` proves it. ``until``: the end of its lease unless it is renewed."""

    delivery: Delivery
    epoch: int
    until: datetime


class Intent(StrEnum):
    """The ledger's answer to whoever is about to send the final dot."""

    GRANTED = "granted"
    """It is written down, durably, that the message may have arrived: send the dot."""
    LOST = "lost"
    """The claim is over: somebody else has the delivery, or may take it, or it is gone. Send and settle nothing."""
    UNWANTED = "unwanted"
    """The claim is good, but the subscriber is no longer active, suppressed, or has another address by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an attempt.

    ``next_attempt_at`` is for ``deferred`` and ``in_doubt``. ``letter``, the envelope sender and the bytes of a
    message in doubt, is kept so that a resend is the same, whatever changes until then.
    """

    state: DeliveryState
    detail: str | None = None
    code: int | None = None
    status: str | None = None
    phase: MailPhase | None = None
    next_attempt_at: datetime | None = None
    letter: tuple[str, bytes] | None = None

    def __post_init__(self) -> None:
        if self.state not in _OUTCOMES:
            raise ValueError(f"{self.state.value} is not what becomes of an attempt")
        if self.state in (DeliveryState.DEFERRED, DeliveryState.IN_DOUBT) and self.next_attempt_at is None:
            raise ValueError(f"{self.state.value} needs the moment of the next attempt")

    @property
    def storable_detail(self) -> str | None:
        """Return the detail as a database can keep it: valid Unicode, of bounded length."""
        if self.detail is None:
            return None
        return self.detail[:_DETAIL_CHARACTERS].encode("utf-8", "replace").decode("utf-8")


_OUTCOMES = frozenset(
    (
        DeliveryState.SENT,
        DeliveryState.DEFERRED,
        DeliveryState.FAILED,
        DeliveryState.SKIPPED,
        DeliveryState.IN_DOUBT,
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What was taken back from those that died: deliveries by what became of them.

    ``planned``: nothing had been sent. ``in_doubt``: came into doubt now. Of all that are in doubt, ``resending`` are
    to be sent again, ``assumed`` taken for sent, by the operator's wish.
    """

    planned: int = 0
    in_doubt: int = 0
    resending: int = 0
    assumed: int = 0


def new_owner() -> str:
    """Return a name for one run that claims deliveries.

    Made anew for each run, and unlike any other: a process number alone comes again after a crash, and the heartbeat
    of the second life would keep alive what the first one left behind.
    """
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
