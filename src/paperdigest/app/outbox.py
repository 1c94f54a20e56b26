"""What an operator sees of the deliveries, and may do about them. Addresses are shown here, and never in logs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from email.message import Message
from email.parser import HeaderParser
from email.policy import compat32
from typing import Any

from paperdigest.app.letters import Letters
from paperdigest.config import Settings
from paperdigest.errors import MailError, NotFoundError, RenderError, StoreError
from paperdigest.store import Store
from paperdigest.store.digests import Digests
from paperdigest.store.ledger import Ledger
from paperdigest.store.outbox import Arrived, Attempt, Doubt, Item, Outbox, Overview, Retried
from paperdigest.store.pauses import Pause, Pauses
from paperdigest.types import Delivery, DeliveryState

__all__ = ["GIVEN_UP_SHOWN", "DeliveryView", "DoubtView", "OutboxDesk"]

GIVEN_UP_SHOWN = 100
"""Of what failed or expired so many are listed, the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtView:
    """A delivery that may have arrived, and what can be done about it."""

    doubt: Doubt
    advice: str

    def fields(self) -> dict[str, Any]:
        """Return the JSON fields."""
        delivery = self.doubt.delivery
        return {
            "id": delivery.id,
            "email": delivery.email,
            "edition": delivery.edition,
            "attempts": delivery.attempts,
            "doubts": self.doubt.times,
            "since_at": self.doubt.since_at,
            "next_attempt_at": delivery.next_attempt_at,
            "expires_at": delivery.expires_at,
            "message_id": delivery.message_id,
            "detail": delivery.detail,
            "advice": self.advice,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    """Everything that is known of one delivery.

    ``headers`` are of the message as it was or would be sent, ``is_kept`` says that its bytes were kept;
    ``problem`` says why there are none.
    """

    delivery: Delivery
    attempts: tuple[Attempt, ...]
    items: tuple[Item, ...]
    titles: dict[int, str]
    headers: tuple[tuple[str, str], ...] = ()
    is_kept: bool = False
    problem: str | None = None

    def fields(self) -> dict[str, Any]:
        """Return the JSON fields."""
        shown = asdict(self.delivery)
        shown["content_hash"] = self.delivery.content_hash.hex() if self.delivery.content_hash else None
        return {
            "delivery": shown,
            "attempts": [asdict(one) for one in self.attempts],
            "papers": [{**asdict(one), "title": self.titles.get(one.position)} for one in self.items],
            "headers": [list(pair) for pair in self.headers],
            "headers_kept": self.is_kept,
            "problem": self.problem,
        }


class OutboxDesk:
    """The outbox for its operator. Every method may raise StoreError."""

    def __init__(self, settings: Settings, store: Store, clock: Callable[[], datetime]) -> None:
        self._settings, self._store, self._clock = settings, store, clock
        self._outbox = Outbox(store.database)

    def overview(self) -> Overview:
        """Return how things stand."""
        return self._outbox.overview(self._clock())

    def doubts(self) -> tuple[DoubtView, ...]:
        """Return what is in doubt, the oldest first, each with what to do."""
        return tuple(DoubtView(doubt=one, advice=self._advice(one)) for one in self._outbox.doubtful())

    def _advice(self, doubt: Doubt) -> str:
        """Say what will happen by itself, or what only a person can do."""
        delivery = doubt.delivery
        by_hand = f"ask them whether it came; then paperdigest outbox arrived {delivery.id}, or retry {delivery.id}"
        policy = self._settings.mail.on_in_doubt
        if policy == "assume_sent":
            return "the next run takes it for sent (on_in_doubt = assume_sent)"
        if policy == "hold":
            return f"kept as it is (on_in_doubt = hold): {by_hand}"
        if self._outbox.is_to_be_resent(doubt, self._clock()):
            return f"will be sent again, as it was, from {delivery.next_attempt_at:%Y-%m-%d %H:%M} UTC on"
        is_over = delivery.expires_at is not None and delivery.expires_at <= self._clock()
        reason = "its time is over" if is_over else f"in doubt {doubt.times} times"
        return f"not sent again by itself ({reason}): {by_hand}"

    def given_up(self) -> tuple[Delivery, ...]:
        """Return what failed or expired, the newest edition first."""
        return self._outbox.given_up(GIVEN_UP_SHOWN)

    def arrived(self, numbers: Sequence[int]) -> Arrived:
        """Take deliveries in doubt for sent (see `Outbox.arrived`)."""
        return self._outbox.arrived(numbers, now=self._clock())

    def resume(self) -> tuple[Pause | None, int]:
        """End the pause of all sending, if there is one, and make due what was put off because of us or our server.

        Returns:
            The pause, and how many deliveries are due now that were not.
        """
        if (pause := self.pause()) is not None:
            Pauses(self._store.database).end(since_at=pause.since_at)
        return pause, self._outbox.hasten(now=self._clock())

    def pause(self) -> Pause | None:
        """Return the pause of all sending; None when there is none, or it is over."""
        pause = Pauses(self._store.database).last()
        return None if pause is None or pause.until_at <= self._clock() else pause

    def retry(self, numbers: Sequence[int]) -> Retried:
        """Let deliveries be tried again at the next run (see `Outbox.retry`)."""
        now = self._clock()
        expires_at = now + timedelta(hours=self._settings.mail.expires_after_h)
        return self._outbox.retry(numbers, now=now, expires_at=expires_at)

    def retry_all(self, state: DeliveryState) -> Retried:
        """Let every delivery in a state be tried again, but for those whose subscribers get no mail."""
        numbers, left_out = self._outbox.in_state(state, self._clock())
        return replace(self.retry(numbers), left_out=left_out)

    def show(self, number: int) -> DeliveryView:
        """Return everything about one delivery; a message that cannot be made is no reason to show nothing.

        Raises:
            NotFoundError: there is none of that number.
        """
        delivery = self._outbox.get(number)
        titles, headers, is_kept, problem = self._message(delivery)
        return DeliveryView(
            delivery=delivery,
            attempts=self._outbox.attempts(number),
            items=self._outbox.items(number),
            titles=titles,
            headers=headers,
            is_kept=is_kept,
            problem=problem,
        )

    def _message(self, delivery: Delivery) -> tuple[dict[int, str], tuple[tuple[str, str], ...], bool, str | None]:
        kept = Ledger(self._store.database).letter(delivery.id)
        try:
            digest = Digests(self._store.database).get(delivery.digest_id)
            titles = {place: one.stored.paper.title for place, one in enumerate(digest.ranked, start=1)}
            content = kept[1] if kept else Letters(self._settings).content(digest, delivery.message_id)
        except NotFoundError:
            raise
        except (StoreError, RenderError, MailError) as error:
            return {}, _headers(kept[1]) if kept else (), kept is not None, str(error)
        return titles, _headers(content), kept is not None, None


def _headers(content: bytes) -> tuple[tuple[str, str], ...]:
    head = content.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")  # RFC 6532: where an address wants it
    parsed: Message = HeaderParser(policy=compat32).parsestr(head)
    return tuple((name, " ".join(str(value).split())) for name, value in parsed.items())
