"""A ledger with digests that are due, and a scripted mail server to take them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path

from paperdigest.errors import MailError
from paperdigest.mail.smtp import SmtpMailer
from paperdigest.pipeline.delivering import DeliveryReport, DeliveryTerms, deliver
from paperdigest.protocols import OutgoingMessage
from paperdigest.refusals import Blame
from paperdigest.store import Store
from paperdigest.store.digests import Digests
from paperdigest.store.ledger import Ledger
from paperdigest.store.subscribers import Subscribers
from paperdigest.types import Delivery, Digest, RankedPaper, StoredPaper, Subscriber, SubscriberStatus, Topic
from tests.scripted_smtp import ScriptedSmtp
from tests.store_samples import paper
from tests.written import written

__all__ = ["NOON", "Desk", "open_desk", "people", "plan"]

NOON = datetime(2026, 4, 15, 12, 0, tzinfo=UTC)


class Desk:
    """A ledger with some digests that are due, and a mail server to take them."""

    def __init__(self, path: Path, server: ScriptedSmtp) -> None:
        self.store, self.server, self.now = Store.open(path, create=True), server, NOON
        self.refused: list[int] = []
        self.told: list[int] = []
        self.terms = DeliveryTerms(on_refused=self._note)
        self.settings: dict[str, object] = {"connections": 1}
        self.seconds: Callable[[], float] = time.monotonic
        self.at_most_s = inf

    def _note(self, delivery: Delivery, whose: Blame, error: MailError, now: datetime) -> None:
        (self.told if whose is Blame.SENDER else self.refused).append(delivery.id)

    def plan(self, *emails: str) -> None:
        plan(self.store, emails)

    def deliver(self, stop: threading.Event | None = None) -> DeliveryReport:
        own = {"host": "127.0.0.1", "port": self.server.port, "tls": "none", "timeout_s": 5, "answer_timeout_s": 10}
        mailer = SmtpMailer({**own, **self.settings})
        return deliver(
            self.store,
            mailer,
            written(self.render),
            clock=lambda: self.now,
            terms=self.terms,
            stop=stop,
            monotonic=self.seconds,
            at_most_s=self.at_most_s,
        )

    def render(self, digest: Digest, delivery: Delivery) -> OutgoingMessage:
        body = f"Message-ID: {delivery.message_id}\r\n\r\n{digest.ranked[0].stored.paper.title}\r\n"
        return OutgoingMessage(
            sender="a@x.example", recipient=delivery.email, message_id=delivery.message_id, content=body.encode()
        )

    @property
    def counts(self) -> dict[str, int]:
        return {state: count for state, count in Ledger(self.store.database).counts().items() if count}


def people(count: int, domain: str = "example.org") -> list[str]:
    return [f"reader{number}@{domain}" for number in range(count)]


def plan(store: Store, emails: Iterable[str]) -> None:
    """Plan a digest of one paper for each address, due at noon, of people who are new."""
    found = RankedPaper(stored=StoredPaper(paper=paper(), first_seen_at=NOON), score=0.5, topic="trace")
    subscribers, topics = Subscribers(store.database), (Topic(name="trace", query="trace"),)
    digests = [
        Digest(
            subscriber=subscribers.add(
                Subscriber(email=email, status=SubscriberStatus.ACTIVE, topics=topics, created_at=NOON)
            ),
            edition=NOON.date(),
            composed_at=NOON,
            ranked=(found,),
        )
        for email in emails
    ]
    Digests(store.database).add_many(
        digests, message_id=lambda _, number: f"<{number}@x>", expires_at=NOON + timedelta(hours=36)
    )


@contextmanager
def open_desk(path: Path) -> Iterator[Desk]:
    """Open a desk whose server serves until it is closed."""
    with ScriptedSmtp() as server:
        opened = Desk(path, server)
        yield opened
        opened.store.close()
